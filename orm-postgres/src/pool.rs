//! The pool: deadpool over single connections, last in first out. A connection comes back only when it is known to be
//! idle; in doubt it is closed, whatever made the doubt: a dropped future, a time limit, a broken socket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{
    self, Manager, Metrics, Object, QueueMode, RecycleError, RecycleResult, TimeoutType, Timeouts,
};
use orm_core::driver::{Hold, Holders, PoolConfig, PoolOrder, PoolStatus, PrePing, Purpose, Sink, Site};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;
use sqlx::{ConnectOptions as _, Connection as _, SqlSafeStr};

use crate::error::{After, Failure, connect_error, is_passing, lost};
use crate::options::PostgresOptions;
use crate::session::{Session, within};

/// How long a connection may take for a sign of life before it counts as dead.
pub(crate) const PING_LIMIT: Duration = Duration::from_secs(2);
/// How long to wait for the rest of a dropped statement inside a transaction.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Pauses before a server that starts or is full is asked again.
const PAUSES: [u64; 3] = [50, 150, 500];

/// Opens connections and says whether an idle one is still good.
pub(crate) struct Opener {
    options: PostgresOptions,
    /// How many connections were lost, and how often a prepared statement proved stale. A connection that has not been
    /// looked at since then is looked at before it is given out.
    losses: AtomicU64,
    stale: AtomicU64,
    opened: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Manager for Opener {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session> {
        let limit = self.options.pool.acquire_timeout;
        let opened = match tokio::time::timeout(limit, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(Error::new(
                ErrorKind::Connect,
                format!(
                    "cannot connect to {}: no answer within {limit:?}",
                    self.options.place()
                ),
            )),
        };
        let remembered = opened.as_ref().err().map(|e| e.message().to_owned());
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
        opened
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        self.check(session)
            .await
            .map_err(|f| RecycleError::Backend(f.error))
    }
}

impl Opener {
    async fn open(&self) -> Result<Session> {
        let (losses, stale) = (self.losses(), self.stale());
        let options = self.options.connect_options()?;
        let mut pauses = PAUSES.iter();
        let conn = loop {
            match options.connect().await {
                Ok(conn) => break conn,
                Err(e) => match pauses.next() {
                    Some(pause) if is_passing(&e) => {
                        tokio::time::sleep(Duration::from_millis(*pause)).await;
                    }
                    _ => return Err(connect_error(&e, &self.options.place())),
                },
            }
        };
        let mut session = Session::new(conn, self.options.pooler);
        session.number = self.opened.fetch_add(1, Ordering::Relaxed);
        session.losses_seen = losses;
        session.stale_seen = stale;
        self.prepare(&mut session).await?;
        Ok(session)
    }

    /// What is set once a session that cannot be set by its startup message.
    async fn prepare(&self, session: &mut Session) -> Result<()> {
        // With it the server notices within a second that we closed the socket, and stops the statement.
        if !self.options.pooler && session.conn.server_version_num().is_some_and(|v| v >= 140_000) {
            match session
                .simple("SET client_connection_check_interval = '1s'")
                .await
            {
                Ok(()) => {}
                // Servers on some systems, and some that only speak the protocol, do not know it.
                Err(f) if f.after == After::Refused => session.settle().await.map_err(|f| f.error)?,
                Err(f) => return Err(f.error),
            }
        }
        match &self.options.after_connect {
            Some(hook) => hook(&mut session.conn).await,
            None => Ok(()),
        }
    }

    /// Whether an idle connection may be given out.
    async fn check(&self, session: &mut Session) -> Result<(), Failure> {
        let config = &self.options.pool;
        let idle = session.idle_since.elapsed();
        let old = config
            .recycle
            .is_some_and(|limit| session.opened.elapsed() > spread(limit, session.number));
        let dusty = config.idle_timeout.is_some_and(|limit| idle > limit);
        let foreign = session.runtime != tokio::runtime::Handle::try_current().ok().map(|h| h.id());
        if old || dusty || foreign {
            return Err(Failure::lost(lost()));
        }
        let (losses, stale) = (self.losses(), self.stale());
        if session.stale_seen != stale {
            session.forget_statements(PING_LIMIT).await?;
            session.stale_seen = stale;
        }
        let ping = match config.pre_ping {
            PrePing::Never => false,
            PrePing::AfterIdle(limit) => idle > limit,
            PrePing::Always => true,
        };
        if ping || session.losses_seen != losses {
            session.ping(PING_LIMIT).await?;
            session.losses_seen = losses;
        }
        Ok(())
    }

    fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }
    fn stale(&self) -> u64 {
        self.stale.load(Ordering::Relaxed)
    }
}

/// Connections opened together do not end together: up to a tenth earlier.
fn spread(limit: Duration, number: u64) -> Duration {
    limit - limit / 1000 * (number.wrapping_mul(37) % 100) as u32
}

