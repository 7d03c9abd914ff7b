//! One writer, several readers, or one connection for everything in memory. A [`Lease`] is a connection in use.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType, Timeouts,
};
use orm_core::driver::{Asker, Discard, Hold, Holders, PoolOrder, PoolStatus, Purpose, Site};
use orm_core::error::{Error, ErrorKind, Result};
use tokio::runtime::Handle;

use crate::open;
use crate::options::SqliteOptions;
use crate::raw::{Control, RawConnection};
use crate::task::{Pace, Task};

/// The log is copied into the database when it has grown by so many pages.
const CHECKPOINT_PAGES: u32 = 1000;
/// Readers that overlap keep the log from starting anew. When it has grown so long, their end is waited for.
const RESTART_PAGES: u32 = 8 * CHECKPOINT_PAGES;
/// How long that may keep writers waiting.
const RESTART_MS: u32 = 500;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// One of those that read.
    Reader,
}

/// A connection with what is known about it.
pub(crate) struct Conn {
    raw: RawConnection,
    /// Changes go to a write-ahead log.
    pub(crate) log: bool,
    /// A commit does not wait for the disk.
    pub(crate) commits_fast: bool,
    checkpoint_at: u32,
}

impl Conn {
    pub(crate) fn new(raw: RawConnection, log: bool, commits_fast: bool) -> Self {
        Conn {
            raw,
            log,
            commits_fast,
            checkpoint_at: CHECKPOINT_PAGES,
        }
    }
    pub(crate) fn raw(&mut self) -> &mut RawConnection {
        &mut self.raw
    }
    /// Whether a commit returns at once: no disk is waited for. The first commit into a new log syncs its head.
    pub(crate) fn commits_at_once(&self) -> bool {
        self.commits_fast && (!self.log || self.raw.watch().log_pages() > 0)
    }
    fn checkpoint_is_due(&self) -> bool {
        self.log && !self.raw.is_lent() && self.raw.watch().log_pages() >= self.checkpoint_at
    }
    /// Copies what nobody reads any more from the log into the database.
    fn checkpoint(&mut self) {
        let pages = self.raw.watch().log_pages();
        let restart = pages >= RESTART_PAGES;
        let (wait, more) = if restart {
            (RESTART_MS, RESTART_PAGES)
        } else {
            (0, CHECKPOINT_PAGES)
        };
        self.raw.watch().arm(0, wait);
        self.checkpoint_at = match self.raw.checkpoint(restart) {
            Ok((log, copied)) if log == copied => {
                self.raw.watch().log_grew(0);
                CHECKPOINT_PAGES
            }
            // A reader holds on to older pages: not again before the log has grown further.
            Ok((log, _)) => log.saturating_add(more),
            Err(e) if e.kind() == ErrorKind::Busy => pages.saturating_add(more),
            Err(e) => {
                tracing::warn!(error = %e, "checkpoint failed");
                pages.saturating_add(CHECKPOINT_PAGES)
            }
        };
    }
    /// Ends what a caller left behind. `false` when the connection cannot be used any more.
    pub(crate) fn settle(&mut self) -> bool {
        self.raw.watch().disarm();
        self.raw.watch().stop_clock();
        self.raw.finish_all();
        self.raw.autocommit() || self.raw.control(Control::Rollback).is_ok() || self.raw.autocommit()
    }
    /// Back to the settings it was opened with.
    fn restore(&mut self, options: &SqliteOptions) -> bool {
        let text = match options.foreign_keys {
            true => "PRAGMA foreign_keys = ON",
            false => "PRAGMA foreign_keys = OFF",
        };
        let mut task = Task::inside(open::control_sql(text), Box::new(Discard), false, false);
        task.work(&mut self.raw, Pace::blocking(0)).is_ok()
    }
    /// Closes it and waits for that.
    async fn close(self) {
        if let Some(owner) = self.raw.into_owner()
            && let Err(e) = sqlx::Connection::close(owner).await
        {
            tracing::debug!(error = %crate::error::from_sqlx(&e), "closing a connection failed");
        }
    }
}

/// Opens connections for deadpool.
pub(crate) struct Opener {
    options: Arc<SqliteOptions>,
    role: Role,
    /// A second one would be another, empty database.
    opened: std::sync::atomic::AtomicBool,
    holders: Holders,
}

impl Manager for Opener {
    /// Boxed: the pool moves it about a dozen times each time it is given out and taken back.
    type Type = Box<Conn>;
    type Error = Error;

    async fn create(&self) -> Result<Box<Conn>> {
        // The first poll does nothing, for `Connections::at_once` to give up at no cost.
        tokio::task::yield_now().await;
        if self.options.is_memory() && self.opened.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Err(
                Error::new(ErrorKind::ConnectionLost, "the database in memory is gone").with_sent(false),
            );
        }
        Ok(Box::new(open::connection(&self.options, self.role).await?))
    }

    async fn recycle(&self, _: &mut Box<Conn>, metrics: &Metrics) -> RecycleResult<Error> {
        if self.options.is_memory() {
            return Ok(());
        }
        let now = Instant::now();
        let older = |since: Instant, limit: Option<Duration>| limit.is_some_and(|l| now - since > l);
        let pool = &self.options.pool;
        let used = metrics.recycled.unwrap_or(metrics.created);
        if older(metrics.created, pool.recycle) || older(used, pool.idle_timeout) {
            return Err(RecycleError::message("too old"));
        }
        Ok(())
    }
}

