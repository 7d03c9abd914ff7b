//! Terminals that read.

use std::panic::Location;

use crate::ast::{
    Aggregate, AggregateFn, Distinct, Expr as Node, FromItem, Select, Source, Statement, TableRef,
};
use crate::driver::{Discard, Done};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::{Collect, CollectRaw};
use crate::exec::fetch::{Site, rendered, select, statement};
use crate::exec::load::{load, select_beside, select_keys};
use crate::exec::names::NAMES;
use crate::exec::{Cursor, Exec, InTx, Pending, Raw, Serves};
use crate::model::{Model, Rel};
use crate::query::{Query, RawSql, key_filter};
use crate::relation::Related;
use crate::sql::{self, Dialect, Scope, Sql};
use crate::value::{Expected, Lookup, Output, Rows, not_loaded};

/// What a terminal makes of the rows of a query.
trait Terminal<O> {
    type Out;
    fn finish(rows: Vec<O>) -> Result<Self::Out>;
}
struct All;
impl<O> Terminal<O> for All {
    type Out = Vec<O>;
    fn finish(rows: Vec<O>) -> Result<Vec<O>> {
        Ok(rows)
    }
}
struct First;
impl<O> Terminal<O> for First {
    type Out = Option<O>;
    fn finish(rows: Vec<O>) -> Result<Option<O>> {
        Ok(rows.into_iter().next())
    }
}
struct AtMostOne<M>(M);
impl<M: Model, O> Terminal<O> for AtMostOne<M> {
    type Out = Option<O>;
    fn finish(mut rows: Vec<O>) -> Result<Option<O>> {
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => {
                Err(Error::new(ErrorKind::MoreThanOne, "more than one row found").with_model(M::TABLE.model))
            }
        }
    }
}
struct One<M>(M);
impl<M: Model, O> Terminal<O> for One<M> {
    type Out = O;
    fn finish(rows: Vec<O>) -> Result<O> {
        AtMostOne::<M>::finish(rows)?.ok_or_else(|| Error::not_found(M::TABLE.model))
    }
}

/// The runner of a query that may follow a relation, and may be about the past: what is loaded beside its rows then is
/// of the same time.
pub(crate) fn following<'a, M: Model, O>(mut raw: Raw<'a>, query: &Query<M, O>) -> Raw<'a> {
    let as_of = query.ast().from.as_ref().and_then(|from| from.guard.as_of);
    raw.scope.as_of = as_of.or(raw.scope.as_of);
    Raw {
        relation: query.related(),
        ..raw
    }
}

/// Runs a query and what is loaded beside its rows.
fn run<M: Model, O: Output, T: Terminal<O>>(
    query: Query<M, O>,
    raw: Raw<'_>,
    site: Site,
) -> Pending<'_, T::Out> {
    let raw = following(raw, &query);
    let (ast, loads) = query.into_parts();
    if loads.is_empty() {
        let finish = |done: Done| T::finish(Collect::<O>::take(done.sink)?);
        return select::<O, _>(raw, ast, M::TABLE, finish, site);
    }
    let rows = Rows::<O>::collector();
    let loaded = async move { load(&raw, ast, loads, rows, M::TABLE, site).await };
    Pending::loaded(Box::pin(loaded), |loaded| T::finish(loaded.finish::<O>()?))
}

fn count(done: Done) -> Result<i64> {
    let first = Collect::<i64>::take(done.sink)?.pop();
    first.ok_or_else(|| Error::new(ErrorKind::Database, "count returned no row"))
}

/// A limit, unless the query has a smaller one.
fn at_most(ast: &mut Select, n: u64) {
    ast.limit = Some(ast.limit.map_or(n, |l| l.min(n)));
}

