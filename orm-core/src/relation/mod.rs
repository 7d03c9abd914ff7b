//! Relations as values of the query surface: `u.posts` inside a closure, `user.posts()` on a row in memory.

mod any;
mod filter;
mod load;
mod related;

pub use any::{AnyRef, AnyRel, Form, Polymorphic, Referrer, TargetCols, Targets, To, branch, take_any};
pub(crate) use filter::{count_of, counted, joins, label_is, owner, related_to};
pub use load::{Branch, Joinable, Load, LoadColumns, LoadCount, LoadLater, LoadOf};
pub use related::Related;

use crate::ast::{Expr as Node, Select, Source};
use crate::model::{Cardinality, Model, Rel, ToOne};
use crate::query::{Agg, Cond, Expr, Filter, IntoExpr, Phantom};

/// A relation of the closure argument. In a condition it is a correlated sub-query, in `.join(..)` a join, in `.with(..)`
/// something to load.
pub struct RelRef<S, R> {
    source: Source,
    _p: Phantom<(S, R)>,
}
impl<S, R> Clone for RelRef<S, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, R> Copy for RelRef<S, R> {}

impl<S, R> RelRef<S, R> {
    /// The relation of one table reference. Called by generated code.
    pub const fn new(source: Source) -> Self {
        RelRef {
            source,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn source(self) -> Source {
        self.source
    }
}

impl<S, R: Rel> RelRef<S, R> {
    /// A select of the related rows, and the columns of their table.
    fn correlated(self) -> (Select, <R::Child as Model>::Cols<S>) {
        let child = Source::fresh();
        (related_to(R::DEF, self.source, child), R::Child::cols(child))
    }
    fn exists(self, condition: impl FnOnce(<R::Child as Model>::Cols<S>) -> Option<Node>) -> Node {
        let (mut select, cols) = self.correlated();
        select.filter.extend(condition(cols));
        select.columns.push(Node::one());
        Node::Exists(Box::new(select))
    }
    /// At least one related row meets the condition: `EXISTS`.
    pub fn any<C: Cond<S>>(self, f: impl FnOnce(<R::Child as Model>::Cols<S>) -> C) -> Filter<S> {
        Expr::new(self.exists(|c| Some(f(c).into_cond())))
    }
    /// No related row meets the condition: `NOT EXISTS`.
    pub fn none<C: Cond<S>>(self, f: impl FnOnce(<R::Child as Model>::Cols<S>) -> C) -> Filter<S> {
        self.any(f).not()
    }
    /// Every related row meets the condition (NULL counts as not met). True when there is none.
    pub fn all<C: Cond<S>>(self, f: impl FnOnce(<R::Child as Model>::Cols<S>) -> C) -> Filter<S> {
        let unmet = self.exists(|c| Some(Node::Not(Box::new(Node::IsTrue(Box::new(f(c).into_cond()))))));
        Expr::new(Node::Not(Box::new(unmet)))
    }
    /// There is a related row.
    pub fn exist(self) -> Filter<S> {
        Expr::new(self.exists(|_| None))
    }
    /// How many related rows there are.
    pub fn count(self) -> Expr<S, i64> {
        Expr::new(count_of(R::DEF, self.source))
    }
    /// How many related rows meet the condition.
    pub fn count_where<C: Cond<S>>(self, f: impl FnOnce(<R::Child as Model>::Cols<S>) -> C) -> Expr<S, i64> {
        let (mut select, cols) = self.correlated();
        select.filter.push(f(cols).into_cond());
        Expr::new(counted(select))
    }
    /// An aggregate of the related rows.
    pub fn agg<T>(self, f: impl FnOnce(<R::Child as Model>::Cols<S>) -> Agg<S, T>) -> Expr<S, T> {
        let (mut select, cols) = self.correlated();
        select.columns.push(f(cols).into_node());
        Expr::new(Node::Subquery(Box::new(select)))
    }
    /// A column of the one related row; `Option` when there may be none.
    pub fn col<X: IntoExpr<S>>(
        self,
        f: impl FnOnce(<R::Child as Model>::Cols<S>) -> X,
    ) -> Expr<S, <R::Card as Cardinality>::Col<X::T>>
    where
        R::Card: ToOne,
    {
        let (mut select, cols) = self.correlated();
        select.columns.push(f(cols).into_expr().into_node());
        Expr::new(Node::Subquery(Box::new(select)))
    }
}
