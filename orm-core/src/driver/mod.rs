//! THE WALL between the library and a database client. No user type and no future per row crosses it.
//!
//! What a backend must keep:
//!
//! - A connection whose state is in doubt is closed, never reused: a dropped future in the middle of a statement, an
//!   unfinished BEGIN, COMMIT or ROLLBACK, a broken protocol.
//! - A dropped [`Connection`] (an open transaction) is rolled back or closed; nobody else ever sees its transaction.
//! - Rows are handed to the sink while they arrive. An error of the sink ends the statement and is returned as it is.
//! - Errors carry no bound values; the statement's text is never part of an error.
//! - A [`Session`] is nobody else's, and nobody inherits it: dropped, it is closed, whatever runs on it.
//! - No future does work before it is polled.

mod holders;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::sql::{Dialect, Sql};
use crate::value::Cells;

pub use holders::{Asker, Hold, Holders, Purpose, Site};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The erased receiver of rows. It travels with its statement, to another thread if need be, and comes back in [`Done`].
pub trait Sink: Any + Send {
    /// Takes one row.
    fn row(&mut self, cells: &dyn Cells) -> Result<()>;
    /// How many rows are wanted; the driver may stop after so many.
    fn wants(&self) -> Option<usize> {
        None
    }
    /// How many rows it took, for logs.
    fn rows(&self) -> usize {
        0
    }
    /// For the typed side to take itself back.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// A sink for statements whose rows nobody wants.
pub struct Discard;

impl Sink for Discard {
    fn row(&mut self, _: &dyn Cells) -> Result<()> {
        Ok(())
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// What a finished statement gives back.
pub struct Done {
    /// The sink that was handed in, with the rows.
    pub sink: Box<dyn Sink>,
    /// Rows changed by a write; 0 for reads.
    pub affected: u64,
}

/// Runs statements: a driver each on its own, a transaction inside itself.
pub trait Runner: Send + Sync {
    /// The database's dialect.
    fn dialect(&self) -> &'static dyn Dialect;
    /// Runs one statement.
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>>;
    /// Runs several statements as one atomic unit; their rows go to the one sink in order, `affected` is the sum.
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>>;
}

/// A database: a pool of connections.
pub trait Driver: Runner + 'static {
    /// Opens a transaction on a connection of its own.
    fn begin<'a>(&'a self, mode: TxMode) -> BoxFuture<'a, Result<Box<dyn Connection>>>;
    /// Runs statements that drop tables as one atomic unit. References between those tables are no obstacle, whatever
    /// their order.
    fn drop_tables<'a>(&'a self, batch: Vec<Sql>) -> BoxFuture<'a, Result<()>>;
    /// Opens a connection for one user, outside of any transaction.
    fn session<'a>(&'a self, site: Option<Site>) -> BoxFuture<'a, Result<Box<dyn Session>>>;
    /// How the pool stands.
    fn status(&self) -> PoolStatus;
    /// Asks the database for a sign of life.
    fn ping<'a>(&'a self) -> BoxFuture<'a, Result<()>>;
    /// Closes idle connections and refuses new statements.
    fn close<'a>(&'a self) -> BoxFuture<'a, ()>;
    /// For backend crates to find their own driver behind a `Db`.
    fn as_any(&self) -> &(dyn Any + Send + Sync);
}

/// A connection with an open transaction. Dropped without an end, it rolls back.
pub trait Connection: Send {
    /// Runs one statement. A future dropped on the way leaves the connection usable for `savepoint` verbs only if the
    /// backend can finish or drain the statement; otherwise every later call is a `ConnectionLost` error.
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>>;
    /// Runs several statements; on an error the ones before it stay, the transaction decides.
    fn run_all<'a>(&'a mut self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>>;
    /// Opens a cursor over the rows of a select; only one at a time.
    fn open_cursor<'a>(&'a mut self, sql: Sql) -> BoxFuture<'a, Result<()>>;
    /// Hands the next rows to the sink, as many as it wants; `true` while there may be more.
    fn fetch_cursor<'a>(&'a mut self, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<(Box<dyn Sink>, bool)>>;
    /// Closes the cursor.
    fn close_cursor<'a>(&'a mut self) -> BoxFuture<'a, Result<()>>;
    /// Sets, releases or rolls back to the savepoint of a depth (1 is the first inside the transaction).
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>>;
    /// Ends the transaction for good. An error of kind `CommitUnknown` when the connection broke before the answer.
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<()>>;
    /// Undoes the transaction.
    fn rollback(self: Box<Self>) -> BoxFuture<'static, Result<()>>;
}

