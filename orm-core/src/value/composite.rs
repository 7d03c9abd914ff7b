//! Structs in one column: PostgreSQL's composite types, as the text of a row, `("Main St",42)`.

use crate::error::{Error, Result};
use crate::value::{
    Cells, Date, EnumType, Held, LocalTimestamp, OtherType, Row, TimeOfDay, Timestamp, Type, Value,
    decimal_text, multirange, other, parse_decimal, parse_range, range_text,
};

/// Refuses fields whose text is not the same on every database, while the program is compiled.
pub const fn composite(name: &'static str, fields: &'static [(&'static str, Type)]) -> OtherType {
    let mut i = 0;
    while i < fields.len() {
        assert!(
            !matches!(fields[i].1, Type::Interval | Type::Array(_)),
            "a composite type holds no intervals and no arrays"
        );
        i += 1;
    }
    let mut ty = OtherType::portable(name, crate::value::Wire::Cast);
    ty.fields = fields;
    ty
}

/// The value of a struct: its fields in the order of the type's.
pub fn composite_value(ty: &'static OtherType, fields: Vec<Value>) -> Value {
    let mut out = String::from("(");
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match text(&field) {
            Ok(None) => {}
            Ok(Some(text)) => {
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push(c);
                    }
                    out.push(c);
                }
                out.push('"');
            }
            Err(why) => return Value::Refused(why),
        }
    }
    out.push(')');
    Value::Other(ty, out.into())
}

/// The fields of the struct in a cell; `None` is NULL.
fn composite_fields(cells: &dyn Cells, i: usize, ty: &'static OtherType) -> Result<Option<Vec<Value>>> {
    let Some(text) = other::text(cells, i, ty)? else {
        return Ok(None);
    };
    let wrong = || Error::decode("the cell holds no row of the composite type");
    let texts = split(&text).filter(|texts| texts.len() == ty.fields.len());
    let fields = texts
        .ok_or_else(wrong)?
        .into_iter()
        .zip(ty.fields)
        .map(|(text, (name, ty))| match text {
            None => Ok(Value::Null(*ty)),
            Some(text) => parse(text, *ty).ok_or_else(|| wrong().with_field(*name)),
        });
    fields.collect::<Result<_>>().map(Some)
}

/// Reads the struct in a cell, field by field; `None` is NULL.
pub fn composite_read<T>(
    cells: &dyn Cells,
    i: usize,
    ty: &'static OtherType,
    read: impl FnOnce(&mut Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let Some(fields) = composite_fields(cells, i, ty)? else {
        return Ok(None);
    };
    read(&mut Row::new(&Held(&fields))).map(Some)
}

const YEARS: &str = "a composite type holds the years 1 to 9999";

fn text(value: &Value) -> Result<Option<String>, &'static str> {
    let years = |text: Option<String>, early: bool| text.filter(|_| !early).ok_or(YEARS);
    Ok(Some(match value {
        Value::Null(_) => return Ok(None),
        Value::Bool(v) => if *v { "t" } else { "f" }.to_owned(),
        Value::I16(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => format!("{v:?}"),
        Value::F64(v) => format!("{v:?}"),
        Value::Text(v) => nul(v)?,
        Value::Json(v) => nul(v)?,
        Value::Str(v) | Value::Enum(_, v) => nul(v)?,
        Value::Other(_, v) => nul(v)?,
        Value::Bytes(v) => v
            .iter()
            .fold("\\x".to_owned(), |text, b| text + &format!("{b:02x}")),
        Value::Uuid(v) => {
            let digits = format!("{:032x}", u128::from_be_bytes(*v));
            let parts = [
                &digits[..8],
                &digits[8..12],
                &digits[12..16],
                &digits[16..20],
                &digits[20..],
            ];
            parts.join("-")
        }
        Value::Timestamp(v) => years(v.to_fixed(), v.micros() < multirange::YEAR_ONE)?,
        Value::LocalTimestamp(v) => years(v.to_fixed(), v.micros() < multirange::YEAR_ONE)?,
        Value::Date(v) => years(v.to_fixed(), v.ymd().0 < 1)?,
        Value::Time(v) => v.to_fixed(),
        Value::Decimal(v) => decimal_text(*v),
        Value::Range(_, v) => range_text(v).map_err(|_| YEARS)?,
        Value::Refused(why) => return Err(why),
        Value::Interval(_) | Value::Array(..) => {
            return Err("a composite type holds no intervals and no arrays");
        }
    }))
}

fn nul(text: &str) -> Result<String, &'static str> {
    match text.contains('\0') {
        true => Err("text with a NUL character cannot be stored"),
        false => Ok(text.to_owned()),
    }
}

/// The texts between the parentheses; what is empty without quotes is NULL.
fn split(row: &str) -> Option<Vec<Option<String>>> {
    let inner = row.strip_prefix('(')?.strip_suffix(')')?;
    let mut out = Vec::new();
    let mut field: Option<String> = None;
    let (mut quoted, mut chars) = (false, inner.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.get_or_insert_default().push('"'),
            '"' => {
                quoted = !quoted;
                field.get_or_insert_default();
            }
            '\\' => field.get_or_insert_default().push(chars.next()?),
            ',' if !quoted => out.push(field.take()),
            c => field.get_or_insert_default().push(c),
        }
    }
    out.push(field);
    (!quoted).then_some(out)
}

fn parse(text: String, ty: Type) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(match text.as_str() {
            "t" => true,
            "f" => false,
            _ => return None,
        }),
        Type::I16 => Value::I16(text.parse().ok()?),
        Type::I32 => Value::I32(text.parse().ok()?),
        Type::I64 => Value::I64(text.parse().ok()?),
        Type::F32 => Value::F32(text.parse().ok()?),
        Type::F64 => Value::F64(text.parse().ok()?),
        Type::Text => Value::Text(text),
        Type::Json => Value::Json(text),
        Type::Enum(e) => label(e, &text)?,
        Type::Other(other) => Value::Other(other, text.into()),
        Type::Bytes => Value::Bytes(hex(text.strip_prefix("\\x")?)?),
        Type::Uuid => Value::Uuid(hex(&text.replace('-', ""))?.try_into().ok()?),
        Type::Timestamp => Value::Timestamp(multirange::instant(&text).or_else(|| Timestamp::parse(&text))?),
        Type::LocalTimestamp => Value::LocalTimestamp(LocalTimestamp::parse(&text)?),
        Type::Date => Value::Date(Date::parse(&text)?),
        Type::Time => Value::Time(TimeOfDay::parse(&text)?),
        Type::Decimal(..) => Value::Decimal(parse_decimal(&text)?),
        Type::Range(of) => {
            let plain: String = text.chars().filter(|c| *c != '"').collect();
            Value::Range(of, parse_range(&multirange::instants(&plain, of), of)?)
        }
        Type::Interval | Type::Array(_) => return None,
    })
}

fn label(e: &'static EnumType, text: &str) -> Option<Value> {
    let label = e.labels.iter().find(|label| **label == text)?;
    Some(Value::Enum(e, label))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |i: usize| u8::from_str_radix(&digits[i..i + 2], 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}
