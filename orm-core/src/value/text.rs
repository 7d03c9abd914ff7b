//! The texts of values that a database without their types stores: exact numbers, ranges, and arrays as JSON. One text
//! for one value, so that equality and unique indexes hold.

use std::fmt::Write;
use std::ops::Bound;

use crate::error::{Error, Result};
use crate::value::{
    Date, DecimalParts, Element, Interval, LocalTimestamp, RangeOf, RangeValue, TimeOfDay, Timestamp, Value,
};

/// One text for one number, whatever its scale.
pub fn decimal_text(d: DecimalParts) -> String {
    let (mut digits, mut scale) = (d.mantissa.unsigned_abs(), d.scale as usize);
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    let mut out = format!("{digits:0>width$}", width = scale + 1);
    if scale > 0 {
        out.insert(out.len() - scale, '.');
    }
    if d.mantissa < 0 {
        out.insert(0, '-');
    }
    out
}

/// Reads `-12.50`; no exponent, at most 38 digits.
pub fn parse_decimal(s: &str) -> Option<DecimalParts> {
    let (negative, number) = match s.as_bytes().first()? {
        b'-' => (true, &s[1..]),
        b'+' => (false, &s[1..]),
        _ => (false, s),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa: i128 = 0;
    for b in whole.bytes().chain(fraction.bytes()) {
        if !b.is_ascii_digit() {
            return None;
        }
        mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(b - b'0'))?;
    }
    let scale = u32::try_from(fraction.len()).ok()?;
    Some(DecimalParts {
        mantissa: if negative { -mantissa } else { mantissa },
        scale,
    })
}

fn year() -> Error {
    Error::encode("the year lies outside 0 to 9999, which is all that is stored")
}

/// `[1,5)`, `empty`.
///
/// # Errors
/// `Encode` for a year beyond four digits.
pub fn range_text(range: &RangeValue) -> Result<String> {
    let RangeValue::Between(bounds) = range else {
        return Ok("empty".into());
    };
    let (lower, upper) = &**bounds;
    let mut out = String::from(if matches!(lower, Bound::Included(_)) {
        "["
    } else {
        "("
    });
    bound_text(&mut out, lower)?;
    out.push(',');
    bound_text(&mut out, upper)?;
    out.push(if matches!(upper, Bound::Included(_)) {
        ']'
    } else {
        ')'
    });
    Ok(out)
}

fn bound_text(out: &mut String, bound: &Bound<Value>) -> Result<()> {
    let (Bound::Included(value) | Bound::Excluded(value)) = bound else {
        return Ok(());
    };
    out.push_str(&match value {
        Value::I32(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::Decimal(v) => decimal_text(*v),
        Value::Date(v) => v.to_fixed().ok_or_else(year)?,
        Value::Timestamp(v) => v.to_fixed().ok_or_else(year)?,
        Value::LocalTimestamp(v) => v.to_fixed().ok_or_else(year)?,
        _ => return Err(Error::encode("there are no ranges of this type")),
    });
    Ok(())
}

/// Reads what [`range_text`] writes.
pub fn parse_range(s: &str, of: RangeOf) -> Option<RangeValue> {
    if s == "empty" {
        return Some(RangeValue::Empty);
    }
    let (open, rest) = s.split_at_checked(1)?;
    let (inner, close) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let (lower, upper) = inner.split_once(',')?;
    let bound = |text: &str, included: bool| {
        if text.is_empty() {
            return Some(Bound::Unbounded);
        }
        let value = match of {
            RangeOf::I32 => Value::I32(text.parse().ok()?),
            RangeOf::I64 => Value::I64(text.parse().ok()?),
            RangeOf::Decimal => Value::Decimal(parse_decimal(text)?),
            RangeOf::Date => Value::Date(Date::parse(text)?),
            RangeOf::Timestamp => Value::Timestamp(Timestamp::parse(text)?),
            RangeOf::LocalTimestamp => Value::LocalTimestamp(LocalTimestamp::parse(text)?),
        };
        Some(if included {
            Bound::Included(value)
        } else {
            Bound::Excluded(value)
        })
    };
    let lower = match open {
        "[" | "(" => bound(lower, open == "[")?,
        _ => return None,
    };
    let upper = match close {
        "]" | ")" => bound(upper, close == "]")?,
        _ => return None,
    };
    Some(RangeValue::Between(Box::new((lower, upper))))
}

/// An array as JSON: numbers and truth values as such, all others as strings, NULL as `null`. Bytes are hexadecimal
/// digits, JSON is a string that holds it.
///
/// # Errors
/// `Encode` for what has no text: a year beyond four digits, text with a NUL.
pub fn array_text(items: &[Value]) -> Result<String> {
    let mut out = String::from("[");
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        item_text(&mut out, item)?;
    }
    out.push(']');
    Ok(out)
}

