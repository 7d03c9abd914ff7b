//! What crosses the wall to a driver: bound values one way, the cells of a row the other way.

mod array;
mod cardinality;
mod composite;
mod convert;
mod held;
mod interval;
mod key;
mod loads;
mod lookup;
mod multirange;
mod net;
mod other;
mod range;
mod same;
pub(crate) mod sha256;
mod text;
mod time;
mod tsvector;
mod ty;
mod variant;
mod version;

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "decimal")]
mod decimal;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "time")]
mod time_crate;
#[cfg(feature = "uuid")]
mod uuid;

#[cfg(feature = "decimal")]
pub use decimal::Scaled;
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "uuid")]
pub use uuid::new_v7;

pub use array::ArrayItem;
pub use cardinality::{Cardinality, Many, Maybe, One};
#[doc(hidden)]
pub use composite::{composite, composite_read, composite_value};
pub use convert::{Numeric, Text};
pub(crate) use held::Held;
pub use interval::Interval;
pub use key::Id;
pub use loads::{Children, Loads};
pub(crate) use loads::{Collector, Places, Rows, finished, finished_one, not_loaded};
pub(crate) use lookup::Positions;
pub use lookup::from_cells;
pub use multirange::Multirange;
pub use net::{Cidr, Inet, InvalidText, MacAddr, MacAddr8};
pub use other::{Bits, CiText, Hstore, Ltree, Vector, hstore_text, parse_hstore, parse_vector, vector_text};
pub use range::{Range, RangeItem};
pub(crate) use same::same_cells;
pub(crate) use text::quoted;
pub use text::{array_text, decimal_text, parse_array, parse_decimal, parse_range, range_text};
pub use time::{Date, LocalTimestamp, TimeOfDay, Timestamp};
pub use tsvector::{TsVector, Weight};
pub use ty::{Element, EnumType, OtherType, RangeOf, Type, Wire};
pub use variant::{read_variant, variant_at};
pub use version::RowVersion;

use std::ops::Bound;

use crate::error::{Error, Result};

/// An exact decimal number: `mantissa / 10^scale`.
///
/// Packed, so that it does not make every [`Value`] larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(Rust, packed(8))]
pub struct DecimalParts {
    /// All digits as one integer.
    pub mantissa: i128,
    /// How many of them stand after the point.
    pub scale: u32,
}

