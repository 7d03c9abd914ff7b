//! Upserts: who was there first is told by the database where it can, and looked for under its lock where it cannot.

use std::panic::Location;

use crate::ast::{
    CompareOp, Conflict, ConflictAction, Deleted, Expr as Node, Insert as NodeInsert, InsertSource, RawPart,
    Select, Source, Statement, Unfiltered,
};
use crate::driver::Done;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Collect;
use crate::exec::fetch::{Site, finds_row, statement, step};
use crate::exec::hooks::{self, watched};
use crate::exec::transaction::Unit;
use crate::exec::write::parts_of;
use crate::exec::{Pending, Raw, Writes, bulk};
use crate::model::{Insertable, Model, SoftDelete, Writable};
use crate::query::{
    Decided, InsertParts, Upsert, UpsertAll, UpsertNothing, UpsertUpdate, Upserted, conflict,
    insert_statement, is_key, returning, table_ref, update_action,
};
use crate::schema::{Column, Table};
use crate::value::Type;

/// The INSERT of an upsert. Its own source replaces the closure's, so that both speak of the same table.
fn upsert_insert(
    table: &'static Table,
    parts: InsertParts,
    source: Source,
    conflict: Conflict,
) -> NodeInsert {
    let mut insert = insert_statement(table, parts);
    insert.source = source;
    insert.returning = returning(table, source);
    insert.conflict = Some(conflict);
    insert
}

impl<M: Model> Upsert<M> {
    /// Never callable: carries the message for an upsert that does not say what to do.
    #[doc(hidden)]
    pub fn exec<E: ?Sized>(self, _: &E) -> Pending<'_, Upserted<M>>
    where
        Self: Decided,
    {
        Pending::failed(Error::new(ErrorKind::InvalidQuery, "the upsert is undecided"))
    }
}

impl<M: Insertable> UpsertNothing<M> {
    /// Inserts the row and returns it, or `None` when one with the same unique columns exists.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Option<M>> {
        let (raw, site) = (ex.raw(), Location::caller());
        let (one, parts) = self.into_parts();
        if parts.overriding {
            return Pending::steps(async move {
                let row = upsert_row::<M>(&raw, &one, parts, site).await?;
                Ok(row.map(Upserted::into_inner))
            });
        }
        let insert = one.into_statement(M::TABLE, parts);
        let take = |done: Done| Ok(Collect::<M>::take(done.sink)?.pop());
        statement(raw, insert, Some(M::TABLE), Collect::<M>::boxed(), take, site)
    }
    fn into_parts(self) -> (One, InsertParts) {
        let one = One {
            target: self.target,
            source: Source::fresh(),
            action: ConflictAction::Nothing,
        };
        (one, parts_of(self.insert.into_batch(), true))
    }
    /// The INSERT.
    pub(crate) fn into_statement(self) -> Statement {
        let (one, parts) = self.into_parts();
        one.into_statement(M::TABLE, parts)
    }
}

impl<M: Writable> UpsertUpdate<M> {
    /// With a primary key as target: an existing soft-deleted row is brought back. Without this, the key of a
    /// soft-deleted row is a `UniqueViolation`.
    pub fn revive(mut self) -> Self
    where
        M: SoftDelete,
    {
        self.revive = true;
        self
    }
    /// Inserts the row or changes the existing one; the outcome tells which.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Upserted<M>> {
        let (raw, site) = (ex.raw(), Location::caller());
        let (one, parts) = self.into_parts();
        Pending::steps(async move {
            bulk::advance_past(&raw, M::TABLE, std::slice::from_ref(&parts), site).await?;
            if let Some(marker) = raw.runner.dialect().features().inserted_marker {
                return upsert_marked::<M>(&raw, one, parts, marker, site)
                    .await?
                    .pop()
                    .ok_or_else(|| taken::<M>());
            }
            let unit = Unit::open(raw, site).await?;
            let outcome = upsert_probed::<M>(&unit.raw(), &one, parts, site).await;
            unit.end(outcome).await
        })
    }
    fn into_parts(self) -> (One, InsertParts) {
        let UpsertUpdate {
            insert,
            target,
            source,
            set,
            revive,
        } = self;
        let action = update_action(M::TABLE, source, &target, set, revive);
        let one = One {
            target,
            source,
            action,
        };
        (one, parts_of(insert.into_batch(), true))
    }
    /// The INSERT.
    pub(crate) fn into_statement(self) -> Statement {
        let (one, parts) = self.into_parts();
        one.into_statement(M::TABLE, parts)
    }
}

