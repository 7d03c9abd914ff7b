//! Deletes and restores that take related rows along, as the relations of the models say (`cascade = delete`).
//!
//! One statement for each relation and level. Rows that are deleted together carry the same instant, so that a restore
//! brings back exactly what went with the row, and nothing that was deleted before.

use std::collections::HashSet;

use crate::ast::{
    CompareOp, Deleted, Expr as Node, FromItem, Guard, Lock, LockStrength, LockWait, Select, Source,
    Statement, TableRef, Unfiltered,
};
use crate::driver::{BoxFuture, Discard, Sink};
use crate::error::Result;
use crate::exec::fetch::{Site, step};
use crate::exec::key::{Identities, Key, Place, among, cell, place};
use crate::exec::transaction::Unit;
use crate::exec::{Raw, bulk};
use crate::query::{
    delete_or_hide, delete_statement, in_hand, nodes, soft_delete_set, touch, update_statement,
};
use crate::relation::label_is;
use crate::schema::{Cascade, RelationDef, Table};
use crate::value::{Type, Value};

/// Whether a delete of rows of this table takes others along.
pub(crate) fn cascades(table: &Table) -> bool {
    relations_of(table).any(|r| r.cascade != Cascade::Database)
}

/// What may hang on rows of this table: a variant is a row of its enum too, and a row of the enum one of a variant.
fn relations_of(table: &Table) -> impl Iterator<Item = &'static RelationDef> {
    let base = table.base.into_iter().chain(table.variants.iter().copied());
    let others = base.flat_map(|t| t().relations);
    table.relations.iter().chain(others).copied()
}

/// How rows go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As their models say.
    Delete,
    /// For good, also those that are softly deleted.
    Purge,
}

/// Deletes the rows that meet the conditions, and what hangs on them; how many rows of this table. The conditions are
/// about `source`. Rows that do not meet the filters of the table stay unless those are switched off; what hangs on a row
/// goes with it in any case.
pub(crate) async fn delete(
    raw: Raw<'_>,
    table: &'static Table,
    source: Source,
    filter: Vec<Node>,
    (mode, unfiltered): (Mode, Unfiltered),
    site: Site,
) -> Result<u64> {
    let unit = Unit::open(raw, site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        bulk::fix_clock(&mut raw, 2, site).await?;
        let seen = match mode {
            Mode::Delete => Deleted::Hidden,
            Mode::Purge => Deleted::Included,
        };
        let guard = Guard {
            unfiltered,
            ..in_hand(seen)
        };
        let keys = keys_of(&raw, table, source, filter, guard, site).await?;
        let mut gone = HashSet::new();
        remove(&raw, table, keys, mode, &mut gone, site).await
    };
    let outcome = unit.sent(outcome.await).await;
    unit.end(outcome).await
}

/// The keys of the rows that meet the conditions, locked.
pub(crate) async fn keys_of(
    raw: &Raw<'_>,
    table: &'static Table,
    source: Source,
    filter: Vec<Node>,
    guard: Guard,
    site: Site,
) -> Result<Vec<Key>> {
    let mut select = rows(table, source, guard);
    select.filter = filter;
    keys_met(raw, table, select, site).await
}

/// The keys of the rows of the select's first table, locked.
pub(crate) async fn keys_met(
    raw: &Raw<'_>,
    table: &'static Table,
    mut select: Select,
    site: Site,
) -> Result<Vec<Key>> {
    let source = select.root();
    let of = match select.joins.is_empty() {
        true => Vec::new(),
        false => vec![source],
    };
    select.lock = Some(Lock {
        strength: LockStrength::Update,
        of,
        wait: LockWait::Wait,
    });
    let at = nodes(source, table.key_columns())
        .iter()
        .map(|c| cell(&mut select, c))
        .collect::<Result<_>>()?;
    let statement = Statement::Select(Box::new(select));
    let done = step(raw, statement, Some(table), Identities::boxed(at), site).await?;
    Ok(Identities::take(done.sink)?.into_iter().collect())
}

pub(crate) fn rows(table: &'static Table, source: Source, guard: Guard) -> Select {
    Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard,
    })
}