/// A value on its way to the database. Carries its type even when it is NULL.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL of a type.
    Null(Type),
    /// A truth value.
    Bool(bool),
    /// 16-bit integer.
    I16(i16),
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// Single precision.
    F32(f32),
    /// Double precision.
    F64(f64),
    /// Text.
    Text(String),
    /// Text known at compile time.
    Str(&'static str),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID in network order.
    Uuid([u8; 16]),
    /// An instant.
    Timestamp(Timestamp),
    /// A date and time without zone.
    LocalTimestamp(LocalTimestamp),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(TimeOfDay),
    /// JSON text.
    Json(String),
    /// An exact number; `u8, u8` of the type are precision and scale, 0 when unbounded.
    Decimal(DecimalParts),
    /// A variant of an enum type.
    Enum(&'static EnumType, &'static str),
    /// Months, days and microseconds.
    Interval(Interval),
    /// A range of values.
    Range(RangeOf, RangeValue),
    /// A value of a type that crosses as text.
    Other(&'static OtherType, Box<str>),
    /// A one-dimensional array; elements may be NULL.
    Array(Element, Box<[Value]>),
    /// A Rust value that has no counterpart in a database; sending it is an `Encode` error with this text.
    Refused(&'static str),
}

/// A range of values: nothing, or what lies between two bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeValue {
    /// Holds nothing.
    Empty,
    /// The lower bound and the upper one.
    Between(Box<(Bound<Value>, Bound<Value>)>),
}

// rows of values are moved and copied by the thousand
const _: () = assert!(size_of::<Value>() <= 32);

impl Value {
    /// The type of this value.
    pub fn ty(&self) -> Type {
        match self {
            Value::Null(t) => *t,
            Value::Bool(_) => Type::Bool,
            Value::I16(_) => Type::I16,
            Value::I32(_) => Type::I32,
            Value::I64(_) => Type::I64,
            Value::F32(_) => Type::F32,
            Value::F64(_) => Type::F64,
            Value::Text(_) | Value::Str(_) | Value::Refused(_) => Type::Text,
            Value::Bytes(_) => Type::Bytes,
            Value::Uuid(_) => Type::Uuid,
            Value::Timestamp(_) => Type::Timestamp,
            Value::LocalTimestamp(_) => Type::LocalTimestamp,
            Value::Date(_) => Type::Date,
            Value::Time(_) => Type::Time,
            Value::Json(_) => Type::Json,
            Value::Decimal(d) => Type::Decimal(0, d.scale.min(u8::MAX as u32) as u8),
            Value::Enum(e, _) => Type::Enum(e),
            Value::Interval(_) => Type::Interval,
            Value::Range(of, _) => Type::Range(*of),
            Value::Other(other, _) => Type::Other(other),
            Value::Array(e, _) => Type::Array(*e),
        }
    }
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null(_))
    }
    /// Whether this holds memory of its own, so that there is something to free when it goes. Asked before that, it
    /// spares thousands of numbers the way through the destructor.
    #[inline]
    pub fn is_owner(&self) -> bool {
        match self {
            Value::Text(_)
            | Value::Bytes(_)
            | Value::Json(_)
            | Value::Range(..)
            | Value::Other(..)
            | Value::Array(..) => true,
            Value::Null(_)
            | Value::Bool(_)
            | Value::I16(_)
            | Value::I32(_)
            | Value::I64(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::Str(_)
            | Value::Uuid(_)
            | Value::Timestamp(_)
            | Value::LocalTimestamp(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Decimal(_)
            | Value::Enum(..)
            | Value::Interval(_)
            | Value::Refused(_) => false,
        }
    }
}

/// One row as the driver sees it, read by position. One dynamic call per cell; `None` is NULL.
/// A getter that does not fit the stored cell is a [`Decode`](crate::error::ErrorKind::Decode) error, never a guess.
pub trait Cells {
    /// A truth value.
    fn bool(&self, i: usize) -> Result<Option<bool>>;
    /// An integer of any width.
    fn i64(&self, i: usize) -> Result<Option<i64>>;
    /// A float of any width.
    fn f64(&self, i: usize) -> Result<Option<f64>>;
    /// Text, an enum's label, or anything the backend stores as text.
    fn text(&self, i: usize) -> Result<Option<&str>>;
    /// Bytes.
    fn bytes(&self, i: usize) -> Result<Option<&[u8]>>;
    /// A UUID in network order.
    fn uuid(&self, i: usize) -> Result<Option<[u8; 16]>>;
    /// An instant.
    fn timestamp(&self, i: usize) -> Result<Option<Timestamp>>;
    /// A date and time without zone.
    fn local_timestamp(&self, i: usize) -> Result<Option<LocalTimestamp>>;
    /// A calendar date.
    fn date(&self, i: usize) -> Result<Option<Date>>;
    /// A time of day.
    fn time(&self, i: usize) -> Result<Option<TimeOfDay>>;
    /// JSON text.
    fn json(&self, i: usize) -> Result<Option<&str>>;
    /// An exact number.
    fn decimal(&self, i: usize) -> Result<Option<DecimalParts>>;
    /// An exact number of a column of this type, where the statement does not tell the types of its columns.
    fn decimal_of(&self, i: usize, ty: Type) -> Result<Option<DecimalParts>> {
        let _ = ty;
        self.decimal(i)
    }
    /// A value of a type without a getter of its own: an interval, a range, a set of ranges, what crosses as text.
    fn value(&self, i: usize, ty: Type) -> Result<Option<Value>>;
    /// A one-dimensional array of these elements.
    fn array(&self, i: usize, element: Element) -> Result<Option<Vec<Value>>>;
    /// How many cells the row has.
    fn len(&self) -> usize;
    /// Whether the row has no cell at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The position of the result column of this name (only for hand-written SQL).
    fn position(&self, name: &str) -> Option<usize>;
    /// Whether the cell is NULL.
    fn is_null(&self, i: usize) -> bool;
}

/// Reads a cell as a value of this type; `None` is NULL.
pub(crate) fn read(cells: &dyn Cells, i: usize, ty: Type) -> Result<Option<Value>> {
    Ok(match ty {
        Type::Bool => cells.bool(i)?.map(Value::Bool),
        Type::I16 | Type::I32 | Type::I64 => cells.i64(i)?.map(Value::I64),
        Type::F32 | Type::F64 => cells.f64(i)?.map(Value::F64),
        Type::Text => cells.text(i)?.map(|s| Value::Text(s.to_owned())),
        Type::Bytes => cells.bytes(i)?.map(|b| Value::Bytes(b.to_vec())),
        Type::Uuid => cells.uuid(i)?.map(Value::Uuid),
        Type::Timestamp => cells.timestamp(i)?.map(Value::Timestamp),
        Type::LocalTimestamp => cells.local_timestamp(i)?.map(Value::LocalTimestamp),
        Type::Date => cells.date(i)?.map(Value::Date),
        Type::Time => cells.time(i)?.map(Value::Time),
        Type::Json => cells.json(i)?.map(|s| Value::Json(s.to_owned())),
        Type::Decimal(..) => cells.decimal(i)?.map(Value::Decimal),
        Type::Enum(e) => match cells.text(i)? {
            None => None,
            Some(label) => {
                let known = e.labels.iter().find(|l| **l == label);
                let unknown = || Error::decode("the database holds a label that the enum does not have");
                Some(Value::Enum(e, known.ok_or_else(unknown)?))
            }
        },
        Type::Interval | Type::Range(_) | Type::Other(_) => cells.value(i, ty)?,
        Type::Array(element) => cells
            .array(i, element)?
            .map(|items| Value::Array(element, items.into())),
    })
}

/// A row being read: cells are consumed from left to right.
pub struct Row<'a> {
    cells: &'a dyn Cells,
    at: usize,
}