/// The parts of an upsert that are the same for all its rows.
struct One {
    target: Vec<&'static Column>,
    source: Source,
    action: ConflictAction,
}

impl One {
    fn into_statement(self, table: &'static Table, parts: InsertParts) -> Statement {
        let clause = conflict(table, self.source, &self.target, self.action);
        Statement::Insert(Box::new(upsert_insert(table, parts, self.source, clause)))
    }
}

#[cold]
fn taken<M: Model>() -> Error {
    let managed = &M::TABLE.managed;
    let message = match (managed.deleted_at, managed.tenant) {
        (None, None) if M::TABLE.table.tag.is_some() => "the key belongs to a row of another variant",
        (_, None) => "the key belongs to a soft-deleted row; `.revive()` brings it back",
        (None, Some(_)) => "the key belongs to a row of another tenant",
        (Some(_), Some(_)) => {
            "the key belongs to a soft-deleted row, which `.revive()` brings back, or to another tenant"
        }
    };
    Error::new(ErrorKind::UniqueViolation, message).with_model(M::TABLE.model)
}

/// The database itself tells new rows from changed ones.
async fn upsert_marked<M: Model>(
    raw: &Raw<'_>,
    one: One,
    parts: InsertParts,
    marker: &'static str,
    site: Site,
) -> Result<Vec<Upserted<M>>> {
    let clause = conflict(M::TABLE, one.source, &one.target, one.action);
    let mut insert = upsert_insert(M::TABLE, parts, one.source, clause);
    insert
        .returning
        .push(Node::Raw(vec![RawPart::Text(marker)], Type::Bool));
    let sink = Collect::<(M, bool)>::boxed();
    let done = step(
        raw,
        Statement::Insert(Box::new(insert)),
        Some(M::TABLE),
        sink,
        site,
    )
    .await?;
    let rows = Collect::<(M, bool)>::take(done.sink)?;
    let outcome = |(m, new): (M, bool)| {
        if new {
            Upserted::Inserted(m)
        } else {
            Upserted::Updated(m)
        }
    };
    Ok(rows.into_iter().map(outcome).collect())
}

/// Looks for the row first, under the writer's lock.
async fn upsert_probed<M: Model>(
    raw: &Raw<'_>,
    one: &One,
    mut parts: InsertParts,
    site: Site,
) -> Result<Upserted<M>> {
    let watched = watched(Some(M::TABLE)).is_some();
    if watched {
        hooks::before_upsert(raw, M::TABLE, &mut parts).await?;
    }
    let existed = probe::<M>(raw, &one.target, &parts, site).await?;
    let clause = conflict(M::TABLE, one.source, &one.target, one.action.clone());
    let insert = Statement::Insert(Box::new(upsert_insert(M::TABLE, parts, one.source, clause)));
    let (table, sink) = (M::TABLE, Collect::<M>::boxed());
    let done = match watched {
        true => hooks::statement(raw, insert, table, sink, site, true).await?,
        false => step(raw, insert, Some(table), sink, site).await?,
    };
    let row = Collect::<M>::take(done.sink)?.pop().ok_or_else(|| taken::<M>())?;
    Ok(if existed {
        Upserted::Updated(row)
    } else {
        Upserted::Inserted(row)
    })
}

