//! Terminals that write.

use std::panic::Location;

use crate::ast::{
    Deleted, Expr as Node, InsertSource, Lock, LockStrength, LockWait, Select, Source, Statement, TableRef,
    Unfiltered,
};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::cascade::{self, Mode, cascades};
use crate::exec::collect::{Collect, Single};
use crate::exec::db::no_row;
use crate::exec::fetch::{Site, finds_row, inserts, rendered, select, statement, step};
use crate::exec::hooks::watched;
use crate::exec::parts::apart;
use crate::exec::{
    Edit, Explain, InTx, Pending, Raw, Refresh, Serves, Writer, Writes, bulk, copy, explain, insert, keyed,
    tree,
};
use crate::model::{Insertable, Key, Materialized, Model, Mutable, Rel, SoftDelete, Writable};
use crate::query::{
    Batch, Cond, DeleteWhere, Insert, InsertFrom, InsertParts, IntoInsert, LeadsBack, LeadsUp, New, Query,
    Root, Sets, SourceRow, Update, UpdateWhere, Walk, all_fields, delete_or_hide, delete_statement,
    key_filter, soft_delete_set, table_ref, touch, update_statement,
};
use crate::relation::RelRef;
use crate::schema::{Column, Table};

fn only_row<M: Model>(done: Done) -> Result<M> {
    let (row, _) = Single::<M>::take(done.sink)?;
    row.ok_or_else(|| no_row(M::TABLE.model))
}
fn changed_row<M: Model>(done: Done) -> Result<M> {
    Collect::<M>::take(done.sink)?
        .pop()
        .ok_or_else(|| Error::not_found(M::TABLE.model))
}

impl<M: Insertable> Insert<M> {
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
        insert_one(raw, self, true, Single::<M>::boxed(), only_row::<M>, site)
    }
    /// Inserts without reading back; how many rows (1).
    #[track_caller]
    pub fn exec<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, u64> {
        let (raw, site) = (ex.raw(), Location::caller());
        if self.gives_key() {
            return Pending::steps(bulk::exec_all(raw, self.into_batch(), M::TABLE, site));
        }
        insert_one(
            raw,
            self,
            false,
            Box::new(Discard),
            |done| Ok(done.affected),
            site,
        )
    }
}

/// One row, as one statement.
fn insert_one<'a, M: Insertable, T>(
    raw: Raw<'a>,
    row: Insert<M>,
    returning: bool,
    sink: Box<dyn Sink>,
    finish: fn(Done) -> Result<T>,
    site: Site,
) -> Pending<'a, T> {
    let parts = parts_of(row.into_batch(), returning);
    if watched(Some(M::TABLE)).or(apart(Some(M::TABLE))).is_some() {
        let run = async move { inserts(&raw, vec![parts], M::TABLE, sink, site).await };
        return Pending::hooked(Box::pin(run), finish);
    }
    match insert::render(&raw, M::TABLE, parts) {
        Ok(sql) => rendered(raw, sql, Some(M::TABLE), sink, finish, site),
        Err(e) => Pending::failed(e),
    }
}

