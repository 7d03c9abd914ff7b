//! `Scalar` for the types of the standard library, and which of them are numbers or text.

use crate::error::{Error, Result};
use crate::value::{
    Cells, Date, Interval, LocalTimestamp, Scalar, SqlType, TimeOfDay, Timestamp, Type, Value,
};

/// Types that arithmetic and `sum` work on.
#[diagnostic::on_unimplemented(message = "arithmetic needs a number, and this is `{Self}`")]
pub trait Numeric: SqlType {
    /// What `sum` of a column of this type yields.
    type Sum: Scalar;
    /// What `avg` of a column of this type yields.
    type Avg: Scalar;
}
/// Types that text operators work on.
#[diagnostic::on_unimplemented(
    message = "text operators need a text column, and this is `{Self}`",
    label = "not a column of type `String` or `Option<String>`"
)]
pub trait Text: SqlType {}
#[diagnostic::do_not_recommend]
impl Text for String {}
#[diagnostic::do_not_recommend]
impl Text for Option<String> {}

impl<T: Numeric + Scalar> Numeric for Option<T> {
    type Sum = T::Sum;
    type Avg = T::Avg;
}

/// An integer cell that does not fit the field's type.
#[cold]
fn narrow(ty: &str) -> Error {
    Error::decode(format!("the stored integer does not fit {ty}"))
}

macro_rules! integer {
    ($($t:ty => $variant:ident as $wide:ty;)*) => {$(
        impl Scalar for $t {
            const TYPE: Type = Type::$variant;
            fn into_value(self) -> Value {
                Value::$variant(<$wide>::from(self))
            }
            #[inline]
            fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
                match cells.i64(i)? {
                    None => Ok(None),
                    Some(v) => <$t>::try_from(v).map(Some).map_err(|_| narrow(stringify!($t))),
                }
            }
        }
        impl Numeric for $t {
            type Sum = i64;
            type Avg = f64;
        }
    )*};
}
integer! {
    i8 => I16 as i16;
    i16 => I16 as i16;
    i32 => I32 as i32;
    u8 => I16 as i16;
    u16 => I32 as i32;
    u32 => I64 as i64;
}

impl Scalar for i64 {
    const TYPE: Type = Type::I64;
    fn into_value(self) -> Value {
        Value::I64(self)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        cells.i64(i)
    }
}
impl Numeric for i64 {
    type Sum = i64;
    type Avg = f64;
}

/// Stored as a 64-bit signed integer; a larger value is refused before anything is sent.
impl Scalar for u64 {
    const TYPE: Type = Type::I64;
    fn into_value(self) -> Value {
        i64::try_from(self).map_or(
            Value::Refused("the u64 is larger than a 64-bit signed integer holds"),
            Value::I64,
        )
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        cells
            .i64(i)?
            .map(|v| u64::try_from(v).map_err(|_| narrow("u64")))
            .transpose()
    }
}
impl Numeric for u64 {
    type Sum = i64;
    type Avg = f64;
}

impl Scalar for f64 {
    const TYPE: Type = Type::F64;
    fn into_value(self) -> Value {
        Value::F64(self)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        cells.f64(i)
    }
}
impl Numeric for f64 {
    type Sum = f64;
    type Avg = f64;
}
impl Scalar for f32 {
    const TYPE: Type = Type::F32;
    fn into_value(self) -> Value {
        Value::F32(self)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(cells.f64(i)?.map(|v| v as f32))
    }
}
impl Numeric for f32 {
    type Sum = f64;
    type Avg = f64;
}

macro_rules! direct {
    ($($t:ty, $variant:ident, $getter:ident;)*) => {$(
        impl Scalar for $t {
            const TYPE: Type = Type::$variant;
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
            #[inline]
            fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
                cells.$getter(i)
            }
        }
    )*};
}
direct! {
    bool, Bool, bool;
    Timestamp, Timestamp, timestamp;
    LocalTimestamp, LocalTimestamp, local_timestamp;
    Date, Date, date;
    TimeOfDay, Time, time;
}

impl Scalar for String {
    const TYPE: Type = Type::Text;
    fn into_value(self) -> Value {
        Value::Text(self)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(cells.text(i)?.map(str::to_owned))
    }
}
impl Scalar for Vec<u8> {
    const TYPE: Type = Type::Bytes;
    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(cells.bytes(i)?.map(<[u8]>::to_vec))
    }
}

/// Stored as text of one character.
impl Scalar for char {
    const TYPE: Type = Type::Text;
    fn into_value(self) -> Value {
        Value::Text(self.into())
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = cells.text(i)? else {
            return Ok(None);
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Some(c)),
            _ => Err(Error::decode("the text is not one character long")),
        }
    }
}

impl Scalar for Interval {
    const TYPE: Type = Type::Interval;
    fn into_value(self) -> Value {
        Value::Interval(self)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        match cells.value(i, Type::Interval)? {
            None => Ok(None),
            Some(Value::Interval(v)) => Ok(Some(v)),
            Some(_) => Err(Error::decode("the cell holds no interval")),
        }
    }
}
