//! INSERT … ON CONFLICT.

use crate::ast::{Conflict, ConflictAction, Expr as Node, Source};
use crate::model::Model;
use crate::query::{Batch, Insert, IntoInsert, Phantom, Sets, conflict_update};
use crate::schema::{Column, Role, Table};
use crate::value::Value;

/// Columns that identify a row by themselves.
#[diagnostic::on_unimplemented(
    message = "an upsert needs a unique target, and this column is not unique",
    label = "not a primary key, not `#[orm(unique)]`",
    note = "add `#[orm(unique)]` to the column, or use `.key()` or a method made by `#[orm(unique(a, b))]`"
)]
pub trait UniqueKey {}

/// What `.upsert(|u| ..)` may return.
#[diagnostic::on_unimplemented(
    message = "an upsert needs a unique target, and `{Self}` is not one",
    note = "return a primary key or `#[orm(unique)]` column, `.key()`, or a method made by `#[orm(unique(a, b))]`"
)]
pub trait ConflictTarget<S> {
    /// The columns.
    fn columns(self) -> Vec<&'static Column>;
}

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upserted<M> {
    /// There was no such row.
    Inserted(M),
    /// The row existed and was changed.
    Updated(M),
}

impl<M> Upserted<M> {
    /// The row, whichever way it got there.
    pub fn into_inner(self) -> M {
        match self {
            Upserted::Inserted(m) | Upserted::Updated(m) => m,
        }
    }
    /// Whether the row is new.
    pub fn is_inserted(&self) -> bool {
        matches!(self, Upserted::Inserted(_))
    }
}

/// After `.upsert(..)`: say what happens on a conflict.
#[must_use = "an upsert needs `.update(|u, new| ..)` or `.do_nothing()`, then `.exec(&db)`"]
pub struct Upsert<M> {
    insert: Insert<M>,
    target: Vec<&'static Column>,
}

/// Never implemented: carries the message for an upsert that does not say what to do.
#[diagnostic::on_unimplemented(
    message = "this upsert does not say what to do with an existing row",
    label = "call `.update(|u, new| ..)` or `.do_nothing()` first"
)]
pub trait Decided {}

impl<M: Model> Upsert<M> {
    pub(crate) fn new(insert: Insert<M>, target: Vec<&'static Column>) -> Self {
        Upsert { insert, target }
    }
    /// Changes the existing row; `new` is the row that was to be inserted.
    pub fn update<A: Sets<M>>(self, f: impl FnOnce(M::Cols<M>, M::Cols<M>) -> A) -> UpsertUpdate<M> {
        let source = Source::fresh();
        let set = set_of::<M, A>(source, f);
        UpsertUpdate {
            insert: self.insert,
            target: self.target,
            source,
            set,
            revive: false,
        }
    }
    /// Keeps the existing row: `.exec` yields `None` on a conflict.
    pub fn do_nothing(self) -> UpsertNothing<M> {
        UpsertNothing {
            insert: self.insert,
            target: self.target,
        }
    }
}

type Assigned = Vec<(&'static Column, Node)>;

pub(crate) fn set_of<M: Model, A: Sets<M>>(
    source: Source,
    f: impl FnOnce(M::Cols<M>, M::Cols<M>) -> A,
) -> Assigned {
    let mut set = Vec::new();
    f(M::cols(source), M::cols(Source::EXCLUDED)).add_to(&mut set);
    set
}

/// An upsert that changes an existing row.
#[must_use = "an upsert does nothing until `.exec(&db)`"]
pub struct UpsertUpdate<M> {
    pub(crate) insert: Insert<M>,
    pub(crate) target: Vec<&'static Column>,
    pub(crate) source: Source,
    pub(crate) set: Assigned,
    pub(crate) revive: bool,
}

/// An upsert that keeps an existing row.
#[must_use = "an upsert does nothing until `.exec(&db)`"]
pub struct UpsertNothing<M> {
    pub(crate) insert: Insert<M>,
    pub(crate) target: Vec<&'static Column>,
}

/// An upsert of many rows.
#[must_use = "an upsert needs `.update(|u, new| ..)` or `.do_nothing()`, then `.exec(&db)`"]
pub struct UpsertAll<M> {
    pub(crate) batch: Batch,
    pub(crate) target: Vec<&'static Column>,
    pub(crate) source: Source,
    pub(crate) set: Option<Assigned>,
    _p: Phantom<M>,
}

impl<M: Model> UpsertAll<M> {
    pub(crate) fn new<I: IntoInsert<M>>(
        rows: impl IntoIterator<Item = I>,
        target: impl ConflictTarget<M>,
    ) -> Self {
        let rows = rows.into_iter();
        let mut batch = Batch::of_about(M::TABLE, rows.size_hint().0);
        rows.for_each(|r| r.add_to(&mut batch));
        let (source, target) = (Source::fresh(), target.columns());
        UpsertAll {
            batch,
            target,
            source,
            set: None,
            _p: std::marker::PhantomData,
        }
    }
    /// Changes existing rows; `new` is the row that was to be inserted.
    pub fn update<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>, M::Cols<M>) -> A) -> Self {
        self.set = Some(set_of::<M, A>(self.source, f));
        self
    }
}

/// The conflict clause for a target; a soft-deleted row is not in the way of anything but its own key.
pub(crate) fn conflict(
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

pub(crate) fn is_key(table: &'static Table, target: &[&'static Column]) -> bool {
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

pub(crate) fn update_action(
    table: &'static Table,
    source: Source,
    target: &[&'static Column],
    set: Vec<(&'static Column, Node)>,
    revive: bool,
) -> ConflictAction {
    let mut set = set;
    if revive {
        for c in table.columns {
            if matches!(c.role, Role::DeletedAt | Role::DeletedBy) {
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
