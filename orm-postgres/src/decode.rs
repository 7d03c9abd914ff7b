//! Result cells from PostgreSQL's binary wire format. Arithmetic is checked: a value beyond our types is an error, and
//! no byte a server may send panics.

use std::cell::Cell;
use std::ops::Bound;

use orm_core::error::{Error, Result};
use orm_core::value::{
    Cells, Date, DecimalParts, Element, Interval, LocalTimestamp, RangeOf, RangeValue, TimeOfDay, Timestamp,
    Type, Value,
};
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Column, Row, TypeInfo};

use crate::encode::{EMPTY, LOWER_INCLUDED, NO_LOWER, NO_UPPER, UPPER_INCLUDED};
use crate::other;
use crate::types::{EPOCH_DAYS, EPOCH_MICROS, Kind, Shape};

/// What went wrong with a cell; the column is named by whoever knows it.
pub(crate) type Read<T> = Result<T, &'static str>;

/// Takes the shape of a result from its first row and checks it against what the statement expects.
pub(crate) fn shapes(row: &PgRow, expected: &[Type]) -> Result<Vec<Shape>> {
    let columns = row.columns();
    if !expected.is_empty() && expected.len() != columns.len() {
        return Err(Error::decode(format!(
            "the statement returned {} columns where {} were expected",
            columns.len(),
            expected.len()
        )));
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    if row
        .try_get_raw(0)
        .is_ok_and(|v| v.format() == PgValueFormat::Text)
    {
        return Err(Error::decode("a result in text format cannot be read"));
    }
    let shapes: Vec<Shape> = columns.iter().map(|c| Shape::of(c.type_info())).collect();
    match shapes
        .iter()
        .zip(expected)
        .position(|(shape, ty)| !shape.holds(*ty))
    {
        Some(i) => Err(mismatch(row, i, expected[i])),
        None => Ok(shapes),
    }
}

#[cold]
fn mismatch(row: &PgRow, i: usize, expected: Type) -> Error {
    let column = &row.columns()[i];
    Error::decode(format!(
        "result column {} ({}) is of type {} and cannot be read as {expected:?}",
        i + 1,
        column.name(),
        column.type_info().name()
    ))
}

/// One row with the shape of its result.
pub(crate) struct RowCells<'a> {
    row: &'a PgRow,
    shapes: &'a [Shape],
    /// The integer that was read first, and where. It is the value that relates a row to the one above, which is read
    /// for the loader and then for the row; from sqlx a cell costs as much as reading ten integers.
    first: Cell<(usize, i64)>,
}

impl<'a> RowCells<'a> {
    #[inline]
    pub(crate) fn new(row: &'a PgRow, shapes: &'a [Shape]) -> Self {
        let first = Cell::new((usize::MAX, 0));
        RowCells { row, shapes, first }
    }
    /// Once for every cell: looked at in place, as sqlx's value is larger than what is asked of it.
    #[inline(always)]
    fn raw(&self, i: usize) -> Result<Option<&'a [u8]>> {
        match &self.row.try_get_raw(i) {
            Ok(value) => Ok(value.as_bytes().ok()),
            Err(_) => Err(no_cell(i)),
        }
    }

    #[inline]
    fn read<T>(&self, i: usize, read: impl FnOnce(Kind, &'a [u8]) -> Read<T>) -> Result<Option<T>> {
        let Some(bytes) = self.raw(i)? else {
            return Ok(None);
        };
        let kind = match self.shapes.get(i) {
            Some(Shape::One(kind)) => *kind,
            _ => Kind::Other,
        };
        match read(kind, bytes) {
            Ok(value) => Ok(Some(value)),
            Err(why) => Err(self.unreadable(i, why)),
        }
    }

    #[cold]
    fn unreadable(&self, i: usize, why: &str) -> Error {
        let column = &self.row.columns()[i];
        Error::decode(format!(
            "result column {} ({}, of type {}) {why}",
            i + 1,
            column.name(),
            column.type_info().name()
        ))
    }
}

