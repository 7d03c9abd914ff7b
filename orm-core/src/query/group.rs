//! Queries by group.

use crate::ast::{AggregateFn, Expr as Node, GroupBy, Select};
use crate::model::Model;
use crate::query::{Agg, Col, Cond, Expr, IntoExpr, Join, Orders, Phantom, Query, Selection};
use crate::value::{Numeric, SqlType};

/// A query by group, before `.select(..)` says what each group becomes.
#[must_use = "a grouped query does nothing until `.select(..)` and a method such as `.all(&db)`"]
pub struct Grouped<M: Model, C, K> {
    ast: Box<Select>,
    cols: C,
    key: K,
    _p: Phantom<M>,
}

impl<M: Model, C: Copy, K: Selection<M> + Clone> Grouped<M, C, K> {
    pub(crate) fn new(ast: Box<Select>, cols: C, key: K) -> Self {
        let mut nodes = Vec::new();
        key.clone().push(&mut nodes);
        Grouped::by(ast, cols, key, nodes.into_iter().map(GroupBy::Expr))
    }
    fn by(mut ast: Box<Select>, cols: C, key: K, group: impl IntoIterator<Item = GroupBy>) -> Self {
        ast.group.extend(group);
        Grouped {
            ast,
            cols,
            key,
            _p: std::marker::PhantomData,
        }
    }
    fn totals<X: Keys<M, Optional = K>>(
        ast: Box<Select>,
        cols: C,
        key: X,
        group: impl FnOnce(X) -> GroupBy,
    ) -> Self {
        let group = group(key.clone());
        Grouped::by(ast, cols, key.optional(), [group])
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
    /// Which of these keys the row sums over, after `group_by_rollup` and its like: 0 where the row is about a value of each, else
    /// a bit for each that it leaves out, the last one lowest. A key that is NULL is told from one that is left out by it.
    ///
    /// ```sql
    /// SELECT t0."author_id", grouping(t0."author_id"), count(*) FROM "posts" AS t0 GROUP BY ROLLUP (t0."author_id")
    /// ```
    pub fn grouping<X: Selection<M>>(&self, f: impl FnOnce(K) -> X) -> Expr<M, i32> {
        let mut nodes = Vec::new();
        f(self.key.clone()).push(&mut nodes);
        Expr::new(Agg::<M, i32>::call(AggregateFn::Grouping, nodes).into_node())
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

/// Keys that rows of totals leave out: columns, expressions, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "totals of a query on `{S}` cannot leave out `{Self}`",
    label = "return columns, expressions, or a tuple of them"
)]
pub trait Keys<S>: Selection<S> + Clone {
    /// The same, each of them `None` where it is left out.
    type Optional: Selection<S> + Clone;
    /// The same.
    fn optional(self) -> Self::Optional;
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType, K> Keys<S> for Col<S, T, K> {
    type Optional = Expr<S, Option<T::Base>>;
    fn optional(self) -> Self::Optional {
        Expr::new(self.node())
    }
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType> Keys<S> for Expr<S, T> {
    type Optional = Expr<S, Option<T::Base>>;
    fn optional(self) -> Self::Optional {
        Expr::new(self.node())
    }
}
macro_rules! tuple {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Keys<S>),+> Keys<S> for ($($T,)+) {
            type Optional = ($($T::Optional,)+);
            fn optional(self) -> Self::Optional {
                let ($($T,)+) = self;
                ($($T.optional(),)+)
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

fn nodes<S>(key: impl Selection<S>) -> Vec<Node> {
    let mut out = Vec::new();
    key.push(&mut out);
    out
}

/// The sets of keys that `group_by_sets` groups by, one after the other.
pub struct GroupingSets<S> {
    sets: Vec<Vec<Node>>,
    _p: Phantom<S>,
}

impl<S> GroupingSets<S> {
    /// Groups by these.
    pub fn set<K: Selection<S>>(mut self, keys: K) -> Self {
        self.sets.push(nodes(keys));
        self
    }
    /// All rows as one group.
    pub fn total(mut self) -> Self {
        self.sets.push(Vec::new());
        self
    }
}

/// The same for one table and several.
macro_rules! totals {
    ([$($head:tt)*], $C:ty) => {
        $($head)* {
            /// Groups by these keys, then by all but the last of them, and so on up to all rows together: `GROUP BY ROLLUP`.
            /// Each key is an `Option`, `None` where the row sums over it. SQLite has the groups of each set by
            /// UNION ALL; a window over them is `Unsupported` there.
            ///
            /// ```sql
            /// SELECT t0."author_id", t0."published", count(*) FROM "posts" AS t0
            /// GROUP BY ROLLUP (t0."author_id", t0."published")
            /// ```
            pub fn group_by_rollup<K: Keys<M>>(self, f: impl FnOnce($C) -> K) -> Grouped<M, $C, K::Optional> {
                let (ast, cols) = self.into_table();
                Grouped::totals(ast, cols, f(cols), |key| GroupBy::Rollup(nodes(key)))
            }
            /// Groups by every set of these keys: `GROUP BY CUBE`. Otherwise as `group_by_rollup`.
            pub fn group_by_cube<K: Keys<M>>(self, f: impl FnOnce($C) -> K) -> Grouped<M, $C, K::Optional> {
                let (ast, cols) = self.into_table();
                Grouped::totals(ast, cols, f(cols), |key| GroupBy::Cube(nodes(key)))
            }
            /// Groups by these sets of the keys: `GROUP BY GROUPING SETS`. Otherwise as `group_by_rollup`.
            ///
            /// ```sql
            /// -- .group_by_sets(|p| (p.author_id, p.published), |sets, (author, published)| {
            /// --     sets.set((author, published)).set(published).total()
            /// -- })
            /// SELECT t0."author_id", t0."published", count(*) FROM "posts" AS t0
            /// GROUP BY GROUPING SETS ((t0."author_id", t0."published"), (t0."published"), ())
            /// ```
            pub fn group_by_sets<K: Keys<M>>(
                self,
                f: impl FnOnce($C) -> K,
                sets: impl FnOnce(GroupingSets<M>, K) -> GroupingSets<M>,
            ) -> Grouped<M, $C, K::Optional> {
                let (ast, cols) = self.into_table();
                let none = GroupingSets {
                    sets: Vec::new(),
                    _p: std::marker::PhantomData,
                };
                Grouped::totals(ast, cols, f(cols), |key| GroupBy::Sets(sets(none, key).sets))
            }
        }
    };
}
totals!([impl<M: Model> Query<M>], M::Cols<M>);
totals!([impl<M: Model, C: Copy> Join<M, C>], C);
