//! Rows in memory, for unit tests.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ast::Expr as Node;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::edit::{assignments, changes, key_of, version_of};
use crate::exec::hooks::validate_row;
use crate::exec::key::Key;
use crate::exec::repository::Repository;
use crate::exec::{Edit, Pending};
use crate::model::{Key as _, Writable};
use crate::query::{Insert, Phantom, first_version};
use crate::schema::{Column, Default as Filled, IndexKey, Role, Table, primary_key_name};
use crate::value::{Held, Row, Timestamp, Type, Value, finished_one};

/// A repository without a database, for unit tests of code that takes a [`Repository`].
///
/// It generates keys, fills in defaults, versions and timestamps, and refuses what a database would refuse: taken
/// keys and unique values, NULL in a column that takes none, what validators refuse, changes of a row that was changed
/// or deleted since. It does **not** know other tables, and no SQL: foreign keys, CHECK constraints, unique constraints
/// with a condition, lengths and precisions are not checked, relations take nothing along, hooks of writes do not run,
/// and there are no transactions. Columns that only SQL can fill (defaults in SQL, generated columns) and models with
/// an actor or a tenant in their fields are `Unsupported` errors, and so are reads of models with named filters. Texts are in the order of their bytes, whatever the
/// database's collation.
///
/// ```
/// # use orm_core::exec::{MemoryRepository, Repository};
/// # use orm_core::model::Writable;
/// # async fn run<User: Writable + Clone>(ann: User) -> orm_core::error::Result<()> {
/// let users = MemoryRepository::of([ann])?;
/// assert_eq!(users.count().await?, 1);
/// # Ok(()) }
/// ```
pub struct MemoryRepository<M> {
    rows: Mutex<Rows>,
    _p: Phantom<M>,
}

/// In the order they came.
#[derive(Default)]
struct Rows {
    rows: Vec<Kept>,
    /// The largest key that was generated or given.
    last_key: i64,
}

struct Kept {
    /// Of the fields, in the order of the table.
    values: Vec<Value>,
    /// Softly: it still holds its key and its unique values.
    deleted: bool,
}

impl<M> Default for MemoryRepository<M> {
    fn default() -> Self {
        MemoryRepository {
            rows: Mutex::default(),
            _p: std::marker::PhantomData,
        }
    }
}

impl<M> fmt::Debug for MemoryRepository<M> {
    /// How many rows there are; values are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRepository")
            .field("rows", &self.lock().live().count())
            .finish()
    }
}

impl<M> MemoryRepository<M> {
    /// Without rows.
    pub fn new() -> Self {
        MemoryRepository::default()
    }
    /// A test that failed while it held the lock left whole rows behind.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Writable> MemoryRepository<M> {
    /// With these rows, as if they had been read from a database.
    ///
    /// # Errors
    /// `UniqueViolation` when two of them have the same key or the same unique values.
    pub fn of(rows: impl IntoIterator<Item = M>) -> Result<Self> {
        let repository = MemoryRepository::new();
        {
            let mut kept = repository.lock();
            for row in rows {
                let values = row.into_values();
                kept.check(M::TABLE, &values, None)?;
                kept.add(M::TABLE, values);
            }
        }
        Ok(repository)
    }
    /// The rows that meet the condition, in the order of their keys.
    ///
    /// # Errors
    /// `Decode` when a field cannot be read back from the value it is stored as.
    pub fn find(&self, mut condition: impl FnMut(&M) -> bool) -> Result<Vec<M>> {
        let mut rows = self.page_of(usize::MAX, 0)?;
        rows.retain(|row| condition(row));
        Ok(rows)
    }
    fn page_of(&self, limit: usize, offset: usize) -> Result<Vec<M>> {
        unfiltered(M::TABLE)?;
        let rows = self.lock();
        let mut live: Vec<&Kept> = rows.live().collect();
        // rows whose keys have no order stay as they came
        live.sort_by(|a, b| by_key(M::TABLE, &a.values, &b.values));
        let page = live.into_iter().skip(offset).take(limit);
        page.map(|row| model(&row.values)).collect()
    }
    fn insert_row(&self, new: Insert<M>) -> Result<M> {
        let mut rows = self.lock();
        let values = rows.filled(M::TABLE, new.into_row().0)?;
        rows.check(M::TABLE, &values, None)?;
        validate_row(M::TABLE, &values)?;
        let row = model(&values)?;
        rows.add(M::TABLE, values);
        Ok(row)
    }
    fn save_row(&self, edit: Edit<M>) -> Result<M> {
        let (row, before) = edit.into_parts();
        let after = row.into_values();
        let changed = changes(M::TABLE, &before, after.clone());
        if changed.is_empty() {
            return model(&after);
        }
        let set = assignments(M::TABLE, changed)?;
        let mut rows = self.lock();
        let key = key_of(M::TABLE, &before);
        let at = rows
            .position(M::TABLE, key, version_of(M::TABLE, &before))?
            .ok_or_else(|| Error::not_found(M::TABLE.model))?;
        let mut values = rows.rows[at].values.clone();
        for (column, node) in set {
            let place = M::TABLE.position(&column.column).and_then(|i| values.get_mut(i));
            if let (Some(place), Node::Value(value)) = (place, node) {
                *place = value;
            }
        }
        for (column, value) in M::TABLE.columns.iter().zip(&mut values) {
            if column.generated.is_some() {
                return Err(unsupported(M::TABLE, column, "a generated column"));
            }
            match (column.role, &mut *value) {
                (Role::Version, Value::I64(version)) => *version += 1,
                (Role::Version, version) => *version = new_version(column),
                (Role::UpdatedAt, value) => *value = Value::Timestamp(Timestamp::now()),
                (Role::UpdatedBy, _) => return Err(unsupported(M::TABLE, column, "who acts")),
                _ => {}
            }
        }
        rows.check(M::TABLE, &values, Some(at))?;
        validate_row(M::TABLE, &values)?;
        let row = model(&values)?;
        rows.rows[at].values = values;
        Ok(row)
    }
    fn delete_row(&self, row: M) -> Result<bool> {
        let values = row.into_values();
        let mut rows = self.lock();
        let key = key_of(M::TABLE, &values);
        let Some(at) = rows.position(M::TABLE, key, version_of(M::TABLE, &values))? else {
            return Ok(false);
        };
        match M::TABLE.managed.deleted_at {
            Some(_) => rows.rows[at].deleted = true,
            None => drop(rows.rows.remove(at)),
        }
        Ok(true)
    }
}

