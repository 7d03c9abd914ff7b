//! Terminals that write.

use std::panic::Location;

use crate::ast::{
    CompareOp, Conflict, ConflictAction, Deleted, Expr as Node, Insert as NodeInsert, InsertSource, RawPart,
    Select, Source, Statement,
};
use crate::driver::{Discard, Done};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Collect;
use crate::exec::db::no_row;
use crate::exec::fetch::{Site, affected, select, statement, step};
use crate::exec::transaction::Unit;
use crate::exec::{Pending, Raw, Serves, Writes, bulk, keyed};
use crate::model::{Model, SoftDelete, Writable};
use crate::query::{
    Batch, Cond, Decided, DeleteWhere, Insert, InsertGroup, InsertParts, IntoInsert, New, Query, Update,
    UpdateWhere, Upsert, UpsertAll, UpsertNothing, UpsertUpdate, Upserted, all_fields, conflict_update,
    delete_statement, insert_statement, key_filter, soft_delete_set, table_ref, touch, update_statement,
};
use crate::schema::{Column, Table};
use crate::value::{Type, Value};

fn only_row<M: Model>(done: Done) -> Result<M> {
    Collect::<M>::take(done.sink)?
        .pop()
        .ok_or_else(|| no_row(M::TABLE.model))
}
fn changed_row<M: Model>(done: Done) -> Result<M> {
    Collect::<M>::take(done.sink)?
        .pop()
        .ok_or_else(|| Error::not_found(M::TABLE.model))
}

impl<M: Writable> Insert<M> {
    /// Inserts and returns the row with everything the database filled in.
    #[track_caller]
    pub fn insert<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, M> {
        let (raw, site) = (ex.raw(), Location::caller());
        if self.gives_key() {
            return Pending::steps(async move {
                bulk::insert_all::<M>(raw, self.into_batch(), site)
                    .await?
                    .pop()
                    .ok_or_else(|| no_row(M::TABLE.model))
            });
        }
        let insert = single(self.into_batch(), M::TABLE, true);
        statement(
            raw,
            insert,
            Some(M::TABLE),
            Collect::<M>::boxed(),
            only_row::<M>,
            site,
        )
    }
    /// Inserts without reading back; how many rows (1).
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        let (raw, site) = (ex.raw(), Location::caller());
        if self.gives_key() {
            return Pending::steps(bulk::exec_all(raw, self.into_batch(), M::TABLE, site));
        }
        affected(raw, single(self.into_batch(), M::TABLE, false), M::TABLE, site)
    }
}

/// The statement of a batch of one row.
fn single(batch: Batch, table: &'static Table, returning: bool) -> Statement {
    let parts = match batch.into_groups().pop() {
        Some(group) => row_parts(group, returning),
        None => InsertParts {
            columns: Vec::new(),
            rows: InsertSource::Default,
            overriding: false,
            returning,
        },
    };
    Statement::Insert(Box::new(insert_statement(table, parts)))
}

fn row_parts(group: InsertGroup, returning: bool) -> InsertParts {
    let mut row = group.values;
    row.extend(group.constant);
    InsertParts {
        columns: group.columns,
        rows: InsertSource::Rows(row),
        overriding: group.overriding,
        returning,
    }
}

/// Inserting `NewX { .. }`, one or many.
pub trait Inserts: New {
    /// Inserts and returns the row with everything the database filled in.
    #[track_caller]
    fn insert<E: Writes<Self::Model> + ?Sized>(self, ex: &E) -> Pending<'_, Self::Model> {
        self.into_insert().insert(ex)
    }
    /// Inserts without reading back; how many rows (1).
    #[track_caller]
    fn exec<E: Writes<Self::Model> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        self.into_insert().exec(ex)
    }
    /// Inserts any number of rows as one unit; they come back in input order. Each is `NewX { .. }`, optionally with
    /// `.set(..)` or `.with_id(..)`.
    #[track_caller]
    fn insert_all<E: Writes<Self::Model> + ?Sized, I: IntoInsert<Self::Model>>(
        ex: &E,
        rows: impl IntoIterator<Item = I>,
    ) -> Pending<'_, Vec<Self::Model>> {
        Pending::steps(bulk::insert_all(
            ex.raw(),
            batch_of::<Self::Model, I>(rows),
            Location::caller(),
        ))
    }
    /// As [`insert_all`](Inserts::insert_all) without reading back; how many rows.
    #[track_caller]
    fn exec_all<E: Writes<Self::Model> + ?Sized, I: IntoInsert<Self::Model>>(
        ex: &E,
        rows: impl IntoIterator<Item = I>,
    ) -> Pending<'_, u64> {
        let table = <Self::Model as Model>::TABLE;
        Pending::steps(bulk::exec_all(
            ex.raw(),
            batch_of::<Self::Model, I>(rows),
            table,
            Location::caller(),
        ))
    }
}
impl<N: New> Inserts for N {}

