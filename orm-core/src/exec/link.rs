//! Linking and unlinking related rows: rows of the join table come and go, or foreign keys are set.

use std::collections::HashSet;
use std::panic::Location;

use crate::ast::{CompareOp, Deleted, Expr as Node, FromItem, Select, Source, Statement, TableRef};
use crate::driver::{Discard, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::cascade::{Mode, keys_of, remove, unlinking};
use crate::exec::db::no_row;
use crate::exec::fetch::{Site, inserts, step};
use crate::exec::key::{Cell, Identities, Key, among, cell};
use crate::exec::transaction::Unit;
use crate::exec::{Pending, Raw, Writes, bulk};
use crate::model::{Insertable, Linkable, Model, Rel, TakesLinks, Unlink, Writable};
use crate::query::{
    Batch, Insert, IntoInsert, in_hand, nodes, put, soft_delete_set, touch, update_statement,
};
use crate::relation::{Related, label_is};
use crate::schema::{Column, Default, Orphans, RelationDef, RelationKind, Role, Table, Through};
use crate::value::Value;

/// What [`Related::replace`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Rows that were not linked before.
    pub linked: u64,
    /// Rows that were linked before and are not any more.
    pub unlinked: u64,
}

type ChildId<R> = <<R as Rel>::Child as Model>::Id;

impl<R: Rel> Related<R> {
    /// Links rows by their keys; how many were not linked before. Over a join table the missing links are inserted:
    ///
    /// ```sql
    /// SELECT t0."tag_id" FROM "post_tags" AS t0 WHERE t0."post_id" = $1 AND t0."tag_id" = ANY($2)
    /// INSERT INTO "post_tags" ("post_id", "tag_id") … ON CONFLICT DO NOTHING
    /// ```
    ///
    /// Else the rows' foreign key is set, wherever they were linked before. Of a `has_one` relation the row takes the
    /// place of the one that was there, see [`create`](Related::create).
    ///
    /// # Errors
    /// `ForeignKeyViolation` for a key that no row has, over a join table; `InvalidQuery` when the join table has
    /// required columns of its own: insert its model instead.
    #[track_caller]
    pub fn link<'a, E: Writes<<R as Linkable>::Through> + ?Sized>(
        self,
        ex: &'a E,
        ids: impl IntoIterator<Item = ChildId<R>>,
    ) -> Pending<'a, u64>
    where
        R: Linkable,
        R::Through: TakesLinks<R::By>,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        let (parent, ids) = (self.into_key(), keys(ids));
        Pending::steps(async move { link(raw, R::DEF, parent?, ids, site).await })
    }
    /// Links rows in hand, see [`link`](Related::link).
    #[track_caller]
    pub fn add<'a, 'r, E: Writes<<R as Linkable>::Through> + ?Sized>(
        self,
        ex: &'a E,
        rows: impl IntoIterator<Item = &'r R::Child>,
    ) -> Pending<'a, u64>
    where
        R: Linkable,
        R::Through: TakesLinks<R::By>,
    {
        self.link(ex, rows.into_iter().map(Model::id))
    }
    /// Inserts a row and links it, as one unit. A foreign key to this row that the new row holds itself is set,
    /// whatever the value it came with. Of a `has_one` relation it takes the place of the row that was there, which is
    /// unlinked, or deleted with `orphans = delete`.
    ///
    /// # Errors
    /// `UniqueViolation` where there is a row already that can neither be unlinked nor deleted.
    #[track_caller]
    pub fn create<'a, E, I>(self, ex: &'a E, new: I) -> Pending<'a, R::Child>
    where
        E: Writes<<R as Linkable>::Through> + Writes<R::Child> + ?Sized,
        I: IntoInsert<R::Child>,
        R: Linkable,
        R::Through: Insertable,
        R::Child: Insertable,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        let (parent, insert) = (self.into_key(), new.into_insert());
        Pending::steps(async move { create::<R>(raw, parent?, insert, site).await })
    }
    /// Unlinks rows by their keys; how many were linked. With `orphans = delete` on the relation they are deleted; else
    /// it is not offered where the foreign key is required.
    #[track_caller]
    pub fn unlink<'a, E: Writes<<R as Linkable>::Through> + ?Sized>(
        self,
        ex: &'a E,
        ids: impl IntoIterator<Item = ChildId<R>>,
    ) -> Pending<'a, u64>
    where
        R: Unlink<<R as Rel>::Child>,
        R::Through: Writable,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        let (parent, ids) = (self.into_key(), keys(ids));
        Pending::steps(async move { part(raw, R::DEF, parent?, Which::These(ids), site).await })
    }
    /// Unlinks all rows; how many were linked.
    #[track_caller]
    pub fn unlink_all<'a, E: Writes<<R as Linkable>::Through> + ?Sized>(self, ex: &'a E) -> Pending<'a, u64>
    where
        R: Unlink<<R as Rel>::Child>,
        R::Through: Writable,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        let parent = self.into_key();
        let which = Which::ButThese(Vec::new());
        Pending::steps(async move { part(raw, R::DEF, parent?, which, site).await })
    }
    /// Links exactly these rows: unlinks all others and links those that are missing, as one unit.
    #[track_caller]
    pub fn replace<'a, E: Writes<<R as Linkable>::Through> + ?Sized>(
        self,
        ex: &'a E,
        ids: impl IntoIterator<Item = ChildId<R>>,
    ) -> Pending<'a, Replaced>
    where
        R: Unlink<<R as Rel>::Child>,
        R::Through: Writable,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        let (parent, ids) = (self.into_key(), keys(ids));
        Pending::steps(async move { replace(raw, R::DEF, parent?, ids, site).await })
    }
}

