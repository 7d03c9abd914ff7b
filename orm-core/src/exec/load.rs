//! Loading relations: one statement for each relation and level, whatever the number of rows above.
//!
//! The rows of a level are decoded while the driver steps, together with the values that relate them to the rows above
//! and below. A row that belongs to several rows above (the author of many posts) is decoded once for each of them, so
//! that nothing has to be cloned.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::panic::Location;

use crate::ast::{
    CompareOp, Deleted, Expr as Node, FromItem, Guard, InList, Nulls, Order, Select, Source, Statement,
    TableRef, Window, WindowCall, WindowFn,
};
use crate::driver::{BoxFuture, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::other_sink;
use crate::exec::fetch::{Site, step};
use crate::exec::{Pending, Raw, Serves};
use crate::model::{Entity, Model, Shape};
use crate::relation::{Branch, LoadLater, owner};
use crate::schema::{RelationDef, RelationKind, Table};
use crate::sql::{ListForm, type_of};
use crate::value::{Cells, Children, Collector, Loads, Output, Places, Rows, Type, Value, read};

/// Rows of a query and what was loaded beside them.
pub(crate) struct Loaded {
    rows: Box<dyn Any + Send>,
    children: Vec<Children>,
}

impl Loaded {
    pub(crate) fn finish<O: Output>(self) -> Result<Vec<O>> {
        Rows::<O>::of(self.rows)?.finish(self.children)
    }
    /// The rows in hand with what was loaded for them.
    fn attach<O: Entity, L: LoadLater<O::Model>>(mut self) -> Result<Vec<L::Out<O>>> {
        let rows = self.rows.downcast::<Vec<O>>().map_err(|_| other_sink())?;
        rows.into_iter()
            .map(|row| L::attach(row, &mut Loads::new(&mut self.children)))
            .collect()
    }
}

/// Runs a query and loads relations beside its rows.
pub(crate) async fn load(
    raw: &Raw<'_>,
    mut select: Box<Select>,
    loads: Vec<Branch>,
    rows: Box<dyn Collector>,
    table: &'static Table,
    site: Site,
) -> Result<Loaded> {
    let keys = readers(&mut select, &loads)?;
    let level = Level::new(rows, None, keys);
    let done = step(raw, Statement::Select(select), Some(table), Box::new(level), site).await?;
    let level = Level::back(done.sink)?;
    let children = below(raw, level.keys, loads, site).await?;
    Ok(Loaded {
        rows: level.rows.into_any(),
        children,
    })
}

/// Loads a relation for rows in hand.
async fn load_for(
    raw: Raw<'_>,
    rows: Box<dyn Any + Send>,
    keys: Keys,
    branch: Branch,
    site: Site,
) -> Result<Loaded> {
    let children = vec![branch_of(&raw, keys, branch, site).await?];
    Ok(Loaded { rows, children })
}

/// Loads relations beside rows that were read before.
///
/// ```
/// # use orm_core::exec::{LoadRelations, Serves, Db};
/// # use orm_core::model::{Entity, Model};
/// # use orm_core::relation::{LoadLater, LoadOf};
/// # async fn run<M, L>(db: &Db, rows: Vec<M>, posts: fn(M::Cols<M>) -> L) -> orm_core::error::Result<()>
/// # where M: Model, Db: Serves<M>, M: Entity<Model = M>, L: LoadLater<M> {
/// let rows = rows.load(db, posts).await?; // rows.load(&db, |u| u.posts)
/// # Ok(()) }
/// ```
pub trait LoadRelations: Sized {
    /// A row.
    type Row: Entity;
    /// The same with the relation beside each row.
    type Loaded<T>;
    /// Loads a relation beside each row: one statement for all of them, none when there is no row.
    #[track_caller]
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<<Self::Row as Shape>::Model as Model>::Cols<<Self::Row as Shape>::Model>) -> L,
    ) -> Pending<'a, Self::Loaded<L::Out<Self::Row>>>
    where
        E: Serves<<Self::Row as Shape>::Model> + ?Sized,
        L: LoadLater<<Self::Row as Shape>::Model>;
}

