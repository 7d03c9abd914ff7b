//! The unit of work: inserts, changes and deletes of many models, sent together in the order the foreign keys ask for.
//!
//! Nothing is tracked behind the caller's back and nothing is sent before `commit`: what a unit holds is what was put
//! into it.

mod graph;
mod merge;
mod order;
mod reuse;
mod run;

pub use graph::{Graph, InsertGraph, IntoGraph};
pub use merge::{Merge, MergeContent, Mergeable, Merged, plan_relation};

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::ast::{Expr as Node, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::edit::{assignments, changes};
use crate::exec::fetch::Site;
use crate::exec::key::Place;
use crate::exec::session::{Touched, View};
use crate::exec::{Edit, Exec, Pending, Writes};
use crate::model::{Insertable, Key as _, Model, Mutable, Writable};
use crate::query::{Insert, IntoInsert, Sets, put};
use crate::schema::{Column, Default, Table};
use crate::value::{Collector, Held, Row, Rows, Type, Value, finished_one};

/// Collects inserts, changes and deletes of many rows; [`commit`](UnitOfWork::commit) sends them as one transaction,
/// or as a part of the one it was made on. Dropped without `commit`, nothing was sent.
///
/// Rows are sent in the order their foreign keys ask for, whatever the order they were put in; equal shapes share a
/// statement. A row that has no key yet is referred to by the key of its [`Ref`], which stands for the real one until
/// the commit.
#[must_use = "a unit of work sends nothing until `.commit()`"]
pub struct UnitOfWork<'a, E: ?Sized> {
    ex: &'a E,
    list: List,
    site: Site,
    view: Option<View>,
}

/// A row in a unit of work.
pub struct Ref<M: Model> {
    unit: u64,
    at: usize,
    id: M::Id,
}

impl<M: Model> Ref<M> {
    /// The row's key. Of a new row whose key the database makes this is a placeholder, good for foreign keys of other
    /// rows of the same unit and nothing else.
    pub fn id(&self) -> M::Id {
        self.id.clone()
    }
}
impl<M: Model> Clone for Ref<M> {
    fn clone(&self) -> Self {
        Ref {
            unit: self.unit,
            at: self.at,
            id: self.id.clone(),
        }
    }
}

