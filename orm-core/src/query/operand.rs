//! What may stand on the right-hand side: of comparisons and arithmetic, of assignments, of `in_`.

use crate::ast::{Expr as Node, InList as NodeList};
use crate::model::Model;
use crate::query::{Col, Expr, Query};
use crate::schema::Column;
use crate::value::{Scalar, SqlType, Value};

/// Right-hand side of a comparison or of arithmetic with a column whose base type is `B`: a value, a column, an
/// expression, or a query that selects one such column and yields one row, as `.aggregate(..)` does (NULL without one).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a `{B}` column of a query on `{S}`",
    label = "expected `{B}`, or a column or expression of that type from this closure's argument"
)]
pub trait Operand<S, B> {
    /// The result type of arithmetic: nullable when this side is.
    type Lift<T: SqlType>: SqlType;
    /// The expression.
    fn into_node(self) -> Node;
}

/// Never implemented: carries the message for `eq(None)`.
#[diagnostic::on_unimplemented(
    message = "comparing with `None` is never true in SQL",
    label = "use `.is_null()`, or `.eq_opt(value)` when the value may be absent",
    note = "to skip the condition when the value is `None`, use `.filter_some(value, |m, v| ..)`"
)]
pub trait ComparesWithNone {}

/// What may be assigned to a column of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be assigned to a `{T}` column of `{S}`",
    label = "expected `{T}`, or a column or expression of that type from this closure's argument"
)]
pub trait Assignable<S, T> {
    /// The expression.
    fn into_node(self) -> Node;
}

/// Never implemented: carries the message for `to(None)` on a NOT NULL column.
#[diagnostic::on_unimplemented(
    message = "`None` cannot be assigned to a NOT NULL column of type `{Self}`",
    label = "this column is not nullable",
    note = "make the field `Option<{Self}>`, or use `.to_some(value)` to leave the column untouched when the value is `None`"
)]
pub trait TakesNone {}

macro_rules! operand {
    ($([$($g:tt)*] $t:ty, $b:ty, $lift:ty, $self:ident => $node:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S, $($g)*> Operand<S, $b> for $t {
            type Lift<T: SqlType> = $lift;
            fn into_node($self) -> Node {
                $node
            }
        }
    )*};
}
operand! {
    [B: Scalar] B, B, T, self => Node::Value(Scalar::into_value(self));
    [B: Scalar + Clone] &B, B, T, self => Node::Value(Scalar::into_value(self.clone()));
    [B: Scalar, K] Col<S, B, K>, B, T, self => self.node();
    [B: Scalar, K] Col<S, Option<B>, K>, B, Option<T::Base>, self => self.node();
    [B: Scalar] Expr<S, B>, B, T, self => self.into_node();
    [B: Scalar] Expr<S, Option<B>>, B, Option<T::Base>, self => self.into_node();
    [B: Scalar, M: Model] Query<M, B>, B, Option<T::Base>, self => Node::Subquery(self.into_ast());
    [B: Scalar, M: Model] Query<M, Option<B>>, B, Option<T::Base>, self => Node::Subquery(self.into_ast());
}
// not in the macro: rustc shows this impl when a text meets another type
#[diagnostic::do_not_recommend]
impl<S> Operand<S, String> for &str {
    type Lift<T: SqlType> = T;
    fn into_node(self) -> Node {
        Node::Value(Value::Text(self.into()))
    }
}
/// An integer meets an exact decimal without loss: `price * quantity`, `total.gt(10)`.
#[cfg(feature = "decimal")]
macro_rules! whole_number {
    ($($t:ty)*) => {
        operand! {$(
            [] $t, rust_decimal::Decimal, T, self => Node::Value(Scalar::into_value(self));
            [K] Col<S, $t, K>, rust_decimal::Decimal, T, self => self.node();
            [K] Col<S, Option<$t>, K>, rust_decimal::Decimal, Option<T::Base>, self => self.node();
            [] Expr<S, $t>, rust_decimal::Decimal, T, self => self.into_node();
            [] Expr<S, Option<$t>>, rust_decimal::Decimal, Option<T::Base>, self => self.into_node();
        )*}
    };
}
#[cfg(feature = "decimal")]
whole_number!(i16 i32 i64);
impl<S, B: Scalar + ComparesWithNone, X> Operand<S, B> for Option<X> {
    type Lift<T: SqlType> = T;
    fn into_node(self) -> Node {
        Node::Value(Value::Null(B::TYPE))
    }
}

