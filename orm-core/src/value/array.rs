//! Arrays: `Vec<T>` of any type that one column holds.

use crate::error::Result;
#[cfg(feature = "json")]
use crate::value::Json;
use crate::value::{
    Cells, Date, Element, Held, Id, Interval, LocalTimestamp, Range, RangeItem, Scalar, SqlType, TimeOfDay,
    Timestamp, Type, Value,
};

/// What arrays are made of: every column type but arrays and `u8`, whose `Vec` is bytes. `Option` of one for arrays with
/// NULLs. Derives of column types implement it.
#[diagnostic::on_unimplemented(
    message = "there are no arrays of `{Self}`",
    label = "`Vec<{Self}>` is not a column type",
    note = "elements are column types and `Option`s of them; bytes are a `Vec<u8>`"
)]
pub trait ArrayItem: SqlType {}

impl<T: ArrayItem + Scalar> ArrayItem for Option<T> {}

macro_rules! items {
    ($($Ty:ty),+ $(,)?) => {$(impl ArrayItem for $Ty {})+};
}
items!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u16,
    u32,
    u64,
    f32,
    f64,
    char,
    String,
    Vec<u8>
);
items!(Timestamp, LocalTimestamp, Date, TimeOfDay, Interval);
#[cfg(feature = "uuid")]
items!(uuid::Uuid);
#[cfg(feature = "decimal")]
items!(rust_decimal::Decimal);
#[cfg(feature = "json")]
items!(serde_json::Value);
#[cfg(feature = "chrono")]
items!(
    chrono::DateTime<chrono::Utc>,
    chrono::NaiveDateTime,
    chrono::NaiveDate,
    chrono::NaiveTime
);
#[cfg(feature = "time")]
items!(
    ::time::OffsetDateTime,
    ::time::UtcDateTime,
    ::time::PrimitiveDateTime,
    ::time::Date,
    ::time::Time
);
#[cfg(feature = "jiff")]
items!(
    ::jiff::Timestamp,
    ::jiff::civil::DateTime,
    ::jiff::civil::Date,
    ::jiff::civil::Time
);
#[cfg(feature = "json")]
impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static> ArrayItem for Json<T> {}
impl<T: RangeItem> ArrayItem for Range<T> {}
impl<M: 'static, R: Scalar> ArrayItem for Id<M, R> {}

const fn element<T: ArrayItem>() -> Element {
    match T::TYPE.element() {
        Some(element) => element,
        None => panic!("an array cannot hold arrays"),
    }
}

impl<T: ArrayItem> Scalar for Vec<T> {
    const TYPE: Type = Type::Array(element::<T>());
    fn into_value(self) -> Value {
        let items: Box<[Value]> = self.into_iter().map(SqlType::into_value).collect();
        match items.iter().find(|v| matches!(v, Value::Refused(_))) {
            Some(Value::Refused(why)) => Value::Refused(why),
            _ => Value::Array(const { element::<T>() }, items),
        }
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(items) = cells.array(i, const { element::<T>() })? else {
            return Ok(None);
        };
        let held = Held(&items);
        let items = (0..items.len()).map(|i| <T as SqlType>::decode(&held, i));
        items.collect::<Result<_>>().map(Some)
    }
}
