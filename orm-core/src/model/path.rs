//! The keys of the rows on a way, as a database hands them over and as they are read.
//!
//! One text holds them all: for each column of each key the number of its characters, a colon, and the characters. No
//! database has to know lists for it, and no text of a key can be taken for its end.

use crate::ast::{Expr as Node, Function, MathOp, RawPart};
use crate::error::{Error, Result};
use crate::model::{Key, Model};
use crate::value::{Expected, Held, Loads, Lookup, Output, Row, Type, Value};

/// The keys of the rows from the start of a walk to a row of it, that one's own last: see
/// [`Walk::with_path`](crate::query::Walk::with_path). Reads like a slice.
pub struct Path<M: Model>(Vec<M::Id>);

impl<M: Model> Path<M> {
    /// The number of steps from the start: 0 for the start itself.
    pub fn depth(&self) -> usize {
        self.0.len().saturating_sub(1)
    }
    /// The keys.
    pub fn into_vec(self) -> Vec<M::Id> {
        self.0
    }
    /// Whether a key of this type can be a part of one.
    pub(crate) fn holds(ty: Type) -> bool {
        matches!(
            ty,
            Type::I16 | Type::I32 | Type::I64 | Type::Text | Type::Uuid | Type::Enum(_)
        )
    }
    /// A key as a part of the text.
    pub(crate) fn written(key: Vec<Node>) -> Node {
        let text = |column: Node| Node::Cast(Box::new(column), Type::Text);
        let join = |a, b| Node::Math(MathOp::Concat, Box::new(a), Box::new(b));
        let colon = || Node::Raw(vec![RawPart::Text("':'")], Type::Text);
        let part = |column: Node| {
            let length = text(Node::call(Function::Length, vec![text(column.clone())]));
            join(join(length, colon()), text(column))
        };
        let parts = key.into_iter().map(part);
        parts.reduce(join).unwrap_or_else(colon)
    }
    fn read(text: &str) -> Result<Self> {
        let types: Vec<Type> = M::TABLE.key_columns().map(|c| c.column.ty).collect();
        let (mut keys, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let mut key = Vec::with_capacity(types.len());
            for ty in &types {
                let (part, behind) = part(rest).ok_or_else(broken)?;
                key.push(value(*ty, part).ok_or_else(broken)?);
                rest = behind;
            }
            keys.push(M::Id::read(&mut Row::new(&Held(&key)))?);
        }
        Ok(Path(keys))
    }
}

/// The first part of the text, and what is behind it.
fn part(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    let length: usize = length.parse().ok()?;
    let end = match rest.char_indices().nth(length) {
        Some((end, _)) => end,
        None if rest.chars().count() == length => rest.len(),
        None => return None,
    };
    Some(rest.split_at(end))
}

fn value(ty: Type, text: &str) -> Option<Value> {
    Some(match ty {
        Type::I16 | Type::I32 | Type::I64 => Value::I64(text.parse().ok()?),
        Type::Text | Type::Enum(_) => Value::Text(text.into()),
        Type::Uuid => {
            let digits: String = text.chars().filter(|c| *c != '-').collect();
            let number = u128::from_str_radix(&digits, 16).ok()?;
            Value::Uuid(number.to_be_bytes())
        }
        _ => return None,
    })
}

#[cold]
fn broken() -> Error {
    Error::decode("a path is not what the statement asked for")
}

impl<M: Model> Output for Path<M> {
    type Local = Self;
    fn decode(row: &mut Row<'_>) -> Result<Self> {
        Path::read(&row.get::<String>()?)
    }
    fn assemble(local: Self, _: &mut Loads<'_>) -> Result<Self> {
        Ok(local)
    }
    fn columns(out: &mut Vec<Expected>) -> Lookup {
        <String as Output>::columns(out)
    }
}

impl<M: Model> std::ops::Deref for Path<M> {
    type Target = [M::Id];
    fn deref(&self) -> &[M::Id] {
        &self.0
    }
}
impl<M: Model> Clone for Path<M> {
    fn clone(&self) -> Self {
        Path(self.0.clone())
    }
}
impl<M: Model<Id: std::fmt::Debug>> std::fmt::Debug for Path<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
impl<M: Model<Id: PartialEq>> PartialEq for Path<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
