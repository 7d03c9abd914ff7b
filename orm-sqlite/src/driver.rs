//! The database: runs statements each on their own, opens transactions.

use std::any::Any;
use std::sync::Arc;

use orm_core::driver::{
    BoxFuture, Connection, Discard, Done, Driver, PoolStatus, Purpose, Runner, Session, Sink, Site, TxMode,
};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{Dialect, Effort, Sql};
use sqlx::sqlite::SqliteConnection;
use tokio::runtime::Handle;
use tokio::task::coop::consume_budget;

use crate::dialect::DIALECT;
use crate::offload;
use crate::open::{control_sql, prepare_file, remove_created};
use crate::options::{ReadMode, SqliteOptions, check};
use crate::own::Own;
use crate::pool::{Conn, Connections, Lease, Role};
use crate::raw::Control;
use crate::several::{Several, Unit};
use crate::task::{Pace, Task};
use crate::transaction::Transaction;

/// A SQLite database: one connection that writes, several that read; in memory, one for both.
///
/// Short statements run on the calling thread, everything else on a blocking thread of the runtime. A statement whose
/// future is dropped is stopped; a write is then either applied or not, never half.
pub struct Sqlite {
    home: Arc<Connections>,
    max_params: usize,
}

impl Sqlite {
    /// Opens the database a URL names; see [`SqliteOptions::parse`].
    ///
    /// # Errors
    /// `Config` for the URL, `Connect` when the file cannot be opened, `Corrupt` when it is not a database.
    pub async fn connect(url: &str) -> Result<Arc<Sqlite>> {
        Sqlite::open(SqliteOptions::parse(url)?).await
    }

    pub(crate) async fn open(options: SqliteOptions) -> Result<Arc<Sqlite>> {
        check(&options)?;
        if Handle::try_current().is_err() {
            return Err(Error::config("a database is opened inside a tokio runtime"));
        }
        let asked = options.clone();
        let created = tokio::task::spawn_blocking(move || prepare_file(&asked))
            .await
            .unwrap_or(Ok(false))?;
        let home = Connections::new(options)?;
        let role = if home.options.read_only {
            Role::Reader
        } else {
            Role::Writer
        };
        match home.acquire(role).await {
            Ok(mut lease) => {
                let max_params = lease.raw().max_params();
                drop(lease);
                Ok(Arc::new(Sqlite { home, max_params }))
            }
            Err(e) => {
                if created {
                    remove_created(&home.options);
                }
                Err(e)
            }
        }
    }

    /// The settings it was opened with.
    pub fn options(&self) -> &SqliteOptions {
        &self.home.options
    }
    /// How many values one statement takes at most, as this build of SQLite says.
    pub fn max_params(&self) -> usize {
        self.max_params
    }

