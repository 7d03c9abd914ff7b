//! Rows of statements that the library did not write: models and shapes find their columns by name, everything else by
//! position.

use crate::error::{Error, Result};
use crate::value::{
    Cells, DecimalParts, Expected, Lookup, Output, Row, Type, finished_one, not_loaded, same_cells,
};

/// One row that something else fetched: models and shapes are read by column name, everything else by position.
///
/// # Errors
/// `Decode` where a column is missing or holds something else; `Unsupported` for what takes statements of its own.
pub fn from_cells<O: Output>(cells: &dyn Cells) -> Result<O> {
    if O::LOADS {
        return Err(not_loaded());
    }
    finished_one(Positions::of::<O>(cells)?.decode::<O>(cells)?)
}

/// Where the columns stand that are read.
pub(crate) enum Positions {
    /// One after the other.
    InOrder,
    At(Vec<Place>),
}

/// Where a column stands in the rows, and what it holds.
pub(crate) struct Place {
    at: usize,
    ty: Type,
}

impl Positions {
    /// Where the columns of `O` stand in this row and those after it.
    pub(crate) fn of<O: Output>(cells: &dyn Cells) -> Result<Self> {
        let mut columns = Vec::new();
        let lookup = O::columns(&mut columns);
        let scaled = |c: &Expected| matches!(c.ty, Type::Decimal(precision, _) if precision > 0);
        if lookup == Lookup::Position && !columns.iter().any(scaled) {
            return Ok(Positions::InOrder);
        }
        let place = |(i, column): (usize, Expected)| {
            let at = match lookup {
                Lookup::Name => cells.position(column.name).ok_or_else(|| missing(&column))?,
                Lookup::Position => i,
            };
            Ok(Place { at, ty: column.ty })
        };
        let places = columns.into_iter().enumerate().map(place);
        Ok(Positions::At(places.collect::<Result<_>>()?))
    }
    /// Reads a row.
    pub(crate) fn decode<O: Output>(&self, cells: &dyn Cells) -> Result<O::Local> {
        match self {
            Positions::At(places) => O::decode(&mut Row::new(&Placed { cells, places })),
            Positions::InOrder => O::decode(&mut Row::new(cells)),
        }
    }
}

#[cold]
fn missing(column: &Expected) -> Error {
    let e = Error::decode("the statement does not return this column").with_field(column.name);
    match column.model {
        "" => e,
        model => e.with_model(model),
    }
}

/// The cells of a row of hand-written SQL, as the columns that are expected of it.
struct Placed<'a> {
    cells: &'a dyn Cells,
    places: &'a [Place],
}
impl Placed<'_> {
    fn at(&self, i: usize) -> usize {
        self.places.get(i).map_or(usize::MAX, |place| place.at)
    }
}
impl Cells for Placed<'_> {
    same_cells!();
    fn decimal(&self, i: usize) -> Result<Option<DecimalParts>> {
        match self.places.get(i) {
            Some(Place { at, ty }) => self.cells.decimal_of(*at, *ty),
            None => self.cells.decimal(usize::MAX),
        }
    }
    fn position(&self, name: &str) -> Option<usize> {
        self.cells.position(name)
    }
}