fn batch_of<M: Model, I: IntoInsert<M>>(rows: impl IntoIterator<Item = I>) -> Batch {
    let mut batch = Batch::new(M::TABLE);
    rows.into_iter().for_each(|r| r.add_to(&mut batch));
    batch
}

/// Verbs on a row in memory and on its table.
pub trait Record: Model {
    /// A query on all rows.
    fn query() -> Query<Self> {
        Query::new()
    }
    /// The row of this key, or `NotFound`.
    #[track_caller]
    fn get<E: Serves<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, Self> {
        keyed::get(ex.raw(), id, Location::caller())
    }
    /// A change of this row.
    fn update(&self) -> Update<Self>
    where
        Self: Writable,
    {
        Update::of(self)
    }
    /// Deletes this row: softly where the model says so. Whether there was one. `Stale` when somebody changed it since.
    #[track_caller]
    fn delete<E: Writes<Self> + ?Sized>(self, ex: &E) -> Pending<'_, bool>
    where
        Self: Writable,
    {
        let update = Update::of(&self);
        let (raw, site) = (ex.raw(), Location::caller());
        Pending::steps(delete_row(raw, update, site))
    }
    /// Brings back a soft-deleted row. Whether there was one; `UniqueViolation` when its place has been taken.
    #[track_caller]
    fn restore<E: Writes<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, bool>
    where
        Self: SoftDelete + Writable,
    {
        let source = Source::fresh();
        let set = soft_delete_set(Self::TABLE, source, true);
        let filter = key_filter(Self::TABLE, source, id);
        let update = update_statement(Self::TABLE, source, set, filter, Deleted::Only);
        let (raw, site) = (ex.raw(), Location::caller());
        let any = |done: Done| Ok(done.affected > 0);
        statement(
            raw,
            Statement::Update(Box::new(update)),
            Some(Self::TABLE),
            Box::new(Discard),
            any,
            site,
        )
    }
    /// Removes a row of a soft-deleting model for good, deleted or not. Whether there was one.
    #[track_caller]
    fn purge<E: Writes<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, bool>
    where
        Self: SoftDelete + Writable,
    {
        let source = Source::fresh();
        let filter = key_filter(Self::TABLE, source, id);
        let delete = delete_statement(Self::TABLE, source, filter, Deleted::Included);
        let (raw, site) = (ex.raw(), Location::caller());
        let any = |done: Done| Ok(done.affected > 0);
        statement(
            raw,
            Statement::Delete(Box::new(delete)),
            Some(Self::TABLE),
            Box::new(Discard),
            any,
            site,
        )
    }
    /// A change of all rows that meet the condition.
    fn update_where<C: Cond<Self>>(f: impl FnOnce(Self::Cols<Self>) -> C) -> UpdateWhere<Self>
    where
        Self: Writable,
    {
        UpdateWhere::new(|source| f(Self::cols(source)).into_cond())
    }
    /// Deletes all rows that meet the condition.
    fn delete_where<C: Cond<Self>>(f: impl FnOnce(Self::Cols<Self>) -> C) -> DeleteWhere<Self>
    where
        Self: Writable,
    {
        DeleteWhere::new(|source| Some(f(Self::cols(source)).into_cond()))
    }
    /// Deletes all rows.
    fn delete_everything() -> DeleteWhere<Self>
    where
        Self: Writable,
    {
        DeleteWhere::new(|_| None)
    }
}
impl<M: Model> Record for M {}