impl<M: Model, O: Output> Query<M, O> {
    /// All rows.
    #[track_caller]
    pub fn all<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, Vec<O>> {
        run::<M, O, All>(self, ex.raw(), Location::caller())
    }
    /// The only row: `NotFound` when there is none, `MoreThanOne` when there are several.
    #[track_caller]
    pub fn one<'a, E: Serves<M> + ?Sized>(mut self, ex: &'a E) -> Pending<'a, O> {
        at_most(self.ast_mut(), 2);
        run::<M, O, One<M>>(self, ex.raw(), Location::caller())
    }
    /// The only row if there is one: `MoreThanOne` when there are several.
    #[track_caller]
    pub fn optional<'a, E: Serves<M> + ?Sized>(mut self, ex: &'a E) -> Pending<'a, Option<O>> {
        at_most(self.ast_mut(), 2);
        run::<M, O, AtMostOne<M>>(self, ex.raw(), Location::caller())
    }
    /// The first row in the query's order, if there is one.
    #[track_caller]
    pub fn first<'a, E: Serves<M> + ?Sized>(mut self, ex: &'a E) -> Pending<'a, Option<O>> {
        at_most(self.ast_mut(), 1);
        run::<M, O, First>(self, ex.raw(), Location::caller())
    }
    /// The row of this key among those of the query, or `NotFound`.
    #[track_caller]
    pub fn get<'a, E: Serves<M> + ?Sized>(mut self, ex: &'a E, id: M::Id) -> Pending<'a, O> {
        let source = self.ast().root();
        self.ast_mut().filter.extend(key_filter(M::TABLE, source, id));
        run::<M, O, One<M>>(self, ex.raw(), Location::caller())
    }
    /// Rows one by one with bounded memory; the transaction rests meanwhile. Relations are loaded for some hundred rows
    /// at a time.
    #[track_caller]
    pub fn stream<'a, E: InTx + Serves<M>>(self, tx: &'a mut E) -> Cursor<'a, O> {
        let raw = following(Exec::raw(tx), &self);
        let (ast, loads) = self.into_parts();
        Cursor::new(raw, tx.tx(), ast, loads, M::TABLE, Location::caller())
    }
}

impl<M: Model, O> Query<M, O> {
    /// How many rows the query yields. Order does not matter and is left out; a limit counts.
    #[track_caller]
    pub fn count<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, i64> {
        let raw = following(ex.raw(), &self);
        let (mut ast, loads) = self.into_parts();
        // equal rows with other related rows are not equal
        match select_keys(&mut ast, &loads) {
            Ok(()) => select::<i64, _>(raw, counting(ast), M::TABLE, count, Location::caller()),
            Err(e) => Pending::failed(e),
        }
    }
    /// Whether the query yields any row.
    #[track_caller]
    pub fn exists<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, bool> {
        let raw = following(ex.raw(), &self);
        let mut ast = self.into_ast();
        at_most(&mut ast, 1);
        ast.order.clear();
        let plain = ast.group.is_empty() && ast.compound.is_empty() && matches!(ast.distinct, Distinct::No);
        // aggregates of no rows are a row
        if plain && !is_aggregated(&ast) {
            ast.columns = vec![Node::one()];
        }
        let any = |done: Done| Ok(done.sink.rows() > 0);
        statement(
            raw,
            Statement::Select(ast),
            Some(M::TABLE),
            Collect::<Ignored>::boxed(),
            any,
            Location::caller(),
        )
    }
    /// The text and the binds this query has in a dialect, for reading. Actor and tenant are not bound: a query on a
    /// tenant-scoped model is an `InvalidQuery` error here. Of relations that are loaded beside the rows it shows the
    /// columns that relate them, or the join.
    pub fn to_sql(&self, dialect: &dyn Dialect) -> Result<Sql> {
        let (mut ast, loads) = self.clone().into_parts();
        select_beside(&mut ast, &loads)?;
        sql::render_select(&ast, dialect, &Scope::default())
    }
}

/// What hand-written SQL can fill.
fn alone<O: Output>() -> Result<()> {
    match O::LOADS {
        false => Ok(()),
        true => Err(not_loaded()),
    }
}

/// A row whose cells do not matter.
struct Ignored;
impl Output for Ignored {
    type Local = ();
    fn decode(_: &mut crate::value::Row<'_>) -> Result<()> {
        Ok(())
    }
    fn assemble(_: (), _: &mut crate::value::Loads<'_>) -> Result<Self> {
        Ok(Ignored)
    }
    fn columns(_: &mut Vec<Expected>) -> Lookup {
        Lookup::Position
    }
}

fn count_rows() -> Node {
    let (args, order) = (Vec::new(), Vec::new());
    Node::Aggregate(Box::new(Aggregate {
        function: AggregateFn::Count,
        args,
        distinct: false,
        filter: None,
        order,
    }))
}

fn is_aggregated(ast: &Select) -> bool {
    ast.columns.iter().any(|c| matches!(c, Node::Aggregate(_)))
}

/// `count(*)` over the query: directly where its rows are those of the tables, else around it.
pub(crate) fn counting(mut ast: Box<Select>) -> Box<Select> {
    ast.order.clear();
    ast.lock = None;
    let plain = ast.group.is_empty()
        && ast.compound.is_empty()
        && ast.limit.is_none()
        && ast.offset.is_none()
        && matches!(ast.distinct, Distinct::No)
        && !is_aggregated(&ast);
    if plain {
        ast.columns = vec![count_rows()];
        return ast;
    }
    let columns = names(ast.columns.len());
    let item = FromItem::Query {
        query: ast,
        columns,
        lateral: false,
    };
    let mut outer = Select::from(TableRef::unguarded(Source::fresh(), item));
    outer.columns = vec![count_rows()];
    Box::new(outer)
}

