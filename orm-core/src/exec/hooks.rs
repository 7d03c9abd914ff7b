//! Validators and hooks: what a model says about writes of its rows, whichever way they come.
//!
//! Every write of a model's table passes here: single rows, bulk, upserts, set-based writes, links, cascades, units of
//! work. A table without validators, hooks and audit trail pays one comparison.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;

use crate::ast::{
    Column as AstColumn, CompareOp, ConflictAction, Deleted, Expr as Node, FromItem, Guard, InsertSource,
    Join, JoinKind, Lock, LockStrength, LockWait, Select, Source, Statement, TableRef,
};
use crate::driver::{BoxFuture, Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::bulk::fix_clock;
use crate::exec::collect::other_sink;
use crate::exec::edit::{Change, changes, key_of};
use crate::exec::fetch::{Site, plain_inserts, plain_step};
use crate::exec::key::{Key, among};
use crate::exec::repeats::apart;
use crate::exec::transaction::Unit;
use crate::exec::{AllowsRead, AllowsWrite, Exec, Raw, trail};
use crate::model::{Audited, Insertable, Model, Signed, TenantScoped, Tenanted};
use crate::query::{Col, InsertParts, Sets, nodes};
use crate::schema::{Column, Table, Validator};
use crate::value::{Cells, Held, Row, SqlType, Value, finished_one, read};

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
    /// How many rows of values are written: one for each new row, one for a change however many rows it meets.
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
    /// Asks the validators of the columns about values; whether the database calculates one that has a validator.
    fn validate(&self) -> Result<bool> {
        let mut unknown = self.kind == WriteKind::Upsert;
        for column in self.table.columns {
            let (Some(validator), Some(at)) = (&column.validator, self.at(column)) else {
                continue;
            };
            for row in &self.rows {
                match row.get(at) {
                    Some(Node::Value(value)) => {
                        check(self.table, Some(column), validator, std::slice::from_ref(value))?
                    }
                    _ => unknown = true,
                }
            }
        }
        Ok(unknown)
    }
    /// Asks all validators about whole rows.
    fn validate_rows(&self) -> Result<()> {
        self.after
            .iter()
            .try_for_each(|row| validate_row(self.table, row))
    }
}

/// Asks all validators of a table about the values of a row's fields.
pub(crate) fn validate_row(table: &Table, row: &[Value]) -> Result<()> {
    for (column, value) in table.columns.iter().zip(row) {
        if let Some(validator) = &column.validator {
            check(table, Some(column), validator, std::slice::from_ref(value))?;
        }
    }
    let mut of_rows = table.validators.iter();
    of_rows.try_for_each(|validator| check(table, None, validator, row))?;
    // a row of an enum is one of a variant, and has to be right as that
    match table.variant_of(row) {
        Some((variant, values)) => validate_row(variant, &values),
        None => Ok(()),
    }
}

/// Whether rows as a whole are asked about.
fn asks_rows(table: &Table) -> bool {
    !table.validators.is_empty() || table.variants.iter().any(|v| v().validated)
}

/// Hooks are those of one model. What writes rows of an enum does not run those of its variants, and must not go past
/// them.
fn refuse_hooked(table: &'static Table) -> Result<()> {
    let Some(variant) = table.variants.iter().map(|v| v()).find(|v| v.hooks.is_some()) else {
        return Ok(());
    };
    let name = variant.model;
    let text =
        format!("`{name}` has hooks, which a write of all variants does not run: write rows of `{name}`");
    Err(Error::new(ErrorKind::Unsupported, text).with_model(table.model))
}

fn check(table: &Table, column: Option<&Column>, validator: &Validator, values: &[Value]) -> Result<()> {
    let Err(why) = (validator.check)(values) else {
        return Ok(());
    };
    let e = Error::new(ErrorKind::Validation, why)
        .with_model(table.model)
        .with_constraint(validator.name);
    Err(match column {
        Some(column) => e.with_field(column.field),
        None => e,
    })
}