impl Cells for RowCells<'_> {
    fn bool(&self, i: usize) -> Result<Option<bool>> {
        self.read(i, boolean)
    }
    fn i64(&self, i: usize) -> Result<Option<i64>> {
        let (at, value) = self.first.get();
        if at == i {
            return Ok(Some(value));
        }
        let read = self.read(i, integer)?;
        if let (usize::MAX, Some(value)) = (at, read) {
            self.first.set((i, value));
        }
        Ok(read)
    }
    fn f64(&self, i: usize) -> Result<Option<f64>> {
        self.read(i, float)
    }
    fn text(&self, i: usize) -> Result<Option<&str>> {
        self.read(i, text)
    }
    fn bytes(&self, i: usize) -> Result<Option<&[u8]>> {
        self.read(i, blob)
    }
    fn uuid(&self, i: usize) -> Result<Option<[u8; 16]>> {
        self.read(i, uuid)
    }
    fn timestamp(&self, i: usize) -> Result<Option<Timestamp>> {
        self.read(i, timestamp)
    }
    fn local_timestamp(&self, i: usize) -> Result<Option<LocalTimestamp>> {
        self.read(i, local_timestamp)
    }
    fn date(&self, i: usize) -> Result<Option<Date>> {
        self.read(i, date)
    }
    fn time(&self, i: usize) -> Result<Option<TimeOfDay>> {
        self.read(i, time)
    }
    fn json(&self, i: usize) -> Result<Option<&str>> {
        self.read(i, json)
    }
    fn decimal(&self, i: usize) -> Result<Option<DecimalParts>> {
        self.read(i, decimal)
    }
    fn value(&self, i: usize, ty: Type) -> Result<Option<Value>> {
        self.read(i, |kind, bytes| special(kind, ty, bytes))
    }
    fn array(&self, i: usize, element: Element) -> Result<Option<Vec<Value>>> {
        let Some(bytes) = self.raw(i)? else {
            return Ok(None);
        };
        let items = match self.shapes.get(i) {
            Some(Shape::Many(kind)) => array(*kind, element, bytes),
            _ => Err("is not an array"),
        };
        items.map(Some).map_err(|why| self.unreadable(i, why))
    }
    fn len(&self) -> usize {
        self.row.len()
    }
    fn position(&self, name: &str) -> Option<usize> {
        self.row.columns().iter().position(|c| c.name() == name)
    }
    fn is_null(&self, i: usize) -> bool {
        matches!(self.raw(i), Ok(None))
    }
}

#[cold]
fn no_cell(i: usize) -> Error {
    Error::decode(format!("the row has no cell {}", i + 1))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Read<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| "has a length its type does not have")
}

fn boolean(kind: Kind, bytes: &[u8]) -> Read<bool> {
    match kind {
        Kind::Bool => Ok(fixed::<1>(bytes)?[0] != 0),
        _ => Err("cannot be read as a truth value"),
    }
}

#[inline]
fn integer(kind: Kind, bytes: &[u8]) -> Read<i64> {
    match kind {
        Kind::Int8 => Ok(i64::from_be_bytes(fixed(bytes)?)),
        Kind::Int4 => Ok(i32::from_be_bytes(fixed(bytes)?).into()),
        Kind::Int2 => Ok(i16::from_be_bytes(fixed(bytes)?).into()),
        Kind::Oid => Ok(u32::from_be_bytes(fixed(bytes)?).into()),
        _ => Err("cannot be read as an integer"),
    }
}

fn float(kind: Kind, bytes: &[u8]) -> Read<f64> {
    match kind {
        Kind::Float8 => Ok(f64::from_be_bytes(fixed(bytes)?)),
        Kind::Float4 => Ok(f32::from_be_bytes(fixed(bytes)?).into()),
        _ => Err("cannot be read as a float"),
    }
}

#[inline]
fn text(kind: Kind, bytes: &[u8]) -> Read<&str> {
    match kind {
        Kind::Text => utf8(bytes),
        _ => Err("cannot be read as text"),
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| "is not valid UTF-8")
}

fn blob(kind: Kind, bytes: &[u8]) -> Read<&[u8]> {
    match kind {
        // of a type that nobody here knows: the bytes as they came
        Kind::Bytes | Kind::Other => Ok(bytes),
        _ => Err("cannot be read as bytes"),
    }
}

fn uuid(kind: Kind, bytes: &[u8]) -> Read<[u8; 16]> {
    match kind {
        Kind::Uuid => fixed(bytes),
        _ => Err("cannot be read as a UUID"),
    }
}

fn timestamp(kind: Kind, bytes: &[u8]) -> Read<Timestamp> {
    match kind {
        Kind::Timestamptz => Ok(Timestamp::from_micros(micros(bytes)?)),
        _ => Err("cannot be read as an instant"),
    }
}

fn local_timestamp(kind: Kind, bytes: &[u8]) -> Read<LocalTimestamp> {
    match kind {
        Kind::Timestamp => Ok(LocalTimestamp::from_micros(micros(bytes)?)),
        _ => Err("cannot be read as a date and time without zone"),
    }
}

fn micros(bytes: &[u8]) -> Read<i64> {
    match i64::from_be_bytes(fixed(bytes)?) {
        i64::MAX | i64::MIN => Err("holds an infinity, which has no counterpart in Rust"),
        v => v
            .checked_add(EPOCH_MICROS)
            .ok_or("lies beyond the years that fit into 64 bits of microseconds"),
    }
}

