//! Loading rows in bulk: COPY where the database has it and nothing looks at single rows, else inserts, a chunk at a time.

use crate::ast::Expr as Node;
use crate::driver::Discard;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::bulk::{advance_past, exec_all, fix_clock};
use crate::exec::fetch::Site;
use crate::exec::hooks::watched;
use crate::exec::observe::{Observation, sign};
use crate::exec::parts::apart;
use crate::exec::transaction::{Unit, mode_at};
use crate::exec::{Exec, Raw, context};
use crate::query::{Batch, InsertGroup};
use crate::schema::Table;
use crate::sql::{self, Scope};
use crate::value::Value;

/// How many rows are held at a time.
const CHUNK: usize = 4096;

/// All rows as one unit. `next` adds the next row to a batch, and says whether there was one.
pub(crate) async fn copy_all(
    raw: Raw<'_>,
    table: &'static Table,
    mut next: impl FnMut(&mut Batch) -> bool + Send,
    site: Site,
) -> Result<u64> {
    let unit = Unit::open(raw, site).await?;
    let mut part = unit.raw();
    let mut count = 0;
    let mut more = true;
    let result = loop {
        let mut batch = Batch::of_about(table, CHUNK);
        while more && batch.len() < CHUNK {
            more = next(&mut batch);
        }
        match send(&mut part, batch, table, site).await {
            Ok(n) => count += n,
            Err(e) => break Err(behind(e, count)),
        }
        if !more {
            break Ok(count);
        }
    };
    drop(part);
    let result = unit.sent(result).await;
    unit.end(result).await
}

/// The error of a row of a chunk, as one of all rows.
fn behind(e: Error, before: u64) -> Error {
    match e.row() {
        Some(row) => e.with_row(before + row),
        None => e,
    }
}

async fn send(raw: &mut Raw<'_>, batch: Batch, table: &'static Table, site: Site) -> Result<u64> {
    if batch.len() == 0 {
        return Ok(0);
    }
    // one time for all rows, as a value: COPY takes nothing else
    fix_clock(raw, usize::MAX, site).await?;
    let copies =
        raw.dialect().features().copy && watched(Some(table)).is_none() && apart(Some(table)).is_none();
    if !copies || !batch.groups().iter().all(|group| takes_copy(group, &raw.scope)) {
        return insert(raw, batch, table, site).await;
    }
    let mut count = 0;
    for group in batch.into_groups() {
        count += copy(raw, group, table, site).await?;
    }
    Ok(count)
}

/// Whether the rows consist of values and of what the handle knows.
fn takes_copy(group: &InsertGroup, scope: &Scope) -> bool {
    group.width() > 0 && group.exprs.is_empty() && group.constant.iter().all(|n| known(n, scope).is_some())
}

/// The value that an expression stands for, where that is known without the database.
fn known(node: &Node, scope: &Scope) -> Option<Value> {
    match node {
        Node::Value(value) => Some(value.clone()),
        Node::Clock => scope.clock.map(Value::Timestamp),
        Node::Actor => scope.actor.clone(),
        Node::Tenant => scope.tenant.clone(),
        _ => None,
    }
}

async fn copy(raw: &Raw<'_>, mut group: InsertGroup, table: &'static Table, site: Site) -> Result<u64> {
    let positions = group.positions.clone();
    for node in &mut group.constant {
        if let Some(value) = known(node, &raw.scope) {
            *node = Node::Value(value);
        }
    }
    let list = group.into_chunks(positions.len(), false);
    advance_past(raw, table, &list, site).await?;
    let mut count = 0;
    for parts in list {
        let columns: Vec<_> = parts.columns.iter().map(|c| &c.column).collect();
        let mut sql = sql::render_copy(&table.table, &columns, parts.rows, raw.dialect(), &raw.scope)?;
        sign(raw.shared, &mut sql, site);
        let mut seen = Observation::new(raw, &sql, site, Some(table));
        seen.start();
        let done = context::run(raw, Some(table), sql, Box::new(Discard)).await;
        let done = seen.finish(done).map_err(|e| at_input(e, &positions))?;
        count += done.affected;
    }
    Ok(count)
}

/// The number of a row among those of its columns, as that in the chunk.
fn at_input(e: Error, positions: &[usize]) -> Error {
    let row = e.row().and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
    match row.and_then(|row| positions.get(row)) {
        Some(position) => e.with_row(*position as u64 + 1),
        None => e,
    }
}

/// Inserts the rows. When one of them is refused, they go in one by one until it is found.
async fn insert(raw: &Raw<'_>, batch: Batch, table: &'static Table, site: Site) -> Result<u64> {
    let Some(tx) = raw.tx else {
        return exec_all(raw.again(), batch, table, site).await;
    };
    let rows = batch.clone();
    let attempt = tx.nested(mode_at(site)).await?;
    let within = Raw {
        scope: raw.scope.clone(),
        ..attempt.raw()
    };
    let e = match exec_all(within, batch, table, site).await {
        Ok(n) => {
            attempt.commit().await?;
            return Ok(n);
        }
        Err(e) if !is_of_a_row(e.kind()) => return Err(e),
        Err(e) => e,
    };
    attempt.rollback().await?;
    for (i, row) in rows.into_single().into_iter().enumerate() {
        if let Err(e) = exec_all(raw.again(), row, table, site).await {
            return Err(e.with_row(i as u64 + 1));
        }
    }
    Err(e)
}

/// Whether another row would not have met this error.
fn is_of_a_row(kind: ErrorKind) -> bool {
    use ErrorKind::*;
    matches!(
        kind,
        UniqueViolation
            | ForeignKeyViolation
            | CheckViolation
            | NotNullViolation
            | ExclusionViolation
            | Validation
            | Encode
            | OutOfRange
    )
}
