//! What differs between databases.

use crate::error::Result;
use crate::value::Type;

/// What a database can do, as plain data. Checked at render: unsupported is an error before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    /// `DISTINCT ON`.
    pub distinct_on: bool,
    /// `FOR UPDATE` and friends. Where absent, locking reads are refused outside a write transaction's own lock.
    pub row_locks: bool,
    /// `LATERAL`.
    pub lateral: bool,
    /// INSERT, UPDATE and DELETE inside WITH.
    pub writing_cte: bool,
    /// `GROUPING SETS`, `ROLLUP`, `CUBE`.
    pub grouping_sets: bool,
    /// Regular expressions.
    pub regex: bool,
    /// Native array columns.
    pub arrays: bool,
    /// Native enum types.
    pub enum_types: bool,
    /// Schemas.
    pub schemas: bool,
    /// `COMMENT ON`.
    pub comments: bool,
    /// `INCLUDE` in indexes.
    pub covering_indexes: bool,
    /// Index methods beside B-tree.
    pub index_methods: bool,
    /// `ALTER TABLE … ADD CONSTRAINT`.
    pub add_constraint: bool,
    /// The server's clock is used for shadow columns.
    pub server_clock: bool,
    /// Ordered-set aggregates.
    pub ordered_set_aggregates: bool,
    /// At most so many placeholders in one statement.
    pub max_params: usize,
    /// How many rows are inserted at once.
    pub bulk_insert: BulkInsert,
}

/// How many rows are inserted by one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkInsert {
    /// VALUES with so many rows a statement.
    Values(usize),
    /// One array a column, any number of rows.
    Arrays,
}

/// The differences of one database.
pub trait Dialect: Send + Sync + 'static {
    /// `postgres`, `sqlite`: for errors and logs.
    fn name(&self) -> &'static str;
    /// `postgresql`, `sqlite`: the OpenTelemetry system name.
    fn system(&self) -> &'static str;
    /// What it can do.
    fn features(&self) -> &Features;
    /// The name of a column's type in DDL and casts.
    fn type_name(&self, ty: Type) -> Result<String>;
}