fn start<'a, O: Entity, L: LoadLater<O::Model>>(
    rows: Vec<O>,
    raw: Raw<'a>,
    load: L,
    site: Site,
) -> BoxFuture<'a, Result<Loaded>> {
    let keys = rows.iter().map(|row| L::key(row.row()).map(Key::new)).collect();
    let keys = Keys::Others {
        at: Vec::new(),
        values: keys,
    };
    Box::pin(load_for(raw, Box::new(rows), keys, load.branch(), site))
}

fn columns<M: Model>() -> M::Cols<M> {
    M::cols(Source::ROOT)
}

impl<O: Entity> LoadRelations for Vec<O> {
    type Row = O;
    type Loaded<T> = Vec<T>;
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<O::Model as Model>::Cols<O::Model>) -> L,
    ) -> Pending<'a, Vec<L::Out<O>>>
    where
        E: Serves<O::Model> + ?Sized,
        L: LoadLater<O::Model>,
    {
        let fut = start(self, ex.raw(), f(columns::<O::Model>()), Location::caller());
        Pending::loaded(fut, Loaded::attach::<O, L>)
    }
}

impl<O: Entity> LoadRelations for O {
    type Row = O;
    type Loaded<T> = T;
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<O::Model as Model>::Cols<O::Model>) -> L,
    ) -> Pending<'a, L::Out<O>>
    where
        E: Serves<O::Model> + ?Sized,
        L: LoadLater<O::Model>,
    {
        let fut = start(vec![self], ex.raw(), f(columns::<O::Model>()), Location::caller());
        Pending::loaded(fut, |loaded| {
            loaded.attach::<O, L>()?.pop().ok_or_else(other_sink)
        })
    }
}

/// What is loaded beside the rows of a level, relation by relation.
async fn below(raw: &Raw<'_>, keys: Vec<Keys>, loads: Vec<Branch>, site: Site) -> Result<Vec<Children>> {
    let mut children = Vec::with_capacity(loads.len());
    for (keys, branch) in keys.into_iter().zip(loads) {
        children.push(branch_of(raw, keys, branch, site).await?);
    }
    Ok(children)
}

fn branch_of<'a>(
    raw: &'a Raw<'_>,
    keys: Keys,
    branch: Branch,
    site: Site,
) -> BoxFuture<'a, Result<Children>> {
    Box::pin(async move {
        let Branch {
            relation,
            mut select,
            loads,
            rows,
        } = branch;
        let readers = readers(&mut select, &loads)?;
        let owner = owner(relation, &mut select);
        let at = owner
            .iter()
            .map(|c| cell(&mut select, c))
            .collect::<Result<_>>()?;
        let parents = keys.len();
        let (owners, wanted) = Owners::new(keys, at, relation);
        let mut level = Level::new(rows(), Some(owners), readers);
        let table = (relation.table)();
        for condition in wanted.conditions(&owner, raw) {
            let mut select = select.clone();
            select.filter.push(condition);
            let select = of_each(select, &owner, table)?;
            let done = step(raw, Statement::Select(select), Some(table), Box::new(level), site).await?;
            level = Level::back(done.sink)?;
        }
        let children = below(raw, level.keys, loads, site).await?;
        let single = match relation.kind {
            RelationKind::HasMany | RelationKind::ManyToMany => None,
            RelationKind::HasOne | RelationKind::BelongsTo => Some((relation.model, relation.name)),
        };
        let places = Places {
            of: &level.slots,
            parents,
            single,
        };
        level.rows.place(children, places)
    })
}

/// A result column of a statement, found again by its place.
type Cell = (usize, Type);