/// Names for the columns of a derived table that nobody refers to.
fn names(n: usize) -> Vec<&'static str> {
    NAMES.get(..n).map_or_else(Vec::new, <[&str]>::to_vec)
}

impl<R: Rel> Related<R> {
    /// See [`Query::all`].
    #[track_caller]
    pub fn all<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, Vec<R::Child>> {
        self.query().all(ex)
    }
    /// See [`Query::one`].
    #[track_caller]
    pub fn one<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, R::Child> {
        self.query().one(ex)
    }
    /// See [`Query::optional`].
    #[track_caller]
    pub fn optional<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, Option<R::Child>> {
        self.query().optional(ex)
    }
    /// See [`Query::first`].
    #[track_caller]
    pub fn first<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, Option<R::Child>> {
        self.query().first(ex)
    }
    /// See [`Query::get`].
    #[track_caller]
    pub fn get<'a, E: Serves<R::Child> + ?Sized>(
        self,
        ex: &'a E,
        id: <R::Child as Model>::Id,
    ) -> Pending<'a, R::Child> {
        self.query().get(ex, id)
    }
    /// See [`Query::count`].
    #[track_caller]
    pub fn count<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, i64> {
        self.query().count(ex)
    }
    /// See [`Query::exists`].
    #[track_caller]
    pub fn exists<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, bool> {
        self.query().exists(ex)
    }
    /// See [`Query::stream`].
    #[track_caller]
    pub fn stream<'a, E: InTx + Serves<R::Child>>(self, tx: &'a mut E) -> Cursor<'a, R::Child> {
        self.query().stream(tx)
    }
    /// See [`Query::to_sql`].
    pub fn to_sql(self, dialect: &dyn Dialect) -> Result<Sql> {
        self.query().to_sql(dialect)
    }
}

impl RawSql {
    /// All rows: tuples and columns by position, models and shapes by column name. A shape with relations is an
    /// `InvalidQuery` error: its relations are statements of their own.
    ///
    /// A statement does not tell the scale of its decimals, which counts where a database stores them as integers
    /// (SQLite, up to 18 digits). Columns of models, shapes and embedded structs know theirs; a decimal that is read by
    /// itself or in a tuple is a `Decode` error there.
    #[track_caller]
    pub fn fetch<'a, O: Output, E: Exec + ?Sized>(self, ex: &'a E) -> Pending<'a, Vec<O>> {
        let raw = ex.raw();
        let render = || sql::render_owned(Statement::Raw(self.into_ast()), raw.runner.dialect(), &raw.scope);
        match alone::<O>().and_then(|()| render()) {
            Ok(sql) => {
                let sink = CollectRaw::<O>::boxed();
                rendered(raw, sql, None, sink, CollectRaw::<O>::take, Location::caller())
            }
            Err(e) => Pending::failed(e),
        }
    }
    /// The first row, if there is one.
    #[track_caller]
    pub fn fetch_optional<'a, O: Output, E: Exec + ?Sized>(self, ex: &'a E) -> Pending<'a, Option<O>> {
        let (raw, site) = (ex.raw(), Location::caller());
        if let Err(e) = alone::<O>() {
            return Pending::failed(e);
        }
        let take = |done| Ok(CollectRaw::<O>::take(done)?.into_iter().next());
        statement(
            raw,
            Statement::Raw(self.into_ast()),
            None,
            CollectRaw::<O>::boxed(),
            take,
            site,
        )
    }
    /// The first row, or `NotFound`.
    #[track_caller]
    pub fn fetch_one<'a, O: Output, E: Exec + ?Sized>(self, ex: &'a E) -> Pending<'a, O> {
        let (raw, site) = (ex.raw(), Location::caller());
        if let Err(e) = alone::<O>() {
            return Pending::failed(e);
        }
        let take = |done| {
            let row = CollectRaw::<O>::take(done)?.into_iter().next();
            row.ok_or_else(|| Error::new(ErrorKind::NotFound, "the statement returned no row"))
        };
        statement(
            raw,
            Statement::Raw(self.into_ast()),
            None,
            CollectRaw::<O>::boxed(),
            take,
            site,
        )
    }
    /// Runs the statement; how many rows it changed.
    #[track_caller]
    pub fn exec<'a, E: Exec + ?Sized>(self, ex: &'a E) -> Pending<'a, u64> {
        let (raw, site) = (ex.raw(), Location::caller());
        statement(
            raw,
            Statement::Raw(self.into_ast()),
            None,
            Box::new(Discard),
            |d| Ok(d.affected),
            site,
        )
    }
    /// The text and the binds in a dialect, for reading.
    pub fn to_sql(&self, dialect: &dyn Dialect) -> Result<Sql> {
        sql::render_owned(
            Statement::Raw(self.clone().into_ast()),
            dialect,
            &Scope::default(),
        )
    }
}
