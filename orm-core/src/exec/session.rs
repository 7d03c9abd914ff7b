//! Sessions: an identity map over a handle, for who asks for it. There is no other, and none that outlives its session.
//!
//! One row is one [`Tracked`] handle. The map learns from its own reads and from units of work made on the session, and
//! from nothing else: what other statements write it does not see.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::exec::fetch::Site;
use crate::exec::key::{Key, Place, place};
use crate::exec::{Edit, Handle, InTx, Pending, Serves, UnitOfWork, keyed};
use crate::model::{Key as _, Model, Writable};

/// An identity map over a handle: the same key is the same [`Tracked`] row, read once. Made by
/// [`Exec::session`](crate::exec::Exec::session), and gone with it.
///
/// ```
/// # use orm_core::error::Result;
/// # use orm_core::exec::{Db, Exec, Serves, Writes};
/// # use orm_core::model::Writable;
/// # async fn run<M: Writable + Clone>(db: &Db, id: M::Id) -> Result<()>
/// # where Db: Writes<M>, for<'a> &'a Db: Writes<M> {
/// let session = db.session();
/// let ann = session.get::<M>(id.clone()).await?;
/// let same = session.get::<M>(id).await?;      // no statement
/// assert!(ann == same);                        // the same handle
///
/// let mut unit = session.unit_of_work();
/// let edit = ann.edit();
/// // edit.name = "Anna".into(), with `let mut edit`
/// unit.save(edit)?;
/// unit.commit().await?;                        // `ann.row()` and `same.row()` are the new row
/// # Ok(()) }
/// ```
pub struct Session<H> {
    handle: H,
    map: Arc<Map>,
    undo: Undo,
}

/// A row in a session. All that a session knows of the row is here, whoever asked for it.
pub struct Tracked<M>(Arc<Known<M>>);

struct Known<M>(Mutex<State<M>>);

struct State<M> {
    row: Arc<M>,
    /// Whether the next `get` reads it again.
    expired: bool,
}

impl<M> Clone for Tracked<M> {
    fn clone(&self) -> Self {
        Tracked(self.0.clone())
    }
}
impl<M> PartialEq for Tracked<M> {
    /// The same handle, not equal rows.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
impl<M> Eq for Tracked<M> {}
impl<M: fmt::Debug> fmt::Debug for Tracked<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        f.debug_struct("Tracked")
            .field("row", &state.row)
            .field("expired", &state.expired)
            .finish()
    }
}

impl<M: Model> Tracked<M> {
    /// The row as the session knows it: as it was read or written last. It stays as it is while you hold it.
    pub fn row(&self) -> Arc<M> {
        self.0.state().row.clone()
    }
    /// The row's key.
    pub fn id(&self) -> M::Id {
        self.row().id()
    }
    /// A change of the row in place, for [`UnitOfWork::save`].
    pub fn edit(&self) -> Edit<M>
    where
        M: Writable + Clone,
    {
        Edit::new(M::clone(&self.row()))
    }
    /// Whether the session reads the row again when it is asked for.
    pub fn is_expired(&self) -> bool {
        self.0.state().expired
    }
}

