//! What every handle can do with transactions: guards, closures, options, retries.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::panic::Location;
use std::time::Duration;

use crate::driver::{BoxFuture, Isolation, TxMode};
use crate::error::{Error, Result};
use crate::exec::transaction::mode_at;
use crate::exec::{Acting, Db, Exec, ForRequest, Snapshot, Tenant, Tx};
use crate::value::Scalar;

/// What a handle becomes inside a transaction, and when it is shared. Implemented by all handles.
pub trait Handle: Exec {
    /// `Db` and `Tx` become `Tx`, `Acting<H, A>` becomes `Acting<H::Inner, A>`.
    type Inner: InTx;
    /// What `acting_as` and `tenant` wrap: `Db` is cloned, a transaction borrowed.
    type Shared<'a>: Handle
    where
        Self: 'a;
    /// Opens a transaction, or a savepoint inside one.
    #[doc(hidden)]
    fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<Self::Inner>>;
    /// The handle to wrap.
    #[doc(hidden)]
    fn share(&self) -> Self::Shared<'_>;
}

/// A handle that owns an open transaction.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction",
    label = "expected `&mut tx` from `db.begin()` or a transaction closure"
)]
pub trait InTx: Handle + Sized {
    /// The transaction below.
    #[doc(hidden)]
    fn tx(&self) -> &Tx;
    /// The transaction below.
    #[doc(hidden)]
    fn into_tx(self) -> Tx;
}

impl Handle for Db {
    type Inner = Tx;
    type Shared<'a> = Db;
    fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<Tx>> {
        Box::pin(Tx::open(self.shared(), mode))
    }
    fn share(&self) -> Db {
        self.clone()
    }
}
impl Handle for Tx {
    type Inner = Tx;
    type Shared<'a> = &'a Tx;
    fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<Tx>> {
        Box::pin(self.nested(mode))
    }
    fn share(&self) -> &Tx {
        self
    }
}
impl InTx for Tx {
    fn tx(&self) -> &Tx {
        self
    }
    fn into_tx(self) -> Tx {
        self
    }
}
#[diagnostic::do_not_recommend]
impl<H: Handle> Handle for &H {
    type Inner = H::Inner;
    type Shared<'a>
        = H::Shared<'a>
    where
        Self: 'a;
    fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<H::Inner>> {
        (**self).open(mode)
    }
    fn share(&self) -> H::Shared<'_> {
        (**self).share()
    }
}

/// What a transaction closure returns.
#[diagnostic::on_unimplemented(
    message = "a transaction returns `Result<T, E>` with `E: From<orm::Error>`, and this is `{Self}`",
    label = "end the closure with `Ok(..)`; give `E` a `From<orm::Error>` impl"
)]
pub trait Outcome: Send {
    /// Whether to commit.
    fn is_ok(&self) -> bool;
    /// An error of the transaction itself.
    fn failed(e: Error) -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Send, E: From<Error> + Send> Outcome for Result<T, E> {
    fn is_ok(&self) -> bool {
        Result::is_ok(self)
    }
    fn failed(e: Error) -> Self {
        Err(e.into())
    }
}

/// An async closure that runs once and whose future is `Send`; stable Rust cannot say that of `AsyncFnOnce` alone.
pub trait TxFnOnce<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as TxFnOnce<T, R>>::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}
impl<F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut, T, R, Fut: Future<Output = R>> TxFnOnce<T, R> for F {
    type Fut = Fut;
}
/// As [`TxFnOnce`], for closures that may run several times.
pub trait TxFn<T, R>: AsyncFn(T) -> R + Fn(T) -> <Self as TxFn<T, R>>::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}
impl<F: AsyncFn(T) -> R + Fn(T) -> Fut, T, R, Fut: Future<Output = R>> TxFn<T, R> for F {
    type Fut = Fut;
}

/// A plain transaction, asked for by the caller.
#[track_caller]
fn here() -> TxMode {
    mode_at(Location::caller())
}

async fn once<H: Handle, R: Outcome, F>(handle: &H, mode: TxMode, f: F) -> R
where
    for<'t> F: AsyncFnOnce(&'t mut H::Inner) -> R + TxFnOnce<&'t mut H::Inner, R, Fut: Send> + Send,
{
    let mut tx = match handle.open(mode).await {
        Ok(tx) => tx,
        Err(e) => return R::failed(e),
    };
    let outcome = f(&mut tx).await;
    match end(tx.into_tx(), outcome.is_ok()).await {
        Err(e) if outcome.is_ok() => R::failed(e),
        _ => outcome,
    }
}

async fn end(tx: Tx, commit: bool) -> Result<()> {
    if commit {
        tx.commit().await
    } else {
        tx.rollback().await
    }
}

