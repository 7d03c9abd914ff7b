//! A row of an enum of models, read as one of them.

use crate::error::{Error, Result};
use crate::value::{Cells, DecimalParts, Output, Row, Type, same_cells};

/// Which of the labels the discriminator says, some cells ahead. Nothing is consumed.
pub fn variant_at(
    row: &Row<'_>,
    ahead: usize,
    labels: &[&str],
    model: &'static str,
    column: &'static str,
) -> Result<usize> {
    let at = row.at + ahead;
    let named = |e: Error| e.with_model(model).with_field(column);
    let label = row.cells.text(at).map_err(named)?;
    let known = label.and_then(|label| labels.iter().position(|l| *l == label));
    known.ok_or_else(|| unknown(label.is_none(), model, column))
}

#[cold]
fn unknown(null: bool, model: &'static str, column: &'static str) -> Error {
    let message = match null {
        true => "the discriminator is NULL",
        false => "the discriminator names none of the variants",
    };
    Error::decode(message).with_model(model).with_field(column)
}

/// Reads one of the variants, whose fields lie at these places from the next cell on. Nothing is consumed.
pub fn read_variant<T: Output>(row: &Row<'_>, places: &'static [usize]) -> Result<T::Local> {
    let cells = Spread {
        cells: row.cells,
        from: row.at,
        places,
    };
    T::decode(&mut Row::new(&cells))
}

/// The cells of one variant among those of all.
struct Spread<'a> {
    cells: &'a dyn Cells,
    from: usize,
    places: &'static [usize],
}

impl Spread<'_> {
    fn at(&self, i: usize) -> usize {
        self.places.get(i).map_or(usize::MAX, |place| self.from + place)
    }
}

impl Cells for Spread<'_> {
    same_cells!();
    fn decimal(&self, i: usize) -> Result<Option<DecimalParts>> {
        self.cells.decimal(self.at(i))
    }
    fn decimal_of(&self, i: usize, ty: Type) -> Result<Option<DecimalParts>> {
        self.cells.decimal_of(self.at(i), ty)
    }
    fn position(&self, name: &str) -> Option<usize> {
        let found = self.cells.position(name)?;
        (0..self.places.len()).find(|i| self.at(*i) == found)
    }
}
