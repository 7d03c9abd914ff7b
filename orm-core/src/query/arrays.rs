//! Operators of arrays. Places are counted from 1, as SQL does.

use crate::ast::{ArrayFn, Expr as Node, Function};
use crate::query::{Col, Expr, Filter, Operand};
use crate::value::{ArrayItem, Scalar, Value};

fn call<S, T>(f: ArrayFn, args: Vec<Node>) -> Expr<S, T> {
    Expr::new(Node::call(Function::Array(f), args))
}
fn place(n: u32) -> Node {
    Node::Value(Value::I64(n.into()))
}

macro_rules! arrays {
    ($Ty:ident, $Array:ty, $Length:ty, [$($k:tt)*]) => {
        impl<S, E: ArrayItem, $($k)*> $Ty<S, $Array, $($k)*>
        where
            E::Base: Scalar,
            Vec<E>: Scalar,
        {
            /// Whether an item equals this: `x = ANY(array)`.
            pub fn has<R: Operand<S, E::Base>>(self, item: R) -> Filter<S> {
                call(ArrayFn::Has, vec![self.node(), item.into_node()])
            }
            /// Whether each of these is an item, in any order and number (`@>`). A NULL is none.
            pub fn has_all<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAll, vec![self.node(), items.into_node()])
            }
            /// Whether one of these is an item (`&&`).
            pub fn has_any<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAny, vec![self.node(), items.into_node()])
            }
            /// Whether each item is one of these (`<@`).
            pub fn is_within<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAll, vec![items.into_node(), self.node()])
            }
            /// How many items there are.
            pub fn length(self) -> Expr<S, $Length> {
                call(ArrayFn::Length, vec![self.node()])
            }
            /// The nth item, from 1; NULL beyond the ends.
            pub fn at(self, n: u32) -> Expr<S, Option<E::Base>> {
                call(ArrayFn::At, vec![self.node(), place(n)])
            }
            /// The items from one place to another, both included, from 1.
            pub fn slice(self, first: u32, last: u32) -> Expr<S, $Array> {
                call(ArrayFn::Slice, vec![self.node(), place(first), place(last)])
            }
            /// With this item at its end. A NULL is as an empty array.
            pub fn append<R: Operand<S, E::Base>>(self, item: R) -> Expr<S, Vec<E>> {
                call(ArrayFn::Append, vec![self.node(), item.into_node()])
            }
            /// With these items at its end. A NULL is as an empty array, two are NULL.
            pub fn concat<R: Operand<S, Vec<E>>>(self, items: R) -> Expr<S, $Array> {
                call(ArrayFn::Concat, vec![self.node(), items.into_node()])
            }
            /// Without the items that equal this.
            pub fn without<R: Operand<S, E::Base>>(self, item: R) -> Expr<S, $Array> {
                call(ArrayFn::Remove, vec![self.node(), item.into_node()])
            }
        }
    };
}
arrays!(Col, Vec<E>, i64, [K]);
arrays!(Col, Option<Vec<E>>, Option<i64>, [K]);
arrays!(Expr, Vec<E>, i64, []);
arrays!(Expr, Option<Vec<E>>, Option<i64>, []);