/// The table, when its writes are looked at.
pub(crate) fn watched(table: Option<&'static Table>) -> Option<&'static Table> {
    table.filter(|t| t.hooks.is_some() || t.validated || t.trail.is_some())
}

/// A write by condition meets rows that nobody has seen: hooks that need them have to be told to read them.
pub(crate) fn refuse_unseen(table: &'static Table, each: bool) -> Result<()> {
    if each || !HookTable::of_table(table).is_some_and(|hooks| hooks.rows) {
        return Ok(());
    }
    let text = "the hooks of this model need its rows: say `.each()`, which reads them before the write";
    Err(Error::new(ErrorKind::InvalidQuery, text).with_model(table.model))
}

/// Asks the hooks before an upsert, ahead of the search for the row that is there: they may change what it is found by.
/// The statement then runs with `asked`.
pub(crate) async fn before_upsert(
    raw: &Raw<'_>,
    table: &'static Table,
    parts: &mut InsertParts,
) -> Result<()> {
    if let Some(hooks) = HookTable::of_table(table) {
        let columns = parts.columns.iter().map(|c| &c.column).collect();
        let rows = rows_of(&parts.rows, parts.columns.len());
        let mut event = Event::new(table, WriteKind::Upsert, columns, rows);
        (hooks.before)(&mut event, &HookHandle(raw.again())).await?;
        put_rows(&mut parts.rows, event.rows);
    }
    Ok(())
}

/// Runs a statement under the hooks and validators of its table; `asked`: what comes before it has run.
pub(crate) async fn statement(
    raw: &Raw<'_>,
    mut statement: Statement,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
    asked: bool,
) -> Result<Done> {
    let Some(event) = event_of(&statement, table) else {
        return plain_step(raw, statement, Some(table), sink, site).await;
    };
    refuse_hooked(table)?;
    let hooks = HookTable::of_table(table);
    let mut run = Run { table, hooks, event };
    let trail = table.trail.is_some();
    if hooks.is_none() && !run.event.validate()? && !asks_rows(table) && !trail {
        return plain_step(raw, statement, Some(table), sink, site).await;
    }
    let unit = Unit::open(raw.again(), site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        if trail {
            fix_clock(&mut raw, 2, site).await?;
        }
        // a DELETE gives back what it removes; only hooks have to see it before
        let hooked = hooks.is_some_and(|h| h.rows);
        let gives_gone = trail && !hooked && matches!(statement, Statement::Delete(_));
        if (hooked || trail)
            && !gives_gone
            && let Some(select) = rows_met_by(&statement, table)
        {
            run.event.before = read_rows(&raw, select, table, site).await?;
            only_those(&raw, &mut statement, table, &run.event.before);
        }
        let wants_rows = run.before(&raw, asked).await?;
        write_back(&mut statement, &run.event);
        if (hooked || trail)
            && let Some(select) = rows_in_the_way(&statement, table)
        {
            run.event.before = read_rows(&raw, select, table, site).await?;
        }
        let gone = matches!(statement, Statement::Delete(_));
        let back = match wants_rows && (!gone || gives_gone) {
            true => give_back(&mut statement, table),
            false => None,
        };
        let (tee, rows) = match back {
            Some((at, forward)) => (Tee::boxed(sink, forward, table, at), true),
            None => (sink, false),
        };
        let mut done = plain_step(&raw, statement, Some(table), tee, site).await?;
        if rows {
            let (sink, rows) = Tee::take(done.sink)?;
            done.sink = sink;
            match gone {
                true => run.event.before = rows,
                false => run.event.after = rows,
            }
        }
        unit.sent(run.after(&raw, site).await).await?;
        Ok(done)
    };
    let outcome = apart(outcome).await;
    unit.end(outcome).await
}

/// Runs the inserts of a batch under the hooks and validators of their table.
pub(crate) async fn inserts(
    raw: &Raw<'_>,
    mut batch: Vec<InsertParts>,
    table: &'static Table,
    mut sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let hooks = HookTable::of_table(table);
    let run = |parts: &InsertParts| {
        let columns = parts.columns.iter().map(|c| &c.column).collect();
        let rows = rows_of(&parts.rows, parts.columns.len());
        let event = Event::new(table, WriteKind::Insert, columns, rows);
        Run { table, hooks, event }
    };
    refuse_hooked(table)?;
    if hooks.is_none() && !asks_rows(table) && table.trail.is_none() {
        let mut unknown = false;
        for parts in &batch {
            unknown |= run(parts).event.validate()?;
        }
        if !unknown {
            return plain_inserts(raw, batch, table, sink, site).await;
        }
    }
    let unit = Unit::open(raw.again(), site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        if table.trail.is_some() {
            fix_clock(&mut raw, 2, site).await?;
        }
        let mut affected = 0;
        for mut parts in batch.drain(..) {
            let mut run = run(&parts);
            let wants_rows = run.before(&raw, false).await?;
            put_rows(&mut parts.rows, run.event.rows.clone());
            let forward = parts.returning;
            if wants_rows {
                parts.returning = true;
                sink = Tee::boxed(sink, forward, table, 0);
            }
            let mut done = plain_inserts(&raw, vec![parts], table, sink, site).await?;
            if wants_rows {
                let (inner, rows) = Tee::take(done.sink)?;
                done.sink = inner;
                run.event.after = rows;
            }
            sink = done.sink;
            affected += done.affected;
            unit.sent(run.after(&raw, site).await).await?;
        }
        Ok(Done { sink, affected })
    };
    let outcome = outcome.await;
    unit.end(outcome).await
}

/// One write under way.
struct Run {
    table: &'static Table,
    hooks: Option<&'static HookTable>,
    event: Event,
}

impl Run {
    /// Hooks and validators before the write; whether its rows have to come back.
    async fn before(&mut self, raw: &Raw<'_>, asked: bool) -> Result<bool> {
        if let Some(hooks) = self.hooks.filter(|_| !asked) {
            (hooks.before)(&mut self.event, &HookHandle(raw.again())).await?;
        }
        let unknown = self.event.validate()?;
        let asked = self.hooks.is_some_and(|h| h.rows);
        Ok(asked || unknown || asks_rows(self.table) || self.table.trail.is_some())
    }
    /// Validators, the audit trail and hooks after the write.
    async fn after(&mut self, raw: &Raw<'_>, site: Site) -> Result<()> {
        self.event.validate_rows()?;
        if let Some(log) = self.table.trail {
            let Event {
                kind, before, after, ..
            } = &self.event;
            trail::record(raw, self.table, log(), *kind, before, after, site).await?;
        }
        match self.hooks {
            Some(hooks) => (hooks.after)(&mut self.event, &HookHandle(raw.again())).await,
            None => Ok(()),
        }
    }
}

/// What a statement writes, if it writes.
fn event_of(statement: &Statement, table: &'static Table) -> Option<Event> {
    match statement {
        Statement::Insert(insert) => {
            let kind = match &insert.conflict {
                Some(c) if matches!(c.action, ConflictAction::Update { .. }) => WriteKind::Upsert,
                _ => WriteKind::Insert,
            };
            let rows = rows_of(&insert.rows, insert.columns.len());
            Some(Event::new(table, kind, insert.columns.clone(), rows))
        }
        Statement::Update(update) => {
            let (columns, row) = update.set.iter().map(|a| (a.column, a.value.clone())).unzip();
            let deleted_at = table.managed.deleted_at.map(|i| &table.columns[i].column);
            let hides = update.set.iter().find(|a| Some(a.column) == deleted_at);
            let kind = match hides.map(|a| &a.value) {
                None => WriteKind::Update,
                Some(Node::Value(Value::Null(_))) => WriteKind::Restore,
                Some(_) => WriteKind::Delete,
            };
            Some(Event::new(table, kind, columns, vec![row]))
        }
        Statement::Delete(_) => Some(Event::new(table, WriteKind::Delete, Vec::new(), Vec::new())),
        Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => None,
    }
}

/// The rows of an INSERT, each as a list of nodes.
pub(crate) fn rows_of(source: &InsertSource, width: usize) -> Vec<Vec<Node>> {
    match source {
        InsertSource::Default => vec![Vec::new()],
        InsertSource::Rows(nodes) => nodes.chunks(width.max(1)).map(<[Node]>::to_vec).collect(),
        InsertSource::Values(values) => {
            let row = |row: &[Value]| row.iter().cloned().map(Node::Value).collect();
            values.chunks(width.max(1)).map(row).collect()
        }
        InsertSource::Arrays { arrays, constant } => {
            let items = |array: &Value| match array {
                Value::Array(_, items) => items.clone(),
                _ => Vec::new(),
            };
            let lists: Vec<Vec<Value>> = arrays.iter().map(items).collect();
            let row = |i: usize| {
                let own = lists
                    .iter()
                    .filter_map(|list| list.get(i).cloned().map(Node::Value));
                own.chain(constant.iter().cloned()).collect()
            };
            (0..lists.first().map_or(0, Vec::len)).map(row).collect()
        }
        InsertSource::Query(_) => Vec::new(),
    }
}

/// Puts rows back in the form they came in.
fn put_rows(source: &mut InsertSource, rows: Vec<Vec<Node>>) {
    let values = |row: Vec<Node>| {
        let value = |node| match node {
            Node::Value(value) => Some(value),
            _ => None,
        };
        row.into_iter().map(value).collect::<Option<Vec<Value>>>()
    };
    match source {
        InsertSource::Default | InsertSource::Query(_) => {}
        InsertSource::Rows(nodes) => *nodes = rows.into_iter().flatten().collect(),
        InsertSource::Values(list) => {
            let all: Option<Vec<Vec<Value>>> = rows.iter().cloned().map(values).collect();
            match all {
                Some(all) => *list = all.into_iter().flatten().collect(),
                None => *source = InsertSource::Rows(rows.into_iter().flatten().collect()),
            }
        }
        InsertSource::Arrays { arrays, constant } => {
            let leading = arrays.len();
            for (i, mut row) in rows.into_iter().enumerate() {
                let rest = row.split_off(leading.min(row.len()));
                for (array, node) in arrays.iter_mut().zip(row) {
                    if let (Value::Array(_, items), Node::Value(value)) = (array, node)
                        && let Some(slot) = items.get_mut(i)
                    {
                        *slot = value;
                    }
                }
                *constant = rest;
            }
        }
    }
}

fn write_back(statement: &mut Statement, event: &Event) {
    match statement {
        Statement::Insert(insert) => put_rows(&mut insert.rows, event.rows.clone()),
        Statement::Update(update) => {
            let row = event.rows.first().cloned().unwrap_or_default();
            for (assignment, value) in update.set.iter_mut().zip(row) {
                assignment.value = value;
            }
        }
        Statement::Delete(_) | Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => {}
    }
}

/// A select of the rows that a change or a delete meets, locked until the transaction ends.
fn rows_met_by(statement: &Statement, table: &'static Table) -> Option<Select> {
    let (source, guard, from, joins, filter): (_, _, &[TableRef], &[Join], _) = match statement {
        Statement::Update(u) => (u.source, u.guard, &u.from, &u.joins, &u.filter),
        Statement::Delete(d) => (d.source, d.guard, &d.using, &[], &d.filter),
        _ => return None,
    };
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard,
    });
    select.columns = fields(table, source);
    let cross = |table: &TableRef| Join {
        kind: JoinKind::Cross,
        table: table.clone(),
        on: Vec::new(),
    };
    select.joins = from.iter().map(cross).chain(joins.iter().cloned()).collect();
    select.filter = filter.clone();
    select.lock = Some(Lock {
        strength: LockStrength::Update,
        of: vec![source],
        wait: LockWait::Wait,
    });
    Some(select)
}