impl<H: Handle> Session<H> {
    pub(crate) fn new(handle: H) -> Self {
        Session {
            handle,
            map: Arc::default(),
            undo: Undo::default(),
        }
    }
    /// The handle below, for queries. What is written through it the session does not see.
    pub fn handle(&self) -> &H {
        &self.handle
    }
    /// The row of this key: the one that is known, or else read.
    ///
    /// # Errors
    /// `NotFound`.
    #[track_caller]
    pub fn get<M: Model + Clone>(&self, id: M::Id) -> Pending<'_, Tracked<M>>
    where
        H: Serves<M>,
    {
        let site = Location::caller();
        Pending::new(async move {
            let known = self.map.find::<M>(&Key::new(id.clone().into_values()));
            match known.filter(|known| !known.is_expired()) {
                Some(known) => Ok(known),
                None => self.read(id, site).await,
            }
        })
    }
    /// Reads the row again, and shows it through all its handles. Of a detached row it gives the handle that the session
    /// has.
    ///
    /// # Errors
    /// `NotFound` when it is gone; the handle then is expired, and still shows the row as it was.
    #[track_caller]
    pub fn refresh<M: Model + Clone>(&self, row: &Tracked<M>) -> Pending<'_, Tracked<M>>
    where
        H: Serves<M>,
    {
        let (id, site) = (row.id(), Location::caller());
        Pending::new(self.read(id, site))
    }
    async fn read<M: Model + Clone>(&self, id: M::Id, site: Site) -> Result<Tracked<M>>
    where
        H: Serves<M>,
    {
        let key = Key::new(id.clone().into_values());
        match keyed::get::<M>(self.handle.raw(), id, site).await {
            Ok(row) => Ok(self.track(row)),
            Err(e) => {
                if let (true, Some(known)) = (e.is_not_found(), self.map.find::<M>(&key)) {
                    self.expire(&known);
                }
                Err(e)
            }
        }
    }
    /// Takes up a row that was read by a query. Where the session has a handle of it, that one now shows this row.
    pub fn track<M: Model + Clone>(&self, row: M) -> Tracked<M> {
        let key = Key::new(row.id().into_values());
        let mut rows = self.map.rows();
        let entry = match rows.entry(place(M::TABLE, key)) {
            Slot::Occupied(entry) => Some(entry.get().clone()),
            Slot::Vacant(slot) => {
                let state = State {
                    row: Arc::new(row.clone()),
                    expired: false,
                };
                let known = Arc::new(Known(Mutex::new(state)));
                slot.insert(known.clone());
                drop(rows);
                // what was read inside a transaction may be undone with it
                self.undo.note(known.clone(), Box::new(Before::<M>::Unknown));
                return Tracked(known);
            }
        };
        drop(rows);
        let known = entry.and_then(|entry| entry.into_any().downcast::<Known<M>>().ok());
        match known {
            Some(known) => {
                self.undo.note(known.clone(), known.save());
                known.show(Arc::new(row));
                Tracked(known)
            }
            // a table has one model
            None => Tracked(Arc::new(Known(Mutex::new(State {
                row: Arc::new(row),
                expired: true,
            })))),
        }
    }
    /// The next `get` reads the row again.
    pub fn expire<M: Model>(&self, row: &Tracked<M>) {
        row.0.state().expired = true;
    }
    /// The next `get` of any row reads it again.
    pub fn expire_all(&self) {
        self.map.rows().values().for_each(|known| known.expire());
    }
    /// Forgets the row: its handles stay as they are, and a `get` gives another one. Whether it was known.
    pub fn detach<M: Model>(&self, row: &Tracked<M>) -> bool {
        let key = place(M::TABLE, Key::new(row.id().into_values()));
        match self.map.rows().entry(key) {
            Slot::Occupied(entry) if same(entry.get(), &row.0) => {
                entry.remove();
                true
            }
            _ => false,
        }
    }
    /// A unit of work: once it is committed, the rows it wrote are shown by their handles, and those it deleted are
    /// expired. A delete may take along rows that only the database knows: all others are expired then as well.
    #[track_caller]
    pub fn unit_of_work(&self) -> UnitOfWork<'_, H> {
        UnitOfWork::new(&self.handle).within(View {
            map: self.map.clone(),
            journal: self.undo.journal.clone(),
        })
    }
    /// A transaction, or a savepoint inside one, with the same map. When it is undone, handles show the rows again as
    /// they were known before, and those that it touched are expired.
    #[track_caller]
    pub fn begin(&self) -> Pending<'_, Session<H::Inner>> {
        let mode = crate::exec::transaction::mode_at(Location::caller());
        Pending::steps(async move {
            Ok(Session {
                handle: self.handle.open(mode).await?,
                map: self.map.clone(),
                undo: Undo {
                    journal: Some(Arc::default()),
                    above: self.undo.journal.clone(),
                },
            })
        })
    }
}

impl<H: InTx> Session<H> {
    /// Keeps what was done since [`begin`](Session::begin): see [`Tx::commit`](crate::exec::Tx::commit).
    pub async fn commit(self) -> Result<()> {
        let Session { handle, undo, .. } = self;
        handle.into_tx().commit().await?;
        undo.keep();
        Ok(())
    }
    /// Undoes what was done since [`begin`](Session::begin).
    pub async fn rollback(self) -> Result<()> {
        self.handle.into_tx().rollback().await
    }
}

/// The rows that a session knows.
#[derive(Default)]
struct Map(Mutex<HashMap<Place, Arc<dyn Row>>>);