/// Waits for nobody.
const AT_ONCE: Timeouts = Timeouts {
    wait: Some(Duration::ZERO),
    create: None,
    recycle: None,
};

/// All connections of a database.
pub(crate) struct Connections {
    pub(crate) options: Arc<SqliteOptions>,
    writer: Option<Pool<Opener>>,
    readers: Option<Pool<Opener>>,
    /// Who has a transaction on the writer.
    holder: Mutex<Option<Asker>>,
}

impl Connections {
    pub(crate) fn new(options: SqliteOptions) -> Result<Arc<Self>> {
        let options = Arc::new(options);
        let pool = |role, size| {
            let opener = Opener {
                options: options.clone(),
                role,
                opened: Default::default(),
                holders: Holders::default(),
            };
            Pool::builder(opener)
                .max_size(size)
                .queue_mode(match options.pool.order {
                    PoolOrder::Lifo => QueueMode::Lifo,
                    PoolOrder::Fifo => QueueMode::Fifo,
                })
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|_| Error::config("the pool's settings are not usable"))
        };
        let size = options.pool.size.max(1) + options.pool.overflow;
        let writer = if options.read_only {
            None
        } else {
            Some(pool(Role::Writer, 1)?)
        };
        let readers = if options.is_memory() {
            None
        } else {
            Some(pool(Role::Reader, size)?)
        };
        Ok(Arc::new(Connections {
            options: options.clone(),
            writer,
            readers,
            holder: Mutex::new(None),
        }))
    }

    /// A connection of this role, as soon as one is free.
    pub(crate) async fn acquire(self: &Arc<Self>, role: Role) -> Result<Lease> {
        let pool = match (role, &self.writer, &self.readers) {
            (Role::Reader, _, Some(readers)) => readers,
            (_, Some(writer), _) => {
                self.refuse_waiting_for_oneself()?;
                writer
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::ReadOnly,
                    "the database was opened for reading only",
                ));
            }
        };
        // What is rarely awaited is boxed: the future of every statement has room for it otherwise.
        let object = match self.at_once(pool)? {
            Some(object) => object,
            None => Box::pin(self.wait_for(pool)).await?,
        };
        let mut lease = Lease {
            object: Some(Held::Pooled(object)),
            hold: None,
            home: self.clone(),
            reset: false,
        };
        if lease.raw.is_lent() {
            // sqlx ends what it was doing first, however long that takes.
            let wait = self.options.pool.acquire_timeout;
            let Ok(back) = tokio::time::timeout(wait, Box::pin(lease.raw.reclaim())).await else {
                return Err(Error::new(
                    ErrorKind::PoolTimeout,
                    format!("a statement on a lent connection was still running after {wait:?}"),
                ));
            };
            if back.is_err() || !lease.settle() {
                // Given to the pool it would fail for everybody who comes later.
                if let Some(Held::Pooled(object)) = lease.object.take() {
                    drop(Object::take(object));
                }
                back?;
                return Err(
                    Error::new(ErrorKind::ConnectionLost, "a lent connection came back unusable")
                        .with_sent(false),
                );
            }
        }
        Ok(lease)
    }

    /// A connection for one user, to be closed after use. In memory there is only the one that everybody has.
    pub(crate) async fn own(self: &Arc<Self>) -> Result<Lease> {
        if self.options.is_memory() {
            let mut lease = self.acquire(Role::Writer).await?;
            lease.reset = true;
            return Ok(lease);
        }
        if self.pools().any(Pool::is_closed) {
            return Err(Error::new(ErrorKind::PoolClosed, "the database was closed"));
        }
        let conn = open::connection(&self.options, Role::Writer).await?;
        Ok(Lease {
            object: Some(Held::Own(Box::new(conn))),
            hold: None,
            home: self.clone(),
            reset: false,
        })
    }

    /// A connection that is open and free; `None` when one has to be opened or waited for.
    fn at_once(&self, pool: &Pool<Opener>) -> Result<Option<Object<Opener>>> {
        let taking = pin!(pool.timeout_get(&AT_ONCE));
        match taking.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(object)) => Ok(Some(object)),
            Poll::Ready(Err(PoolError::Timeout(TimeoutType::Wait))) | Poll::Pending => Ok(None),
            Poll::Ready(Err(e)) => Err(self.pool_error(e, pool)),
        }
    }
    /// A connection as soon as one is free or opened.
    async fn wait_for(&self, pool: &Pool<Opener>) -> Result<Object<Opener>> {
        // To open one needs no timer, and the runtime may have none.
        let object = match pool.timeout_get(&AT_ONCE).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                let wait = Some(self.options.pool.acquire_timeout);
                pool.timeout_get(&Timeouts { wait, ..AT_ONCE }).await
            }
            other => other,
        };
        object.map_err(|e| self.pool_error(e, pool))
    }

    #[cold]
    fn pool_error(&self, e: PoolError<Error>, pool: &Pool<Opener>) -> Error {
        match e {
            PoolError::Backend(e) => e,
            PoolError::Closed => Error::new(ErrorKind::PoolClosed, "the database was closed"),
            PoolError::Timeout(_) => {
                let s = pool.status();
                Error::new(
                    ErrorKind::PoolTimeout,
                    format!(
                        "no connection became free within {:?}: {} of {} in use, {} waiting{}",
                        self.options.pool.acquire_timeout,
                        s.size - s.available.min(s.size),
                        s.max_size,
                        s.waiting,
                        pool.manager().holders,
                    ),
                )
            }
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Error::config("the pool needs a tokio runtime")
            }
        }
    }

    fn refuse_waiting_for_oneself(&self) -> Result<()> {
        if *self.holder() == Some(Asker::current()) {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "this task has an open transaction on the only connection that could serve this; use the \
                 transaction's handle",
            ));
        }
        Ok(())
    }
    /// The current task has a transaction on the writer.
    pub(crate) fn hold(&self) {
        *self.holder() = Some(Asker::current());
    }
    /// Its transaction is over.
    pub(crate) fn let_go(&self) {
        *self.holder() = None;
    }
    fn holder(&self) -> std::sync::MutexGuard<'_, Option<Asker>> {
        self.holder
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn pools(&self) -> impl Iterator<Item = &Pool<Opener>> {
        self.writer.iter().chain(&self.readers)
    }
    pub(crate) fn status(&self) -> PoolStatus {
        self.pools()
            .map(Pool::status)
            .fold(PoolStatus::default(), |sum, s| PoolStatus {
                open: sum.open + s.size,
                idle: sum.idle + s.available,
                max: sum.max + s.max_size,
                waiting: sum.waiting + s.waiting,
            })
    }
    pub(crate) async fn close(&self) {
        let mut idle = Vec::new();
        for pool in self.pools() {
            idle.extend(pool.retain(|_, _| false).removed);
            pool.close();
        }
        for conn in idle {
            conn.close().await;
        }
    }
}