/// The rows that an upsert finds there, locked. `None` when it writes a key column that the database fills, or more than
/// one row.
fn rows_in_the_way(statement: &Statement, table: &'static Table) -> Option<Select> {
    let Statement::Insert(insert) = statement else {
        return None;
    };
    let conflict = insert.conflict.as_ref()?;
    if matches!(conflict.action, ConflictAction::Nothing) {
        return None;
    }
    let rows = rows_of(&insert.rows, insert.columns.len());
    let [row] = rows.as_slice() else { return None };
    let source = Source::fresh();
    let guard = Guard {
        deleted: match table.managed.deleted_at {
            Some(_) => Deleted::Included,
            None => Deleted::Hidden,
        },
        ..Guard::default()
    };
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard,
    });
    for column in &conflict.target {
        let at = insert.columns.iter().position(|c| std::ptr::eq(*c, *column))?;
        let (left, right) = (Node::Column(source, column), row.get(at)?.clone());
        let same = Node::Compare(CompareOp::Eq, Box::new(left), Box::new(right));
        select.filter.push(same);
    }
    select.columns = fields(table, source);
    select.lock = Some(Lock {
        strength: LockStrength::Update,
        of: Vec::new(),
        wait: LockWait::Wait,
    });
    Some(select)
}

async fn read_rows(
    raw: &Raw<'_>,
    select: Select,
    table: &'static Table,
    site: Site,
) -> Result<Vec<Vec<Value>>> {
    let tee = Tee::boxed(Box::new(Discard), false, table, 0);
    let done = plain_step(raw, Statement::Select(Box::new(select)), Some(table), tee, site).await?;
    Ok(Tee::take(done.sink)?.1)
}