/// The pool of one database.
#[derive(Clone)]
pub(crate) struct Pool {
    inner: managed::Pool<Opener>,
    config: Arc<PoolConfig>,
    limit: Option<Duration>,
    holders: Holders,
}

impl Pool {
    pub(crate) fn new(options: PostgresOptions) -> Result<Self> {
        let config = Arc::new(options.pool.clone());
        let limit = options.query_timeout;
        let max_size = config.size.saturating_add(config.overflow);
        if max_size == 0 {
            return Err(Error::config("a pool needs at least one connection"));
        }
        let inner = managed::Pool::builder(Opener {
            options,
            losses: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            last_error: Mutex::new(None),
        })
        .config(managed::PoolConfig {
            max_size,
            timeouts: Timeouts {
                wait: Some(config.acquire_timeout),
                create: None,
                recycle: None,
            },
            queue_mode: match config.order {
                PoolOrder::Lifo => QueueMode::Lifo,
                PoolOrder::Fifo => QueueMode::Fifo,
            },
        })
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|_| Error::config("the pool cannot be built"))?;
        Ok(Pool {
            inner,
            config,
            limit,
            holders: Holders::default(),
        })
    }

    /// Waits for a connection.
    pub(crate) async fn lease(&self, purpose: Purpose, site: Option<Site>) -> Result<Lease> {
        match self.inner.get().await {
            Ok(object) => Ok(Lease {
                object: Some(object),
                hold: Some(self.holders.hold(purpose, site)),
                pool: self.clone(),
                limit: self.limit,
                busy: false,
                open: false,
                spent: false,
            }),
            Err(e) => Err(self.refused(e)),
        }
    }

    #[cold]
    fn refused(&self, error: managed::PoolError<Error>) -> Error {
        match error {
            managed::PoolError::Backend(error) => error,
            managed::PoolError::Closed => Error::new(ErrorKind::PoolClosed, "the pool was closed"),
            managed::PoolError::Timeout(TimeoutType::Wait) => self.exhausted(),
            _ => Error::new(ErrorKind::Connect, "no connection could be made ready"),
        }
    }

    fn exhausted(&self) -> Error {
        let status = self.status();
        let mut message = format!(
            "no connection became free within {:?}: {} of {} in use, {} waiting{}",
            self.config.acquire_timeout,
            status.open - status.idle,
            status.max,
            status.waiting,
            self.holders,
        );
        let opener = self.inner.manager();
        if let Some(last) = &*opener.last_error.lock().unwrap_or_else(PoisonError::into_inner) {
            message.push_str("; the last attempt to open one failed: ");
            message.push_str(last);
        }
        Error::new(ErrorKind::PoolTimeout, message)
    }

    /// Makes every idle connection prove itself before it is given out again.
    pub(crate) fn suspect(&self) {
        self.inner.manager().losses.fetch_add(1, Ordering::Relaxed);
    }
    /// Makes every idle connection forget its prepared statements before it is given out again.
    pub(crate) fn schema_changed(&self) {
        self.inner.manager().stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.inner.manager().options
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let status = self.inner.status();
        PoolStatus {
            open: status.size,
            idle: status.available,
            max: self.config.size.saturating_add(self.config.overflow),
            waiting: status.waiting,
        }
    }

    /// Says goodbye to idle connections; those in use are closed when they come back.
    pub(crate) async fn close(&self) {
        let idle = self.inner.retain(|_, _| false).removed;
        self.inner.close();
        for session in idle {
            // A server that does not take the goodbye is left to notice by itself.
            let _ = tokio::time::timeout(PING_LIMIT, session.conn.close()).await;
        }
    }
}

/// A borrowed connection. Dropped while a statement or transaction is open on it, it is closed.
pub(crate) struct Lease {
    object: Option<Object<Opener>>,
    hold: Option<Hold>,
    pool: Pool,
    /// How long to wait for the end of a statement.
    limit: Option<Duration>,
    /// A statement is under way or its end was not seen.
    busy: bool,
    /// A transaction is open.
    open: bool,
    /// Something in the session must not reach the next borrower.
    spent: bool,
}

impl Lease {
    fn session(&mut self) -> Result<&mut Session, Failure> {
        match &mut self.object {
            Some(object) => Ok(object),
            None => Err(Failure::lost(lost())),
        }
    }

