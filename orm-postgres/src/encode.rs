//! Bound values as PostgreSQL's binary wire format. Whatever cannot be stored is refused here, before anything is sent.

use std::ops::Bound;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::{DecimalParts, Element, Interval, RangeValue, Type, Value};
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgBindIterExt, PgTypeInfo};
use sqlx::{Arguments, Postgres};

use crate::other;
use crate::types::{EPOCH_DAYS, EPOCH_MICROS, declared, oid};

/// The bits of the byte that a range begins with.
pub(crate) const EMPTY: u8 = 0x01;
pub(crate) const LOWER_INCLUDED: u8 = 0x02;
pub(crate) const UPPER_INCLUDED: u8 = 0x04;
pub(crate) const NO_LOWER: u8 = 0x08;
pub(crate) const NO_UPPER: u8 = 0x10;

/// PostgreSQL takes no value and no message of 1 GiB or more.
const LIMIT: usize = 0x3fff_ffff;
/// The protocol counts parameters in 16 bits.
const MAX_PARAMS: usize = 65_535;

/// The instants PostgreSQL stores, from 4713 BC up to 294276 AD, counted from 2000.
const INSTANTS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
/// The days it stores, from 4713 BC up to 5874897 AD, counted from 2000.
const DAYS: std::ops::Range<i32> = -2_451_545..2_145_031_949;

/// Encodes all parameters of a statement.
pub(crate) fn arguments(params: &[Value]) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    if params.is_empty() {
        return Ok(arguments);
    }
    if params.len() > MAX_PARAMS {
        return Err(Error::new(
            ErrorKind::Encode,
            format!(
                "{} parameters in one statement; PostgreSQL takes 65535",
                params.len()
            ),
        ));
    }
    let bytes = params.iter().map(weight).fold(0usize, usize::saturating_add);
    if bytes > LIMIT {
        return Err(Error::encode("the values of one statement together exceed 1 GB"));
    }
    arguments.reserve(params.len(), bytes + 4 * params.len());
    for (i, value) in params.iter().enumerate() {
        arguments.add(Param(value)).map_err(|e| refused(e, i))?;
    }
    Ok(arguments)
}

#[cold]
fn refused(error: BoxDynError, i: usize) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error.with_field(format!("${}", i + 1)),
        Err(_) => Error::encode("the value cannot be encoded").with_field(format!("${}", i + 1)),
    }
}

/// About how many bytes a value takes on the wire.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(s) | Value::Json(s) => s.len() + 1,
        Value::Str(s) => s.len(),
        Value::Bytes(b) => b.len(),
        Value::Array(_, items) => items
            .iter()
            .map(|v| weight(v).saturating_add(4))
            .fold(20, usize::saturating_add),
        Value::Decimal(_) | Value::Range(..) => 40,
        Value::Other(_, text) => text.len(),
        Value::Null(_) => 0,
        _ => 16,
    }
}

struct Param<'a>(&'a Value);

impl sqlx::Type<Postgres> for Param<'_> {
    fn type_info() -> PgTypeInfo {
        declared(Type::Text)
    }
}

impl<'q> Encode<'q, Postgres> for Param<'_> {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match self.0 {
            Value::Null(_) => return Ok(IsNull::Yes),
            Value::Array(element, items) => array(*element, items, buf)?,
            value => scalar(value, buf)?,
        }
        Ok(IsNull::No)
    }
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(declared(self.0.ty()))
    }
    fn size_hint(&self) -> usize {
        0
    }
}

