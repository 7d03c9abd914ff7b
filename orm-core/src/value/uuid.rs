//! `uuid::Uuid` as a column (feature `uuid`).

use ::uuid::Uuid;

use crate::error::Result;
use crate::value::{Cells, Scalar, Type, Value};

impl Scalar for Uuid {
    const TYPE: Type = Type::Uuid;
    fn into_value(self) -> Value {
        Value::Uuid(self.into_bytes())
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(cells.uuid(i)?.map(Uuid::from_bytes))
    }
}

/// A fresh UUID v7: later ones sort behind earlier ones, also within one millisecond of this process.
pub fn new_v7() -> Uuid {
    Uuid::now_v7()
}
