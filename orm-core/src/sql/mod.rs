//! From statement to text: one renderer, a short list of differences per dialect.
//!
//! Never imports `query`, `model`, `schema` or `driver`. Only `writer.rs` appends to the text.

mod dialect;

pub use dialect::{BulkInsert, Dialect, Features};

use std::sync::Arc;

use crate::value::{Timestamp, Type, Value};

/// What a handle adds to its statements when they are rendered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Who acts.
    pub actor: Option<Value>,
    /// Whose rows are seen and written.
    pub tenant: Option<Value>,
    /// One clock value for the whole operation. `None`: the server's statement clock where the dialect has one.
    pub clock: Option<Timestamp>,
}

/// A rendered statement, ready to be sent.
#[derive(Clone, Debug)]
pub struct Sql {
    /// The text with placeholders.
    pub text: Arc<str>,
    /// The values in the order of the placeholders.
    pub params: Vec<Value>,
    /// The types of the result columns, in order. Empty for statements that return no row, or hand-written ones.
    pub columns: Vec<Type>,
    /// How long it may take, for backends that run on the caller's thread.
    pub effort: Effort,
    /// Whether it may change data.
    pub writes: bool,
    /// `SELECT`, `INSERT`, …: for logs.
    pub operation: &'static str,
    /// The main table: for logs.
    pub target: Option<&'static str>,
    /// Whether a value bound here belongs to a sensitive column: then no value may be logged.
    pub sensitive: bool,
}

/// How long a statement may take, as far as its structure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Touches a few rows by a unique key.
    Short,
    /// Produces rows as it goes, so that it can be stopped between them.
    Rows,
    /// May work long before its first row: aggregates, sorts, writes of many rows, hand-written SQL.
    Long,
}
