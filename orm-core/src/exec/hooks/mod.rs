//! Validators and hooks: what a model says about writes of its rows, whichever way they come.
//!
//! Every write of a model's table passes here: single rows, bulk, upserts, set-based writes, links, cascades, units of
//! work. A table without validators, hooks, audit trail, history and chain pays one comparison.

mod run;

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;

use crate::ast::{Column as AstColumn, Expr as Node, Source};
use crate::driver::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::edit::{Change, changes, key_of};
pub(crate) use crate::exec::hooks::run::{
    before_upsert, inserts, read_rows, refuse_unseen, rows_of, statement, validate_row, watched,
};
use crate::exec::{AllowsRead, AllowsWrite, Exec, Raw, Writer};
use crate::model::{Audited, Insertable, Model, Signed, TenantScoped, Tenanted};
use crate::query::{Col, Sets};
use crate::schema::{Column, Table};
use crate::value::{Held, Row, SqlType, Value, finished_one};

/// What is done to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteKind {
    /// New rows.
    Insert,
    /// New rows, or changes of the ones that are there.
    Upsert,
    /// Changes.
    Update,
    /// Rows go: softly where the model says so.
    Delete,
    /// Softly deleted rows come back.
    Restore,
}

/// What a model does before and after its rows are written. Asked for by `#[orm(hooks)]`.
///
/// Hooks run inside the transaction of the write, which is one of its own where there is none: an error of a hook
/// undoes the write. They see every write path. Statements that a hook runs through its handle are part of the same
/// transaction, and their own hooks run too.
///
/// ```
/// # use orm_core::error::{Error, ErrorKind, Result};
/// # use orm_core::exec::{HookHandle, Hooks, Write, WriteKind};
/// # use orm_core::model::Writable;
/// # struct User;
/// # trait Example: Writable {
/// async fn before(write: &mut Write<'_, Self>, _: &HookHandle<'_>) -> Result<()> {
///     match write.kind() {
///         WriteKind::Delete => Err(Error::new(ErrorKind::Validation, "rows of this table stay")),
///         _ => Ok(()),
///     }
/// }
/// # }
/// ```
pub trait Hooks: Insertable {
    /// The hooks need the rows as they are and as they become: changed and deleted rows are read before the write, and
    /// written rows come back. A write by condition has to say `.each()` then.
    const ROWS: bool = false;
    /// Runs on each row that was read, wherever it was read.
    fn loaded(&mut self) -> Result<()> {
        Ok(())
    }
    /// Runs before the write is sent; an error stops it.
    fn before<'a>(
        _write: &'a mut Write<'_, Self>,
        _db: &'a HookHandle<'_>,
    ) -> impl Future<Output = Result<()>> + Send + 'a {
        async { Ok(()) }
    }
    /// Runs after the write was sent, before it is committed; an error undoes it.
    fn after<'a>(
        _write: &'a Write<'_, Self>,
        _db: &'a HookHandle<'_>,
    ) -> impl Future<Output = Result<()>> + Send + 'a {
        async { Ok(()) }
    }
}

/// A model's hooks without its type. Made by generated code.
pub struct HookTable {
    rows: bool,
    before: for<'a> fn(&'a mut Event, &'a HookHandle<'_>) -> BoxFuture<'a, Result<()>>,
    after: for<'a> fn(&'a mut Event, &'a HookHandle<'_>) -> BoxFuture<'a, Result<()>>,
}

impl HookTable {
    /// The hooks of a model.
    pub const fn of<M: Hooks>() -> Self {
        HookTable {
            rows: M::ROWS,
            before: |event, db| Box::pin(async move { M::before(&mut Write::new(event), db).await }),
            after: |event, db| Box::pin(async move { M::after(&Write::new(event), db).await }),
        }
    }
    fn of_table(table: &Table) -> Option<&'static HookTable> {
        let hooks: &'static (dyn Any + Send + Sync) = (table.hooks?)();
        hooks.downcast_ref()
    }
}

/// The handle that hooks get: the transaction of the write, with its actor and tenant.
pub struct HookHandle<'a>(Raw<'a>);

impl HookHandle<'_> {
    /// Runs this once the transaction is committed, and never when it is undone: for what cannot be taken back, such
    /// as a message to another system.
    pub fn on_commit(&self, f: impl FnOnce() + Send + 'static) {
        if let Some(tx) = self.0.tx {
            tx.on_commit(Box::new(f));
        }
    }
}

#[diagnostic::do_not_recommend]
impl Writer for HookHandle<'_> {}
#[diagnostic::do_not_recommend]
impl Exec for HookHandle<'_> {
    fn raw(&self) -> Raw<'_> {
        self.0.again()
    }
}
// whose rows and by whom is what the handle of the write says; a statement that needs more fails when it is rendered
#[diagnostic::do_not_recommend]
impl<M: Tenanted> AllowsRead<HookHandle<'_>> for TenantScoped<M> {}
#[diagnostic::do_not_recommend]
impl<M: Signed> AllowsWrite<HookHandle<'_>> for Audited<M> {}

