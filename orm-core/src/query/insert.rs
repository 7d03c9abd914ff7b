//! INSERT: `NewX { .. }`, optionally with `.set(..)` and `.with_id(..)`, one or many.

use std::cell::Cell;

use crate::ast::{Expr as Node, InsertSource, RawPart, Source};
use crate::model::{Base, Insertable, Key, Model};
use crate::query::operand::typed;
use crate::query::{ConflictTarget, InsertParts, Phantom, Sets, Upsert, UpsertAll, first_version};
use crate::schema::{Column, Default, Role, Table};
use crate::value::{Type, Value};

/// The required columns of a model: `NewUser { .. }`. Implemented by the derive.
pub trait New: IntoInsert<Self::Model> {
    /// The model.
    type Model: Insertable;
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

#[diagnostic::do_not_recommend]
impl<N: New> From<N> for Insert<N::Model> {
    fn from(new: N) -> Self {
        new.into_insert()
    }
}

/// What one row is gathered in. A batch empties it and the next row takes it, so that rows that go one by one into a
/// batch share one.
#[derive(Default)]
struct Gathered {
    /// The values of the columns that the `New..` struct requires.
    required: Vec<Value>,
    /// What was set besides.
    set: Vec<(&'static Column, Node)>,
}

/// `V` is one of the variants of this enum. Implemented by the derive of the enum.
#[diagnostic::on_unimplemented(
    message = "`{V}` is not among the variants of `{Self}`",
    label = "add `{V}({V})` to the enum"
)]
pub trait HasVariant<V>: Base {
    /// A new row of it among those of others.
    fn among(row: Insert<V>) -> Self::New;
}

thread_local! {
    /// Empty between two rows.
    static SCRATCH: Cell<Gathered> = const {
        Cell::new(Gathered { required: Vec::new(), set: Vec::new() })
    };
}

/// One row to insert.
#[must_use = "an insert does nothing until `.insert(&db)`"]
pub struct Insert<M> {
    /// The positions of the columns whose values were required, none of them set a second time.
    required: &'static [usize],
    row: Gathered,
    overriding: bool,
    _p: Phantom<M>,
}

impl<M: Model> Insert<M> {
    /// Called by generated code.
    pub fn of<N: New<Model = M>>(new: N) -> Self {
        let mut row = SCRATCH.take();
        row.required.reserve(N::COLUMNS.len());
        new.values(&mut row.required);
        if const { any_nullable(M::TABLE, N::COLUMNS) } {
            type_nulls(M::TABLE, N::COLUMNS, &mut row.required);
        }
        Insert {
            required: N::COLUMNS,
            row,
            overriding: false,
            _p: std::marker::PhantomData,
        }
    }
    /// Sets optional and defaulted columns.
    pub fn set<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> A) -> Self {
        f(M::cols(Source::ROOT)).add_to(&mut self.row.set);
        self.settle(M::TABLE);
        self
    }
    /// Inserts under a key chosen by the caller. On PostgreSQL the key's sequence is moved past it.
    pub fn with_id(mut self, id: M::Id) -> Self {
        for (column, value) in M::TABLE.key_columns().zip(id.into_values()) {
            self.overriding |= matches!(column.default, Default::Identity);
            self.put(column, Node::Value(value));
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
        let mut batch = Batch::of_about(M::TABLE, 1);
        batch.push(self);
        batch
    }
    /// Sets a column, whatever it was set to before.
    pub(crate) fn put(&mut self, column: &'static Column, value: Node) {
        self.row.set.retain(|(c, _)| !std::ptr::eq(*c, column));
        self.row.set.push((column, value));
        self.settle(M::TABLE);
    }
    /// The columns that are set, and whether a generated key is among them.
    pub(crate) fn into_row(mut self) -> (Vec<(&'static Column, Node)>, bool) {
        self.spread(M::TABLE);
        (self.row.set, self.overriding)
    }
}

impl<M: Model> Insert<M> {
    /// The same row as one of `B`, whose variant `M` is. `places` are where the fields of `M` lie in the table of `B`.
    pub fn into_base<B: Model>(self, places: &'static [usize]) -> Insert<B> {
        let of_base = |column: &'static Column| {
            let at = M::TABLE.columns.iter().position(|c| std::ptr::eq(c, column));
            match at.and_then(|at| places.get(at)) {
                Some(place) => &B::TABLE.columns[*place],
                None => column,
            }
        };
        let (row, overriding) = self.into_row();
        let fields = &M::TABLE.columns[..M::TABLE.fields];
        let unset = fields
            .iter()
            .filter(|c| !row.iter().any(|(set, _)| std::ptr::eq(*set, *c)));
        let defaults = unset.filter_map(|c| Some((of_base(c), default_of(M::TABLE, c)?)));
        let defaults: Vec<_> = defaults.collect();
        let mut row: Vec<_> = row.into_iter().map(|(c, node)| (of_base(c), node)).collect();
        row.extend(defaults);
        if let Some(tag) = M::TABLE.table.tag
            && let Some(column) = B::TABLE.columns.iter().find(|c| c.role == Role::Discriminator)
        {
            row.push((column, Node::Value(Value::Str(tag.label))));
        }
        // so that rows of one variant are one group whatever order their columns were set in
        row.sort_by_key(|(c, _)| B::TABLE.position(&c.column));
        Insert::of_row(row, overriding)
    }
}

