//! One statement on one connection, in pieces: started on the caller's thread, perhaps finished on a blocking one.

use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;
use orm_core::driver::{Sink, Site};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;
use orm_core::value::Type;

use crate::raw::{Control, RawConnection, StatementId, Step};
use crate::types::View;

/// How many progress calls (of 1000 operations each) may pass between two rows on the runtime's thread.
const INLINE_TICKS: u32 = 5;
/// How long rows may be read, or inserted, on the runtime's thread.
pub(crate) const INLINE_TIME: Duration = Duration::from_millis(1);
/// A write of more text and bytes than this is work for a blocking thread: one step of copying is not stopped between its
/// bytes, and triggers may index every word.
const INLINE_BYTES: usize = 1 << 16;
/// After so many rows the clock is looked at.
const CLOCK_ROWS: u64 = 64;

/// How a piece of work has to behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// On the caller's thread: where it would have to wait, it ends unfinished.
    pub(crate) inline: bool,
    /// Progress calls between rows, 0 for any number.
    pub(crate) ticks: u32,
    /// How long a lock may be waited for.
    pub(crate) busy_ms: u32,
    /// Stop between rows when the time is over.
    pub(crate) clock: bool,
}

impl Pace {
    /// On the runtime's thread.
    pub(crate) const INLINE: Pace = Pace {
        inline: true,
        ticks: INLINE_TICKS,
        busy_ms: 0,
        clock: true,
    };
    /// On the runtime's thread, however long it takes.
    pub(crate) const UNLIMITED: Pace = Pace {
        inline: true,
        ticks: 0,
        busy_ms: 0,
        clock: false,
    };
    /// On a blocking thread: to the end, waiting for locks.
    pub(crate) fn blocking(busy_ms: u32) -> Self {
        Pace {
            inline: false,
            ticks: 0,
            busy_ms,
            clock: false,
        }
    }
}

/// Where a piece of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// The statement is over.
    Done,
    /// The sink has what it wanted.
    Full,
    /// To be continued on a thread that may block: time or budget is over, or there is a lock to wait for.
    Unfinished,
}

/// A statement with its values, ready to step or standing on a row.
pub(crate) struct Open {
    id: StatementId,
    writes: bool,
    /// How much text and how many bytes are bound.
    bytes: usize,
    /// May start again and pass over the rows that were given: it reads, and its snapshot stays.
    replays: bool,
    /// To interrupt it would undo a whole transaction.
    fragile: bool,
    given: u64,
    skip: u64,
}

impl Open {
    /// Prepares and binds.
    pub(crate) fn new(
        raw: &mut RawConnection,
        sql: &mut Sql,
        replays: bool,
        read_only: bool,
    ) -> Result<Self> {
        let id = raw.prepare(&sql.text)?;
        if read_only && !raw.reads_only(id) {
            raw.finish(id);
            return Err(Error::new(
                ErrorKind::ReadOnly,
                "a write where only reading is allowed",
            ));
        }
        let wanted = raw.parameters(id);
        if wanted != sql.params.len() {
            raw.finish(id);
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!(
                    "the statement takes {wanted} values, {} were given",
                    sql.params.len()
                ),
            ));
        }
        let bytes = raw.bind(id, std::mem::take(&mut sql.params))?;
        // Said to read or not: what SQLite says counts.
        let changes = !raw.reads_only(id);
        Ok(Open {
            id,
            writes: sql.writes || changes,
            bytes,
            replays: replays && !changes,
            fragile: changes && !raw.autocommit(),
            given: 0,
            skip: 0,
        })
    }

    /// How many rows the sinks have got.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// Steps on and gives rows to the sink, at most `wants` of them. On an error the statement is over.
    pub(crate) fn advance(
        &mut self,
        raw: &mut RawConnection,
        types: &[Type],
        sink: &mut dyn Sink,
        wants: Option<u64>,
        pace: Pace,
    ) -> Result<Advance> {
        let result = self.steps(raw, types, sink, wants, pace);
        if result.is_err() {
            raw.finish(self.id);
        }
        result
    }

    fn steps(
        &mut self,
        raw: &mut RawConnection,
        types: &[Type],
        sink: &mut dyn Sink,
        wants: Option<u64>,
        pace: Pace,
    ) -> Result<Advance> {
        let watch = raw.watch().clone();
        let open_end = self.fragile || (self.given > 0 && !self.replays);
        watch.arm(if open_end { 0 } else { pace.ticks }, pace.busy_ms);
        let mut started = None;
        let mut left = wants.unwrap_or(u64::MAX);
        if left == 0 && !self.writes {
            return Ok(Advance::Full);
        }
        loop {
            match raw.step(self.id) {
                Step::Row if self.skip > 0 => self.skip -= 1,
                // A write goes on to its end whatever the sink wants.
                Step::Row if left == 0 => {}
                Step::Row => {
                    sink.row(&View {
                        row: raw.row(self.id),
                        types,
                    })?;
                    self.given += 1;
                    left -= 1;
                    if left == 0 && !self.writes {
                        return Ok(Advance::Full);
                    }
                    if pace.ticks != 0 && !self.replays {
                        watch.disarm();
                    }
                    if pace.clock && (watch.take_ticks() || self.given.is_multiple_of(CLOCK_ROWS)) {
                        let now = Instant::now();
                        if now - *started.get_or_insert(now) > INLINE_TIME {
                            return Ok(Advance::Unfinished);
                        }
                    }
                }
                Step::Done => return Ok(Advance::Done),
                Step::Failed(code) => {
                    if watch.is_late() && matches!(code & 0xff, ffi::SQLITE_INTERRUPT | ffi::SQLITE_BUSY) {
                        return Err(too_late());
                    }
                    let budget = code & 0xff == ffi::SQLITE_INTERRUPT && watch.overran();
                    let locked = pace.inline && code & 0xff == ffi::SQLITE_BUSY && self.given == 0;
                    if !budget && !locked {
                        return Err(raw.failure(code));
                    }
                    raw.rewind(self.id);
                    self.skip = self.given;
                    return Ok(Advance::Unfinished);
                }
            }
        }
    }

    /// Lets go of the statement.
    pub(crate) fn close(self, raw: &mut RawConnection) {
        raw.finish(self.id);
    }
    /// Lets go of the statement, and leaves its values for the next run to replace.
    fn close_bound(self, raw: &mut RawConnection) {
        raw.finish_bound(self.id);
    }
}

