//! UNION, INTERSECT and EXCEPT.

use crate::ast::{Distinct, FromItem, Select, SetOp, SetOperation, renumber};
use crate::model::Model;
use crate::query::source::{AnyQuery, Fields, IntoSource, Place, Reference, Root, SourceRow, nodes_of};
use crate::query::{Orders, Phantom, Query};

/// The rows of several queries together: made by [`Query::union`] and its kin. Order and limit said here are those of all
/// rows; an order or a limit of one of the queries stays its own.
///
/// It runs as a query does (`.all(&db)`), and is a source of other queries: [`from`](crate::query::from), `.join_on(..)`.
#[must_use = "a query does nothing until a method such as `.all(&db)` runs it"]
pub struct Compound<M: Model, O> {
    /// A select from the operation as a derived table, taken apart again where it is none.
    outer: Box<Select>,
    _p: Phantom<(M, O)>,
}

impl<M: Model, O> Clone for Compound<M, O> {
    fn clone(&self) -> Self {
        let mut outer = self.outer.clone();
        renumber(&mut outer);
        Compound {
            outer,
            _p: std::marker::PhantomData,
        }
    }
}

/// Whether something belongs to this select as a whole and not to its rows.
fn is_closed(s: &Select) -> bool {
    let alone = |o: &SetOperation| o.all && o.op != SetOp::Union;
    !s.order.is_empty()
        || s.limit.is_some()
        || s.offset.is_some()
        || s.lock.is_some()
        || matches!(s.distinct, Distinct::On(_))
        || s.compound.iter().any(alone)
}

/// The rows of this select as those of a derived table.
pub(crate) fn around(select: Box<Select>) -> Box<Select> {
    let reference = Reference::derived(select, false);
    let columns = nodes_of(&reference);
    let mut outer = Box::new(Select::from(reference.table));
    outer.columns = columns;
    outer
}

fn operation<M: Model, O>(mut left: Box<Select>, op: SetOp, all: bool, right: Box<Select>) -> Compound<M, O> {
    // what duplicates are left of depends on both sides as they are
    let alone = all && op != SetOp::Union && !left.compound.is_empty();
    if alone || is_closed(&left) {
        left = around(left);
    }
    left.compound.push(SetOperation {
        op,
        all,
        query: *right,
    });
    Compound {
        outer: around(left),
        _p: std::marker::PhantomData,
    }
}

const LOADED: &str =
    "relations are not loaded beside the rows of several queries: load them by a query on the result";

/// The select of a query whose rows meet those of others.
fn arm<M: Model, O>(query: Query<M, O>) -> Box<Select> {
    let (mut ast, loads) = query.into_parts();
    if !loads.is_empty() {
        ast.fault.get_or_insert(LOADED.into());
    }
    ast
}

macro_rules! operations {
    ($Ty:ident, $arm:path) => {
        impl<M: Model, O> $Ty<M, O> {
            /// The rows of both queries, equal ones once.
            ///
            /// ```sql
            /// SELECT t0."name" FROM "users" AS t0 UNION SELECT t1."name" FROM "teams" AS t1
            /// ```
            pub fn union(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Union, false, other.into_select())
            }
            /// The rows of both queries, one after the other.
            pub fn union_all(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Union, true, other.into_select())
            }
            /// The rows that both queries have, equal ones once.
            pub fn intersect(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Intersect, false, other.into_select())
            }
            /// The rows that both queries have, each as often as in the query that has it less often. SQLite counts equal
            /// rows by a window function.
            pub fn intersect_all(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Intersect, true, other.into_select())
            }
            /// The rows that the other query lacks, equal ones once.
            pub fn except(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Except, false, other.into_select())
            }
            /// The rows less those of the other query, each row there taking one away. SQLite counts equal rows by a window
            /// function.
            pub fn except_all(self, other: impl AnyQuery<Row = O>) -> Compound<M, O> {
                operation($arm(self), SetOp::Except, true, other.into_select())
            }
        }
    };
}
operations!(Query, arm);
operations!(Compound, Compound::into_ast);

impl<M: Model, O> Compound<M, O> {
    /// The operation itself where nothing orders its rows: limits stand behind it as well.
    pub(crate) fn into_ast(self) -> Box<Select> {
        let mut outer = self.outer;
        if !outer.order.is_empty() {
            return outer;
        }
        let (limit, offset) = (outer.limit, outer.offset);
        match outer.from.take().map(|f| f.item) {
            Some(FromItem::Query { mut query, .. }) => {
                query.limit = limit;
                query.offset = offset;
                query
            }
            // it is made from a query and nothing else
            _ => outer,
        }
    }
    /// The statement as data.
    pub fn into_statement(self) -> Box<Select> {
        self.into_ast()
    }
    pub(crate) fn into_query(self) -> Query<M, O> {
        Query::from_ast(self.into_ast())
    }
    /// At most so many rows.
    pub fn limit(mut self, n: u64) -> Self {
        self.outer.limit = Some(n);
        self
    }
    /// Without the first so many rows.
    pub fn offset(mut self, n: u64) -> Self {
        self.outer.offset = Some(n);
        self
    }
}

impl<M: Model, O: SourceRow> Compound<M, O> {
    /// Adds to the order of all rows. The closure gets the columns of the first query's rows.
    pub fn order_by<T: Orders<M>>(mut self, f: impl FnOnce(O::Cols<M>) -> T) -> Self {
        let fields = Fields::of(&self.outer);
        f(O::cols(&fields)).add_to(&mut self.outer.order);
        self
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, O> AnyQuery for Compound<M, O> {
    type Model = M;
    type Row = O;
    fn into_select(self) -> Box<Select> {
        self.into_ast()
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> IntoSource for Compound<M, O> {
    type Row = O;
    fn into_source(self, place: Place) -> Reference {
        Reference::derived(self.into_ast(), place.is_lateral())
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> Root for Compound<M, O> {
    type Model = M;
}
