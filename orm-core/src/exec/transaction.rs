//! Transactions: one connection, a lock that serialises its users, and savepoints counted by depth.
//!
//! The rule is the same on every backend: after an error from the database, or a statement that was dropped on the
//! way, nothing but undoing to an enclosing savepoint or rolling back is possible.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::driver::{BoxFuture, Connection, Done, Runner, SavepointVerb, Sink, TxMode};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::db::Shared;
use crate::exec::fetch::Site;
use crate::exec::{Exec, Raw, Writer};
use crate::sql::{Dialect, Scope, Sql};
use crate::value::Timestamp;

/// An open transaction, or a savepoint inside one. Dropped without [`commit`](Tx::commit), it is undone.
///
/// Any number of futures may use one `Tx`; a lock inside it serialises them. While a savepoint is open, statements
/// through the outer handle are `TransactionState` errors.
pub struct Tx {
    core: Arc<Core>,
    /// 0 is the transaction itself, 1 its first savepoint.
    level: u32,
    done: bool,
}

struct Core {
    shared: Arc<Shared>,
    slot: tokio::sync::Mutex<Slot>,
    marks: Mutex<Marks>,
    /// What is to be done after the commit, with the depth it was asked for at.
    after: Mutex<Vec<(u32, Callback)>>,
    /// What audit trails call this transaction, once one asked.
    id: OnceLock<String>,
    /// The client's clock when it began.
    begun: Timestamp,
    /// Whether triggers were told something that lasts as long as the transaction.
    told: AtomicBool,
}

type Callback = Box<dyn FnOnce() + Send>;

struct Slot {
    conn: Option<Box<dyn Connection>>,
    /// Set while a statement runs: still set when its future was dropped.
    in_flight: bool,
    failed: Option<Failure>,
    /// A failure that undoing a savepoint took back, until another statement succeeds.
    cured: Option<Failure>,
    cursor: bool,
}

/// What is known about the depth without the connection's lock, so that `Drop` can leave word.
struct Marks {
    depth: u32,
    undo: Option<u32>,
    over: bool,
}

#[derive(Clone, Copy)]
struct Failure {
    kind: ErrorKind,
    retryable: bool,
}

