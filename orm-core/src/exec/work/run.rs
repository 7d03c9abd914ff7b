//! Sending a unit of work: steps that wait for nothing go together, equal shapes in one statement.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use crate::ast::{CompareOp, Deleted, Expr as Node, FromItem, Source, Statement, TableRef};
use crate::driver::Sink;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::cascade::{self, Mode};
use crate::exec::collect::other_sink;
use crate::exec::db::no_row;
use crate::exec::edit::{key_of, version_of};
use crate::exec::fetch::{Site, step};
use crate::exec::key::{Cell, Key, among, as_stored, place, statement_of};
use crate::exec::link::{self, Which};
use crate::exec::names::NAMES;
use crate::exec::transaction::Unit;
use crate::exec::work::merge::{Links, Rest};
use crate::exec::work::{Boxed, Committed, Kind, List, Set, Step, Typed, merge, order, reuse};
use crate::exec::{Raw, bulk};
use crate::query::{Batch, Insert, in_hand, key_equals, nodes, returning, touch, update_statement};
use crate::schema::{Column, Table};
use crate::value::{Cells, Collector, Type, Value};

pub(super) async fn commit(raw: Raw<'_>, list: List, site: Site) -> Result<Committed> {
    if list.steps.iter().all(|s| matches!(s.kind, Kind::Keep)) {
        return Ok(Committed {
            unit: list.unit,
            rows: list.kept,
            ..Committed::default()
        });
    }
    let unit = Unit::open(raw, site).await?;
    let outcome = unit.sent(Run::all(unit.raw(), list, site).await).await;
    unit.end(outcome).await
}

struct Run<'a> {
    raw: Raw<'a>,
    site: Site,
    steps: Vec<Step>,
    committed: Committed,
    /// Keys that placeholders stood for.
    known: HashMap<Key, Value>,
}

impl<'a> Run<'a> {
    async fn all(mut raw: Raw<'a>, mut list: List, site: Site) -> Result<Committed> {
        bulk::fix_clock(&mut raw, 2, site).await?;
        let rest = merge::resolve(&raw, &mut list, site).await?;
        reuse::reuse(&mut list.steps);
        let committed = Committed {
            unit: list.unit,
            rows: list.kept,
            ..Committed::default()
        };
        let mut run = Run {
            raw,
            site,
            steps: list.steps,
            committed,
            known: HashMap::new(),
        };
        run.unlink(&rest.links).await?;
        let mut waits = order::waits(&run.steps);
        let mut done: Vec<bool> = run.steps.iter().map(|s| matches!(s.kind, Kind::Keep)).collect();
        let mut later = Vec::new();
        while !done.iter().all(|d| *d) {
            let is_ready = |i: &usize| !done[*i] && waits[*i].iter().all(|j| done[*j]);
            let ready: Vec<usize> = (0..done.len()).filter(is_ready).collect();
            if ready.is_empty() {
                later.push(order::postpone(&mut run.steps, &mut waits, &done)?);
                continue;
            }
            for group in groups(&run.steps, &ready) {
                run.group(&group).await?;
            }
            ready.into_iter().for_each(|i| done[i] = true);
        }
        for (i, set) in later {
            run.postponed(i, set).await?;
        }
        run.rest(rest).await?;
        Ok(run.committed)
    }

    /// Removes the links that merged rows have no more.
    async fn unlink(&mut self, links: &[Links]) -> Result<()> {
        for Links {
            def, parent, rows, ..
        } in links.iter().filter(|links| !links.is_new)
        {
            let kept = rows.iter().cloned().map(Key::new).collect();
            self.committed.unlinked +=
                link::unlink(&self.raw, def, parent, Which::ButThese(kept), self.site).await?;
        }
        Ok(())
    }

    /// Links merged rows, and copies the rows that stand in a graph again.
    async fn rest(&mut self, rest: Rest) -> Result<()> {
        for Links {
            def, parent, rows, ..
        } in rest.links
        {
            let Some(through) = def.through.as_ref().filter(|_| !rows.is_empty()) else {
                continue;
            };
            let parent = self.known(parent);
            let mut seen = HashSet::new();
            let mut ids: Vec<Key> = rows.into_iter().map(|row| Key::new(self.known(row))).collect();
            ids.retain(|key| seen.insert(key.clone()));
            let raw = self.raw.again();
            self.committed.linked += link::insert_links(raw, through, &parent, ids, self.site).await?;
        }
        for (at, first, copy) in rest.again {
            let row = self.committed.rows.get(&first).and_then(copy);
            self.committed.rows.extend(row.map(|row| (at, row)));
        }
        Ok(())
    }