impl<'a, E: Exec + ?Sized> UnitOfWork<'a, E> {
    #[track_caller]
    pub(crate) fn new(ex: &'a E) -> Self {
        UnitOfWork {
            ex,
            list: List::new(),
            site: Location::caller(),
            view: None,
        }
    }
    /// The same unit, which tells a session what it did.
    pub(crate) fn within(self, view: View) -> Self {
        UnitOfWork {
            view: Some(view),
            ..self
        }
    }
    /// Adds a new row: `NewX { .. }`, optionally with `.set(..)` or `.with_id(..)`.
    ///
    /// # Errors
    /// `InvalidQuery` when the database makes a key of a kind that nothing can stand for (text, for example): give the
    /// key, or a default that the program knows.
    pub fn insert<M: Insertable, I: IntoInsert<M>>(&mut self, new: I) -> Result<Ref<M>>
    where
        E: Writes<M>,
    {
        self.list.insert(new.into_insert())
    }
    /// Adds a row changed in place, see [`Record::edit`](crate::exec::Record::edit). Nothing is sent for a row without
    /// a change.
    ///
    /// # Errors
    /// `InvalidQuery` when a managed column was changed.
    pub fn save<M: Insertable + Mutable + Clone>(&mut self, edit: Edit<M>) -> Result<Ref<M>>
    where
        E: Writes<M>,
    {
        self.list.save(edit)
    }
    /// Sets columns of a row that is already in the unit: to close a circle of rows that refer to each other, for
    /// example.
    ///
    /// # Errors
    /// `InvalidQuery` for a row of another unit.
    pub fn set<M: Insertable + Mutable, A: Sets<M>>(
        &mut self,
        row: &Ref<M>,
        f: impl FnOnce(M::Cols<M>) -> A,
    ) -> Result<()>
    where
        E: Writes<M>,
    {
        let mut set = Vec::new();
        f(M::cols(Source::ROOT)).add_to(&mut set);
        self.list.set(row, set)
    }
    /// Adds a row with its loaded relations, to be written as it is now: see [`Merge`]. The database is asked at the
    /// commit what has to be done. A row that another graph of the unit, or a change of its foreign key, gives a new
    /// place is no orphan.
    ///
    /// # Errors
    /// `InvalidQuery` as [`insert`](UnitOfWork::insert).
    pub fn merge<G: Mergeable>(&mut self, graph: G) -> Result<Ref<G::Model>>
    where
        E: Writes<G::Model>,
    {
        graph.plan(&mut self.list).map(|(row, _)| row)
    }
    /// Adds the delete of a row: softly where its model says so, with what its relations take along.
    ///
    /// When the unit also inserts a row with the same key, the row stays and is changed into the new one by one UPDATE:
    /// see [`commit`](UnitOfWork::commit).
    pub fn delete<M: Insertable + Mutable>(&mut self, row: M)
    where
        E: Writes<M>,
    {
        self.list.delete(row);
    }
    /// How many rows the unit would write, and how many graphs' rows it would look at.
    pub fn len(&self) -> usize {
        self.list
            .steps
            .iter()
            .filter(|s| !matches!(s.kind, Kind::Keep))
            .count()
    }
    /// Whether the unit would write nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Sends everything as one transaction.
    ///
    /// A row that is deleted and another one that is inserted with its key become one UPDATE: what the new row leaves out
    /// gets its default. What the relations of the old row take along goes; hooks and the audit trail see one change, the
    /// version counts on, and `created_at` stays.
    ///
    /// # Errors
    /// What any of the statements reports; `Stale` and `NotFound` for a changed or deleted row that somebody else
    /// changed or deleted; `InvalidQuery` for rows that refer to each other in a circle where no key may be NULL.
    /// Nothing of the unit stays then.
    pub fn commit(self) -> Pending<'a, Committed> {
        let UnitOfWork { ex, list, site, view } = self;
        let raw = ex.raw();
        Pending::steps(async move {
            let done = run::commit(raw, list, site).await?;
            if let Some(view) = view {
                done.tell(&view);
            }
            Ok(done)
        })
    }
}

/// A row of some model.
type Boxed = Box<dyn Any + Send + Sync>;

/// What a unit of work did.
#[derive(Default)]
pub struct Committed {
    unit: u64,
    rows: HashMap<usize, Boxed>,
    inserted: u64,
    updated: u64,
    deleted: u64,
    linked: u64,
    unlinked: u64,
    /// The rows that were written or deleted, by the keys they had; the step and the key of what is there now.
    touched: Vec<(Place, Option<(usize, Place)>)>,
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed")
            .field("inserted", &self.inserted)
            .field("updated", &self.updated)
            .field("deleted", &self.deleted)
            .field("linked", &self.linked)
            .field("unlinked", &self.unlinked)
            .finish_non_exhaustive()
    }
}

impl Committed {
    /// The row as the database has it now. Each can be taken once.
    ///
    /// # Errors
    /// `NotFound` when it was taken before, or belongs to another unit.
    pub fn take<M: Model>(&mut self, row: &Ref<M>) -> Result<M> {
        let own = row.unit == self.unit;
        let stored = own.then(|| self.rows.remove(&row.at)).flatten();
        let stored = stored.map(|row| row.downcast::<M>());
        match stored {
            Some(Ok(row)) => Ok(*row),
            _ => Err(Error::not_found(M::TABLE.model)),
        }
    }
    /// The row as the database has it now.
    pub fn get<M: Model>(&self, row: &Ref<M>) -> Option<&M> {
        let stored = self.rows.get(&row.at).filter(|_| row.unit == self.unit);
        stored?.downcast_ref()
    }
    /// Tells a session what was done.
    fn tell(&self, view: &View) {
        if self.touched.iter().any(|(_, now)| now.is_none()) {
            view.expire_all();
        }
        for (old, now) in &self.touched {
            let written = now.as_ref().and_then(|(at, new)| Some((self.rows.get(at)?, new)));
            let touched = match written {
                Some((row, new)) => Touched::Written(new.clone(), &**row),
                None => Touched::Gone,
            };
            view.touch(old.clone(), touched);
        }
    }
    /// How many rows were inserted.
    pub fn inserted(&self) -> u64 {
        self.inserted
    }
    /// How many rows were changed.
    pub fn updated(&self) -> u64 {
        self.updated
    }
    /// How many rows were deleted, without those that relations took along.
    pub fn deleted(&self) -> u64 {
        self.deleted
    }
    /// How many links over join tables merges made.
    pub fn linked(&self) -> u64 {
        self.linked
    }
    /// How many links over join tables merges removed.
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }
}

