//! What generated code names, and nothing else does. No part of it is a promise to users.

pub use std::vec;
pub use std::vec::Vec;

pub use crate::ast::{self, Column as AstColumn, RawPart, Source, Table as AstTable};
pub use crate::error::{Error, Result};
pub use crate::model::{
    Audited, Cardinality, DbEnum, ForeignKey as RefersTo, Key, Many, Maybe, Model, One, Open, Rel, Shape,
    Signed, SoftDelete, TenantScoped, Tenanted, ToOne, Writable, foreign_key,
};
pub use crate::query::{
    Batch, Col, Expr, Insert, IntoInsert, KeyRef, New, RawArg, RawSql, Selection, kind, raw_list, raw_value,
};
pub use crate::relation::{RelRef, Related};
pub use crate::schema::{
    Action, Check, Column, Default, ForeignKey, Generated, Index, IndexMethod, IndexPart, Managed, Nulls,
    RelationDef, RelationKind, Role, Table, TableKind, Through, Unique,
};
pub use crate::value::{Cells, Element, EnumType, Id, Output, Row, Scalar, SqlType, Timestamp, Type, Value};

#[cfg(feature = "json")]
pub use crate::value::Json;
#[cfg(feature = "uuid")]
pub use crate::value::new_v7;

/// An ordinary column whose Rust type is `T`.
pub const fn column<T: SqlType>(name: &'static str, field: &'static str, comment: &'static str) -> Column {
    Column {
        column: AstColumn {
            name,
            ty: T::TYPE,
            nullable: T::NULLABLE,
            sensitive: false,
        },
        field,
        default: Default::None,
        generated: None,
        role: Role::Plain,
        comment,
    }
}

/// A column whose values are never logged.
pub const fn sensitive(mut column: Column) -> Column {
    column.column.sensitive = true;
    column
}

/// A decimal column with a precision and a scale. Refuses other types while the program is compiled.
pub const fn decimal(mut column: Column, precision: u8, scale: u8) -> Column {
    assert!(
        matches!(column.column.ty, Type::Decimal(..)),
        "`decimal(..)` needs a field that holds a decimal number"
    );
    column.column.ty = Type::Decimal(precision, scale);
    column
}

/// A column the library sets to the time of a write. Refuses other types while the program is compiled.
pub const fn instant(column: Column) -> Column {
    assert!(
        matches!(column.column.ty, Type::Timestamp),
        "this column holds an instant: make the field a `Timestamp`, or a `DateTime<Utc>`"
    );
    column
}