impl<'a> Row<'a> {
    /// Begins at the first cell.
    pub fn new(cells: &'a dyn Cells) -> Self {
        Row { cells, at: 0 }
    }
    /// Reads the next cell as `T`.
    #[inline]
    pub fn get<T: SqlType>(&mut self) -> Result<T> {
        let i = self.at;
        self.at += 1;
        <T as SqlType>::decode(self.cells, i)
    }
    /// Reads the next cell as the field of a model, named in errors.
    #[inline]
    pub fn field<T: SqlType>(&mut self, model: &'static str, field: &'static str) -> Result<T> {
        match self.get() {
            Ok(v) => Ok(v),
            Err(e) => Err(at_field(e, model, field)),
        }
    }
    /// Whether the next cell is NULL; it is not consumed.
    pub fn peek_null(&self, ahead: usize) -> bool {
        self.cells.is_null(self.at + ahead)
    }
    /// Whether the cell before the next one is NULL.
    pub(crate) fn was_null(&self) -> bool {
        self.at > 0 && self.cells.is_null(self.at - 1)
    }
    /// How many cells were read or passed over.
    pub(crate) fn at(&self) -> usize {
        self.at
    }
    /// Passes over cells.
    pub fn skip(&mut self, n: usize) {
        self.at += n;
    }
    /// The position of the named result column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.cells.position(name)
    }
    /// Moves to a position.
    pub fn seek(&mut self, at: usize) {
        self.at = at;
    }
    /// How many cells are left.
    pub fn left(&self) -> usize {
        self.cells.len().saturating_sub(self.at)
    }
}

#[cold]
fn at_field(e: Error, model: &'static str, field: &'static str) -> Error {
    e.with_model(model).with_field(field)
}

/// A non-null column type: `String`, `i64`, `Id<User>`, your own enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type",
    label = "cannot be stored in one column",
    note = "use a std type, `#[derive(DbEnum)]`, `#[derive(Embed)]` with `#[orm(embed)]`, or a type behind a feature (`chrono`, `time`, `jiff`, `uuid`, `json`, `decimal`)"
)]
pub trait Scalar: Sized + Send + Sync + 'static {
    /// The logical type of the column.
    const TYPE: Type;
    /// The value to bind.
    fn into_value(self) -> Value;
    /// Reads cell `i`; `None` is NULL.
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>>;
}

