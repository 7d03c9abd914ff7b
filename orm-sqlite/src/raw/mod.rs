//! The only module with `unsafe`: SQLite's C interface on the handle of a connection that sqlx opened.
//!
//! What makes it sound, in one place:
//!
//! - The handle was opened `SQLITE_OPEN_NOMUTEX` by sqlx with a thread-safe build. Such a handle may move between
//!   threads as long as one thread uses it at a time. [`RawConnection`] is `Send` and not `Sync`, and every call takes
//!   it by reference, so the borrow checker sees to that.
//! - sqlx's own worker thread touches the handle only while a command of sqlx is under way. The handle is taken under
//!   `lock_handle`, which waits for the worker to be parked; while sqlx is lent out, every call here is refused, and
//!   neither a statement nor a callback of ours exists; coming back passes through `lock_handle` again.
//! - Statements never leave the connection: callers hold a [`StatementId`]. They are finalised in `Drop`, before the
//!   field that owns the sqlx connection goes.
//! - A row borrows the connection, so no step or reset can move its cells away.
//! - Texts and bytes are bound where they lie. Their values stay in the statement's slot until all bindings are cleared
//!   or, from one statement of a batch to the next, until each parameter is bound anew.

pub(crate) mod functions;
mod row;

pub(crate) use row::{RowRef, Stored, utf8};

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use libsqlite3_sys as ffi;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::Value;
use sqlx::sqlite::SqliteConnection;

use crate::cache::Cache;
use crate::error;
use crate::types::{Bound, year};
use crate::watch::{self, Watch};

/// How many virtual machine operations pass between two calls of the progress handler.
const OPS_PER_TICK: c_int = 1000;

/// A connection whose statements are run here; sqlx opened it, configured it and will close it.
pub(crate) struct RawConnection {
    db: NonNull<ffi::sqlite3>,
    slots: Vec<Slot>,
    /// How many of them are in use.
    in_use: usize,
    cache: Cache,
    control: [Option<StatementId>; Control::COUNT],
    /// The statement that was finished with its values still bound, see `finish_bound`.
    bound: Option<StatementId>,
    watch: Arc<Watch>,
    lent: bool,
    /// Always there until `into_owner`.
    owner: Option<SqliteConnection>,
}

// SAFETY: see the module's head: a NOMUTEX handle and its statements may be used from any thread, one at a time.
// `RawConnection` is not `Sync`, so a shared reference never crosses threads.
unsafe impl Send for RawConnection {}

/// The handle, for `sqlite3_interrupt` only, which SQLite allows from any thread while the connection is open.
pub(crate) struct Interrupt(NonNull<ffi::sqlite3>);

// SAFETY: the pointer is used for nothing but `sqlite3_interrupt`, which is made for other threads.
unsafe impl Send for Interrupt {}

impl Interrupt {
    /// Stops what runs on the connection. `Watch` keeps this value only while the connection is alive: it takes it
    /// away under its lock when the work ends, and `RawConnection::drop` does so at the latest.
    pub(crate) fn fire(&self) {
        // SAFETY: alive, as said above.
        unsafe { ffi::sqlite3_interrupt(self.0.as_ptr()) }
    }
}

/// A prepared statement of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementId(usize);

struct Slot {
    /// Null when the slot is free.
    statement: *mut ffi::sqlite3_stmt,
    /// What is bound without a copy lives here until the bindings are cleared.
    params: Vec<Value>,
    /// Texts made for such values. Kept for the next run, and never grows while something is bound.
    instants: Instants,
    /// Handed out by `prepare` and not finished yet.
    in_use: bool,
    cached: bool,
    reads_only: bool,
}

impl Slot {
    /// Lets go of the values. Only when the statement was reset.
    fn clear(&mut self) {
        if self.params.is_empty() {
            return;
        }
        // SAFETY: the slot's own statement, reset. After this nothing points into its values.
        unsafe { ffi::sqlite3_clear_bindings(self.statement) };
        release(std::mem::take(&mut self.params));
    }
}

/// Drops values that nothing is bound to any more, those first that own memory.
fn release(mut values: Vec<Value>) {
    for value in &mut values {
        if value.is_owner() {
            *value = Value::Bool(false);
        }
    }
    // SAFETY: nothing is read beyond a length of zero; what is forgotten by it owns nothing.
    unsafe { values.set_len(0) }
}