macro_rules! assignable {
    ($([$($g:tt)*] $t:ty, $target:ty, $self:ident => $node:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S, $($g)*> Assignable<S, $target> for $t {
            fn into_node($self) -> Node {
                $node
            }
        }
    )*};
}
assignable! {
    [T: SqlType] T, T, self => Node::Value(SqlType::into_value(self));
    [B: Scalar + Clone] &B, B, self => Node::Value(Scalar::into_value(self.clone()));
    [] &str, String, self => Node::Value(Value::Text(self.into()));
    [B: Scalar, K] Col<S, B, K>, B, self => self.node();
    [B: Scalar] Expr<S, B>, B, self => self.into_node();
    [B: Scalar] B, Option<B>, self => Node::Value(Scalar::into_value(self));
    [B: Scalar + Clone] &B, Option<B>, self => Node::Value(Scalar::into_value(self.clone()));
    [] &str, Option<String>, self => Node::Value(Value::Text(self.into()));
    [B: Scalar, K] Col<S, B, K>, Option<B>, self => self.node();
    [B: Scalar, K] Col<S, Option<B>, K>, Option<B>, self => self.node();
    [B: Scalar] Expr<S, B>, Option<B>, self => self.into_node();
    [B: Scalar] Expr<S, Option<B>>, Option<B>, self => self.into_node();
}
impl<S, B: Scalar + TakesNone, X> Assignable<S, B> for Option<X> {
    fn into_node(self) -> Node {
        Node::Value(Value::Null(B::TYPE))
    }
}

/// What is assigned to a column.
#[inline]
pub(crate) fn put(column: &'static Column, node: Node) -> Node {
    match node {
        Node::Value(value) => Node::Value(typed(column, value)),
        node => node,
    }
}

/// A typed NULL that is assigned takes the column's own type, which may be narrower than the Rust type's.
#[inline]
pub(crate) fn typed(column: &'static Column, mut value: Value) -> Value {
    if let Value::Null(ty) = &mut value {
        *ty = column.column.ty;
    }
    value
}

/// Right-hand side of `.in_(..)`: values, or a query that selects one column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of `{B}`",
    label = "expected values of type `{B}`, or a query that selects one such column"
)]
pub trait InList<S, B> {
    /// The list.
    fn into_list(self) -> NodeList;
}
#[diagnostic::do_not_recommend]
impl<S, B: Scalar, I: IntoIterator<Item: Operand<S, B>>> InList<S, B> for I {
    fn into_list(self) -> NodeList {
        let nodes: Vec<Node> = self.into_iter().map(Operand::into_node).collect();
        if nodes.iter().all(|n| matches!(n, Node::Value(_))) {
            let values = nodes
                .into_iter()
                .filter_map(|n| if let Node::Value(v) = n { Some(v) } else { None });
            return NodeList::Values(B::TYPE, values.collect());
        }
        NodeList::Exprs(nodes)
    }
}
#[diagnostic::do_not_recommend]
impl<S, B: Scalar, M: Model> InList<S, B> for Query<M, B> {
    fn into_list(self) -> NodeList {
        NodeList::Query(self.into_ast())
    }
}
#[diagnostic::do_not_recommend]
impl<S, B: Scalar, M: Model> InList<S, B> for Query<M, Option<B>> {
    fn into_list(self) -> NodeList {
        NodeList::Query(self.into_ast())
    }
}
