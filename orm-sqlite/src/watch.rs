//! What a running statement and the rest of the program tell each other: budget, stop, lock waits, size of the log.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

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
        if self.stopped() {
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
            if self.stopped() {
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
        let turn = self.turn();
        if turn.job != job {
            return;
        }
        if let Some(interrupt) = &turn.running {
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
