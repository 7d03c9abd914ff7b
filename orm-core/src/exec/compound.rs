//! Terminals of several queries together: those of one query.

use crate::error::Result;
use crate::exec::{Cursor, InTx, Pending, Serves};
use crate::model::Model;
use crate::query::Compound;
use crate::sql::{Dialect, Sql};
use crate::value::Output;

impl<M: Model, O: Output> Compound<M, O> {
    /// See [`Query::all`](crate::query::Query::all).
    #[track_caller]
    pub fn all<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, Vec<O>> {
        self.into_query().all(ex)
    }
    /// See [`Query::one`](crate::query::Query::one).
    #[track_caller]
    pub fn one<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, O> {
        self.into_query().one(ex)
    }
    /// See [`Query::optional`](crate::query::Query::optional).
    #[track_caller]
    pub fn optional<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, Option<O>> {
        self.into_query().optional(ex)
    }
    /// See [`Query::first`](crate::query::Query::first).
    #[track_caller]
    pub fn first<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, Option<O>> {
        self.into_query().first(ex)
    }
    /// See [`Query::count`](crate::query::Query::count).
    #[track_caller]
    pub fn count<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, i64> {
        self.into_query().count(ex)
    }
    /// See [`Query::exists`](crate::query::Query::exists).
    #[track_caller]
    pub fn exists<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, bool> {
        self.into_query().exists(ex)
    }
    /// See [`Query::stream`](crate::query::Query::stream).
    #[track_caller]
    pub fn stream<'a, E: InTx + Serves<M>>(self, tx: &'a mut E) -> Cursor<'a, O> {
        self.into_query().stream(tx)
    }
    /// See [`Query::to_sql`](crate::query::Query::to_sql).
    pub fn to_sql(&self, dialect: &dyn Dialect) -> Result<Sql> {
        self.clone().into_query().to_sql(dialect)
    }
}
