//! A connection with an open transaction.

use std::sync::Arc;

use libsqlite3_sys as ffi;
use orm_core::driver::{BoxFuture, Connection, Discard, Done, Purpose, SavepointVerb, Sink, TxMode};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{Effort, Sql};
use tokio::runtime::Handle;
use tokio::task::coop::consume_budget;

use crate::driver::{control, ended_by_statement, inline_pace, pay_for, run_each};
use crate::offload::{self, Away};
use crate::open::control_sql;
use crate::options::ReadMode;
use crate::pool::{Conn, Connections, Lease, Role};
use crate::raw::Control;
use crate::several::Several;
use crate::task::{Advance, Open, Pace, Task};

/// Ending a transaction that changed more rows than this is work for a blocking thread.
const MANY_CHANGES: u64 = 500;

/// An open transaction. Dropped, it rolls back: its lease does.
pub(crate) struct Transaction {
    home: Arc<Connections>,
    lease: Option<Lease>,
    /// The connection is on a blocking thread, because a caller went away while its statement ran.
    away: Option<Away>,
    cursor: Option<Cursor>,
    read_only: bool,
    holds: bool,
    changes_at_begin: u64,
}

struct Cursor {
    sql: Sql,
    open: Open,
    fetched: bool,
}

impl Transaction {
    pub(crate) async fn begin(home: &Arc<Connections>, mode: TxMode) -> Result<Self> {
        let role = if mode.read_only {
            Role::Reader
        } else {
            Role::Writer
        };
        let what = if mode.read_only {
            Control::Begin
        } else {
            Control::BeginImmediate
        };
        let mut lease = home.acquire(role).await?;
        lease.sign(Purpose::Transaction, mode.site);
        lease.raw().watch().arm(0, 0);
        if let Err(code) = lease.raw().control(what) {
            if code & 0xff != ffi::SQLITE_BUSY {
                return Err(lease.raw().failure(code));
            }
            let busy_ms = home.options.busy_ms();
            let (back, begun) = offload::stoppable(lease, move |conn| control(conn, what, busy_ms)).await?;
            begun?;
            lease = back;
        }
        let holds = !mode.read_only || home.options.is_memory();
        if holds {
            home.hold();
        }
        let changes_at_begin = lease.raw().total_changes();
        Ok(Transaction {
            home: home.clone(),
            lease: Some(lease),
            away: None,
            cursor: None,
            read_only: mode.read_only,
            holds,
            changes_at_begin,
        })
    }

    /// The connection, with the transaction still open on it.
    async fn ready(&mut self) -> Result<&mut Lease> {
        if let Some(away) = &mut self.away {
            let back = away.back().await;
            self.away = None;
            let mut lease = back?;
            if self.cursor.is_none() {
                // A cursor whose fetch was given up is lost with it.
                lease.raw().finish_all();
            }
            self.lease = Some(lease);
        }
        if self.holds {
            self.home.hold();
        }
        match &mut self.lease {
            Some(lease) => {
                // SQLite rolls back by itself on a full disk, an input or output error, or an interrupted write; what
                // came after that would be committed at once, each on its own.
                if lease.raw().autocommit() {
                    Err(aborted())
                } else {
                    Ok(lease)
                }
            }
            None => Err(aborted()),
        }
    }

