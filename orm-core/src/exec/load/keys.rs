//! The values that relate the rows of one level to those of the next.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use crate::ast::{Expr as Node, FromItem, InList, Select, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Raw;
use crate::exec::load::window::derived;
use crate::schema::{Column, RelationDef};
use crate::sql::{ListForm, type_of};
use crate::value::{Cells, Type, Value, read};

/// A result column of a statement, found again by its place.
pub(in crate::exec) type Cell = (usize, Type);

/// Where the select has this column; it is added unless it is there.
pub(in crate::exec) fn cell(select: &mut Select, column: &Node) -> Result<Cell> {
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

/// The values that relate the rows of a level to those of the next one, row by row. Nothing where one of them is NULL:
/// it relates to nothing.
pub(super) enum Keys {
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
    pub(super) fn read_from(at: Vec<Cell>) -> Keys {
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
    pub(super) fn len(&self) -> usize {
        match self {
            Keys::Integers { values, .. } => values.len(),
            Keys::Others { values, .. } => values.len(),
        }
    }
    pub(super) fn push(&mut self, cells: &dyn Cells) -> Result<()> {
        match self {
            Keys::Integers { at, values } => values.push(cells.i64(*at)?),
            Keys::Others { at, values } => values.push(Key::read(cells, at)?),
        }
        Ok(())
    }
}

/// Values that are compared as a whole, in one form for each kind of value.
#[derive(Clone, PartialEq)]
pub(in crate::exec) struct Key(Vec<Value>);

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
    /// The values in the types of these columns.
    pub(in crate::exec) fn stored(self, columns: &[&'static Column]) -> impl Iterator<Item = Value> {
        let types: Vec<Type> = columns.iter().map(|c| c.column.ty).collect();
        self.0.into_iter().zip(types).map(|(v, ty)| as_stored(ty, v))
    }
    pub(in crate::exec) fn new(mut values: Vec<Value>) -> Key {
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
    pub(in crate::exec) fn read(cells: &dyn Cells, at: &[Cell]) -> Result<Option<Key>> {
        let values: Option<Vec<Value>> = at
            .iter()
            .map(|&(i, ty)| read(cells, i, ty))
            .collect::<Result<_>>()?;
        Ok(values.map(Key::new))
    }
}

/// No further row.
pub(super) const END: u32 = u32::MAX;

/// Finds the rows above that a row belongs to.
pub(super) struct Owners {
    index: Index,
    /// For each row above the next one with the same key.
    pub(super) next: Vec<u32>,
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
pub(super) enum Wanted {
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
    pub(super) fn new(keys: Keys, at: Vec<Cell>, relation: &'static RelationDef) -> (Owners, Wanted) {
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
    pub(super) fn find(&mut self, cells: &dyn Cells) -> Result<u32> {
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

/// So many rows of keys of several columns in one statement.
const TUPLES: usize = 1024;
/// Placeholders left for the conditions of a load where keys are bound one by one.
const OTHER_PARAMS: usize = 1000;

impl Wanted {
    /// `owner IN (keys)`: one condition, or several where the database takes so many at a time.
    pub(super) fn conditions(self, owner: &[Node], raw: &Raw<'_>) -> Vec<Node> {
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

/// `columns IN (keys)`, see [`Wanted::conditions`]; none for no key.
pub(in crate::exec) fn among(columns: &[Node], keys: &[Key], raw: &Raw<'_>) -> Vec<Node> {
    Wanted::Others(keys.to_vec()).conditions(columns, raw)
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
