//! INSERT: `NewX { .. }`, optionally with `.set(..)` and `.with_id(..)`, one or many.

use std::cell::Cell;

use crate::ast::{Expr as Node, InsertSource, Source};
use crate::model::{Key, Model, Writable};
use crate::query::operand::put;
use crate::query::{ConflictTarget, InsertParts, Phantom, Sets, Upsert, UpsertAll};
use crate::schema::{Column, Default, Role, Table};
use crate::value::Value;

/// The required columns of a model: `NewUser { .. }`. Implemented by the derive.
pub trait New: IntoInsert<Self::Model> {
    /// The model.
    type Model: Writable;
    /// Positions of the required columns.
    const COLUMNS: &'static [usize];
    /// Their values, in the order of `COLUMNS`.
    fn values(self, out: &mut Vec<Value>);
    /// Sets optional and defaulted columns.
    fn set<A: Sets<Self::Model>>(
        self,
        f: impl FnOnce(<Self::Model as Model>::Cols<Self::Model>) -> A,
    ) -> Insert<Self::Model> {
        self.into_insert().set(f)
    }
    /// Inserts under a key chosen by the caller.
    fn with_id(self, id: <Self::Model as Model>::Id) -> Insert<Self::Model> {
        self.into_insert().with_id(id)
    }
    /// Inserts, or does something else when a row with the same unique columns exists.
    fn upsert<T: ConflictTarget<Self::Model>>(
        self,
        f: impl FnOnce(<Self::Model as Model>::Cols<Self::Model>) -> T,
    ) -> Upsert<Self::Model> {
        self.into_insert().upsert(f)
    }
    /// Upserts many rows.
    fn upsert_all<I: IntoInsert<Self::Model>, T: ConflictTarget<Self::Model>>(
        rows: impl IntoIterator<Item = I>,
        f: impl FnOnce(<Self::Model as Model>::Cols<Self::Model>) -> T,
    ) -> UpsertAll<Self::Model> {
        UpsertAll::new(rows, f(<Self::Model as Model>::cols(Source::ROOT)))
    }
}