    /// Runs work on a blocking thread. `stop` says whether it is stopped when the caller goes away, and how.
    async fn hop<R: Send + 'static>(
        &mut self,
        stop: Option<bool>,
        work: impl FnOnce(&mut Conn) -> R + Send + 'static,
    ) -> Result<R> {
        let Some(lease) = self.lease.take() else {
            return Err(aborted());
        };
        let (away, answer) = offload::start(lease, work)?;
        let guard = stop.map(|hard| away.stop().on_drop(hard));
        self.away = Some(away);
        let done = answer.get().await;
        if let Some(guard) = guard {
            guard.disarm();
        }
        let (lease, answer) = done?;
        self.lease = Some(lease);
        self.away = None;
        Ok(answer)
    }

    async fn run_one(&mut self, sql: Sql, sink: Box<dyn Sink>) -> Result<Done> {
        consume_budget().await;
        let (home, read_only) = (self.home.clone(), self.read_only);
        let lease = self.ready().await?;
        lease.raw().watch().start_clock();
        let inline = inline_pace(&home.options, &sql, lease, true);
        let reads = !sql.writes;
        let replays = matches!(inline, Some((_, true)));
        let mut task = Task::inside(sql, sink, replays, read_only);
        let mut done = match inline {
            Some((pace, _)) => task.work(lease.raw(), pace)?,
            None => None,
        };
        let rows = if done.is_some() { task.rows_read() } else { 0 };
        if done.is_none() {
            // A read is stopped when its caller goes away; with a cursor open only softly, because a hard stop would hit
            // that as well. A write is left to end: stopping it would undo the whole transaction.
            let stop = reads.then_some(self.cursor.is_none());
            let pace = Pace::blocking(home.options.busy_ms());
            let work = move |conn: &mut Conn| {
                let done = task.work(conn.raw(), pace);
                (task, done)
            };
            let (back, answer) = self.hop(stop, work).await?;
            (task, done) = (back, answer?);
        }
        self.still_open()?;
        pay_for(rows).await;
        Ok(Done {
            sink: task.into_sink(),
            affected: done.unwrap_or(0),
        })
    }

    async fn run_many(&mut self, mut batch: Vec<Sql>, sink: Box<dyn Sink>) -> Result<Done> {
        if batch.len() <= 1 {
            return match batch.pop() {
                Some(sql) => self.run_one(sql, sink).await,
                None => Ok(Done { sink, affected: 0 }),
            };
        }
        consume_budget().await;
        let (home, read_only) = (self.home.clone(), self.read_only);
        let stop = batch
            .iter()
            .all(|sql| !sql.writes)
            .then_some(self.cursor.is_none());
        let mut several = Several::new(batch, sink, read_only);
        let lease = self.ready().await?;
        if home.options.read_mode != ReadMode::Offload
            && several.is_quick()
            && several.work(lease, Pace::UNLIMITED)?
        {
            let done = several.done()?;
            pay_for(done.affected).await;
            return Ok(done);
        }
        let busy_ms = home.options.busy_ms();
        self.hop(stop, move |conn| several.finish(conn, busy_ms)).await?
    }

    fn still_open(&mut self) -> Result<()> {
        let ended = self.lease.as_mut().is_some_and(|lease| lease.raw().autocommit());
        if ended { Err(ended_by_statement()) } else { Ok(()) }
    }

    async fn open(&mut self, mut sql: Sql) -> Result<()> {
        if self.cursor.is_some() {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "a cursor is open already",
            ));
        }
        let read_only = self.read_only;
        let lease = self.ready().await?;
        lease.raw().watch().arm(0, 0);
        let open = Open::new(lease.raw(), &mut sql, true, read_only)?;
        self.cursor = Some(Cursor {
            sql,
            open,
            fetched: false,
        });
        Ok(())
    }

    async fn fetch(&mut self, mut sink: Box<dyn Sink>) -> Result<(Box<dyn Sink>, bool)> {
        let home = self.home.clone();
        self.ready().await?;
        let (Some(mut cursor), Some(lease)) = (self.cursor.take(), &mut self.lease) else {
            return Err(Error::new(ErrorKind::TransactionState, "no cursor is open"));
        };
        lease.raw().watch().start_clock();
        let mut wants = sink.wants().map(|n| n as u64);
        let adaptive = home.options.read_mode == ReadMode::Adaptive;
        if !cursor.fetched && adaptive && cursor.sql.effort != Effort::Long && !cursor.sql.writes {
            cursor.fetched = true;
            let pace = Pace::INLINE;
            let before = cursor.open.given();
            let open = &mut cursor.open;
            let over = open.advance(lease.raw(), &cursor.sql.columns, sink.as_mut(), wants, pace);
            match over {
                Ok(Advance::Unfinished) => {
                    let given = cursor.open.given() - before;
                    wants = wants.map(|n| n.saturating_sub(given));
                }
                over => {
                    lease.raw().watch().stop_clock();
                    let over = over?;
                    return Ok((sink, self.keep(cursor, over)));
                }
            }
        }
        cursor.fetched = true;
        let pace = Pace::blocking(home.options.busy_ms());
        let work = move |conn: &mut Conn| {
            let Cursor { sql, open, .. } = &mut cursor;
            let over = open.advance(conn.raw(), &sql.columns, sink.as_mut(), wants, pace);
            conn.raw().watch().stop_clock();
            (cursor, sink, over)
        };
        let (cursor, sink, over) = self.hop(Some(true), work).await?;
        let more = self.keep(cursor, over?);
        Ok((sink, more))
    }

    /// Keeps the cursor while there may be more rows.
    fn keep(&mut self, cursor: Cursor, over: Advance) -> bool {
        let more = over == Advance::Full;
        if more {
            self.cursor = Some(cursor);
        } else if let Some(lease) = &mut self.lease {
            cursor.open.close(lease.raw());
        }
        more
    }

    async fn close(&mut self) -> Result<()> {
        let cursor = self.cursor.take();
        let lease = self.ready().await?;
        if let Some(cursor) = cursor {
            cursor.open.close(lease.raw());
        }
        Ok(())
    }

    async fn mark(&mut self, depth: u32, verb: SavepointVerb) -> Result<()> {
        let heavy = verb == SavepointVerb::Undo && self.is_heavy();
        let batch = savepoint_sql(depth, verb);
        if verb == SavepointVerb::Undo {
            // A cursor was opened under the savepoint, and nobody closes it any more.
            self.cursor = None;
        }
        let lease = self.ready().await?;
        if verb == SavepointVerb::Undo {
            lease.raw().finish_all();
        }
        if heavy {
            return self
                .hop(None, move |conn| {
                    run_each(conn, batch, Box::new(Discard), 0, false)
                })
                .await?
                .map(drop);
        }
        run_each(lease, batch, Box::new(Discard), 0, false).map(drop)
    }

    fn is_heavy(&mut self) -> bool {
        let before = self.changes_at_begin;
        self.lease
            .as_mut()
            .is_some_and(|lease| lease.raw().total_changes() - before > MANY_CHANGES)
    }

    /// Takes the connection out, to end the transaction: from here on nothing can come between.
    fn take(&mut self) -> Option<Lease> {
        self.cursor = None;
        let mut lease = self.lease.take()?;
        lease.raw().finish_all();
        self.let_go();
        Some(lease)
    }

    fn let_go(&mut self) {
        if std::mem::take(&mut self.holds) {
            self.home.let_go();
        }
    }

    async fn end_by_commit(mut self: Box<Self>) -> Result<()> {
        self.ready().await?;
        let heavy = self.is_heavy();
        let busy_ms = self.home.options.busy_ms();
        let Some(mut lease) = self.take() else {
            return Err(aborted());
        };
        if !heavy && (self.read_only || lease.commits_at_once()) {
            lease.raw().watch().arm(0, 0);
            match lease.raw().control(Control::Commit) {
                Ok(()) => return Ok(()),
                Err(code) if code & 0xff == ffi::SQLITE_BUSY => {}
                Err(code) => return Err(lease.raw().failure(code)),
            }
        }
        let (_lease, done) =
            offload::to_the_end(lease, move |conn| control(conn, Control::Commit, busy_ms)).await?;
        done
    }

    async fn end_by_rollback(mut self: Box<Self>) -> Result<()> {
        if let Some(away) = &self.away {
            away.stop().now(true);
        }
        match self.ready().await {
            Err(e) if e.kind() == ErrorKind::TransactionAborted => return Ok(()),
            other => other?,
        };
        let heavy = self.is_heavy();
        let Some(mut lease) = self.take() else {
            return Ok(());
        };
        if heavy {
            let (_lease, done) =
                offload::to_the_end(lease, |conn| control(conn, Control::Rollback, 0)).await?;
            return done;
        }
        control(&mut lease, Control::Rollback, 0)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(away) = &self.away {
            away.stop().now(true);
        }
        self.let_go();
        // What takes long to undo is undone on a blocking thread; the connection is nobody else's before that.
        if self.is_heavy()
            && let (Some(lease), Ok(runtime)) = (self.lease.take(), Handle::try_current())
        {
            runtime.spawn_blocking(move || drop(lease));
        }
    }
}

