//! The names generated code may use, and nothing else.

pub use std::vec;
pub use std::vec::Vec;

pub use crate::ast::{self, Column as AstColumn, RawPart, Source, Table as AstTable};
pub use crate::error::{Error, Result};
pub use crate::model::*;
pub use crate::query::{
    Batch, Col, Expr, Insert, IntoInsert, KeyRef, New, RawArg, RawSql, Selection, kind, raw_list, raw_value,
};
pub use crate::relation::{RelRef, Related};
pub use crate::schema::{
    Action, Check, Column, Default, ForeignKey, Generated, Index, IndexMethod, IndexPart, Managed, Nulls,
    RelationDef, RelationKind, Role, Table, TableKind, Through, Unique,
};
#[cfg(feature = "uuid")]
pub use crate::value::new_v7;
pub use crate::value::{Cells, Element, EnumType, Id, Output, Row, Scalar, SqlType, Timestamp, Type, Value};

/// The names of a model's fields in the database, for reading hand-written SQL.
pub fn field_names(table: &'static Table) -> Vec<&'static str> {
    table.columns[..table.fields]
        .iter()
        .map(|c| c.column.name)
        .collect()
}