async fn again<H: Handle, R: Outcome, F>(handle: &H, mode: TxMode, retries: u32, f: F) -> R
where
    for<'t> F: AsyncFn(&'t mut H::Inner) -> R + TxFn<&'t mut H::Inner, R, Fut: Send> + Send + Sync,
{
    let mut attempt = 0;
    loop {
        let may_retry = attempt < retries;
        let (outcome, retryable) = match handle.open(mode).await {
            Err(e) => {
                let retryable = e.is_retryable();
                (R::failed(e), retryable)
            }
            Ok(mut tx) => {
                let outcome = f(&mut tx).await;
                let tx = tx.into_tx();
                let spoilt = tx.may_retry();
                match end(tx, outcome.is_ok()).await {
                    Err(e) if outcome.is_ok() => {
                        let retryable = e.is_retryable() || spoilt;
                        (R::failed(e), retryable)
                    }
                    _ => {
                        let failed = !outcome.is_ok();
                        (outcome, spoilt && failed)
                    }
                }
            }
        };
        if !retryable || !may_retry {
            return outcome;
        }
        tracing::debug!(target: "orm::tx", attempt, "a transaction is run again");
        tokio::time::sleep(pause(attempt)).await;
        attempt += 1;
    }
}

/// 5 ms doubled with each attempt up to 1 s, and half of it random, so that rivals do not meet again.
fn pause(attempt: u32) -> Duration {
    let full = 5_000u64.saturating_mul(1 << attempt.min(8)).min(1_000_000);
    let random = RandomState::new().hash_one(attempt) % (full / 2 + 1);
    Duration::from_micros(full / 2 + random)
}

macro_rules! verbs {
    ([$($g:tt)*] $H:ty => $Inner:ty) => {
        impl<$($g)*> $H {
            /// A transaction as a guard: `commit` or `rollback` ends it, a drop undoes it. On a transaction: a savepoint.
            #[track_caller]
            pub fn begin(&self) -> BoxFuture<'_, Result<$Inner>> {
                self.open(here())
            }
            /// Runs the closure in a transaction (on a transaction: in a savepoint): commits when it returns `Ok`,
            /// rolls back when it returns `Err`, panics or is dropped.
            #[track_caller]
            pub fn transaction<'a, R: Outcome + 'a, F>(&'a self, f: F) -> BoxFuture<'a, R>
            where
                for<'t> F: AsyncFnOnce(&'t mut $Inner) -> R
                    + TxFnOnce<&'t mut $Inner, R, Fut: Send>
                    + Send
                    + 'a,
            {
                Box::pin(once(self, here(), f))
            }
            /// Runs the closure in a savepoint; this handle rests meanwhile.
            #[track_caller]
            pub fn savepoint<'a, R: Outcome + 'a, F>(&'a mut self, f: F) -> BoxFuture<'a, R>
            where
                for<'t> F: AsyncFnOnce(&'t mut $Inner) -> R
                    + TxFnOnce<&'t mut $Inner, R, Fut: Send>
                    + Send
                    + 'a,
            {
                Box::pin(once(&*self, here(), f))
            }
            /// A handle for reads that all see one moment of the database, however many statements they take.
            ///
            /// ```
            /// # use orm_core::{exec::{Db, Serves, Snapshot}, model::Model, query::Query};
            /// # async fn run<User: Model>(db: &Db, users: Query<User>) -> orm_core::error::Result<()>
            /// # where Snapshot: Serves<User> {
            /// let snapshot = db.snapshot().await?;
            /// let count = users.clone().count(&snapshot).await?;
            /// let all = users.all(&snapshot).await?; // as many as were counted, whatever others do
            /// snapshot.end().await
            /// # }
            /// ```
            #[track_caller]
            pub fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot<$Inner>>> {
                Snapshot::open(self, here())
            }
            /// How to run a transaction: isolation, access mode, retries.
            #[track_caller]
            pub fn tx(&self) -> TxOptions<'_, $H> {
                TxOptions { handle: self, mode: here() }
            }
        }
    };
}
// one line each: rustc shows it with every mistake in a closure
verbs!([] Db => Tx);
verbs!([H: Handle, A: Scalar + Clone] Acting<H, A> => Acting<H::Inner, A>);
verbs!([H: Handle, T: Scalar + Clone] Tenant<H, T> => Tenant<H::Inner, T>);
verbs!([H: Handle, V: Scalar + Clone] ForRequest<H, V> => ForRequest<H::Inner, V>);

