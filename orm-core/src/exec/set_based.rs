//! Terminals of writes of many rows as one statement: by condition, joined with other tables, and from a query. Each is
//! written out: a macro would be told about in every message to those who pass a handle of other models.

use std::panic::Location;

use crate::ast::{
    Deleted, Expr as Node, FromItem, Guard, Join, JoinKind, Select, Source, Statement, TableRef,
};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::bulk::{self, fix_clock};
use crate::exec::cascade::{self, Mode, cascades};
use crate::exec::collect::Collect;
use crate::exec::fetch::{Site, affected, statement, step};
use crate::exec::hooks::refuse_unseen;
use crate::exec::key::among;
use crate::exec::transaction::Unit;
use crate::exec::{Pending, Raw, Serves, Writes};
use crate::model::Model;
use crate::query::{
    Changed, Decided, DeleteWhere, InsertFrom, JoinedDelete, JoinedUpdate, Root, SetWrite, UpdateWhere,
    UpsertFrom, in_hand, nodes,
};
use crate::schema::Table;
use crate::value::Output;

impl<M: Model> UpdateWhere<M> {
    /// Changes the rows; how many. Nothing is sent when no column was set.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        count(
            ex.raw(),
            self.into_write(Vec::new()),
            M::TABLE,
            Location::caller(),
        )
    }
    /// Changes the rows and returns them. [`rows`](UpdateWhere::rows) returns chosen columns.
    #[track_caller]
    pub fn returning<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        collect(ex.raw(), self.into_all(), M::TABLE, Location::caller())
    }
}

impl<M: Model> DeleteWhere<M> {
    /// Deletes the rows, with what their relations take along (`cascade = delete`); how many of this model.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        count(
            ex.raw(),
            self.into_write(Vec::new()),
            M::TABLE,
            Location::caller(),
        )
    }
    /// As [`exec`](DeleteWhere::exec), and returns the rows of this model: as they were, or as a soft delete leaves them.
    /// [`rows`](DeleteWhere::rows) returns chosen columns.
    #[track_caller]
    pub fn returning<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        collect(ex.raw(), self.into_all(), M::TABLE, Location::caller())
    }
}

impl<M: Model, C: Copy> JoinedUpdate<M, C> {
    /// Changes the rows; how many. Nothing is sent when no column was set.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        count(
            ex.raw(),
            self.into_write(Vec::new()),
            M::TABLE,
            Location::caller(),
        )
    }
    /// Changes the rows and returns them.
    #[track_caller]
    pub fn returning<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        collect(ex.raw(), self.into_all(), M::TABLE, Location::caller())
    }
}

impl<M: Model, C: Copy> JoinedDelete<M, C> {
    /// Deletes the rows, with what their relations take along; how many of this model.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        count(
            ex.raw(),
            self.into_write(Vec::new()),
            M::TABLE,
            Location::caller(),
        )
    }
    /// Deletes the rows and returns them: as they were, or as a soft delete leaves them.
    #[track_caller]
    pub fn returning<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        collect(ex.raw(), self.into_all(), M::TABLE, Location::caller())
    }
}

impl<M: Model, Q: Root> InsertFrom<M, Q> {
    /// Inserts the rows; how many there were, with those that an upsert changed.
    #[track_caller]
    pub fn exec<E: Writes<M> + Serves<Q::Model> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        count(
            ex.raw(),
            self.into_write(Vec::new()),
            M::TABLE,
            Location::caller(),
        )
    }
    /// Inserts the rows and returns them, in no certain order. [`rows`](InsertFrom::rows) returns chosen columns.
    #[track_caller]
    pub fn returning<E: Writes<M> + Serves<Q::Model> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        collect(ex.raw(), self.into_all(), M::TABLE, Location::caller())
    }
}

impl<M: Model, Q: Root> UpsertFrom<M, Q> {
    /// Never callable: carries the message for an upsert that does not say what to do.
    #[doc(hidden)]
    pub fn exec<E: ?Sized>(self, _: &E) -> Pending<'_, u64>
    where
        Self: Decided,
    {
        Pending::failed(Error::new(ErrorKind::InvalidQuery, "the upsert is undecided"))
    }
}

impl<M: Model, O: Output, N: Model> Changed<M, O, N> {
    /// Runs the write and returns what was chosen of its rows, in no certain order.
    #[track_caller]
    pub fn all<E: Writes<M> + Serves<N> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<O>> {
        collect(ex.raw(), self.into_write(), M::TABLE, Location::caller())
    }
}

fn count<'a>(raw: Raw<'a>, write: SetWrite, table: &'static Table, site: Site) -> Pending<'a, u64> {
    if let Err(e) = check(&write, table) {
        return Pending::failed(e);
    }
    if write.idle {
        return Pending::steps(async { Ok(0) });
    }
    if is_several(&write, table, &raw) {
        return Pending::steps(async move {
            let done = several(raw, write, table, Box::new(Discard), site).await?;
            Ok(done.affected)
        });
    }
    affected(raw, write.statement, table, site)
}