fn date(kind: Kind, bytes: &[u8]) -> Read<Date> {
    if kind != Kind::Date {
        return Err("cannot be read as a date");
    }
    match i32::from_be_bytes(fixed(bytes)?) {
        i32::MAX | i32::MIN => Err("holds an infinity, which has no counterpart in Rust"),
        v => v
            .checked_add(EPOCH_DAYS)
            .map(Date::from_days)
            .ok_or("lies beyond the days that fit into 32 bits"),
    }
}

fn time(kind: Kind, bytes: &[u8]) -> Read<TimeOfDay> {
    match kind {
        Kind::Time => TimeOfDay::from_micros(i64::from_be_bytes(fixed(bytes)?))
            .ok_or("holds 24:00:00, which has no counterpart in Rust"),
        _ => Err("cannot be read as a time of day"),
    }
}

fn json(kind: Kind, bytes: &[u8]) -> Read<&str> {
    match (kind, bytes) {
        (Kind::Json, bytes) => utf8(bytes),
        (Kind::Jsonb, [1, bytes @ ..]) => utf8(bytes),
        (Kind::Jsonb, _) => Err("is of an unknown version of jsonb"),
        _ => Err("cannot be read as JSON"),
    }
}

fn decimal(kind: Kind, bytes: &[u8]) -> Read<DecimalParts> {
    match kind {
        Kind::Numeric => numeric(bytes),
        Kind::Int2 | Kind::Int4 | Kind::Int8 => Ok(DecimalParts {
            mantissa: integer(kind, bytes)?.into(),
            scale: 0,
        }),
        _ => Err("cannot be read as an exact number"),
    }
}

/// Scale beyond this is given up as long as only zeros go; exact number types hold no more.
const COMMON_SCALE: u32 = 28;

/// Reads a numeric exactly, or not at all.
pub(crate) fn numeric(bytes: &[u8]) -> Read<DecimalParts> {
    const TOO_LONG: &str = "has more digits than fit into 128 bits";
    let mut reader = Reader(bytes);
    let count = reader.u16()? as usize;
    let weight = i64::from(reader.u16()? as i16);
    let negative = match reader.u16()? {
        0 => false,
        0x4000 => true,
        0xc000 => return Err("holds NaN, which has no counterpart in Rust"),
        0xd000 | 0xf000 => return Err("holds an infinity, which has no counterpart in Rust"),
        _ => return Err("has a sign its type does not have"),
    };
    let mut scale = u32::from(reader.u16()?);
    let mut mantissa: u128 = 0;
    // How many decimal places the last group reaches beyond the scale; the digits there are zeros.
    let past = 4 * (count as i64 - 1 - weight) - i64::from(scale);
    for i in 0..count {
        let group = u128::from(reader.u16()?);
        let cut = if i + 1 == count {
            past.clamp(0, 4) as u32
        } else {
            0
        };
        let unit = 10u128.pow(cut);
        if group > 9999 || group % unit != 0 {
            return Err("has digits its type does not have");
        }
        mantissa = mantissa
            .checked_mul(10_000 / unit)
            .and_then(|m| m.checked_add(group / unit))
            .ok_or(TOO_LONG)?;
    }
    if mantissa != 0 {
        for _ in 0..(-past).max(0) {
            match mantissa.checked_mul(10) {
                Some(m) => mantissa = m,
                None if scale > 0 => scale -= 1,
                None => return Err(TOO_LONG),
            }
        }
    }
    while scale > COMMON_SCALE && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        scale -= 1;
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| TOO_LONG)?;
    Ok(DecimalParts {
        mantissa: if negative { -mantissa } else { mantissa },
        scale,
    })
}

/// A value of a type without a getter of its own.
fn special(kind: Kind, ty: Type, bytes: &[u8]) -> Read<Value> {
    if !kind.holds(ty) {
        return Err("is of another type than the field");
    }
    let mut reader = Reader(bytes);
    Ok(match ty {
        Type::Interval => {
            let micros = i64::from_be_bytes(fixed(reader.take(8)?)?);
            let (days, months) = (reader.i32()?, reader.i32()?);
            match (months, days, micros) {
                (i32::MAX, i32::MAX, i64::MAX) | (i32::MIN, i32::MIN, i64::MIN) => {
                    return Err("holds an infinity, which has no counterpart in Rust");
                }
                _ => Value::Interval(Interval { months, days, micros }),
            }
        }
        Type::Range(of) => Value::Range(of, range(of, bytes)?),
        Type::Other(other) => Value::Other(other, other::decode(other.wire, bytes)?.into()),
        _ => return Err("is of another type than the field"),
    })
}

