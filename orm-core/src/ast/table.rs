//! References to tables and columns, and the guards every reference to a table carries.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::value::{Timestamp, Type};

/// A column as statements see it. Compared by address where identity matters.
#[derive(Debug)]
pub struct Column {
    /// The name in the database.
    pub name: &'static str,
    /// The logical type.
    pub ty: Type,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// Whether its values must never be logged.
    pub sensitive: bool,
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A table as statements see it.
#[derive(Debug)]
pub struct Table {
    /// The schema, where the backend has schemas and one was asked for.
    pub schema: Option<&'static str>,
    /// The name in the database.
    pub name: &'static str,
    /// Sets of columns that identify at most one row; the primary key first.
    pub unique: &'static [&'static [&'static Column]],
    /// `deleted_at` of a soft-deleting table: every reference hides deleted rows unless it says otherwise.
    pub soft_delete: Option<&'static Column>,
    /// The tenant's column: every reference sees the rows of the handle's tenant only.
    pub tenant: Option<&'static Column>,
    /// The table with all versions of its rows, which stands for it where rows of the past are read.
    pub history: Option<&'static Table>,
}

impl Table {
    /// Since when a version of a row held.
    pub const VALID_FROM: &'static Column = &Column {
        name: "valid_from",
        ty: Type::Timestamp,
        nullable: false,
        sensitive: false,
    };
    /// Until when it held, without that instant; NULL where it still holds.
    pub const VALID_TO: &'static Column = &Column {
        name: "valid_to",
        ty: Type::Timestamp,
        nullable: true,
        sensitive: false,
    };
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Which table reference of a statement a column belongs to. Only an identity: the alias that SQL shows is given at
/// render by order of definition, so that two builds of one query have the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u64);

impl Source {
    /// The innermost statement's own table, for conditions built outside a closure.
    pub const ROOT: Source = Source(0);
    /// The row proposed for insertion, in the update part of an upsert.
    pub const EXCLUDED: Source = Source(u64::MAX);
    /// A new identity, unique in this process.
    pub fn fresh() -> Source {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Source(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Which rows of a guarded table a reference sees. Filled in at render from the handle's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Guard {
    /// Soft-deleted rows.
    pub deleted: Deleted,
    /// Rows of every tenant, not only the handle's.
    pub all_tenants: bool,
    /// Rows as they were then, where the table has a history; so do all references inside the statement that do not
    /// say otherwise.
    pub as_of: Option<Timestamp>,
}

/// How a reference treats soft-deleted rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Deleted {
    /// They do not exist.
    #[default]
    Hidden,
    /// They are there with the others.
    Included,
    /// Only they are there.
    Only,
}
