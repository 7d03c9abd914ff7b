//! Which step has to wait for which.

use std::collections::{HashMap, HashSet};

use crate::ast::Expr as Node;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::edit::key_of;
use crate::exec::key::{Key, address, statement_of};
use crate::exec::work::{Kind, Step};
use crate::schema::{Column, Table};
use crate::value::Value;

/// The steps that each step waits for.
pub(super) type Waits = Vec<HashSet<usize>>;

/// Something that only one row has at a time: a key or unique values of a table.
type Unique = (usize, usize, Key);

/// A value that a row has after its step; nothing where the database calculates it.
fn after<'s>(step: &'s Step, column: &'static Column) -> Option<&'s Value> {
    let set = |row: &'s [(&'static Column, Node)]| {
        let found = row.iter().find(|(c, _)| std::ptr::eq(*c, column));
        found.map(|(_, v)| match v {
            Node::Value(value) => Some(value),
            _ => None,
        })
    };
    let position = step.table.columns.iter().position(|c| std::ptr::eq(c, column));
    match &step.kind {
        Kind::Insert { row, key, .. } => match set(row) {
            Some(value) => value,
            None => {
                let in_key = step.table.key.iter().position(|i| Some(*i) == position)?;
                key.get(in_key)
            }
        },
        Kind::Update { set: row, before, .. } => set(row).unwrap_or_else(|| before.get(position?)),
        Kind::Delete { .. } | Kind::Keep | Kind::Merge(_) => None,
    }
}

/// A value that a row had before its step.
fn before<'s>(step: &'s Step, column: &'static Column) -> Option<&'s Value> {
    let position = step.table.columns.iter().position(|c| std::ptr::eq(c, column))?;
    match &step.kind {
        Kind::Update { before, .. } | Kind::Delete { before } => before.get(position),
        Kind::Insert { .. } | Kind::Keep | Kind::Merge(_) => None,
    }
}

/// The values of columns as one, unless one of them is unknown or NULL.
fn together<'s>(
    step: &'s Step,
    columns: &[usize],
    value: fn(&'s Step, &'static Column) -> Option<&'s Value>,
) -> Option<Key> {
    let columns = columns.iter().filter_map(|&i| step.table.columns.get(i));
    let values = columns.map(|c| value(step, c).filter(|v| !v.is_null()).cloned());
    values.collect::<Option<Vec<Value>>>().map(Key::new)
}

/// The integers that a step writes, among which keys may be.
fn assigned(step: &Step) -> impl Iterator<Item = &Value> {
    let set = match &step.kind {
        Kind::Insert { row: set, .. } | Kind::Update { set, .. } => set.as_slice(),
        Kind::Delete { .. } | Kind::Keep | Kind::Merge(_) => &[],
    };
    let integers = set.iter().filter(|(c, _)| c.column.ty.is_integer());
    integers.filter_map(|(_, node)| match node {
        Node::Value(value) => Some(value),
        _ => None,
    })
}

