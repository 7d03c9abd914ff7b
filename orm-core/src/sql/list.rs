//! Lists of values as one JSON text, for databases that take a list as one bound value that way.

use crate::error::{Error, Result};
use crate::value::Value;

/// A JSON array of these values, each in the form it is stored in.
pub(crate) fn json(values: &[Value]) -> Result<String> {
    let mut out = String::with_capacity(2 + values.len() * 8);
    out.push('[');
    for (i, v) in values.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        item(&mut out, v)?;
    }
    out.push(']');
    Ok(out)
}

fn item(out: &mut String, v: &Value) -> Result<()> {
    match v {
        Value::Null(_) => out.push_str("null"),
        Value::Bool(b) => out.push(if *b { '1' } else { '0' }),
        Value::I16(n) => integer(out, *n as i64),
        Value::I32(n) => integer(out, *n as i64),
        Value::I64(n) => integer(out, *n),
        Value::Text(s) => return text(out, s),
        Value::Str(s) | Value::Enum(_, s) => return text(out, s),
        Value::Timestamp(t) => return text(out, &t.to_fixed().ok_or_else(year)?),
        Value::LocalTimestamp(t) => return text(out, &t.to_fixed().ok_or_else(year)?),
        Value::Date(d) => return text(out, &d.to_fixed().ok_or_else(year)?),
        Value::Time(t) => return text(out, &t.to_fixed()),
        Value::Bytes(b) => hex(out, b),
        Value::Uuid(u) => hex(out, u),
        Value::Refused(why) => return Err(Error::encode(*why)),
        Value::Other(_, s) => return text(out, s),
        Value::F32(_)
        | Value::F64(_)
        | Value::Json(_)
        | Value::Decimal(_)
        | Value::Interval(_)
        | Value::Range(..)
        | Value::Array(..) => {
            return Err(Error::encode(
                "a list of these values cannot be bound as one text",
            ));
        }
    }
    Ok(())
}

pub(crate) fn hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    out.extend(digits.map(|d| DIGITS[d as usize] as char));
    out.push('"');
}

pub(crate) fn integer(out: &mut String, n: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|b| *b as char));
}

fn text(out: &mut String, s: &str) -> Result<()> {
    if s.contains('\0') {
        return Err(Error::encode("a text in a list must not contain NUL"));
    }
    quoted(out, s);
    Ok(())
}

/// A JSON string.
pub(crate) fn quoted(out: &mut String, s: &str) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                out.push_str(if (c as u32) < 0x10 { "\\u000" } else { "\\u001" });
                out.push(b"0123456789abcdef"[(c as usize) & 15] as char);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn year() -> Error {
    Error::encode("a date outside the years 0 to 9999 cannot be stored")
}

#[cfg(test)]
mod tests {
    use crate::sql::list::json;
    use crate::value::{Timestamp, Type, Value};

    #[test]
    fn numbers_texts_and_control_characters() {
        let values = [
            Value::I64(i64::MIN),
            Value::I64(0),
            Value::I32(10),
            Value::Null(Type::I64),
            Value::Bool(true),
            Value::Str("a\"b\\c\n\u{1f}é"),
            Value::Timestamp(Timestamp::from_micros(0)),
            Value::Bytes(vec![0, 0xa9, 0xff]),
        ];
        assert_eq!(
            json(&values).unwrap(),
            r#"[-9223372036854775808,0,10,null,1,"a\"b\\c\u000a\u001fé","1970-01-01T00:00:00.000000Z","00a9ff"]"#
        );
        assert!(json(&[Value::Str("a\0")]).is_err());
        assert!(json(&[Value::F64(0.5)]).is_err());
    }
}