/// Where others write at the same time, rows may have come to meet the condition since these were read: they are left
/// alone, as if the write had run at the moment of the read.
fn only_those(raw: &Raw<'_>, statement: &mut Statement, table: &'static Table, rows: &[Vec<Value>]) {
    if !raw.runner.dialect().features().row_locks {
        return;
    }
    let (source, filter) = match statement {
        Statement::Update(update) => (update.source, &mut update.filter),
        Statement::Delete(delete) => (delete.source, &mut delete.filter),
        _ => return,
    };
    let key = nodes(source, table.key_columns());
    let keys: Vec<Key> = rows.iter().map(|row| Key::new(key_of(table, row))).collect();
    filter.push(Node::Any(among(&key, &keys, raw)));
}

/// How many columns are looked at: the audit trail holds those that are no fields as well.
fn width(table: &Table) -> usize {
    match table.trail {
        Some(_) => table.columns.len(),
        None => table.fields,
    }
}

fn fields(table: &'static Table, source: Source) -> Vec<Node> {
    nodes(source, &table.columns[..width(table)])
}

/// Makes a write give its rows back; at which column they begin, and whether somebody else wants what comes back.
fn give_back(statement: &mut Statement, table: &'static Table) -> Option<(usize, bool)> {
    let (source, returning) = match statement {
        Statement::Insert(insert) => (insert.source, &mut insert.returning),
        Statement::Update(update) => (update.source, &mut update.returning),
        Statement::Delete(delete) => (delete.source, &mut delete.returning),
        Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => return None,
    };
    let wanted = !returning.is_empty();
    let begins =
        |(own, field): (&Node, &Column)| matches!(own, Node::Column(_, c) if std::ptr::eq(*c, &field.column));
    let fields = &table.columns[..width(table)];
    if returning.len() >= fields.len() && returning.iter().zip(fields).all(begins) {
        return Some((0, wanted));
    }
    let at = returning.len();
    returning.extend(self::fields(table, source));
    Some((at, wanted))
}

/// Hands rows on, and keeps the values of the model's fields.
struct Tee {
    inner: Box<dyn Sink>,
    forward: bool,
    table: &'static Table,
    at: usize,
    rows: Vec<Vec<Value>>,
}

impl Tee {
    fn boxed(inner: Box<dyn Sink>, forward: bool, table: &'static Table, at: usize) -> Box<dyn Sink> {
        Box::new(Tee {
            inner,
            forward,
            table,
            at,
            rows: Vec::new(),
        })
    }
    fn take(sink: Box<dyn Sink>) -> Result<(Box<dyn Sink>, Vec<Vec<Value>>)> {
        let tee = sink.into_any().downcast::<Tee>().map_err(|_| other_sink())?;
        Ok((tee.inner, tee.rows))
    }
}

impl Sink for Tee {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let fields = self.table.columns[..width(self.table)].iter().enumerate();
        let value = |(i, c): (usize, &Column)| {
            let ty = c.column.ty;
            Ok(read(cells, self.at + i, ty)?.unwrap_or(Value::Null(ty)))
        };
        self.rows.push(fields.map(value).collect::<Result<_>>()?);
        if self.forward {
            self.inner.row(cells)
        } else {
            Ok(())
        }
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
