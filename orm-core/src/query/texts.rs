//! Functions of texts. Positions are counted in characters, from 1.

use crate::ast::{Expr as Node, Function, MathOp};
use crate::query::{Col, Expr, Operand};
use crate::value::{Text, Value};

fn call(f: Function, args: Vec<Node>) -> Node {
    Node::call(f, args)
}
fn count(n: u32) -> Node {
    Node::Value(Value::I64(n.into()))
}

macro_rules! texts {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: Text, $($k)*> $Ty<S, T, $($k)*> {
            /// Lower case, letter by letter. For a comparison use [`ieq`](Self::ieq), which an index on `lower(..)` serves.
            pub fn lower(self) -> Expr<S, T> {
                Expr::new(call(Function::Lower, vec![self.node()]))
            }
            /// Upper case, letter by letter: `ß` stays.
            pub fn upper(self) -> Expr<S, T> {
                Expr::new(call(Function::Upper, vec![self.node()]))
            }
            /// Without blanks at both ends.
            pub fn trim(self) -> Expr<S, T> {
                Expr::new(call(Function::Trim, vec![self.node()]))
            }
            /// Without blanks in front.
            pub fn trim_start(self) -> Expr<S, T> {
                Expr::new(call(Function::TrimStart, vec![self.node()]))
            }
            /// Without blanks behind.
            pub fn trim_end(self) -> Expr<S, T> {
                Expr::new(call(Function::TrimEnd, vec![self.node()]))
            }
            /// Number of characters.
            pub fn length(self) -> Expr<S, T::With<i64>> {
                Expr::new(call(Function::Length, vec![self.node()]))
            }
            /// This text followed by another; NULL when one of them is.
            pub fn concat<R: Operand<S, String>>(self, r: R) -> Expr<S, R::Lift<T>> {
                Expr::new(Node::Math(MathOp::Concat, Box::new(self.node()), Box::new(r.into_node())))
            }
            /// So many characters from a position on: `substr(1, 2)` are the first two. Positions before the first count,
            /// so that `substr(0, 2)` is the first character alone; a length below zero is none.
            pub fn substr<A, B>(self, start: A, length: B) -> Expr<S, B::Lift<A::Lift<T>>>
            where
                A: Operand<S, i64>,
                B: Operand<S, i64>,
            {
                Expr::new(call(Function::Substring, vec![self.node(), start.into_node(), length.into_node()]))
            }
            /// All characters from a position on.
            pub fn substr_from<A: Operand<S, i64>>(self, start: A) -> Expr<S, A::Lift<T>> {
                Expr::new(call(Function::Substring, vec![self.node(), start.into_node()]))
            }
            /// The first characters, all where there are fewer.
            pub fn left(self, n: u32) -> Expr<S, T> {
                Expr::new(call(Function::Left, vec![self.node(), count(n)]))
            }
            /// The last characters, all where there are fewer.
            pub fn right(self, n: u32) -> Expr<S, T> {
                Expr::new(call(Function::Right, vec![self.node(), count(n)]))
            }
            /// Filled up in front to this length with the characters of `fill`; a longer text is cut off behind.
            pub fn pad_start<R: Operand<S, String>>(self, length: u32, fill: R) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::PadStart, vec![self.node(), count(length), fill.into_node()]))
            }
            /// Filled up behind to this length; a longer text is cut off.
            pub fn pad_end<R: Operand<S, String>>(self, length: u32, fill: R) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::PadEnd, vec![self.node(), count(length), fill.into_node()]))
            }
            /// Every occurrence of a text replaced by another, case-sensitively.
            pub fn replace<A, B>(self, from: A, to: B) -> Expr<S, B::Lift<A::Lift<T>>>
            where
                A: Operand<S, String>,
                B: Operand<S, String>,
            {
                Expr::new(call(Function::Replace, vec![self.node(), from.into_node(), to.into_node()]))
            }
            /// Where the text is found first, from 1; 0 where it is not.
            pub fn position<R: Operand<S, String>>(self, part: R) -> Expr<S, R::Lift<T::With<i64>>> {
                Expr::new(call(Function::Position, vec![self.node(), part.into_node()]))
            }
            /// The nth part, from 1, between occurrences of a separator; empty where there are fewer. The 0th is an
            /// error.
            pub fn split_part<R: Operand<S, String>>(self, separator: R, n: u32) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::SplitPart, vec![self.node(), separator.into_node(), count(n)]))
            }
        }
    };
}
texts!(Col, [K]);
texts!(Expr, []);