async fn probe<M: Model>(
    raw: &Raw<'_>,
    target: &[&'static Column],
    parts: &InsertParts,
    site: Site,
) -> Result<bool> {
    let given = |at: usize| match &parts.rows {
        InsertSource::Values(row) => row.get(at).cloned().map(Node::Value),
        InsertSource::Rows(row) => row.get(at).cloned(),
        InsertSource::Default | InsertSource::Arrays { .. } | InsertSource::Query(_) => None,
    };
    let source = Source::fresh();
    let mut from = table_ref::<M>(source);
    // a row that cannot be seen is in the way all the same
    from.guard.unfiltered = Unfiltered::ALL;
    if is_key(M::TABLE, target) {
        from.guard.deleted = Deleted::Included;
    }
    let mut ast = Select::from(from);
    for column in target {
        // a target that the row leaves out is filled by the database and cannot be taken
        let at = parts.columns.iter().position(|c| std::ptr::eq(*c, *column));
        let Some(right) = at.and_then(given) else {
            return Ok(false);
        };
        let left = Node::Column(source, &column.column);
        ast.filter
            .push(Node::Compare(CompareOp::Eq, Box::new(left), Box::new(right)));
    }
    finds_row(raw, ast, M::TABLE, site).await
}

impl<M: Writable> UpsertAll<M> {
    /// Inserts or changes all rows as one unit; outcomes come in input order. Without `.update(..)` existing rows are
    /// kept, and only new ones are returned.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<Upserted<M>>> {
        let (raw, site) = (ex.raw(), Location::caller());
        let (one, rows) = self.into_parts();
        Pending::steps(async move {
            let unit = Unit::open(raw, site).await?;
            let outcome = upsert_rows::<M>(&unit, &one, rows, site).await;
            unit.end(outcome).await
        })
    }
    fn into_parts(self) -> (One, Vec<InsertParts>) {
        let UpsertAll {
            batch,
            target,
            source,
            set,
            ..
        } = self;
        let action = match set {
            Some(set) => update_action(M::TABLE, source, &target, set, false),
            None => ConflictAction::Nothing,
        };
        let one = One {
            target,
            source,
            action,
        };
        (one, batch.into_rows())
    }
    /// The INSERT of the first row, if there is one.
    pub(crate) fn into_statement(self) -> Option<Statement> {
        let (one, rows) = self.into_parts();
        let first = rows.into_iter().next()?;
        Some(one.into_statement(M::TABLE, first))
    }
}

async fn upsert_rows<M: Model>(
    unit: &Unit<'_>,
    one: &One,
    rows: Vec<InsertParts>,
    site: Site,
) -> Result<Vec<Upserted<M>>> {
    let mut raw = unit.raw();
    bulk::fix_clock(&mut raw, rows.len(), site).await?;
    let mut out = Vec::with_capacity(rows.len());
    for (i, parts) in rows.into_iter().enumerate() {
        match upsert_row::<M>(&raw, one, parts, site).await {
            Ok(row) => out.extend(row),
            Err(e) => {
                if i > 0 {
                    unit.spoil(&e).await;
                }
                return Err(e);
            }
        }
    }
    Ok(out)
}

async fn upsert_row<M: Model>(
    raw: &Raw<'_>,
    one: &One,
    parts: InsertParts,
    site: Site,
) -> Result<Option<Upserted<M>>> {
    bulk::advance_past(raw, M::TABLE, std::slice::from_ref(&parts), site).await?;
    if matches!(one.action, ConflictAction::Nothing) {
        let clause = conflict(M::TABLE, one.source, &one.target, ConflictAction::Nothing);
        let insert = upsert_insert(M::TABLE, parts, one.source, clause);
        let done = step(
            raw,
            Statement::Insert(Box::new(insert)),
            Some(M::TABLE),
            Collect::<M>::boxed(),
            site,
        )
        .await?;
        return Ok(Collect::<M>::take(done.sink)?.pop().map(Upserted::Inserted));
    }
    match raw.runner.dialect().features().inserted_marker {
        None => upsert_probed(raw, one, parts, site).await.map(Some),
        Some(marker) => {
            let one = One {
                target: one.target.clone(),
                source: one.source,
                action: one.action.clone(),
            };
            upsert_marked(raw, one, parts, marker, site)
                .await?
                .pop()
                .map(Some)
                .ok_or_else(|| taken::<M>())
        }
    }
}