fn item_text(out: &mut String, item: &Value) -> Result<()> {
    match item {
        Value::Null(_) => out.push_str("null"),
        Value::Bool(v) => out.push_str(if *v { "true" } else { "false" }),
        Value::I16(v) => out.push_str(&v.to_string()),
        Value::I32(v) => out.push_str(&v.to_string()),
        Value::I64(v) => out.push_str(&v.to_string()),
        Value::F32(v) if v.is_finite() => out.push_str(&format!("{v:?}")),
        Value::F64(v) if v.is_finite() => out.push_str(&format!("{v:?}")),
        Value::F32(v) => quoted(out, &v.to_string()),
        Value::F64(v) => quoted(out, &v.to_string()),
        Value::Text(v) | Value::Json(v) => return text(out, v),
        Value::Str(v) | Value::Enum(_, v) => return text(out, v),
        Value::Other(_, v) => return text(out, v),
        Value::Bytes(v) => hex(out, v),
        Value::Uuid(v) => {
            let n = u128::from_be_bytes(*v);
            let (a, b, c) = (n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff);
            let (d, e) = (n >> 48 & 0xffff, n & 0xffff_ffff_ffff);
            let _ = write!(out, "\"{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}\"");
        }
        Value::Timestamp(v) => quoted(out, &v.to_fixed().ok_or_else(year)?),
        Value::LocalTimestamp(v) => quoted(out, &v.to_fixed().ok_or_else(year)?),
        Value::Date(v) => quoted(out, &v.to_fixed().ok_or_else(year)?),
        Value::Time(v) => quoted(out, &v.to_fixed()),
        Value::Interval(v) => quoted(out, &v.to_string()),
        Value::Decimal(v) => quoted(out, &decimal_text(*v)),
        Value::Range(_, v) => quoted(out, &range_text(v)?),
        Value::Refused(why) => return Err(Error::encode(*why)),
        Value::Array(..) => return Err(Error::encode("an array within an array cannot be stored")),
    }
    Ok(())
}

fn text(out: &mut String, s: &str) -> Result<()> {
    if s.contains('\0') {
        return Err(Error::encode("text with a NUL character cannot be stored"));
    }
    quoted(out, s);
    Ok(())
}

fn hex(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for b in bytes {
        // writing to a String does not fail
        let _ = write!(out, "{b:02x}");
    }
    out.push('"');
}

/// A JSON string, written as databases write it.
pub(crate) fn quoted(out: &mut String, s: &str) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads what [`array_text`] writes, and any other JSON array of such values.
pub fn parse_array(s: &str, element: Element) -> Option<Vec<Value>> {
    let inner = s.trim().strip_prefix('[')?.strip_suffix(']')?;
    let mut out = Vec::new();
    if inner.trim().is_empty() {
        return Some(out);
    }
    let mut rest = inner;
    loop {
        let end = item_end(rest)?;
        out.push(parse_item(rest[..end].trim(), element)?);
        match rest[end..].strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some(out),
        }
    }
}

/// Where the first item ends: at a comma outside strings, or at the end.
fn item_end(s: &str) -> Option<usize> {
    let (mut in_string, mut escaped) = (false, false);
    for (i, b) in s.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' if !in_string => return Some(i),
            b'[' | b'{' if !in_string => return None,
            _ => {}
        }
    }
    (!in_string).then_some(s.len())
}

fn parse_item(s: &str, element: Element) -> Option<Value> {
    if s == "null" {
        return Some(Value::Null(element.ty()));
    }
    let string = || unquoted(s);
    Some(match element {
        Element::Bool => Value::Bool(match s {
            "true" => true,
            "false" => false,
            _ => return None,
        }),
        Element::I16 => Value::I16(s.parse().ok()?),
        Element::I32 => Value::I32(s.parse().ok()?),
        Element::I64 => Value::I64(s.parse().ok()?),
        Element::F32 => Value::F32(s.trim_matches('"').parse().ok()?),
        Element::F64 => Value::F64(s.trim_matches('"').parse().ok()?),
        Element::Text => Value::Text(string()?),
        Element::Bytes => Value::Bytes(unhex(&string()?)?),
        Element::Uuid => Value::Uuid(unhex(&string()?.replace('-', ""))?.try_into().ok()?),
        Element::Timestamp => Value::Timestamp(Timestamp::parse(&string()?)?),
        Element::LocalTimestamp => Value::LocalTimestamp(LocalTimestamp::parse(&string()?)?),
        Element::Date => Value::Date(Date::parse(&string()?)?),
        Element::Time => Value::Time(TimeOfDay::parse(&string()?)?),
        Element::Interval => Value::Interval(Interval::parse(&string()?)?),
        Element::Json => Value::Json(string()?),
        Element::Decimal(..) => Value::Decimal(parse_decimal(&string()?)?),
        Element::Enum(e) => {
            let label = string()?;
            Value::Enum(e, e.labels.iter().find(|l| **l == label)?)
        }
        Element::Range(of) => Value::Range(of, parse_range(&string()?, of)?),
        Element::Other(other) => Value::Other(other, string()?.into()),
    })
}

