//! A row of an enum of models, read as one of them.

use crate::error::{Error, Result};
use crate::value::{Cells, Date, DecimalParts, Element, LocalTimestamp, Output, Row, TimeOfDay, Timestamp};
use crate::value::{Type, Value};

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

macro_rules! forward {
    ($($f:ident: $t:ty;)*) => {$(
        fn $f(&self, i: usize) -> Result<Option<$t>> {
            self.cells.$f(self.at(i))
        }
    )*};
}

impl Cells for Spread<'_> {
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
    fn decimal_of(&self, i: usize, ty: Type) -> Result<Option<DecimalParts>> {
        self.cells.decimal_of(self.at(i), ty)
    }
    fn value(&self, i: usize, ty: Type) -> Result<Option<Value>> {
        self.cells.value(self.at(i), ty)
    }
    fn array(&self, i: usize, element: Element) -> Result<Option<Vec<Value>>> {
        self.cells.array(self.at(i), element)
    }
    fn len(&self) -> usize {
        self.places.len()
    }
    fn position(&self, name: &str) -> Option<usize> {
        let found = self.cells.position(name)?;
        (0..self.places.len()).find(|i| self.at(*i) == found)
    }
    fn is_null(&self, i: usize) -> bool {
        self.cells.is_null(self.at(i))
    }
}
