//! `user.posts()`: the related rows of one row in memory, as a query.

use crate::ast::{Expr as Node, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FilterRef, Filtered, Model, Rel, SoftDelete};
use crate::query::{
    Aggregates, ColsOf, Cond, Grouped, IntoSource, Join, LeadsBack, LeadsDown, MaybeOf, Opt, Orders, Paged,
    Phantom, Projection, Query, Selection, Walk, Window, all_fields,
};
use crate::relation::{LoadOf, RelRef, filter::related_rows};
use crate::value::Value;

/// The related rows of one row in memory. Every query method narrows it.
#[must_use = "a query does nothing until a method such as `.all(&db)` runs it"]
pub struct Related<R: Rel> {
    /// `None`: the foreign key is NULL, so there is no related row.
    key: Option<Vec<Value>>,
    _p: Phantom<R>,
}

type ChildCols<R> = <<R as Rel>::Child as Model>::Cols<<R as Rel>::Child>;

impl<R: Rel> Related<R> {
    /// Rows related to this one. Called by generated code.
    pub fn of(parent: &R::Parent) -> Self {
        Related {
            key: R::key(parent),
            _p: std::marker::PhantomData,
        }
    }
    /// The key of the row, for what links to it.
    pub(crate) fn into_key(self) -> Result<Vec<Value>> {
        self.key.ok_or_else(|| {
            let text = "a key that is NULL relates to nothing";
            let e = Error::new(ErrorKind::InvalidQuery, text);
            e.with_model(R::DEF.model).with_field(R::DEF.name)
        })
    }
    /// As a plain [`Query`], for a variable that is narrowed later or for code that takes one.
    pub fn query(self) -> Query<R::Child> {
        let child = Source::fresh();
        let absent = self.key.is_none();
        let parents = self
            .key
            .unwrap_or_default()
            .into_iter()
            .map(Node::Value)
            .collect();
        let mut select = related_rows(R::DEF, child, parents);
        select.columns = all_fields::<R::Child>(child);
        if absent {
            select.filter.push(Node::Any(Vec::new()));
        }
        Query::from_ast(Box::new(select)).following(Some(R::DEF))
    }
    /// See [`Query::filter`].
    pub fn filter<C: Cond<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> C) -> Query<R::Child> {
        self.query().filter(f)
    }
    /// See [`Query::filter_some`].
    pub fn filter_some<V, C: Cond<R::Child>>(
        self,
        value: Option<V>,
        f: impl FnOnce(ChildCols<R>, V) -> C,
    ) -> Query<R::Child> {
        self.query().filter_some(value, f)
    }
    /// See [`Query::order_by`].
    pub fn order_by<T: Orders<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> T) -> Query<R::Child> {
        self.query().order_by(f)
    }
    /// See [`Query::limit`].
    pub fn limit(self, n: u64) -> Query<R::Child> {
        self.query().limit(n)
    }
    /// See [`Query::offset`].
    pub fn offset(self, n: u64) -> Query<R::Child> {
        self.query().offset(n)
    }
    /// See [`Query::distinct`].
    pub fn distinct(self) -> Query<R::Child> {
        self.query().distinct()
    }
    /// See [`Query::distinct_on`].
    pub fn distinct_on<T: Selection<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> T) -> Query<R::Child> {
        self.query().distinct_on(f)
    }
    /// See [`Query::window`].
    pub fn window(
        self,
        name: &'static str,
        f: impl FnOnce(ChildCols<R>, Window<R::Child>) -> Window<R::Child>,
    ) -> Query<R::Child> {
        self.query().window(name, f)
    }
    /// See [`Query::with_deleted`].
    pub fn with_deleted(self) -> Query<R::Child>
    where
        R::Child: SoftDelete,
    {
        self.query().with_deleted()
    }
    /// See [`Query::only_deleted`].
    pub fn only_deleted(self) -> Query<R::Child>
    where
        R::Child: SoftDelete,
    {
        self.query().only_deleted()
    }
    /// See [`Query::without_filter`].
    pub fn without_filter(
        self,
        f: impl FnOnce(<R::Child as Filtered>::Filters) -> FilterRef<R::Child>,
    ) -> Query<R::Child>
    where
        R::Child: Filtered,
    {
        self.query().without_filter(f)
    }
    /// See [`Query::without_filters`].
    pub fn without_filters(self) -> Query<R::Child>
    where
        R::Child: Filtered,
    {
        self.query().without_filters()
    }
    /// See [`Query::for_update`].
    pub fn for_update(self) -> Query<R::Child> {
        self.query().for_update()
    }
    /// See [`Query::for_share`].
    pub fn for_share(self) -> Query<R::Child> {
        self.query().for_share()
    }
    /// See [`Query::for_no_key_update`].
    pub fn for_no_key_update(self) -> Query<R::Child> {
        self.query().for_no_key_update()
    }
    /// See [`Query::for_key_share`].
    pub fn for_key_share(self) -> Query<R::Child> {
        self.query().for_key_share()
    }
    /// See [`Query::own_rows_only`].
    pub fn own_rows_only(self) -> Query<R::Child> {
        self.query().own_rows_only()
    }
    /// See [`Query::no_wait`].
    pub fn no_wait(self) -> Query<R::Child> {
        self.query().no_wait()
    }
    /// See [`Query::skip_locked`].
    pub fn skip_locked(self) -> Query<R::Child> {
        self.query().skip_locked()
    }
    /// See [`Query::with`].
    pub fn with<L: LoadOf<R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> L,
    ) -> Query<R::Child, L::Out<R::Child>> {
        self.query().with(f)
    }
    /// See [`Query::shape`].
    pub fn shape<N: Projection<Model = R::Child>>(self) -> Query<R::Child, N> {
        self.query().shape()
    }
    /// See [`Query::page`].
    pub fn page(self, size: u64) -> Paged<R::Child> {
        self.query().page(size)
    }
    /// See [`Query::select`].
    pub fn select<T: Selection<R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> T,
    ) -> Query<R::Child, T::Out> {
        self.query().select(f)
    }
    /// See [`Query::aggregate`].
    pub fn aggregate<T: Aggregates<R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> T,
    ) -> Query<R::Child, T::Out> {
        self.query().aggregate(f)
    }
    /// See [`Query::group_by`].
    pub fn group_by<K: Selection<R::Child> + Clone>(
        self,
        f: impl FnOnce(ChildCols<R>) -> K,
    ) -> Grouped<R::Child, ChildCols<R>, K> {
        self.query().group_by(f)
    }
    /// See [`Query::join`].
    pub fn join<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Join<R::Child, (ChildCols<R>, <R2::Child as Model>::Cols<R::Child>)> {
        self.query().join(f)
    }
    /// See [`Query::left_join`].
    pub fn left_join<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Join<R::Child, (ChildCols<R>, Opt<<R2::Child as Model>::Cols<R::Child>>)> {
        self.query().left_join(f)
    }
    /// See [`Query::join_on`].
    pub fn join_on<N: IntoSource, C: Cond<R::Child>>(
        self,
        other: N,
        f: impl FnOnce(ChildCols<R>, ColsOf<N, R::Child>) -> C,
    ) -> Join<R::Child, (ChildCols<R>, ColsOf<N, R::Child>)> {
        self.query().join_on(other, f)
    }
    /// See [`Query::left_join_on`].
    pub fn left_join_on<N: IntoSource, C: Cond<R::Child>>(
        self,
        other: N,
        f: impl FnOnce(ChildCols<R>, ColsOf<N, R::Child>) -> C,
    ) -> Join<R::Child, (ChildCols<R>, MaybeOf<N, R::Child>)> {
        self.query().left_join_on(other, f)
    }
    /// See [`Query::right_join`].
    pub fn right_join<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Join<R::Child, (Opt<ChildCols<R>>, <R2::Child as Model>::Cols<R::Child>)> {
        self.query().right_join(f)
    }
    /// See [`Query::full_join`].
    pub fn full_join<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Join<R::Child, (Opt<ChildCols<R>>, Opt<<R2::Child as Model>::Cols<R::Child>>)> {
        self.query().full_join(f)
    }
    /// See [`Query::right_join_on`].
    pub fn right_join_on<N: IntoSource, C: Cond<R::Child>>(
        self,
        other: N,
        f: impl FnOnce(ChildCols<R>, ColsOf<N, R::Child>) -> C,
    ) -> Join<R::Child, (Opt<ChildCols<R>>, ColsOf<N, R::Child>)> {
        self.query().right_join_on(other, f)
    }
    /// See [`Query::full_join_on`].
    pub fn full_join_on<N: IntoSource, C: Cond<R::Child>>(
        self,
        other: N,
        f: impl FnOnce(ChildCols<R>, ColsOf<N, R::Child>) -> C,
    ) -> Join<R::Child, (Opt<ChildCols<R>>, MaybeOf<N, R::Child>)> {
        self.query().full_join_on(other, f)
    }
    /// See [`Query::cross_join`].
    pub fn cross_join<N: IntoSource>(self, other: N) -> Join<R::Child, (ChildCols<R>, ColsOf<N, R::Child>)> {
        self.query().cross_join(other)
    }
    /// See [`Query::join_lateral`].
    pub fn join_lateral<N: IntoSource>(
        self,
        f: impl FnOnce(ChildCols<R>) -> N,
    ) -> Join<R::Child, (ChildCols<R>, ColsOf<N, R::Child>)> {
        self.query().join_lateral(f)
    }
    /// See [`Query::left_join_lateral`].
    pub fn left_join_lateral<N: IntoSource>(
        self,
        f: impl FnOnce(ChildCols<R>) -> N,
    ) -> Join<R::Child, (ChildCols<R>, MaybeOf<N, R::Child>)> {
        self.query().left_join_lateral(f)
    }
    /// See [`Query::walk`].
    pub fn walk<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Walk<R2>
    where
        R2::Child: LeadsBack<R::Child>,
    {
        self.query().walk(f)
    }
    /// See [`Query::roots`].
    pub fn roots<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Query<R::Child>
    where
        R2::Child: LeadsBack<R::Child>,
        R2::Card: LeadsDown,
    {
        self.query().roots(f)
    }
    /// See [`Query::leaves`].
    pub fn leaves<R2: Rel<Parent = R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> RelRef<R::Child, R2>,
    ) -> Query<R::Child>
    where
        R2::Child: LeadsBack<R::Child>,
        R2::Card: LeadsDown,
    {
        self.query().leaves(f)
    }
}

impl<R: Rel> From<Related<R>> for Query<R::Child> {
    fn from(related: Related<R>) -> Self {
        related.query()
    }
}