/// Texts of instants at places that stay.
#[derive(Default)]
struct Instants {
    texts: Vec<[u8; 27]>,
    /// How many there were in one run at most: the next run has room for so many.
    most: usize,
    used: usize,
}

impl Instants {
    /// Whether the next run needs more places, so that the texts move.
    fn grows(&self) -> bool {
        self.texts.len() < self.most
    }
    /// Only while nothing is bound to the texts, or they do not move.
    fn start(&mut self) {
        if self.texts.len() < self.most {
            self.texts.resize(self.most, [0; 27]);
        }
        self.used = 0;
    }
    /// A place for one more; `None` when all are taken.
    fn next(&mut self) -> Option<&mut [u8; 27]> {
        let at = self.used;
        self.used += 1;
        self.most = self.most.max(self.used);
        self.texts.get_mut(at)
    }
}

/// Statements that every connection needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Control {
    Begin,
    BeginImmediate,
    Commit,
    Rollback,
}

impl Control {
    const COUNT: usize = 4;
    fn text(self) -> &'static str {
        match self {
            Control::Begin => "BEGIN",
            Control::BeginImmediate => "BEGIN IMMEDIATE",
            Control::Commit => "COMMIT",
            Control::Rollback => "ROLLBACK",
        }
    }
}

/// What one step gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Row,
    Done,
    /// With the extended result code.
    Failed(c_int),
}

impl RawConnection {
    /// Takes over a connection of sqlx.
    pub(crate) async fn attach(mut owner: SqliteConnection) -> Result<Self> {
        let db = handle_of(&mut owner).await?;
        // SAFETY: no argument, no state.
        if unsafe { ffi::sqlite3_threadsafe() } == 0 {
            return Err(Error::config("this SQLite was built without support for threads"));
        }
        Ok(RawConnection {
            db,
            slots: Vec::new(),
            in_use: 0,
            cache: Cache::default(),
            control: [None; Control::COUNT],
            bound: None,
            watch: Arc::new(Watch::default()),
            lent: false,
            owner: Some(owner),
        })
    }