impl Map {
    fn rows(&self) -> MutexGuard<'_, HashMap<Place, Arc<dyn Row>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn find<M: Model>(&self, key: &Key) -> Option<Tracked<M>> {
        let known = self.rows().get(&place(M::TABLE, key.clone()))?.clone();
        known.into_any().downcast().ok().map(Tracked)
    }
}

/// A row of some model.
trait Row: Send + Sync {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    /// Shows a row that was written.
    fn written(&self, row: &(dyn Any + Send + Sync));
    fn expire(&self);
    /// What is known now, for `undo`.
    fn save(&self) -> Box<dyn Any + Send + Sync>;
    fn undo(&self, before: Box<dyn Any + Send + Sync>);
}

/// What was known of a row before a savepoint.
enum Before<M> {
    Unknown,
    Known(Arc<M>),
}

impl<M> Known<M> {
    fn state(&self) -> MutexGuard<'_, State<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn show(&self, row: Arc<M>) {
        *self.state() = State { row, expired: false };
    }
}

impl<M: Model + Clone> Row for Known<M> {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
    fn written(&self, row: &(dyn Any + Send + Sync)) {
        match row.downcast_ref::<M>() {
            Some(row) => self.show(Arc::new(row.clone())),
            None => self.state().expired = true,
        }
    }
    fn expire(&self) {
        self.state().expired = true;
    }
    fn save(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(Before::Known(self.state().row.clone()))
    }
    fn undo(&self, before: Box<dyn Any + Send + Sync>) {
        let mut state = self.state();
        if let Ok(before) = before.downcast::<Before<M>>()
            && let Before::Known(row) = *before
        {
            state.row = row;
        }
        state.expired = true;
    }
}

fn same<M: Model + 'static>(entry: &Arc<dyn Row>, known: &Arc<Known<M>>) -> bool {
    let entry = entry.clone().into_any().downcast::<Known<M>>();
    entry.is_ok_and(|entry| Arc::ptr_eq(&entry, known))
}

type Noted = (Arc<dyn Row>, Box<dyn Any + Send + Sync>);

/// What was known of rows before they were touched, the oldest first.
#[derive(Default)]
struct Journal(Mutex<Vec<Noted>>);

impl Journal {
    fn noted(&self) -> MutexGuard<'_, Vec<Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Undoes what a transaction did to the map, unless it is kept.
#[derive(Default)]
struct Undo {
    journal: Option<Arc<Journal>>,
    above: Option<Arc<Journal>>,
}

impl Undo {
    fn note(&self, row: Arc<dyn Row>, before: Box<dyn Any + Send + Sync>) {
        if let Some(journal) = &self.journal {
            journal.noted().push((row, before));
        }
    }
    /// A savepoint is over: undoing it is now the business of what is around it.
    fn keep(mut self) {
        if let (Some(journal), Some(above)) = (self.journal.take(), &self.above) {
            above.noted().append(&mut journal.noted());
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(journal) = self.journal.take() {
            for (row, before) in journal.noted().drain(..).rev() {
                row.undo(before);
            }
        }
    }
}

/// The map as a unit of work sees it.
pub(crate) struct View {
    map: Arc<Map>,
    journal: Option<Arc<Journal>>,
}

/// What a unit of work did to a row.
pub(crate) enum Touched<'a> {
    /// It was written, and has this key now.
    Written(Place, &'a (dyn Any + Send + Sync)),
    /// It is gone.
    Gone,
}

impl View {
    /// Takes note of what was done to a row.
    pub(crate) fn touch(&self, old: Place, touched: Touched<'_>) {
        let mut rows = self.map.rows();
        let Some(known) = rows.get(&old).cloned() else {
            return;
        };
        self.note(&known);
        match touched {
            Touched::Gone => known.expire(),
            Touched::Written(new, row) => {
                known.written(row);
                if new != old {
                    rows.remove(&old);
                    rows.insert(new, known);
                }
            }
        }
    }
    /// Nothing is known for sure any more.
    pub(crate) fn expire_all(&self) {
        for known in self.map.rows().values() {
            self.note(known);
            known.expire();
        }
    }
    fn note(&self, known: &Arc<dyn Row>) {
        if let Some(journal) = &self.journal {
            journal.noted().push((known.clone(), known.save()));
        }
    }
}
