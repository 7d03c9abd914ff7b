//! A transaction on a connection of its own.

use orm_core::driver::{BoxFuture, Connection, Done, SavepointVerb, Sink};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;

use crate::driver::{admitted, all};
use crate::error::{After, Failure};
use crate::pool::{Lease, Pool};
use crate::session::{Verb, vouched};

/// How many rows a cursor fetches when the sink does not say.
const BATCH: usize = 1000;

/// An open transaction. Dropped, its connection is closed, and the server rolls back.
pub(crate) struct Transaction {
    lease: Lease,
    pool: Pool,
    /// The server refused a statement: until a savepoint is undone it refuses everything.
    failed: bool,
    /// How many savepoints are set.
    depth: u32,
    /// How many of them were set when the open cursor was declared: undoing one of those removes it.
    cursor: Option<u32>,
}

impl Transaction {
    pub(crate) fn new(lease: Lease, pool: Pool) -> Self {
        Transaction {
            lease,
            pool,
            failed: false,
            depth: 0,
            cursor: None,
        }
    }

    /// Whether a statement may be sent.
    fn ready(&self) -> Result<()> {
        if self.lease.is_lost() {
            return Err(Error::new(
                ErrorKind::ConnectionLost,
                "the connection broke earlier in this transaction, which is undone",
            )
            .with_sent(false));
        }
        if self.lease.is_busy() {
            return Err(Error::new(
                ErrorKind::TransactionAborted,
                "a statement of this transaction was dropped before its end; only rollback is possible",
            ));
        }
        match self.failed {
            true => Err(aborted()),
            false => Ok(()),
        }
    }

    fn admit<'s>(&mut self, batch: impl IntoIterator<Item = &'s Sql>) -> Result<()> {
        self.ready()?;
        for sql in batch {
            if admitted(sql)? == Verb::Session {
                self.lease.spend();
            }
        }
        Ok(())
    }

    /// Notes what a failure does to the transaction.
    fn note<T>(&mut self, done: Result<T, Failure>) -> Result<T> {
        done.map_err(|failure| {
            match failure.after {
                After::Clean => {}
                After::Refused => self.failed = true,
                After::Lost => self.pool.suspect(),
            }
            if failure.stale {
                // Its statements are not cleared inside a transaction, and nobody is to inherit them.
                self.lease.spend();
            }
            failure.error
        })
    }

    async fn set_savepoint(&mut self, depth: u32, verb: SavepointVerb) -> Result<()> {
        let text = savepoint_text(depth, verb);
        if verb == SavepointVerb::Undo && !self.lease.is_lost() {
            let drained = self.lease.drain().await;
            self.note(drained)?;
        } else {
            self.ready()?;
        }
        let done = self.lease.simple(vouched(text)).await;
        self.note(done)?;
        self.failed = false;
        self.depth = match verb {
            SavepointVerb::Set => depth,
            SavepointVerb::Release | SavepointVerb::Undo => depth.saturating_sub(1),
        };
        if verb == SavepointVerb::Undo && self.cursor.is_some_and(|declared| declared >= depth) {
            self.cursor = None;
        }
        // A cursor outlives the savepoint it was declared under when that is released.
        self.cursor = self.cursor.map(|declared| declared.min(self.depth));
        Ok(())
    }

    async fn open(&mut self, sql: &Sql) -> Result<()> {
        self.admit([sql])?;
        if self.cursor.is_some() {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "a cursor is open already",
            ));
        }
        let text = format!("DECLARE orm_cursor NO SCROLL CURSOR FOR {}", sql.text);
        let done = self.lease.run_as(text.into(), sql, &mut Nothing).await;
        self.note(done)?;
        self.cursor = Some(self.depth);
        Ok(())
    }

    async fn fetch(&mut self, sink: &mut dyn Sink) -> Result<bool> {
        self.ready()?;
        if self.cursor.is_none() {
            return Err(Error::new(ErrorKind::TransactionState, "no cursor is open"));
        }
        let wanted = sink.wants().unwrap_or(BATCH).max(1);
        // Unprepared: the same text would stand for the rows of another cursor next time.
        let fetch = Sql {
            text: format!("FETCH {wanted} FROM orm_cursor").into(),
            ..plain()
        };
        let done = self.lease.run_as(fetch.text.clone(), &fetch, sink).await;
        let rows = self.note(done)?;
        Ok(rows >= wanted as u64)
    }

    async fn close(&mut self) -> Result<()> {
        // In a failed transaction the cursor is gone or goes with it.
        let open = self.cursor.take().is_some();
        if !open || self.ready().is_err() {
            return Ok(());
        }
        let done = self.lease.simple("CLOSE orm_cursor").await;
        self.note(done)
    }

    async fn end(self) -> Result<()> {
        let refusal = match self.ready() {
            Ok(()) => return self.lease.commit().await,
            Err(refusal) => refusal,
        };
        self.lease.rollback().await;
        Err(refusal)
    }
}

pub(crate) fn savepoint_text(depth: u32, verb: SavepointVerb) -> String {
    match verb {
        SavepointVerb::Set => format!("SAVEPOINT orm_{depth}"),
        SavepointVerb::Release => format!("RELEASE SAVEPOINT orm_{depth}"),
        SavepointVerb::Undo => {
            format!("ROLLBACK TO SAVEPOINT orm_{depth}; RELEASE SAVEPOINT orm_{depth}")
        }
    }
}

#[cold]
pub(crate) fn aborted() -> Error {
    Error::new(
        ErrorKind::TransactionAborted,
        "a statement of this transaction failed; only rollback is possible",
    )
}

/// A statement without parameters and with unknown columns.
fn plain() -> Sql {
    Sql {
        text: "".into(),
        params: Vec::new(),
        columns: [].into(),
        effort: orm_core::sql::Effort::Rows,
        writes: false,
        operation: "FETCH",
        target: None,
        sensitive: false,
        site: None,
    }
}

/// For statements that return no row.
struct Nothing;

impl Sink for Nothing {
    fn row(&mut self, _: &dyn orm_core::value::Cells) -> Result<()> {
        Ok(())
    }
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

impl Connection for Transaction {
    fn run<'a>(&'a mut self, sql: Sql, mut sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            self.admit([&sql])?;
            let done = self.lease.run(&sql, &mut *sink).await;
            let affected = self.note(done)?;
            Ok(Done { sink, affected })
        })
    }
    fn run_all<'a>(&'a mut self, batch: Vec<Sql>, mut sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            self.admit(&batch)?;
            let done = all(&mut self.lease, &batch, &mut *sink).await;
            let affected = self.note(done)?;
            Ok(Done { sink, affected })
        })
    }
    fn open_cursor<'a>(&'a mut self, sql: Sql) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.open(&sql).await })
    }
    fn fetch_cursor<'a>(
        &'a mut self,
        mut sink: Box<dyn Sink>,
    ) -> BoxFuture<'a, Result<(Box<dyn Sink>, bool)>> {
        Box::pin(async move {
            let more = self.fetch(&mut *sink).await?;
            Ok((sink, more))
        })
    }
    fn close_cursor<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.close())
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.set_savepoint(depth, verb))
    }
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.end())
    }
    fn rollback(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            self.lease.rollback().await;
            Ok(())
        })
    }
}
