//! References to tables and columns, and the guards every reference to a table carries.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::value::Type;

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
    /// Which of the table's parts holds it, counted from 1; 0 is the table itself.
    pub part: u8,
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
    /// What tells its rows from those of other models in the same table: every reference sees them only.
    pub tag: Option<TagGuard>,
    /// Tables that hold further columns of its rows: every reference joins them.
    pub parts: &'static [TablePart],
}

/// The value that a discriminator has in the rows of one model.
#[derive(Clone, Copy, Debug)]
pub struct TagGuard {
    /// The discriminator.
    pub column: &'static Column,
    /// Its value.
    pub label: &'static str,
}

/// A table with further columns of rows of another one, under the same key.
#[derive(Clone, Copy, Debug)]
pub struct TablePart {
    /// The table, without guards and parts of its own.
    pub table: &'static Table,
    /// Whether every row has a row there.
    pub required: bool,
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