impl<M> Insert<M> {
    /// A row of any table.
    pub(crate) fn of_row(row: Vec<(&'static Column, Node)>, overriding: bool) -> Self {
        Insert {
            required: &[],
            row: Gathered {
                required: Vec::new(),
                set: row,
            },
            overriding,
            _p: std::marker::PhantomData,
        }
    }
    /// How many columns are set.
    fn len(&self) -> usize {
        self.required.len() + self.row.set.len()
    }
    /// The columns that are set, in order.
    fn columns(&self, table: &'static Table) -> impl Iterator<Item = &'static Column> {
        let required = self.required.iter().map(|&i| &table.columns[i]);
        required.chain(self.row.set.iter().map(|(c, _)| *c))
    }
    /// Lets what was set take the place of what was required of the same column.
    #[inline]
    fn settle(&mut self, table: &'static Table) {
        let again = |c| {
            let at = table.columns.element_offset(c);
            at.is_some_and(|at| self.required.contains(&at))
        };
        if self.row.set.iter().any(|(c, _)| again(c)) {
            self.spread(table);
        }
    }
    /// Makes everything something that was set; the last assignment to a column wins, at the place of the first.
    #[cold]
    fn spread(&mut self, table: &'static Table) {
        let columns = std::mem::take(&mut self.required)
            .iter()
            .map(|&i| &table.columns[i]);
        let mut row: Vec<(&'static Column, Node)> = Vec::with_capacity(columns.len() + self.row.set.len());
        row.extend(
            columns
                .zip(self.row.required.drain(..))
                .map(|(c, v)| (c, Node::Value(v))),
        );
        for (column, node) in self.row.set.drain(..) {
            match row.iter_mut().find(|(c, _)| std::ptr::eq(*c, column)) {
                Some(slot) => slot.1 = node,
                None => row.push((column, node)),
            }
        }
        self.row.set = row;
    }
}

/// Whether a NULL can be among the values of these columns.
const fn any_nullable(table: &'static Table, columns: &[usize]) -> bool {
    let mut i = 0;
    while i < columns.len() {
        if table.columns[columns[i]].column.nullable {
            return true;
        }
        i += 1;
    }
    false
}

/// A typed NULL takes the type of its column.
fn type_nulls(table: &'static Table, columns: &[usize], values: &mut [Value]) {
    for (value, &i) in values.iter_mut().zip(columns) {
        if let Value::Null(ty) = value {
            *ty = table.columns[i].column.ty;
        }
    }
}

/// Rows to insert, grouped by the columns they set, so that each group is one kind of statement.
#[derive(Clone)]
pub struct Batch {
    table: &'static Table,
    groups: Vec<InsertGroup>,
    rows: usize,
    /// How many rows the first group makes room for.
    expected: usize,
}

/// So many rows lie together, as many as a database without arrays takes at once: their list goes into the statement
/// as it is.
const ROWS: usize = 128;

/// Rows that set the same columns.
#[derive(Clone)]
pub struct InsertGroup {
    /// Columns that rows set, then columns with client defaults, then columns the library fills.
    pub(crate) columns: Vec<&'static Column>,
    /// How many of the columns the rows' users set.
    given: usize,
    /// Expressions of the columns the library fills: the same for every row, behind the others.
    pub(crate) constant: Vec<Node>,
    /// The other columns' values, row after row: lists of [`ROWS`] rows each.
    pub(crate) full: Vec<Vec<Value>>,
    /// Those of the rows after them.
    pub(crate) values: Vec<Value>,
    /// Expressions in the place of such values, by their position, ascending.
    pub(crate) exprs: Vec<(usize, Node)>,
    /// Where each row stood in the input.
    pub(crate) positions: Vec<usize>,
    /// Keys are given for a generated key column.
    pub(crate) overriding: bool,
    /// The positions of the first columns, as the rows of this group came with them, to recognise the next one fast.
    origin: &'static [usize],
}

impl InsertGroup {
    /// Columns with a value of their own in each row.
    pub(crate) fn width(&self) -> usize {
        self.columns.len() - self.constant.len()
    }
    pub(crate) fn all_values(&self) -> impl Iterator<Item = &Value> {
        self.full.iter().flatten().chain(&self.values)
    }
    /// Whether the row sets the columns that the rows of this group set, in the same order.
    fn takes<M>(&self, table: &'static Table, row: &Insert<M>) -> bool {
        if self.given != row.len() || self.overriding != row.overriding {
            return false;
        }
        let same = |(a, b): (&&'static Column, &'static Column)| std::ptr::eq(*a, b);
        if std::ptr::eq(self.origin, row.required) {
            let set = row.row.set.iter().map(|(c, _)| *c);
            return self.columns[self.origin.len()..].iter().zip(set).all(same);
        }
        self.columns.iter().zip(row.columns(table)).all(same)
    }
    /// Makes room for one more row; how many values it has.
    fn begin_row(&mut self) -> usize {
        let width = self.width();
        if self.values.len() >= (ROWS * width).max(1) {
            let next = Vec::with_capacity(ROWS * width);
            self.full.push(std::mem::replace(&mut self.values, next));
        }
        width
    }
    /// The group in statements of at most so many rows.
    pub(crate) fn into_chunks(self, most: usize, returning: bool) -> Vec<InsertParts> {
        let width = self.width();
        let InsertGroup {
            columns,
            constant,
            mut full,
            mut values,
            mut exprs,
            positions,
            overriding,
            ..
        } = self;
        if most != ROWS && !full.is_empty() {
            let last = std::mem::take(&mut values);
            values = full.drain(..).chain([last]).flatten().collect();
        }
        let mut sizes = Vec::new();
        let mut left = positions.len();
        while left > 0 {
            sizes.push(chunk(left, most));
            left -= chunk(left, most);
        }
        let mut out = Vec::with_capacity(sizes.len());
        // from behind: to split off the end moves nothing else
        for size in sizes.into_iter().rev() {
            if values.is_empty() {
                values = full.pop().unwrap_or_default();
            }
            let own = values.len().saturating_sub(size * width);
            let start = full.len() * ROWS * width + own;
            let from = exprs.partition_point(|(at, _)| *at < start);
            let own = if own == 0 {
                std::mem::take(&mut values)
            } else {
                values.split_off(own)
            };
            let exprs = exprs.split_off(from);
            out.push(InsertParts {
                columns: columns.clone(),
                rows: rows(own, exprs, start, size, &constant),
                overriding,
                returning,
                unless_taken: false,
            });
        }
        out.reverse();
        out
    }
    fn fill_defaults(&mut self) {
        let width = self.width();
        for column in &self.columns[self.given..width] {
            if let Default::Literal(f) | Default::Function(f) = column.default {
                self.values.push(typed(column, f()));
            }
        }
    }
}

/// Rows of values where they hold nothing else; `exprs` are positioned as if `start` values stood in front.
fn rows(
    values: Vec<Value>,
    exprs: Vec<(usize, Node)>,
    start: usize,
    rows: usize,
    constant: &[Node],
) -> InsertSource {
    if exprs.is_empty() && constant.is_empty() {
        return InsertSource::Values(values);
    }
    let width = values.len() / rows.max(1);
    let mut nodes = Vec::with_capacity(values.len() + rows * constant.len());
    let (mut values, mut exprs) = ((start..).zip(values), exprs.into_iter().peekable());
    for _ in 0..rows {
        for (at, value) in values.by_ref().take(width) {
            let expr = exprs.next_if(|(e, _)| *e == at);
            nodes.push(expr.map_or(Node::Value(value), |(_, node)| node));
        }
        nodes.extend(constant.iter().cloned());
    }
    InsertSource::Rows(nodes)
}

/// The next chunk: the largest, then powers of two, so that few different texts are prepared.
pub(crate) fn chunk(left: usize, most: usize) -> usize {
    if left >= most {
        return most.max(1);
    }
    1 << left.ilog2()
}

impl Batch {
    pub(crate) fn of_about(table: &'static Table, rows: usize) -> Self {
        Batch {
            table,
            groups: Vec::new(),
            rows: 0,
            expected: rows.min(ROWS),
        }
    }
    pub(crate) fn len(&self) -> usize {
        self.rows
    }
    pub(crate) fn groups(&self) -> &[InsertGroup] {
        &self.groups
    }
    /// Each row as a batch of its own, in input order.
    pub(crate) fn into_single(self) -> Vec<Batch> {
        let table = self.table;
        let mut out: Vec<(usize, Batch)> = Vec::with_capacity(self.rows);
        for group in self.groups {
            let width = group.width();
            let mut values = group.full.into_iter().flatten().chain(group.values);
            let mut exprs = group.exprs.into_iter().peekable();
            for (row, position) in group.positions.into_iter().enumerate() {
                let start = row * width;
                let own = std::iter::from_fn(|| exprs.next_if(|(at, _)| *at < start + width));
                let group = InsertGroup {
                    columns: group.columns.clone(),
                    given: group.given,
                    constant: group.constant.clone(),
                    full: Vec::new(),
                    exprs: own.map(|(at, node)| (at - start, node)).collect(),
                    values: values.by_ref().take(width).collect(),
                    positions: vec![0],
                    overriding: group.overriding,
                    origin: group.origin,
                };
                let (groups, rows, expected) = (vec![group], 1, 0);
                out.push((
                    position,
                    Batch {
                        table,
                        groups,
                        rows,
                        expected,
                    },
                ));
            }
        }
        out.sort_by_key(|(position, _)| *position);
        out.into_iter().map(|(_, batch)| batch).collect()
    }
    pub(crate) fn into_groups(self) -> Vec<InsertGroup> {
        self.groups
    }
    /// Each row as the parts of a statement of its own, in input order.
    pub(crate) fn into_rows(self) -> Vec<InsertParts> {
        let mut out: Vec<(usize, InsertParts)> = Vec::with_capacity(self.rows);
        for group in self.groups {
            let positions = group.positions.clone();
            out.extend(positions.into_iter().zip(group.into_chunks(1, true)));
        }
        out.sort_by_key(|(position, _)| *position);
        out.into_iter().map(|(_, parts)| parts).collect()
    }
    /// Adds a row that sets the required columns only.
    pub fn push_new<N: New>(&mut self, new: N) {
        self.push(Insert::of(new));
    }
    /// Adds any row.
    pub fn push<M>(&mut self, mut insert: Insert<M>) {
        let position = self.rows;
        self.rows += 1;
        let table = self.table;
        let found = self.groups.iter().position(|g| g.takes(table, &insert));
        let at = found.unwrap_or_else(|| {
            let columns = insert.columns(table).collect();
            self.add_group(columns, insert.overriding, insert.required)
        });
        let group = &mut self.groups[at];
        let width = group.begin_row();
        let first = group.full.len() * ROWS * width;
        let (values, exprs) = (&mut group.values, &mut group.exprs);
        values.append(&mut insert.row.required);
        // what is taken from the end leaves nothing to tidy up
        insert.row.set.reverse();
        while let Some((_, node)) = insert.row.set.pop() {
            values.push(match node {
                Node::Value(value) => value,
                node => {
                    exprs.push((first + values.len(), node));
                    // what keeps its place among the values is never sent
                    Value::Null(Type::Bool)
                }
            });
        }
        if group.given < width {
            group.fill_defaults();
        }
        group.positions.push(position);
        SCRATCH.with(|scratch| drop(scratch.replace(insert.row)));
    }
    fn add_group(
        &mut self,
        mut columns: Vec<&'static Column>,
        overriding: bool,
        origin: &'static [usize],
    ) -> usize {
        let given = columns.len();
        let absent = |c: &&'static Column, set: &[&'static Column]| !set.iter().any(|s| std::ptr::eq(*s, *c));
        let defaulted = self.table.columns.iter().filter(|c| {
            matches!(c.default, Default::Literal(_) | Default::Function(_))
                && filled(self.table, c).is_none()
                && absent(c, &columns[..given])
        });
        let defaulted: Vec<_> = defaulted.collect();
        columns.extend(defaulted);
        let mut constant = Vec::new();
        for column in self.table.columns {
            let default = || {
                let in_sql = matches!(column.default, Default::Sql(_)) && absent(&column, &columns[..given]);
                in_sql.then(|| default_of(self.table, column)).flatten()
            };
            if let Some(node) = filled(self.table, column).or_else(default) {
                columns.push(column);
                constant.push(node);
            }
        }
        let rows = std::mem::take(&mut self.expected);
        let (values, positions) = (Vec::with_capacity(rows * columns.len()), Vec::with_capacity(rows));
        self.groups.push(InsertGroup {
            columns,
            given,
            constant,
            full: Vec::new(),
            values,
            exprs: Vec::new(),
            positions,
            overriding,
            origin,
        });
        self.groups.len() - 1
    }
}

/// What a column of a variant holds in a new row that does not set it. The database cannot fill it in: the column is NULL
/// in rows of other variants.
pub(crate) fn default_of(table: &Table, column: &'static Column) -> Option<Node> {
    table.base?;
    match column.default {
        Default::Literal(f) | Default::Function(f) => Some(Node::Value(typed(column, f()))),
        Default::Sql(sql) => Some(Node::Raw(vec![RawPart::Text(sql)], column.column.ty)),
        Default::None | Default::Identity => None,
    }
}

/// What the library puts into a column of a new row.
pub(crate) fn filled(table: &Table, column: &Column) -> Option<Node> {
    match column.role {
        Role::Discriminator => table.table.tag.map(|tag| Node::Value(Value::Str(tag.label))),
        Role::CreatedAt | Role::UpdatedAt => Some(Node::Clock),
        Role::CreatedBy | Role::UpdatedBy => Some(Node::Actor),
        Role::Tenant => Some(Node::Tenant),
        Role::Version => first_version(column),
        Role::Plain | Role::DeletedAt | Role::DeletedBy => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn chunks_are_full_then_powers_of_two() {
        let sizes = |mut left: usize| {
            let mut out = Vec::new();
            while left > 0 {
                let n = crate::query::insert::chunk(left, 64);
                out.push(n);
                left -= n;
            }
            out
        };
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(64), [64]);
        assert_eq!(sizes(135), [64, 64, 4, 2, 1]);
        assert_eq!(sizes(63), [32, 16, 8, 4, 2, 1]);
    }
}