fn scalar(value: &Value, buf: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Bool(v) => buf.push(u8::from(*v)),
        Value::I16(v) => buf.extend(v.to_be_bytes()),
        Value::I32(v) => buf.extend(v.to_be_bytes()),
        Value::I64(v) => buf.extend(v.to_be_bytes()),
        Value::F32(v) => buf.extend(v.to_be_bytes()),
        Value::F64(v) => buf.extend(v.to_be_bytes()),
        Value::Text(v) => text(v, buf)?,
        Value::Str(v) | Value::Enum(_, v) => text(v, buf)?,
        Value::Bytes(v) => {
            small_enough(v.len())?;
            buf.extend_from_slice(v);
        }
        Value::Uuid(v) => buf.extend_from_slice(v),
        Value::Timestamp(v) => buf.extend(instant(v.micros())?.to_be_bytes()),
        Value::LocalTimestamp(v) => buf.extend(instant(v.micros())?.to_be_bytes()),
        Value::Date(v) => buf.extend(day(v.days())?.to_be_bytes()),
        Value::Time(v) => buf.extend(v.micros().to_be_bytes()),
        Value::Json(v) => {
            // The version of jsonb's binary form.
            buf.push(1);
            text(v, buf)?;
        }
        Value::Decimal(v) => numeric(*v, buf)?,
        Value::Interval(v) => {
            let Interval { months, days, micros } = v;
            buf.extend(micros.to_be_bytes());
            buf.extend(days.to_be_bytes());
            buf.extend(months.to_be_bytes());
        }
        Value::Range(_, v) => range(v, buf)?,
        Value::Other(other, text) => other::encode(other, text, buf)?,
        Value::Refused(why) => return Err(Error::encode(*why)),
        Value::Null(_) | Value::Array(..) => {
            return Err(Error::encode("an array within an array cannot be stored"));
        }
    }
    Ok(())
}

/// Writes a range: what is known of its bounds, then the bounds.
fn range(value: &RangeValue, buf: &mut Vec<u8>) -> Result<()> {
    let RangeValue::Between(bounds) = value else {
        buf.push(EMPTY);
        return Ok(());
    };
    let (lower, upper) = &**bounds;
    let flag = |bound: &Bound<Value>, included, open| match bound {
        Bound::Included(_) => included,
        Bound::Excluded(_) => 0,
        Bound::Unbounded => open,
    };
    buf.push(flag(lower, LOWER_INCLUDED, NO_LOWER) | flag(upper, UPPER_INCLUDED, NO_UPPER));
    for bound in [lower, upper] {
        if let Bound::Included(value) | Bound::Excluded(value) = bound {
            sized(buf, |buf| scalar(value, buf))?;
        }
    }
    Ok(())
}

/// Writes something with its length before it.
fn sized(buf: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = buf.len();
    buf.extend([0; 4]);
    write(buf)?;
    let len = i32::try_from(buf.len() - at - 4).map_err(|_| too_long())?;
    buf[at..at + 4].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

fn too_long() -> Error {
    Error::encode("a single value cannot hold 1 GB or more")
}

pub(crate) fn text(value: &str, buf: &mut Vec<u8>) -> Result<()> {
    small_enough(value.len())?;
    if value.as_bytes().contains(&0) {
        return Err(Error::encode(
            "text with a NUL character cannot be stored in PostgreSQL",
        ));
    }
    buf.extend_from_slice(value.as_bytes());
    Ok(())
}

fn small_enough(len: usize) -> Result<()> {
    match len < LIMIT {
        true => Ok(()),
        false => Err(too_long()),
    }
}

pub(crate) fn instant(micros: i64) -> Result<i64> {
    micros
        .checked_sub(EPOCH_MICROS)
        .filter(|v| INSTANTS.contains(v))
        .ok_or_else(|| Error::encode("the instant lies outside the years 4713 BC to 294276 AD"))
}

pub(crate) fn day(days: i32) -> Result<i32> {
    days.checked_sub(EPOCH_DAYS)
        .filter(|v| DAYS.contains(v))
        .ok_or_else(|| Error::encode("the date lies outside the years 4713 BC to 5874897 AD"))
}

fn array(element: Element, items: &[Value], buf: &mut PgArgumentBuffer) -> Result<()> {
    let count = i32::try_from(items.len()).map_err(|_| Error::encode("the array is too long"))?;
    header(element, buf)?;
    if items.is_empty() {
        return Ok(());
    }
    let nulls = items.iter().any(Value::is_null);
    let at = buf.len() - 12;
    buf[at..at + 4].copy_from_slice(&1i32.to_be_bytes());
    buf[at + 4..at + 8].copy_from_slice(&i32::from(nulls).to_be_bytes());
    buf.extend(count.to_be_bytes());
    buf.extend(1i32.to_be_bytes());
    for item in items {
        if item.is_null() {
            buf.extend((-1i32).to_be_bytes());
            continue;
        }
        if !fits(element, item) {
            return Err(Error::encode(
                "an array holds a value of another type than its own",
            ));
        }
        sized(buf, |buf| scalar(item, buf))?;
    }
    Ok(())
}

pub(crate) fn fits(element: Element, item: &Value) -> bool {
    match (element, item) {
        (_, Value::Refused(_)) => true,
        (Element::Enum(a), Value::Enum(b, _)) => a == *b,
        (Element::Other(a), Value::Other(b, _)) => a == *b,
        (element, item) => oid(element.ty()).is_some() && oid(element.ty()) == oid(item.ty()),
    }
}

/// Writes the head of an empty array: no dimension, no flag, the element's type.
fn header(element: Element, buf: &mut PgArgumentBuffer) -> Result<()> {
    if let Some(oid) = oid(element.ty()) {
        buf.extend([0; 8]);
        buf.extend(oid.to_be_bytes());
        return Ok(());
    }
    // Only sqlx can leave a hole for an OID it has yet to look up, and only in an array it writes itself. So it writes
    // one with a single NULL, of which the head stays.
    let at = buf.len();
    let _not_null = std::iter::once(Hole(declared(element.ty())))
        .bind_iter()
        .encode(buf)
        .map_err(|_| Error::encode("the array cannot be encoded"))?;
    buf.truncate(at + 12);
    buf[at..at + 8].fill(0);
    Ok(())
}

struct Hole(PgTypeInfo);

impl sqlx::Type<Postgres> for Hole {
    fn type_info() -> PgTypeInfo {
        declared(Type::Text)
    }
}

impl<'q> Encode<'q, Postgres> for Hole {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.0.clone())
    }
}

