//! The shadow columns' part in every write: one place, so that no path can forget them.

use crate::ast::{
    Assignment, CompareOp, Conflict, ConflictAction, Delete, Deleted, Expr as Node, Guard, Insert,
    InsertSource, MathOp, Source, Statement, Unfiltered, Update,
};
use crate::model::Key;
use crate::schema::{Column, Role, Table};
use crate::value::{Type, Value};

/// Guard of rows in hand, that is by their keys. Named filters say what is seen, and a row in hand has been seen.
pub(crate) fn in_hand(deleted: Deleted) -> Guard {
    Guard {
        deleted,
        unfiltered: Unfiltered::ALL,
        ..Guard::default()
    }
}

/// These columns of a table reference.
pub(crate) fn nodes(source: Source, columns: impl IntoIterator<Item = &'static Column>) -> Vec<Node> {
    columns
        .into_iter()
        .map(|c| Node::Column(source, &c.column))
        .collect()
}

/// All fields of the model, for RETURNING.
pub(crate) fn returning(table: &'static Table, source: Source) -> Vec<Node> {
    nodes(source, &table.columns[..table.fields])
}

/// `key = values` over the columns of the primary key.
pub(crate) fn key_filter(table: &'static Table, source: Source, key: impl Key) -> Vec<Node> {
    key_equals(table, source, key.into_values())
}

/// As [`key_filter`], for values at hand.
pub(crate) fn key_equals(table: &'static Table, source: Source, values: Vec<Value>) -> Vec<Node> {
    table
        .key_columns()
        .zip(values)
        .map(|(c, v)| equals(source, c, v))
        .collect()
}

fn equals(source: Source, column: &'static Column, value: Value) -> Node {
    let (l, r) = (Node::Column(source, &column.column), Node::Value(value));
    Node::Compare(CompareOp::Eq, Box::new(l), Box::new(r))
}

/// `version = the one that was read`.
pub(crate) fn version_filter(table: &'static Table, source: Source, version: Option<Value>) -> Option<Node> {
    let column = &table.columns[table.managed.version?];
    Some(equals(source, column, version?))
}

/// The version of a new row, unless the database keeps it.
pub(crate) fn first_version(column: &Column) -> Option<Node> {
    match column.column.ty {
        _ if column.column.system => None,
        Type::Uuid => Some(Node::Value(fresh_uuid())),
        Type::Timestamp => Some(Node::Clock),
        _ => Some(Node::Value(Value::I64(1))),
    }
}

/// The version of a row after a write, unless the database keeps it.
fn next_version(source: Source, column: &'static Column) -> Option<Node> {
    let counts = matches!(column.column.ty, Type::I64) && !column.column.system;
    if !counts {
        return first_version(column);
    }
    let (old, one) = (Node::Column(source, &column.column), Node::Value(Value::I64(1)));
    Some(Node::Math(MathOp::Add, Box::new(old), Box::new(one)))
}

#[cfg(feature = "uuid")]
fn fresh_uuid() -> Value {
    Value::Uuid(crate::value::new_v7().into_bytes())
}
/// Without the feature no field is a UUID.
#[cfg(not(feature = "uuid"))]
fn fresh_uuid() -> Value {
    Value::Refused("a UUID needs the feature `uuid`")
}

/// Adds what every change of a row brings along: who, when, and the next version.
pub(crate) fn touch(table: &'static Table, source: Source, set: &mut Vec<(&'static Column, Node)>) {
    for column in table.columns {
        let value = match column.role {
            Role::UpdatedAt => Node::Clock,
            Role::UpdatedBy => Node::Actor,
            Role::Version => match next_version(source, column) {
                Some(next) => next,
                None => continue,
            },
            Role::Plain
            | Role::CreatedAt
            | Role::CreatedBy
            | Role::DeletedAt
            | Role::DeletedBy
            | Role::Discriminator
            | Role::Tenant => continue,
        };
        set.push((column, value));
    }
}