    /// The key with the values that placeholders stood for.
    fn known(&self, key: Vec<Value>) -> Vec<Value> {
        let real = |value: Value| {
            let known = self.known.get(&Key::new(vec![value.clone()]));
            known.cloned().unwrap_or(value)
        };
        key.into_iter().map(real).collect()
    }

    async fn group(&mut self, group: &[usize]) -> Result<()> {
        let Some(first) = group.first().and_then(|i| self.steps.get(*i)) else {
            return Ok(());
        };
        match first.kind {
            Kind::Insert { .. } => self.insert(group).await,
            Kind::Update { .. } => self.update(group).await,
            Kind::Delete { .. } => self.delete(group).await,
            Kind::Keep | Kind::Merge(_) => Ok(()),
        }
    }

    /// Puts real keys where placeholders stand.
    fn resolve(&self, set: &mut Set) {
        if self.known.is_empty() {
            return;
        }
        for (column, node) in set {
            if let Node::Value(value) = node
                && column.column.ty.is_integer()
                && let Some(real) = self.known.get(&Key::new(vec![value.clone()]))
            {
                *value = as_stored(column.column.ty, real.clone());
            }
        }
    }

    async fn insert(&mut self, group: &[usize]) -> Result<()> {
        let (table, typed) = self.shape(group);
        let mut batch = Batch::of_about(table, group.len());
        for &i in group {
            let Kind::Insert { row, overriding, .. } = &mut self.steps[i].kind else {
                continue;
            };
            let (mut row, overriding) = (std::mem::take(row), *overriding);
            self.resolve(&mut row);
            batch.push(Insert::<()>::of_row(row, overriding));
        }
        let sink = Back::sink(typed, table);
        let (done, positions) = bulk::run(self.raw.again(), batch, table, true, sink, self.site).await?;
        let back = Back::take(done.sink, typed)?;
        if back.len() != group.len() || positions.len() != group.len() {
            return Err(no_row(table.model));
        }
        self.committed.inserted += group.len() as u64;
        for ((real, row), position) in back.into_iter().zip(positions) {
            let Some(&i) = group.get(position) else {
                return Err(no_row(table.model));
            };
            if let Kind::Insert { key, placeholder, .. } = &mut self.steps[i].kind {
                if let Some(stand_in) = placeholder
                    && let Some(at) = key.iter().position(|v| v == stand_in)
                    && let Some(made) = real.0.get(at)
                {
                    self.known.insert(Key::new(vec![stand_in.clone()]), made.clone());
                }
                let now = place(table, real.clone());
                self.committed.touched.push((now.clone(), Some((i, now))));
                *key = real.0;
            }
            self.committed.rows.insert(i, row);
        }
        Ok(())
    }

    fn shape(&self, group: &[usize]) -> (&'static Table, Typed) {
        let step = &self.steps[group[0]];
        (step.table, step.rows)
    }

