//! Statements as plain data: the whole SQL language we speak, without a single character of SQL text.
//!
//! Everything has public fields, is `Clone + Debug`, and knows neither models nor backends. `query` builds it,
//! `sql` renders it.

pub mod ddl;
mod expr;
mod names;
mod renumber;
mod search;
mod select;
mod table;
pub(crate) mod types;
mod write;

pub(crate) use names::numbered;
pub(crate) use renumber::{Visit, columns_of, has_window, renumber, sources_in, tables_in, visit};

pub use expr::{
    Aggregate, AggregateFn, ArrayFn, CompareOp, DatePart, DateUnit, Declared, DistanceFn, Expr, FloatFn,
    Frame, FrameBound, FrameExclude, FrameUnit, Function, InList, JsonFn, MathOp, Quantifier, RangeFn,
    RawPart, TextOp, Window, WindowCall, WindowFn,
};
pub use search::{Search, SearchCall, SearchColumn, SearchOp, SearchWeight};
pub use select::{
    Cte, Distinct, FromItem, GroupBy, Join, JoinKind, Lock, LockStrength, LockWait, Nulls, Order, Select,
    SetOp, SetOperation, TableRef,
};
pub use table::{Column, Deleted, Guard, NamedFilter, Source, Table, TablePart, TagGuard, Unfiltered};
pub use write::{Assignment, Conflict, ConflictAction, Delete, Insert, InsertSource, Raw, Update};

/// Anything that can be rendered.
#[derive(Clone, Debug)]
pub enum Statement {
    /// SELECT.
    Select(Box<Select>),
    /// INSERT, with or without a conflict clause.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// CREATE, ALTER, DROP, COMMENT.
    Ddl(Box<ddl::Ddl>),
    /// Hand-written SQL with binds.
    Raw(Raw),
}