/// Where the select has this column; it is added unless it is there.
fn cell(select: &mut Select, column: &Node) -> Result<Cell> {
    let Node::Column(source, column) = column else {
        return Err(Error::new(ErrorKind::InvalidQuery, "rows are related by columns"));
    };
    let same = |n: &Node| matches!(n, Node::Column(s, c) if s == source && std::ptr::eq(*c, *column));
    let at = select.columns.iter().position(same).unwrap_or_else(|| {
        select.columns.push(Node::Column(*source, column));
        select.columns.len() - 1
    });
    Ok((at, column.ty))
}

/// What reads, from each row of the select, the values that relate it to the rows below.
fn readers(select: &mut Select, loads: &[Branch]) -> Result<Vec<Keys>> {
    for (i, branch) in loads.iter().enumerate() {
        if loads[..i]
            .iter()
            .any(|b| std::ptr::eq(b.relation, branch.relation))
        {
            let text = "this relation is loaded twice; the second one would hide the first";
            let RelationDef { model, name, .. } = branch.relation;
            return Err(Error::new(ErrorKind::InvalidQuery, text)
                .with_model(model)
                .with_field(*name));
        }
    }
    let root = select.root();
    let mut reader = |branch: &Branch| {
        let columns = (branch.relation.parent)();
        let cells = columns
            .iter()
            .map(|c| cell(select, &Node::Column(root, &c.column)));
        Ok(Keys::read_from(cells.collect::<Result<_>>()?))
    };
    loads.iter().map(&mut reader).collect()
}

/// The values that relate the rows of a level to those of the next one, row by row. Nothing where one of them is NULL:
/// it relates to nothing.
enum Keys {
    /// One integer: what nearly all keys are.
    Integers {
        at: usize,
        values: Vec<Option<i64>>,
    },
    Others {
        at: Vec<Cell>,
        values: Vec<Option<Key>>,
    },
}

impl Keys {
    fn read_from(at: Vec<Cell>) -> Keys {
        match at.as_slice() {
            [(at, ty)] if ty.is_integer() => Keys::Integers {
                at: *at,
                values: Vec::new(),
            },
            _ => Keys::Others {
                at,
                values: Vec::new(),
            },
        }
    }
    fn len(&self) -> usize {
        match self {
            Keys::Integers { values, .. } => values.len(),
            Keys::Others { values, .. } => values.len(),
        }
    }
    fn push(&mut self, cells: &dyn Cells) -> Result<()> {
        match self {
            Keys::Integers { at, values } => values.push(cells.i64(*at)?),
            Keys::Others { at, values } => values.push(Key::read(cells, at)?),
        }
        Ok(())
    }
}

/// Values that are compared as a whole, in one form for each kind of value.
#[derive(Clone, PartialEq)]
struct Key(Vec<Value>);

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, h: &mut H) {
        for value in &self.0 {
            match value {
                Value::Bool(v) => v.hash(h),
                Value::I64(v) => v.hash(h),
                Value::Text(v) | Value::Json(v) => v.hash(h),
                Value::Enum(_, v) => v.hash(h),
                Value::Bytes(v) => v.hash(h),
                Value::Uuid(v) => v.hash(h),
                Value::Timestamp(v) => v.hash(h),
                Value::LocalTimestamp(v) => v.hash(h),
                Value::Date(v) => v.hash(h),
                Value::Time(v) => v.hash(h),
                Value::Decimal(v) => v.hash(h),
                // rare or never a key; equality decides
                Value::Null(_)
                | Value::I16(_)
                | Value::I32(_)
                | Value::F32(_)
                | Value::F64(_)
                | Value::Str(_)
                | Value::Array(..)
                | Value::Refused(_) => {}
            }
        }
    }
}

