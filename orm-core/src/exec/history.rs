//! The rows of the past: tables with `#[orm(history)]`.
//!
//! Triggers keep the table of versions; here it is read, and versions are written back.

use std::panic::Location;

use crate::ast::{
    Deleted, Expr as Node, FromItem, Guard, Nulls, Order, Select, Source, Statement, Table as AstTable,
    TableRef,
};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::beside::{OPERATION, VERSION_ID};
use crate::exec::collect::Collect;
use crate::exec::db::no_row;
use crate::exec::edit::{changes, key_of, update_of};
use crate::exec::fetch::{Site, plain_step};
use crate::exec::transaction::Unit;
use crate::exec::write::stale;
use crate::exec::{Change, Pending, Raw, Serves, Writes, bulk, cascade};
use crate::model::{AuditOperation, DbEnum, Insertable, Key, Model, Mutable, Versioned};
use crate::query::{Insert, Query, Update, all_fields, key_equals};
use crate::schema::{Column, Default, Role};
use crate::value::{Expected, Loads, Lookup, Output, Row, Timestamp, Value};

/// A row as it was for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Version<M> {
    /// The row.
    pub row: M,
    /// Since when.
    pub valid_from: Timestamp,
    /// Until when, without that instant; `None` while it holds. What was changed again in the same transaction held for
    /// no time, and so did the version that tells of a row that is gone.
    pub valid_to: Option<Timestamp>,
    /// What made it so.
    pub operation: AuditOperation,
}

impl<M: Versioned + Clone> Version<M> {
    /// The fields that differ from an older version, with both values.
    ///
    /// ```
    /// # use orm_core::exec::Version;
    /// # use orm_core::model::Versioned;
    /// # fn run<Invoice: Versioned + Clone>(newer: &Version<Invoice>, older: &Version<Invoice>) {
    /// for change in newer.changes_since(older) {
    ///     println!("{} changed", change.field()); // and `newer.row`, `older.row` have it typed
    /// }
    /// # }
    /// ```
    pub fn changes_since(&self, older: &Version<M>) -> Vec<Change> {
        let values = |version: &Version<M>| version.row.clone().into_values();
        changes(M::TABLE, &values(older), values(self))
    }
}

impl<M: Versioned> Output for Version<M> {
    type Local = (M::Local, Timestamp, Option<Timestamp>, AuditOperation);
    const LOADS: bool = M::LOADS;
    fn decode(row: &mut Row<'_>) -> Result<Self::Local> {
        let unknown = || Error::decode("a version was made by an operation that is not known");
        let (local, from, to) = (M::decode(row)?, row.get()?, row.get()?);
        let label: String = row.get()?;
        let operation = AuditOperation::from_label(&label).ok_or_else(unknown)?;
        Ok((local, from, to, operation))
    }
    fn assemble(local: Self::Local, loads: &mut Loads<'_>) -> Result<Self> {
        let (local, valid_from, valid_to, operation) = local;
        Ok(Version {
            row: M::assemble(local, loads)?,
            valid_from,
            valid_to,
            operation,
        })
    }
    fn columns(out: &mut Vec<Expected>) -> Lookup {
        let lookup = M::columns(out);
        let own = [AstTable::VALID_FROM, AstTable::VALID_TO, &OPERATION];
        out.extend(own.map(|c| Expected {
            model: M::TABLE.model,
            name: c.name,
            ty: c.ty,
        }));
        lookup
    }
}

/// Reads rows of the past, and brings them back.
pub trait History: Model {
    /// A query on the rows as they were then. What it filters by and what it loads is of the same time, where that has
    /// a history too; other tables are as they are now.
    ///
    /// ```sql
    /// SELECT … FROM "invoices_history" AS t0 WHERE t0."valid_from" <= $1 AND (t0."valid_to" IS NULL OR t0."valid_to" > $2)
    /// ```
    ///
    /// ```
    /// # use orm_core::exec::{Db, History, Serves};
    /// # use orm_core::model::Versioned;
    /// # use orm_core::value::Timestamp;
    /// # async fn run<Invoice: Versioned>(db: &Db, new_year: Timestamp) -> orm_core::error::Result<()>
    /// # where Db: Serves<Invoice> {
    /// let then = Invoice::as_of(new_year).limit(10).all(db).await?;
    /// # let _ = then; Ok(()) }
    /// ```
    fn as_of(at: Timestamp) -> Query<Self>
    where
        Self: Versioned,
    {
        let mut query = Query::new();
        if let Some(from) = &mut query.ast_mut().from {
            from.guard.as_of = Some(at);
        }
        query
    }
    /// All versions of the row of this key, the latest first, also when it is gone. A handle with a tenant sees those of
    /// that tenant.
    #[track_caller]
    fn versions<E: Serves<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, Vec<Version<Self>>>
    where
        Self: Versioned,
    {
        let source = Source::fresh();
        let mut select = Select::from(TableRef {
            source,
            item: FromItem::Table(Self::HISTORY),
            guard: Guard {
                deleted: Deleted::Included,
                ..Guard::default()
            },
        });
        select.columns = all_fields::<Self>(source);
        let own = [AstTable::VALID_FROM, AstTable::VALID_TO, &OPERATION];
        select
            .columns
            .extend(own.map(|column| Node::Column(source, column)));
        select.filter = key_equals(Self::TABLE, source, id.into_values());
        select.order = vec![Order {
            expr: Node::Column(source, &VERSION_ID),
            desc: true,
            nulls: Nulls::Default,
        }];
        Query::<Self, Version<Self>>::from_ast(Box::new(select)).all(ex)
    }
    /// Makes the row what it was: changes it, brings it back when it was softly deleted, inserts it when it is gone.
    /// Validators, hooks and versions are those of any other write; columns that the library or the database fills are
    /// not taken over.
    ///
    /// # Errors
    /// `InvalidQuery` for the version of a deleted row, and those of the write.
    #[track_caller]
    fn revert<'a, E: Writes<Self> + ?Sized>(ex: &'a E, to: &Version<Self>) -> Pending<'a, Self>
    where
        Self: Versioned + Insertable + Mutable + Clone,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        match living(to) {
            Ok(values) => Pending::steps(revert::<Self>(raw, values, site)),
            Err(e) => Pending::failed(e),
        }
    }
    /// Makes this row what it was, unless somebody changed it since it was read. Of a model without `#[orm(version)]`
    /// nobody can tell: columns in which the row in hand is what it was are left alone.
    ///
    /// # Errors
    /// `Stale` when the model has a version and somebody did, `NotFound` when the row is gone, and those of
    /// [`revert`](History::revert).
    #[track_caller]
    fn revert_to<'a, E: Writes<Self> + ?Sized>(self, ex: &'a E, to: &Version<Self>) -> Pending<'a, Self>
    where
        Self: Versioned + Insertable + Mutable + Clone,
    {
        let (site, seen) = (Location::caller(), self.version());
        match living(to).and_then(|to| back::<Self>(&self.into_values(), to)) {
            Ok(update) => {
                let only_read = update.set.is_empty();
                let saved = update.save_by(ex.raw(), site);
                Pending::steps(async move {
                    let row = saved.await?;
                    match only_read && row.version() != seen {
                        true => Err(stale(Self::TABLE)),
                        false => Ok(row),
                    }
                })
            }
            Err(e) => Pending::failed(e),
        }
    }
}
impl<M: Model> History for M {}