fn unhex(s: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (pairs, rest) = s.as_bytes().as_chunks::<2>();
    let byte = |[a, b]: &[u8; 2]| Some((digit(*a)? << 4 | digit(*b)?) as u8);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// The text of a JSON string.
fn unquoted(s: &str) -> Option<String> {
    let inner = s.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => match four(&mut chars)? {
                high @ 0xd800..=0xdbff => {
                    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
                    let low = four(&mut chars)?;
                    (0xdc00..=0xdfff).contains(&low).then_some(())?;
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                }
                one => char::from_u32(one)?,
            },
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        });
    }
    Some(out)
}

fn four(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |n, _| Some(n << 4 | chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use crate::value::text::{array_text, decimal_text, parse_array, parse_decimal, parse_range};
    use crate::value::{DecimalParts, Element, RangeOf, Type, Value};

    #[test]
    fn decimals_have_one_text_each() {
        for (mantissa, scale, text) in [
            (0, 0, "0"),
            (0, 5, "0"),
            (110, 2, "1.1"),
            (-5, 3, "-0.005"),
            (1200, 0, "1200"),
            (1200, 2, "12"),
            (i128::MAX, 10, "17014118346046923173168730371.5884105727"),
        ] {
            assert_eq!(decimal_text(DecimalParts { mantissa, scale }), text);
            let back = parse_decimal(text).unwrap();
            assert_eq!(decimal_text(back), text);
        }
        for bad in [
            "",
            "-",
            ".",
            "1e3",
            "NaN",
            "1.2.3",
            " 1",
            "999999999999999999999999999999999999999999",
        ] {
            assert_eq!(parse_decimal(bad), None, "{bad}");
        }
    }
    #[test]
    fn arrays_there_and_back() {
        let floats = [f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, 1e300, 0.1].map(Value::F64);
        let texts = ["", "a,b", "\"\\\n\u{1}", "ü😀", "[", "null"].map(|s| Value::Text(s.into()));
        let mut with_null = texts.to_vec();
        with_null.push(Value::Null(Type::Text));
        for (items, element) in [
            (vec![], Element::I32),
            (floats.to_vec(), Element::F64),
            (with_null, Element::Text),
            (
                vec![Value::Json("null".into()), Value::Null(Type::Json)],
                Element::Json,
            ),
            (
                vec![Value::Bytes(vec![0, 255]), Value::Bytes(vec![])],
                Element::Bytes,
            ),
        ] {
            let text = array_text(&items).unwrap();
            assert_eq!(parse_array(&text, element), Some(items), "{text}");
        }
        let spaced = parse_array(" [ 1 , 2 ] ", Element::I64);
        assert_eq!(spaced, Some(vec![Value::I64(1), Value::I64(2)]));
        let escaped = parse_array(r#"["\ud83d\ude00\u00fc\/"]"#, Element::Text);
        assert_eq!(escaped, Some(vec![Value::Text("😀ü/".into())]));
        for bad in [
            "", "[", "1", "[1,]", "[,1]", "[1.5]", "[\"1\"]", "[[1]]", "[1", "[\"a]",
        ] {
            assert_eq!(parse_array(bad, Element::I64), None, "{bad}");
        }
        for bad in [r#"["\ud83d"]"#, r#"["\x"]"#, r#"["\u12"]"#] {
            assert_eq!(parse_array(bad, Element::Text), None, "{bad}");
        }
    }
    #[test]
    fn broken_ranges_are_none() {
        for bad in ["", "[", "[]", "[1]", "1,2", "[1,2", "[a,2)", "{}", "é,1)"] {
            assert_eq!(parse_range(bad, RangeOf::I32), None, "{bad}");
        }
    }
}