impl<M: Model> Update<M> {
    /// Writes the columns that were set and returns the row. Nothing is sent but a read when none was set.
    /// `Stale` when the model has a version and somebody changed the row since, `NotFound` when it is gone.
    #[track_caller]
    pub fn save<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, M> {
        let (raw, site) = (ex.raw(), Location::caller());
        let Update {
            source,
            mut set,
            key,
            version,
            ..
        } = self;
        if set.is_empty() {
            let mut ast = Select::from(table_ref::<M>(source));
            ast.columns = all_fields::<M>(source);
            ast.filter = key;
            return select::<M, _>(raw, Box::new(ast), M::TABLE, changed_row::<M>, site);
        }
        touch(M::TABLE, source, &mut set);
        let Some(version) = version else {
            let update = returning_update::<M>(source, set, key);
            return statement(
                raw,
                update,
                Some(M::TABLE),
                Collect::<M>::boxed(),
                changed_row::<M>,
                site,
            );
        };
        Pending::steps(async move {
            let mut filter = key.clone();
            filter.push(version);
            let update = returning_update::<M>(source, set, filter);
            let done = step(&raw, update, Some(M::TABLE), Collect::<M>::boxed(), site).await?;
            match Collect::<M>::take(done.sink)?.pop() {
                Some(row) => Ok(row),
                None if still_there(&raw, M::TABLE, source, key, site).await? => Err(stale(M::TABLE)),
                None => Err(Error::not_found(M::TABLE.model)),
            }
        })
    }
}

fn returning_update<M: Model>(
    source: Source,
    set: Vec<(&'static Column, Node)>,
    filter: Vec<Node>,
) -> Statement {
    let mut update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
    update.returning = all_fields::<M>(source);
    Statement::Update(Box::new(update))
}

#[cold]
fn stale(table: &'static Table) -> Error {
    Error::new(ErrorKind::Stale, "the row was changed since it was read").with_model(table.model)
}

/// Whether a live row with this key exists.
async fn still_there(
    raw: &Raw<'_>,
    table: &'static Table,
    source: Source,
    key: Vec<Node>,
    site: Site,
) -> Result<bool> {
    let mut ast = Select::from(crate::ast::TableRef {
        source,
        item: crate::ast::FromItem::Table(&table.table),
        guard: crate::ast::Guard::default(),
    });
    ast.columns = vec![Node::one()];
    ast.filter = key;
    let done = step(
        raw,
        Statement::Select(Box::new(ast)),
        Some(table),
        Collect::<i32>::boxed(),
        site,
    )
    .await?;
    Ok(done.sink.rows() > 0)
}

async fn delete_row<M: Writable>(raw: Raw<'_>, row: Update<M>, site: Site) -> Result<bool> {
    let Update {
        source, key, version, ..
    } = row;
    let versioned = version.is_some();
    let mut filter = key.clone();
    filter.extend(version);
    let write = delete_or_hide(M::TABLE, source, filter);
    let done = step(&raw, write, Some(M::TABLE), Box::new(Discard), site).await?;
    if done.affected == 0 && versioned && still_there(&raw, M::TABLE, source, key, site).await? {
        return Err(stale(M::TABLE));
    }
    Ok(done.affected > 0)
}

/// DELETE, or the UPDATE that a soft-deleting model has in its place.
fn delete_or_hide(table: &'static Table, source: Source, filter: Vec<Node>) -> Statement {
    if table.managed.deleted_at.is_none() {
        return Statement::Delete(Box::new(delete_statement(table, source, filter, Deleted::Hidden)));
    }
    let set = soft_delete_set(table, source, false);
    Statement::Update(Box::new(update_statement(
        table,
        source,
        set,
        filter,
        Deleted::Hidden,
    )))
}

impl<M: Model> UpdateWhere<M> {
    /// Changes the rows; how many. Nothing is sent when no column was set.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        let (raw, site) = (ex.raw(), Location::caller());
        let UpdateWhere {
            source,
            mut set,
            filter,
            ..
        } = self;
        if set.is_empty() {
            return Pending::steps(async { Ok(0) });
        }
        touch(M::TABLE, source, &mut set);
        let update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
        affected(raw, Statement::Update(Box::new(update)), M::TABLE, site)
    }
    /// Changes the rows and returns them.
    #[track_caller]
    pub fn returning<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<M>> {
        let (raw, site) = (ex.raw(), Location::caller());
        let UpdateWhere {
            source,
            mut set,
            filter,
            ..
        } = self;
        if set.is_empty() {
            return Pending::steps(async { Ok(Vec::new()) });
        }
        touch(M::TABLE, source, &mut set);
        let rows = |done: Done| Collect::<M>::take(done.sink);
        let update = returning_update::<M>(source, set, filter);
        statement(raw, update, Some(M::TABLE), Collect::<M>::boxed(), rows, site)
    }
}