impl<M: Writable + Clone> Repository<M> for MemoryRepository<M> {
    fn get(&self, id: M::Id) -> Pending<'_, M> {
        Pending::steps(async move {
            unfiltered(M::TABLE)?;
            let key = id.into_values();
            let rows = self.lock();
            match rows.position(M::TABLE, key, None)? {
                Some(at) => model(&rows.rows[at].values),
                None => Err(Error::not_found(M::TABLE.model)),
            }
        })
    }
    fn list(&self) -> Pending<'_, Vec<M>> {
        Pending::steps(async { self.page_of(usize::MAX, 0) })
    }
    fn page(&self, limit: u64, offset: u64) -> Pending<'_, Vec<M>> {
        let most = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Pending::steps(async move { self.page_of(most(limit), most(offset)) })
    }
    fn count(&self) -> Pending<'_, i64> {
        Pending::steps(async {
            unfiltered(M::TABLE)?;
            Ok(self.lock().live().count() as i64)
        })
    }
    fn insert(&self, new: Insert<M>) -> Pending<'_, M> {
        Pending::steps(async { self.insert_row(new) })
    }
    fn save(&self, row: Edit<M>) -> Pending<'_, M> {
        Pending::steps(async { self.save_row(row) })
    }
    fn delete(&self, row: M) -> Pending<'_, bool> {
        Pending::steps(async { self.delete_row(row) })
    }
}

/// Which rows a named filter shows only a database can say.
fn unfiltered(table: &'static Table) -> Result<()> {
    match table.table.filters.is_empty() {
        true => Ok(()),
        false => Err(Error::unsupported("a named filter", "a repository in memory").with_model(table.model)),
    }
}

/// The version of a new row.
fn new_version(column: &'static Column) -> Value {
    match first_version(column) {
        Some(Node::Value(version)) => version,
        Some(_) => Value::Timestamp(Timestamp::now()),
        None => Value::I64(1),
    }
}

/// A row as its model.
fn model<M: Writable>(values: &[Value]) -> Result<M> {
    finished_one(M::decode(&mut Row::new(&Held(values)))?)
}