    async fn update(&mut self, group: &[usize]) -> Result<()> {
        let (table, typed) = self.shape(group);
        let mut changes: Vec<(usize, Set, Vec<Value>)> = Vec::with_capacity(group.len());
        let mut reused = Vec::new();
        for &i in group {
            if let Kind::Update { set, before, reuses } = &mut self.steps[i].kind {
                reused.extend(reuses.then(|| Key::new(key_of(table, before))));
                let (mut set, before) = (std::mem::take(set), std::mem::take(before));
                self.resolve(&mut set);
                changes.push((i, set, before));
            }
        }
        if !reused.is_empty() {
            let gone = reuse::clear(&self.raw, table, &reused, self.site).await?;
            self.committed
                .touched
                .extend(gone.into_iter().map(|place| (place, None)));
        }
        let together = changes.len() > 1 && changes.iter().all(|(_, set, _)| listable(table, set));
        let width = table.key.len() + 1 + changes.first().map_or(0, |c| c.1.len());
        let at_once = match together {
            true => (self.raw.runner.dialect().features().max_params / width / 2).max(1),
            false => 1,
        };
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(at_once));
            let some = std::mem::replace(&mut changes, rest);
            let update = match some.len() {
                1 => one_update(table, &some[0].1, &some[0].2),
                _ => list_update(table, &some),
            };
            let sink = Back::sink(typed, table);
            let done = step(&self.raw, update, Some(table), sink, self.site).await?;
            let mut back: HashMap<Key, Boxed> = Back::take(done.sink, typed)?.into_iter().collect();
            for (i, set, before) in some {
                let key = key_after(table, &set, &before);
                let row = back.remove(&key);
                let Some(row) = row else {
                    return Err(self.unmatched(table, &before).await);
                };
                self.committed.rows.insert(i, row);
                self.committed.updated += 1;
                let old = place(table, Key::new(key_of(table, &before)));
                self.committed.touched.push((old, Some((i, place(table, key)))));
            }
        }
        Ok(())
    }

    /// Why a row was not there to be written.
    async fn unmatched(&self, table: &'static Table, before: &[Value]) -> Error {
        let source = Source::fresh();
        let key = key_equals(table, source, key_of(table, before));
        let found =
            cascade::keys_of(&self.raw, table, source, key, in_hand(Deleted::Hidden), self.site).await;
        match found {
            Ok(found) if found.is_empty() => Error::not_found(table.model),
            Ok(_) => {
                Error::new(ErrorKind::Stale, "the row was changed since it was read").with_model(table.model)
            }
            Err(e) => e,
        }
    }

    async fn delete(&mut self, group: &[usize]) -> Result<()> {
        let (table, _) = self.shape(group);
        let rows: Vec<Vec<Value>> = group
            .iter()
            .filter_map(|&i| match &mut self.steps[i].kind {
                Kind::Delete { before } => Some(std::mem::take(before)),
                _ => None,
            })
            .collect();
        let keys: Vec<Key> = rows.iter().map(|row| Key::new(key_of(table, row))).collect();
        if let Some(version) = table.managed.version.and_then(|i| table.columns.get(i)) {
            let source = Source::fresh();
            let columns = nodes(source, table.key_columns().chain([version]));
            let read = |row: &Vec<Value>| {
                let mut key = key_of(table, row);
                key.extend(version_of(table, row));
                Key::new(key)
            };
            let wanted: Vec<Key> = rows.iter().map(read).collect();
            let mut found = HashSet::new();
            for condition in among(&columns, &wanted, &self.raw) {
                let filter = vec![condition];
                found.extend(
                    cascade::keys_of(
                        &self.raw,
                        table,
                        source,
                        filter,
                        in_hand(Deleted::Hidden),
                        self.site,
                    )
                    .await?,
                );
            }
            if let Some((_, row)) = keys.iter().zip(&rows).find(|(key, _)| !found.contains(key)) {
                return Err(self.unmatched(table, row).await);
            }
        }
        let expected = keys.iter().collect::<HashSet<_>>().len() as u64;
        let mut gone = HashSet::new();
        let removed = cascade::remove(&self.raw, table, keys, Mode::Delete, &mut gone, self.site).await?;
        if removed < expected {
            // as for a row that is deleted alone this is no error, but somebody may want to know
            tracing::warn!(
                target: "orm::unit",
                model = table.model, expected, deleted = removed,
                "rows that a unit of work was to delete were gone already"
            );
        }
        self.committed.deleted += removed;
        self.committed
            .touched
            .extend(gone.into_iter().map(|place| (place, None)));
        Ok(())
    }

    /// Sets foreign keys that had to wait until the rows they refer to were there. Not a change of its own: nothing
    /// counts up.
    async fn postponed(&mut self, i: usize, mut set: Set) -> Result<()> {
        self.resolve(&mut set);
        let Step { table, kind, rows } = &self.steps[i];
        let Kind::Insert { key, .. } = kind else {
            return Ok(());
        };
        let source = Source::fresh();
        let filter = key_equals(table, source, key.clone());
        let mut update = update_statement(table, source, set, filter, Deleted::Hidden);
        update.returning = returning(table, source);
        let sink = Back::sink(*rows, table);
        let statement = Statement::Update(Box::new(update));
        let done = step(&self.raw, statement, Some(table), sink, self.site).await?;
        let row = Back::take(done.sink, *rows)?.pop();
        let (_, row) = row.ok_or_else(|| no_row(table.model))?;
        self.committed.rows.insert(i, row);
        Ok(())
    }
}