/// One row to write.
struct Step {
    table: &'static Table,
    kind: Kind,
    rows: Typed,
}

/// What knows the row's type.
#[derive(Clone, Copy)]
struct Typed {
    collector: fn() -> Box<dyn Collector>,
    /// The finished rows, boxed one by one.
    finish: fn(Box<dyn Any + Send>) -> Result<Vec<Boxed>>,
    /// The row of these values.
    of_values: fn(&[Value]) -> Result<Boxed>,
    /// The values that the row of these values would write.
    as_written: fn(&[Value]) -> Result<Vec<Value>>,
}

enum Kind {
    Insert {
        row: Set,
        overriding: bool,
        /// The key, with a placeholder where the database makes it.
        key: Vec<Value>,
        /// What stands for the key until the database has made it.
        placeholder: Option<Value>,
    },
    Update {
        set: Set,
        before: Vec<Value>,
        /// The row takes the place of one that is deleted.
        reuses: bool,
    },
    Delete {
        before: Vec<Value>,
    },
    /// A row without a change.
    Keep,
    /// A row as it should be: the database will be asked what that takes.
    Merge(Box<merge::Wanted>),
}

type Set = Vec<(&'static Column, Node)>;

/// What becomes of a row of a graph, once it was written.
pub type Finish<O> = Box<dyn FnOnce(&mut Committed) -> Result<O> + Send>;

/// The steps of a unit in the order they were put in.
pub struct List {
    unit: u64,
    steps: Vec<Step>,
    kept: HashMap<usize, Boxed>,
    /// The relations of rows to be merged.
    relations: Vec<merge::Relation>,
}

fn typed<M: Model>() -> Typed {
    Typed {
        collector: Rows::<M>::collector,
        finish: |rows| {
            let rows = Rows::<M>::of(rows)?.finish(Vec::new())?;
            let boxed = |row| Box::new(row) as Boxed;
            Ok(rows.into_iter().map(boxed).collect())
        },
        of_values: |values| Ok(Box::new(row_of::<M>(values)?)),
        as_written: |values| Ok(row_of::<M>(values)?.into_values()),
    }
}

fn row_of<M: Model>(values: &[Value]) -> Result<M> {
    finished_one::<M>(M::decode(&mut Row::new(&Held(values)))?)
}

fn key_from<M: Model>(values: &[Value]) -> Result<M::Id> {
    M::Id::read(&mut Row::new(&Held(values)))
}

/// A value that stands for a key the database will make; unique in this process.
fn placeholder(ty: Type) -> Option<Value> {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    match ty {
        // far from any key that a sequence reaches
        Type::I64 => Some(Value::I64(i64::MIN + n)),
        Type::I32 => i32::try_from(n)
            .ok()
            .map(|n| Value::I32(i32::MIN.wrapping_add(n))),
        Type::I16 => i16::try_from(n)
            .ok()
            .map(|n| Value::I16(i16::MIN.wrapping_add(n))),
        _ => None,
    }
}

fn stand_in(table: &Table, column: &Column) -> Result<Value> {
    placeholder(column.column.ty).ok_or_else(|| unknown_key(table, column))
}

fn update(set: Set, before: Vec<Value>) -> Kind {
    Kind::Update {
        set,
        before,
        reuses: false,
    }
}

impl List {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        List {
            unit: NEXT.fetch_add(1, Ordering::Relaxed),
            steps: Vec::new(),
            kept: HashMap::new(),
            relations: Vec::new(),
        }
    }

    fn row<M: Model>(&self, at: usize, id: M::Id) -> Ref<M> {
        Ref {
            unit: self.unit,
            at,
            id,
        }
    }

    fn add(&mut self, table: &'static Table, kind: Kind, rows: Typed) -> usize {
        self.steps.push(Step { table, kind, rows });
        self.steps.len() - 1
    }

    fn insert<M: Insertable>(&mut self, insert: Insert<M>) -> Result<Ref<M>> {
        let (mut row, overriding) = insert.into_row();
        let (mut key, mut placeholder) = (Vec::new(), None);
        for column in M::TABLE.key_columns() {
            let given = row.iter().find(|(c, _)| std::ptr::eq(*c, column)).map(|(_, v)| v);
            let value = match (given, column.default) {
                (Some(Node::Value(value)), _) => value.clone(),
                (None, Default::Literal(f) | Default::Function(f)) => {
                    row.push((column, put(column, Node::Value(f()))));
                    match row.last() {
                        Some((_, Node::Value(value))) => value.clone(),
                        _ => Value::Null(column.column.ty),
                    }
                }
                _ => placeholder.insert(stand_in(M::TABLE, column)?).clone(),
            };
            key.push(value);
        }
        let id = key_from::<M>(&key)?;
        let kind = Kind::Insert {
            row,
            overriding,
            key,
            placeholder,
        };
        let at = self.add(M::TABLE, kind, typed::<M>());
        Ok(self.row(at, id))
    }

    fn save<M: Writable + Clone>(&mut self, edit: Edit<M>) -> Result<Ref<M>> {
        let (row, before) = edit.into_parts();
        let id = row.id();
        let changed = changes(M::TABLE, &before, row.clone().into_values());
        if changed.is_empty() {
            let at = self.add(M::TABLE, Kind::Keep, typed::<M>());
            self.kept.insert(at, Box::new(row));
            return Ok(self.row(at, id));
        }
        let set = assignments(M::TABLE, changed)?;
        let at = self.add(M::TABLE, update(set, before), typed::<M>());
        Ok(self.row(at, id))
    }

    fn set<M: Model>(&mut self, row: &Ref<M>, new: Set) -> Result<()> {
        let Some(step) = self.steps.get_mut(row.at).filter(|_| row.unit == self.unit) else {
            let text = "this row belongs to another unit of work";
            return Err(Error::new(ErrorKind::InvalidQuery, text).with_model(M::TABLE.model));
        };
        if let (Kind::Keep, Some(kept)) = (&step.kind, self.kept.remove(&row.at))
            && let Ok(kept) = kept.downcast::<M>()
        {
            step.kind = update(Vec::new(), kept.into_values());
        }
        let set = match &mut step.kind {
            Kind::Insert { row: set, .. } | Kind::Update { set, .. } => Some(set),
            Kind::Merge(wanted) => Some(&mut wanted.set),
            Kind::Delete { .. } | Kind::Keep => None,
        };
        if let Some(set) = set {
            for (column, value) in new {
                set.retain(|(c, _)| !std::ptr::eq(*c, column));
                set.push((column, value));
            }
        }
        Ok(())
    }

    fn delete<M: Writable>(&mut self, row: M) {
        let before = row.into_values();
        self.add(M::TABLE, Kind::Delete { before }, typed::<M>());
    }
}

#[cold]
fn unknown_key(table: &Table, column: &Column) -> Error {
    let text = "the database makes this key, and nothing can stand for it before: give it, or a default";
    Error::new(ErrorKind::InvalidQuery, text)
        .with_model(table.model)
        .with_field(column.field)
}
