//! A connection of one's own, outside of transactions. Dropped, it is closed, and the server lets go of its locks.

use std::sync::Arc;

use orm_core::driver::{BoxFuture, Done, SavepointVerb, Session, Sink};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;

use crate::driver::admitted;
use crate::error::{After, Failure, lost};
use crate::pool::{Lease, Pool};
use crate::session::{Verb, vouched};
use crate::transaction::{aborted, savepoint_text};

/// See [`Session`].
pub(crate) struct Own {
    lease: Lease,
    pool: Pool,
    pooler: bool,
    /// The server refused a statement of the open transaction.
    failed: bool,
}

impl Own {
    pub(crate) fn new(mut lease: Lease, pool: Pool) -> Self {
        lease.spend();
        lease.wait_on();
        let pooler = pool.options().pooler;
        Own {
            lease,
            pool,
            pooler,
            failed: false,
        }
    }

    fn ready(&mut self) -> Result<()> {
        if self.lease.is_busy() {
            // nobody saw the end of that statement
            self.lease.discard();
        }
        if self.lease.is_lost() {
            return Err(lost().with_sent(false));
        }
        match self.failed {
            true => Err(aborted()),
            false => Ok(()),
        }
    }

    fn note<T>(&mut self, done: Result<T, Failure>) -> Result<T> {
        done.map_err(|failure| {
            match failure.after {
                After::Clean => {}
                After::Refused => self.failed = self.lease.is_open(),
                After::Lost => self.pool.suspect(),
            }
            failure.error
        })
    }

    async fn run_one(&mut self, sql: Sql, mut sink: Box<dyn Sink>) -> Result<Done> {
        self.ready()?;
        let verb = admitted(&sql)?;
        if !self.pooler || self.lease.is_open() {
            let done = self.lease.run(&sql, &mut *sink).await;
            let affected = self.note(done)?;
            return Ok(Done { sink, affected });
        }
        if verb == Verb::Alone && sql.params.is_empty() {
            let done = self.lease.simple(vouched(sql.text.clone())).await;
            self.note(done)?;
            return Ok(Done { sink, affected: 0 });
        }
        // Outside of a transaction the pooler may hand Parse and Bind to different sessions.
        self.open().await?;
        let done = self.lease.run(&sql, &mut *sink).await;
        match self.note(done) {
            Ok(affected) => self.end().await.map(|()| Done { sink, affected }),
            Err(e) => {
                self.undo().await?;
                Err(e)
            }
        }
    }

    async fn copy(&mut self, text: Arc<str>, data: Vec<u8>) -> Result<u64> {
        self.ready()?;
        if !text
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case("COPY "))
        {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "the bulk loader takes the text of one COPY … FROM STDIN",
            ));
        }
        let done = self.lease.copy_in(&text, &data).await;
        self.note(done)
    }

    async fn open(&mut self) -> Result<()> {
        self.ready()?;
        if self.lease.is_open() {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "a transaction is open already",
            ));
        }
        let done = self.lease.begin("BEGIN").await;
        self.note(done)
    }

    async fn end(&mut self) -> Result<()> {
        if let Err(refusal) = self.ready() {
            self.undo().await?;
            return Err(refusal);
        }
        if !self.lease.is_open() {
            return Err(Error::new(ErrorKind::TransactionState, "no transaction is open"));
        }
        let done = self.lease.end_by_commit().await;
        if done.is_err() && self.lease.is_open() {
            self.lease.discard();
        }
        done
    }

    async fn mark(&mut self, depth: u32, verb: SavepointVerb) -> Result<()> {
        if verb == SavepointVerb::Undo {
            self.failed = false;
        }
        self.ready()?;
        if !self.lease.is_open() {
            return Err(Error::new(ErrorKind::TransactionState, "no transaction is open"));
        }
        let done = self.lease.simple(vouched(savepoint_text(depth, verb))).await;
        self.note(done)
    }

    async fn undo(&mut self) -> Result<()> {
        self.failed = false;
        if !self.lease.is_open() || self.lease.is_lost() {
            return Ok(());
        }
        if self.lease.is_busy() {
            self.lease.discard();
            return Ok(());
        }
        self.lease.end_by_rollback().await;
        if self.lease.is_open() {
            self.lease.discard();
            return Err(lost());
        }
        Ok(())
    }
}

impl Session for Own {
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_one(sql, sink))
    }
    fn copy_in<'a>(&'a mut self, text: Arc<str>, data: Vec<u8>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.copy(text, data))
    }
    fn begin<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.open())
    }
    fn commit<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.end())
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.mark(depth, verb))
    }
    fn rollback<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.undo())
    }
    fn keeps_state(&self) -> bool {
        !self.pooler
    }
}
