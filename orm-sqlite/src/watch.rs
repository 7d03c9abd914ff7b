//! What a running statement and the rest of the program tell each other: budget, time limit, stop, lock waits, size of
//! the log.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::raw::{Interrupt, RawConnection};

/// Shared by a connection, SQLite's callbacks on it, and whoever waits for its statement.
#[derive(Default)]
pub(crate) struct Watch {
    /// Progress calls since the last row.
    ticks: AtomicU32,
    /// So many are allowed; 0 is no limit.
    limit: AtomicU32,
    /// The limit was reached.
    overrun: AtomicBool,
    /// How long a statement may take, in microseconds; 0 is no limit.
    timeout: AtomicU64,
    /// When the time of the running statement is over, in microseconds of [`now`]; 0 is never.
    deadline: AtomicU64,
    /// Its time is over, and it was told.
    late: AtomicBool,
    /// Somebody wants the work to end.
    stop: AtomicBool,
    /// How long a lock may be waited for.
    busy_ms: AtomicU32,
    /// Pages in the write-ahead log after the last commit.
    wal_pages: AtomicU32,
    turn: Mutex<Turn>,
}

/// Whose work runs on a blocking thread, so that a late cancellation never hits the work of somebody else.
#[derive(Default)]
struct Turn {
    job: u64,
    running: Option<Interrupt>,
}

/// Microseconds of this process, never 0.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64 + 1
}

/// The answer to a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    Stop,
}

impl Watch {
    /// Before a statement runs: its budget between rows, 0 for none, and how long it may wait for a lock.
    pub(crate) fn arm(&self, limit: u32, busy_ms: u32) {
        self.ticks.store(0, Relaxed);
        self.limit.store(limit, Relaxed);
        self.overrun.store(false, Relaxed);
        self.busy_ms.store(busy_ms, Relaxed);
    }
    /// No budget any more.
    pub(crate) fn disarm(&self) {
        self.limit.store(0, Relaxed);
    }
    /// How long every statement may take from now on.
    pub(crate) fn set_timeout(&self, limit: Option<Duration>) {
        let micros = limit.map_or(0, |l| l.as_micros().clamp(1, u64::MAX as u128 / 2) as u64);
        self.timeout.store(micros, Relaxed);
    }
    /// A statement begins, and with it its time.
    pub(crate) fn start_clock(&self) {
        self.late.store(false, Relaxed);
        let timeout = self.timeout.load(Relaxed);
        if timeout != 0 {
            self.deadline.store(now() + timeout, Relaxed);
        }
    }
    /// The statement is over; what comes now is not to be cut short.
    pub(crate) fn stop_clock(&self) {
        self.deadline.store(0, Relaxed);
        self.late.store(false, Relaxed);
    }
    /// How much time the statement has left, where there is a limit.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        match self.deadline.load(Relaxed) {
            0 => None,
            deadline => Some(Duration::from_micros(deadline.saturating_sub(now()))),
        }
    }
    /// Whether the statement was told that its time is over.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Relaxed)
    }
    fn time_is_over(&self) -> bool {
        let deadline = self.deadline.load(Relaxed);
        if deadline == 0 || now() < deadline {
            return false;
        }
        self.late.store(true, Relaxed);
        true
    }
    /// Whether operations were counted since the last call.
    #[inline]
    pub(crate) fn take_ticks(&self) -> bool {
        if self.ticks.load(Relaxed) == 0 {
            return false;
        }
        self.ticks.store(0, Relaxed);
        true
    }
    /// Whether the budget ended the statement.
    pub(crate) fn overran(&self) -> bool {
        self.overrun.load(Relaxed)
    }
    /// Whether the work was asked to end.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }
    /// From the progress handler.
    pub(crate) fn tick(&self) -> Verdict {
        if self.stopped() || self.time_is_over() {
            return Verdict::Stop;
        }
        let ticks = self.ticks.load(Relaxed).saturating_add(1);
        self.ticks.store(ticks, Relaxed);
        let limit = self.limit.load(Relaxed);
        if limit != 0 && ticks > limit {
            self.overrun.store(true, Relaxed);
            return Verdict::Stop;
        }
        Verdict::GoOn
    }
    /// From the busy handler: sleeps a little longer each time, like SQLite's own, but can be stopped.
    pub(crate) fn wait_for_lock(&self, count: u32) -> Verdict {
        const STEPS: [u32; 12] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];
        let limit = self.busy_ms.load(Relaxed);
        let last = STEPS.len() as u32 - 1;
        let before: u32 = STEPS.iter().take(count as usize).sum::<u32>()
            + count
                .saturating_sub(STEPS.len() as u32)
                .saturating_mul(STEPS[last as usize]);
        let mut left = STEPS[count.min(last) as usize].min(limit.saturating_sub(before));
        if left == 0 {
            return Verdict::Stop;
        }
        while left > 0 {
            if self.stopped() || self.time_is_over() {
                return Verdict::Stop;
            }
            let nap = left.min(10);
            std::thread::sleep(Duration::from_millis(nap as u64));
            left -= nap;
        }
        Verdict::GoOn
    }
    /// From the hook after a commit into the log.
    pub(crate) fn log_grew(&self, pages: u32) {
        self.wal_pages.store(pages, Relaxed);
    }
    /// Pages in the log after the last commit here.
    pub(crate) fn log_pages(&self) -> u32 {
        self.wal_pages.load(Relaxed)
    }

    /// The connection goes to a blocking thread; the number is for [`cancel`](Self::cancel).
    pub(crate) fn enter(&self, connection: &RawConnection) -> u64 {
        let mut turn = self.turn();
        turn.job += 1;
        turn.running = Some(connection.interrupt());
        self.stop.store(false, Relaxed);
        turn.job
    }
    /// The work is over, the connection may be given to others.
    pub(crate) fn forget(&self) {
        let mut turn = self.turn();
        turn.running = None;
        self.stop.store(false, Relaxed);
    }
    /// Stops that work if it still runs. `hard` reaches into long operations, and hits every statement of the
    /// connection that stands on a row.
    pub(crate) fn cancel(&self, job: u64, hard: bool) {
        self.end(job, hard, false);
    }
    /// Stops that work because its time is over.
    pub(crate) fn expire(&self, job: u64) {
        self.end(job, true, true);
    }
    fn end(&self, job: u64, hard: bool, late: bool) {
        let turn = self.turn();
        if turn.job != job {
            return;
        }
        if let Some(interrupt) = &turn.running {
            self.late.fetch_or(late, Relaxed);
            self.stop.store(true, Relaxed);
            if hard {
                interrupt.fire();
            }
        }
    }
    fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