/// What a soft delete sets; `undo` for a restore.
pub(crate) fn soft_delete_set(
    table: &'static Table,
    source: Source,
    undo: bool,
) -> Vec<(&'static Column, Node)> {
    let mut set = Vec::new();
    for column in table.columns {
        let value = match column.role {
            Role::DeletedAt | Role::DeletedBy if undo => Node::Value(Value::Null(column.column.ty)),
            Role::DeletedAt => Node::Clock,
            Role::DeletedBy => Node::Actor,
            _ => continue,
        };
        set.push((column, value));
    }
    touch(table, source, &mut set);
    set
}

fn assignments(set: Vec<(&'static Column, Node)>) -> Vec<Assignment> {
    set.into_iter()
        .map(|(c, value)| Assignment {
            column: &c.column,
            value,
        })
        .collect()
}

/// An UPDATE.
pub(crate) fn update_statement(
    table: &'static Table,
    source: Source,
    set: Vec<(&'static Column, Node)>,
    filter: Vec<Node>,
    deleted: Deleted,
) -> Update {
    Update {
        with: Vec::new(),
        source,
        table: &table.table,
        guard: in_hand(deleted),
        set: assignments(set),
        from: Vec::new(),
        joins: Vec::new(),
        filter,
        returning: Vec::new(),
    }
}

/// A DELETE that removes rows for good.
pub(crate) fn delete_statement(
    table: &'static Table,
    source: Source,
    filter: Vec<Node>,
    deleted: Deleted,
) -> Delete {
    let (with, using, returning) = (Vec::new(), Vec::new(), Vec::new());
    Delete {
        with,
        source,
        table: &table.table,
        guard: in_hand(deleted),
        using,
        filter,
        returning,
    }
}

/// DELETE, or the UPDATE that a soft-deleting model has in its place.
pub(crate) fn delete_or_hide(
    table: &'static Table,
    source: Source,
    filter: Vec<Node>,
    unfiltered: Unfiltered,
) -> Statement {
    if table.managed.deleted_at.is_none() {
        let mut delete = delete_statement(table, source, filter, Deleted::Hidden);
        delete.guard.unfiltered = unfiltered;
        return Statement::Delete(Box::new(delete));
    }
    let set = soft_delete_set(table, source, false);
    let mut update = update_statement(table, source, set, filter, Deleted::Hidden);
    update.guard.unfiltered = unfiltered;
    Statement::Update(Box::new(update))
}

/// What an INSERT of some rows of one group needs.
pub(crate) struct InsertParts {
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) rows: InsertSource,
    pub(crate) overriding: bool,
    pub(crate) returning: bool,
    /// A row that violates a unique constraint is left out.
    pub(crate) unless_taken: bool,
}

/// An INSERT.
pub(crate) fn insert_statement(table: &'static Table, parts: InsertParts) -> Insert {
    let InsertParts {
        columns,
        rows,
        overriding,
        returning: back,
        unless_taken,
    } = parts;
    let source = Source::fresh();
    let rows = if columns.is_empty() {
        InsertSource::Default
    } else {
        rows
    };
    Insert {
        with: Vec::new(),
        source,
        table: &table.table,
        columns: columns.into_iter().map(|c| &c.column).collect(),
        rows,
        overriding,
        conflict: unless_taken.then(|| Conflict {
            target: Vec::new(),
            target_filter: Vec::new(),
            action: ConflictAction::Nothing,
        }),
        returning: match (back, table.reads_all()) {
            (false, _) => Vec::new(),
            (true, false) => returning(table, source),
            // an audit trail and a chain hold columns that are no fields as well
            (true, true) => table
                .columns
                .iter()
                .map(|c| Node::Column(source, &c.column))
                .collect(),
        },
    }
}

/// The assignments of an upsert's update part, with the shadow columns.
pub(crate) fn conflict_update(
    table: &'static Table,
    source: Source,
    mut set: Vec<(&'static Column, Node)>,
) -> Vec<Assignment> {
    touch(table, source, &mut set);
    assignments(set)
}
