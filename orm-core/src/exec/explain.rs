//! EXPLAIN of queries and writes: the statement that would be sent, asked about instead.

use std::future::IntoFuture;
use std::panic::Location;

use crate::ast::{Select, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Values;
use crate::exec::fetch::Site;
use crate::exec::load::select_beside;
use crate::exec::observe::{Observation, sign};
use crate::exec::read::following;
use crate::exec::transaction::mode_at;
use crate::exec::write::parts_of;
use crate::exec::{Exec, Pending, Raw, Serves, Tx, Writes, bulk, context, parts};
use crate::model::{Insertable, Model, Rel, Writable};
use crate::query::{
    Batch, Changed, Compound, DeleteWhere, Insert, InsertFrom, InsertParts, JoinedDelete, JoinedUpdate,
    Query, RawSql, Root, SetWrite, Update, UpdateWhere, UpsertAll, UpsertNothing, UpsertUpdate,
    insert_statement,
};
use crate::relation::Related;
use crate::schema::Table;
use crate::sql::plan::{ExplainOptions, Plan};
use crate::sql::{self, Sql};
use crate::value::{Output, Value};

/// A question about a query or write: how will the database answer it? Awaited, it gives the [`Plan`]; with
/// [`analyze`](Explain::analyze) the statement runs and the plan says what happened.
///
/// ```
/// # use orm_core::{exec::{Db, Serves}, model::Model, query::Query};
/// # async fn look<M: Model>(query: Query<M>, db: &Db) -> orm_core::error::Result<()> where Db: Serves<M> {
/// let plan = query.clone().explain(db).await?;
/// println!("{plan}");
/// let measured = query.explain(db).analyze().buffers().await?;
/// # Ok(()) }
/// ```
///
/// ```sql
/// EXPLAIN (FORMAT JSON) SELECT …                      -- PostgreSQL
/// EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS) SELECT …
/// EXPLAIN QUERY PLAN SELECT …                         -- SQLite
/// ```
///
/// Values are bound as in the statement itself, and the planner sees them. A plan shows them in its conditions, unless a
/// column of the statement is sensitive: then conditions are hidden.
#[must_use = "nothing is asked until it is awaited"]
pub struct Explain<'a> {
    raw: Raw<'a>,
    statement: Result<Sql>,
    table: Option<&'static Table>,
    options: ExplainOptions,
    site: Site,
}

impl<'a> Explain<'a> {
    fn of(raw: Raw<'a>, statement: Result<Statement>, table: Option<&'static Table>, site: Site) -> Self {
        let statement = statement.and_then(|statement| {
            if let Some(table) = parts::written(&statement, table) {
                let text = "rows of this model are written by several statements, one for each of its tables";
                return Err(Error::new(ErrorKind::InvalidQuery, text).with_model(table.model));
            }
            sql::render_owned(statement, raw.runner.dialect(), &raw.scope)
        });
        Explain {
            raw,
            statement,
            table,
            options: ExplainOptions::default(),
            site,
        }
    }
    /// Runs the statement, and tells how many rows each step had and how long it took. Whatever it did is rolled back:
    /// it runs in a transaction of its own, or in a savepoint of the one that is open. What no transaction takes back stays:
    /// numbers that were drawn from a sequence, and what functions and triggers do outside of the database. Hooks and
    /// validators of the model are not called. `Unsupported` on SQLite, which does not measure.
    pub fn analyze(mut self) -> Self {
        self.options.analyze = true;
        self
    }
    /// Tells how many blocks each step found in the cache, read and wrote (PostgreSQL).
    pub fn buffers(mut self) -> Self {
        self.options.buffers = true;
        self
    }
    /// Tells what each step yields, and schemas (PostgreSQL).
    pub fn verbose(mut self) -> Self {
        self.options.verbose = true;
        self
    }
    /// Tells which settings of the session made a difference to the planner (PostgreSQL).
    pub fn settings(mut self) -> Self {
        self.options.settings = true;
        self
    }
    /// Tells how much was written to the log; needs [`analyze`](Explain::analyze) (PostgreSQL).
    pub fn wal(mut self) -> Self {
        self.options.wal = true;
        self
    }
    /// Counts rows without looking at the clock for each of them, which can cost more than the statement; needs
    /// [`analyze`](Explain::analyze) (PostgreSQL).
    pub fn without_timing(mut self) -> Self {
        self.options.without_timing = true;
        self
    }
}

