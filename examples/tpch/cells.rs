//! Rows as cells that can be compared: exactly, but for averages and quotients.

use chrono::NaiveDate;
use orm::value::Output;
use orm::{Id, Scaled};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// How far averages and quotients may lie apart: SQL written by hand gets floats where the library gives decimals, of
/// which SQLite's have six digits after the point.
const NEAR: f64 = 1e-6;

/// A value of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Text(String),
    Whole(i64),
    Exact(Decimal),
    /// An average or a quotient.
    Near(f64),
    Day(NaiveDate),
}

impl PartialEq for Cell {
    fn eq(&self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Null, Cell::Null) => true,
            (Cell::Text(a), Cell::Text(b)) => a == b,
            (Cell::Whole(a), Cell::Whole(b)) => a == b,
            (Cell::Exact(a), Cell::Exact(b)) => a == b,
            (Cell::Day(a), Cell::Day(b)) => a == b,
            (Cell::Near(a), Cell::Near(b)) => near(*a, *b),
            (Cell::Near(a), Cell::Exact(b)) | (Cell::Exact(b), Cell::Near(a)) => {
                b.to_f64().is_some_and(|b| near(*a, b))
            }
            (
                Cell::Null | Cell::Text(_) | Cell::Whole(_) | Cell::Exact(_) | Cell::Near(_) | Cell::Day(_),
                _,
            ) => false,
        }
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= NEAR * a.abs().max(b.abs()).max(1.0)
}

/// A column's value as a cell.
pub trait AsCell {
    fn cell(&self) -> Cell;
}
impl AsCell for String {
    fn cell(&self) -> Cell {
        Cell::Text(self.clone())
    }
}
impl AsCell for i32 {
    fn cell(&self) -> Cell {
        Cell::Whole((*self).into())
    }
}
impl AsCell for i64 {
    fn cell(&self) -> Cell {
        Cell::Whole(*self)
    }
}
impl<M> AsCell for Id<M> {
    fn cell(&self) -> Cell {
        Cell::Whole(self.raw())
    }
}
impl AsCell for Decimal {
    fn cell(&self) -> Cell {
        Cell::Exact(*self)
    }
}
impl<const P: u8, const S: u8> AsCell for Scaled<P, S> {
    fn cell(&self) -> Cell {
        Cell::Exact(self.0)
    }
}
impl AsCell for f64 {
    fn cell(&self) -> Cell {
        Cell::Near(*self)
    }
}
impl AsCell for NaiveDate {
    fn cell(&self) -> Cell {
        Cell::Day(*self)
    }
}
impl<T: AsCell> AsCell for Option<T> {
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
}

/// A row of a query as cells.
pub trait Cells: Output {
    fn cells(&self) -> Vec<Cell>;
}

macro_rules! cells {
    ($($T:ident)+) => {
        impl<$($T: AsCell),+> Cells for ($($T,)+) where Self: Output {
            #[allow(non_snake_case)]
            fn cells(&self) -> Vec<Cell> {
                let ($($T,)+) = self;
                vec![$($T.cell()),+]
            }
        }
    };
}
cells!(A);
cells!(A B);
cells!(A B C);
cells!(A B C D);
cells!(A B C D E);
cells!(A B C D E F);
cells!(A B C D E F G H);
cells!(A B C D E F G H I J);
