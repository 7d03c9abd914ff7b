//! Rows that sqlx fetched, read as models and shapes: the way out for `sqlx::query_as`.

use orm_core::value::{Output, from_cells};
use sqlx::postgres::PgRow;

use crate::decode::{RowCells, shapes};

/// Reads a row that sqlx fetched, columns by name. What the derives implement `sqlx::FromRow` with.
///
/// # Errors
/// `sqlx::Error::Decode` with the library's own error in it, which names model and field.
pub fn from_row<O: Output>(row: &PgRow) -> sqlx::Result<O> {
    let read = || {
        let shapes = shapes(row, &[])?;
        from_cells(&RowCells::new(row, &shapes))
    };
    read().map_err(|e| sqlx::Error::Decode(e.into()))
}
