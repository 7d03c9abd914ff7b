//! Queries over several tables.

use std::sync::Arc;

use crate::ast::{
    Deleted, Distinct, FromItem, Guard, Join as NodeJoin, JoinKind, Select, Source, TableRef, Unfiltered,
    renumber,
};
use crate::model::{Cardinality, Embed, Maybe, Model, Rel};
use crate::query::select::table_ref;
use crate::query::{Aggregates, Cond, EmbedCol, Expr, Grouped, IntoExpr, Orders, Phantom, Query, Selection};
use crate::relation::{self, RelRef};
use crate::value::SqlType;

/// A query over joined tables; `C` is the tuple of their columns. Ends with `.select(..)`.
#[must_use = "a join does nothing until `.select(..)` and a method such as `.all(&db)`"]
pub struct Join<M: Model, C> {
    ast: Box<Select>,
    cols: C,
    /// The table references that the columns stand for, in their order.
    sources: Vec<Source>,
    columns: ColumnsOf<C>,
    _p: Phantom<M>,
}

/// Makes the columns of other table references, for a clone.
type ColumnsOf<C> = Arc<dyn Fn(&[Source]) -> C + Send + Sync>;

impl<M: Model, C> Clone for Join<M, C> {
    /// The clone is over rows of its own: it may stand inside the original, or beside it.
    fn clone(&self) -> Self {
        let mut ast = self.ast.clone();
        let map = renumber(&mut ast);
        let renumbered = |old: &Source| {
            map.iter()
                .find(|(from, _)| from == old)
                .map_or(*old, |(_, to)| *to)
        };
        let sources: Vec<Source> = self.sources.iter().map(renumbered).collect();
        Join {
            cols: (self.columns)(&sources),
            columns: self.columns.clone(),
            ast,
            sources,
            _p: std::marker::PhantomData,
        }
    }
}

fn nth(sources: &[Source], n: usize) -> Source {
    sources.get(n).copied().unwrap_or(Source::ROOT)
}

/// The columns of a left-joined table: read through [`map`](Opt::map), as `Option`.
pub struct Opt<C>(C);
impl<C: Copy> Clone for Opt<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: Copy> Copy for Opt<C> {}
impl<C> Opt<C> {
    /// A column or expression of the joined row, `None` when there is none.
    pub fn map<S, X: IntoExpr<S>>(self, f: impl FnOnce(C) -> X) -> Expr<S, Option<<X::T as SqlType>::Base>> {
        Expr::new(f(self.0).into_expr().into_node())
    }
    /// An embedded struct of the joined row as a whole, `None` when there is no row.
    pub fn embed<S, E: Embed, K: Cardinality>(
        self,
        f: impl FnOnce(C) -> EmbedCol<S, E, K>,
    ) -> EmbedCol<S, E, Maybe> {
        f(self.0).maybe()
    }
    /// A relation of the joined row, to join further.
    pub fn rel<S, R>(self, f: impl FnOnce(C) -> RelRef<S, R>) -> RelRef<S, R> {
        f(self.0)
    }
}

impl<M: Model> Join<M, (M::Cols<M>,)> {
    /// The query on one table, to join others to.
    pub(crate) fn new(ast: Box<Select>) -> Self {
        let sources = vec![ast.root()];
        let columns: ColumnsOf<(M::Cols<M>,)> = Arc::new(|sources| (M::cols(nth(sources, 0)),));
        Join {
            cols: columns(&sources),
            ast,
            sources,
            columns,
            _p: std::marker::PhantomData,
        }
    }
}

impl<M: Model, C> Join<M, C> {
    fn add_relation<R: Rel>(&mut self, relation: RelRef<M, R>, child: Source, left: bool) {
        let kind = if left { JoinKind::Left } else { JoinKind::Inner };
        let (parent, unfiltered) = (relation.source(), relation.unfiltered());
        let joins = relation::joins(R::DEF, parent, child, kind, unfiltered);
        self.ast.joins.extend(joins);
    }
    fn add_table(&mut self, table: TableRef, left: bool, on: crate::ast::Expr) {
        let kind = if left { JoinKind::Left } else { JoinKind::Inner };
        self.ast.joins.push(NodeJoin {
            kind,
            table,
            on: vec![on],
        });
    }
}