    /// Sets what sqlx has no option for, and our callbacks.
    pub(crate) fn configure(&mut self) -> Result<()> {
        for (option, value) in [
            (ffi::SQLITE_DBCONFIG_DQS_DML, 0),
            (ffi::SQLITE_DBCONFIG_DQS_DDL, 0),
            (ffi::SQLITE_DBCONFIG_DEFENSIVE, 1),
            (ffi::SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        ] {
            // SAFETY: these options take an int and an `int *` that may be null.
            let code = unsafe {
                ffi::sqlite3_db_config(self.db.as_ptr(), option, value as c_int, ptr::null_mut::<c_int>())
            };
            if code != ffi::SQLITE_OK {
                return Err(self.failure(code));
            }
        }
        match functions::install(self.db) {
            ffi::SQLITE_OK => {}
            code => return Err(self.failure(code)),
        }
        self.install_callbacks();
        Ok(())
    }

    fn install_callbacks(&mut self) {
        let context = Arc::as_ptr(&self.watch).cast_mut().cast::<c_void>();
        // SAFETY: `context` points into the `Arc` that `self.watch` keeps alive; the callbacks are removed in `Drop` and
        // before the connection is lent, that is before this `Arc` can go. They only read and write atomics of `Watch`.
        unsafe {
            ffi::sqlite3_progress_handler(self.db.as_ptr(), OPS_PER_TICK, Some(on_progress), context);
            ffi::sqlite3_busy_handler(self.db.as_ptr(), Some(on_busy), context);
            ffi::sqlite3_wal_hook(self.db.as_ptr(), Some(on_wal), context);
        }
    }

    fn remove_callbacks(&mut self) {
        // SAFETY: the handle is open; null callbacks remove what is set.
        unsafe {
            ffi::sqlite3_progress_handler(self.db.as_ptr(), 0, None, ptr::null_mut());
            ffi::sqlite3_busy_handler(self.db.as_ptr(), None, ptr::null_mut());
            ffi::sqlite3_wal_hook(self.db.as_ptr(), None, ptr::null_mut());
        }
    }

    /// What others see and steer while a statement runs.
    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }
    /// For [`Watch`] to stop the work from another thread.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt(self.db)
    }
    /// Whether sqlx has, or had, the connection and `reclaim` is due.
    pub(crate) fn is_lent(&self) -> bool {
        self.lent
    }

    /// Hands the connection to sqlx: no statement and no callback of ours is left on it.
    pub(crate) fn lend(&mut self, busy_ms: u32) -> Option<&mut SqliteConnection> {
        if !self.lent {
            self.finalize_all();
            self.remove_callbacks();
            // SAFETY: the handle is open and ours alone until the next line.
            unsafe { ffi::sqlite3_busy_timeout(self.db.as_ptr(), busy_ms.min(i32::MAX as u32) as c_int) };
            self.lent = true;
        }
        self.owner.as_mut()
    }

    /// Takes the connection back from sqlx once its worker is parked.
    pub(crate) async fn reclaim(&mut self) -> Result<()> {
        if !self.lent {
            return Ok(());
        }
        let Some(owner) = &mut self.owner else {
            return Err(Error::new(ErrorKind::ConnectionLost, "the connection was closed").with_sent(false));
        };
        // The borrower had `&mut` and may have swapped the connection: the handle is read anew.
        self.db = handle_of(owner).await?;
        self.lent = false;
        self.configure()
    }

    /// Gives sqlx's connection back, to be closed with its outcome known. `None` while it is lent.
    pub(crate) fn into_owner(mut self) -> Option<SqliteConnection> {
        if self.lent {
            return None;
        }
        self.release();
        // Nothing of ours is on the handle any more: `Drop` has to leave it alone.
        self.lent = true;
        self.owner.take()
    }

    /// Prepares a text or finds it in the cache. The whole text must be one statement.
    pub(crate) fn prepare(&mut self, text: &Arc<str>) -> Result<StatementId> {
        let id = self.find_or_compile(text)?;
        self.slots[id.0].in_use = true;
        self.in_use += 1;
        Ok(id)
    }

    fn find_or_compile(&mut self, text: &Arc<str>) -> Result<StatementId> {
        if self.lent {
            return Err(Error::new(
                ErrorKind::TransactionState,
                "the connection is lent to sqlx",
            ));
        }
        if let Some(found) = self.cache.find(text) {
            if !self.slots[found].in_use {
                return Ok(StatementId(found));
            }
            return self.compile(text, false);
        }
        if let Some(oldest) = self.cache.evict() {
            // One that stands on a row goes when it is finished.
            if self.slots[oldest].in_use {
                self.slots[oldest].cached = false;
            } else {
                self.free_slot(oldest);
            }
        }
        let id = self.compile(text, true)?;
        self.cache.insert(text.clone(), id.0);
        Ok(id)
    }

    fn compile(&mut self, text: &str, cached: bool) -> Result<StatementId> {
        if text.as_bytes().contains(&0) {
            return Err(Error::new(
                ErrorKind::Syntax,
                "the statement's text contains a NUL character",
            ));
        }
        let flags = if cached { ffi::SQLITE_PREPARE_PERSISTENT } else { 0 };
        let (statement, tail) = self.compile_first(text, flags)?;
        if statement.is_null() {
            return Err(Error::new(ErrorKind::Syntax, "the text holds no statement"));
        }
        let id = self.store(statement, cached);
        if !tail
            .trim_matches(|c: char| c.is_ascii_whitespace() || c == ';')
            .is_empty()
        {
            // What is left may be a comment only, which compiles to no statement.
            let extra = self.compile_first(tail, 0);
            let only_comment = matches!(&extra, Ok((statement, _)) if statement.is_null());
            if let Ok((statement, _)) = extra {
                // SAFETY: just made (or null), and known to nobody else.
                unsafe { ffi::sqlite3_finalize(statement) };
            }
            if !only_comment {
                self.free_slot(id.0);
                return Err(Error::new(
                    ErrorKind::Syntax,
                    "the text holds more than one statement",
                ));
            }
        }
        Ok(id)
    }

    fn compile_first<'t>(&mut self, text: &'t str, flags: u32) -> Result<(*mut ffi::sqlite3_stmt, &'t str)> {
        let length = c_int::try_from(text.len()).map_err(|_| {
            Error::new(
                ErrorKind::OutOfRange,
                "the statement's text is longer than SQLite takes",
            )
        })?;
        let mut statement = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let start = text.as_ptr().cast::<c_char>();
        // SAFETY: `start` is readable for `length` bytes; SQLite copies what it keeps.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(self.db.as_ptr(), start, length, flags, &mut statement, &mut tail)
        };
        if code != ffi::SQLITE_OK {
            return Err(self.failure(code));
        }
        let used = (tail as usize).wrapping_sub(start as usize).min(text.len());
        Ok((statement, text.get(used..).unwrap_or_default()))
    }

    fn store(&mut self, statement: *mut ffi::sqlite3_stmt, cached: bool) -> StatementId {
        // an EXPLAIN counts as what it explains, and changes nothing
        // SAFETY: a statement that was just prepared.
        let reads_only = unsafe {
            ffi::sqlite3_stmt_readonly(statement) != 0 || ffi::sqlite3_stmt_isexplain(statement) != 0
        };
        let slot = Slot {
            statement,
            params: Vec::new(),
            instants: Instants::default(),
            in_use: false,
            cached,
            reads_only,
        };
        match self.slots.iter().position(|s| s.statement.is_null()) {
            Some(i) => {
                self.slots[i] = slot;
                StatementId(i)
            }
            None => {
                self.slots.push(slot);
                StatementId(self.slots.len() - 1)
            }
        }
    }

    fn free_slot(&mut self, index: usize) {
        if self.bound == Some(StatementId(index)) {
            self.bound = None;
        }
        let slot = &mut self.slots[index];
        // SAFETY: the slot's own statement, or null, which is allowed; the pointer is forgotten with it. It goes before
        // the values and texts that are bound to it.
        unsafe { ffi::sqlite3_finalize(slot.statement) };
        slot.statement = ptr::null_mut();
        slot.params = Vec::new();
        slot.instants = Instants::default();
        self.in_use -= usize::from(std::mem::take(&mut slot.in_use));
    }

    fn finalize_all(&mut self) {
        for i in 0..self.slots.len() {
            self.free_slot(i);
        }
        self.slots.clear();
        self.cache = Cache::default();
        self.control = [None; Control::COUNT];
    }

    /// Whether the statement cannot change the database.
    pub(crate) fn reads_only(&self, id: StatementId) -> bool {
        self.slots[id.0].reads_only
    }
    /// How many values the statement takes.
    pub(crate) fn parameters(&self, id: StatementId) -> usize {
        // SAFETY: the slot's statement, alive until the slot is freed.
        unsafe { ffi::sqlite3_bind_parameter_count(self.slots[id.0].statement) }.max(0) as usize
    }

    /// Binds all values in order. They are kept until [`finish`](Self::finish), because text and bytes are not copied:
    /// how many bytes these are.
    pub(crate) fn bind(&mut self, id: StatementId, params: Vec<Value>) -> Result<usize> {
        if self.bound != Some(id) || self.slots[id.0].instants.grows() {
            self.unbind();
        }
        self.bound = None;
        let slot = &mut self.slots[id.0];
        // What is still bound from the run before stays alive until each of its parameters is bound anew, or all are
        // cleared.
        let before = std::mem::replace(&mut slot.params, params);
        slot.instants.start();
        let (statement, instants) = (slot.statement, &mut slot.instants);
        let (mut outcome, mut bytes) = (Ok(ffi::SQLITE_OK), 0);
        for (i, value) in slot.params.iter().enumerate() {
            outcome = Bound::of(value).and_then(|bound| {
                bytes += bound.borrowed();
                bind_one(statement, (i + 1) as c_int, &bound, instants)
            });
            if !matches!(outcome, Ok(ffi::SQLITE_OK)) {
                break;
            }
        }
        let done = match outcome {
            Ok(ffi::SQLITE_OK) => Ok(bytes),
            Ok(code) => {
                let e = self.failure(code);
                self.finish(id);
                Err(e)
            }
            Err(e) => {
                self.finish(id);
                Err(e)
            }
        };
        release(before);
        done
    }

    /// Runs to the next row or the end.
    #[inline]
    pub(crate) fn step(&mut self, id: StatementId) -> Step {
        let slot = &mut self.slots[id.0];
        // SAFETY: the slot's statement, alive; exclusive access through `&mut self`; `watch` and `params` are alive.
        match unsafe { ffi::sqlite3_step(slot.statement) } {
            ffi::SQLITE_ROW => Step::Row,
            ffi::SQLITE_DONE => Step::Done,
            code => Step::Failed(code),
        }
    }

    /// The row the last step gave.
    #[inline]
    pub(crate) fn row(&self, id: StatementId) -> RowRef<'_> {
        let statement = self.slots[id.0].statement;
        // SAFETY: the slot's statement, alive.
        let columns = unsafe { ffi::sqlite3_data_count(statement) };
        RowRef {
            statement,
            columns: columns.max(0) as usize,
            connection: PhantomData,
        }
    }

    /// Back to the start with the same values.
    pub(crate) fn rewind(&mut self, id: StatementId) {
        let slot = &mut self.slots[id.0];
        // SAFETY: the slot's statement, alive. The code repeats the step's error, which was looked at.
        unsafe { ffi::sqlite3_reset(slot.statement) };
    }

    /// Ends the statement and lets go of its values; it stays prepared if it is in the cache.
    pub(crate) fn finish(&mut self, id: StatementId) {
        if !self.slots[id.0].cached {
            return self.free_slot(id.0);
        }
        self.rewind(id);
        let slot = &mut self.slots[id.0];
        self.in_use -= usize::from(std::mem::take(&mut slot.in_use));
        slot.clear();
    }

    /// Ends the statement as [`finish`](Self::finish), but leaves its values bound, and alive, for one that runs it again
    /// with others at once: to bind over them is less than to clear them first. Whoever uses this calls
    /// [`unbind`](Self::unbind) in the end.
    pub(crate) fn finish_bound(&mut self, id: StatementId) {
        if !self.slots[id.0].cached {
            return self.free_slot(id.0);
        }
        self.unbind();
        self.rewind(id);
        let slot = &mut self.slots[id.0];
        self.in_use -= usize::from(std::mem::take(&mut slot.in_use));
        self.bound = Some(id);
    }

    /// Lets go of values that were left bound.
    pub(crate) fn unbind(&mut self) {
        if let Some(id) = self.bound.take() {
            self.slots[id.0].clear();
        }
    }

    /// Ends every statement that still runs.
    pub(crate) fn finish_all(&mut self) {
        self.unbind();
        if self.in_use == 0 {
            return;
        }
        for i in 0..self.slots.len() {
            let slot = &self.slots[i];
            if slot.in_use {
                self.finish(StatementId(i));
            }
        }
    }

    /// Runs a control statement; the code is returned so that callers can wait and try again.
    pub(crate) fn control(&mut self, what: Control) -> Result<(), c_int> {
        if self.lent {
            return Err(ffi::SQLITE_MISUSE);
        }
        let id = match self.control[what as usize] {
            Some(id) => id,
            None => {
                let (statement, _) = self
                    .compile_first(what.text(), ffi::SQLITE_PREPARE_PERSISTENT)
                    .map_err(|_| ffi::SQLITE_ERROR)?;
                let id = self.store(statement, true);
                self.control[what as usize] = Some(id);
                id
            }
        };
        let step = self.step(id);
        self.rewind(id);
        match step {
            Step::Failed(code) => Err(code),
            Step::Row | Step::Done => Ok(()),
        }
    }

    /// Whether no transaction is open.
    #[inline]
    pub(crate) fn autocommit(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.db.as_ptr()) != 0 }
    }
    /// Rows changed by the last INSERT, UPDATE or DELETE.
    pub(crate) fn changes(&self) -> u64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_changes64(self.db.as_ptr()) }.max(0) as u64
    }
    /// Rows changed since the connection was opened.
    pub(crate) fn total_changes(&self) -> u64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_total_changes64(self.db.as_ptr()) }.max(0) as u64
    }
    /// How many values one statement takes at most.
    pub(crate) fn max_params(&self) -> usize {
        // SAFETY: the handle is open; -1 asks without setting.
        unsafe { ffi::sqlite3_limit(self.db.as_ptr(), ffi::SQLITE_LIMIT_VARIABLE_NUMBER, -1) }.max(0) as usize
    }
    /// A checkpoint: pages in the log, pages copied. It copies what no reader needs, or waits, as long as the watch says,
    /// until none needs the log, so that the next write starts it anew.
    pub(crate) fn checkpoint(&mut self, restart: bool) -> Result<(u32, u32)> {
        let mode = if restart {
            ffi::SQLITE_CHECKPOINT_RESTART
        } else {
            ffi::SQLITE_CHECKPOINT_PASSIVE
        };
        let (mut log, mut copied) = (0, 0);
        // SAFETY: the handle is open, the out pointers are valid for the call; a null name means all databases.
        let code = unsafe {
            ffi::sqlite3_wal_checkpoint_v2(self.db.as_ptr(), ptr::null(), mode, &mut log, &mut copied)
        };
        match code {
            ffi::SQLITE_OK => Ok((log.max(0) as u32, copied.max(0) as u32)),
            code => Err(self.failure(code)),
        }
    }

    /// The error of the last call that failed on this connection.
    #[cold]
    pub(crate) fn failure(&self, code: c_int) -> Error {
        // SAFETY: the handle is open; the text is copied before any other call.
        let message = unsafe {
            let text = ffi::sqlite3_errmsg(self.db.as_ptr());
            if text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(text).to_string_lossy().into_owned()
            }
        };
        error::from_code(code, &message)
    }

    fn release(&mut self) {
        self.watch.forget();
        if !self.lent {
            self.finalize_all();
            self.remove_callbacks();
        }
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        self.release();
    }
}

