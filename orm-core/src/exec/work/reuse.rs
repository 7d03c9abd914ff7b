//! Row switch: a row that is deleted and one that is inserted with its key are one row that changes.

use std::collections::{HashMap, HashSet};

use crate::ast::Expr as Node;
use crate::error::Result;
use crate::exec::Raw;
use crate::exec::cascade::{Mode, take_along};
use crate::exec::edit::key_of;
use crate::exec::fetch::Site;
use crate::exec::key::{Key, Place, place};
use crate::exec::work::{Kind, Set, Step};
use crate::query::put;
use crate::schema::{Action, Cascade, Column, Default, RelationDef, RelationKind, Role, Table};
use crate::value::Value;

/// Makes one change of a delete and an insert with the same key.
pub(super) fn reuse(steps: &mut [Step]) {
    let mut gone: HashMap<Place, usize> = HashMap::new();
    for (i, step) in steps.iter().enumerate() {
        if let Kind::Delete { before } = &step.kind {
            gone.insert(place(step.table, Key::new(key_of(step.table, before))), i);
        }
    }
    if gone.is_empty() {
        return;
    }
    for i in 0..steps.len() {
        let Step { table, kind, .. } = &steps[i];
        let Kind::Insert {
            row,
            key,
            placeholder: None,
            ..
        } = kind
        else {
            continue;
        };
        let place = place(table, Key::new(key.clone()));
        let (Some(set), Some(old)) = (whole(table, row), gone.get(&place).copied()) else {
            continue;
        };
        gone.remove(&place);
        if let Kind::Delete { before } = std::mem::replace(&mut steps[old].kind, Kind::Keep) {
            steps[i].kind = Kind::Update {
                set,
                before,
                reuses: true,
            };
        }
    }
}

/// What makes the new row of any row that was there. `None` where only an INSERT can fill a column: the two statements
/// are sent then.
fn whole(table: &'static Table, row: &Set) -> Option<Set> {
    let is_key = |column: &Column| table.key_columns().any(|key| std::ptr::eq(key, column));
    let own = |column: &&'static Column| {
        matches!(column.role, Role::Plain) && column.generated.is_none() && !is_key(column)
    };
    let value = |column: &'static Column| {
        let given = row.iter().find(|(c, _)| std::ptr::eq(*c, column));
        let value = match (given, column.default) {
            (Some((_, node)), _) => node.clone(),
            (None, Default::Literal(f) | Default::Function(f)) => put(column, Node::Value(f())),
            (None, Default::None) if column.column.nullable => Node::Value(Value::Null(column.column.ty)),
            (None, Default::None | Default::Sql(_) | Default::Identity) => return None,
        };
        Some((column, value))
    };
    table.columns.iter().filter(own).map(value).collect()
}

/// Takes along what hangs on rows that become others: as a delete would, also where the database would have done it.
/// These rows, and those that went.
pub(super) async fn clear(
    raw: &Raw<'_>,
    table: &'static Table,
    keys: &[Key],
    site: Site,
) -> Result<HashSet<Place>> {
    let mut gone: HashSet<Place> = keys.iter().map(|k| place(table, k.clone())).collect();
    for relation in table.relations {
        let how = match relation.cascade {
            Cascade::Database
                if table.managed.deleted_at.is_none() && relation.kind != RelationKind::BelongsTo =>
            {
                by_the_database(relation)
            }
            how => how,
        };
        take_along(raw, relation, how, table, keys, Mode::Delete, &mut gone, site).await?;
    }
    Ok(gone)
}

/// What the foreign key of the related rows does when the row goes.
fn by_the_database(relation: &'static RelationDef) -> Cascade {
    let (table, columns) = match &relation.through {
        Some(through) => ((through.table)(), (through.parent)()),
        None => ((relation.table)(), (relation.child)()),
    };
    let same = |positions: &[usize]| {
        positions.len() == columns.len()
            && positions
                .iter()
                .zip(&columns)
                .all(|(&i, c)| std::ptr::eq(&table.columns[i], *c))
    };
    let foreign = table.foreign_keys.iter().find(|f| same(f.columns));
    match (foreign.map(|f| f.on_delete), &relation.through) {
        (Some(Action::Cascade), None) => Cascade::Delete,
        (Some(Action::Cascade), Some(_)) | (Some(Action::SetNull), _) => Cascade::Unlink,
        _ => Cascade::Database,
    }
}
