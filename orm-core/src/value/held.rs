//! Values at hand, read like the cells of a row.

use crate::error::{Error, Result};
use crate::value::{Cells, Date, DecimalParts, Element, LocalTimestamp, TimeOfDay, Timestamp, Type, Value};

/// Values that were taken out of a row, in the order of its cells.
pub(crate) struct Held<'a>(pub(crate) &'a [Value]);

#[cold]
fn other_type() -> Error {
    Error::decode("the value is of another type than the field")
}

impl Held<'_> {
    fn at(&self, i: usize) -> Result<&Value> {
        let missing = || Error::decode("the row has fewer values than the model has fields");
        self.0.get(i).ok_or_else(missing)
    }
}

macro_rules! getters {
    ($($f:ident: $t:ty => $($pattern:pat => $value:expr),+;)*) => {$(
        fn $f(&self, i: usize) -> Result<Option<$t>> {
            match self.at(i)? {
                Value::Null(_) => Ok(None),
                $($pattern => Ok(Some($value)),)+
                _ => Err(other_type()),
            }
        }
    )*};
}

impl Cells for Held<'_> {
    getters! {
        bool: bool => Value::Bool(v) => *v;
        i64: i64 => Value::I64(v) => *v, Value::I32(v) => i64::from(*v), Value::I16(v) => i64::from(*v);
        f64: f64 => Value::F64(v) => *v, Value::F32(v) => f64::from(*v);
        text: &str => Value::Text(v) => v, Value::Str(v) => v, Value::Enum(_, v) => v;
        bytes: &[u8] => Value::Bytes(v) => v;
        uuid: [u8; 16] => Value::Uuid(v) => *v;
        timestamp: Timestamp => Value::Timestamp(v) => *v;
        local_timestamp: LocalTimestamp => Value::LocalTimestamp(v) => *v;
        date: Date => Value::Date(v) => *v;
        time: TimeOfDay => Value::Time(v) => *v;
        json: &str => Value::Json(v) => v;
        decimal: DecimalParts => Value::Decimal(v) => *v;
    }
    fn value(&self, i: usize, ty: Type) -> Result<Option<Value>> {
        match self.at(i)? {
            Value::Null(_) => Ok(None),
            value if value.ty() == ty => Ok(Some(value.clone())),
            _ => Err(other_type()),
        }
    }
    fn array(&self, i: usize, _: Element) -> Result<Option<Vec<Value>>> {
        match self.at(i)? {
            Value::Null(_) => Ok(None),
            Value::Array(_, items) => Ok(Some(items.to_vec())),
            _ => Err(other_type()),
        }
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn position(&self, _: &str) -> Option<usize> {
        None
    }
    fn is_null(&self, i: usize) -> bool {
        self.0.get(i).is_none_or(Value::is_null)
    }
}