/// Writes a numeric: groups of four digits, the weight of the first group, the sign, the scale.
fn numeric(value: DecimalParts, buf: &mut Vec<u8>) -> Result<()> {
    const NEGATIVE: u16 = 0x4000;
    let scale = u16::try_from(value.scale)
        .ok()
        .filter(|s| *s <= 0x3fff)
        .ok_or_else(|| Error::encode("the number has more digits after the point than PostgreSQL stores"))?;
    let digits = match value.mantissa.unsigned_abs() {
        0 => String::new(),
        m => m.to_string(),
    };
    let whole = digits.len() as i64 - i64::from(scale);
    // Groups are aligned to the point: `lead` zeros complete the first one.
    let weight = (whole + 3).div_euclid(4) - 1;
    let lead = ((weight + 1) * 4 - whole) as usize;
    let mut groups: Vec<i16> = Vec::with_capacity(11);
    for (i, digit) in digits.bytes().enumerate() {
        let place = lead + i;
        if place.is_multiple_of(4) || groups.is_empty() {
            groups.push(0);
        }
        if let Some(last) = groups.last_mut() {
            *last += i16::from(digit - b'0') * [1000, 100, 10, 1][place % 4];
        }
    }
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let (weight, sign) = match groups.is_empty() {
        true => (0, 0),
        false => (weight as i16, if value.mantissa < 0 { NEGATIVE } else { 0 }),
    };
    buf.extend((groups.len() as i16).to_be_bytes());
    buf.extend(weight.to_be_bytes());
    buf.extend(sign.to_be_bytes());
    buf.extend(scale.to_be_bytes());
    groups.iter().for_each(|g| buf.extend(g.to_be_bytes()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::decode::numeric as read;
    use crate::encode::numeric as write;
    use orm_core::value::DecimalParts;

    #[test]
    fn numerics_come_back() {
        let mantissas = [
            0i128,
            1,
            -1,
            9,
            10,
            9999,
            10_000,
            10_001,
            99_990_000,
            123_456_789,
            -1_000_000_007,
            i128::MAX,
            i128::MIN + 1,
            10i128.pow(38),
            5 * 10i128.pow(37),
        ];
        for mantissa in mantissas {
            for scale in 0..=28 {
                let mut buf = Vec::new();
                write(DecimalParts { mantissa, scale }, &mut buf).unwrap();
                let back = read(&buf).unwrap();
                assert_eq!(back, DecimalParts { mantissa, scale }, "{mantissa} {scale}");
            }
        }
        assert!(
            write(
                DecimalParts {
                    mantissa: 1,
                    scale: 20_000
                },
                &mut Vec::new()
            )
            .is_err()
        );
    }
}
