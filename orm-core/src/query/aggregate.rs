//! Aggregates, and queries by group.

use crate::ast::{Aggregate, AggregateFn, Expr as Node, GroupBy, Select};
use crate::model::Model;
use crate::query::{Cond, Expr, Filter, IntoExpr, Orders, Phantom, Query, Selection};
use crate::value::{Numeric, Output, SqlType};

/// An aggregate of a whole query. Not an [`Expr`], so that it cannot slip into `.filter(..)`.
#[must_use = "an aggregate does nothing until it is selected"]
pub struct Agg<S, T> {
    call: Aggregate,
    _p: Phantom<(S, T)>,
}

impl<S, T> Agg<S, T> {
    pub(crate) fn of(function: AggregateFn, arg: Node) -> Self {
        Agg::call(function, vec![arg])
    }
    pub(crate) fn call(function: AggregateFn, args: Vec<Node>) -> Self {
        let call = Aggregate {
            function,
            args,
            distinct: false,
            filter: None,
            order: Vec::new(),
        };
        Agg {
            call,
            _p: std::marker::PhantomData,
        }
    }
    /// Equal inputs count once.
    pub fn distinct(mut self) -> Self {
        self.call.distinct = true;
        self
    }
    /// Only rows that meet the condition: `FILTER (WHERE ..)`.
    pub fn filter<C: Cond<S>>(mut self, condition: C) -> Self {
        let new = condition.into_cond();
        self.call.filter = Some(match self.call.filter.take() {
            Some(old) => Node::All(vec![old, new]),
            None => new,
        });
        self
    }
    pub(crate) fn into_call(self) -> Aggregate {
        self.call
    }
    pub(crate) fn into_node(self) -> Node {
        Node::Aggregate(Box::new(self.call))
    }
}

/// Never implemented: carries the message for comparing an aggregate.
#[diagnostic::on_unimplemented(
    message = "an aggregate cannot be compared here: SQL filters groups in HAVING",
    label = "aggregate of a whole query",
    note = "use `.group_by(..).having(|g| ..)`, or an aggregate of a relation: `u.posts.count()`, `u.posts.agg(|p| p.views.sum())`"
)]
pub trait ComparesAggregates {}
macro_rules! no_compare {
    ($($f:ident)*) => {
        impl<S, T> Agg<S, T> {
            $(
                #[doc(hidden)]
                pub fn $f<R>(self, _: R) -> Filter<S> where Self: ComparesAggregates {
                    Expr::new(self.into_node())
                }
            )*
        }
    };
}
no_compare!(eq ne gt ge lt le);

/// What `.aggregate(..)` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate of a query on `{S}`",
    label = "return `.sum()`, `.count()`, `.max()`, …, or a tuple of them"
)]
pub trait Aggregates<S> {
    /// What the one row becomes.
    type Out: Output;
    /// Adds the columns.
    fn push(self, out: &mut Vec<Node>);
}
impl<S, T: SqlType> Aggregates<S> for Agg<S, T> {
    type Out = T;
    fn push(self, out: &mut Vec<Node>) {
        out.push(self.into_node());
    }
}
macro_rules! tuple {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Aggregates<S>),+> Aggregates<S> for ($($T,)+) {
            type Out = ($($T::Out,)+);
            fn push(self, out: &mut Vec<Node>) {
                let ($($T,)+) = self;
                $($T.push(out);)+
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);

/// A query by group, before `.select(..)` says what each group becomes.
#[must_use = "a grouped query does nothing until `.select(..)` and a method such as `.all(&db)`"]
pub struct Grouped<M: Model, C, K> {
    ast: Box<Select>,
    cols: C,
    key: K,
    _p: Phantom<M>,
}

impl<M: Model, C: Copy, K: Selection<M> + Clone> Grouped<M, C, K> {
    pub(crate) fn new(mut ast: Box<Select>, cols: C, key: K) -> Self {
        let mut nodes = Vec::new();
        key.clone().push(&mut nodes);
        ast.group.extend(nodes.into_iter().map(GroupBy::Expr));
        Grouped {
            ast,
            cols,
            key,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn ast_mut(&mut self) -> &mut Select {
        &mut self.ast
    }
    pub(crate) fn group(&self) -> Group<M, C, K> {
        Group {
            key: self.key.clone(),
            cols: self.cols,
            _p: std::marker::PhantomData,
        }
    }
    /// Only groups that meet the condition.
    pub fn having<F: Cond<M>>(mut self, f: impl FnOnce(Group<M, C, K>) -> F) -> Self {
        self.ast.having.push(f(self.group()).into_cond());
        self
    }
    /// Order of the groups.
    pub fn order_by<O: Orders<M>>(mut self, f: impl FnOnce(Group<M, C, K>) -> O) -> Self {
        f(self.group()).add_to(&mut self.ast.order);
        self
    }
    /// At most so many groups.
    pub fn limit(mut self, n: u64) -> Self {
        self.ast.limit = Some(n);
        self
    }
    /// Without the first so many groups.
    pub fn offset(mut self, n: u64) -> Self {
        self.ast.offset = Some(n);
        self
    }
    /// What each group becomes.
    pub fn select<T: Selection<M>>(mut self, f: impl FnOnce(Group<M, C, K>) -> T) -> Query<M, T::Out> {
        self.ast.columns.clear();
        f(self.group()).push(&mut self.ast.columns);
        Query::from_ast(self.ast)
    }
}

/// The closure argument after `group_by`: the key and aggregates, no plain columns.
pub struct Group<M, C, K> {
    key: K,
    cols: C,
    _p: Phantom<M>,
}

impl<M: Model, C: Copy, K: Clone> Group<M, C, K> {
    /// What the rows are grouped by.
    pub fn key(&self) -> K {
        self.key.clone()
    }
    /// How many rows the group has.
    pub fn count(&self) -> Expr<M, i64> {
        Expr::new(Agg::<M, i64>::call(AggregateFn::Count, Vec::new()).into_node())
    }
    /// Any aggregate of the group's rows.
    pub fn agg<T>(&self, f: impl FnOnce(C) -> Agg<M, T>) -> Expr<M, T> {
        Expr::new(f(self.cols).into_node())
    }
    /// Sum of a column or expression.
    pub fn sum<X: IntoExpr<M>>(&self, f: impl FnOnce(C) -> X) -> Expr<M, Option<<X::T as Numeric>::Sum>>
    where
        X::T: Numeric,
    {
        Expr::new(f(self.cols).into_expr().sum().into_node())
    }
    /// Average of a column or expression.
    pub fn avg<X: IntoExpr<M>>(&self, f: impl FnOnce(C) -> X) -> Expr<M, Option<<X::T as Numeric>::Avg>>
    where
        X::T: Numeric,
    {
        Expr::new(f(self.cols).into_expr().avg().into_node())
    }
    /// Smallest value of a column or expression.
    pub fn min<X: IntoExpr<M>>(&self, f: impl FnOnce(C) -> X) -> Expr<M, Option<<X::T as SqlType>::Base>> {
        Expr::new(f(self.cols).into_expr().min().into_node())
    }
    /// Largest value of a column or expression.
    pub fn max<X: IntoExpr<M>>(&self, f: impl FnOnce(C) -> X) -> Expr<M, Option<<X::T as SqlType>::Base>> {
        Expr::new(f(self.cols).into_expr().max().into_node())
    }
}