impl Connection for Transaction {
    fn run<'a>(&'a mut self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_one(sql, sink))
    }
    fn run_all<'a>(&'a mut self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(self.run_many(batch, sink))
    }
    fn open_cursor<'a>(&'a mut self, sql: Sql) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.open(sql))
    }
    fn fetch_cursor<'a>(&'a mut self, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<(Box<dyn Sink>, bool)>> {
        Box::pin(self.fetch(sink))
    }
    fn close_cursor<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.close())
    }
    fn savepoint<'a>(&'a mut self, depth: u32, verb: SavepointVerb) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.mark(depth, verb))
    }
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.end_by_commit())
    }
    fn rollback(self: Box<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(self.end_by_rollback())
    }
}

pub(crate) fn savepoint_sql(depth: u32, verb: SavepointVerb) -> Vec<Sql> {
    let verbs: &[&str] = match verb {
        SavepointVerb::Set => &["SAVEPOINT"],
        SavepointVerb::Release => &["RELEASE"],
        SavepointVerb::Undo => &["ROLLBACK TO", "RELEASE"],
    };
    verbs
        .iter()
        .map(|verb| control_sql(&format!("{verb} \"orm_{depth}\"")))
        .collect()
}

#[cold]
pub(crate) fn aborted() -> Error {
    Error::new(
        ErrorKind::TransactionAborted,
        "the transaction was rolled back or ended before; nothing more can be done in it",
    )
}
