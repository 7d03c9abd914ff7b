//! Rows as the text that COPY takes. Text and not the binary form: the server reads each value as the column's own
//! type, whatever a table that was made by hand calls it, and nothing is ever taken for something else.

use orm_core::error::{Error, Result};
use orm_core::value::{DecimalParts, Element, Interval, TimeOfDay, Value, range_text};

use crate::encode::{day, fits, instant, text};

/// All rows of a COPY, `width` values each. An error has the number of its row.
pub(crate) fn rows(values: &[Value], width: usize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(values.len() * 16);
    let mut plain = Vec::new();
    for (number, row) in (1..).zip(values.chunks(width.max(1))) {
        for (i, value) in row.iter().enumerate() {
            if i > 0 {
                out.push(b'\t');
            }
            plain.clear();
            match value {
                Value::Null(_) => out.extend(b"\\N"),
                value => {
                    written(value, &mut plain).map_err(|e| e.with_row(number))?;
                    escaped(&plain, &mut out);
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// What would end a value or a row, and the backslash itself.
fn escaped(plain: &[u8], out: &mut Vec<u8>) {
    for byte in plain {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            byte => out.push(*byte),
        }
    }
}

/// The value as the server's types read it.
fn written(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Bool(v) => out.push(if *v { b't' } else { b'f' }),
        Value::I16(v) => out.extend(v.to_string().bytes()),
        Value::I32(v) => out.extend(v.to_string().bytes()),
        Value::I64(v) => out.extend(v.to_string().bytes()),
        Value::F32(v) => float(
            v.is_nan(),
            v.is_infinite(),
            v.is_sign_negative(),
            format!("{v:e}"),
            out,
        ),
        Value::F64(v) => float(
            v.is_nan(),
            v.is_infinite(),
            v.is_sign_negative(),
            format!("{v:e}"),
            out,
        ),
        Value::Text(v) | Value::Json(v) => text(v, out)?,
        Value::Str(v) | Value::Enum(_, v) => text(v, out)?,
        Value::Bytes(v) => {
            out.extend(b"\\x");
            v.iter().for_each(|byte| hex(*byte, out));
        }
        Value::Uuid(v) => v.iter().for_each(|byte| hex(*byte, out)),
        Value::Timestamp(v) => {
            instant(v.micros())?;
            moment(v.micros(), "+00", out);
        }
        Value::LocalTimestamp(v) => {
            instant(v.micros())?;
            moment(v.micros(), "", out);
        }
        Value::Date(v) => {
            day(v.days())?;
            calendar(v.days().into(), |date| date.to_owned(), out);
        }
        Value::Time(v) => out.extend(time(*v).bytes()),
        Value::Decimal(v) => decimal(*v, out)?,
        Value::Interval(v) => out.extend(interval(*v).bytes()),
        Value::Range(_, v) => text(&range_text(v)?, out)?,
        Value::Other(_, v) => text(v, out)?,
        Value::Array(element, items) => array(*element, items, out)?,
        Value::Refused(why) => return Err(Error::encode(*why)),
        Value::Null(_) => out.extend(b"NULL"),
    }
    Ok(())
}

fn hex(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

fn float(nan: bool, infinite: bool, negative: bool, finite: String, out: &mut Vec<u8>) {
    match (nan, infinite, negative) {
        (true, ..) => out.extend(b"NaN"),
        (_, true, false) => out.extend(b"Infinity"),
        (_, true, true) => out.extend(b"-Infinity"),
        _ => out.extend(finite.bytes()),
    }
}

fn moment(micros: i64, zone: &str, out: &mut Vec<u8>) {
    const DAY: i64 = 86_400_000_000;
    let within = TimeOfDay::from_micros(micros.rem_euclid(DAY)).unwrap_or_default();
    let clock = time(within);
    calendar(
        micros.div_euclid(DAY),
        |date| format!("{date} {clock}{zone}"),
        out,
    );
}

fn time(of_day: TimeOfDay) -> String {
    let (seconds, micros) = (of_day.micros() / 1_000_000, of_day.micros() % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{micros:06}")
}

/// Each part with its own sign.
fn interval(v: Interval) -> String {
    let Interval { months, days, micros } = v;
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, rest) = (
        micros.unsigned_abs() / 1_000_000,
        micros.unsigned_abs() % 1_000_000,
    );
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{months} mons {days} days {sign}{hours}:{minutes:02}:{seconds:02}.{rest:06}")
}

/// Writes what `with` makes of the date, with the era behind it where it is not ours.
fn calendar(days: i64, with: impl FnOnce(&str) -> String, out: &mut Vec<u8>) {
    // days since 1970 as a date of the proleptic Gregorian calendar, whose years begin in March here
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (year, before) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    out.extend(with(&format!("{year:04}-{month:02}-{day:02}")).bytes());
    out.extend(before.bytes());
}

fn decimal(value: DecimalParts, out: &mut Vec<u8>) -> Result<()> {
    let scale = usize::try_from(value.scale)
        .ok()
        .filter(|s| *s <= 0x3fff)
        .ok_or_else(|| Error::encode("the number has more digits after the point than PostgreSQL stores"))?;
    let mantissa = value.mantissa;
    if mantissa < 0 {
        out.push(b'-');
    }
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.extend(whole.bytes());
    if scale > 0 {
        out.push(b'.');
        out.extend(fraction.bytes());
    }
    Ok(())
}

fn array(element: Element, items: &[Value], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    let mut plain = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if item.is_null() {
            out.extend(b"NULL");
            continue;
        }
        if !fits(element, item) {
            return Err(Error::encode(
                "an array holds a value of another type than its own",
            ));
        }
        plain.clear();
        written(item, &mut plain)?;
        out.push(b'"');
        for byte in &plain {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use orm_core::error::ErrorKind;
    use orm_core::value::{Date, DecimalParts, Element, Interval, LocalTimestamp, Timestamp, Type, Value};

    use crate::copy::rows;

    fn one(value: Value) -> String {
        String::from_utf8(rows(&[value], 1).unwrap()).unwrap()
    }

    #[test]
    fn values_are_text_that_ends_nothing() {
        for (value, expected) in [
            (Value::Null(Type::Text), "\\N\n"),
            (Value::Text("\\N".into()), "\\\\N\n"),
            (Value::Text("\\.".into()), "\\\\.\n"),
            (Value::Text("a\tb\nc\rd\\".into()), "a\\tb\\nc\\rd\\\\\n"),
            (Value::Text(String::new()), "\n"),
            (Value::F64(1e300), "1e300\n"),
            (Value::F64(f64::NEG_INFINITY), "-Infinity\n"),
            (Value::F64(-0.0), "-0e0\n"),
            (
                Value::Interval(Interval {
                    months: 14,
                    days: -3,
                    micros: -3_661_000_001,
                }),
                "14 mons -3 days -1:01:01.000001\n",
            ),
            (Value::Bytes(vec![0, 255, 92]), "\\\\x00ff5c\n"),
            (
                Value::Timestamp(Timestamp::from_micros(-1)),
                "1969-12-31 23:59:59.999999+00\n",
            ),
            (
                Value::LocalTimestamp(LocalTimestamp::from_micros(951_782_400_000_000)),
                "2000-02-29 00:00:00.000000\n",
            ),
            (Value::Date(Date::from_days(-719_529)), "0002-12-31 BC\n"),
            (Value::Date(Date::from_days(2_932_897)), "10000-01-01\n"),
            (
                Value::Decimal(DecimalParts {
                    mantissa: -5,
                    scale: 3,
                }),
                "-0.005\n",
            ),
            (
                Value::Decimal(DecimalParts {
                    mantissa: 120,
                    scale: 0,
                }),
                "120\n",
            ),
            (
                Value::Array(
                    Element::Text,
                    [Value::Text("a\"\\\n,{}".into()), Value::Null(Type::Text)].into(),
                ),
                "{\"a\\\\\"\\\\\\\\\\n,{}\",NULL}\n",
            ),
        ] {
            assert_eq!(one(value), expected);
        }
        assert_eq!(
            rows(
                &[
                    Value::I64(1),
                    Value::Bool(true),
                    Value::I64(2),
                    Value::Bool(false)
                ],
                2
            )
            .unwrap(),
            b"1\tt\n2\tf\n"
        );
    }

    #[test]
    fn what_cannot_be_stored_names_its_row() {
        let e = rows(&[Value::Text("a".into()), Value::Text("b\0".into())], 1).unwrap_err();
        assert_eq!((e.kind(), e.row()), (ErrorKind::Encode, Some(2)));
        let e = rows(&[Value::Date(Date::from_days(i32::MAX))], 1).unwrap_err();
        assert_eq!((e.kind(), e.row()), (ErrorKind::Encode, Some(1)));
    }
}
