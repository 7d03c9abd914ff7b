//! Work on a blocking thread that owns the connection while it runs, and gives it back whatever becomes of its caller.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use orm_core::error::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::pool::{Conn, Lease};
use crate::watch::Watch;

/// The way back of a connection that is on a blocking thread.
pub(crate) struct Away {
    lease: oneshot::Receiver<Lease>,
    stop: Stop,
}

impl Away {
    /// Waits for the connection. Dropped on the way, it can be called again.
    pub(crate) async fn back(&mut self) -> Result<Lease> {
        (&mut self.lease).await.map_err(|_| runtime_gone())
    }
    /// How to stop the work.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

/// Stops the work of one hop; too late, it does nothing.
#[derive(Clone)]
pub(crate) struct Stop {
    watch: Arc<Watch>,
    job: u64,
}

impl Stop {
    /// See [`Watch::cancel`].
    pub(crate) fn now(&self, hard: bool) {
        self.watch.cancel(self.job, hard);
    }
    /// Stops the work because its time is over.
    fn late(&self) {
        self.watch.expire(self.job);
    }
    /// Stops the work when it is dropped before its answer is there.
    pub(crate) fn on_drop(self, hard: bool) -> StopOnDrop {
        StopOnDrop {
            stop: Some(self),
            hard,
        }
    }
}

/// See [`Stop::on_drop`].
pub(crate) struct StopOnDrop {
    stop: Option<Stop>,
    hard: bool,
}

impl StopOnDrop {
    /// The answer is there.
    pub(crate) fn disarm(mut self) {
        self.stop = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.now(self.hard);
        }
    }
}

/// What the work returned, or its panic, and the connection: who waits for both is woken once.
struct Delivery<R> {
    answer: Option<thread::Result<R>>,
    lease: Option<Lease>,
    /// Where the connection goes when nobody waits for the answer.
    away: Option<oneshot::Sender<Lease>>,
}

impl<R> Drop for Delivery<R> {
    fn drop(&mut self) {
        // An answer nobody waits for may own a sink: it goes before the connection is free for others.
        drop(self.answer.take());
        if let (Some(lease), Some(away)) = (self.lease.take(), self.away.take()) {
            drop(away.send(lease));
        }
    }
}

/// What the work returned, or its panic.
pub(crate) struct Answer<R> {
    answer: oneshot::Receiver<Delivery<R>>,
    /// The time the statement has left. Inside of one long operation SQLite does not look at the clock.
    limit: Option<(Duration, Stop)>,
}

impl<R> Answer<R> {
    /// Waits for it and takes the connection, which does not come through [`Away`] then; a panic of the work goes on
    /// here.
    pub(crate) async fn get(self) -> Result<(Lease, R)> {
        let mut answer = self.answer;
        let in_time = match self.limit {
            None => None,
            Some((limit, stop)) => {
                let in_time = tokio::time::timeout(limit, &mut answer).await;
                in_time.inspect_err(|_| stop.late()).ok()
            }
        };
        let answer = match in_time {
            Some(answer) => answer,
            None => answer.await,
        };
        let mut delivery = answer.map_err(|_| runtime_gone())?;
        match (delivery.answer.take(), delivery.lease.take()) {
            (Some(Ok(answer)), Some(lease)) => Ok((lease, answer)),
            (Some(Err(panic)), lease) => {
                delivery.lease = lease;
                drop(delivery);
                resume_unwind(panic)
            }
            _ => Err(runtime_gone()),
        }
    }
}

/// Starts the work. The connection comes back with the answer or, once nobody waits for that, through [`Away`]; if
/// nobody takes it, it settles itself and goes to its pool.
pub(crate) fn start<R: Send + 'static>(
    mut lease: Lease,
    work: impl FnOnce(&mut Conn) -> R + Send + 'static,
) -> Result<(Away, Answer<R>)> {
    let runtime = Handle::try_current()
        .map_err(|_| Error::config("this statement needs a tokio runtime, and there is none here"))?;
    let (lease_out, lease_in) = oneshot::channel();
    let (answer_out, answer_in) = oneshot::channel();
    let watch = lease.raw().watch().clone();
    let job = watch.enter(lease.raw());
    let left = watch.time_left();
    let stop = Stop { watch, job };
    let limit = left.map(|left| (left, stop.clone()));
    runtime.spawn_blocking(move || {
        let answer = catch_unwind(AssertUnwindSafe(|| work(&mut lease)));
        if answer.is_err() {
            lease.raw().finish_all();
        }
        lease.raw().watch().forget();
        drop(answer_out.send(Delivery {
            answer: Some(answer),
            lease: Some(lease),
            away: Some(lease_out),
        }));
    });
    Ok((
        Away {
            lease: lease_in,
            stop,
        },
        Answer {
            answer: answer_in,
            limit,
        },
    ))
}

/// Runs the work and waits; if the caller goes away, the work is stopped.
pub(crate) async fn stoppable<R: Send + 'static>(
    lease: Lease,
    work: impl FnOnce(&mut Conn) -> R + Send + 'static,
) -> Result<(Lease, R)> {
    let (away, answer) = start(lease, work)?;
    let guard = away.stop().on_drop(true);
    let done = answer.get().await;
    guard.disarm();
    done
}

/// Runs the work and waits; if the caller goes away, the work is done all the same.
pub(crate) async fn to_the_end<R: Send + 'static>(
    lease: Lease,
    work: impl FnOnce(&mut Conn) -> R + Send + 'static,
) -> Result<(Lease, R)> {
    let (_away, answer) = start(lease, work)?;
    answer.get().await
}

#[cold]
fn runtime_gone() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the runtime was shut down").with_sent(false)
}