impl<M: Model, C: Copy> Join<M, C> {
    /// Only rows that meet the condition.
    pub fn filter<P: Cond<M>>(mut self, f: impl FnOnce(C) -> P) -> Self {
        self.ast.filter.push(f(self.cols).into_cond());
        self
    }
    /// As [`filter`](Join::filter) when there is a value, else nothing.
    pub fn filter_some<V, P: Cond<M>>(self, value: Option<V>, f: impl FnOnce(C, V) -> P) -> Self {
        match value {
            Some(v) => self.filter(|c| f(c, v)),
            None => self,
        }
    }
    /// Adds to the order.
    pub fn order_by<T: Orders<M>>(mut self, f: impl FnOnce(C) -> T) -> Self {
        f(self.cols).add_to(&mut self.ast.order);
        self
    }
    /// At most so many rows.
    pub fn limit(mut self, n: u64) -> Self {
        self.ast.limit = Some(n);
        self
    }
    /// Without the first so many rows.
    pub fn offset(mut self, n: u64) -> Self {
        self.ast.offset = Some(n);
        self
    }
    /// Equal rows once.
    pub fn distinct(mut self) -> Self {
        self.ast.distinct = Distinct::Yes;
        self
    }
    /// What a row becomes.
    pub fn select<T: Selection<M>>(mut self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.ast.columns.clear();
        f(self.cols).push(&mut self.ast.columns);
        Query::from_ast(self.ast)
    }
    /// One row of aggregates over all rows.
    pub fn aggregate<T: Aggregates<M>>(mut self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.ast.columns.clear();
        f(self.cols).push(&mut self.ast.columns);
        Query::from_ast(self.ast)
    }
    /// Groups rows by a column, an expression, or a tuple of them.
    pub fn group_by<K: Selection<M> + Clone>(self, f: impl FnOnce(C) -> K) -> Grouped<M, C, K> {
        Grouped::new(self.ast, self.cols, f(self.cols))
    }
}

/// A joined table sees its live rows that meet its filters; only a required relation shows the others, or its parents
/// would vanish.
pub(crate) fn guard_of(def: &crate::schema::RelationDef) -> Guard {
    let (deleted, unfiltered) = match def.required {
        true => (Deleted::Included, Unfiltered::ALL),
        false => (Deleted::Hidden, Unfiltered::NONE),
    };
    Guard {
        deleted,
        unfiltered,
        ..Guard::default()
    }
}

/// A reference to the related table of a relation.
pub(crate) fn related_table(def: &crate::schema::RelationDef, source: Source) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&(def.table)().table),
        guard: guard_of(def),
    }
}

macro_rules! join {
    ($($A:ident $a:ident),*) => {
        impl<M: Model, $($A: Copy + 'static),*> Join<M, ($($A,)*)> {
            fn and<T: 'static>(mut self, source: Source, cols: fn(Source) -> T) -> Join<M, ($($A,)* T,)> {
                let (n, before) = (self.sources.len(), self.columns);
                self.sources.push(source);
                let ($($a,)*) = self.cols;
                Join {
                    ast: self.ast,
                    cols: ($($a,)* cols(source),),
                    sources: self.sources,
                    columns: Arc::new(move |sources| {
                        let ($($a,)*) = before(sources);
                        ($($a,)* cols(nth(sources, n)),)
                    }),
                    _p: std::marker::PhantomData,
                }
            }
            /// Joins related rows; rows without one are left out.
            pub fn join<R: Rel>(
                mut self,
                f: impl FnOnce(($($A,)*)) -> RelRef<M, R>,
            ) -> Join<M, ($($A,)* <R::Child as Model>::Cols<M>,)> {
                let child = Source::fresh();
                self.add_relation(f(self.cols), child, false);
                self.and(child, R::Child::cols)
            }
            /// Joins related rows; rows without one stay, with NULLs.
            pub fn left_join<R: Rel>(
                mut self,
                f: impl FnOnce(($($A,)*)) -> RelRef<M, R>,
            ) -> Join<M, ($($A,)* Opt<<R::Child as Model>::Cols<M>>,)> {
                let child = Source::fresh();
                self.add_relation(f(self.cols), child, true);
                self.and(child, |c| Opt(R::Child::cols(c)))
            }
            /// Joins any model on a condition.
            pub fn join_on<N: Model, Q: Cond<M>>(
                mut self,
                f: impl FnOnce(($($A,)*), N::Cols<M>) -> Q,
            ) -> Join<M, ($($A,)* N::Cols<M>,)> {
                let source = Source::fresh();
                let on = f(self.cols, N::cols(source)).into_cond();
                self.add_table(table_ref::<N>(source), false, on);
                self.and(source, N::cols)
            }
            /// Joins any model on a condition; rows without a match stay, with NULLs.
            pub fn left_join_on<N: Model, Q: Cond<M>>(
                mut self,
                f: impl FnOnce(($($A,)*), N::Cols<M>) -> Q,
            ) -> Join<M, ($($A,)* Opt<N::Cols<M>>,)> {
                let source = Source::fresh();
                let on = f(self.cols, N::cols(source)).into_cond();
                self.add_table(table_ref::<N>(source), true, on);
                self.and(source, |s| Opt(N::cols(s)))
            }
        }
    };
}
join!(A a);
join!(A a, B b);
join!(A a, B b, C c);
join!(A a, B b, C c, D d);
join!(A a, B b, C c, D d, E e);
join!(A a, B b, C c, D d, E e, F f);
