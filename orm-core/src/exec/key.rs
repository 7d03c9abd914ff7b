//! Keys of rows as values: collected from statements, put into conditions, whatever their columns are.

use std::any::Any;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use crate::ast::{Expr as Node, FromItem, InList, Select, Source, TableRef};
use crate::driver::Sink;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Raw;
use crate::exec::collect::other_sink;
use crate::schema::{Column, Table};
use crate::sql::{ListForm, type_of};
use crate::value::{Cells, Type, Value, read};

/// A result column of a statement, found again by its place.
pub(crate) type Cell = (usize, Type);

/// Where the select has this column; it is added unless it is there.
pub(crate) fn cell(select: &mut Select, column: &Node) -> Result<Cell> {
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

/// Values that are compared as a whole, in one form for each kind of value.
#[derive(Clone, PartialEq)]
pub(crate) struct Key(pub(crate) Vec<Value>);

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
                | Value::Interval(_)
                | Value::Range(..)
                | Value::Other(..)
                | Value::Array(..)
                | Value::Refused(_) => {}
            }
        }
    }
}

impl Key {
    /// The values in the types of these columns.
    pub(crate) fn stored(self, columns: &[&'static Column]) -> impl Iterator<Item = Value> {
        let types: Vec<Type> = columns.iter().map(|c| c.column.ty).collect();
        self.0.into_iter().zip(types).map(|(v, ty)| as_stored(ty, v))
    }
    pub(crate) fn new(mut values: Vec<Value>) -> Key {
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
    pub(crate) fn read(cells: &dyn Cells, at: &[Cell]) -> Result<Option<Key>> {
        let values: Option<Vec<Value>> = at
            .iter()
            .map(|&(i, ty)| read(cells, i, ty))
            .collect::<Result<_>>()?;
        Ok(values.map(Key::new))
    }
}

/// A row. Its table by address: two models may have the same name in different modules.
pub(crate) type Place = (usize, Key);

/// The row of this key.
pub(crate) fn place(table: &'static Table, key: Key) -> Place {
    (address(table), key)
}

/// Which table rows lie in: those of variants in that of their enum.
pub(crate) fn address(table: &'static Table) -> usize {
    statement_of(table.root())
}

/// Which model a statement names: rows of two variants are written by two.
pub(crate) fn statement_of(table: &'static Table) -> usize {
    std::ptr::from_ref(table).addr()
}

/// The keys to ask for, each once.
pub(crate) enum Wanted {
    Integers(Vec<i64>),
    Others(Vec<Key>),
}

/// So many rows of keys of several columns in one statement.
const TUPLES: usize = 1024;
/// Placeholders left for the conditions of a load where keys are bound one by one.
const OTHER_PARAMS: usize = 1000;

impl Wanted {
    /// `owner IN (keys)`: one condition, or several where the database takes so many at a time.
    pub(crate) fn conditions(self, owner: &[Node], raw: &Raw<'_>) -> Vec<Node> {
        let dialect = raw.runner.dialect();
        let ty = owner.first().map_or(Type::I64, type_of);
        let at_once = match dialect.list(ty) {
            ListForm::Each => dialect.features().max_params.saturating_sub(OTHER_PARAMS).max(1),
            ListForm::Array | ListForm::Json => usize::MAX,
        };
        let list = |values: &[Value]| {
            let owner = owner.first().cloned().unwrap_or_else(Node::one);
            Node::In(Box::new(owner), Box::new(InList::Values(ty, values.to_vec())))
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
pub(crate) fn among(columns: &[Node], keys: &[Key], raw: &Raw<'_>) -> Vec<Node> {
    Wanted::Others(keys.to_vec()).conditions(columns, raw)
}

fn integer(ty: Type, key: i64) -> Value {
    match ty {
        Type::I16 => i16::try_from(key).map_or(Value::I64(key), Value::I16),
        Type::I32 => i32::try_from(key).map_or(Value::I64(key), Value::I32),
        _ => Value::I64(key),
    }
}

pub(crate) fn as_stored(ty: Type, value: Value) -> Value {
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
    let mut select = Select::from(TableRef::unguarded(source, item));
    select.columns = names
        .iter()
        .zip(&types)
        .map(|(name, ty)| Node::Field(source, name, *ty))
        .collect();
    Node::In(
        Box::new(Node::Tuple(owner.to_vec())),
        Box::new(InList::Query(Box::new(select))),
    )
}

/// The keys of rows, as a set.
pub(crate) struct Identities {
    at: Vec<Cell>,
    keys: HashSet<Key>,
}

impl Identities {
    pub(crate) fn boxed(at: Vec<Cell>) -> Box<Identities> {
        let keys = HashSet::new();
        Box::new(Identities { at, keys })
    }
    pub(crate) fn take(sink: Box<dyn Sink>) -> Result<HashSet<Key>> {
        let sink = sink.into_any().downcast::<Identities>();
        sink.map(|s| s.keys).map_err(|_| other_sink())
    }
}

impl Sink for Identities {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.keys.extend(Key::read(cells, &self.at)?);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.keys.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
