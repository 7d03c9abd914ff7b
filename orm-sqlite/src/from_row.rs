//! Rows that sqlx fetched, read as models and shapes: the way out for `sqlx::query_as`.

use orm_core::value::{Output, from_cells};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::raw::Stored;
use crate::types::{StoredRow, View};

/// Reads a row that sqlx fetched, columns by name. What the derives implement `sqlx::FromRow` with.
///
/// # Errors
/// `sqlx::Error::Decode` with the library's own error in it, which names model and field.
pub fn from_row<O: Output>(row: &SqliteRow) -> sqlx::Result<O> {
    // the declared types say nothing that is used here: a decimal's scale is known from the model
    let view = View { row, types: &[] };
    from_cells(&view).map_err(|e| sqlx::Error::Decode(e.into()))
}

impl<'r> StoredRow<'r> for &'r SqliteRow {
    fn cell(&self, i: usize) -> Option<Stored<'r>> {
        let row: &'r SqliteRow = self;
        let cell = row.try_get_raw(i).ok()?;
        if cell.is_null() {
            return Some(Stored::Null);
        }
        let ty = cell.type_info();
        Some(match ty.name() {
            "REAL" => Stored::Float(<f64 as Decode<Sqlite>>::decode(cell).ok()?),
            "TEXT" => Stored::Text(<&[u8] as Decode<Sqlite>>::decode(cell).ok()?),
            "BLOB" => Stored::Blob(<&[u8] as Decode<Sqlite>>::decode(cell).ok()?),
            _ => Stored::Integer(<i64 as Decode<Sqlite>>::decode(cell).ok()?),
        })
    }
    fn len(&self) -> usize {
        Row::len(*self)
    }
    fn position(&self, name: &str) -> Option<usize> {
        self.columns().iter().position(|c| c.name() == name)
    }
}
