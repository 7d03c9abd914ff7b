//! What the tests of the runner share: sets of files, short ways to look at a database, a driver that dies when told to.

use std::any::Any;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use orm::driver::{
    BoxFuture, Connection, Discard, Done, Driver, PoolStatus, Runner, SavepointVerb, Session, Sink, Site,
    TxMode,
};
use orm::prelude::*;
use orm::sql::{Dialect, Effort, Sql};
use orm::value::{Cells, Type};
use orm_migrate::{Backend, Migrations};
use tokio::sync::Notify;

pub(crate) fn set(files: &[(&str, &str)]) -> Migrations {
    Migrations::of(files.iter().copied()).unwrap()
}

pub(crate) fn backend(db: &Db) -> Backend {
    Backend::of(db).unwrap()
}

pub(crate) fn is_postgres(db: &Db) -> bool {
    backend(db) == Backend::Postgres
}

/// A statement without binds: one that reads tells the types of its columns.
pub(crate) fn statement(text: &str, columns: &[Type]) -> Sql {
    Sql {
        text: text.into(),
        params: vec![],
        columns: columns.into(),
        effort: Effort::Long,
        writes: columns.is_empty(),
        operation: "TEST",
        target: None,
        sensitive: false,
        site: None,
    }
}

pub(crate) async fn exec(db: &Db, text: &str) -> orm::Result<()> {
    db.driver()
        .run(statement(text, &[]), Box::new(Discard))
        .await
        .map(drop)
}

struct Texts(Vec<String>);
impl Sink for Texts {
    fn row(&mut self, cells: &dyn Cells) -> orm::Result<()> {
        self.0.push(cells.text(0)?.unwrap_or("NULL").to_owned());
        Ok(())
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The texts of the first column.
pub(crate) async fn texts(db: &Db, query: &str) -> Vec<String> {
    let sql = statement(query, &[Type::Text]);
    let done = db.driver().run(sql, Box::new(Texts(vec![]))).await.unwrap();
    done.sink.into_any().downcast::<Texts>().unwrap().0
}

/// The names of the tables, without the runner's own.
pub(crate) async fn tables(db: &Db) -> Vec<String> {
    let query = match backend(db) {
        Backend::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        }
    };
    let found = texts(db, query).await;
    found
        .into_iter()
        .filter(|t| !t.starts_with("orm_migration"))
        .collect()
}

/// `version status step` of each row of the history.
pub(crate) async fn history(db: &Db) -> Vec<String> {
    let text = if is_postgres(db) { "::text" } else { "" };
    let query =
        format!("SELECT id{text} || ' ' || status || ' ' || step{text} FROM orm_migrations ORDER BY id");
    texts(db, &query).await
}

/// Where the driver dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the statement is sent.
    Before,
    /// With the statement under way.
    Amid,
    /// When the statement is finished, and before anybody knows.
    After,
}

/// When and how.
pub(crate) struct Death {
    pub(crate) at: usize,
    pub(crate) when: When,
    /// The whole process, instead of the one future.
    pub(crate) abort: bool,
    calls: AtomicUsize,
    pub(crate) dead: Notify,
}

impl Death {
    pub(crate) fn new(at: usize, when: When, abort: bool) -> Arc<Self> {
        Arc::new(Death {
            at,
            when,
            abort,
            calls: AtomicUsize::new(0),
            dead: Notify::new(),
        })
    }
    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
    async fn die<T>(&self) -> T {
        if self.abort {
            std::process::abort();
        }
        self.dead.notify_one();
        pending().await
    }
    /// Runs a call of the session, or dies beside it.
    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return call.await;
        }
        let mut call = pin!(call);
        match self.when {
            When::Before => self.die().await,
            When::Amid => {
                poll_fn(|cx| {
                    let _ = call.as_mut().poll(cx);
                    Poll::Ready(())
                })
                .await;
                self.die().await
            }
            When::After => {
                call.await;
                self.die().await
            }
        }
    }
}

/// A database whose sessions die.
pub(crate) fn mortal(db: &Db, death: &Arc<Death>) -> Db {
    Db::new(Arc::new(Mortal {
        db: db.clone(),
        death: death.clone(),
    }))
}

struct Mortal {
    db: Db,
    death: Arc<Death>,
}

impl Runner for Mortal {
    fn dialect(&self) -> &'static dyn Dialect {
        self.db.dialect()
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, orm::Result<Done>> {
        self.db.driver().run(sql, sink)
    }
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, orm::Result<Done>> {
        self.db.driver().run_all(batch, sink)
    }
}

impl Driver for Mortal {
    fn begin<'a>(&'a self, mode: TxMode) -> BoxFuture<'a, orm::Result<Box<dyn Connection>>> {
        self.db.driver().begin(mode)
    }
    fn session<'a>(&'a self, site: Option<Site>) -> BoxFuture<'a, orm::Result<Box<dyn Session>>> {
        Box::pin(async move {
            let inner = self.db.driver().session(site).await?;
            let death = self.death.clone();
            Ok(Box::new(MortalSession { inner, death }) as Box<dyn Session>)
        })
    }
    fn drop_tables<'a>(&'a self, batch: Vec<Sql>) -> BoxFuture<'a, orm::Result<()>> {
        self.db.driver().drop_tables(batch)
    }
    fn status(&self) -> PoolStatus {
        self.db.status()
    }
    fn ping<'a>(&'a self) -> BoxFuture<'a, orm::Result<()>> {
        self.db.driver().ping()
    }
    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        self.db.driver().close()
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

struct MortalSession {
    inner: Box<dyn Session>,
    death: Arc<Death>,
}

impl Session for MortalSession {
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, orm::Result<Done>> {
        Box::pin(async move { self.death.around(self.inner.run(sql, sink)).await })
    }
    fn copy_in<'a>(&'a mut self, text: Arc<str>, data: Vec<u8>) -> BoxFuture<'a, orm::Result<u64>> {
        Box::pin(async move { self.death.around(self.inner.copy_in(text, data)).await })
    }
    fn begin<'a>(&'a mut self) -> BoxFuture<'a, orm::Result<()>> {
        Box::pin(async move { self.death.around(self.inner.begin()).await })
    }
    fn commit<'a>(&'a mut self) -> BoxFuture<'a, orm::Result<()>> {
        Box::pin(async move { self.death.around(self.inner.commit()).await })
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, orm::Result<()>> {
        Box::pin(async move { self.death.around(self.inner.savepoint(depth, verb)).await })
    }
    fn rollback<'a>(&'a mut self) -> BoxFuture<'a, orm::Result<()>> {
        Box::pin(async move { self.death.around(self.inner.rollback()).await })
    }
    fn keeps_state(&self) -> bool {
        self.inner.keeps_state()
    }
}