/// A connection in use. Dropped, it ends what runs on it, rolls back what is open, and goes to its pool.
pub(crate) struct Lease {
    object: Option<Held>,
    hold: Option<Hold>,
    home: Arc<Connections>,
    /// Goes back with the pool's settings, which its user may have changed.
    reset: bool,
}

/// A connection of the pool, or one that is closed after use.
enum Held {
    Pooled(Object<Opener>),
    Own(Box<Conn>),
}

impl Deref for Held {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        match self {
            Held::Pooled(object) => object,
            Held::Own(conn) => conn,
        }
    }
}
impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Conn {
        match self {
            Held::Pooled(object) => object,
            Held::Own(conn) => conn,
        }
    }
}

impl Lease {
    /// Lets those who wait for the connection know who has it. For what may take longer than a few rows.
    pub(crate) fn sign(&mut self, purpose: Purpose, site: Option<Site>) {
        if let Some(Held::Pooled(object)) = &self.object
            && let Some(pool) = Object::pool(object)
        {
            self.hold = Some(pool.manager().holders.hold(purpose, site));
        }
    }
}

/// What stands in for the connection of a lease: only `Drop` empties it.
const HERE: &str = "a lease has its connection until it is dropped";

impl Deref for Lease {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.object.as_ref().expect(HERE)
    }
}
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Conn {
        self.object.as_mut().expect(HERE)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.hold = None;
        let mut object = match self.object.take() {
            None => return,
            Some(Held::Own(conn)) => return discard(conn),
            Some(Held::Pooled(object)) => object,
        };
        if object.raw.is_lent() {
            return;
        }
        object.raw.watch().forget();
        if !object.settle() || self.reset && !object.restore(&self.home.options) {
            tracing::warn!("a connection could not be rolled back and is closed");
            drop(Object::take(object));
        } else if object.checkpoint_is_due()
            && let Ok(runtime) = Handle::try_current()
        {
            // The writer comes back when it is done; others wait for it without blocking a thread.
            runtime.spawn_blocking(move || object.checkpoint());
        } else if self.home.is_surplus(&object) {
            drop(Object::take(object));
        }
    }
}

/// Closes a connection that is nobody's. What it did may have to be undone, or copied out of the log: not on the
/// runtime's thread, where there is one.
fn discard(mut conn: Box<Conn>) {
    conn.raw.watch().forget();
    let end = move || {
        conn.settle();
        if conn.checkpoint_is_due() {
            conn.checkpoint();
        }
        drop(conn);
    };
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(end)),
        Err(_) => end(),
    }
}

impl Connections {
    /// Whether the connection was opened above the pool's size, under load.
    fn is_surplus(&self, object: &Object<Opener>) -> bool {
        self.options.pool.overflow > 0
            && Object::pool(object).is_some_and(|pool| {
                pool.manager().role == Role::Reader && pool.status().size > self.options.pool.size.max(1)
            })
    }
}