fn living<M: Versioned + Clone>(version: &Version<M>) -> Result<Vec<Value>> {
    match version.operation {
        AuditOperation::Delete => {
            let text = "this version tells that the row was deleted: take one before it";
            Err(Error::new(ErrorKind::InvalidQuery, text).with_model(M::TABLE.model))
        }
        AuditOperation::Insert | AuditOperation::Update | AuditOperation::Restore => {
            Ok(version.row.clone().into_values())
        }
    }
}

/// Whether a version brings the value of this column back.
fn is_kept(column: &Column) -> bool {
    column.role == Role::Plain && column.generated.is_none()
}

/// The update that makes a row with these values what it was.
fn back<M: Insertable + Mutable>(now: &[Value], then: Vec<Value>) -> Result<Update<M>> {
    let key = key_of(M::TABLE, now);
    if key != key_of(M::TABLE, &then) {
        let text = "this version is one of another row";
        return Err(Error::new(ErrorKind::InvalidQuery, text).with_model(M::TABLE.model));
    }
    let mut changes = changes(M::TABLE, now, then);
    changes.retain(|c| is_kept(c.column));
    update_of(now, changes)
}

async fn revert<M: Versioned + Insertable + Mutable + Clone>(
    raw: Raw<'_>,
    then: Vec<Value>,
    site: Site,
) -> Result<M> {
    let key = key_of(M::TABLE, &then);
    let unit = Unit::open(raw, site).await?;
    let outcome = async {
        let raw = unit.raw();
        let mut now = present::<M>(&raw, &key, Deleted::Hidden, site).await?;
        if now.is_none()
            && M::TABLE.managed.deleted_at.is_some()
            && cascade::restore(raw.again(), M::TABLE, key.clone(), site).await?
        {
            now = present::<M>(&raw, &key, Deleted::Hidden, site).await?;
        }
        match now {
            Some(now) => back::<M>(&now.into_values(), then)?.save_by(raw, site).await,
            None => again::<M>(raw, then, site).await,
        }
    };
    let outcome = outcome.await;
    let outcome = unit.sent(outcome).await;
    unit.end(outcome).await
}

/// The row of a key, locked.
async fn present<M: Versioned>(
    raw: &Raw<'_>,
    key: &[Value],
    deleted: Deleted,
    site: Site,
) -> Result<Option<M>> {
    let mut query = Query::<M>::new().with_key(key.to_vec()).for_update();
    if let Some(from) = &mut query.ast_mut().from {
        from.guard.deleted = deleted;
    }
    let select = Statement::Select(query.into_ast());
    let done = plain_step(raw, select, Some(M::TABLE), Collect::<M>::boxed(), site).await?;
    Ok(Collect::<M>::take(done.sink)?.pop())
}

/// Inserts a row that is gone, under its old key.
async fn again<M: Insertable>(raw: Raw<'_>, then: Vec<Value>, site: Site) -> Result<M> {
    let mut overriding = false;
    let columns = M::TABLE.columns.iter().zip(then);
    let row = columns.filter(|(c, _)| is_kept(c)).map(|(c, value)| {
        overriding |= matches!(c.default, Default::Identity);
        (c, Node::Value(value))
    });
    let row = row.collect();
    let insert = Insert::<M>::of_row(row, overriding);
    let inserted = bulk::insert_all::<M>(raw, insert.into_batch(), site).await?.pop();
    inserted.ok_or_else(|| no_row(M::TABLE.model))
}