impl Rows {
    fn live(&self) -> impl Iterator<Item = &Kept> {
        self.rows.iter().filter(|row| !row.deleted)
    }
    /// Where the live row of this key is; `Stale` when it has another version.
    fn position(
        &self,
        table: &'static Table,
        key: Vec<Value>,
        version: Option<Value>,
    ) -> Result<Option<usize>> {
        let key = Key::new(key);
        let same = |row: &Kept| !row.deleted && Key::new(key_of(table, &row.values)) == key;
        let Some(at) = self.rows.iter().position(same) else {
            return Ok(None);
        };
        if version.is_some() && version_of(table, &self.rows[at].values) != version {
            return Err(
                Error::new(ErrorKind::Stale, "the row was changed since it was read").with_model(table.model),
            );
        }
        Ok(Some(at))
    }
    /// Keeps a row that was checked.
    fn add(&mut self, table: &'static Table, values: Vec<Value>) {
        for (column, value) in table.columns.iter().zip(&values) {
            if let (Filled::Identity, Some(key)) = (column.default, integer(value)) {
                self.last_key = self.last_key.max(key);
            }
        }
        let deleted = table.managed.deleted_at.and_then(|i| values.get(i));
        let deleted = deleted.is_some_and(|at| !at.is_null());
        self.rows.push(Kept { values, deleted });
    }
    /// The values of all fields of a new row.
    fn filled(&self, table: &'static Table, given: Vec<(&'static Column, Node)>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(table.fields);
        for column in &table.columns[..table.fields] {
            let set = given.iter().rfind(|(c, _)| std::ptr::eq(*c, column));
            values.push(match (set, column.role, column.default) {
                _ if column.generated.is_some() => {
                    return Err(unsupported(table, column, "a generated column"));
                }
                (_, Role::Version, _) => new_version(column),
                (_, Role::CreatedAt | Role::UpdatedAt, _) => Value::Timestamp(Timestamp::now()),
                (_, Role::CreatedBy | Role::UpdatedBy, _) => {
                    return Err(unsupported(table, column, "who acts"));
                }
                (_, Role::Tenant, _) => return Err(unsupported(table, column, "a tenant")),
                (Some((_, Node::Value(value))), ..) => value.clone(),
                (Some(_), ..) => return Err(unsupported(table, column, "an expression")),
                (None, _, Filled::Literal(f) | Filled::Function(f)) => f(),
                (None, _, Filled::Identity) => key_after(table, column, self.last_key)?,
                (None, _, Filled::Sql(_)) => return Err(unsupported(table, column, "a default in SQL")),
                (None, _, Filled::None) => Value::Null(column.column.ty),
            });
        }
        Ok(values)
    }
    /// What a database would refuse of a row; `at` is where it stands.
    fn check(&self, table: &'static Table, values: &[Value], at: Option<usize>) -> Result<()> {
        for (column, value) in table.columns.iter().zip(values) {
            if let Value::Refused(why) = value {
                return Err(Error::encode(*why)
                    .with_model(table.model)
                    .with_field(column.field));
            }
            if value.is_null() && !column.column.nullable {
                let e = Error::new(
                    ErrorKind::NotNullViolation,
                    "NULL in a column that does not take it",
                );
                return Err(e
                    .with_model(table.model)
                    .with_table(table.name())
                    .with_columns([column.column.name]));
            }
        }
        for (name, columns) in unique_sets(table) {
            let key = |values: &[Value]| {
                let cells = columns
                    .iter()
                    .map(|&i| values.get(i).filter(|v| !v.is_null()).cloned());
                cells.collect::<Option<Vec<_>>>().map(Key::new)
            };
            let Some(new) = key(values) else { continue };
            let others = self.rows.iter().enumerate().filter(|(i, _)| Some(*i) != at);
            if others
                .map(|(_, row)| key(&row.values))
                .any(|other| other.as_ref() == Some(&new))
            {
                let e = Error::new(ErrorKind::UniqueViolation, "a row with these values exists");
                let names = columns.iter().map(|&i| table.columns[i].column.name);
                return Err(e
                    .with_model(table.model)
                    .with_constraint(name)
                    .with_table(table.name())
                    .with_columns(names));
            }
        }
        Ok(())
    }
}

/// The key, unique constraints and unique indexes over plain columns, as far as they hold for every row.
fn unique_sets(table: &'static Table) -> impl Iterator<Item = (String, Vec<usize>)> {
    let key = (primary_key_name(table), table.key.to_vec());
    let constraints = table.uniques.iter().filter(|u| u.filter.is_none());
    let constraints = constraints.map(|u| (u.name.to_owned(), u.columns.to_vec()));
    let indexes = table.indexes.iter().filter(|i| i.unique && i.filter.is_none());
    let indexes = indexes.filter_map(|index| {
        let columns = index.parts.iter().map(|part| match part.key {
            IndexKey::Column(column) => Some(column),
            IndexKey::Expression(_) => None,
        });
        Some((index.name.to_owned(), columns.collect::<Option<Vec<_>>>()?))
    });
    std::iter::once(key).chain(constraints).chain(indexes)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::I64(v) => Some(*v),
        Value::I32(v) => Some((*v).into()),
        Value::I16(v) => Some((*v).into()),
        _ => None,
    }
}

/// The next generated key, in the type of its column.
fn key_after(table: &'static Table, column: &'static Column, last: i64) -> Result<Value> {
    let next = last.checked_add(1);
    let key = match column.column.ty {
        Type::I16 => next.and_then(|n| i16::try_from(n).ok()).map(Value::I16),
        Type::I32 => next.and_then(|n| i32::try_from(n).ok()).map(Value::I32),
        _ => next.map(Value::I64),
    };
    key.ok_or_else(|| {
        let e = Error::new(ErrorKind::OutOfRange, "no key is left in the type of the column");
        e.with_model(table.model).with_field(column.field)
    })
}

fn by_key(table: &'static Table, a: &[Value], b: &[Value]) -> Ordering {
    let (a, b) = (Key::new(key_of(table, a)), Key::new(key_of(table, b)));
    a.0.iter()
        .zip(&b.0)
        .map(|(a, b)| compare(a, b))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// As databases order what a key may be.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::I64(a), Value::I64(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::LocalTimestamp(a), Value::LocalTimestamp(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

#[cold]
fn unsupported(table: &'static Table, column: &'static Column, what: &str) -> Error {
    Error::unsupported(what, "a repository in memory")
        .with_model(table.model)
        .with_field(column.field)
}