/// A connection of one's own: for what lives as long as a connection does (a lock, a setting), and for statements that
/// cannot stand inside a transaction. Dropped, it is closed; a database in memory has one connection only, which is
/// rolled back, put back to the pool's settings and given back.
pub trait Session: Send {
    /// Runs one statement: inside the open transaction, or else on its own. SQL text opens and ends no transaction.
    ///
    /// A future dropped on the way leaves the session unusable: every later call is a `ConnectionLost` error.
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>>;
    /// Sends rows through the database's bulk loader: the text of one `COPY … FROM STDIN`, and its data in the format
    /// that the text names. All rows are taken or none; gives back how many. `Unsupported`, before anything is sent, where
    /// there is no such loader.
    fn copy_in<'a>(&'a mut self, text: Arc<str>, data: Vec<u8>) -> BoxFuture<'a, Result<u64>>;
    /// Opens a transaction. One that writes, where the database tells them apart.
    fn begin<'a>(&'a mut self) -> BoxFuture<'a, Result<()>>;
    /// Commits it. After an error no transaction is open; `CommitUnknown` when the connection broke before the answer.
    fn commit<'a>(&'a mut self) -> BoxFuture<'a, Result<()>>;
    /// As [`Connection::savepoint`], inside the open transaction.
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>>;
    /// Undoes it. Without an open transaction nothing happens.
    fn rollback<'a>(&'a mut self) -> BoxFuture<'a, Result<()>>;
    /// Whether what one statement leaves in the session is there for the next. Not so behind a pooler that gives every
    /// transaction another one.
    fn keeps_state(&self) -> bool;
}

/// What happens to a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavepointVerb {
    /// Set it.
    Set,
    /// Keep what was done since.
    Release,
    /// Undo what was done since, and remove it.
    Undo,
}

/// How a transaction is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxMode {
    /// The isolation level; the database's default when absent.
    pub isolation: Option<Isolation>,
    /// No writes.
    pub read_only: bool,
    /// With serialisable and read only: wait for a moment without conflicts (PostgreSQL).
    pub deferrable: bool,
    /// Who asks for it, for the error of those who wait for its connection.
    pub site: Option<Site>,
}

impl TxMode {
    /// The transaction that `BEGIN` opens, whoever asks for it.
    pub fn is_plain(self) -> bool {
        TxMode { site: None, ..self } == TxMode::default()
    }
}

/// Isolation levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// The transaction sees what was committed before its first statement.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// How a pool stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open connections.
    pub open: usize,
    /// Of these, not in use.
    pub idle: usize,
    /// At most so many at once.
    pub max: usize,
    /// Tasks waiting for one.
    pub waiting: usize,
}

/// Settings of a connection pool, the same for every backend.
///
/// ```
/// use orm_core::driver::PoolConfig;
/// let pool = PoolConfig { size: 4, ..PoolConfig::default() };
/// assert_eq!(pool.overflow, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Connections kept open when idle.
    pub size: usize,
    /// Connections opened above `size` under load, closed when given back.
    pub overflow: usize,
    /// How long to wait for a connection before `PoolTimeout`.
    pub acquire_timeout: Duration,
    /// Connections older than this are replaced when they are given out.
    pub recycle: Option<Duration>,
    /// Connections idle for longer than this are replaced when they are given out.
    pub idle_timeout: Option<Duration>,
    /// When a connection is asked for a sign of life before it is given out.
    pub pre_ping: PrePing,
    /// Which of the idle connections is given out.
    pub order: PoolOrder,
}

impl Default for PoolConfig {
    fn default() -> Self {
        PoolConfig {
            size: 8,
            overflow: 0,
            acquire_timeout: Duration::from_secs(30),
            recycle: Some(Duration::from_secs(30 * 60)),
            idle_timeout: Some(Duration::from_secs(10 * 60)),
            pre_ping: PrePing::AfterIdle(Duration::from_secs(30)),
            order: PoolOrder::Lifo,
        }
    }
}

/// Which of the idle connections is given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolOrder {
    /// The one that came back last: its caches are warm, and those not needed grow old and are closed.
    #[default]
    Lifo,
    /// The one that came back first: all are used alike, as a load balancer in between may need it.
    Fifo,
}

/// When a pooled connection is asked for a sign of life. A file gives none: SQLite's connections are never asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrePing {
    /// Never: the first read on a dead connection is retried once by itself, unless it is hand-written SQL.
    Never,
    /// When it lay idle for longer than this.
    AfterIdle(Duration),
    /// Every time: a restart of the server is invisible.
    Always,
}

/// What a backend's `connect` returns.
pub type SharedDriver = Arc<dyn Driver>;