impl<M: Model> DeleteWhere<M> {
    /// Deletes the rows; how many.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        let (raw, site) = (ex.raw(), Location::caller());
        affected(
            raw,
            delete_or_hide(M::TABLE, self.source, self.filter),
            M::TABLE,
            site,
        )
    }
}

/// The conflict clause for a target; a soft-deleted row is not in the way of anything but its own key.
fn conflict(
    table: &'static Table,
    source: Source,
    target: &[&'static Column],
    action: ConflictAction,
) -> Conflict {
    let is_key = is_key(table, target);
    let live = table.managed.deleted_at.map(|i| live(table, source, i));
    let target_filter = if is_key {
        Vec::new()
    } else {
        live.into_iter().collect()
    };
    Conflict {
        target: target.iter().map(|c| &c.column).collect(),
        target_filter,
        action,
    }
}

fn is_key(table: &'static Table, target: &[&'static Column]) -> bool {
    target.len() == table.key.len()
        && table
            .key_columns()
            .all(|k| target.iter().any(|c| std::ptr::eq(*c, k)))
}

fn live(table: &'static Table, source: Source, deleted_at: usize) -> Node {
    Node::IsNull(
        Box::new(Node::Column(source, &table.columns[deleted_at].column)),
        false,
    )
}

/// The INSERT of an upsert. Its own source replaces the closure's, so that both speak of the same table.
fn upsert_insert(
    table: &'static Table,
    parts: InsertParts,
    source: Source,
    conflict: Conflict,
) -> NodeInsert {
    let mut insert = insert_statement(table, parts);
    insert.source = source;
    insert.returning = table.columns[..table.fields]
        .iter()
        .map(|c| Node::Column(source, &c.column))
        .collect();
    insert.conflict = Some(conflict);
    insert
}

