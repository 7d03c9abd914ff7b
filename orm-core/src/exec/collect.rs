//! Sinks: rows become values while the driver steps.

use std::any::Any;

use crate::driver::{Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Cells, DecimalParts, Output, Row, Value, finished, finished_one};
use crate::value::{Date, Element, LocalTimestamp, TimeOfDay, Timestamp};

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
pub(crate) struct CollectNamed<O: Output> {
    rows: Vec<O::Local>,
    order: Places,
}

/// Where the cells stand that are read.
enum Places {
    /// Known from the first row on.
    Unknown,
    /// One after the other.
    InOrder,
    At(Vec<usize>),
}

impl<O: Output> CollectNamed<O> {
    pub(crate) fn boxed() -> Box<dyn Sink> {
        Box::new(CollectNamed::<O> {
            rows: Vec::new(),
            order: Places::Unknown,
        })
    }
    pub(crate) fn take(done: Done) -> Result<Vec<O>> {
        let collect = done.sink.into_any().downcast::<CollectNamed<O>>();
        finished(collect.map(|c| c.rows).map_err(|_| other_sink())?)
    }
}

impl<O: Output> Sink for CollectNamed<O> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        if matches!(self.order, Places::Unknown) {
            let find = |name: &'static str| {
                let missing = || Error::decode("the statement does not return this column").with_field(name);
                cells.position(name).ok_or_else(missing)
            };
            self.order = match O::names() {
                Some(names) => Places::At(names.into_iter().map(find).collect::<Result<_>>()?),
                None => Places::InOrder,
            };
        }
        let row = match &self.order {
            Places::At(order) => O::decode(&mut Row::new(&Reordered { cells, order })),
            Places::Unknown | Places::InOrder => O::decode(&mut Row::new(cells)),
        };
        self.rows.push(row?);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The cells of a row in another order.
struct Reordered<'a> {
    cells: &'a dyn Cells,
    order: &'a [usize],
}
impl Reordered<'_> {
    fn at(&self, i: usize) -> usize {
        self.order.get(i).copied().unwrap_or(usize::MAX)
    }
}
macro_rules! forward {
    ($($f:ident: $t:ty;)*) => {$(
        fn $f(&self, i: usize) -> Result<Option<$t>> {
            self.cells.$f(self.at(i))
        }
    )*};
}
impl Cells for Reordered<'_> {
    forward! {
        bool: bool;
        i64: i64;
        f64: f64;
        text: &str;
        bytes: &[u8];
        uuid: [u8; 16];
        timestamp: Timestamp;
        local_timestamp: LocalTimestamp;
        date: Date;
        time: TimeOfDay;
        json: &str;
        decimal: DecimalParts;
    }
    fn array(&self, i: usize, element: Element) -> Result<Option<Vec<Value>>> {
        self.cells.array(self.at(i), element)
    }
    fn len(&self) -> usize {
        self.order.len()
    }
    fn position(&self, name: &str) -> Option<usize> {
        self.cells.position(name)
    }
    fn is_null(&self, i: usize) -> bool {
        self.cells.is_null(self.at(i))
    }
}
