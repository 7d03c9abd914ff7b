//! Relations as values of the query surface: `u.posts` inside a closure, `user.posts()` on a row in memory.

mod any;
mod filter;
mod load;
mod related;

pub use any::{AnyRef, AnyRel, Form, Polymorphic, Referrer, TargetCols, Targets, To, branch, take_any};
use filter::related_to;
pub(crate) use filter::{counted, joins, label_is, owner};
pub use load::{Branch, Joinable, Load, LoadColumns, LoadCount, LoadLater, LoadOf};
pub use related::Related;

use crate::ast::{Expr as Node, Select, Source, Unfiltered};
use crate::model::{Cardinality, FilterRef, Filtered, Model, Rel, ToOne};
use crate::query::{Agg, Cond, Expr, Filter, IntoExpr, Phantom};

/// A relation of the closure argument. In a condition it is a correlated sub-query, in `.join(..)` a join, in `.with(..)`
/// something to load.
pub struct RelRef<S, R> {
    source: Source,
    unfiltered: Unfiltered,
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
            unfiltered: Unfiltered::NONE,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn source(self) -> Source {
        self.source
    }
    /// The filters of the related table that are switched off.
    pub(crate) fn unfiltered(self) -> Unfiltered {
        self.unfiltered
    }
}

impl<S, R: Rel> RelRef<S, R> {
    /// A select of the related rows, and the columns of their table.
    fn correlated(self) -> (Select, <R::Child as Model>::Cols<S>) {
        let child = Source::fresh();
        let mut select = related_to(R::DEF, self.source, child);
        unfilter(&mut select, self.unfiltered);
        (select, R::Child::cols(child))
    }
    /// Related rows that do not meet this named filter of their model as well, in whatever the relation is used for: a
    /// condition, a join, a load, a walk.
    pub fn without_filter(
        self,
        f: impl FnOnce(<R::Child as Filtered>::Filters) -> FilterRef<R::Child>,
    ) -> Self
    where
        R::Child: Filtered,
    {
        let off = f(<R::Child as Filtered>::FILTERS).off();
        RelRef {
            unfiltered: self.unfiltered.and(off),
            ..self
        }
    }
    /// All related rows, whether or not they meet the named filters of their model.
    pub fn without_filters(self) -> Self
    where
        R::Child: Filtered,
    {
        RelRef {
            unfiltered: Unfiltered::ALL,
            ..self
        }
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
        Expr::new(counted(self.correlated().0))
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

/// Switches filters of the first table off.
pub(crate) fn unfilter(select: &mut Select, off: Unfiltered) {
    if let Some(from) = &mut select.from {
        from.guard.unfiltered = from.guard.unfiltered.and(off);
    }
}
