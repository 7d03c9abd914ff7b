//! The values of a row in the order, as the bytes of a cursor.

use crate::error::Result;
use crate::query::PageCursor;
use crate::value::{Date, DecimalParts, LocalTimestamp, TimeOfDay, Timestamp, Type, Value};

/// Adds a value; its type is known to whoever reads it.
pub(super) fn write(out: &mut Vec<u8>, value: Option<&Value>) {
    let Some(value) = value else {
        return out.push(0);
    };
    out.push(1);
    match value {
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::I16(v) => out.extend(i64::from(*v).to_be_bytes()),
        Value::I32(v) => out.extend(i64::from(*v).to_be_bytes()),
        Value::I64(v) => out.extend(v.to_be_bytes()),
        Value::F32(v) => out.extend(f64::from(*v).to_bits().to_be_bytes()),
        Value::F64(v) => out.extend(v.to_bits().to_be_bytes()),
        Value::Text(v) | Value::Json(v) => bytes(out, v.as_bytes()),
        Value::Str(v) | Value::Enum(_, v) | Value::Refused(v) => bytes(out, v.as_bytes()),
        Value::Other(_, v) => bytes(out, v.as_bytes()),
        Value::Bytes(v) => bytes(out, v),
        Value::Uuid(v) => out.extend(v),
        Value::Timestamp(v) => out.extend(v.micros().to_be_bytes()),
        Value::LocalTimestamp(v) => out.extend(v.micros().to_be_bytes()),
        Value::Date(v) => out.extend(v.days().to_be_bytes()),
        Value::Time(v) => out.extend(v.micros().to_be_bytes()),
        Value::Decimal(d) => {
            let DecimalParts { mantissa, scale } = *d;
            out.extend(scale.to_be_bytes());
            out.extend(mantissa.to_be_bytes());
        }
        // refused as terms of an order
        Value::Null(_) | Value::Interval(_) | Value::Range(..) | Value::Array(..) => {}
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

/// The values of a cursor, which are of these types.
pub(super) fn read(cursor: &PageCursor, types: impl Iterator<Item = Type>) -> Result<Vec<Option<Value>>> {
    let mut rest = cursor.values.as_slice();
    let values: Option<Vec<_>> = types.map(|ty| one(&mut rest, ty)).collect();
    match values {
        Some(values) if rest.is_empty() => Ok(values),
        _ => Err(PageCursor::invalid(
            "the cursor's values are not those of the query's order",
        )),
    }
}

/// `None` when the bytes are no such value.
fn one(rest: &mut &[u8], ty: Type) -> Option<Option<Value>> {
    match take(rest)? {
        [0] => return Some(None),
        [1] => {}
        _ => return None,
    }
    Some(Some(match ty {
        Type::Bool => match take(rest)? {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            _ => return None,
        },
        Type::I16 => Value::I16(i64::from_be_bytes(take(rest)?).try_into().ok()?),
        Type::I32 => Value::I32(i64::from_be_bytes(take(rest)?).try_into().ok()?),
        Type::I64 => Value::I64(i64::from_be_bytes(take(rest)?)),
        Type::F32 | Type::F64 => Value::F64(f64::from_bits(u64::from_be_bytes(take(rest)?))),
        Type::Text => Value::Text(text(rest)?),
        Type::Enum(e) => {
            let label = text(rest)?;
            Value::Enum(e, e.labels.iter().find(|known| **known == label)?)
        }
        Type::Bytes => Value::Bytes(sized(rest)?.to_vec()),
        Type::Uuid => Value::Uuid(take(rest)?),
        Type::Timestamp => Value::Timestamp(Timestamp::from_micros(i64::from_be_bytes(take(rest)?))),
        Type::LocalTimestamp => {
            Value::LocalTimestamp(LocalTimestamp::from_micros(i64::from_be_bytes(take(rest)?)))
        }
        Type::Date => Value::Date(Date::from_days(i32::from_be_bytes(take(rest)?))),
        Type::Time => Value::Time(TimeOfDay::from_micros(i64::from_be_bytes(take(rest)?))?),
        Type::Decimal(precision, most) => {
            let scale = u32::from_be_bytes(take(rest)?);
            let mantissa = i128::from_be_bytes(take(rest)?);
            if precision > 0 && scale > most.into() {
                return None;
            }
            Value::Decimal(DecimalParts { mantissa, scale })
        }
        Type::Other(other) => Value::Other(other, text(rest)?.into()),
        Type::Json | Type::Interval | Type::Range(_) | Type::Array(_) => return None,
    }))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = usize::try_from(u64::from_be_bytes(take(rest)?)).ok()?;
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(sized(rest)?.to_vec()).ok()
}
