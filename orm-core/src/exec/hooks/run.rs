//! What runs around a write: validators, hooks, the audit trail, and the reads they need.

use std::any::Any;
use std::collections::HashSet;

use crate::ast::{
    CompareOp, Conflict, ConflictAction, Deleted, Expr as Node, FromItem, Guard, Insert, InsertSource, Join,
    JoinKind, Lock, LockStrength, LockWait, Select, Source, Statement, TableRef, renumber,
};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::bulk::fix_clock;
use crate::exec::collect::other_sink;
use crate::exec::edit::key_of;
use crate::exec::fetch::{Site, plain_inserts, plain_step};
use crate::exec::hooks::{Event, HookHandle, HookTable, WriteKind};
use crate::exec::key::{Key, among};
use crate::exec::repeats::apart;
use crate::exec::transaction::Unit;
use crate::exec::{Raw, chain, trail};
use crate::query::{InsertParts, in_hand, nodes};
use crate::schema::{Column, Table, Validator};
use crate::value::{Cells, Value, read};

impl Event {
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
    table.filter(|t| t.hooks.is_some() || t.validated || t.reads_all() || t.has_triggers())
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
    let trail = table.own_trail().is_some();
    if hooks.is_none() && !run.event.validate()? && !asks_rows(table) && !table.reads_all() {
        let mut raw = raw.again();
        fix_clock(&mut raw, 1, site).await?;
        return plain_step(&raw, statement, Some(table), sink, site).await;
    }
    let unit = Unit::open(raw.again(), site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        fix_clock(&mut raw, if trail { 2 } else { 1 }, site).await?;
        // a DELETE gives back what it removes; only hooks have to see it before
        let hooked = hooks.is_some_and(|h| h.rows);
        let gives_gone = trail && !hooked && matches!(statement, Statement::Delete(_));
        if (hooked || trail)
            && !gives_gone
            && let Some(select) = rows_met_by(&statement, table)
        {
            run.event.before = read_rows(&raw, select, table, looked_at(table), site).await?;
            once_each(table, &mut run.event.before);
            only_those(&raw, &mut statement, table, &run.event.before);
        }
        let wants_rows = run.before(&raw, asked).await?;
        write_back(&mut statement, &run.event);
        if (hooked || trail)
            && let Some(select) = rows_in_the_way(&statement, table)
        {
            run.event.before = read_rows(&raw, select, table, looked_at(table), site).await?;
        }
        let gone = matches!(statement, Statement::Delete(_));
        let back = match wants_rows && (!gone || gives_gone) {
            true => give_back(&mut statement, table),
            false => None,
        };
        let (tee, rows) = match back {
            Some((at, forward)) => (Tee::boxed(sink, forward, looked_at(table), at), true),
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
    if hooks.is_none() && !asks_rows(table) && !table.reads_all() {
        let mut unknown = false;
        for parts in &batch {
            unknown |= run(parts).event.validate()?;
        }
        if !unknown {
            let mut raw = raw.again();
            fix_clock(&mut raw, 1, site).await?;
            return plain_inserts(&raw, batch, table, sink, site).await;
        }
    }
    let unit = Unit::open(raw.again(), site).await?;
    let mut raw = unit.raw();
    let outcome = async {
        let statements = if table.own_trail().is_some() { 2 } else { 1 };
        fix_clock(&mut raw, statements, site).await?;
        let mut affected = 0;
        for mut parts in batch.drain(..) {
            let mut run = run(&parts);
            let wants_rows = run.before(&raw, false).await?;
            put_rows(&mut parts.rows, run.event.rows.clone());
            let forward = parts.returning;
            if wants_rows {
                parts.returning = true;
                sink = Tee::boxed(sink, forward, looked_at(table), 0);
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
        Ok(asked || unknown || asks_rows(self.table) || self.table.reads_all())
    }
    /// Validators, the audit trail and hooks after the write.
    async fn after(&mut self, raw: &Raw<'_>, site: Site) -> Result<()> {
        self.event.validate_rows()?;
        let Event {
            kind, before, after, ..
        } = &self.event;
        if let Some(log) = self.table.own_trail() {
            trail::record(raw, self.table, log, *kind, before, after, site).await?;
        }
        if let Some(chain) = self.table.chain {
            chain::append(raw, self.table, chain, after, site).await?;
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
                Value::Array(_, items) => items.to_vec(),
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
        // one row of expressions, as a change has one, however many rows there are
        InsertSource::Query(query) => vec![query.columns.clone()],
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
        InsertSource::Default => {}
        InsertSource::Query(query) => query.columns = rows.into_iter().next().unwrap_or_default(),
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
    if let InsertSource::Query(query) = &insert.rows {
        return Some(rows_in_the_way_of(query, insert, conflict, table));
    }
    let rows = rows_of(&insert.rows, insert.columns.len());
    let [row] = rows.as_slice() else { return None };
    let source = Source::fresh();
    let guard = Guard {
        deleted: match table.managed.deleted_at {
            Some(_) => Deleted::Included,
            None => Deleted::Hidden,
        },
        ..in_hand(Deleted::Hidden)
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

/// The rows that an upsert from a query finds there, locked.
fn rows_in_the_way_of(query: &Select, insert: &Insert, conflict: &Conflict, table: &'static Table) -> Select {
    let (source, proposed) = (Source::fresh(), Source::fresh());
    let mut query = Box::new(query.clone());
    renumber(&mut query);
    let columns: Vec<&'static str> = insert.columns.iter().map(|c| c.name).collect();
    let mut inner = Select::from(TableRef::unguarded(
        proposed,
        FromItem::Query {
            query,
            columns,
            lateral: false,
        },
    ));
    inner.columns = vec![Node::one()];
    inner.filter = conflict
        .target
        .iter()
        .map(|c| {
            let new = Node::Field(proposed, c.name, c.ty);
            Node::Compare(CompareOp::Eq, Box::new(Node::Column(source, c)), Box::new(new))
        })
        .collect();
    let mut select = Select::from(TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard: in_hand(Deleted::Included),
    });
    select.filter = vec![Node::Exists(Box::new(inner))];
    select.columns = fields(table, source);
    select.lock = Some(Lock {
        strength: LockStrength::Update,
        of: Vec::new(),
        wait: LockWait::Wait,
    });
    select
}

pub(crate) async fn read_rows(
    raw: &Raw<'_>,
    select: Select,
    table: &'static Table,
    columns: &'static [Column],
    site: Site,
) -> Result<Vec<Vec<Value>>> {
    let tee = Tee::boxed(Box::new(Discard), false, columns, 0);
    let done = plain_step(raw, Statement::Select(Box::new(select)), Some(table), tee, site).await?;
    Ok(Tee::take(done.sink)?.1)
}

/// A row that is joined with several others is met several times.
fn once_each(table: &'static Table, rows: &mut Vec<Vec<Value>>) {
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(Key::new(key_of(table, row))));
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

/// The columns that are looked at: an audit trail and a chain hold those that are no fields as well.
fn looked_at(table: &Table) -> &'static [Column] {
    match table.reads_all() {
        true => table.columns,
        false => &table.columns[..table.fields],
    }
}

fn fields(table: &'static Table, source: Source) -> Vec<Node> {
    nodes(source, looked_at(table))
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
    let fields = looked_at(table);
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
    columns: &'static [Column],
    at: usize,
    rows: Vec<Vec<Value>>,
}

impl Tee {
    fn boxed(inner: Box<dyn Sink>, forward: bool, columns: &'static [Column], at: usize) -> Box<dyn Sink> {
        Box::new(Tee {
            inner,
            forward,
            columns,
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
        let columns = self.columns.iter().enumerate();
        let value = |(i, c): (usize, &Column)| {
            let ty = c.column.ty;
            Ok(read(cells, self.at + i, ty)?.unwrap_or(Value::Null(ty)))
        };
        self.rows.push(columns.map(value).collect::<Result<_>>()?);
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
