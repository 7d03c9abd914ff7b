//! Rows of one query and the related rows that other statements bring: how they become finished values.

use std::any::Any;

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Cells, Output, Row};

/// Related rows by the row above that they belong to, in the order of those rows; the typed list behind is erased.
pub struct Children(Box<dyn Any + Send>);

impl Children {
    /// The related rows of one row; `None` for several rows where there is at most one.
    pub(crate) fn of_one<N: Send + 'static>(mut rows: Vec<N>, to_many: bool) -> Option<Self> {
        let lists = match (to_many, rows.len()) {
            (true, _) => Lists::Many(vec![rows].into_iter()),
            (false, 0 | 1) => Lists::One(vec![rows.pop()].into_iter()),
            (false, _) => return None,
        };
        Some(Children(Box::new(lists)))
    }
}

/// The list of one relation: any number of rows for each row above, or at most one.
enum Lists<N> {
    Many(std::vec::IntoIter<Vec<N>>),
    One(std::vec::IntoIter<Option<N>>),
}

/// What was loaded beside a row, taken relation by relation in the order of the `.with(..)` calls.
pub struct Loads<'a> {
    children: &'a mut [Children],
    at: usize,
}

impl<'a> Loads<'a> {
    pub(crate) fn new(children: &'a mut [Children]) -> Self {
        Loads { children, at: 0 }
    }
    fn next<N: 'static>(&mut self) -> Result<&mut Lists<N>> {
        let at = self.at;
        self.at += 1;
        let lists = self.children.get_mut(at).and_then(|c| c.0.downcast_mut());
        lists.ok_or_else(not_loaded)
    }
    /// The rows of the next relation, which has any number of them.
    pub fn many<N: 'static>(&mut self) -> Result<Vec<N>> {
        match self.next()? {
            Lists::Many(rows) => rows.next().ok_or_else(not_loaded),
            Lists::One(_) => Err(not_loaded()),
        }
    }
    /// The row of the next relation, which has at most one.
    pub fn one<N: 'static>(&mut self) -> Result<Option<N>> {
        match self.next()? {
            Lists::One(rows) => rows.next().ok_or_else(not_loaded),
            Lists::Many(_) => Err(not_loaded()),
        }
    }
}

#[cold]
pub(crate) fn not_loaded() -> Error {
    Error::new(
        ErrorKind::InvalidQuery,
        "a relation of this shape was not loaded: only `.with(..)` and `.shape(..)` read such values",
    )
}

/// Where related rows belong.
pub(crate) struct Places<'a> {
    /// For each related row the row above that it belongs to.
    pub(crate) of: &'a [u32],
    /// How many rows above there are.
    pub(crate) parents: usize,
    /// Where each of them has at most one: the model and the relation, to name them when one has more.
    pub(crate) single: Option<(&'static str, &'static str)>,
    /// The related rows in their order, where they came in another one.
    pub(crate) order: Option<Vec<u32>>,
}

/// Collects decoded rows; what they are is erased.
pub(crate) trait Collector: Send {
    /// Takes a row that begins at this cell.
    fn push(&mut self, cells: &dyn Cells, at: usize) -> Result<()>;
    fn len(&self) -> usize;
    /// Completes the rows with what was loaded for them, and sorts them by the rows above.
    fn place(self: Box<Self>, loads: Vec<Children>, places: Places<'_>) -> Result<Children>;
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// Rows that still wait for what is loaded beside them.
pub(crate) struct Rows<O: Output>(Vec<O::Local>);

impl<O: Output> Rows<O> {
    pub(crate) fn collector() -> Box<dyn Collector> {
        Box::new(Rows::<O>(Vec::new()))
    }
    pub(crate) fn of(rows: Box<dyn Any + Send>) -> Result<Self> {
        rows.downcast().map(|rows| *rows).map_err(|_| not_loaded())
    }
    /// Completes the rows with what was loaded for them.
    pub(crate) fn finish(self, mut loads: Vec<Children>) -> Result<Vec<O>> {
        if loads.is_empty() {
            return finished::<O>(self.0);
        }
        self.0
            .into_iter()
            .map(|local| O::assemble(local, &mut Loads::new(&mut loads)))
            .collect()
    }
}

impl<O: Output> Collector for Rows<O> {
    fn push(&mut self, cells: &dyn Cells, at: usize) -> Result<()> {
        let mut row = Row::new(cells);
        row.skip(at);
        self.0.push(O::decode(&mut row)?);
        Ok(())
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn place(self: Box<Self>, loads: Vec<Children>, places: Places<'_>) -> Result<Children> {
        let rows = self.finish(loads)?.into_iter().zip(places.of);
        let Some((model, relation)) = places.single else {
            let mut sizes = vec![0u32; places.parents];
            for &slot in places.of {
                sizes[slot as usize] += 1;
            }
            let mut lists: Vec<Vec<O>> = sizes
                .into_iter()
                .map(|n| Vec::with_capacity(n as usize))
                .collect();
            match places.order {
                None => rows.for_each(|(row, &slot)| lists[slot as usize].push(row)),
                Some(order) => {
                    let mut rows: Vec<(Option<O>, u32)> =
                        rows.map(|(row, &slot)| (Some(row), slot)).collect();
                    for at in order {
                        let (row, slot) = &mut rows[at as usize];
                        lists[*slot as usize].extend(row.take());
                    }
                }
            }
            return Ok(Children(Box::new(Lists::Many(lists.into_iter()))));
        };
        let mut list: Vec<Option<O>> = std::iter::repeat_with(|| None).take(places.parents).collect();
        for (row, &slot) in rows {
            if list[slot as usize].replace(row).is_some() {
                let text = "more than one related row found where there is at most one";
                let e = Error::new(ErrorKind::MoreThanOne, text);
                return Err(e.with_model(model).with_field(relation));
            }
        }
        Ok(Children(Box::new(Lists::One(list.into_iter()))))
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Rows that nothing is loaded beside.
pub(crate) fn finished<O: Output>(locals: Vec<O::Local>) -> Result<Vec<O>> {
    // where one row is all there is to a value, the list is finished as it stands
    let mut locals = Some(locals);
    if let Some(same) = (&mut locals as &mut dyn Any).downcast_mut::<Option<Vec<O>>>() {
        return Ok(same.take().unwrap_or_default());
    }
    locals.into_iter().flatten().map(finished_one).collect()
}

/// A row that nothing is loaded beside.
pub(crate) fn finished_one<O: Output>(local: O::Local) -> Result<O> {
    O::assemble(local, &mut Loads::new(&mut []))
}