impl Tx {
    pub(crate) async fn open(shared: &Arc<Shared>, mode: TxMode) -> Result<Tx> {
        let conn = shared.driver.begin(mode).await?;
        let slot = Slot {
            conn: Some(conn),
            in_flight: false,
            failed: None,
            cured: None,
            cursor: false,
        };
        let marks = Marks {
            depth: 0,
            undo: None,
            over: false,
        };
        let core = Core {
            shared: shared.clone(),
            slot: tokio::sync::Mutex::new(slot),
            marks: Mutex::new(marks),
            after: Mutex::new(Vec::new()),
            id: OnceLock::new(),
            begun: Timestamp::now(),
            told: AtomicBool::new(false),
        };
        Ok(Tx {
            core: Arc::new(core),
            level: 0,
            done: false,
        })
    }
    /// Sets a savepoint inside this transaction.
    pub(crate) async fn nested(&self, mode: TxMode) -> Result<Tx> {
        if !mode.is_plain() {
            return Err(misuse(
                "isolation and access mode belong to the outermost transaction",
            ));
        }
        let depth = self.level + 1;
        let mut slot = self.enter(false).await?;
        let ended = slot.start()?.savepoint(depth, SavepointVerb::Set).await;
        slot.ended(ended)?;
        self.core.marks().depth = depth;
        drop(slot);
        Ok(Tx {
            core: self.core.clone(),
            level: depth,
            done: false,
        })
    }
    /// Keeps what was done: commits the transaction, or releases the savepoint. A transaction in which a statement
    /// failed is rolled back instead, and that is a `TransactionAborted` error.
    pub async fn commit(mut self) -> Result<()> {
        let ended = if self.level == 0 {
            self.commit_whole().await
        } else {
            self.release().await
        };
        if ended.is_err() && !self.done {
            self.undo().await?;
        }
        ended
    }
    async fn commit_whole(&mut self) -> Result<()> {
        let conn = self.enter(false).await?.conn.take();
        self.finish();
        conn.ok_or_else(|| misuse("the transaction is over"))?
            .commit()
            .await?;
        let after = std::mem::take(&mut *self.core.after());
        after.into_iter().for_each(|(_, f)| f());
        Ok(())
    }
    /// Runs this after the commit, unless what was done at this depth is undone.
    pub(crate) fn on_commit(&self, f: Callback) {
        self.core.after().push((self.level, f));
    }
    async fn release(&mut self) -> Result<()> {
        let level = self.level;
        let mut slot = self.enter(false).await?;
        let released = slot.start()?.savepoint(level, SavepointVerb::Release).await;
        slot.ended(released)?;
        drop(slot);
        self.core.marks().depth = level - 1;
        for (at, _) in self.core.after().iter_mut().filter(|(at, _)| *at == level) {
            *at = level - 1;
        }
        self.done = true;
        Ok(())
    }
    /// Undoes what was done.
    pub async fn rollback(mut self) -> Result<()> {
        self.undo().await
    }
    async fn undo(&mut self) -> Result<()> {
        let mut slot = self.core.slot.lock().await;
        if self.level == 0 {
            let conn = slot.conn.take();
            drop(slot);
            self.finish();
            return match conn {
                Some(conn) => conn.rollback().await,
                None => Ok(()),
            };
        }
        self.leave_word();
        self.done = true;
        self.core.settle(&mut slot).await
    }
    fn finish(&mut self) {
        self.core.marks().over = true;
        self.done = true;
    }
    fn leave_word(&self) {
        let mut marks = self.core.marks();
        marks.undo = Some(marks.undo.map_or(self.level, |u| u.min(self.level)));
        marks.depth = marks.depth.min(self.level - 1);
        self.core.after().retain(|(at, _)| *at < self.level);
    }
    /// What audit trails call this transaction: one text for all its savepoints.
    pub(crate) fn id(&self) -> &str {
        self.core.id.get_or_init(uuid_v7)
    }
    /// The client's clock when the transaction began.
    pub(crate) fn begun(&self) -> Timestamp {
        self.core.begun
    }
    /// Triggers are told something that lasts as long as the transaction.
    pub(crate) fn told(&self) {
        self.core.told.store(true, Ordering::Relaxed);
    }
    pub(crate) fn was_told(&self) -> bool {
        self.core.told.load(Ordering::Relaxed)
    }
    /// Whether the last statement of this transaction, or of a savepoint in it, failed in a way that running it again
    /// may cure.
    ///
    /// A connection that broke before COMMIT was sent has undone the whole transaction, whatever it was that was sent: that
    /// can be run again too, though not from a savepoint, whose transaction is gone. A COMMIT without an answer is no
    /// such failure: it fails as `CommitUnknown`, and not in here.
    pub(crate) fn may_retry(&self) -> bool {
        let cured = |f: Failure| match f.kind {
            ErrorKind::ConnectionLost => self.level == 0,
            _ => f.retryable,
        };
        self.core
            .slot
            .try_lock()
            .is_ok_and(|slot| slot.failed.or(slot.cured).is_some_and(cured))
    }
    /// The connection, if this handle may use it now.
    async fn enter(&self, keep_cursor: bool) -> Result<tokio::sync::MutexGuard<'_, Slot>> {
        let mut slot = self.core.slot.lock().await;
        self.core.settle(&mut slot).await?;
        {
            let marks = self.core.marks();
            if marks.over || slot.conn.is_none() {
                return Err(misuse("the transaction is over"));
            }
            if marks.depth > self.level {
                return Err(misuse(
                    "a savepoint is open inside this transaction; use its handle, or end it first",
                ));
            }
            if marks.depth < self.level {
                return Err(misuse("the savepoint of this handle is over"));
            }
        }
        if let Some(f) = slot.failed {
            let text = format!(
                "a statement of this transaction failed before ({:?}); only rollback is possible",
                f.kind
            );
            return Err(Error::new(ErrorKind::TransactionAborted, text));
        }
        if slot.in_flight {
            let text = "a statement of this transaction was cancelled on the way; only rollback is possible";
            return Err(Error::new(ErrorKind::TransactionAborted, text));
        }
        if slot.cursor && !keep_cursor {
            let ended = slot.start()?.close_cursor().await;
            slot.ended(ended)?;
            slot.cursor = false;
        }
        Ok(slot)
    }
    /// The next rows of a cursor; opens it when `sql` is given. Whether there may be more.
    pub(crate) async fn fetch_cursor(
        &self,
        sql: Option<Sql>,
        sink: Box<dyn Sink>,
    ) -> Result<(Box<dyn Sink>, bool)> {
        let mut slot = self.enter(sql.is_none()).await?;
        if let Some(sql) = sql {
            let ended = slot.start()?.open_cursor(sql).await;
            slot.ended(ended)?;
            slot.cursor = true;
        }
        let fetched = slot.start()?.fetch_cursor(sink).await;
        let (sink, more) = slot.ended(fetched)?;
        if !more {
            let ended = slot.start()?.close_cursor().await;
            slot.ended(ended)?;
            slot.cursor = false;
        }
        Ok((sink, more))
    }
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.core.shared
    }
}