async fn handle_of(owner: &mut SqliteConnection) -> Result<NonNull<ffi::sqlite3>> {
    let mut locked = owner.lock_handle().await.map_err(|e| error::from_sqlx(&e))?;
    Ok(locked.as_raw_handle())
}

#[inline(always)]
fn bind_one(
    statement: *mut ffi::sqlite3_stmt,
    i: c_int,
    bound: &Bound<'_>,
    instants: &mut Instants,
) -> Result<c_int> {
    let utf8 = ffi::SQLITE_UTF8 as u8;
    // SAFETY: `statement` is alive and not running. Borrowed text and bytes belong to the values in the same slot (or
    // are static) and stay in place until the bindings are cleared; what `Owned` holds is copied by SQLite. So is an
    // instant unless it is in `instants`, which belong to the same slot and grow only when nothing is bound.
    let code = unsafe {
        match bound {
            Bound::Null => ffi::sqlite3_bind_null(statement, i),
            Bound::Integer(v) => ffi::sqlite3_bind_int64(statement, i, *v),
            Bound::Float(v) => ffi::sqlite3_bind_double(statement, i, *v),
            Bound::Text(s) => ffi::sqlite3_bind_text64(
                statement,
                i,
                s.as_ptr().cast(),
                s.len() as u64,
                ffi::SQLITE_STATIC(),
                utf8,
            ),
            Bound::Owned(s) => ffi::sqlite3_bind_text64(
                statement,
                i,
                s.as_ptr().cast(),
                s.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                utf8,
            ),
            Bound::Instant(instant, length) => {
                let mut own = [0; 27];
                let (text, copied) = match instants.next() {
                    Some(place) => (place, ffi::SQLITE_STATIC()),
                    None => (&mut own, ffi::SQLITE_TRANSIENT()),
                };
                instant.write_fixed(text).ok_or_else(year)?;
                let start = text.as_ptr().cast();
                ffi::sqlite3_bind_text64(statement, i, start, *length as u64, copied, utf8)
            }
            Bound::Blob(b) => ffi::sqlite3_bind_blob64(
                statement,
                i,
                b.as_ptr().cast(),
                b.len() as u64,
                ffi::SQLITE_STATIC(),
            ),
        }
    };
    Ok(code)
}

/// # Safety
/// `context` is the `Watch` given when the callback was set.
unsafe fn watch_of<'w>(context: *mut c_void) -> &'w Watch {
    // SAFETY: `install_callbacks` gave it, and it outlives the callbacks.
    unsafe { &*context.cast::<Watch>() }
}

unsafe extern "C" fn on_progress(context: *mut c_void) -> c_int {
    // SAFETY: see `watch_of`.
    let watch = unsafe { watch_of(context) };
    c_int::from(watch.tick() == watch::Verdict::Stop)
}

unsafe extern "C" fn on_busy(context: *mut c_void, count: c_int) -> c_int {
    // SAFETY: see `watch_of`.
    let watch = unsafe { watch_of(context) };
    c_int::from(watch.wait_for_lock(count.max(0) as u32) == watch::Verdict::GoOn)
}

unsafe extern "C" fn on_wal(
    context: *mut c_void,
    _: *mut ffi::sqlite3,
    _: *const c_char,
    pages: c_int,
) -> c_int {
    // SAFETY: see `watch_of`.
    unsafe { watch_of(context) }.log_grew(pages.max(0) as u32);
    ffi::SQLITE_OK
}
