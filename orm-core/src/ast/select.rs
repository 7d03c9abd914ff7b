//! SELECT and its clauses.

use std::sync::Arc;

use crate::ast::{Deleted, Expr, Guard, Source, Table, Unfiltered, Window};
use crate::value::Type;

/// A SELECT. Conditions in `filter` and `having` are joined by AND.
#[derive(Clone, Debug)]
pub struct Select {
    /// WITH.
    pub with: Vec<Cte>,
    /// DISTINCT.
    pub distinct: Distinct,
    /// What is selected; never `*`.
    pub columns: Vec<Expr>,
    /// The first table, whose source is the statement's root.
    pub from: Option<TableRef>,
    /// Joined tables in order.
    pub joins: Vec<Join>,
    /// WHERE.
    pub filter: Vec<Expr>,
    /// GROUP BY.
    pub group: Vec<GroupBy>,
    /// HAVING.
    pub having: Vec<Expr>,
    /// WINDOW.
    pub windows: Vec<(&'static str, Window)>,
    /// UNION, INTERSECT, EXCEPT with further selects, left to right.
    pub compound: Vec<SetOperation>,
    /// ORDER BY.
    pub order: Vec<Order>,
    /// LIMIT.
    pub limit: Option<u64>,
    /// OFFSET.
    pub offset: Option<u64>,
    /// FOR UPDATE and friends.
    pub lock: Option<Lock>,
    /// What is wrong with it, found while it was built: an `InvalidQuery` error when it is rendered.
    pub fault: Option<Box<str>>,
}

impl Select {
    /// An empty select from this item.
    pub fn from(from: TableRef) -> Self {
        Select {
            from: Some(from),
            ..Select::without_from()
        }
    }
    /// An empty select of expressions that need no table.
    pub fn without_from() -> Self {
        Select {
            with: Vec::new(),
            distinct: Distinct::No,
            columns: Vec::new(),
            from: None,
            joins: Vec::new(),
            filter: Vec::new(),
            group: Vec::new(),
            having: Vec::new(),
            windows: Vec::new(),
            compound: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            lock: None,
            fault: None,
        }
    }
    /// With a lock: what to do about rows that are locked already.
    pub fn wait(&mut self, wait: LockWait) {
        if let Some(lock) = &mut self.lock {
            lock.wait = wait;
        }
    }
    /// The source of the first table.
    pub fn root(&self) -> Source {
        self.from.as_ref().map_or(Source::ROOT, |f| f.source)
    }
}

/// A reference to something with rows.
#[derive(Clone, Debug)]
pub struct TableRef {
    /// Its identity in this statement.
    pub source: Source,
    /// What it is.
    pub item: FromItem,
    /// Which rows it sees.
    pub guard: Guard,
}

impl TableRef {
    /// A reference to something whose rows are all seen.
    pub fn unguarded(source: Source, item: FromItem) -> Self {
        let guard = Guard {
            deleted: Deleted::Included,
            all_tenants: true,
            unfiltered: Unfiltered::ALL,
            as_of: None,
        };
        TableRef { source, item, guard }
    }
}

/// Something with rows.
#[derive(Clone, Debug)]
pub enum FromItem {
    /// A table or view.
    Table(&'static Table),
    /// A derived table; its columns are named by the list.
    Query {
        /// The query.
        query: Box<Select>,
        /// Names of its columns.
        columns: Vec<&'static str>,
        /// Whether it sees the tables before it.
        lateral: bool,
    },
    /// A common table expression by its name.
    Cte(&'static str),
    /// A common table expression with its definition, which is written once, in front of the whole statement.
    Common(Arc<Cte>),
    /// Constant rows; names of their columns.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
        /// Names of the columns.
        columns: Vec<&'static str>,
    },
    /// The items of an array, which may be one of a table before it.
    Unnest {
        /// The array.
        array: Box<Expr>,
        /// The name of the column with the items: `value`.
        column: &'static str,
    },
    /// A function that returns rows; names and types of its columns.
    Function {
        /// The function's name.
        name: &'static str,
        /// Its arguments.
        args: Vec<Expr>,
        /// Names of its columns.
        columns: Vec<(&'static str, Type)>,
    },
}

/// DISTINCT.
#[derive(Clone, Debug, Default)]
pub enum Distinct {
    /// All rows.
    #[default]
    No,
    /// Equal rows once.
    Yes,
    /// The first row of each value of these (PostgreSQL).
    On(Vec<Expr>),
}

/// A joined table.
#[derive(Clone, Debug)]
pub struct Join {
    /// How.
    pub kind: JoinKind,
    /// What.
    pub table: TableRef,
    /// ON; joined by AND, empty means true.
    pub on: Vec<Expr>,
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Rows that match.
    Inner,
    /// All rows of the left side.
    Left,
    /// All rows of the right side.
    Right,
    /// All rows of both sides.
    Full,
    /// Every combination.
    Cross,
}

/// An entry of GROUP BY.
#[derive(Clone, Debug)]
pub enum GroupBy {
    /// An expression.
    Expr(Expr),
    /// ROLLUP (…).
    Rollup(Vec<Expr>),
    /// CUBE (…).
    Cube(Vec<Expr>),
    /// GROUPING SETS ((…), …).
    Sets(Vec<Vec<Expr>>),
}

/// An entry of ORDER BY.
#[derive(Clone, Debug)]
pub struct Order {
    /// By what.
    pub expr: Expr,
    /// Descending.
    pub desc: bool,
    /// Where NULLs stand; by default last ascending and first descending, on every backend.
    pub nulls: Nulls,
}

/// Where NULLs stand in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// As this library defines it on every backend: last ascending, first descending.
    Default,
    /// Before everything.
    First,
    /// After everything.
    Last,
}

/// UNION, INTERSECT or EXCEPT.
#[derive(Clone, Debug)]
pub struct SetOperation {
    /// Which.
    pub op: SetOp,
    /// Whether equal rows are kept.
    pub all: bool,
    /// The other side, with its own order and limit.
    pub query: Select,
}

/// Set operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// Rows of either side.
    Union,
    /// Rows of both sides.
    Intersect,
    /// Rows of the left side only.
    Except,
}

/// A common table expression.
#[derive(Clone, Debug)]
pub struct Cte {
    /// Its name.
    pub name: &'static str,
    /// Names of its columns.
    pub columns: Vec<&'static str>,
    /// What it yields. A select, or on PostgreSQL a write with RETURNING.
    pub body: crate::ast::Statement,
    /// Whether it refers to itself.
    pub recursive: bool,
    /// MATERIALIZED or NOT MATERIALIZED.
    pub materialized: Option<bool>,
}

/// Row locks.
#[derive(Clone, Debug)]
pub struct Lock {
    /// How strong.
    pub strength: LockStrength,
    /// Only rows of these references; all when empty.
    pub of: Vec<Source>,
    /// What happens when a row is locked already.
    pub wait: LockWait,
}

/// Strength of a row lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStrength {
    /// FOR UPDATE.
    Update,
    /// FOR NO KEY UPDATE.
    NoKeyUpdate,
    /// FOR SHARE.
    Share,
    /// FOR KEY SHARE.
    KeyShare,
}

/// What a locking read does about rows locked by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait.
    Wait,
    /// Fail at once.
    NoWait,
    /// Leave them out.
    SkipLocked,
}