/// A UUID of version 7 as text. Its random part are keys of the standard library's hashers, which come from the system.
pub(crate) fn uuid_v7() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let millis = Timestamp::now().micros().div_euclid(1000) as u64;
    let high = millis << 16 | 0x7000 | random() & 0xfff;
    let low = random() >> 2 | 1 << 63;
    let (time, version) = (high >> 16 & 0xffff, high & 0xffff);
    let (variant, node) = (low >> 48, low & 0xffff_ffff_ffff);
    format!(
        "{:08x}-{time:04x}-{version:04x}-{variant:04x}-{node:012x}",
        high >> 32
    )
}

impl Core {
    fn after(&self) -> MutexGuard<'_, Vec<(u32, Callback)>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn marks(&self) -> MutexGuard<'_, Marks> {
        // the marks are plain numbers: nothing can be half done under this lock
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Carries out what dropped savepoints left to be done.
    async fn settle(&self, slot: &mut Slot) -> Result<()> {
        loop {
            let Some(depth) = self.marks().undo else {
                return Ok(());
            };
            slot.cursor = false;
            slot.in_flight = true;
            let Some(conn) = &mut slot.conn else {
                return Err(misuse("the transaction is over"));
            };
            conn.savepoint(depth, SavepointVerb::Undo)
                .await
                .inspect_err(|e| slot.failed = Some(Failure::of(e)))?;
            slot.in_flight = false;
            slot.cured = slot.failed.take().or(slot.cured);
            // an enclosing savepoint may have been dropped meanwhile: then it is its turn
            let mut marks = self.marks();
            if marks.undo == Some(depth) {
                marks.undo = None;
            }
        }
    }
}

impl Failure {
    fn of(e: &Error) -> Self {
        Failure {
            kind: e.kind(),
            retryable: e.is_retryable(),
        }
    }
}

impl Slot {
    /// The connection, for one call on it; `ended` takes note of the outcome.
    fn start(&mut self) -> Result<&mut dyn Connection> {
        let Some(conn) = &mut self.conn else {
            return Err(misuse("the transaction is over"));
        };
        self.in_flight = true;
        Ok(&mut **conn)
    }
    fn ended<T>(&mut self, result: Result<T>) -> Result<T> {
        self.in_flight = false;
        match &result {
            Ok(_) => self.cured = None,
            Err(e) if e.fails_transaction() => self.failed = Some(Failure::of(e)),
            Err(_) => {}
        }
        result
    }
}

impl Slot {
    /// A step of a larger operation failed after others had been taken: they must not be committed, whatever the error.
    #[cold]
    fn spoil(&mut self, e: &Error) {
        self.failed.get_or_insert(Failure::of(e));
    }
}

#[cold]
fn misuse(message: &'static str) -> Error {
    Error::new(ErrorKind::TransactionState, message)
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if self.level > 0 {
            self.leave_word();
            return;
        }
        self.core.marks().over = true;
        // the connection's own drop rolls back; where a savepoint's statement still holds it, that happens at its end
        if let Ok(mut slot) = self.core.slot.try_lock()
            && slot.conn.take().is_some()
        {
            tracing::debug!(target: "orm::tx", "a transaction was dropped without commit and is rolled back");
        }
    }
}