    /// Whether a statement was given up before its end.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }
    /// Whether a transaction is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }
    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.object.is_none()
    }
    /// Waits for the end of a statement however long it takes.
    pub(crate) fn wait_on(&mut self) {
        self.limit = None;
    }
    /// Closes the connection after use.
    pub(crate) fn spend(&mut self) {
        self.spent = true;
    }

    /// Runs one statement; gives back how many rows it changed.
    pub(crate) async fn run(&mut self, sql: &Sql, sink: &mut dyn Sink) -> Result<u64, Failure> {
        let limit = self.limit;
        self.busy = true;
        let done = within(limit, self.session()?.execute(sql, sink)).await;
        let count = self.finish(done).await?;
        Ok(if sql.writes { count } else { 0 })
    }

    /// Runs one statement under another text; gives back the number of its rows.
    pub(crate) async fn run_as(
        &mut self,
        text: Arc<str>,
        sql: &Sql,
        sink: &mut dyn Sink,
    ) -> Result<u64, Failure> {
        let limit = self.limit;
        self.busy = true;
        let done = within(limit, self.session()?.execute_once(text, sql, sink)).await;
        self.finish(done).await
    }

    /// Runs text without parameters and rows.
    pub(crate) async fn simple(&mut self, text: impl SqlSafeStr) -> Result<(), Failure> {
        let limit = self.limit;
        self.busy = true;
        let done = within(limit, self.session()?.simple(text)).await;
        self.finish(done).await
    }

    /// Runs one COPY FROM STDIN with its data.
    pub(crate) async fn copy_in(&mut self, text: &str, data: &[u8]) -> Result<u64, Failure> {
        let limit = self.limit;
        self.busy = true;
        let done = within(limit, self.session()?.copy_in(text, data)).await;
        self.finish(done).await
    }

    /// Notes how a statement ended. After a refusal the server's last word is read, so that the connection is idle.
    async fn finish<T>(&mut self, done: Result<T, Failure>) -> Result<T, Failure> {
        let Err(failure) = &done else {
            self.busy = false;
            return done;
        };
        if failure.stale {
            self.pool.schema_changed();
        }
        match failure.after {
            After::Clean => self.busy = false,
            After::Refused => self.settle().await?,
            After::Lost => self.discard(),
        }
        done
    }

    /// Waits for the end of what is under way.
    async fn settle(&mut self) -> Result<(), Failure> {
        let settled = within(Some(DRAIN_LIMIT), self.session()?.settle()).await;
        match &settled {
            Ok(()) => self.busy = false,
            Err(_) => self.discard(),
        }
        settled
    }

    /// Reads the rest of a statement whose future was dropped.
    pub(crate) async fn drain(&mut self) -> Result<(), Failure> {
        match self.busy {
            true => self.settle().await,
            false => Ok(()),
        }
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<(), Failure> {
        self.busy = true;
        let done = self.session()?.ping(PING_LIMIT).await;
        self.finish(done).await
    }

    /// Opens a transaction.
    pub(crate) async fn begin(&mut self, text: impl SqlSafeStr) -> Result<(), Failure> {
        self.simple(text).await?;
        self.open = true;
        Ok(())
    }

    /// Ends the transaction for good. A SELECT goes ahead of COMMIT in the same message, because a failed transaction
    /// answers COMMIT with a rollback that looks like success, but refuses the SELECT.
    pub(crate) async fn commit(mut self) -> Result<()> {
        self.end_by_commit().await
    }

    /// As [`commit`](Self::commit), for those who keep the connection.
    pub(crate) async fn end_by_commit(&mut self) -> Result<()> {
        match self.simple("SELECT 1; COMMIT").await {
            Ok(()) => {
                self.open = false;
                Ok(())
            }
            Err(failure) if failure.after == After::Lost => {
                let error = Error::new(
                    ErrorKind::CommitUnknown,
                    "the connection broke during COMMIT; whether the transaction was committed is unknown",
                )
                .with_sent(true);
                Err(match failure.error.code() {
                    Some(code) => error.with_code(code.to_owned()),
                    None => error,
                })
            }
            Err(failure) => {
                // A deferred constraint or a conflict makes COMMIT itself roll back; else the transaction is open still.
                let code = failure.error.code().unwrap_or_default();
                match code.starts_with("23") || code.starts_with("40") {
                    true => self.open = false,
                    false => self.end_by_rollback().await,
                }
                Err(failure.error)
            }
        }
    }

    /// Undoes the transaction. A connection that breaks here leaves it to the server to undo it.
    pub(crate) async fn rollback(mut self) {
        self.end_by_rollback().await;
    }

    /// As [`rollback`](Self::rollback), for those who keep the connection.
    pub(crate) async fn end_by_rollback(&mut self) {
        if self.drain().await.is_ok() && self.simple("ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }

    /// Closes the connection now.
    pub(crate) fn discard(&mut self) {
        self.hold = None;
        if let Some(object) = self.object.take() {
            tracing::debug!(target: "orm::pool", "connection closed, its state is in doubt");
            drop(Object::take(object));
        }
    }

    /// The connection itself, for code that knows sqlx. It is closed afterwards.
    pub(crate) fn lend(&mut self) -> Result<&mut sqlx::PgConnection> {
        self.busy = true;
        self.session().map(|s| &mut s.conn).map_err(|f| f.error)
    }

    fn is_surplus(&self) -> bool {
        let config = &self.pool.config;
        config.overflow > 0 && {
            let status = self.pool.inner.status();
            status.size > config.size && status.waiting == 0
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.busy || self.open || self.spent || self.is_surplus() {
            self.discard();
        } else if let Some(object) = &mut self.object {
            object.idle_since = Instant::now();
        }
    }
}