/// The unique sets of a table: the key, then the unique constraints that hold among all rows.
fn unique_sets(table: &'static Table) -> impl Iterator<Item = &'static [usize]> {
    let uniques = table.uniques.iter().filter(|u| u.filter.is_none());
    std::iter::once(table.key).chain(uniques.map(|u| u.columns))
}

/// The steps that each step waits for.
pub(super) fn waits(steps: &[Step]) -> Waits {
    let mut waits: Waits = steps.iter().map(|_| HashSet::new()).collect();
    let (mut inserted, mut deleted) = (HashMap::new(), HashMap::new());
    let mut freed: HashMap<Unique, usize> = HashMap::new();
    let mut to_come: HashMap<Key, usize> = HashMap::new();
    for (i, step) in steps.iter().enumerate() {
        match &step.kind {
            Kind::Insert { key, placeholder, .. } => {
                inserted.insert((address(step.table), Key::new(key.clone())), i);
                to_come.extend(placeholder.clone().map(|key| (Key::new(vec![key]), i)));
            }
            Kind::Delete { before } => {
                deleted.insert((address(step.table), Key::new(key_of(step.table, before))), i);
            }
            // for rows that referred to the old row, and for those that refer to the new one
            Kind::Update {
                before, reuses: true, ..
            } => {
                let key = Key::new(key_of(step.table, before));
                inserted.insert((address(step.table), key.clone()), i);
                deleted.insert((address(step.table), key), i);
            }
            Kind::Update { .. } | Kind::Keep | Kind::Merge(_) => {}
        }
        for (set, columns) in unique_sets(step.table).enumerate() {
            let (had, has) = (together(step, columns, before), together(step, columns, after));
            if let Some(key) = had.filter(|had| has.as_ref() != Some(had)) {
                freed.insert((statement_of(step.table), set, key), i);
            }
        }
    }
    for (i, step) in steps.iter().enumerate() {
        // a key that is still to come is waited for wherever it stands: a discriminator's key is no foreign key
        if !to_come.is_empty() {
            let keys = assigned(step).filter_map(|value| to_come.get(&Key::new(vec![value.clone()])));
            waits[i].extend(keys.filter(|p| **p != i));
        }
        for foreign in step.table.foreign_keys {
            let target = address((foreign.target)());
            // a row comes after the row it refers to
            let refers = together(step, foreign.columns, after);
            let referred = together(step, foreign.columns, before);
            let stays = refers.is_some() && refers == referred;
            waits[i].extend(
                refers
                    .and_then(|key| inserted.get(&(target, key)))
                    .filter(|p| **p != i && !stays),
            );
            // and a row that was referred to goes after the rows that referred to it
            if let Some(&p) = referred.and_then(|key| deleted.get(&(target, key)))
                && p != i
            {
                waits[p].insert(i);
            }
        }
        for (set, columns) in unique_sets(step.table).enumerate() {
            let Some(key) = together(step, columns, after) else {
                continue;
            };
            // who takes a unique value comes after who had it
            if let Some(&p) = freed
                .get(&(statement_of(step.table), set, key))
                .filter(|p| **p != i)
            {
                waits[i].insert(p);
            }
        }
    }
    waits
}

/// Breaks a circle: takes a foreign key that may be NULL out of an insert. What is to be set afterwards, and on which
/// step.
pub(super) fn postpone(
    steps: &mut [Step],
    waits: &mut Waits,
    done: &[bool],
) -> Result<(usize, Vec<(&'static Column, Node)>)> {
    for i in 0..steps.len() {
        if done[i] {
            continue;
        }
        let table = steps[i].table;
        for foreign in table.foreign_keys {
            let columns = foreign.columns.iter().filter_map(|&c| table.columns.get(c));
            let columns: Vec<&'static Column> = columns.collect();
            if !columns.iter().all(|c| c.column.nullable) {
                continue;
            }
            let Some(key) = together(&steps[i], foreign.columns, after) else {
                continue;
            };
            let target = (foreign.target)().root();
            let is_target = |j: &usize| match &steps[*j].kind {
                Kind::Insert { key: k, .. } => {
                    std::ptr::eq(steps[*j].table.root(), target) && Key::new(k.clone()) == key
                }
                _ => false,
            };
            let Some(target) = waits[i].iter().copied().find(|j| !done[*j] && is_target(j)) else {
                continue;
            };
            let Kind::Insert { row, .. } = &mut steps[i].kind else {
                continue;
            };
            let is_foreign = |c: &&'static Column| columns.iter().any(|f| std::ptr::eq(*f, *c));
            let (later, now) = std::mem::take(row).into_iter().partition(|(c, _)| is_foreign(c));
            *row = now;
            waits[i].remove(&target);
            return Ok((i, later));
        }
    }
    let stuck = steps.iter().zip(done).find(|(_, done)| !**done);
    let text = "rows refer to each other in a circle, and none of the keys may be NULL";
    let e = Error::new(ErrorKind::InvalidQuery, text);
    Err(match stuck {
        Some((step, _)) => e.with_model(step.table.model),
        None => e,
    })
}