#[diagnostic::do_not_recommend]
impl Writer for Tx {}
#[diagnostic::do_not_recommend]
impl Exec for Tx {
    fn raw(&self) -> Raw<'_> {
        Raw {
            runner: self,
            shared: &self.core.shared,
            scope: self.core.shared.scope(),
            tx: Some(self),
            relation: None,
        }
    }
}

impl Runner for Tx {
    fn dialect(&self) -> &'static dyn Dialect {
        self.core.shared.driver.dialect()
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let mut slot = self.enter(false).await?;
            let ended = slot.start()?.run(sql, sink).await;
            slot.ended(ended)
        })
    }
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let mut slot = self.enter(false).await?;
            let ended = slot.start()?.run_all(batch, sink).await;
            slot.ended(ended).inspect_err(|e| slot.spoil(e))
        })
    }
}

/// Statements that run while a cursor of the transaction stays open.
pub(crate) struct BesideCursor<'a>(pub(crate) &'a Tx);

impl Runner for BesideCursor<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.0.dialect()
    }
    fn run<'a>(&'a self, sql: Sql, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let mut slot = self.0.enter(true).await?;
            let ended = slot.start()?.run(sql, sink).await;
            slot.ended(ended)
        })
    }
    fn run_all<'a>(&'a self, batch: Vec<Sql>, sink: Box<dyn Sink>) -> BoxFuture<'a, Result<Done>> {
        self.0.run_all(batch, sink)
    }
}

/// A plain transaction, asked for there.
pub(crate) fn mode_at(site: Site) -> TxMode {
    TxMode {
        site: Some(site),
        ..TxMode::default()
    }
}

/// Several statements that must take effect together: a transaction of their own, or a part of the one that is open.
pub(crate) enum Unit<'a> {
    Own { tx: Tx, scope: Scope },
    Part(Raw<'a>),
}

impl<'a> Unit<'a> {
    pub(crate) async fn open(raw: Raw<'a>, site: Site) -> Result<Self> {
        if raw.tx.is_some() {
            return Ok(Unit::Part(raw));
        }
        let tx = Tx::open(raw.shared, mode_at(site)).await?;
        Ok(Unit::Own { tx, scope: raw.scope })
    }
    pub(crate) fn raw(&self) -> Raw<'_> {
        match self {
            Unit::Own { tx, scope } => Raw {
                scope: scope.clone(),
                ..tx.raw()
            },
            Unit::Part(raw) => raw.again(),
        }
    }
    /// Some of the statements ran and one failed: what they did must not be kept.
    pub(crate) async fn spoil(&self, e: &Error) {
        if let Unit::Part(Raw { tx: Some(tx), .. }) = self {
            tx.core.slot.lock().await.spoil(e);
        }
    }
    /// What happened after a statement was sent: an error then must not be committed either.
    pub(crate) async fn sent<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(e) = &result {
            self.spoil(e).await;
        }
        result
    }
    pub(crate) async fn end<T>(self, result: Result<T>) -> Result<T> {
        match (self, result) {
            (Unit::Own { tx, .. }, Ok(v)) => tx.commit().await.map(|()| v),
            (Unit::Own { tx, .. }, Err(e)) => {
                // the first error is the one to tell
                let _ = tx.rollback().await;
                Err(e)
            }
            (Unit::Part(_), result) => result,
        }
    }
}