    /// Lends the writing connection to code that uses sqlx directly. A transaction it leaves open is rolled back;
    /// settings it changes stay changed.
    ///
    /// # Errors
    /// As for any statement, when no connection becomes free.
    pub async fn with_connection<T>(&self, f: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> Result<T> {
        let role = if self.home.options.read_only {
            Role::Reader
        } else {
            Role::Writer
        };
        let mut lease = self.home.acquire(role).await?;
        lease.sign(Purpose::Lent, None);
        let busy_ms = self.home.options.busy_ms();
        let Some(connection) = lease.raw().lend(busy_ms) else {
            return Err(Error::new(ErrorKind::ConnectionLost, "the connection was closed").with_sent(false));
        };
        // A write through the database in there would wait for this very connection.
        let _held = (!self.home.options.read_only).then(|| Held::by_this_task(&self.home));
        let out = f(connection).await;
        // sqlx's thread may still be at work; dropped here, the next user waits for it.
        lease.raw().reclaim().await?;
        Ok(out)
    }

    async fn run_alone(&self, sql: Sql, sink: Box<dyn Sink>) -> Result<Done> {
        // A loop of statements that never wait would keep other tasks from running.
        consume_budget().await;
        let options = &self.home.options;
        let mut lease = self.home.acquire(role_of(&sql)).await?;
        lease.raw().watch().start_clock();
        let inline = inline_pace(options, &sql, &lease, false);
        let mut task = Task::alone(sql, sink, snapshot(options, &inline));
        let done = match inline {
            Some((pace, _)) => task.work(lease.raw(), pace)?,
            None => None,
        };
        let Some(affected) = done else {
            // Boxed, so that the future of a statement that ends here stays small.
            return Box::pin(self.run_elsewhere(lease, task)).await;
        };
        outside_transaction(&mut lease)?;
        drop(lease);
        let rows = task.rows_read();
        let sink = task.into_sink();
        pay_for(rows).await;
        Ok(Done { sink, affected })
    }

    /// Works on a statement to its end on a blocking thread.
    async fn run_elsewhere(&self, mut lease: Lease, mut task: Task) -> Result<Done> {
        lease.sign(Purpose::Statement, task.site());
        let pace = Pace::blocking(self.home.options.busy_ms());
        let work = move |conn: &mut Conn| {
            let done = task.work(conn.raw(), pace);
            (task, done)
        };
        let (mut lease, (task, answer)) = offload::stoppable(lease, work).await?;
        let affected = answer?.unwrap_or(0);
        outside_transaction(&mut lease)?;
        Ok(Done {
            sink: task.into_sink(),
            affected,
        })
    }

    async fn run_batch(&self, mut batch: Vec<Sql>, sink: Box<dyn Sink>) -> Result<Done> {
        if batch.len() <= 1 {
            return match batch.pop() {
                Some(sql) => Box::pin(self.run_alone(sql, sink)).await,
                None => Ok(Done { sink, affected: 0 }),
            };
        }
        // A loop of statements that never wait would keep other tasks from running.
        consume_budget().await;
        let options = &self.home.options;
        let writes = batch.iter().any(|sql| sql.writes);
        let role = if writes { Role::Writer } else { Role::Reader };
        let mut lease = self.home.acquire(role).await?;
        lease.sign(Purpose::Statement, batch.first().and_then(|sql| sql.site));
        let mut unit = Unit::new(batch, sink);
        let inline = options.read_mode != ReadMode::Offload && lease.commits_at_once() && unit.is_quick();
        if inline && let Some(done) = unit.work(&mut lease, Pace::UNLIMITED)? {
            drop(lease);
            pay_for(done.affected).await;
            return Ok(done);
        }
        let busy_ms = options.busy_ms();
        let work = move |conn: &mut Conn| unit.finish(conn, busy_ms);
        let (_lease, done) = offload::stoppable(lease, work).await?;
        done
    }
}

/// Runs statements without foreign keys being checked, which SQLite allows only outside a transaction.
fn unchecked(conn: &mut Conn, batch: Vec<Sql>, busy_ms: u32, checks: bool) -> Result<()> {
    let pragma = |conn: &mut Conn, text: &str| {
        let mut task = Task::inside(control_sql(text), Box::new(Discard), false, false);
        task.work(conn.raw(), Pace::blocking(busy_ms)).map(drop)
    };
    pragma(conn, "PRAGMA foreign_keys = OFF")?;
    let run = |conn: &mut Conn| {
        control(conn, Control::BeginImmediate, busy_ms)?;
        run_each(conn, batch, Box::new(Discard), busy_ms, false)?;
        control(conn, Control::Commit, busy_ms)
    };
    let result = run(conn);
    // Whatever went wrong, the pool must not get it back unchecked; inside a transaction the pragma does nothing.
    conn.settle();
    if checks {
        pragma(conn, "PRAGMA foreign_keys = ON")?;
    }
    result
}

impl Runner for Sqlite {
    fn dialect(&self) -> &'static dyn Dialect {
        &DIALECT
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_alone(sql, sink))
    }
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_batch(batch, sink))
    }
}