/// `T` or `Option<T>` of a [`Scalar`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type",
    label = "cannot be stored in one column",
    note = "use a std type, `#[derive(DbEnum)]`, `#[derive(Embed)]` with `#[orm(embed)]`, or a type behind a feature (`chrono`, `time`, `jiff`, `uuid`, `json`, `decimal`)"
)]
pub trait SqlType: Output<Local = Self> + Sync {
    /// The type without `Option`.
    type Base: Scalar;
    /// Cardinality of a relation whose foreign key has this type.
    type Card: Cardinality;
    /// `U`, or `Option<U>` when this is an `Option`: what a function of this value yields.
    type With<U: Scalar>: SqlType<Base = U>;
    /// The logical type of the column.
    const TYPE: Type;
    /// Whether the column takes NULL.
    const NULLABLE: bool;
    /// The value to bind.
    fn into_value(self) -> Value;
    /// Reads cell `i`.
    fn decode(cells: &dyn Cells, i: usize) -> Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> SqlType for T {
    type Base = T;
    type Card = One;
    type With<U: Scalar> = U;
    const TYPE: Type = T::TYPE;
    const NULLABLE: bool = false;
    #[inline]
    fn into_value(self) -> Value {
        Scalar::into_value(self)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Self> {
        match <T as Scalar>::decode(cells, i)? {
            Some(v) => Ok(v),
            None => Err(unexpected_null()),
        }
    }
}

impl<T: Scalar> SqlType for Option<T> {
    type Base = T;
    type Card = Maybe;
    type With<U: Scalar> = Option<U>;
    const TYPE: Type = T::TYPE;
    const NULLABLE: bool = true;
    #[inline]
    fn into_value(self) -> Value {
        self.map_or(Value::Null(T::TYPE), Scalar::into_value)
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Self> {
        <T as Scalar>::decode(cells, i)
    }
}

#[cold]
fn unexpected_null() -> Error {
    Error::decode("NULL in a column whose Rust type is not an `Option`")
}

/// Reads itself from a row: a model, a column value, a tuple of those, a loaded wrapper.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a row",
    note = "derive `Model`, or select columns into a tuple"
)]
pub trait Output: Sized + Send + 'static {
    /// What one row holds of it; relations that other statements load are added by [`assemble`](Output::assemble).
    type Local: Send + 'static;
    /// Whether relations that other statements load are a part of it, so that hand-written SQL cannot fill it.
    const LOADS: bool = false;
    /// Reads the next cells of the row.
    fn decode(row: &mut Row<'_>) -> Result<Self::Local>;
    /// Completes what one row holds.
    fn assemble(local: Self::Local, loads: &mut Loads<'_>) -> Result<Self>;
    /// Adds the columns it reads, in order, for hand-written SQL: that tells neither their types nor where they stand.
    fn columns(out: &mut Vec<Expected>) -> Lookup;
}

/// A column that is read from hand-written SQL.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The model whose row it is read for, empty where there is none.
    pub model: &'static str,
    /// Its name, empty where there is none.
    pub name: &'static str,
    /// Its type. A decimal without precision may stand for one of any scale.
    pub ty: Type,
}

/// How columns are found in the rows of hand-written SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By their names, wherever they stand.
    Name,
    /// In order.
    Position,
}

/// What may be absent as a whole: `Option<Self>` can be read from a row. A column value, or an embedded struct.
#[diagnostic::on_unimplemented(message = "an `Option<{Self}>` cannot be read from a row")]
pub trait Optional: Output {
    /// Reads the next cells of the row; `None` when they are NULL.
    fn decode_optional(row: &mut Row<'_>) -> Result<Option<Self>>;
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> Output for T {
    type Local = T;
    #[inline]
    fn decode(row: &mut Row<'_>) -> Result<T> {
        row.get()
    }
    #[inline]
    fn assemble(local: T, _: &mut Loads<'_>) -> Result<T> {
        Ok(local)
    }
    fn columns(out: &mut Vec<Expected>) -> Lookup {
        out.push(Expected {
            model: "",
            name: "",
            ty: T::TYPE,
        });
        Lookup::Position
    }
}
#[diagnostic::do_not_recommend]
impl<T: Scalar> Optional for T {
    #[inline]
    fn decode_optional(row: &mut Row<'_>) -> Result<Option<Self>> {
        row.get()
    }
}
#[diagnostic::do_not_recommend]
impl<T: Optional> Output for Option<T> {
    type Local = Option<T>;
    #[inline]
    fn decode(row: &mut Row<'_>) -> Result<Option<T>> {
        T::decode_optional(row)
    }
    #[inline]
    fn assemble(local: Option<T>, _: &mut Loads<'_>) -> Result<Option<T>> {
        Ok(local)
    }
    fn columns(out: &mut Vec<Expected>) -> Lookup {
        T::columns(out)
    }
}

macro_rules! tuple {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($T: Output),+> Output for ($($T,)+) {
            type Local = ($($T::Local,)+);
            #[inline]
            fn decode(row: &mut Row<'_>) -> Result<Self::Local> {
                Ok(($($T::decode(row)?,)+))
            }
            #[inline]
            fn assemble(local: Self::Local, loads: &mut Loads<'_>) -> Result<Self> {
                let ($($T,)+) = local;
                Ok(($($T::assemble($T, loads)?,)+))
            }
            fn columns(out: &mut Vec<Expected>) -> Lookup {
                $($T::columns(out);)+
                Lookup::Position
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);
tuple!(A B C D E F G H I);
tuple!(A B C D E F G H I J);
tuple!(A B C D E F G H I J K);
tuple!(A B C D E F G H I J K L);
