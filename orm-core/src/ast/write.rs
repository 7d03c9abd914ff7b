//! INSERT, UPDATE, DELETE and hand-written statements.

use crate::ast::{Column, Cte, Expr, Guard, Join, RawPart, Select, Source, Table, TableRef};
use crate::value::{Type, Value};

/// INSERT.
#[derive(Clone, Debug)]
pub struct Insert {
    /// WITH.
    pub with: Vec<Cte>,
    /// The identity of the target's rows, in RETURNING and in the update part of an upsert.
    pub source: Source,
    /// Where to.
    pub table: &'static Table,
    /// Columns that are set.
    pub columns: Vec<&'static Column>,
    /// Their values.
    pub rows: InsertSource,
    /// Keys may be given for a generated key column (`OVERRIDING SYSTEM VALUE` where the backend needs it).
    pub overriding: bool,
    /// ON CONFLICT.
    pub conflict: Option<Conflict>,
    /// RETURNING.
    pub returning: Vec<Expr>,
}

/// Where inserted rows come from.
#[derive(Clone, Debug)]
pub enum InsertSource {
    /// One row of defaults.
    Default,
    /// Rows of expressions, as one list: `columns.len()` expressions a row.
    Rows(Vec<Expr>),
    /// Rows of values, as one list.
    Values(Vec<Value>),
    /// One array per column (PostgreSQL UNNEST), then expressions equal for all rows for the remaining columns.
    Arrays {
        /// The leading columns' values, one array a column.
        arrays: Vec<Value>,
        /// The trailing columns' expressions.
        constant: Vec<Expr>,
    },
    /// A query.
    Query(Box<Select>),
}

/// ON CONFLICT.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The unique columns; any constraint when empty.
    pub target: Vec<&'static Column>,
    /// The condition of a partial unique index.
    pub target_filter: Vec<Expr>,
    /// What to do.
    pub action: ConflictAction,
}

/// What to do with a row that exists.
#[derive(Clone, Debug)]
pub enum ConflictAction {
    /// Keep it.
    Nothing,
    /// Change it; `Source::EXCLUDED` is the proposed row.
    Update {
        /// SET.
        set: Vec<Assignment>,
        /// WHERE.
        filter: Vec<Expr>,
    },
}

/// `column = expression`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// What is set.
    pub column: &'static Column,
    /// To what.
    pub value: Expr,
}

/// UPDATE.
#[derive(Clone, Debug)]
pub struct Update {
    /// WITH.
    pub with: Vec<Cte>,
    /// The identity of the target's rows.
    pub source: Source,
    /// Which table.
    pub table: &'static Table,
    /// Which rows of it.
    pub guard: Guard,
    /// SET.
    pub set: Vec<Assignment>,
    /// FROM.
    pub from: Vec<TableRef>,
    /// Joins of FROM.
    pub joins: Vec<Join>,
    /// WHERE.
    pub filter: Vec<Expr>,
    /// RETURNING.
    pub returning: Vec<Expr>,
}

/// DELETE: removes rows for good.
#[derive(Clone, Debug)]
pub struct Delete {
    /// WITH.
    pub with: Vec<Cte>,
    /// The identity of the target's rows.
    pub source: Source,
    /// Which table.
    pub table: &'static Table,
    /// Which rows of it.
    pub guard: Guard,
    /// USING.
    pub using: Vec<TableRef>,
    /// WHERE.
    pub filter: Vec<Expr>,
    /// RETURNING.
    pub returning: Vec<Expr>,
}

/// A hand-written statement.
#[derive(Clone, Debug)]
pub struct Raw {
    /// Its pieces.
    pub parts: Vec<RawPart>,
    /// The types of its result columns, where known; empty when the driver is to take what comes.
    pub columns: Vec<Type>,
}
