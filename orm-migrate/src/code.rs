//! Migrations of Rust code, beside those of SQL: they get a transaction on the runner's own session, under its lock and
//! its time limits, and are written to the history in that transaction.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use orm_core::driver::{
    BoxFuture, Connection, Discard, Done, Driver, PoolStatus, Runner, SavepointVerb, Session, Sink, Site,
    TxMode,
};
use orm_core::error::{Error, Result};
use orm_core::exec::{Db, Tx};
use orm_core::schema::Schema;
use orm_core::sql::{Dialect, Sql};

use crate::backfill::Backfill;
use crate::dir::Body;
use crate::wire::Shared;
use crate::{Header, Kind, Migration};

pub(crate) type Apply = Arc<dyn for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<()>> + Send + Sync>;

/// What code does.
#[derive(Clone)]
pub(crate) enum Code {
    /// In one transaction.
    Whole { up: Apply, down: Option<Apply> },
    /// In many.
    Batches(Backfill),
}

impl Code {
    /// Whether it can be undone. A backfill can: nothing is done then.
    pub(crate) fn has_way_back(&self) -> bool {
        match self {
            Code::Whole { down, .. } => down.is_some(),
            Code::Batches(_) => true,
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Whole { .. } => f.write_str("Code"),
            Code::Batches(backfill) => backfill.fmt(f),
        }
    }
}

impl Migration {
    /// A data migration of Rust code, which runs in one transaction. It may see another schema than the program's
    /// models have: statements as text (`sql!`) stay right, and so do queries by [frozen](crate::frozen) models.
    ///
    /// ```
    /// use orm_migrate::Migration;
    /// async fn greet(tx: &mut orm_core::exec::Tx) -> orm_core::error::Result<()> {
    ///     let _ = tx; // statements
    ///     Ok(())
    /// }
    /// let migration = Migration::code(20260131120000, "greet", |tx| Box::pin(greet(tx)))?;
    /// assert!(migration.up().is_none());
    /// # Ok::<(), orm_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` for a name that is not usable.
    pub fn code<F>(version: i64, name: &str, up: F) -> Result<Self>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<()>> + Send + Sync + 'static,
    {
        Migration::of_code(
            version,
            name,
            Code::Whole {
                up: Arc::new(up),
                down: None,
            },
        )
    }

    /// A data migration in batches; see [`Backfill`].
    ///
    /// # Errors
    /// `Config` for a name that is not usable, and for [rows](Backfill::rows) with a key of several columns;
    /// `Unsupported` for rows whose key is no integer, text or UUID.
    pub fn backfill(version: i64, name: &str, backfill: Backfill) -> Result<Self> {
        backfill.check()?;
        Migration::of_code(version, name, Code::Batches(backfill))
    }

    fn of_code(version: i64, name: &str, code: Code) -> Result<Self> {
        // for the rules about names and headers
        let mut migration = Migration::sql(version, name, "", None)?;
        migration.header.kind = Kind::Data;
        migration.body = Body::Code(code);
        Ok(migration)
    }

    /// Adds the way back to a migration of code.
    pub fn with_down<F>(mut self, undo: F) -> Self
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<()>> + Send + Sync + 'static,
    {
        if let Body::Code(Code::Whole { down, .. }) = &mut self.body {
            *down = Some(Arc::new(undo));
        }
        self
    }

    /// The models that its code uses, frozen when it was written ([`frozen::generate`](crate::frozen::generate)). A run
    /// refuses it, before anything is run, when they are not what the last snapshot before it says: each of their tables and
    /// columns is there, under the same key, of the same type, and NULL in both or in neither. Columns that the models do not
    /// have may come and go.
    pub fn frozen(mut self, models: Schema) -> Self {
        self.frozen = Some(models);
        self
    }

    /// Says what a file says in its header.
    pub fn with_header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }
}

/// Runs code on the session, in the transaction that is open there.
pub(crate) async fn run(shared: &Shared, dialect: &'static dyn Dialect, apply: &Apply) -> Result<()> {
    within(shared, dialect, |tx| apply(tx)).await
}

/// As [`run`], for what is called once.
pub(crate) async fn within(
    shared: &Shared,
    dialect: &'static dyn Dialect,
    work: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<()>>,
) -> Result<()> {
    let db = Db::new(Arc::new(Inside::new(shared, dialect)));
    let mut tx = db.begin().await?;
    work(&mut tx).await?;
    tx.commit().await
}

/// The runner's session as a database of one transaction, which its owner opens and ends.
pub(crate) struct Inside {
    shared: Shared,
    dialect: &'static dyn Dialect,
}

impl Inside {
    pub(crate) fn new(shared: &Shared, dialect: &'static dyn Dialect) -> Self {
        Inside {
            shared: shared.clone(),
            dialect,
        }
    }
    async fn one(&self, sql: Sql, sink: Box<dyn Sink>) -> Result<Done> {
        self.shared.lock().await.run(sql, sink).await
    }
    async fn all(&self, batch: Vec<Sql>, mut sink: Box<dyn Sink>) -> Result<Done> {
        let mut session = self.shared.lock().await;
        let mut affected = 0;
        for sql in batch {
            let done = session.run(sql, sink).await?;
            affected += done.affected;
            sink = done.sink;
        }
        Ok(Done { sink, affected })
    }
}

impl Runner for Inside {
    fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.one(sql, sink))
    }
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.all(batch, sink))
    }
}

impl Driver for Inside {
    fn begin<'a>(&'a self, _: TxMode) -> BoxFuture<'a, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let inside = Inside::new(&self.shared, self.dialect);
            Ok(Box::new(inside) as Box<dyn Connection>)
        })
    }
    fn session<'a>(&'a self, _: Option<Site>) -> BoxFuture<'a, Result<Box<dyn Session>>> {
        Box::pin(async move { Err(outside("a session")) })
    }
    fn drop_tables<'a>(&'a self, batch: Vec<Sql>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.all(batch, Box::new(Discard)).await.map(drop) })
    }
    fn status(&self) -> PoolStatus {
        PoolStatus::default()
    }
    fn ping<'a>(&'a self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }
    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl Connection for Inside {
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.one(sql, sink))
    }
    fn run_all<'a>(&'a mut self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.all(batch, sink))
    }
    fn open_cursor<'a>(&'a mut self, _: Sql) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Err(outside("a stream of rows")) })
    }
    fn fetch_cursor<'a>(&'a mut self, _: Box<dyn Sink>) -> BoxFuture<'a, Result<(Box<dyn Sink>, bool)>> {
        Box::pin(async move { Err(outside("a stream of rows")) })
    }
    fn close_cursor<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.shared.lock().await.savepoint(depth, verb).await })
    }
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        // the runner commits, with the history
        Box::pin(async move { Ok(()) })
    }
    fn rollback(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { Ok(()) })
    }
}

fn outside(what: &str) -> Error {
    Error::unsupported(what, "the transaction of a migration")
}