fn range(of: RangeOf, bytes: &[u8]) -> Read<RangeValue> {
    let mut reader = Reader(bytes);
    let flags = reader.take(1)?[0];
    if flags & EMPTY != 0 {
        return Ok(RangeValue::Empty);
    }
    let mut bound = |included: u8, open: u8| -> Read<Bound<Value>> {
        if flags & open != 0 {
            return Ok(Bound::Unbounded);
        }
        let len = usize::try_from(reader.i32()?).map_err(|_| BROKEN)?;
        let value = bound_value(of, reader.take(len)?)?;
        Ok(match flags & included {
            0 => Bound::Excluded(value),
            _ => Bound::Included(value),
        })
    };
    let lower = bound(LOWER_INCLUDED, NO_LOWER)?;
    let upper = bound(UPPER_INCLUDED, NO_UPPER)?;
    Ok(RangeValue::Between(Box::new((lower, upper))))
}

fn bound_value(of: RangeOf, bytes: &[u8]) -> Read<Value> {
    Ok(match of {
        RangeOf::I32 => Value::I32(i32::from_be_bytes(fixed(bytes)?)),
        RangeOf::I64 => Value::I64(i64::from_be_bytes(fixed(bytes)?)),
        RangeOf::Decimal => Value::Decimal(numeric(bytes)?),
        RangeOf::Date => Value::Date(date(Kind::Date, bytes)?),
        RangeOf::Timestamp => Value::Timestamp(timestamp(Kind::Timestamptz, bytes)?),
        RangeOf::LocalTimestamp => Value::LocalTimestamp(local_timestamp(Kind::Timestamp, bytes)?),
    })
}

fn array(kind: Kind, element: Element, bytes: &[u8]) -> Read<Vec<Value>> {
    let mut reader = Reader(bytes);
    let dimensions = reader.i32()?;
    let (_has_null, _element_type) = (reader.i32()?, reader.i32()?);
    match dimensions {
        0 => return Ok(Vec::new()),
        1 => {}
        _ => return Err("is an array of several dimensions"),
    }
    let count = reader.i32()?;
    let _first_index = reader.i32()?;
    let count = usize::try_from(count).map_err(|_| BROKEN)?;
    let mut items = Vec::with_capacity(count.min(reader.0.len() / 4));
    for _ in 0..count {
        items.push(match reader.i32()? {
            -1 => Value::Null(element.ty()),
            len => item(
                kind,
                element,
                reader.take(usize::try_from(len).map_err(|_| BROKEN)?)?,
            )?,
        });
    }
    Ok(items)
}

fn item(kind: Kind, element: Element, bytes: &[u8]) -> Read<Value> {
    const NARROW: &str = "holds an integer that does not fit";
    Ok(match element {
        Element::Bool => Value::Bool(boolean(kind, bytes)?),
        Element::I16 => Value::I16(integer(kind, bytes)?.try_into().map_err(|_| NARROW)?),
        Element::I32 => Value::I32(integer(kind, bytes)?.try_into().map_err(|_| NARROW)?),
        Element::I64 => Value::I64(integer(kind, bytes)?),
        Element::F32 if kind == Kind::Float8 => return Err("holds floats of double precision"),
        Element::F32 => Value::F32(float(kind, bytes)? as f32),
        Element::F64 => Value::F64(float(kind, bytes)?),
        Element::Text => Value::Text(text(kind, bytes)?.to_owned()),
        Element::Bytes => Value::Bytes(blob(kind, bytes)?.to_vec()),
        Element::Uuid => Value::Uuid(uuid(kind, bytes)?),
        Element::Timestamp => Value::Timestamp(timestamp(kind, bytes)?),
        Element::LocalTimestamp => Value::LocalTimestamp(local_timestamp(kind, bytes)?),
        Element::Date => Value::Date(date(kind, bytes)?),
        Element::Time => Value::Time(time(kind, bytes)?),
        Element::Json => Value::Json(json(kind, bytes)?.to_owned()),
        Element::Decimal(..) => Value::Decimal(decimal(kind, bytes)?),
        Element::Enum(e) => {
            let label = text(kind, bytes)?;
            let known = e.labels.iter().find(|l| **l == label);
            Value::Enum(e, known.ok_or("holds a label the enum does not have")?)
        }
        Element::Interval | Element::Range(_) | Element::Other(_) => special(kind, element.ty(), bytes)?,
    })
}

pub(crate) const BROKEN: &str = "ends too early";

/// Bytes that are taken from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(BROKEN)?;
        self.0 = tail;
        Ok(head)
    }
    pub(crate) fn i32(&mut self) -> Read<i32> {
        Ok(i32::from_be_bytes(fixed(self.take(4)?)?))
    }
    pub(crate) fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_be_bytes(fixed(self.take(2)?)?))
    }
}
