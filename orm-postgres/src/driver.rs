//! The database as the library sees it: statements on pooled connections.

use std::any::Any;
use std::fmt;

use orm_core::driver::{
    BoxFuture, Connection, Discard, Done, Driver, Isolation, PoolStatus, Purpose, Runner, Session, Sink,
    Site, TxMode,
};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{Dialect, Sql};
use sqlx::SqlStr;
use sqlx::postgres::PgConnection;

use crate::dialect::DIALECT;
use crate::error::{After, Failure};
use crate::options::PostgresOptions;
use crate::own::Own;
use crate::pool::{Lease, Pool};
use crate::session::{Verb, verb, vouched};
use crate::transaction::Transaction;

/// A PostgreSQL database: a pool of connections.
///
/// - A read on a connection that proves dead before any row came is run once more on another one. A write never is, nor
///   is hand-written SQL, which may call a function that writes: they end in
///   [`ConnectionLost`](ErrorKind::ConnectionLost).
/// - A statement whose prepared form no longer fits the schema is prepared anew by itself; inside a transaction it is
///   [`StatementCacheStale`](ErrorKind::StatementCacheStale), and running the transaction again succeeds.
/// - Statements that leave something behind in their session (`SET`, `LISTEN`, temporary tables) cost their connection:
///   it is closed when given back. `BEGIN`, `COMMIT` and the like are refused. What a function does to the session
///   (`set_config(…, false)`, `pg_advisory_lock`) is not seen: for that there is
///   [`with_connection`](Self::with_connection).
/// - Connections belong to the runtime they were opened on; used from another one they are replaced.
pub struct Postgres {
    pool: Pool,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("options", self.pool.options())
            .field("status", &self.pool.status())
            .finish()
    }
}

impl Postgres {
    pub(crate) async fn open(options: PostgresOptions) -> Result<Self> {
        options.validate()?;
        let pool = Pool::new(options)?;
        // A wrong host, password or database is to be known now, not at the first statement.
        drop(pool.lease(Purpose::Statement, None).await?);
        Ok(Postgres { pool })
    }

    /// Lends a connection to code that speaks sqlx. It is closed afterwards, since nobody can tell in what state it is
    /// left; the pool opens another one when it needs it.
    ///
    /// ```no_run
    /// # async fn example(db: &orm_postgres::Postgres) -> orm_core::error::Result<()> {
    /// use orm_postgres::sqlx;
    /// let one = db.with_connection(async |c| sqlx::query("SELECT 1").fetch_one(c).await).await?;
    /// # let _ = one; Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When no connection is to be had; whatever `work` gives back is handed through.
    pub async fn with_connection<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> Result<T> {
        let mut lease = self.pool.lease(Purpose::Lent, None).await?;
        Ok(work(lease.lend()?).await)
    }

    /// The settings it was opened with.
    pub fn options(&self) -> &PostgresOptions {
        self.pool.options()
    }

    /// Runs one statement on its own, a second time where that is safe and may help.
    async fn single(&self, sql: Sql, mut sink: Box<dyn Sink>) -> Result<Done> {
        let verb = admitted(&sql)?;
        let mut last = false;
        loop {
            let mut lease = self.pool.lease(Purpose::Statement, sql.site).await?;
            if verb == Verb::Session {
                lease.spend();
            }
            let failure = match lease.run(&sql, &mut *sink).await {
                Ok(affected) => return Ok(Done { sink, affected }),
                Err(failure) => failure,
            };
            // Hand-written SQL may call a function that writes: it names no columns, and is not run twice.
            let reads = !sql.writes && !sql.columns.is_empty();
            let again = failure.stale || failure.after == After::Lost && reads && !timed_out(&failure);
            if failure.after == After::Lost {
                self.pool.suspect();
            }
            if last || failure.rows || !again {
                return Err(failure.error);
            }
            // The pool looks at every connection before it gives it out now, and clears what is stale.
            last = true;
        }
    }

    /// Runs statements between BEGIN and COMMIT.
    async fn unit(&self, batch: &[Sql], mut sink: Box<dyn Sink>) -> Result<Done> {
        let verbs: Vec<Verb> = batch.iter().map(admitted).collect::<Result<_>>()?;
        let mut last = false;
        loop {
            let site = batch.first().and_then(|sql| sql.site);
            let mut lease = self
                .begun(SqlStr::from_static("BEGIN"), Purpose::Statement, site)
                .await?;
            if verbs.contains(&Verb::Session) {
                lease.spend();
            }
            match all(&mut lease, batch, &mut *sink).await {
                Ok(affected) => return lease.commit().await.map(|()| Done { sink, affected }),
                Err(failure) => {
                    lease.rollback().await;
                    if last || failure.rows || !failure.stale {
                        return Err(failure.error);
                    }
                    last = true;
                }
            }
        }
    }

