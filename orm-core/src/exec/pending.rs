//! A statement on its way: what every terminal method returns.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::driver::{BoxFuture, Done};
use crate::error::{Error, Result};
use crate::exec::load::Loaded;
use crate::exec::observe::Observation;
use crate::exec::repeats::uncounted;

/// A statement on its way to a `T`. Named, always `Send`, does nothing before it is awaited.
///
/// Dropping it before it is done cancels the statement: the connection is cleaned or closed, and a statement outside
/// a transaction either took effect as a whole or not at all.
///
/// A write that returns rows has taken effect before they are read. When one of them cannot be read, which is an error
/// of kind `Decode`, only a transaction takes the write back.
#[must_use = "queries run only when awaited"]
pub struct Pending<'a, T> {
    state: State<'a, T>,
}

enum State<'a, T> {
    /// It could not even be rendered.
    Failed(Option<Error>),
    /// One statement; only `finish` knows `T`.
    One {
        fut: BoxFuture<'a, Result<Done>>,
        seen: Observation<'a>,
        finish: fn(Done) -> Result<T>,
    },
    /// A query and what is loaded beside its rows; only `finish` knows `T`.
    Loaded {
        fut: BoxFuture<'a, Result<Loaded>>,
        finish: fn(Loaded) -> Result<T>,
    },
    /// One statement with what its model's hooks run around it; only `finish` knows `T`.
    Hooked {
        fut: BoxFuture<'a, Result<Done>>,
        finish: fn(Done) -> Result<T>,
    },
    /// Several steps.
    Steps(BoxFuture<'a, Result<T>>),
    /// Whatever an application does; its reads are its own.
    Given(BoxFuture<'a, Result<T>>),
}

impl<'a, T> Pending<'a, T> {
    /// Any future as one, for a [`Repository`](crate::exec::Repository) of your own.
    pub fn new(future: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Pending {
            state: State::Given(Box::pin(future)),
        }
    }
    pub(crate) fn failed(e: Error) -> Self {
        Pending {
            state: State::Failed(Some(e)),
        }
    }
    pub(crate) fn one(
        fut: BoxFuture<'a, Result<Done>>,
        seen: Observation<'a>,
        finish: fn(Done) -> Result<T>,
    ) -> Self {
        Pending {
            state: State::One { fut, seen, finish },
        }
    }
    pub(crate) fn loaded(fut: BoxFuture<'a, Result<Loaded>>, finish: fn(Loaded) -> Result<T>) -> Self {
        Pending {
            state: State::Loaded { fut, finish },
        }
    }
    pub(crate) fn hooked(fut: BoxFuture<'a, Result<Done>>, finish: fn(Done) -> Result<T>) -> Self {
        Pending {
            state: State::Hooked { fut, finish },
        }
    }
    pub(crate) fn steps(fut: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Pending {
            state: State::Steps(Box::pin(fut)),
        }
    }
}

impl<T> Future for Pending<'_, T> {
    type Output = Result<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match &mut self.state {
            State::Failed(e) => {
                let again = || Error::new(crate::error::ErrorKind::InvalidQuery, "polled after it was done");
                Poll::Ready(Err(e.take().unwrap_or_else(again)))
            }
            State::One { fut, seen, finish } => {
                seen.start();
                let result = ready!(fut.as_mut().poll(cx));
                Poll::Ready(seen.finish(result).and_then(*finish))
            }
            State::Loaded { fut, finish } => {
                let result = ready!(fut.as_mut().poll(cx));
                Poll::Ready(result.and_then(*finish))
            }
            State::Hooked { fut, finish } => {
                let result = ready!(fut.as_mut().poll(cx));
                Poll::Ready(result.and_then(*finish))
            }
            State::Steps(fut) => uncounted(|| fut.as_mut().poll(cx)),
            State::Given(fut) => fut.as_mut().poll(cx),
        }
    }
}