/// Removes rows by their keys, after what hangs on them; how many of this table.
pub(crate) async fn remove_all(
    raw: &Raw<'_>,
    table: &'static Table,
    keys: Vec<Key>,
    mode: Mode,
    site: Site,
) -> Result<u64> {
    remove(raw, table, keys, mode, &mut HashSet::new(), site).await
}

/// Removes rows by their keys, after what hangs on them.
pub(crate) fn remove<'a>(
    raw: &'a Raw<'_>,
    table: &'static Table,
    mut keys: Vec<Key>,
    mode: Mode,
    gone: &'a mut HashSet<Place>,
    site: Site,
) -> BoxFuture<'a, Result<u64>> {
    Box::pin(async move {
        // rows may refer to each other in a circle
        keys.retain(|key| gone.insert(place(table, key.clone())));
        if keys.is_empty() {
            return Ok(0);
        }
        for relation in relations_of(table) {
            take_along(raw, relation, relation.cascade, table, &keys, mode, gone, site).await?;
        }
        let mut removed = 0;
        let source = Source::fresh();
        for condition in among(&nodes(source, table.key_columns()), &keys, raw) {
            let write = removal(table, source, vec![condition], mode);
            removed += step(raw, write, Some(table), Box::new(Discard), site)
                .await?
                .affected;
        }
        Ok(removed)
    })
}

/// What the delete of rows does to the rows of one of their relations.
#[expect(clippy::too_many_arguments, reason = "one walk, taken apart")]
pub(crate) async fn take_along(
    raw: &Raw<'_>,
    relation: &'static RelationDef,
    how: Cascade,
    table: &'static Table,
    keys: &[Key],
    mode: Mode,
    gone: &mut HashSet<Place>,
    site: Site,
) -> Result<()> {
    // what refers to a row that really goes has to go really
    let below = match table.managed.deleted_at {
        Some(_) => mode,
        None => Mode::Purge,
    };
    match how {
        Cascade::Database => Ok(()),
        Cascade::Unlink => unlink(raw, relation, keys, below, site).await,
        Cascade::Delete => {
            let child = (relation.table)();
            let children = related(raw, relation, keys, seen(child, below), site).await?;
            remove(raw, child, children, below, gone, site).await.map(|_| ())
        }
    }
}

fn seen(table: &Table, mode: Mode) -> Deleted {
    match (mode, table.managed.deleted_at) {
        (Mode::Purge, Some(_)) => Deleted::Included,
        _ => Deleted::Hidden,
    }
}

fn removal(table: &'static Table, source: Source, filter: Vec<Node>, mode: Mode) -> Statement {
    match mode {
        Mode::Delete => delete_or_hide(table, source, filter, Unfiltered::ALL),
        Mode::Purge => {
            let delete = delete_statement(table, source, filter, seen(table, mode));
            Statement::Delete(Box::new(delete))
        }
    }
}

/// What unlinks rows: of the join table they go, else their foreign key is cleared. `table` is the one that holds it.
pub(crate) fn unlinking(
    relation: &'static RelationDef,
    table: &'static Table,
    source: Source,
    filter: Vec<Node>,
    mode: Mode,
) -> Statement {
    if relation.through.is_some() {
        return removal(table, source, filter, mode);
    }
    let null = relation.unlinked().into_iter();
    let mut set: Vec<_> = null.map(|(c, v)| (c, Node::Value(v))).collect();
    touch(table, source, &mut set);
    let update = update_statement(table, source, set, filter, seen(table, mode));
    Statement::Update(Box::new(update))
}

/// The keys of the rows related to these by a foreign key of theirs.
async fn related(
    raw: &Raw<'_>,
    relation: &'static RelationDef,
    parents: &[Key],
    deleted: Deleted,
    site: Site,
) -> Result<Vec<Key>> {
    let (table, source) = ((relation.table)(), Source::fresh());
    let foreign = nodes(source, (relation.child)());
    let mut keys = Vec::new();
    for condition in among(&foreign, parents, raw) {
        let label = relation.label().map(|label| label_is(source, label));
        let filter = label.into_iter().chain([condition]).collect();
        keys.extend(keys_of(raw, table, source, filter, in_hand(deleted), site).await?);
    }
    Ok(keys)
}

