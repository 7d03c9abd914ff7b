//! CASE.

use crate::ast::Expr as Node;
use crate::query::{Cond, Expr, Operand, Phantom};
use crate::value::{Scalar, Value};

/// A literal that fixes the type of a CASE.
pub trait Literal {
    /// Its column type.
    type T: Scalar;
    /// Its value.
    fn into_literal(self) -> Value;
}
impl<T: Scalar> Literal for T {
    type T = T;
    fn into_literal(self) -> Value {
        self.into_value()
    }
}
impl Literal for &str {
    type T = String;
    fn into_literal(self) -> Value {
        Value::Text(self.into())
    }
}

/// `case(condition, value).when(condition, value).or_else(value)`.
pub fn case<S, L: Literal>(condition: impl Cond<S>, then: L) -> Case<S, L::T> {
    Case {
        arms: vec![(condition.into_cond(), Node::Value(then.into_literal()))],
        _p: std::marker::PhantomData,
    }
}

/// A CASE without its end.
#[must_use = "a CASE ends with `.or_else(value)` or `.or_null()`"]
pub struct Case<S, T> {
    arms: Vec<(Node, Node)>,
    _p: Phantom<(S, T)>,
}
impl<S, T: Scalar> Case<S, T> {
    /// A further arm.
    pub fn when<V: Operand<S, T>>(mut self, condition: impl Cond<S>, then: V) -> Self {
        self.arms.push((condition.into_cond(), then.into_node()));
        self
    }
    /// ELSE.
    pub fn or_else<V: Operand<S, T>>(self, v: V) -> Expr<S, V::Lift<T>> {
        Expr::new(Node::Case {
            operand: None,
            arms: self.arms,
            otherwise: Some(Box::new(v.into_node())),
        })
    }
    /// NULL when no arm applies.
    pub fn or_null(self) -> Expr<S, Option<T>> {
        Expr::new(Node::Case {
            operand: None,
            arms: self.arms,
            otherwise: None,
        })
    }
}