impl Driver for Sqlite {
    fn begin<'a>(&'a self, mode: TxMode) -> BoxFuture<'a, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let transaction = Transaction::begin(&self.home, mode).await?;
            Ok(Box::new(transaction) as Box<dyn Connection>)
        })
    }
    fn session<'a>(&'a self, site: Option<Site>) -> BoxFuture<'a, Result<Box<dyn Session>>> {
        Box::pin(async move {
            let own = Own::open(&self.home, site).await?;
            Ok(Box::new(own) as Box<dyn Session>)
        })
    }
    fn drop_tables<'a>(&'a self, batch: Vec<Sql>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let lease = self.home.acquire(Role::Writer).await?;
            let (busy_ms, checks) = (self.home.options.busy_ms(), self.home.options.foreign_keys);
            let work = move |conn: &mut Conn| unchecked(conn, batch, busy_ms, checks);
            // to its end in any case: a connection that checks nothing must not go back to the pool
            offload::to_the_end(lease, work).await?.1
        })
    }
    fn status(&self) -> PoolStatus {
        self.home.status()
    }
    fn ping<'a>(&'a self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.run_alone(control_sql("SELECT 1"), Box::new(Discard)).await?;
            Ok(())
        })
    }
    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(self.home.close())
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// The writer is with the current task until this is dropped.
struct Held<'h>(&'h Connections);

impl<'h> Held<'h> {
    fn by_this_task(home: &'h Connections) -> Self {
        home.hold();
        Held(home)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// Lets other tasks run after many rows were read on this thread.
pub(crate) async fn pay_for(rows: u64) {
    for _ in 0..rows.min(1024) / ROWS_PER_UNIT {
        consume_budget().await;
    }
}

/// How many rows weigh as much as one of the 128 units that a task may use at a time.
const ROWS_PER_UNIT: u64 = 8;

pub(crate) fn outside_transaction(lease: &mut Lease) -> Result<()> {
    if lease.raw().autocommit() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TransactionState,
        "the statement opened a transaction, which only the methods for transactions can do",
    ))
}

fn role_of(sql: &Sql) -> Role {
    if sql.writes { Role::Writer } else { Role::Reader }
}

/// How a statement may run on the calling thread, and whether it may be replayed there; `None` when it may not at all.
pub(crate) fn inline_pace(
    options: &SqliteOptions,
    sql: &Sql,
    conn: &Conn,
    in_transaction: bool,
) -> Option<(Pace, bool)> {
    match (options.read_mode, sql.writes, sql.effort) {
        (ReadMode::Offload, _, _) => None,
        (ReadMode::Inline, false, _) => Some((Pace::UNLIMITED, false)),
        (ReadMode::Adaptive, false, Effort::Long) => None,
        (ReadMode::Adaptive, false, effort) => Some((Pace::INLINE, effort == Effort::Rows)),
        // One row is found by its key, but its removal may cascade, and no budget would stop that.
        (_, true, Effort::Short) if in_transaction && sql.operation == "DELETE" => None,
        // An interrupted write would undo its whole transaction: it gets no budget there.
        (_, true, Effort::Short | Effort::Rows) if in_transaction => Some((Pace::UNLIMITED, false)),
        (_, true, Effort::Short | Effort::Rows) if conn.commits_at_once() => Some((
            Pace {
                clock: false,
                ..Pace::INLINE
            },
            false,
        )),
        (_, true, _) => None,
    }
}

fn snapshot(options: &SqliteOptions, inline: &Option<(Pace, bool)>) -> bool {
    options.read_mode == ReadMode::Adaptive && matches!(inline, Some((_, true)))
}

/// Runs a control statement, waiting for locks.
pub(crate) fn control(conn: &mut Conn, what: Control, busy_ms: u32) -> Result<()> {
    conn.raw().watch().arm(0, busy_ms);
    conn.raw().control(what).map_err(|code| conn.raw().failure(code))
}

/// Runs statements one after the other, their rows into one sink, on a thread that may block.
pub(crate) fn run_each(
    conn: &mut Conn,
    batch: Vec<Sql>,
    sink: Box<dyn Sink>,
    busy_ms: u32,
    read_only: bool,
) -> Result<Done> {
    Several::new(batch, sink, read_only).finish(conn, busy_ms)
}

#[cold]
pub(crate) fn ended_by_statement() -> Error {
    Error::new(
        ErrorKind::TransactionState,
        "a statement ended the transaction, which only its handle can do",
    )
}