fn update_action(
    table: &'static Table,
    source: Source,
    target: &[&'static Column],
    set: Vec<(&'static Column, Node)>,
    revive: bool,
) -> ConflictAction {
    let mut set = set;
    if revive {
        for c in table.columns {
            if matches!(
                c.role,
                crate::schema::Role::DeletedAt | crate::schema::Role::DeletedBy
            ) {
                set.push((c, Node::Value(Value::Null(c.column.ty))));
            }
        }
    }
    let only_live = !revive && is_key(table, target);
    let filter = table
        .managed
        .deleted_at
        .filter(|_| only_live)
        .map(|i| live(table, source, i))
        .into_iter()
        .collect();
    ConflictAction::Update {
        set: conflict_update(table, source, set),
        filter,
    }
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

impl<M: Writable> UpsertNothing<M> {
    /// Inserts the row and returns it, or `None` when one with the same unique columns exists.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Option<M>> {
        let (raw, site) = (ex.raw(), Location::caller());
        let source = Source::fresh();
        let parts = parts_of(self.insert.into_batch());
        let insert = upsert_insert(
            M::TABLE,
            parts,
            source,
            conflict(M::TABLE, source, &self.target, ConflictAction::Nothing),
        );
        let take = |done: Done| Ok(Collect::<M>::take(done.sink)?.pop());
        statement(
            raw,
            Statement::Insert(Box::new(insert)),
            Some(M::TABLE),
            Collect::<M>::boxed(),
            take,
            site,
        )
    }
}

fn parts_of(batch: Batch) -> InsertParts {
    match batch.into_groups().pop() {
        Some(group) => row_parts(group, true),
        None => InsertParts {
            columns: Vec::new(),
            rows: InsertSource::Default,
            overriding: false,
            returning: true,
        },
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
        let parts = parts_of(insert.into_batch());
        Pending::steps(async move {
            if let Some(marker) = raw.runner.dialect().features().inserted_marker {
                return upsert_marked::<M>(&raw, one, parts, marker, site)
                    .await?
                    .pop()
                    .ok_or_else(|| taken::<M>());
            }
            let unit = Unit::open(raw).await?;
            let outcome = upsert_probed::<M>(&unit.raw(), &one, parts, site).await;
            unit.end(outcome).await
        })
    }
}

/// The parts of an upsert that are the same for all its rows.
struct One {
    target: Vec<&'static Column>,
    source: Source,
    action: ConflictAction,
}

#[cold]
fn taken<M: Model>() -> Error {
    Error::new(
        ErrorKind::UniqueViolation,
        "the key belongs to a soft-deleted row; `.revive()` brings it back",
    )
    .with_model(M::TABLE.model)
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
    parts: InsertParts,
    site: Site,
) -> Result<Upserted<M>> {
    let existed = probe::<M>(raw, &one.target, &parts, site).await?;
    let clause = conflict(M::TABLE, one.source, &one.target, one.action.clone());
    let insert = upsert_insert(M::TABLE, parts, one.source, clause);
    let done = step(
        raw,
        Statement::Insert(Box::new(insert)),
        Some(M::TABLE),
        Collect::<M>::boxed(),
        site,
    )
    .await?;
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
    let InsertSource::Rows(row) = &parts.rows else {
        return Ok(false);
    };
    let source = Source::fresh();
    let mut from = table_ref::<M>(source);
    if is_key(M::TABLE, target) {
        from.guard.deleted = Deleted::Included;
    }
    let mut ast = Select::from(from);
    ast.columns = vec![Node::one()];
    for column in target {
        // a target that the row leaves out is filled by the database and cannot be taken
        let Some(at) = parts.columns.iter().position(|c| std::ptr::eq(*c, *column)) else {
            return Ok(false);
        };
        let left = Node::Column(source, &column.column);
        ast.filter.push(Node::Compare(
            CompareOp::Eq,
            Box::new(left),
            Box::new(row[at].clone()),
        ));
    }
    let done = step(
        raw,
        Statement::Select(Box::new(ast)),
        Some(M::TABLE),
        Collect::<i32>::boxed(),
        site,
    )
    .await?;
    Ok(done.sink.rows() > 0)
}

impl<M: Writable> UpsertAll<M> {
    /// Inserts or changes all rows as one unit; outcomes come in input order. Without `.update(..)` existing rows are
    /// kept, and only new ones are returned.
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, Vec<Upserted<M>>> {
        let (raw, site) = (ex.raw(), Location::caller());
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
        let rows = batch.into_rows();
        Pending::steps(async move {
            let unit = Unit::open(raw).await?;
            let several = rows.len() > 1;
            let outcome = upsert_rows::<M>(&unit.raw(), &one, rows, site).await;
            if let (Err(e), true) = (&outcome, several) {
                unit.raw().runner.spoil(e).await;
            }
            unit.end(outcome).await
        })
    }
}

async fn upsert_rows<M: Model>(
    raw: &Raw<'_>,
    one: &One,
    rows: Vec<InsertParts>,
    site: Site,
) -> Result<Vec<Upserted<M>>> {
    let mut out = Vec::with_capacity(rows.len());
    for parts in rows {
        out.extend(upsert_row::<M>(raw, one, parts, site).await?);
    }
    Ok(out)
}

async fn upsert_row<M: Model>(
    raw: &Raw<'_>,
    one: &One,
    parts: InsertParts,
    site: Site,
) -> Result<Option<Upserted<M>>> {
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