    /// Runs a statement that cannot stand inside a transaction although a pooler would want one around it.
    async fn alone(&self, sql: &Sql) -> Result<()> {
        if !sql.params.is_empty() {
            return Err(Error::unsupported(
                "a parameter in a statement outside of transactions",
                "a pooler",
            ));
        }
        let mut lease = self.pool.lease(Purpose::Statement, sql.site).await?;
        let text = vouched(sql.text.clone());
        lease.simple(text).await.map_err(|f| f.error)
    }

    /// A connection with an open transaction. BEGIN changes nothing, so a dead connection is simply replaced.
    async fn begun(&self, text: SqlStr, purpose: Purpose, site: Option<Site>) -> Result<Lease> {
        let mut lease = self.pool.lease(purpose, site).await?;
        match lease.begin(text.clone()).await {
            Ok(()) => return Ok(lease),
            Err(f) if f.after != After::Lost || timed_out(&f) => return Err(f.error),
            Err(_) => self.pool.suspect(),
        }
        let mut lease = self.pool.lease(purpose, site).await?;
        match lease.begin(text).await {
            Ok(()) => Ok(lease),
            Err(f) => Err(f.error.with_sent(false)),
        }
    }
}

/// Opens the transactions of others and its own; nobody else does.
pub(crate) fn admitted(sql: &Sql) -> Result<Verb> {
    match verb(&sql.text) {
        Verb::Transaction => Err(Error::new(
            ErrorKind::TransactionState,
            "transactions and savepoints are opened and ended by their methods, not by SQL text",
        )),
        verb => Ok(verb),
    }
}

fn timed_out(failure: &Failure) -> bool {
    failure.error.kind() == ErrorKind::StatementTimeout
}

/// Runs statements in order; a failure after rows went out says so.
pub(crate) async fn all(lease: &mut Lease, batch: &[Sql], sink: &mut dyn Sink) -> Result<u64, Failure> {
    let mut affected = 0;
    for (i, sql) in batch.iter().enumerate() {
        affected += lease.run(sql, sink).await.map_err(|mut failure| {
            failure.rows |= i > 0;
            failure
        })?;
    }
    Ok(affected)
}

impl Runner for Postgres {
    fn dialect(&self) -> &'static dyn Dialect {
        &DIALECT
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        if !self.pool.options().pooler {
            return Box::pin(self.single(sql, sink));
        }
        Box::pin(async move {
            if verb(&sql.text) == Verb::Alone {
                self.alone(&sql).await?;
                return Ok(Done { sink, affected: 0 });
            }
            // Outside of a transaction the pooler may hand Parse and Bind to different sessions.
            self.unit(&[sql], sink).await
        })
    }
    fn run_all<'a>(&'a self, mut batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        match batch.len() {
            0 => Box::pin(async move { Ok(Done { sink, affected: 0 }) }),
            1 => match batch.pop() {
                Some(sql) => self.run(sql, sink),
                None => Box::pin(async move { Ok(Done { sink, affected: 0 }) }),
            },
            _ => Box::pin(async move { self.unit(&batch, sink).await }),
        }
    }
}

impl Driver for Postgres {
    fn begin<'a>(&'a self, mode: TxMode) -> BoxFuture<'a, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let lease = self
                .begun(begin_text(mode), Purpose::Transaction, mode.site)
                .await?;
            Ok(Box::new(Transaction::new(lease, self.pool.clone())) as Box<dyn Connection>)
        })
    }
    fn session<'a>(&'a self, site: Option<Site>) -> BoxFuture<'a, Result<Box<dyn Session>>> {
        Box::pin(async move {
            let mut lease = self.pool.lease(Purpose::Lent, site).await?;
            // It may have died while it lay idle, and nothing sent on it is sent twice.
            if lease.ping().await.is_err() {
                self.pool.suspect();
                drop(lease);
                lease = self.pool.lease(Purpose::Lent, site).await?;
            }
            Ok(Box::new(Own::new(lease, self.pool.clone())) as Box<dyn Session>)
        })
    }
    fn drop_tables<'a>(&'a self, batch: Vec<Sql>) -> BoxFuture<'a, Result<()>> {
        // the constraints of a circle are dropped by the first of these statements
        Box::pin(async move { self.run_all(batch, Box::new(Discard)).await.map(drop) })
    }
    fn status(&self) -> PoolStatus {
        self.pool.status()
    }
    fn ping<'a>(&'a self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let lease = || self.pool.lease(Purpose::Statement, None);
            if lease().await?.ping().await.is_ok() {
                return Ok(());
            }
            self.pool.suspect();
            lease().await?.ping().await.map_err(|f| f.error)
        })
    }
    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(self.pool.close())
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// BEGIN with everything said about the transaction, so that opening one is one round trip.
fn begin_text(mode: TxMode) -> SqlStr {
    if mode.is_plain() {
        return SqlStr::from_static("BEGIN");
    }
    let mut text = String::from("BEGIN");
    text.push_str(match mode.isolation {
        None => "",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    });
    if mode.read_only {
        text.push_str(" READ ONLY");
    }
    if mode.deferrable {
        text.push_str(" DEFERRABLE");
    }
    vouched(text)
}
