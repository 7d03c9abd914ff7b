//! Operators of ranges.

use crate::ast::{Expr as Node, Function, RangeFn};
use crate::query::{Col, Expr, Filter, Operand};
use crate::value::{Range, RangeItem};

fn call<S, T>(f: RangeFn, args: Vec<Node>) -> Expr<S, T> {
    Expr::new(Node::call(Function::Range(f), args))
}

macro_rules! ranges {
    ($Ty:ident, $Range:ty, [$($k:tt)*]) => {
        impl<S, B: RangeItem, $($k)*> $Ty<S, $Range, $($k)*> {
            /// Whether the value lies in it (`@>`).
            pub fn has<R: Operand<S, B>>(self, value: R) -> Filter<S> {
                call(RangeFn::Has, vec![self.node(), value.into_node()])
            }
            /// Whether the other range lies in it (`@>`); an empty one always does.
            pub fn covers<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::Contains, vec![self.node(), other.into_node()])
            }
            /// Whether it lies in the other range (`<@`).
            pub fn is_within<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::Contains, vec![other.into_node(), self.node()])
            }
            /// Whether a value lies in both (`&&`).
            pub fn overlaps<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::Overlaps, vec![self.node(), other.into_node()])
            }
            /// Whether one begins where the other ends (`-|-`).
            pub fn adjoins<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::Adjacent, vec![self.node(), other.into_node()])
            }
            /// Whether it ends before the other begins (`<<`).
            pub fn is_before<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::Before, vec![self.node(), other.into_node()])
            }
            /// Whether it begins behind the end of the other (`>>`).
            pub fn is_after<R: Operand<S, Range<B>>>(self, other: R) -> Filter<S> {
                call(RangeFn::After, vec![self.node(), other.into_node()])
            }
            /// What lies in both (`*`).
            pub fn intersect<R: Operand<S, Range<B>>>(self, other: R) -> Expr<S, R::Lift<$Range>> {
                call(RangeFn::Intersect, vec![self.node(), other.into_node()])
            }
            /// The smallest range that both lie in (`range_merge`).
            pub fn merge<R: Operand<S, Range<B>>>(self, other: R) -> Expr<S, R::Lift<$Range>> {
                call(RangeFn::Merge, vec![self.node(), other.into_node()])
            }
            /// Where it begins; NULL where that end is open or nothing lies in it.
            pub fn lower(self) -> Expr<S, Option<B>> {
                call(RangeFn::Lower, vec![self.node()])
            }
            /// Where it ends: of whole numbers and dates the first value behind it.
            pub fn upper(self) -> Expr<S, Option<B>> {
                call(RangeFn::Upper, vec![self.node()])
            }
            /// Whether nothing lies in it.
            pub fn is_empty(self) -> Filter<S> {
                call(RangeFn::IsEmpty, vec![self.node()])
            }
        }
    };
}
ranges!(Col, Range<B>, [K]);
ranges!(Col, Option<Range<B>>, [K]);
ranges!(Expr, Range<B>, []);
ranges!(Expr, Option<Range<B>>, []);