/// Steps of one shape: the same table, verb and columns.
fn groups(steps: &[Step], ready: &[usize]) -> Vec<Vec<usize>> {
    let columns = |set: &Set| set.iter().map(|(c, _)| c.column.name).collect::<Vec<_>>();
    let shape = |step: &Step| match &step.kind {
        Kind::Insert { .. } => (statement_of(step.table), 0, Vec::new()),
        Kind::Update { set, .. } => (statement_of(step.table), 1, columns(set)),
        Kind::Delete { .. } => (statement_of(step.table), 2, Vec::new()),
        Kind::Keep | Kind::Merge(_) => (statement_of(step.table), 3, Vec::new()),
    };
    let mut groups: Vec<(_, Vec<usize>)> = Vec::new();
    for &i in ready {
        let shape = shape(&steps[i]);
        match groups.iter_mut().find(|(s, _)| *s == shape) {
            Some((_, group)) => group.push(i),
            None => groups.push((shape, vec![i])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Whether assignments can stand in a list of values: values only, whose form does not depend on the column.
fn listable(table: &'static Table, set: &Set) -> bool {
    let is_key = |c: &Column| table.key_columns().any(|k| std::ptr::eq(k, c));
    let plain = |c: &Column| !matches!(c.column.ty, Type::Decimal(..));
    let fits = table.key.len() + 1 + set.len() <= NAMES.len();
    fits && set
        .iter()
        .all(|(c, node)| matches!(node, Node::Value(_)) && plain(c) && !is_key(c))
        && table.key_columns().all(plain)
}

/// The key of the row after the change.
fn key_after(table: &'static Table, set: &Set, before: &[Value]) -> Key {
    let old = table.key_columns().zip(key_of(table, before));
    let new = old.map(|(column, old)| {
        let set = set.iter().find(|(c, _)| std::ptr::eq(*c, column));
        match set {
            Some((_, Node::Value(new))) => new.clone(),
            _ => old,
        }
    });
    Key::new(new.collect())
}

fn one_update(table: &'static Table, set: &Set, before: &[Value]) -> Statement {
    let source = Source::fresh();
    let mut filter = key_equals(table, source, key_of(table, before));
    filter.extend(crate::query::version_filter(
        table,
        source,
        version_of(table, before),
    ));
    let mut set = set.clone();
    touch(table, source, &mut set);
    let mut update = update_statement(table, source, set, filter, Deleted::Hidden);
    update.returning = returning(table, source);
    Statement::Update(Box::new(update))
}

/// `UPDATE … SET a = v.a FROM (VALUES …) AS v WHERE key = v.key AND version = v.version`.
fn list_update(table: &'static Table, changes: &[(usize, Set, Vec<Value>)]) -> Statement {
    let (source, list) = (Source::fresh(), Source::fresh());
    let version = table.managed.version.and_then(|i| table.columns.get(i));
    let found_by: Vec<&Column> = table.key_columns().chain(version).collect();
    let changed: Vec<&Column> = changes
        .first()
        .map_or_else(Vec::new, |c| c.1.iter().map(|(c, _)| *c).collect());
    let columns: Vec<&Column> = found_by.iter().chain(&changed).copied().collect();
    let names: Vec<&'static str> = (0..columns.len()).filter_map(|i| NAMES.get(i).copied()).collect();
    let field = |i: usize| {
        Node::Field(
            list,
            names.get(i).copied().unwrap_or_default(),
            columns[i].column.ty,
        )
    };
    let rows = changes.iter().map(|(_, set, before)| {
        let found_by = found_by.iter().map(|c| {
            let at = table.columns.iter().position(|t| std::ptr::eq(t, *c));
            let value = at.and_then(|i| before.get(i)).cloned();
            Node::Value(value.unwrap_or(Value::Null(c.column.ty)))
        });
        found_by.chain(set.iter().map(|(_, v)| v.clone())).collect()
    });
    let item = FromItem::Values {
        rows: rows.collect(),
        columns: names.clone(),
    };
    let equal = |(i, c): (usize, &&'static Column)| {
        let (left, right) = (Node::Column(source, &c.column), field(i));
        Node::Compare(CompareOp::Eq, Box::new(left), Box::new(right))
    };
    let filter = found_by.iter().enumerate().map(equal).collect();
    let assign = |(i, c): (usize, &&'static Column)| (*c, field(found_by.len() + i));
    let mut set: Set = changed.iter().enumerate().map(assign).collect();
    touch(table, source, &mut set);
    let mut update = update_statement(table, source, set, filter, Deleted::Hidden);
    update.from = vec![TableRef::unguarded(list, item)];
    update.returning = returning(table, source);
    Statement::Update(Box::new(update))
}

/// The rows that a write gave back, with their keys.
struct Back {
    rows: Box<dyn Collector>,
    at: Vec<Cell>,
    keys: Vec<Key>,
}

impl Back {
    fn sink(typed: Typed, table: &'static Table) -> Box<dyn Sink> {
        let at = table.key.iter().map(|&i| (i, table.columns[i].column.ty));
        Box::new(Back {
            rows: (typed.collector)(),
            at: at.collect(),
            keys: Vec::new(),
        })
    }
    fn take(sink: Box<dyn Sink>, typed: Typed) -> Result<Vec<(Key, Boxed)>> {
        let back = sink.into_any().downcast::<Back>().map_err(|_| other_sink())?;
        let rows = (typed.finish)(back.rows.into_any())?;
        Ok(back.keys.into_iter().zip(rows).collect())
    }
}

impl Sink for Back {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows.push(cells, 0)?;
        let null = || Error::decode("a row without a key came back");
        self.keys.push(Key::read(cells, &self.at)?.ok_or_else(null)?);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.keys.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