impl Key {
    fn new(mut values: Vec<Value>) -> Key {
        for value in &mut values {
            match value {
                Value::I16(v) => *value = Value::I64((*v).into()),
                Value::I32(v) => *value = Value::I64((*v).into()),
                Value::F32(v) => *value = Value::F64((*v).into()),
                Value::Str(v) => *value = Value::Text((*v).to_owned()),
                Value::Decimal(d) => {
                    while d.scale > 0 && d.mantissa % 10 == 0 {
                        d.mantissa /= 10;
                        d.scale -= 1;
                    }
                }
                _ => {}
            }
        }
        Key(values)
    }
    /// The values of these cells, unless one is NULL.
    fn read(cells: &dyn Cells, at: &[Cell]) -> Result<Option<Key>> {
        let values: Option<Vec<Value>> = at
            .iter()
            .map(|&(i, ty)| read(cells, i, ty))
            .collect::<Result<_>>()?;
        Ok(values.map(Key::new))
    }
}

/// No further row.
const END: u32 = u32::MAX;

/// Finds the rows above that a row belongs to.
struct Owners {
    index: Index,
    /// For each row above the next one with the same key.
    next: Vec<u32>,
    relation: &'static RelationDef,
}

/// The first row above with a key.
enum Index {
    Integers {
        at: usize,
        first: HashMap<i64, u32>,
        /// Rows of one owner often come together.
        last: (i64, u32),
    },
    Others {
        at: Vec<Cell>,
        first: HashMap<Key, u32>,
    },
}

/// The keys to ask for, each once.
enum Wanted {
    Integers(Vec<i64>),
    Others(Vec<Key>),
}

/// Fills `next` and gives the first row of each key, and the keys in the order of these rows.
fn chain<K: Eq + Hash + Copy>(keys: &[Option<K>], next: &mut [u32]) -> (HashMap<K, u32>, Vec<K>) {
    let mut first = HashMap::with_capacity(keys.len());
    for (slot, key) in keys.iter().enumerate().rev() {
        if let Some(key) = key {
            next[slot] = first.insert(*key, slot as u32).unwrap_or(END);
        }
    }
    let is_first =
        |&(slot, key): &(usize, &Option<K>)| key.is_some_and(|k| first.get(&k) == Some(&(slot as u32)));
    let wanted = keys
        .iter()
        .enumerate()
        .filter(is_first)
        .filter_map(|(_, key)| *key)
        .collect();
    (first, wanted)
}

impl Owners {
    fn new(keys: Keys, at: Vec<Cell>, relation: &'static RelationDef) -> (Owners, Wanted) {
        match keys {
            Keys::Integers { values, .. } => {
                let mut next = vec![END; values.len()];
                let (first, wanted) = chain(&values, &mut next);
                let at = at.first().map_or(0, |c| c.0);
                let last = (0, first.get(&0).copied().unwrap_or(END));
                let index = Index::Integers { at, first, last };
                (
                    Owners {
                        index,
                        next,
                        relation,
                    },
                    Wanted::Integers(wanted),
                )
            }
            Keys::Others { values, .. } => {
                let mut next = vec![END; values.len()];
                let borrowed: Vec<Option<&Key>> = values.iter().map(Option::as_ref).collect();
                let (first, wanted) = chain(&borrowed, &mut next);
                let first = first.into_iter().map(|(key, slot)| (key.clone(), slot)).collect();
                let wanted = wanted.into_iter().cloned().collect();
                let index = Index::Others { at, first };
                (
                    Owners {
                        index,
                        next,
                        relation,
                    },
                    Wanted::Others(wanted),
                )
            }
        }
    }
    /// The first row above that the row belongs to.
    fn find(&mut self, cells: &dyn Cells) -> Result<u32> {
        let found = match &mut self.index {
            Index::Integers { at, first, last } => {
                let key = cells.i64(*at)?.ok_or_else(|| astray(self.relation))?;
                if last.0 != key {
                    *last = (key, first.get(&key).copied().unwrap_or(END));
                }
                last.1
            }
            Index::Others { at, first } => {
                let key = Key::read(cells, at)?.ok_or_else(|| astray(self.relation))?;
                first.get(&key).copied().unwrap_or(END)
            }
        };
        if found == END {
            Err(astray(self.relation))
        } else {
            Ok(found)
        }
    }
}