/// What `insert_all` takes: `NewX { .. }`, or the insert that `.set(..)` and `.with_id(..)` make of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row to insert into `{M}`",
    label = "expected the `New..` struct of `{M}`, optionally with `.set(..)` or `.with_id(..)`"
)]
pub trait IntoInsert<M>: Sized {
    /// The insert.
    fn into_insert(self) -> Insert<M>;
    /// Adds the row to a batch.
    #[doc(hidden)]
    fn add_to(self, batch: &mut Batch) {
        batch.push(self.into_insert());
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoInsert<M> for Insert<M> {
    fn into_insert(self) -> Insert<M> {
        self
    }
}

thread_local! {
    /// Where the values of a row lie before they meet their columns; empty between two rows.
    static SCRATCH: Cell<Vec<Value>> = const { Cell::new(Vec::new()) };
}

/// One row to insert.
#[must_use = "an insert does nothing until `.insert(&db)`"]
pub struct Insert<M> {
    row: Vec<(&'static Column, Node)>,
    overriding: bool,
    _p: Phantom<M>,
}

impl<M: Model> Insert<M> {
    /// Called by generated code.
    pub fn of<N: New<Model = M>>(new: N) -> Self {
        let mut values = SCRATCH.take();
        new.values(&mut values);
        // room for every column: what `.set(..)` adds fits without a copy
        let mut row = Vec::with_capacity(M::TABLE.columns.len());
        row.extend(N::COLUMNS.iter().zip(values.drain(..)).map(|(&i, v)| {
            let column = &M::TABLE.columns[i];
            (column, put(column, Node::Value(v)))
        }));
        SCRATCH.set(values);
        Insert {
            row,
            overriding: false,
            _p: std::marker::PhantomData,
        }
    }
    /// Sets optional and defaulted columns.
    pub fn set<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> A) -> Self {
        f(M::cols(Source::ROOT)).add_to(&mut self.row);
        self
    }
    /// Inserts under a key chosen by the caller. On PostgreSQL the key's sequence is moved past it.
    pub fn with_id(mut self, id: M::Id) -> Self {
        let mut values = Vec::new();
        id.add_to(&mut values);
        for (column, value) in M::TABLE.key_columns().zip(values) {
            self.overriding |= matches!(column.default, Default::Identity);
            self.row.retain(|(c, _)| !std::ptr::eq(*c, column));
            self.row.push((column, Node::Value(value)));
        }
        self
    }
    /// Inserts, or does something else when a row with the same unique columns exists.
    pub fn upsert<T: ConflictTarget<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Upsert<M> {
        let target = f(M::cols(Source::ROOT)).columns();
        Upsert::new(self, target)
    }
    /// Whether a generated key is given.
    pub(crate) fn gives_key(&self) -> bool {
        self.overriding
    }
    pub(crate) fn into_batch(self) -> Batch {
        let mut batch = Batch::new(M::TABLE);
        batch.push(self);
        batch
    }
    /// Sets a column, whatever it was set to before.
    pub(crate) fn put(&mut self, column: &'static Column, value: Node) {
        self.row.retain(|(c, _)| !std::ptr::eq(*c, column));
        self.row.push((column, value));
    }
}

impl<M> Insert<M> {
    /// The columns that are set, and whether a generated key is among them.
    pub(crate) fn into_row(self) -> (Vec<(&'static Column, Node)>, bool) {
        (self.row, self.overriding)
    }
    /// A row of any table.
    pub(crate) fn of_row(row: Vec<(&'static Column, Node)>, overriding: bool) -> Self {
        Insert {
            row,
            overriding,
            _p: std::marker::PhantomData,
        }
    }
}

/// Rows to insert, grouped by the columns they set, so that each group is one kind of statement.
pub struct Batch {
    table: &'static Table,
    groups: Vec<InsertGroup>,
    rows: usize,
    scratch: Vec<Value>,
}

/// Rows that set the same columns.
pub struct InsertGroup {
    /// Columns that rows set, then columns with client defaults, then columns the library fills.
    pub(crate) columns: Vec<&'static Column>,
    /// How many of the columns the rows' users set.
    given: usize,
    /// Expressions of the columns the library fills: the same for every row, behind the others.
    pub(crate) constant: Vec<Node>,
    /// The other columns' expressions, row after row.
    pub(crate) values: Vec<Node>,
    /// Where each row stood in the input.
    pub(crate) positions: Vec<usize>,
    /// Keys are given for a generated key column.
    pub(crate) overriding: bool,
    /// The static list that rows of this group came with, to recognise the next one fast.
    origin: Option<&'static [usize]>,
}

impl InsertGroup {
    /// Columns with a value of their own in each row.
    pub(crate) fn width(&self) -> usize {
        self.columns.len() - self.constant.len()
    }
    fn fill_defaults(&mut self) {
        let width = self.width();
        for column in &self.columns[self.given..width] {
            if let Default::Literal(f) | Default::Function(f) = column.default {
                self.values.push(put(column, Node::Value(f())));
            }
        }
    }
}

impl Batch {
    pub(crate) fn new(table: &'static Table) -> Self {
        Batch {
            table,
            groups: Vec::new(),
            rows: 0,
            scratch: Vec::new(),
        }
    }
    pub(crate) fn len(&self) -> usize {
        self.rows
    }
    pub(crate) fn into_groups(self) -> Vec<InsertGroup> {
        self.groups
    }
    /// Each row as the parts of a statement of its own, in input order.
    pub(crate) fn into_rows(self) -> Vec<InsertParts> {
        let mut out: Vec<(usize, InsertParts)> = Vec::with_capacity(self.rows);
        for group in self.groups {
            let width = group.width();
            let mut values = group.values.into_iter();
            for position in group.positions {
                let mut row: Vec<Node> = values.by_ref().take(width).collect();
                row.extend(group.constant.iter().cloned());
                let (columns, overriding) = (group.columns.clone(), group.overriding);
                let rows = InsertSource::Rows(row);
                out.push((
                    position,
                    InsertParts {
                        columns,
                        rows,
                        overriding,
                        returning: true,
                    },
                ));
            }
        }
        out.sort_by_key(|(position, _)| *position);
        out.into_iter().map(|(_, parts)| parts).collect()
    }
    fn take_position(&mut self) -> usize {
        self.rows += 1;
        self.rows - 1
    }
    /// Adds a row that sets the required columns only. The fast path of bulk inserts.
    pub fn push_new<N: New>(&mut self, new: N) {
        let position = self.take_position();
        let found = self
            .groups
            .iter()
            .position(|g| g.origin.is_some_and(|o| std::ptr::eq(o, N::COLUMNS)));
        let at = found.unwrap_or_else(|| {
            let columns = N::COLUMNS.iter().map(|&i| &self.table.columns[i]).collect();
            self.add_group(columns, false, Some(N::COLUMNS))
        });
        let group = &mut self.groups[at];
        new.values(&mut self.scratch);
        let columns = &group.columns;
        group.values.extend(
            self.scratch
                .drain(..)
                .enumerate()
                .map(|(i, v)| put(columns[i], Node::Value(v))),
        );
        group.fill_defaults();
        group.positions.push(position);
    }
    /// Adds any row.
    pub fn push<M>(&mut self, insert: Insert<M>) {
        let position = self.take_position();
        let same = |g: &InsertGroup| {
            g.given == insert.row.len()
                && g.overriding == insert.overriding
                && g.columns
                    .iter()
                    .zip(&insert.row)
                    .all(|(a, (b, _))| std::ptr::eq(*a, *b))
        };
        let found = self.groups.iter().position(same);
        let at = found.unwrap_or_else(|| {
            let columns = insert.row.iter().map(|(c, _)| *c).collect();
            self.add_group(columns, insert.overriding, None)
        });
        let group = &mut self.groups[at];
        group.values.extend(insert.row.into_iter().map(|(_, v)| v));
        group.fill_defaults();
        group.positions.push(position);
    }
    fn add_group(
        &mut self,
        mut columns: Vec<&'static Column>,
        overriding: bool,
        origin: Option<&'static [usize]>,
    ) -> usize {
        let given = columns.len();
        let absent = |c: &&'static Column, set: &[&'static Column]| !set.iter().any(|s| std::ptr::eq(*s, *c));
        let defaulted = self.table.columns.iter().filter(|c| {
            matches!(c.default, Default::Literal(_) | Default::Function(_))
                && filled(c).is_none()
                && absent(c, &columns[..given])
        });
        let defaulted: Vec<_> = defaulted.collect();
        columns.extend(defaulted);
        let mut constant = Vec::new();
        for column in self.table.columns {
            if let Some(node) = filled(column) {
                columns.push(column);
                constant.push(node);
            }
        }
        let (values, positions) = (Vec::new(), Vec::new());
        self.groups.push(InsertGroup {
            columns,
            given,
            constant,
            values,
            positions,
            overriding,
            origin,
        });
        self.groups.len() - 1
    }
}

/// What the library puts into a column of a new row.
fn filled(column: &Column) -> Option<Node> {
    match column.role {
        Role::CreatedAt | Role::UpdatedAt => Some(Node::Clock),
        Role::CreatedBy | Role::UpdatedBy => Some(Node::Actor),
        Role::Tenant => Some(Node::Tenant),
        Role::Version => Some(Node::Value(Value::I64(1))),
        Role::Plain | Role::DeletedAt | Role::DeletedBy => None,
    }
}