/// What the INSERT of the only row of a batch needs.
pub(crate) fn parts_of(batch: Batch, returning: bool) -> InsertParts {
    let group = batch.into_groups().pop();
    let row = group.and_then(|group| group.into_chunks(1, returning).pop());
    row.unwrap_or(InsertParts {
        columns: Vec::new(),
        rows: InsertSource::Default,
        overriding: false,
        returning,
        unless_taken: false,
    })
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
    /// Loads any number of rows as one unit, some thousand in memory at a time; how many there were. On PostgreSQL that is
    /// `COPY`, elsewhere inserts. Timestamps, versions, actor, tenant and defaults are filled in as for every insert; for
    /// models with validators, hooks or an audit trail the rows are inserted, so that each of them is seen.
    ///
    /// ```sql
    /// COPY "users" ("email", "name") FROM STDIN
    /// ```
    ///
    /// ```
    /// # use orm_core::{exec::{Db, Inserts, Writes}, query::New};
    /// # async fn load<NewUser: New>(db: &Db, parse: fn(&str) -> NewUser, file: &str) -> orm_core::error::Result<()>
    /// # where Db: Writes<NewUser::Model> {
    /// let n = NewUser::copy_all(db, file.lines().map(parse)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of inserts, with the number of the row where it is known ([`Error::row`](crate::error::Error::row)). Then
    /// none of the rows is there.
    #[track_caller]
    fn copy_all<'a, E, I, R>(ex: &'a E, rows: R) -> Pending<'a, u64>
    where
        E: Writes<Self::Model> + ?Sized,
        I: IntoInsert<Self::Model>,
        R: IntoIterator<Item = I, IntoIter: Send + 'a>,
    {
        let mut rows = rows.into_iter();
        let next = move |batch: &mut Batch| rows.next().map(|row| row.add_to(batch)).is_some();
        let table = <Self::Model as Model>::TABLE;
        Pending::steps(copy::copy_all(ex.raw(), table, next, Location::caller()))
    }
    /// How the database inserts this row; see [`Explain`].
    #[track_caller]
    fn explain<'a, E: Writes<Self::Model> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        self.into_insert().explain(ex)
    }
    /// How the database inserts these rows; see [`Explain`]. Of rows that take several statements it is the first one.
    #[track_caller]
    fn explain_all<'a, E: Writes<Self::Model> + ?Sized, I: IntoInsert<Self::Model>>(
        ex: &'a E,
        rows: impl IntoIterator<Item = I>,
    ) -> Explain<'a> {
        let batch = batch_of::<Self::Model, I>(rows);
        explain::inserted_all::<Self::Model>(ex.raw(), batch, Location::caller())
    }
}
impl<N: New> Inserts for N {}

/// Inserts rows of any variants of a model as one unit.
pub(crate) fn insert_variants<'a, B: Insertable, I: IntoInsert<B>>(
    raw: Raw<'a>,
    rows: impl IntoIterator<Item = I>,
    site: Site,
) -> Pending<'a, Vec<B>> {
    Pending::steps(bulk::insert_all(raw, batch_of::<B, I>(rows), site))
}

