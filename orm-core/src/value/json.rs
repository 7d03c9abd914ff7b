//! JSON columns (feature `json`): `serde_json::Value` untyped, `Json<T>` typed.

use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::value::{Cells, Scalar, Type, Value};

/// A value stored as JSON.
///
/// ```
/// use orm_core::value::Json;
/// let tags = Json(vec!["a".to_string()]);
/// assert_eq!(tags.len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
impl<T> From<T> for Json<T> {
    fn from(v: T) -> Self {
        Json(v)
    }
}
impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Json<T> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        T::deserialize(d).map(Json)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Scalar for Json<T> {
    const TYPE: Type = Type::Json;
    fn into_value(self) -> Value {
        write(&self.0)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(read(cells, i)?.map(Json))
    }
}
impl Scalar for serde_json::Value {
    const TYPE: Type = Type::Json;
    fn into_value(self) -> Value {
        write(&self)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        read(cells, i)
    }
}

fn write(v: &impl Serialize) -> Value {
    serde_json::to_string(v).map_or(Value::Refused("the value cannot be written as JSON"), Value::Json)
}

fn read<T: DeserializeOwned>(cells: &dyn Cells, i: usize) -> Result<Option<T>> {
    let Some(text) = cells.json(i)? else {
        return Ok(None);
    };
    serde_json::from_str(text).map(Some).map_err(|e| {
        // serde's own text may quote the data; its position does not
        Error::decode(format!(
            "the stored JSON does not fit the Rust type, line {} column {}",
            e.line(),
            e.column()
        ))
    })
}