/// A write on its way, as its model's hooks see it.
pub struct Write<'a, M> {
    event: &'a mut Event,
    _p: PhantomData<fn() -> M>,
}

/// A write on its way: columns and values of new rows or of a change, and the rows around it where they are asked for.
pub struct Event {
    table: &'static Table,
    kind: WriteKind,
    /// Which columns are written.
    columns: Vec<&'static AstColumn>,
    /// What is written: a row of nodes for each new row, or one row of assignments.
    rows: Vec<Vec<Node>>,
    before: Vec<Vec<Value>>,
    after: Vec<Vec<Value>>,
}

impl<'a, M: Model> Write<'a, M> {
    fn new(event: &'a mut Event) -> Self {
        Write {
            event,
            _p: PhantomData,
        }
    }
    /// What is done.
    pub fn kind(&self) -> WriteKind {
        self.event.kind
    }
    /// The fields that are written.
    pub fn fields(&self) -> Vec<&'static str> {
        let table = self.event.table;
        let field = |c: &&'static AstColumn| table.position(c).map(|i| table.columns[i].field);
        self.event.columns.iter().filter_map(field).collect()
    }
    /// How many rows of values are written: one for each new row, one for a change however many rows it meets, and one
    /// for an insert from a query.
    pub fn len(&self) -> usize {
        self.event.rows.len()
    }
    /// Whether no value is written, as in a delete for good.
    pub fn is_empty(&self) -> bool {
        self.event.rows.is_empty()
    }
    /// What the row of this number writes to a column; `None` where it does not write it, or where the database
    /// calculates the value.
    ///
    /// # Errors
    /// `Decode` when the value does not fit the type of the column.
    pub fn value<T: SqlType, K>(
        &self,
        row: usize,
        f: impl FnOnce(M::Cols<M>) -> Col<M, T, K>,
    ) -> Result<Option<T>> {
        let column = f(M::cols(Source::ROOT)).def();
        match self.event.node(row, column) {
            Some(Node::Value(value)) => {
                <T as SqlType>::decode(&Held(std::slice::from_ref(value)), 0).map(Some)
            }
            _ => Ok(None),
        }
    }
    /// Writes another value. Before the write only.
    ///
    /// # Errors
    /// `InvalidQuery` for a column that this write does not write.
    pub fn set<A: Sets<M>>(&mut self, row: usize, f: impl FnOnce(M::Cols<M>) -> A) -> Result<()> {
        let mut set = Vec::new();
        f(M::cols(Source::ROOT)).add_to(&mut set);
        set.into_iter()
            .try_for_each(|(column, node)| self.event.replace(row, column, node))
    }
    /// The rows as they are before a change or a delete, with [`Hooks::ROWS`].
    ///
    /// # Errors
    /// `Decode` when a stored value does not fit its field.
    pub fn before(&self) -> Result<Vec<M>> {
        models(&self.event.before)
    }
    /// The rows as they are now, after an insert or a change, with [`Hooks::ROWS`].
    ///
    /// # Errors
    /// `Decode` when a stored value does not fit its field.
    pub fn after(&self) -> Result<Vec<M>> {
        models(&self.event.after)
    }
    /// What changed in each row that was there before and is there now, with [`Hooks::ROWS`].
    pub fn changes(&self) -> Vec<Vec<Change>> {
        let table = self.event.table;
        let now = |key: &[Value]| self.event.after.iter().find(|row| key_of(table, row) == key);
        // what is read for the audit trail may be more than the fields
        let fields = |row: &Vec<Value>| row.iter().take(table.fields).cloned().collect::<Vec<_>>();
        let diff = |row: &Vec<Value>| Some(changes(table, &fields(row), fields(now(&key_of(table, row))?)));
        self.event.before.iter().filter_map(diff).collect()
    }
}

fn models<M: Model>(rows: &[Vec<Value>]) -> Result<Vec<M>> {
    let model = |row: &Vec<Value>| finished_one::<M>(M::decode(&mut Row::new(&Held(row)))?);
    rows.iter().map(model).collect()
}

impl Event {
    fn new(
        table: &'static Table,
        kind: WriteKind,
        columns: Vec<&'static AstColumn>,
        rows: Vec<Vec<Node>>,
    ) -> Event {
        Event {
            table,
            kind,
            columns,
            rows,
            before: Vec::new(),
            after: Vec::new(),
        }
    }
    fn at(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|c| std::ptr::eq(*c, &column.column))
    }
    fn node(&self, row: usize, column: &Column) -> Option<&Node> {
        self.rows.get(row)?.get(self.at(column)?)
    }
    fn replace(&mut self, row: usize, column: &'static Column, node: Node) -> Result<()> {
        let at = self.at(column);
        match at.and_then(|at| self.rows.get_mut(row)?.get_mut(at)) {
            Some(slot) => *slot = node,
            None => {
                let text = "a hook can change what a write writes, and this column is not written";
                let e = Error::new(ErrorKind::InvalidQuery, text);
                return Err(e.with_model(self.table.model).with_field(column.field));
            }
        }
        Ok(())
    }
}