fn batch_of<M: Model, I: IntoInsert<M>>(rows: impl IntoIterator<Item = I>) -> Batch {
    let rows = rows.into_iter();
    let mut batch = Batch::of_about(M::TABLE, rows.size_hint().0);
    rows.for_each(|r| r.add_to(&mut batch));
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
        Self: Insertable + Mutable,
    {
        Update::of(self)
    }
    /// The row as it is in the database now. `NotFound` when it is gone.
    #[track_caller]
    fn refresh<'a, E: Serves<Self> + ?Sized>(&self, ex: &'a E) -> Pending<'a, Self> {
        if Self::TABLE.key.is_empty() {
            return Pending::failed(keyless(Self::TABLE));
        }
        reread(ex.raw(), self, false, Location::caller())
    }
    /// Computes the rows of a materialized view anew. Nobody can read them meanwhile, unless it is done
    /// [`concurrently`](Refresh::concurrently).
    ///
    /// ```sql
    /// REFRESH MATERIALIZED VIEW "daily_sales"
    /// ```
    #[track_caller]
    fn refresh_view<E: Writer + ?Sized>(ex: &E) -> Refresh<'_>
    where
        Self: Materialized,
    {
        Refresh::of(ex.raw(), Self::TABLE, Location::caller())
    }
    /// Locks the row until the transaction ends (`FOR UPDATE`), and returns it. `Stale` when the model has a version and
    /// somebody changed the row since it was read: [`refresh`](Record::refresh) it then, and decide anew. `NotFound` when
    /// it is gone.
    ///
    /// ```sql
    /// SELECT t0."id", … FROM "posts" AS t0 WHERE t0."id" = $1 FOR UPDATE
    /// ```
    #[track_caller]
    fn lock<'a, E: InTx + Writes<Self>>(&self, tx: &'a E) -> Pending<'a, Self>
    where
        Self: Insertable + Mutable,
    {
        reread(tx.raw(), self, true, Location::caller())
    }
    /// A change of this row in place: assign to its fields, then `.save(&db)` writes the columns that differ.
    fn edit(self) -> Edit<Self>
    where
        Self: Insertable + Mutable + Clone,
    {
        Edit::new(self)
    }
    /// Deletes this row: softly where the model says so, with what its relations take along (`cascade = delete`).
    /// Whether there was one. `Stale` when somebody changed it since.
    #[track_caller]
    fn delete<E: Writes<Self> + ?Sized>(self, ex: &E) -> Pending<'_, bool>
    where
        Self: Insertable + Mutable,
    {
        let update = Update::of(&self);
        let (raw, site) = (ex.raw(), Location::caller());
        Pending::steps(delete_row(raw, update, site))
    }
    /// Brings back a soft-deleted row, and what was deleted with it. Whether there was one; `UniqueViolation` when its place has been taken.
    #[track_caller]
    fn restore<E: Writes<Self> + ?Sized>(ex: &E, id: Self::Id) -> Pending<'_, bool>
    where
        Self: Insertable + Mutable + SoftDelete,
    {
        let (raw, site) = (ex.raw(), Location::caller());
        if cascades(Self::TABLE) {
            return Pending::steps(cascade::restore(raw, Self::TABLE, id.into_values(), site));
        }
        let source = Source::fresh();
        let set = soft_delete_set(Self::TABLE, source, true);
        let filter = key_filter(Self::TABLE, source, id);
        let update = update_statement(Self::TABLE, source, set, filter, Deleted::Only);
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
        Self: Insertable + Mutable + SoftDelete,
    {
        let source = Source::fresh();
        let filter = key_filter(Self::TABLE, source, id);
        let (raw, site) = (ex.raw(), Location::caller());
        if cascades(Self::TABLE) {
            return Pending::steps(async move {
                let purged = cascade::delete(
                    raw,
                    Self::TABLE,
                    source,
                    filter,
                    (Mode::Purge, Unfiltered::ALL),
                    site,
                );
                Ok(purged.await? > 0)
            });
        }
        let delete = delete_statement(Self::TABLE, source, filter, Deleted::Included);
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
    /// The rows that a relation leads to from this row, step by step: see [`Walk`]. A row that was deleted softly leads
    /// nowhere, unless the walk goes [`with_deleted`](Walk::with_deleted).
    fn walk<R: Rel<Parent = Self>>(&self, f: impl FnOnce(Self::Cols<Self>) -> RelRef<Self, R>) -> Walk<R>
    where
        R::Child: LeadsBack<Self>,
    {
        Self::query().with_key(self.id().into_values()).walk(f)
    }
    /// Puts this row, with all that is under it, under another one, or at the top: `rock.move_to(&db, |c| c.parent,
    /// Some(music.id))`. Returns the row.
    ///
    /// Nothing but the foreign key is written. What stands above the new place is locked and looked through in the same
    /// transaction, so that nobody can make a cycle by moving at the same time. A row under itself, or under one that is
    /// under it, is a `Cycle` error. `NotFound` when the new place is not there or cannot be seen, `Stale` as in
    /// [`save`](Update::save), `InvalidQuery` when the relation is no `belongs_to`, or a row must have one and the place
    /// is `None`.
    #[track_caller]
    fn move_to<'a, E, R>(
        &self,
        ex: &'a E,
        up: impl FnOnce(Self::Cols<Self>) -> RelRef<Self, R>,
        place: Option<Self::Id>,
    ) -> Pending<'a, Self>
    where
        Self: Insertable + Mutable,
        E: Writes<Self> + ?Sized,
        R: Rel<Parent = Self>,
        R::Child: LeadsBack<Self>,
        R::Card: LeadsUp,
    {
        // what the closure returns is known by its type
        up(Self::cols(Source::ROOT));
        tree::move_to::<Self, R>(self, ex.raw(), place, Location::caller())
    }
    /// A change of all rows that meet the condition.
    fn update_where<C: Cond<Self>>(f: impl FnOnce(Self::Cols<Self>) -> C) -> UpdateWhere<Self>
    where
        Self: Insertable + Mutable,
    {
        UpdateWhere::new(|source| f(Self::cols(source)).into_cond())
    }
    /// New rows from a query: the closure gets the columns of this model and of the query's rows, and assigns the ones to
    /// the others. What is not assigned takes its default; timestamps, versions, actor and tenant are filled in as for
    /// every insert. The rows never leave the database.
    ///
    /// ```
    /// # use orm_core::{exec::{Db, Record, Serves, Writes}, model::{Insertable, Model}, query::{Col, Query}};
    /// # async fn archive<Old: Insertable, Post: Model>(db: &Db, gone: Query<Post, (i64, String)>,
    /// #     post_id: fn(Old::Cols<Old>) -> Col<Old, i64>, title: fn(Old::Cols<Old>) -> Col<Old, String>)
    /// # -> orm_core::error::Result<()> where Db: Writes<Old> + Serves<Post> {
    /// // let gone = Post::query().filter(|p| p.views.eq(0)).select(|p| (p.id, p.title));
    /// let archived: u64 = Old::insert_from(gone, |new, (id, name)| (post_id(new).to(id), title(new).to(name)))
    ///     .exec(db)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// ```sql
    /// INSERT INTO "olds" ("post_id", "title") SELECT t0."id", t0."title" FROM "posts" AS t0 WHERE t0."views" = $1
    /// ```
    ///
    /// A column without a default that is not assigned is an `InvalidQuery` error that names it, before anything is sent.
    /// Validators and hooks see the rows afterwards, in the same transaction, as they see those of `update_where`.
    fn insert_from<Q: Root, A: Sets<Self>>(
        query: Q,
        f: impl FnOnce(Self::Cols<Self>, <Q::Row as SourceRow>::Cols<Self>) -> A,
    ) -> InsertFrom<Self, Q>
    where
        Self: Insertable,
    {
        InsertFrom::new(query, f)
    }
    /// Deletes all rows that meet the condition.
    fn delete_where<C: Cond<Self>>(f: impl FnOnce(Self::Cols<Self>) -> C) -> DeleteWhere<Self>
    where
        Self: Insertable + Mutable,
    {
        DeleteWhere::new(|source| Some(f(Self::cols(source)).into_cond()))
    }
    /// Deletes all rows.
    fn delete_everything() -> DeleteWhere<Self>
    where
        Self: Insertable + Mutable,
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
        self.save_by(ex.raw(), Location::caller())
    }
    /// The UPDATE, unless no column was set.
    pub(crate) fn into_statement(self) -> Option<Statement> {
        let Update {
            source,
            mut set,
            mut key,
            version,
            ..
        } = self;
        if set.is_empty() {
            return None;
        }
        touch(M::TABLE, source, &mut set);
        key.extend(version);
        Some(returning_update::<M>(source, set, key, Unfiltered::ALL))
    }
    pub(crate) fn save_by(self, raw: Raw<'_>, site: Site) -> Pending<'_, M> {
        let Update {
            source,
            mut set,
            key,
            version,
            ..
        } = self;
        if set.is_empty() {
            let mut ast = Select::from(by_key::<M>(source));
            ast.columns = all_fields::<M>(source);
            ast.filter = key;
            return select::<M, _>(raw, Box::new(ast), M::TABLE, changed_row::<M>, site);
        }
        touch(M::TABLE, source, &mut set);
        let Some(version) = version else {
            let update = returning_update::<M>(source, set, key, Unfiltered::ALL);
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
            let update = returning_update::<M>(source, set, filter, Unfiltered::ALL);
            let done = step(&raw, update, Some(M::TABLE), Collect::<M>::boxed(), site).await?;
            match Collect::<M>::take(done.sink)?.pop() {
                Some(row) => Ok(row),
                None if still_there::<M>(&raw, source, key, site).await? => Err(stale(M::TABLE)),
                None => Err(Error::not_found(M::TABLE.model)),
            }
        })
    }
}

