//! Several columns compared as one row value.

use crate::ast::{CompareOp, Expr as Node, InList};
use crate::model::Model;
use crate::query::{Compound, Expr, Filter, IntoExpr, Operand, Phantom, Query, SourceRow};
use crate::value::SqlType;

/// Several columns or expressions as one value: `row((c.country, c.city)).in_([("de", "Bonn"), ("fr", "Nice")])`. Rows are
/// compared from the left, as tuples are in Rust.
pub fn row<S, L: RowOf<S>>(columns: L) -> Row<S, L::Types> {
    Row {
        nodes: columns.into_nodes(),
        _p: std::marker::PhantomData,
    }
}

/// A row value. See [`row`].
#[must_use = "a row value is compared: `.in_(..)`, `.eq(..)`, `.gt(..)`"]
pub struct Row<S, T> {
    nodes: Vec<Node>,
    _p: Phantom<(S, T)>,
}

/// A tuple of columns or expressions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of columns of `{S}`",
    label = "expected a tuple of two to six columns or expressions"
)]
pub trait RowOf<S> {
    /// Their types, without `Option`.
    type Types;
    /// The expressions.
    fn into_nodes(self) -> Vec<Node>;
}

/// A tuple of what may stand on the right-hand side of columns of these types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of `{T}`",
    label = "expected a tuple of values, columns or expressions of these types"
)]
pub trait RowValue<S, T> {
    /// The expressions.
    fn into_nodes(self) -> Vec<Node>;
}

impl<S, T> Row<S, T> {
    fn compare<V: RowValue<S, T>>(self, op: CompareOp, other: V) -> Filter<S> {
        let (a, b) = (Node::Tuple(self.nodes), Node::Tuple(other.into_nodes()));
        Expr::new(Node::Compare(op, Box::new(a), Box::new(b)))
    }
    /// Equal in every column.
    pub fn eq<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Eq, other)
    }
    /// Different in at least one column.
    pub fn ne<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Ne, other)
    }
    /// Greater in the first column that differs.
    pub fn gt<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Gt, other)
    }
    /// Greater or equal.
    pub fn ge<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Ge, other)
    }
    /// Less in the first column that differs.
    pub fn lt<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Lt, other)
    }
    /// Less or equal.
    pub fn le<V: RowValue<S, T>>(self, other: V) -> Filter<S> {
        self.compare(CompareOp::Le, other)
    }
    /// One of these rows, or of the rows of a query that selects such columns. An empty list is false.
    pub fn in_<L: RowList<S, T>>(self, rows: L) -> Filter<S> {
        let (row, list) = (Node::Tuple(self.nodes), rows.into_list());
        Expr::new(Node::In(Box::new(row), Box::new(list)))
    }
    /// None of these rows. An empty list is true; rows of a query with a NULL in them are left out.
    pub fn not_in<L: RowList<S, T>>(self, rows: L) -> Filter<S> {
        self.in_(rows).not()
    }
}

/// What a row of columns of these types may be among.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of rows `{T}`",
    label = "expected tuples of values, or a query that selects such columns"
)]
pub trait RowList<S, T> {
    /// The list.
    fn into_list(self) -> InList;
}
#[diagnostic::do_not_recommend]
impl<S, T, I: IntoIterator<Item: RowValue<S, T>>> RowList<S, T> for I {
    fn into_list(self) -> InList {
        let rows = self.into_iter().map(|row| Node::Tuple(row.into_nodes()));
        InList::Exprs(rows.collect())
    }
}
#[diagnostic::do_not_recommend]
impl<S, M: Model, O: SourceRow> RowList<S, O::Base> for Query<M, O> {
    fn into_list(self) -> InList {
        InList::Query(self.into_ast())
    }
}
#[diagnostic::do_not_recommend]
impl<S, M: Model, O: SourceRow> RowList<S, O::Base> for Compound<M, O> {
    fn into_list(self) -> InList {
        InList::Query(self.into_ast())
    }
}

macro_rules! tuple {
    ($($C:ident $V:ident $B:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($C: IntoExpr<S>),+> RowOf<S> for ($($C,)+) {
            type Types = ($(<$C::T as SqlType>::Base,)+);
            fn into_nodes(self) -> Vec<Node> {
                let ($($C,)+) = self;
                vec![$($C.into_expr().node()),+]
            }
        }
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($B, $V: Operand<S, $B>),+> RowValue<S, ($($B,)+)> for ($($V,)+) {
            fn into_nodes(self) -> Vec<Node> {
                let ($($V,)+) = self;
                vec![$($V.into_node()),+]
            }
        }
    };
}
tuple!(C1 V1 B1 C2 V2 B2);
tuple!(C1 V1 B1 C2 V2 B2 C3 V3 B3);
tuple!(C1 V1 B1 C2 V2 B2 C3 V3 B3 C4 V4 B4);
tuple!(C1 V1 B1 C2 V2 B2 C3 V3 B3 C4 V4 B4 C5 V5 B5);
tuple!(C1 V1 B1 C2 V2 B2 C3 V3 B3 C4 V4 B4 C5 V5 B5 C6 V6 B6);
