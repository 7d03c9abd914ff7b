//! References to tables and columns, and the guards every reference to a table carries.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ast::Expr;
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
    /// Whether it is the version of a row that the database keeps by itself (`Features::row_version`): read and compared,
    /// but no part of the table's definition.
    pub system: bool,
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
    /// Named filters: every reference sees the rows that meet all of them unless it says otherwise.
    pub filters: &'static [NamedFilter],
    /// The table with all versions of its rows, which stands for it where rows of the past are read.
    pub history: Option<&'static Table>,
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

/// A condition that rows of a table meet wherever they are seen.
#[derive(Debug)]
pub struct NamedFilter {
    /// What it is switched off by.
    pub name: &'static str,
    /// The condition for one reference to the table.
    pub condition: fn(Source) -> Expr,
}

impl Table {
    /// Since when a version of a row held.
    pub const VALID_FROM: &'static Column = &Column {
        name: "valid_from",
        ty: Type::Timestamp,
        nullable: false,
        sensitive: false,
        system: false,
        part: 0,
    };
    /// Until when it held, without that instant; NULL where it still holds.
    pub const VALID_TO: &'static Column = &Column {
        name: "valid_to",
        ty: Type::Timestamp,
        nullable: true,
        sensitive: false,
        system: false,
        part: 0,
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
    /// Rows that do not meet these named filters.
    pub unfiltered: Unfiltered,
    /// Rows as they were then, where the table has a history; so do all references inside the statement that do not
    /// say otherwise.
    pub as_of: Option<Timestamp>,
}

/// Which named filters of a table are switched off for one reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Unfiltered(u32);

impl Unfiltered {
    /// None of them: the reference sees what meets all filters.
    pub const NONE: Unfiltered = Unfiltered(0);
    /// All of them.
    pub const ALL: Unfiltered = Unfiltered(u32::MAX);
    /// How many filters a table can have.
    pub const MOST: usize = u32::BITS as usize;
    /// The filter at this position.
    pub const fn one(position: usize) -> Unfiltered {
        assert!(
            position < Unfiltered::MOST,
            "a table has at most 32 named filters"
        );
        Unfiltered(1 << position)
    }
    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Unfiltered) -> Unfiltered {
        Unfiltered(self.0 | other.0)
    }
    /// Whether the filter at this position is switched off.
    pub const fn has(self, position: usize) -> bool {
        position < Unfiltered::MOST && self.0 & (1 << position) != 0
    }
}

impl Table {
    /// The filters that are in force, with their positions.
    pub fn filters_but(
        &'static self,
        off: Unfiltered,
    ) -> impl Iterator<Item = (usize, &'static NamedFilter)> {
        let all = self.filters.iter().enumerate();
        all.filter(move |(position, _)| !off.has(*position))
    }
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