fn collect<'a, O: Output>(
    raw: Raw<'a>,
    write: SetWrite,
    table: &'static Table,
    site: Site,
) -> Pending<'a, Vec<O>> {
    if let Err(e) = check(&write, table) {
        return Pending::failed(e);
    }
    if write.idle {
        return Pending::steps(async { Ok(Vec::new()) });
    }
    if is_several(&write, table, &raw) {
        return Pending::steps(async move {
            let done = several(raw, write, table, Collect::<O>::boxed(), site).await?;
            Collect::<O>::take(done.sink)
        });
    }
    let rows = |done: Done| Collect::<O>::take(done.sink);
    statement(
        raw,
        write.statement,
        Some(table),
        Collect::<O>::boxed(),
        rows,
        site,
    )
}

/// What is wrong with a write, or more than one statement can do.
fn check(write: &SetWrite, table: &'static Table) -> Result<()> {
    if let Some(fault) = &write.fault {
        return Err(Error::new(ErrorKind::InvalidQuery, fault.to_string()).with_model(table.model));
    }
    refuse_unseen(table, write.each)?;
    let apart = !table.table.parts.is_empty();
    let refused = match &write.statement {
        Statement::Insert(_) if apart => "an INSERT from a query of rows that lie in several tables",
        Statement::Update(update) if apart && !write.deletes && !update.from.is_empty() => {
            "a joined UPDATE of rows that lie in several tables"
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Unsupported, refused).with_model(table.model))
}

/// Whether the write is more than its statement.
fn is_several(write: &SetWrite, table: &'static Table, raw: &Raw<'_>) -> bool {
    match &write.statement {
        Statement::Insert(insert) => {
            let key = table.key_columns().next().filter(|_| insert.overriding);
            let dialect = raw.runner.dialect();
            key.is_some_and(|key| {
                dialect
                    .advance_identity(None, &table.table, &key.column, 0)
                    .is_some()
            })
        }
        Statement::Update(update) => write.deletes && by_keys(table, !update.from.is_empty()),
        Statement::Delete(delete) => write.deletes && by_keys(table, !delete.using.is_empty()),
        Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => false,
    }
}

/// Whether rows are deleted by their keys: because something hangs on them, or because conditions on rows of several
/// tables cannot stand beside further tables.
fn by_keys(table: &'static Table, joined: bool) -> bool {
    cascades(table) || (joined && !table.table.parts.is_empty())
}

async fn several(
    raw: Raw<'_>,
    write: SetWrite,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let unit = Unit::open(raw, site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        fix_clock(&mut raw, 2, site).await?;
        match write.statement {
            Statement::Insert(_) => {
                let done = step(&raw, write.statement, Some(table), sink, site).await?;
                bulk::advance_past_all(&raw, table, site).await?;
                Ok(done)
            }
            Statement::Update(update) => {
                let (source, guard, rows) = (update.source, update.guard, update.returning);
                let select = met(table, source, guard, update.from, update.filter);
                delete(&raw, table, select, rows, sink, site).await
            }
            Statement::Delete(delete) => {
                let (source, guard, rows) = (delete.source, delete.guard, delete.returning);
                let select = met(table, source, guard, delete.using, delete.filter);
                self::delete(&raw, table, select, rows, sink, site).await
            }
            other => step(&raw, other, Some(table), sink, site).await,
        }
    };
    let outcome = unit.sent(outcome.await).await;
    unit.end(outcome).await
}

/// A select of the rows that a write meets.
fn met(
    table: &'static Table,
    source: Source,
    guard: Guard,
    from: Vec<TableRef>,
    filter: Vec<Node>,
) -> Select {
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard,
    });
    let cross = |table: TableRef| Join {
        kind: JoinKind::Cross,
        table,
        on: Vec::new(),
    };
    select.joins = from.into_iter().map(cross).collect();
    select.filter = filter;
    select
}

/// Deletes the rows of the select and what hangs on them, and gives back what was chosen of them: before they are gone, or
/// as a soft delete leaves them.
async fn delete(
    raw: &Raw<'_>,
    table: &'static Table,
    select: Select,
    rows: Vec<Node>,
    mut sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let source = select.root();
    let keys = cascade::keys_met(raw, table, select, site).await?;
    if keys.is_empty() {
        return Ok(Done { sink, affected: 0 });
    }
    let soft = table.managed.deleted_at.is_some();
    let read = async |sink: Box<dyn Sink>| {
        let mut sink = sink;
        if rows.is_empty() {
            return Ok::<_, Error>(sink);
        }
        for condition in among(&nodes(source, table.key_columns()), &keys, raw) {
            let guard = in_hand(Deleted::Included);
            let mut select = met(table, source, guard, Vec::new(), vec![condition]);
            select.columns = rows.clone();
            let select = Statement::Select(Box::new(select));
            sink = step(raw, select, Some(table), sink, site).await?.sink;
        }
        Ok(sink)
    };
    if !soft {
        sink = read(sink).await?;
    }
    let affected = cascade::remove_all(raw, table, keys.clone(), Mode::Delete, site).await?;
    if soft {
        sink = read(sink).await?;
    }
    Ok(Done { sink, affected })
}