impl<'a> IntoFuture for Explain<'a> {
    type Output = Result<Plan>;
    type IntoFuture = Pending<'a, Plan>;
    fn into_future(self) -> Pending<'a, Plan> {
        let dialect = self.raw.runner.dialect();
        let asked = self
            .statement
            .and_then(|sql| Ok((sql.text.clone(), sql::explained(sql, &self.options, dialect)?)));
        let (text, mut sql) = match asked {
            Ok(asked) => asked,
            Err(e) => return Pending::failed(e),
        };
        let (raw, table, site, analyze) = (self.raw, self.table, self.site, self.options.analyze);
        Pending::steps(async move {
            sign(raw.shared, &mut sql, site);
            let sensitive = sql.sensitive;
            let rows = match analyze {
                true => undone(&raw, sql, table, site).await?,
                false => run(&raw, sql, table, site).await?,
            };
            let mut plan = dialect.plan(rows, &text)?;
            if sensitive {
                plan.hide_values();
            }
            Ok(plan)
        })
    }
}

async fn run(raw: &Raw<'_>, sql: Sql, table: Option<&'static Table>, site: Site) -> Result<Vec<Vec<Value>>> {
    let mut seen = Observation::new(raw, &sql, site, table);
    let sink = Values::boxed(sql.columns.to_vec());
    seen.start();
    let result = context::run(raw, table, sql, sink).await;
    Values::take(seen.finish(result)?.sink)
}

/// Runs it where all that it does is taken back.
async fn undone(
    raw: &Raw<'_>,
    sql: Sql,
    table: Option<&'static Table>,
    site: Site,
) -> Result<Vec<Vec<Value>>> {
    let tx = match raw.tx {
        // the savepoint is of the same transaction: nobody else has asked for a connection
        Some(tx) => tx.nested(Default::default()).await?,
        None => Tx::open(raw.shared, mode_at(site)).await?,
    };
    let inside = Raw {
        scope: raw.scope.clone(),
        relation: raw.relation,
        ..tx.raw()
    };
    let rows = run(&inside, sql, table, site).await;
    let ended = tx.rollback().await;
    let rows = rows?;
    ended.map(|()| rows)
}

/// There is no statement to ask about.
fn nothing(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidQuery, what)
}

impl<M: Model, O: Output> Query<M, O> {
    /// How the database answers this query: the statement of [`all`](Query::all). Relations that are loaded by statements
    /// of their own are not part of it.
    ///
    /// ```sql
    /// EXPLAIN (FORMAT JSON) SELECT …    -- PostgreSQL
    /// EXPLAIN QUERY PLAN SELECT …       -- SQLite
    /// ```
    #[track_caller]
    pub fn explain<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let raw = following(ex.raw(), &self);
        let (mut ast, loads) = self.into_parts();
        let ast = select_beside(&mut ast, &loads).map(|()| ast);
        selected(raw, ast, M::TABLE, Location::caller())
    }
}

/// A question about a SELECT.
pub(crate) fn selected<'a>(
    raw: Raw<'a>,
    ast: Result<Box<Select>>,
    table: &'static Table,
    site: Site,
) -> Explain<'a> {
    Explain::of(raw, ast.map(Statement::Select), Some(table), site)
}

impl<M: Model, O: Output> Compound<M, O> {
    /// See [`Query::explain`].
    #[track_caller]
    pub fn explain<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        self.into_query().explain(ex)
    }
}

impl<R: Rel> Related<R> {
    /// See [`Query::explain`].
    #[track_caller]
    pub fn explain<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        self.query().explain(ex)
    }
}

impl RawSql {
    /// How the database answers this statement; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Exec + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let statement = Ok(Statement::Raw(self.into_ast()));
        Explain::of(ex.raw(), statement, None, Location::caller())
    }
}

