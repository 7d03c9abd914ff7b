//! Statements one after the other, as one unit: begun on the caller's thread where each is a matter of moments, and ended
//! on a blocking one if together they are not.

use std::time::Instant;

use orm_core::driver::{Done, Sink};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{Effort, Sql};

use crate::driver::{control, ended_by_statement};
use crate::open::CONTROL;
use crate::pool::Conn;
use crate::raw::Control;
use crate::task::{INLINE_TIME, Pace, Task};

/// More statements than this are not begun on the caller's thread: they would not end there.
const MOST_INLINE: usize = 32;

/// Statements, their rows into one sink.
pub(crate) struct Several {
    left: std::vec::IntoIter<Sql>,
    /// The one that has begun and waits for a thread that may block.
    begun: Option<Task>,
    sink: Option<Box<dyn Sink>>,
    affected: u64,
    read_only: bool,
}

impl Several {
    pub(crate) fn new(batch: Vec<Sql>, sink: Box<dyn Sink>, read_only: bool) -> Self {
        Several {
            left: batch.into_iter(),
            begun: None,
            sink: Some(sink),
            affected: 0,
            read_only,
        }
    }
    /// Whether they may be begun on the caller's thread: rows of values, of which one is like the other, so that the
    /// clock is looked at often enough.
    pub(crate) fn is_quick(&self) -> bool {
        let quick = |sql: &Sql| sql.writes && sql.operation == "INSERT" && sql.effort != Effort::Long;
        let left = self.left.as_slice();
        left.len() <= MOST_INLINE && left.iter().all(quick)
    }
    /// Works on. `true` when the last one is over; `false` to be called again on a thread that may block.
    pub(crate) fn work(&mut self, conn: &mut Conn, pace: Pace) -> Result<bool> {
        let over = self.each(conn, pace);
        conn.raw().unbind();
        over
    }
    /// To the end, on a thread that may block.
    pub(crate) fn finish(mut self, conn: &mut Conn, busy_ms: u32) -> Result<Done> {
        match self.work(conn, Pace::blocking(busy_ms))? {
            true => self.done(),
            false => Err(unended()),
        }
    }
    /// The sink and how many rows were changed, once.
    pub(crate) fn done(&mut self) -> Result<Done> {
        let (sink, affected) = (self.sink.take(), self.affected);
        Ok(Done {
            sink: sink.ok_or_else(unended)?,
            affected,
        })
    }

    fn each(&mut self, conn: &mut Conn, pace: Pace) -> Result<bool> {
        let started = pace.inline.then(Instant::now);
        loop {
            let mut task = match (self.begun.take(), self.left.as_slice().first()) {
                (None, None) => return Ok(true),
                (Some(task), _) => task,
                (None, Some(_)) => {
                    if started.is_some_and(|started| started.elapsed() > INLINE_TIME) {
                        return Ok(false);
                    }
                    match self.next(conn)? {
                        Some(task) => task,
                        None => return Ok(true),
                    }
                }
            };
            match task.work(conn.raw(), pace)? {
                Some(affected) => self.affected += affected,
                None => {
                    self.begun = Some(task);
                    return Ok(false);
                }
            }
            self.sink = Some(task.into_sink());
            if conn.raw().autocommit() {
                return Err(ended_by_statement());
            }
        }
    }
    fn next(&mut self, conn: &mut Conn) -> Result<Option<Task>> {
        let (Some(sql), Some(sink)) = (self.left.next(), self.sink.take()) else {
            return Ok(None);
        };
        if conn.raw().watch().stopped() {
            return Err(Error::new(
                ErrorKind::StatementTimeout,
                "the statements were interrupted",
            ));
        }
        if sql.operation != CONTROL {
            conn.raw().watch().start_clock();
        }
        Ok(Some(Task::inside(sql, sink, false, self.read_only).in_batch()))
    }
}

/// Statements in a transaction of their own.
pub(crate) struct Unit {
    /// How it begins, until it has.
    begin: Option<Control>,
    several: Several,
}

impl Unit {
    pub(crate) fn new(batch: Vec<Sql>, sink: Box<dyn Sink>) -> Self {
        let writes = batch.iter().any(|sql| sql.writes);
        Unit {
            begin: Some(if writes {
                Control::BeginImmediate
            } else {
                Control::Begin
            }),
            several: Several::new(batch, sink, !writes),
        }
    }
    pub(crate) fn is_quick(&self) -> bool {
        self.several.is_quick()
    }
    /// To the end, on a thread that may block.
    pub(crate) fn finish(mut self, conn: &mut Conn, busy_ms: u32) -> Result<Done> {
        self.work(conn, Pace::blocking(busy_ms))?.ok_or_else(unended)
    }
    /// Works on. Nothing when it is to be called again on a thread that may block; after an error nothing of it is left.
    pub(crate) fn work(&mut self, conn: &mut Conn, pace: Pace) -> Result<Option<Done>> {
        let done = self.piece(conn, pace);
        if done.is_err() {
            // The lease would do so as well, but on the runtime's thread, and much may have to be undone.
            conn.settle();
        }
        done
    }
    fn piece(&mut self, conn: &mut Conn, pace: Pace) -> Result<Option<Done>> {
        let locked = |e: &Error| pace.inline && e.kind() == ErrorKind::Busy;
        if let Some(begin) = self.begin {
            match control(conn, begin, pace.busy_ms) {
                Err(e) if locked(&e) => return Ok(None),
                begun => begun?,
            }
            self.begin = None;
        }
        if !self.several.work(conn, pace)? {
            return Ok(None);
        }
        match control(conn, Control::Commit, pace.busy_ms) {
            Err(e) if locked(&e) => return Ok(None),
            ended => ended?,
        }
        self.several.done().map(Some)
    }
}

#[cold]
fn unended() -> Error {
    Error::new(ErrorKind::Busy, "the statements have not come to their end")
}
