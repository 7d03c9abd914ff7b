//! Sinks: rows become values while the driver steps.

use std::any::Any;

use crate::driver::{Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Cells, Output, Positions, Row, Type, Value, finished, finished_one, read};

/// Collects decoded rows.
pub(crate) struct Collect<O: Output> {
    rows: Vec<O::Local>,
    wants: Option<usize>,
}

impl<O: Output> Collect<O> {
    pub(crate) fn boxed() -> Box<dyn Sink> {
        Box::new(Collect::<O> {
            rows: Vec::new(),
            wants: None,
        })
    }
    /// At most so many rows at a time.
    pub(crate) fn up_to(n: usize) -> Box<dyn Sink> {
        Box::new(Collect::<O> {
            rows: Vec::with_capacity(n),
            wants: Some(n),
        })
    }
    pub(crate) fn take(sink: Box<dyn Sink>) -> Result<Vec<O>> {
        let collect = sink.into_any().downcast::<Collect<O>>();
        finished(collect.map(|c| c.rows).map_err(|_| other_sink())?)
    }
}

impl<O: Output> Sink for Collect<O> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows.push(O::decode(&mut Row::new(cells))?);
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        self.wants.map(|n| n.saturating_sub(self.rows.len()))
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Keeps rows whose columns no type of Rust stands for.
pub(crate) struct Values {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
}

impl Values {
    pub(crate) fn boxed(types: Vec<Type>) -> Box<dyn Sink> {
        let rows = Vec::new();
        Box::new(Values { types, rows })
    }
    pub(crate) fn take(sink: Box<dyn Sink>) -> Result<Vec<Vec<Value>>> {
        let values = sink.into_any().downcast::<Values>();
        values.map(|v| v.rows).map_err(|_| other_sink())
    }
}

impl Sink for Values {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let values = self.types.iter().enumerate();
        let values = values.map(|(i, ty)| Ok(read(cells, i, *ty)?.unwrap_or(Value::Null(*ty))));
        self.rows.push(values.collect::<Result<_>>()?);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Keeps the one row there should be, in place: no list around it.
pub(crate) struct Single<O: Output> {
    row: Option<O::Local>,
    rows: usize,
}

impl<O: Output> Single<O> {
    pub(crate) fn boxed() -> Box<dyn Sink> {
        Box::new(Single::<O> { row: None, rows: 0 })
    }
    /// The first row, and how many there were.
    pub(crate) fn take(sink: Box<dyn Sink>) -> Result<(Option<O>, usize)> {
        let single = sink
            .into_any()
            .downcast::<Single<O>>()
            .map_err(|_| other_sink())?;
        Ok((single.row.map(finished_one).transpose()?, single.rows))
    }
}

impl<O: Output> Sink for Single<O> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows += 1;
        if self.row.is_none() {
            self.row = Some(O::decode(&mut Row::new(cells))?);
        }
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cold]
pub(crate) fn other_sink() -> Error {
    Error::new(ErrorKind::Database, "the driver gave back another sink")
}

/// Rows of hand-written SQL: models are read by column name, everything else by position.
pub(crate) struct CollectRaw<O: Output> {
    rows: Vec<O::Local>,
    /// Known from the first row on.
    places: Option<Positions>,
}

impl<O: Output> CollectRaw<O> {
    pub(crate) fn boxed() -> Box<dyn Sink> {
        Box::new(CollectRaw::<O> {
            rows: Vec::new(),
            places: None,
        })
    }
    pub(crate) fn take(done: Done) -> Result<Vec<O>> {
        let collect = done.sink.into_any().downcast::<CollectRaw<O>>();
        finished(collect.map(|c| c.rows).map_err(|_| other_sink())?)
    }
}

impl<O: Output> Sink for CollectRaw<O> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        if self.places.is_none() {
            self.places = Some(Positions::of::<O>(cells)?);
        }
        if let Some(places) = &self.places {
            self.rows.push(places.decode::<O>(cells)?);
        }
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