/// The database says that a row is related, and its values say otherwise: to drop it would be to lose it.
#[cold]
fn astray(relation: &RelationDef) -> Error {
    Error::decode(
        "a loaded row belongs to none of the rows above: its key equals theirs in the database only",
    )
    .with_model(relation.model)
    .with_field(relation.name)
}

/// The rows of one level while they arrive.
struct Level {
    rows: Box<dyn Collector>,
    owners: Option<Owners>,
    /// For each row the row above.
    slots: Vec<u32>,
    keys: Vec<Keys>,
}

impl Level {
    fn new(rows: Box<dyn Collector>, owners: Option<Owners>, keys: Vec<Keys>) -> Level {
        Level {
            rows,
            owners,
            slots: Vec::new(),
            keys,
        }
    }
    fn back(sink: Box<dyn Sink>) -> Result<Level> {
        let level = sink.into_any().downcast::<Level>();
        level.map(|level| *level).map_err(|_| other_sink())
    }
    fn take(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows.push(cells)?;
        self.keys.iter_mut().try_for_each(|keys| keys.push(cells))
    }
}

impl Sink for Level {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let Some(owners) = &mut self.owners else {
            return self.take(cells);
        };
        let mut slot = owners.find(cells)?;
        while slot != END {
            self.slots.push(slot);
            self.take(cells)?;
            slot = self.owners.as_ref().map_or(END, |o| o.next[slot as usize]);
        }
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// So many rows of keys of several columns in one statement.
const TUPLES: usize = 1024;
/// Placeholders left for the conditions of a load where keys are bound one by one.
const OTHER_PARAMS: usize = 1000;

impl Wanted {
    /// `owner IN (keys)`: one condition, or several where the database takes so many at a time.
    fn conditions(self, owner: &[Node], raw: &Raw<'_>) -> Vec<Node> {
        let dialect = raw.runner.dialect();
        let ty = owner.first().map_or(Type::I64, type_of);
        let at_once = match dialect.list(ty) {
            ListForm::Each => dialect.features().max_params.saturating_sub(OTHER_PARAMS).max(1),
            ListForm::Array | ListForm::Json => usize::MAX,
        };
        let list = |values: &[Value]| {
            let owner = owner.first().cloned().unwrap_or_else(Node::one);
            Node::In(Box::new(owner), InList::Values(ty, values.to_vec()))
        };
        match self {
            Wanted::Integers(keys) => {
                let values: Vec<Value> = keys.into_iter().map(|key| integer(ty, key)).collect();
                values.chunks(at_once).map(list).collect()
            }
            Wanted::Others(keys) if owner.len() == 1 => {
                let values: Vec<Value> = keys
                    .into_iter()
                    .flat_map(|key| key.0)
                    .map(|v| as_stored(ty, v))
                    .collect();
                values.chunks(at_once).map(list).collect()
            }
            Wanted::Others(keys) => keys.chunks(TUPLES).map(|keys| is_one_of(owner, keys)).collect(),
        }
    }
}

fn integer(ty: Type, key: i64) -> Value {
    match ty {
        Type::I16 => i16::try_from(key).map_or(Value::I64(key), Value::I16),
        Type::I32 => i32::try_from(key).map_or(Value::I64(key), Value::I32),
        _ => Value::I64(key),
    }
}

fn as_stored(ty: Type, value: Value) -> Value {
    match value {
        Value::I64(key) => integer(ty, key),
        other => other,
    }
}

/// `(a, b) IN (VALUES (…), …)`. Lengths are powers of two, the last key repeated, so that few texts are prepared.
fn is_one_of(owner: &[Node], keys: &[Key]) -> Node {
    const NAMES: [&str; 4] = ["k1", "k2", "k3", "k4"];
    let names = &NAMES[..owner.len().min(NAMES.len())];
    let types: Vec<Type> = owner.iter().map(type_of).collect();
    let row = |key: &Key| {
        let values = key.0.iter().zip(&types);
        values
            .map(|(v, ty)| Node::Value(as_stored(*ty, v.clone())))
            .collect::<Vec<_>>()
    };
    let last = keys.last().into_iter().cycle();
    let rows = keys
        .iter()
        .chain(last)
        .take(keys.len().next_power_of_two())
        .map(row)
        .collect();
    let source = Source::fresh();
    let item = FromItem::Values {
        rows,
        columns: names.to_vec(),
    };
    let mut select = Select::from(derived(source, item));
    select.columns = names
        .iter()
        .zip(&types)
        .map(|(name, ty)| Node::Field(source, name, *ty))
        .collect();
    Node::In(
        Box::new(Node::Tuple(owner.to_vec())),
        InList::Query(Box::new(select)),
    )
}

fn derived(source: Source, item: FromItem) -> TableRef {
    let guard = Guard {
        deleted: Deleted::Included,
        all_tenants: true,
    };
    TableRef { source, item, guard }
}

/// With a limit, the first rows of each owner instead of the first rows of all.
fn of_each(mut select: Box<Select>, owner: &[Node], table: &'static Table) -> Result<Box<Select>> {
    const NUMBER: &str = "row_number";
    let (limit, offset) = (select.limit.take(), select.offset.take());
    if limit.is_none() && offset.is_none() {
        return Ok(select);
    }
    let root = select.root();
    let mut order = std::mem::take(&mut select.order);
    // rows that the order leaves equal come as their keys do, or a limit would choose among them at random
    order.extend(table.key_columns().map(|c| Order {
        expr: Node::Column(root, &c.column),
        desc: false,
        nulls: Nulls::Default,
    }));
    let window = Window {
        partition: owner.to_vec(),
        order,
        ..Window::default()
    };
    let mut names = column_names(&select)?;
    let types: Vec<Type> = select.columns.iter().map(type_of).collect();
    let function = WindowFn::RowNumber;
    select
        .columns
        .push(Node::Window(Box::new(WindowCall { function, window })));
    let source = Source::fresh();
    let columns = names
        .iter()
        .zip(types)
        .map(|(name, ty)| Node::Field(source, name, ty))
        .collect();
    names.push(NUMBER);
    let item = FromItem::Query {
        query: select,
        columns: names,
        lateral: false,
    };
    let mut outer = Select::from(derived(source, item));
    let number = || Box::new(Node::Field(source, NUMBER, Type::I64));
    let bound = |n: u64| Box::new(Node::Value(Value::I64(i64::try_from(n).unwrap_or(i64::MAX))));
    let offset = offset.unwrap_or(0);
    outer.columns = columns;
    if offset > 0 {
        outer
            .filter
            .push(Node::Compare(CompareOp::Gt, number(), bound(offset)));
    }
    if let Some(limit) = limit {
        let end = bound(offset.saturating_add(limit));
        outer.filter.push(Node::Compare(CompareOp::Le, number(), end));
    }
    outer.order.push(Order {
        expr: *number(),
        desc: false,
        nulls: Nulls::Default,
    });
    Ok(Box::new(outer))
}

/// A name for each column of a select that becomes a derived table.
fn column_names(select: &Select) -> Result<Vec<&'static str>> {
    const OTHERS: [&str; 24] = [
        "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "_10", "_11", "_12", "_13", "_14", "_15",
        "_16", "_17", "_18", "_19", "_20", "_21", "_22", "_23", "_24",
    ];
    let root = select.root();
    let (mut names, mut others) = (Vec::with_capacity(select.columns.len() + 1), OTHERS.iter());
    for column in &select.columns {
        let own = match column {
            Node::Column(source, c) if *source == root && !names.contains(&c.name) => Some(c.name),
            _ => None,
        };
        let too_many = || {
            Error::new(
                ErrorKind::InvalidQuery,
                "more than 24 computed columns in a limited load",
            )
        };
        names.push(match own {
            Some(name) => name,
            None => others.next().ok_or_else(too_many)?,
        });
    }
    Ok(names)
}