async fn unlink(
    raw: &Raw<'_>,
    relation: &'static RelationDef,
    parents: &[Key],
    mode: Mode,
    site: Site,
) -> Result<()> {
    let source = Source::fresh();
    let (table, own) = match &relation.through {
        Some(through) => ((through.table)(), (through.parent)()),
        None => ((relation.table)(), (relation.child)()),
    };
    for condition in among(&nodes(source, own.iter().copied()), parents, raw) {
        let label = relation.label().map(|label| label_is(source, label));
        let filter = label.into_iter().chain([condition]).collect();
        let write = unlinking(relation, table, source, filter, mode);
        step(raw, write, Some(table), Box::new(Discard), site).await?;
    }
    Ok(())
}

/// Brings back a softly deleted row and what was deleted with it. Whether there was one.
pub(crate) async fn restore(
    raw: Raw<'_>,
    table: &'static Table,
    key: Vec<Value>,
    site: Site,
) -> Result<bool> {
    let unit = Unit::open(raw, site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        bulk::fix_clock(&mut raw, 2, site).await?;
        let keys = vec![Key::new(key)];
        let Some(instant) = deleted_at(&raw, table, &keys, site).await? else {
            return Ok(false);
        };
        bring_back(&raw, table, keys, &instant, site).await?;
        Ok(true)
    };
    let outcome = unit.sent(outcome.await).await;
    unit.end(outcome).await
}

/// When the row was deleted, if it is.
async fn deleted_at(raw: &Raw<'_>, table: &'static Table, keys: &[Key], site: Site) -> Result<Option<Value>> {
    let source = Source::fresh();
    let Some(column) = table.managed.deleted_at.map(|i| &table.columns[i]) else {
        return Ok(None);
    };
    let mut select = rows(table, source, in_hand(Deleted::Only));
    select.columns = nodes(source, [column]);
    select.filter = among(&nodes(source, table.key_columns()), keys, raw);
    let sink: Box<dyn Sink> = Identities::boxed(vec![(0, Type::Timestamp)]);
    let done = step(raw, Statement::Select(Box::new(select)), Some(table), sink, site).await?;
    let instant = Identities::take(done.sink)?.into_iter().next();
    Ok(instant.and_then(|key| key.0.into_iter().next()))
}

fn bring_back<'a>(
    raw: &'a Raw<'_>,
    table: &'static Table,
    keys: Vec<Key>,
    instant: &'a Value,
    site: Site,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if keys.is_empty() {
            return Ok(());
        }
        let source = Source::fresh();
        for condition in among(&nodes(source, table.key_columns()), &keys, raw) {
            let set = soft_delete_set(table, source, true);
            let update = update_statement(table, source, set, vec![condition], Deleted::Only);
            let statement = Statement::Update(Box::new(update));
            step(raw, statement, Some(table), Box::new(Discard), site).await?;
        }
        for relation in relations_of(table) {
            let (table, own) = match (relation.cascade, &relation.through) {
                (Cascade::Database, _) | (Cascade::Unlink, None) => continue,
                (Cascade::Unlink, Some(through)) => ((through.table)(), (through.parent)()),
                (Cascade::Delete, _) => ((relation.table)(), (relation.child)()),
            };
            let Some(deleted_at) = table.managed.deleted_at.map(|i| &table.columns[i]) else {
                continue;
            };
            let source = Source::fresh();
            let mut with_it = Vec::new();
            for condition in among(&nodes(source, own.iter().copied()), &keys, raw) {
                let when = Box::new(Node::Column(source, &deleted_at.column));
                let same = Node::Compare(CompareOp::Eq, when, Box::new(Node::Value(instant.clone())));
                let label = relation.label().map(|label| label_is(source, label));
                let filter = label.into_iter().chain([condition, same]).collect();
                with_it.extend(keys_of(raw, table, source, filter, in_hand(Deleted::Only), site).await?);
            }
            bring_back(raw, table, with_it, instant, site).await?;
        }
        Ok(())
    })
}
