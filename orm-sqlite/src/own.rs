//! A connection of one's own, outside of transactions. Dropped, it is closed; in memory it goes back to the pool.

use std::sync::Arc;

use orm_core::driver::{BoxFuture, Discard, Done, Purpose, SavepointVerb, Session, Sink, Site};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;

use crate::driver::{control, ended_by_statement, outside_transaction, run_each};
use crate::offload;
use crate::pool::{Conn, Connections, Lease};
use crate::raw::Control;
use crate::task::{Pace, Task};
use crate::transaction::{aborted, savepoint_sql};

/// See [`Session`]. All its statements run on blocking threads.
pub(crate) struct Own {
    home: Arc<Connections>,
    /// Absent once the future of a statement was dropped.
    lease: Option<Lease>,
    open: bool,
    holds: bool,
}

impl Own {
    pub(crate) async fn open(home: &Arc<Connections>, site: Option<Site>) -> Result<Self> {
        if home.options.read_only {
            return Err(Error::new(
                ErrorKind::ReadOnly,
                "the database was opened for reading only",
            ));
        }
        let mut lease = home.own().await?;
        lease.sign(Purpose::Lent, site);
        let holds = home.options.is_memory();
        if holds {
            // a statement of this task through the database would wait for this very connection
            home.hold();
        }
        Ok(Own {
            home: home.clone(),
            lease: Some(lease),
            open: false,
            holds,
        })
    }

    /// Runs work on a blocking thread. When the caller goes away it is stopped, and the connection closed.
    async fn hop<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Conn) -> R + Send + 'static,
    ) -> Result<R> {
        let Some(lease) = self.lease.take() else {
            return Err(Error::new(
                ErrorKind::ConnectionLost,
                "a statement of this session was dropped before its end, and the session closed",
            )
            .with_sent(false));
        };
        let (lease, answer) = offload::stoppable(lease, work).await?;
        self.lease = Some(lease);
        Ok(answer)
    }

    /// Whether the transaction is still there: SQLite rolls back by itself on a full disk and the like.
    fn check_open(&mut self) -> Result<()> {
        let gone = self.open && self.lease.as_mut().is_some_and(|l| l.raw().autocommit());
        match gone {
            true => Err(aborted()),
            false => Ok(()),
        }
    }

    async fn run_one(&mut self, sql: Sql, sink: Box<dyn Sink>) -> Result<Done> {
        self.check_open()?;
        let pace = Pace::blocking(self.home.options.busy_ms());
        let mut task = Task::inside(sql, sink, false, false);
        let work = move |conn: &mut Conn| {
            conn.raw().watch().start_clock();
            let done = task.work(conn.raw(), pace);
            conn.raw().watch().stop_clock();
            (task, done)
        };
        let (task, done) = self.hop(work).await?;
        let affected = done?.unwrap_or(0);
        if let Some(lease) = &mut self.lease {
            match self.open {
                true if lease.raw().autocommit() => return Err(ended_by_statement()),
                true => {}
                false => {
                    let outside = outside_transaction(lease);
                    if outside.is_err() {
                        lease.settle();
                    }
                    outside?;
                }
            }
        }
        Ok(Done {
            sink: task.into_sink(),
            affected,
        })
    }

    async fn begin_now(&mut self) -> Result<()> {
        if self.open {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "a transaction is open already",
            ));
        }
        let busy_ms = self.home.options.busy_ms();
        self.hop(move |conn| control(conn, Control::BeginImmediate, busy_ms))
            .await??;
        self.open = true;
        Ok(())
    }

    async fn commit_now(&mut self) -> Result<()> {
        if !self.open {
            return Err(Error::new(ErrorKind::TransactionState, "no transaction is open"));
        }
        let gone = self.check_open();
        self.open = false;
        gone?;
        let busy_ms = self.home.options.busy_ms();
        let work = move |conn: &mut Conn| {
            let done = control(conn, Control::Commit, busy_ms);
            if done.is_err() {
                conn.settle();
            }
            done
        };
        self.hop(work).await?
    }

    async fn mark(&mut self, depth: u32, verb: SavepointVerb) -> Result<()> {
        if !self.open {
            return Err(Error::new(ErrorKind::TransactionState, "no transaction is open"));
        }
        self.check_open()?;
        let batch = savepoint_sql(depth, verb);
        self.hop(move |conn| run_each(conn, batch, Box::new(Discard), 0, false))
            .await?
            .map(drop)
    }

    async fn rollback_now(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.open) || self.lease.is_none() {
            return Ok(());
        }
        let settled = self.hop(Conn::settle).await?;
        match settled {
            true => Ok(()),
            false => {
                self.lease = None;
                Err(Error::new(
                    ErrorKind::ConnectionLost,
                    "the connection could not be rolled back and is closed",
                ))
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.holds {
            self.home.let_go();
        }
    }
}

impl Session for Own {
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_one(sql, sink))
    }
    fn copy_in<'a>(&'a mut self, _: Arc<str>, _: Vec<u8>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Err(Error::unsupported("COPY", "sqlite")) })
    }
    fn begin<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.begin_now())
    }
    fn commit<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.commit_now())
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.mark(depth, verb))
    }
    fn rollback<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.rollback_now())
    }
    fn keeps_state(&self) -> bool {
        true
    }
}