impl Tx {
    /// A savepoint as a guard: `commit` releases it, `rollback` or a drop undoes it.
    #[track_caller]
    pub fn begin(&mut self) -> BoxFuture<'_, Result<Tx>> {
        self.open(here())
    }
    /// Runs the closure in a savepoint: released when it returns `Ok`, undone otherwise. The outer handle rests.
    #[track_caller]
    pub fn savepoint<'a, R: Outcome + 'a, F>(&'a mut self, f: F) -> BoxFuture<'a, R>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> R + TxFnOnce<&'t mut Tx, R, Fut: Send> + Send + 'a,
    {
        Box::pin(once(&*self, here(), f))
    }
    /// The same as [`savepoint`](Tx::savepoint), so that code written for `Db` reads the same inside a transaction.
    #[track_caller]
    pub fn transaction<'a, R: Outcome + 'a, F>(&'a mut self, f: F) -> BoxFuture<'a, R>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> R + TxFnOnce<&'t mut Tx, R, Fut: Send> + Send + 'a,
    {
        Box::pin(once(&*self, here(), f))
    }
}

macro_rules! ends {
    ($W:ident) => {
        impl<H: InTx, V: Scalar + Clone> $W<H, V> {
            /// See [`Tx::commit`].
            pub async fn commit(self) -> Result<()> {
                self.into_tx().commit().await
            }
            /// See [`Tx::rollback`].
            pub async fn rollback(self) -> Result<()> {
                self.into_tx().rollback().await
            }
        }
    };
}
ends!(Acting);
ends!(Tenant);
ends!(ForRequest);

/// `db.tx()`: how to run a transaction.
#[must_use = "a transaction runs with `.run(async |tx| ..)` or `.begin()`"]
pub struct TxOptions<'a, H> {
    handle: &'a H,
    mode: TxMode,
}

/// `db.tx().retry(n)`: `run` may call the closure several times.
#[must_use = "a transaction runs with `.run(async |tx| ..)`"]
pub struct Retry<'a, H> {
    options: TxOptions<'a, H>,
    retries: u32,
}

macro_rules! modes {
    ($T:ident, $($path:ident).+) => {
        impl<'a, H: Handle> $T<'a, H> {
            /// As if transactions ran one after the other; a conflict is a `Serialization` error.
            pub fn serializable(self) -> Self {
                self.isolation(Isolation::Serializable)
            }
            /// The transaction sees what was committed before its first statement.
            pub fn repeatable_read(self) -> Self {
                self.isolation(Isolation::RepeatableRead)
            }
            /// Each statement sees what was committed before it.
            pub fn read_committed(self) -> Self {
                self.isolation(Isolation::ReadCommitted)
            }
            /// The isolation level. SQLite's transactions are serialisable in any case.
            pub fn isolation(mut self, level: Isolation) -> Self {
                self.$($path).+.isolation = Some(level);
                self
            }
            /// Without writes. On SQLite it uses a reader and does not wait for the writer.
            pub fn read_only(mut self) -> Self {
                self.$($path).+.read_only = true;
                self
            }
            /// With serialisable and read only on PostgreSQL: waits for a moment in which no conflict can arise.
            pub fn deferrable(mut self) -> Self {
                self.$($path).+.deferrable = true;
                self
            }
        }
    };
}
modes!(TxOptions, mode);
modes!(Retry, options.mode);

impl<'a, H: Handle> TxOptions<'a, H> {
    /// Runs the closure again, at most `n` more times, after a serialisation failure, a deadlock, a lock that was not
    /// granted, a busy database, or when the connection broke before COMMIT was sent, which undid everything. Not when
    /// the answer to COMMIT is missing: that is a `CommitUnknown` error. Each time it gets a fresh transaction; what it
    /// does beside the database it does again.
    pub fn retry(self, n: u32) -> Retry<'a, H> {
        Retry {
            options: self,
            retries: n,
        }
    }
    /// A guard with these options.
    pub fn begin(self) -> BoxFuture<'a, Result<H::Inner>> {
        self.handle.open(self.mode)
    }
    /// Runs the closure once.
    pub fn run<R: Outcome + 'a, F>(self, f: F) -> BoxFuture<'a, R>
    where
        for<'t> F: AsyncFnOnce(&'t mut H::Inner) -> R + TxFnOnce<&'t mut H::Inner, R, Fut: Send> + Send + 'a,
    {
        Box::pin(once(self.handle, self.mode, f))
    }
}
impl<'a, H: Handle> Retry<'a, H> {
    /// Runs the closure, again if need be.
    pub fn run<R: Outcome + 'a, F>(self, f: F) -> BoxFuture<'a, R>
    where
        for<'t> F: AsyncFn(&'t mut H::Inner) -> R + TxFn<&'t mut H::Inner, R, Fut: Send> + Send + Sync + 'a,
    {
        Box::pin(again(self.options.handle, self.options.mode, self.retries, f))
    }
}