/// Each key once, in the order given.
fn keys<K: crate::model::Key>(ids: impl IntoIterator<Item = K>) -> Vec<Key> {
    let mut seen = HashSet::new();
    ids.into_iter()
        .map(|id| Key::new(id.into_values()))
        .filter(|key| seen.insert(key.clone()))
        .collect()
}

/// `columns = values`.
fn equal(source: Source, columns: &[&'static Column], values: &[Value]) -> Vec<Node> {
    let pair =
        |(c, v): (Node, &Value)| Node::Compare(CompareOp::Eq, Box::new(c), Box::new(Node::Value(v.clone())));
    nodes(source, columns.iter().copied())
        .into_iter()
        .zip(values)
        .map(pair)
        .collect()
}

/// The rows, by these columns of theirs, that are linked to the one with this key.
fn linked_to(
    def: &'static RelationDef,
    source: Source,
    columns: &[&'static Column],
    key: &[Value],
) -> Vec<Node> {
    let mut conditions = equal(source, columns, key);
    conditions.extend(def.label().map(|label| label_is(source, label)));
    conditions
}

async fn link(
    raw: Raw<'_>,
    def: &'static RelationDef,
    parent: Vec<Value>,
    ids: Vec<Key>,
    site: Site,
) -> Result<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    one_at_most(def, &ids)?;
    let unit = Unit::open(raw, site).await?;
    let outcome = async {
        let displaced = displace(&unit.raw(), def, &parent, &ids, site).await;
        unit.sent(displaced).await?;
        link_in(&unit, def, &parent, ids, site).await
    };
    let outcome = outcome.await;
    unit.end(outcome).await
}

async fn link_in(
    unit: &Unit<'_>,
    def: &'static RelationDef,
    parent: &[Value],
    ids: Vec<Key>,
    site: Site,
) -> Result<u64> {
    let raw = unit.raw();
    let outcome = match &def.through {
        Some(through) => insert_links(raw, through, parent, ids, site).await,
        None => set_key(&raw, def, parent, ids, site).await,
    };
    unit.sent(outcome).await
}

async fn replace(
    raw: Raw<'_>,
    def: &'static RelationDef,
    parent: Vec<Value>,
    ids: Vec<Key>,
    site: Site,
) -> Result<Replaced> {
    one_at_most(def, &ids)?;
    let unit = Unit::open(raw, site).await?;
    let outcome = async {
        let unlinked = unlink(&unit.raw(), def, &parent, Which::ButThese(ids.clone()), site).await;
        let unlinked = unit.sent(unlinked).await?;
        let linked = match ids.is_empty() {
            true => 0,
            false => link_in(&unit, def, &parent, ids, site).await?,
        };
        Ok(Replaced { linked, unlinked })
    };
    let outcome = outcome.await;
    unit.end(outcome).await
}

async fn create<R: Rel>(
    raw: Raw<'_>,
    parent: Vec<Value>,
    mut insert: Insert<R::Child>,
    site: Site,
) -> Result<R::Child>
where
    R::Child: Insertable,
{
    let Some(through) = &R::DEF.through else {
        for (column, value) in R::DEF.linked(parent.clone()) {
            insert.put(column, put(column, Node::Value(value)));
        }
        if R::DEF.kind != RelationKind::HasOne {
            return insert_one(raw, insert, site).await;
        }
        let unit = Unit::open(raw, site).await?;
        let outcome = async {
            displace(&unit.raw(), R::DEF, &parent, &[], site).await?;
            insert_one(unit.raw(), insert, site).await
        };
        let outcome = unit.sent(outcome.await).await;
        return unit.end(outcome).await;
    };
    let unit = Unit::open(raw, site).await?;
    let outcome = async {
        let child = insert_one(unit.raw(), insert, site).await?;
        let linked = insert_links(unit.raw(), through, &parent, keys([child.id()]), site).await;
        unit.sent(linked).await.map(|_| child)
    };
    let outcome = outcome.await;
    unit.end(outcome).await
}

async fn insert_one<M: Insertable>(raw: Raw<'_>, insert: Insert<M>, site: Site) -> Result<M> {
    let mut rows = bulk::insert_all::<M>(raw, insert.into_batch(), site).await?;
    rows.pop().ok_or_else(|| no_row(M::TABLE.model))
}

/// Inserts the links that are missing.
pub(crate) async fn insert_links(
    mut raw: Raw<'_>,
    through: &Through,
    parent: &[Value],
    ids: Vec<Key>,
    site: Site,
) -> Result<u64> {
    let table = (through.table)();
    let (own, other) = ((through.parent)(), (through.child)());
    let mut found = links(&raw, table, &own, &other, parent, &ids, site).await?;
    let mut linked = 0;
    if ids.iter().all(|id| found.contains(id)) {
        return Ok(linked);
    }
    only_links(table, &own, &other)?;
    if table.managed.deleted_at.is_some() && is_key(table, &own, &other) {
        // the key of a deleted link is taken: that link comes back
        let missing: Vec<Key> = ids.iter().filter(|id| !found.contains(id)).cloned().collect();
        let revived = revive(&raw, table, &own, &other, parent, &missing, site).await?;
        linked += revived.len() as u64;
        found.extend(revived);
    }
    let mut batch = Batch::of_about(table, ids.len());
    for id in ids.into_iter().filter(|id| !found.contains(id)) {
        let columns = own.iter().chain(&other);
        let values = parent.iter().cloned().chain(id.stored(&other));
        let row = columns.zip(values).map(|(c, v)| (*c, put(c, Node::Value(v))));
        batch.push(Insert::<()>::of_row(row.collect(), false));
    }
    if batch.len() == 0 {
        return Ok(linked);
    }
    let (mut list, _) = bulk::plan(batch, table, raw.runner.dialect().features(), false)?;
    for insert in &mut list {
        // somebody else may link the same rows at the same moment
        insert.unless_taken = true;
    }
    bulk::fix_clock(&mut raw, list.len(), site).await?;
    let done = inserts(&raw, list, table, Box::new(Discard), site).await?;
    Ok(linked + done.affected)
}

/// A join table whose rows hold more than the link cannot be filled from keys alone.
pub(crate) fn only_links(
    table: &'static Table,
    own: &[&'static Column],
    other: &[&'static Column],
) -> Result<()> {
    let required = |c: &&Column| {
        let is_link = own.iter().chain(other).any(|l| std::ptr::eq(*l, *c));
        let filled = !matches!(c.default, Default::None) || c.generated.is_some() || c.column.nullable;
        !is_link && !filled && matches!(c.role, Role::Plain)
    };
    let Some(column) = table.columns.iter().find(required) else {
        return Ok(());
    };
    let text = "the join table has a required column of its own: insert its model instead of linking";
    Err(Error::new(ErrorKind::InvalidQuery, text)
        .with_model(table.model)
        .with_field(column.field))
}

fn is_key(table: &'static Table, own: &[&'static Column], other: &[&'static Column]) -> bool {
    table
        .key_columns()
        .all(|k| own.iter().chain(other).any(|c| std::ptr::eq(*c, k)))
}

/// Which of these are linked.
async fn links(
    raw: &Raw<'_>,
    table: &'static Table,
    own: &[&'static Column],
    other: &[&'static Column],
    parent: &[Value],
    ids: &[Key],
    site: Site,
) -> Result<HashSet<Key>> {
    let source = Source::fresh();
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard: in_hand(Deleted::Hidden),
    });
    let other = nodes(source, other.iter().copied());
    let at: Vec<Cell> = other
        .iter()
        .map(|c| cell(&mut select, c))
        .collect::<Result<_>>()?;
    select.filter = equal(source, own, parent);
    let mut sink: Box<dyn Sink> = Identities::boxed(at);
    for condition in among(&other, ids, raw) {
        let mut select = select.clone();
        select.filter.push(condition);
        let statement = Statement::Select(Box::new(select));
        sink = step(raw, statement, Some(table), sink, site).await?.sink;
    }
    Identities::take(sink)
}

/// Brings back deleted links; which.
async fn revive(
    raw: &Raw<'_>,
    table: &'static Table,
    own: &[&'static Column],
    other: &[&'static Column],
    parent: &[Value],
    ids: &[Key],
    site: Site,
) -> Result<HashSet<Key>> {
    let source = Source::fresh();
    let columns = nodes(source, other.iter().copied());
    let at = other.iter().enumerate().map(|(i, c)| (i, c.column.ty)).collect();
    let mut sink: Box<dyn Sink> = Identities::boxed(at);
    for condition in among(&columns, ids, raw) {
        let mut filter = equal(source, own, parent);
        filter.push(condition);
        let set = soft_delete_set(table, source, true);
        let mut update = update_statement(table, source, set, filter, Deleted::Only);
        update.returning = columns.clone();
        let statement = Statement::Update(Box::new(update));
        sink = step(raw, statement, Some(table), sink, site).await?.sink;
    }
    Identities::take(sink)
}

/// Sets the foreign key of related rows.
async fn set_key(
    raw: &Raw<'_>,
    def: &'static RelationDef,
    parent: &[Value],
    ids: Vec<Key>,
    site: Site,
) -> Result<u64> {
    let (table, source) = ((def.table)(), Source::fresh());
    let linked = linked_to(def, source, &(def.child)(), parent);
    let mut changed = 0;
    for condition in among(&nodes(source, table.key_columns()), &ids, raw) {
        let filter = vec![
            condition,
            Node::Not(Box::new(Node::IsTrue(Box::new(Node::All(linked.clone()))))),
        ];
        let values = def.linked(parent.to_vec()).into_iter();
        let mut set: Vec<(&Column, Node)> = values.map(|(c, v)| (c, Node::Value(v))).collect();
        touch(table, source, &mut set);
        let update = update_statement(table, source, set, filter, Deleted::Hidden);
        let statement = Statement::Update(Box::new(update));
        changed += step(raw, statement, Some(table), Box::new(Discard), site)
            .await?
            .affected;
    }
    Ok(changed)
}

/// Where there is at most one related row, whoever else is there makes room.
async fn displace(
    raw: &Raw<'_>,
    def: &'static RelationDef,
    parent: &[Value],
    ids: &[Key],
    site: Site,
) -> Result<()> {
    if def.kind != RelationKind::HasOne {
        return Ok(());
    }
    if orphaned(def).is_some() {
        unlink(raw, def, parent, Which::ButThese(ids.to_vec()), site).await?;
        return Ok(());
    }
    let (table, source) = ((def.table)(), Source::fresh());
    let mut filter = linked_to(def, source, &(def.child)(), parent);
    let kept = among(&nodes(source, table.key_columns()), ids, raw);
    filter.push(Node::Not(Box::new(Node::Any(kept))));
    match keys_of(raw, table, source, filter, in_hand(Deleted::Hidden), site)
        .await?
        .is_empty()
    {
        true => Ok(()),
        false => Err(taken(def)),
    }
}

/// How a related row that has no place any more is got rid of, if it can be.
pub(crate) fn orphaned(def: &'static RelationDef) -> Option<Orphans> {
    match def.orphans {
        Orphans::Delete => Some(Orphans::Delete),
        Orphans::Unlink => (!def.unlinked().is_empty()).then_some(Orphans::Unlink),
    }
}

#[cold]
fn taken(def: &'static RelationDef) -> Error {
    let text = "there is a related row already, whose foreign key is required: delete it first, or say \
                `orphans = delete` on the relation";
    Error::new(ErrorKind::UniqueViolation, text)
        .with_model(def.model)
        .with_field(def.name)
}

fn one_at_most(def: &'static RelationDef, ids: &[Key]) -> Result<()> {
    match (def.kind, ids) {
        (RelationKind::HasOne, [_, _, ..]) => Err(several(def)),
        _ => Ok(()),
    }
}

#[cold]
pub(crate) fn several(def: &'static RelationDef) -> Error {
    let text = "more than one row given for a relation that has at most one";
    Error::new(ErrorKind::InvalidQuery, text)
        .with_model(def.model)
        .with_field(def.name)
}

/// Unlinks in a transaction, for what takes several statements.
async fn part(
    raw: Raw<'_>,
    def: &'static RelationDef,
    parent: Vec<Value>,
    which: Which,
    site: Site,
) -> Result<u64> {
    if def.orphans == Orphans::Unlink && matches!(which, Which::ButThese(_)) {
        return unlink(&raw, def, &parent, which, site).await;
    }
    let unit = Unit::open(raw, site).await?;
    let outcome = unlink(&unit.raw(), def, &parent, which, site).await;
    let outcome = unit.sent(outcome).await;
    unit.end(outcome).await
}

/// Which linked rows are unlinked.
pub(crate) enum Which {
    These(Vec<Key>),
    ButThese(Vec<Key>),
}

pub(crate) async fn unlink(
    raw: &Raw<'_>,
    def: &'static RelationDef,
    parent: &[Value],
    which: Which,
    site: Site,
) -> Result<u64> {
    let source = Source::fresh();
    let (table, own, other) = match &def.through {
        Some(through) => ((through.table)(), (through.parent)(), (through.child)()),
        None => (
            (def.table)(),
            (def.child)(),
            (def.table)().key_columns().collect(),
        ),
    };
    let other = nodes(source, other);
    let conditions = match which {
        Which::These(ids) => among(&other, &ids, raw),
        Which::ButThese(ids) => {
            let kept = among(&other, &ids, raw);
            vec![Node::Not(Box::new(Node::Any(kept)))]
        }
    };
    let mut changed = 0;
    if def.orphans == Orphans::Delete {
        let mut raw = raw.again();
        bulk::fix_clock(&mut raw, 2, site).await?;
        let mut orphans = Vec::new();
        for condition in conditions {
            let mut filter = linked_to(def, source, &own, parent);
            filter.push(condition);
            orphans.extend(keys_of(&raw, table, source, filter, in_hand(Deleted::Hidden), site).await?);
        }
        return remove(&raw, table, orphans, Mode::Delete, &mut HashSet::new(), site).await;
    }
    for condition in conditions {
        let mut filter = linked_to(def, source, &own, parent);
        filter.push(condition);
        let write = unlinking(def, table, source, filter, Mode::Delete);
        changed += step(raw, write, Some(table), Box::new(Discard), site)
            .await?
            .affected;
    }
    Ok(changed)
}
