//! CASE.

use crate::ast::Expr as Node;
use crate::query::{Col, Cond, Expr, IntoExpr, Operand, Phantom};
use crate::value::{Scalar, SqlType, Value};

/// The first result of a CASE, which fixes its type: a value, a column or an expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a CASE over `{S}`",
    label = "expected a value, or a column or expression from this closure's argument"
)]
pub trait CaseResult<S> {
    /// Its type.
    type T: SqlType;
    /// The expression.
    fn into_result(self) -> Node;
}
#[diagnostic::do_not_recommend]
impl<S, T: Scalar> CaseResult<S> for T {
    type T = T;
    fn into_result(self) -> Node {
        Node::Value(self.into_value())
    }
}
#[diagnostic::do_not_recommend]
impl<S> CaseResult<S> for &str {
    type T = String;
    fn into_result(self) -> Node {
        Node::Value(Value::Text(self.into()))
    }
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType, K> CaseResult<S> for Col<S, T, K> {
    type T = T;
    fn into_result(self) -> Node {
        self.node()
    }
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType> CaseResult<S> for Expr<S, T> {
    type T = T;
    fn into_result(self) -> Node {
        self.node()
    }
}

/// `case(condition, result).when(condition, result).or_else(result)`. The results are values, columns or expressions; the
/// whole is nullable as soon as one of them is, or when it ends with `.or_null()`.
///
/// ```sql
/// CASE WHEN t0."views" > $1 THEN $2 WHEN t0."views" > $3 THEN $4 ELSE $5 END
/// ```
pub fn case<S, L: CaseResult<S>>(condition: impl Cond<S>, then: L) -> Case<S, L::T> {
    Case {
        arms: vec![(condition.into_cond(), then.into_result())],
        _p: std::marker::PhantomData,
    }
}

/// `case_of(p.state, "new", 1).when("old", 2).or_else(0)`: an expression compared with one value after the other. NULL is
/// equal to none of them.
///
/// ```sql
/// CASE t0."state" WHEN $1 THEN $2 WHEN $3 THEN $4 ELSE $5 END
/// ```
pub fn case_of<S, X: IntoExpr<S>, V, L>(of: X, value: V, then: L) -> CaseOf<S, <X::T as SqlType>::Base, L::T>
where
    V: Operand<S, <X::T as SqlType>::Base>,
    L: CaseResult<S>,
{
    CaseOf {
        of: of.into_expr().node(),
        arms: vec![(value.into_node(), then.into_result())],
        _p: std::marker::PhantomData,
    }
}

/// A CASE without its end.
#[must_use = "a CASE ends with `.or_else(value)` or `.or_null()`"]
pub struct Case<S, T> {
    arms: Vec<(Node, Node)>,
    _p: Phantom<(S, T)>,
}

/// A CASE of one expression without its end.
#[must_use = "a CASE ends with `.or_else(value)` or `.or_null()`"]
pub struct CaseOf<S, B, T> {
    of: Node,
    arms: Vec<(Node, Node)>,
    _p: Phantom<(S, B, T)>,
}

impl<S, T: SqlType> Case<S, T> {
    /// A further arm.
    pub fn when<V: Operand<S, T::Base>>(mut self, condition: impl Cond<S>, then: V) -> Case<S, V::Lift<T>> {
        self.arms.push((condition.into_cond(), then.into_node()));
        Case {
            arms: self.arms,
            _p: std::marker::PhantomData,
        }
    }
    /// ELSE.
    pub fn or_else<V: Operand<S, T::Base>>(self, v: V) -> Expr<S, V::Lift<T>> {
        end(None, self.arms, Some(v.into_node()))
    }
    /// NULL when no arm applies.
    pub fn or_null(self) -> Expr<S, Option<T::Base>> {
        end(None, self.arms, None)
    }
}

impl<S, B, T: SqlType> CaseOf<S, B, T> {
    /// A further value and its result.
    pub fn when<W, V>(mut self, value: W, then: V) -> CaseOf<S, B, V::Lift<T>>
    where
        W: Operand<S, B>,
        V: Operand<S, T::Base>,
    {
        self.arms.push((value.into_node(), then.into_node()));
        CaseOf {
            of: self.of,
            arms: self.arms,
            _p: std::marker::PhantomData,
        }
    }
    /// ELSE.
    pub fn or_else<V: Operand<S, T::Base>>(self, v: V) -> Expr<S, V::Lift<T>> {
        end(Some(self.of), self.arms, Some(v.into_node()))
    }
    /// NULL when no value is equal.
    pub fn or_null(self) -> Expr<S, Option<T::Base>> {
        end(Some(self.of), self.arms, None)
    }
}

fn end<S, T>(of: Option<Node>, arms: Vec<(Node, Node)>, otherwise: Option<Node>) -> Expr<S, T> {
    Expr::new(Node::Case {
        operand: of.map(Box::new),
        arms,
        otherwise: otherwise.map(Box::new),
    })
}