#[cold]
fn too_late() -> Error {
    Error::new(
        ErrorKind::StatementTimeout,
        "the statement ran longer than `statement_timeout` allows",
    )
    .with_code("SQLITE_INTERRUPT")
}

/// A statement, its sink and how far it has come. It travels to another thread and back as one value.
pub(crate) struct Task {
    sql: Sql,
    sink: Box<dyn Sink>,
    open: Option<Open>,
    /// Reads inside a read transaction of its own, so that it can be replayed.
    snapshot: bool,
    begun: bool,
    /// Replays inside the transaction of somebody else.
    replays: bool,
    read_only: bool,
    /// The same statement may follow with other values.
    in_batch: bool,
    changes_before: u64,
    rows: u64,
}

impl Task {
    /// A statement on its own.
    pub(crate) fn alone(sql: Sql, sink: Box<dyn Sink>, snapshot: bool) -> Self {
        let read_only = !sql.writes;
        Task {
            sql,
            sink,
            open: None,
            snapshot,
            begun: false,
            replays: snapshot,
            read_only,
            in_batch: false,
            changes_before: 0,
            rows: 0,
        }
    }
    /// A statement inside a transaction.
    pub(crate) fn inside(sql: Sql, sink: Box<dyn Sink>, replays: bool, read_only: bool) -> Self {
        Task {
            sql,
            sink,
            open: None,
            snapshot: false,
            begun: false,
            replays,
            read_only,
            in_batch: false,
            changes_before: 0,
            rows: 0,
        }
    }
    /// One of several statements: its values stay bound until the next one is, or [`RawConnection::unbind`].
    pub(crate) fn in_batch(mut self) -> Self {
        self.in_batch = true;
        self
    }
    /// How many rows a read gave; 0 for a write.
    pub(crate) fn rows_read(&self) -> u64 {
        if self.sql.writes { 0 } else { self.rows }
    }
    /// The line of the program that runs it.
    pub(crate) fn site(&self) -> Option<Site> {
        self.sql.site
    }
    pub(crate) fn into_sink(self) -> Box<dyn Sink> {
        self.sink
    }

    /// Works on. `Some` with the rows changed when the statement is over; `None` to be called again on a thread that
    /// may block. After an error nothing of it is left on the connection.
    pub(crate) fn work(&mut self, raw: &mut RawConnection, pace: Pace) -> Result<Option<u64>> {
        let result = self.piece(raw, pace);
        if !matches!(result, Ok(None)) {
            raw.watch().stop_clock();
        }
        if self.begun && !matches!(result, Ok(None)) {
            self.begun = false;
            let end = if result.is_ok() {
                Control::Commit
            } else {
                Control::Rollback
            };
            if let Err(code) = raw.control(end)
                && result.is_ok()
            {
                return Err(raw.failure(code));
            }
        }
        result
    }

    fn piece(&mut self, raw: &mut RawConnection, pace: Pace) -> Result<Option<u64>> {
        if self.open.is_none() {
            if self.snapshot && !self.begun {
                raw.control(Control::Begin).map_err(|code| raw.failure(code))?;
                self.begun = true;
            }
            // Preparing asks the progress handler as well: not with what the statement before has left of its budget.
            raw.watch().arm(0, pace.busy_ms);
            self.changes_before = raw.total_changes();
            self.open = Some(Open::new(raw, &mut self.sql, self.replays, self.read_only)?);
        }
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        if pace.inline && open.writes && open.bytes > INLINE_BYTES {
            return Ok(None);
        }
        let wants = self.sink.wants().map(|n| (n as u64).saturating_sub(open.given));
        let advance = open.advance(raw, &self.sql.columns, self.sink.as_mut(), wants, pace);
        if matches!(advance, Ok(Advance::Unfinished)) {
            return Ok(None);
        }
        self.rows = open.given;
        let open = self.open.take();
        advance?;
        let changed = self.sql.writes && raw.total_changes() != self.changes_before;
        let affected = if changed { raw.changes() } else { 0 };
        match open {
            Some(open) if self.in_batch => open.close_bound(raw),
            Some(open) => open.close(raw),
            None => {}
        }
        Ok(Some(affected))
    }
}