impl<M: Model> UpdateWhere<M> {
    /// How the database carries out this change; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(Vec::new()), Location::caller())
    }
}

impl<M: Model> Update<M> {
    /// How the database carries out this change; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let statement = self
            .into_statement()
            .ok_or_else(|| nothing("no column is set, so that the row is only read"));
        Explain::of(ex.raw(), statement, Some(M::TABLE), Location::caller())
    }
}

impl<M: Model> DeleteWhere<M> {
    /// How the database deletes these rows; see [`Explain`]. What relations take along (`cascade = delete`) are statements
    /// of their own and not part of it.
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(Vec::new()), Location::caller())
    }
}

/// A question about a write of many rows.
fn of_many<M: Model>(raw: Raw<'_>, write: SetWrite, site: Site) -> Explain<'_> {
    let statement = match write.fault {
        Some(fault) => Err(Error::new(ErrorKind::InvalidQuery, fault.to_string()).with_model(M::TABLE.model)),
        None if write.idle => Err(nothing("no column is set, so that nothing is sent")),
        None => Ok(write.statement),
    };
    Explain::of(raw, statement, Some(M::TABLE), site)
}

impl<M: Model, C: Copy> JoinedUpdate<M, C> {
    /// How the database carries out this change; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(Vec::new()), Location::caller())
    }
}

impl<M: Model, C: Copy> JoinedDelete<M, C> {
    /// How the database deletes these rows; see [`DeleteWhere::explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(Vec::new()), Location::caller())
    }
}

impl<M: Model, Q: Root> InsertFrom<M, Q> {
    /// How the database inserts the rows of the query; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + Serves<Q::Model> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(Vec::new()), Location::caller())
    }
}

impl<M: Model, O, N: Model> Changed<M, O, N> {
    /// How the database carries out this write; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + Serves<N> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        of_many::<M>(ex.raw(), self.into_write(), Location::caller())
    }
}

/// A question about an INSERT.
fn inserted<M: Model>(raw: Raw<'_>, parts: InsertParts, site: Site) -> Explain<'_> {
    let statement = Statement::Insert(Box::new(insert_statement(M::TABLE, parts)));
    Explain::of(raw, Ok(statement), Some(M::TABLE), site)
}

impl<M: Insertable> Insert<M> {
    /// How the database inserts this row; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        inserted::<M>(ex.raw(), parts_of(self.into_batch(), true), Location::caller())
    }
}

/// A question about the first statement that inserts some rows.
pub(crate) fn inserted_all<M: Model>(raw: Raw<'_>, batch: Batch, site: Site) -> Explain<'_> {
    let planned = bulk::plan(batch, M::TABLE, raw.runner.dialect().features(), true);
    let first = planned.and_then(|(parts, _)| {
        let first = parts.into_iter().next();
        first.ok_or_else(|| nothing("there are no rows, so that nothing is sent"))
    });
    let insert = |parts| Statement::Insert(Box::new(insert_statement(M::TABLE, parts)));
    Explain::of(raw, first.map(insert), Some(M::TABLE), site)
}

impl<M: Insertable> UpsertNothing<M> {
    /// How the database inserts this row; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let statement = Ok(self.into_statement());
        Explain::of(ex.raw(), statement, Some(M::TABLE), Location::caller())
    }
}

impl<M: Writable> UpsertUpdate<M> {
    /// How the database inserts or changes this row; see [`Explain`].
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let statement = Ok(self.into_statement());
        Explain::of(ex.raw(), statement, Some(M::TABLE), Location::caller())
    }
}

impl<M: Writable> UpsertAll<M> {
    /// How the database inserts or changes the first of these rows; see [`Explain`]. Each takes a statement of its own.
    #[track_caller]
    pub fn explain<'a, E: Writes<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let statement = self
            .into_statement()
            .ok_or_else(|| nothing("there are no rows, so that nothing is sent"));
        Explain::of(ex.raw(), statement, Some(M::TABLE), Location::caller())
    }
}
