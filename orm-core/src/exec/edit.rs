//! A row that is changed in place, and writes what changed.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::ast::{Expr as Node, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::key::Key;
use crate::exec::{Pending, Writes};
use crate::model::Writable;
use crate::query::{Update, key_equals, put};
use crate::schema::{Column, Default, Role, Table};
use crate::value::{Timestamp, Value};

/// A row being changed: a model that remembers how it was read. Made by
/// [`Record::edit`](crate::exec::Record::edit).
///
/// ```
/// # use orm_core::exec::{Db, Record, Writes};
/// # use orm_core::model::Writable;
/// # async fn run<M: Writable + Clone>(db: &Db, user: M) -> orm_core::error::Result<()> where Db: Writes<M> {
/// let mut user = user.edit();
/// // user.name = "Anna".into();
/// let user: M = user.save(db).await?; // only the columns that changed; nothing is sent when none did
/// # Ok(()) }
/// ```
#[must_use = "an edit writes nothing until `.save(&db)`, or `unit.save(..)`"]
pub struct Edit<M> {
    row: M,
    before: Vec<Value>,
}

impl<M> Deref for Edit<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.row
    }
}
impl<M> DerefMut for Edit<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.row
    }
}

/// One changed column of a row.
#[derive(Clone)]
pub struct Change {
    /// The column.
    pub column: &'static Column,
    /// The value that was read.
    pub before: Value,
    /// The value to be written.
    pub after: Value,
}

impl Change {
    /// The name of the field in Rust.
    pub fn field(&self) -> &'static str {
        self.column.field
    }
}

impl fmt::Debug for Change {
    /// Values are not shown: an application's log is no place for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("field", &self.column.field)
            .finish_non_exhaustive()
    }
}

/// The columns whose values differ.
pub(crate) fn changes(table: &'static Table, before: &[Value], after: Vec<Value>) -> Vec<Change> {
    let columns = table.columns.iter().zip(before).zip(after);
    columns
        .filter(|((_, before), after)| !same(before, after))
        .map(|((column, before), after)| Change {
            column,
            before: before.clone(),
            after,
        })
        .collect()
}

/// Equal as stored: NaN is the same as NaN, a NULL is a NULL of whatever type, 1.5 is 1.50, and JSON is the same in
/// whatever order its maps are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null(_), Value::Null(_)) => true,
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::Decimal(_), Value::Decimal(_)) => Key::new(vec![a.clone()]) == Key::new(vec![b.clone()]),
        (Value::Json(a), Value::Json(b)) => a == b || same_json(a, b),
        (a, b) => a == b,
    }
}

#[cfg(feature = "json")]
fn same_json(a: &str, b: &str) -> bool {
    let parsed = |text| serde_json::from_str::<serde_json::Value>(text);
    matches!((parsed(a), parsed(b)), (Ok(a), Ok(b)) if a == b)
}
#[cfg(not(feature = "json"))]
fn same_json(_: &str, _: &str) -> bool {
    false
}

/// Whether the column is the caller's, and neither the library nor the database fills it.
pub(crate) fn settable(table: &'static Table, column: &Column) -> bool {
    let is_key = table.key_columns().any(|k| std::ptr::eq(k, column));
    matches!(column.role, Role::Plain)
        && column.generated.is_none()
        && (!is_key || matches!(column.default, Default::None))
}

/// A change of a column that the library or the database fills is a mistake that must not pass in silence.
fn refuse_managed(table: &'static Table, column: &Column) -> Result<()> {
    if settable(table, column) {
        return Ok(());
    }
    let text = "this column is managed and cannot be changed";
    Err(Error::new(ErrorKind::InvalidQuery, text)
        .with_model(table.model)
        .with_field(column.field))
}

impl<M: Writable> Edit<M> {
    pub(crate) fn new(row: M) -> Self
    where
        M: Clone,
    {
        let before = row.clone().into_values();
        Edit { row, before }
    }
    /// The columns that were changed, with both values.
    pub fn changes(&self) -> Vec<Change>
    where
        M: Clone,
    {
        changes(M::TABLE, &self.before, self.row.clone().into_values())
    }
    /// Whether any column was changed.
    pub fn is_changed(&self) -> bool
    where
        M: Clone,
    {
        !self.changes().is_empty()
    }
    /// Writes the columns that changed and returns the row. Nothing is sent when none did.
    ///
    /// # Errors
    /// `Stale` when the model has a version and somebody changed the row since it was read, `NotFound` when it is
    /// gone, `InvalidQuery` when a managed column was changed.
    #[track_caller]
    pub fn save<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, M>
    where
        M: Clone,
    {
        let changed = self.changes();
        if changed.is_empty() {
            let row = self.row;
            return Pending::steps(async move { Ok(row) });
        }
        match update_of::<M>(&self.before, changed) {
            Ok(update) => update.save(ex),
            Err(e) => Pending::failed(e),
        }
    }
    /// The row as it is now, and how it was read.
    pub(crate) fn into_parts(self) -> (M, Vec<Value>) {
        (self.row, self.before)
    }
}

/// The values of the key's columns among those of the fields.
pub(crate) fn key_of(table: &'static Table, values: &[Value]) -> Vec<Value> {
    table.key.iter().filter_map(|&i| values.get(i).cloned()).collect()
}

/// The version among the values of the fields.
pub(crate) fn version_of(table: &'static Table, values: &[Value]) -> Option<Value> {
    let version = values.get(table.managed.version?)?;
    (!version.is_null()).then(|| version.clone())
}

/// Whether it is the version of a row that was never written: nothing but zeros.
pub(crate) fn is_first(version: &Value) -> bool {
    match version {
        Value::I16(n) => *n == 0,
        Value::I32(n) => *n == 0,
        Value::I64(n) => *n == 0,
        Value::Uuid(bytes) => *bytes == [0; 16],
        Value::Timestamp(at) => *at == Timestamp::default(),
        _ => false,
    }
}

/// The assignments that make these changes.
pub(crate) fn assignments(
    table: &'static Table,
    changes: Vec<Change>,
) -> Result<Vec<(&'static Column, Node)>> {
    let assign = |change: Change| {
        refuse_managed(table, change.column)?;
        Ok((change.column, put(change.column, Node::Value(change.after))))
    };
    changes.into_iter().map(assign).collect()
}

pub(crate) fn update_of<M: Writable>(before: &[Value], changes: Vec<Change>) -> Result<Update<M>> {
    let (table, source) = (M::TABLE, Source::fresh());
    let set = assignments(table, changes)?;
    let key = key_equals(table, source, key_of(table, before));
    Ok(Update::from_parts(source, set, key, version_of(table, before)))
}