/// The row of the key of the one in hand; locked, it must be at the version that was read.
fn reread<'a, M: Model>(raw: Raw<'a>, row: &M, lock: bool, site: Site) -> Pending<'a, M> {
    let source = Source::fresh();
    let mut ast = Select::from(by_key::<M>(source));
    ast.columns = all_fields::<M>(source);
    ast.filter = key_filter(M::TABLE, source, row.id());
    if !lock {
        return select::<M, _>(raw, Box::new(ast), M::TABLE, changed_row::<M>, site);
    }
    ast.lock = Some(Lock {
        strength: LockStrength::Update,
        of: Vec::new(),
        wait: LockWait::Wait,
    });
    let version = row.version();
    Pending::steps(async move {
        let now = select::<M, _>(raw, Box::new(ast), M::TABLE, changed_row::<M>, site).await?;
        match now.version() == version {
            true => Ok(now),
            false => Err(stale(M::TABLE)),
        }
    })
}

/// A reference that finds a row by a key in hand, whether or not it meets the named filters.
fn by_key<M: Model>(source: Source) -> TableRef {
    let mut table = table_ref::<M>(source);
    table.guard.unfiltered = Unfiltered::ALL;
    table
}

fn returning_update<M: Model>(
    source: Source,
    set: Vec<(&'static Column, Node)>,
    filter: Vec<Node>,
    unfiltered: Unfiltered,
) -> Statement {
    let mut update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
    update.guard.unfiltered = unfiltered;
    update.returning = all_fields::<M>(source);
    Statement::Update(Box::new(update))
}

/// The rows of a view without a key cannot be found again.
#[cold]
pub(crate) fn keyless(table: &'static Table) -> Error {
    let text = "a view without a primary key has no way to find one of its rows again";
    Error::new(ErrorKind::InvalidQuery, text).with_model(table.model)
}

#[cold]
pub(crate) fn stale(table: &'static Table) -> Error {
    Error::new(ErrorKind::Stale, "the row was changed since it was read").with_model(table.model)
}

/// Whether a live row with this key exists.
async fn still_there<M: Model>(raw: &Raw<'_>, source: Source, key: Vec<Node>, site: Site) -> Result<bool> {
    let mut ast = Select::from(by_key::<M>(source));
    ast.filter = key;
    finds_row(raw, ast, M::TABLE, site).await
}

async fn delete_row<M: Writable>(raw: Raw<'_>, row: Update<M>, site: Site) -> Result<bool> {
    let Update {
        source, key, version, ..
    } = row;
    let versioned = version.is_some();
    let mut filter = key.clone();
    filter.extend(version);
    let deleted = if cascades(M::TABLE) {
        cascade::delete(
            raw.again(),
            M::TABLE,
            source,
            filter,
            (Mode::Delete, Unfiltered::ALL),
            site,
        )
        .await?
    } else {
        let write = delete_or_hide(M::TABLE, source, filter, Unfiltered::ALL);
        step(&raw, write, Some(M::TABLE), Box::new(Discard), site)
            .await?
            .affected
    };
    if deleted == 0 && versioned && still_there::<M>(&raw, source, key, site).await? {
        return Err(stale(M::TABLE));
    }
    Ok(deleted > 0)
}
