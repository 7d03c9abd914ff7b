//! A stored value becomes one of the target, or a reason why it cannot. Pure.

use std::borrow::Cow;

use orm_core::value::{Date, LocalTimestamp, TimeOfDay, Timestamp};

use crate::transfer::dates;
use crate::transfer::report::Reason;
use crate::transfer::rule::{How, Unit};
use crate::transfer::types::Kind;

/// A value as a database holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// A text that is not UTF-8, which SQLite does not mind.
    Mangled(Vec<u8>),
    Blob(Vec<u8>),
}

impl Cell {
    /// About how much room it takes.
    pub(super) fn size(&self) -> usize {
        16 + match self {
            Cell::Null | Cell::Int(_) | Cell::Real(_) => 0,
            Cell::Text(text) => text.len(),
            Cell::Mangled(bytes) | Cell::Blob(bytes) => bytes.len(),
        }
    }
}

/// A value of the target.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Digits with a point where it needs one, without zeros that say nothing.
    Decimal(String),
    Text(String),
    Bytes(Vec<u8>),
    Date(Date),
    Time(TimeOfDay),
    Local(LocalTimestamp),
    Instant(Timestamp),
    Uuid([u8; 16]),
    /// JSON as it was written.
    Json(String),
    Stored(Cell),
}

/// Why a value cannot go over: the reason, and what was found in words that hold no value.
pub(super) type Refused = (Reason, &'static str);

/// What was found in a column, by name.
pub(super) type Found = Cow<'static, str>;

/// Makes the value, and tells what was found in any case.
pub(super) fn convert(kind: &Kind, how: &How, cell: Cell) -> (Found, Result<Datum, Refused>) {
    if *kind == Kind::Stored {
        return (name_of(&cell).into(), Ok(Datum::Stored(cell)));
    }
    let cell = match prepared(how, cell) {
        Ok(cell) => cell,
        Err((found, refused)) if how.or_null => {
            return (
                format!("{found}, made NULL ({})", refused.0).into(),
                Ok(Datum::Null),
            );
        }
        Err((found, refused)) => return (found.into(), Err(refused)),
    };
    let named = name_of(&cell);
    if cell == Cell::Null {
        return (named.into(), Ok(Datum::Null));
    }
    let mut found = Cow::Borrowed(named);
    match make(kind, how, cell, &mut found) {
        Err(refused) if how.or_null => (
            format!("{found}, made NULL ({})", refused.0).into(),
            Ok(Datum::Null),
        ),
        made => (found, made),
    }
}

fn name_of(cell: &Cell) -> &'static str {
    match cell {
        Cell::Null => "null",
        Cell::Int(_) => "integer",
        Cell::Real(_) => "real",
        Cell::Text(_) => "text",
        Cell::Mangled(_) => "text, not UTF-8",
        Cell::Blob(_) => "blob",
    }
}

/// What is done to a text before it is read.
fn prepared(how: &How, cell: Cell) -> Result<Cell, (&'static str, Refused)> {
    let text = match cell {
        Cell::Text(text) => text,
        Cell::Mangled(bytes) | Cell::Blob(bytes) if how.latin1 => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => e.into_bytes().into_iter().map(char::from).collect(),
        },
        Cell::Mangled(_) => {
            return Err(("text, not UTF-8", (Reason::Encoding, "a text that is not UTF-8")));
        }
        other => return Ok(other),
    };
    let text = match how.strip_nul && text.contains('\0') {
        true => text.replace('\0', ""),
        false => text,
    };
    if how.empty_null && text.trim().is_empty() {
        return Ok(Cell::Null);
    }
    Ok(Cell::Text(match how.trim && text.trim().len() != text.len() {
        true => text.trim().to_owned(),
        false => text,
    }))
}

fn make(kind: &Kind, how: &How, cell: Cell, found: &mut Found) -> Result<Datum, Refused> {
    match kind {
        Kind::Bool => bool(how, &cell).map(Datum::Bool),
        Kind::Int(bits) => int(*bits, how, &cell, found).map(Datum::Int),
        Kind::Float => float(&cell, found).map(Datum::Float),
        Kind::Single => {
            let v = float(&cell, found)?;
            let single = v as f32;
            if v.is_finite() && !single.is_finite() {
                return Err((Reason::Range, "a number too great for single precision"));
            }
            Ok(Datum::Float(f64::from(single)))
        }
        Kind::Decimal(bounds) => decimal(*bounds, how, &cell, found).map(Datum::Decimal),
        Kind::Text(most) => text(cell, *most).map(Datum::Text),
        Kind::Padded(most) => {
            let padded = text(cell, None)?;
            // blanks at the end say nothing in this type
            let kept = padded.trim_end_matches(' ');
            match kept.chars().count() > *most {
                true => Err((Reason::Length, "a text longer than the column")),
                false => Ok(Datum::Text(kept.to_owned())),
            }
        }
        Kind::Bytes => match cell {
            Cell::Blob(bytes) => Ok(Datum::Bytes(bytes)),
            Cell::Text(text) if how.hex || text.starts_with("\\x") => {
                let digits = text.strip_prefix("\\x").unwrap_or(&text);
                let refused = (Reason::Format, "a text that is not hexadecimal");
                unhex(digits).map(Datum::Bytes).ok_or(refused)
            }
            Cell::Text(text) => Ok(Datum::Bytes(text.into_bytes())),
            _ => Err((Reason::Type, "a number in a column of bytes")),
        },
        Kind::Date => {
            let (moment, name) = moment(how, &cell)?;
            *found = name;
            let date = moment.date.ok_or((Reason::Format, "a time without a date"))?;
            if moment.time.unwrap_or(0) != 0 && !how.truncate {
                return Err((Reason::Type, "a time of day in a column of dates"));
            }
            Ok(Datum::Date(date))
        }
        Kind::Time(digits) => {
            let Cell::Text(text) = &cell else {
                return Err((Reason::Type, "a number or bytes in a column of times"));
            };
            let micros = dates::read_clock(text.trim())
                .or_else(|| {
                    Some(dates::read(text.trim(), &how.dates)?.0)
                        .filter(|m| m.date.is_none())?
                        .time
                })
                .ok_or((Reason::Format, "a text in no known format of times"))?;
            let micros = rounded(micros, *digits);
            let time =
                TimeOfDay::from_micros(micros).ok_or((Reason::Range, "a time behind the end of its day"))?;
            Ok(Datum::Time(time))
        }
        Kind::Local(digits) | Kind::Instant(digits) => {
            let (moment, name) = moment(how, &cell)?;
            *found = name;
            let micros = match kind {
                Kind::Local(_) if moment.offset.is_none() => moment.local(),
                _ => moment.instant(how.zone),
            };
            let refused = (Reason::Range, "a time outside of the years 1 to 9999");
            let instant = Timestamp::from_micros(rounded(micros.ok_or(refused)?, *digits));
            let written = instant.to_fixed().ok_or(refused)?;
            if written.starts_with("0000") {
                return Err(refused);
            }
            Ok(match kind {
                Kind::Local(_) => Datum::Local(LocalTimestamp::from_micros(instant.micros())),
                _ => Datum::Instant(instant),
            })
        }
        Kind::Uuid => uuid(&cell).map(Datum::Uuid),
        Kind::Json | Kind::Jsonb => json(cell, *kind == Kind::Jsonb).map(Datum::Json),
        Kind::Enum(labels) => {
            let label = text(cell, None)?;
            match labels.contains(&label) {
                true => Ok(Datum::Text(label)),
                false => Err((Reason::Label, "a text that is no label of the enum")),
            }
        }
        Kind::Read | Kind::Verbatim => text(cell, None).map(Datum::Text),
        Kind::Stored => Ok(Datum::Stored(cell)),
    }
}

fn bool(how: &How, cell: &Cell) -> Result<bool, Refused> {
    const YES: [&str; 6] = ["1", "t", "true", "y", "yes", "on"];
    const NO: [&str; 6] = ["0", "f", "false", "n", "no", "off"];
    let refused = (Reason::Boolean, "neither true nor false");
    match cell {
        Cell::Int(1) => Ok(true),
        Cell::Int(0) => Ok(false),
        Cell::Real(v) if *v == 1.0 => Ok(true),
        Cell::Real(v) if *v == 0.0 => Ok(false),
        Cell::Text(text) => {
            let word = text.trim().to_lowercase();
            let among = |own: &[String], known: &[&str]| {
                own.iter().any(|w| w.to_lowercase() == word) || known.contains(&word.as_str())
            };
            match () {
                () if among(&how.yes, &YES) => Ok(true),
                () if among(&how.no, &NO) => Ok(false),
                () => Err(refused),
            }
        }
        _ => Err(refused),
    }
}

fn int(bits: u8, how: &How, cell: &Cell, found: &mut Found) -> Result<i64, Refused> {
    let value = match cell {
        Cell::Int(v) => *v,
        Cell::Real(v) if v.is_finite() && v.abs() < 9_007_199_254_740_992.0 => {
            if v.fract() != 0.0 && !how.round {
                return Err((Reason::Type, "a number with a fraction in a column of integers"));
            }
            v.round() as i64
        }
        Cell::Real(_) => return Err((Reason::Range, "a number too great to be exact")),
        Cell::Text(text) => {
            let bare = text.trim();
            let digits = bare.strip_prefix(['+', '-']).unwrap_or(bare);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err((Reason::Type, "a text that is no integer"));
            }
            *found = "text with an integer".into();
            bare.parse()
                .map_err(|_| (Reason::Range, "an integer of more than 64 bits"))?
        }
        _ => return Err((Reason::Type, "bytes in a column of integers")),
    };
    let fits = match bits {
        16 => i16::try_from(value).is_ok(),
        32 => i32::try_from(value).is_ok(),
        _ => true,
    };
    match fits {
        true => Ok(value),
        false => Err((Reason::Range, "an integer too great for the column")),
    }
}

fn float(cell: &Cell, found: &mut Found) -> Result<f64, Refused> {
    match cell {
        Cell::Real(v) => Ok(*v),
        Cell::Int(v) if v.unsigned_abs() <= 1 << 53 => Ok(*v as f64),
        Cell::Int(_) => Err((Reason::Range, "an integer that is not exact as a float")),
        Cell::Text(text) => {
            let refused = (Reason::Type, "a text that is no number");
            // Rust reads words as well: inf, infinity, nan
            let number: f64 = text.trim().parse().map_err(|_| refused)?;
            *found = "text with a number".into();
            Ok(number)
        }
        _ => Err((Reason::Type, "bytes in a column of numbers")),
    }
}

fn decimal(bounds: Option<(u32, u32)>, how: &How, cell: &Cell, found: &mut Found) -> Result<String, Refused> {
    let (digits, is_float) = match cell {
        Cell::Int(v) => match how.scaled {
            Some(scale) => (shifted(*v, scale), false),
            None => (v.to_string(), false),
        },
        Cell::Real(v) if !v.is_finite() => return Err((Reason::Range, "an infinite number")),
        Cell::Real(v) => (plain_float(*v), true),
        Cell::Text(text) => {
            let plain = plain_decimal(text.trim()).ok_or((Reason::Type, "a text that is no number"))?;
            *found = "text with a number".into();
            (plain, false)
        }
        _ => return Err((Reason::Type, "bytes in a column of numbers")),
    };
    let Some((precision, scale)) = bounds else {
        return Ok(digits);
    };
    let fraction = digits.split_once('.').map_or(0, |(_, f)| f.len());
    let digits = match fraction > scale as usize {
        false => digits,
        // a float carries fifteen digits; those behind them are noise
        true if is_float => {
            let Cell::Real(v) = cell else { return Ok(digits) };
            let short = plain_decimal(&format!("{v:.14e}")).unwrap_or(digits);
            match short.split_once('.').map_or(0, |(_, f)| f.len()) > scale as usize {
                true if how.round => round_decimal(&short, scale as usize),
                true => {
                    return Err((
                        Reason::Decimal,
                        "more digits behind the point than the column holds",
                    ));
                }
                false => short,
            }
        }
        true if how.round => round_decimal(&digits, scale as usize),
        true => {
            return Err((
                Reason::Decimal,
                "more digits behind the point than the column holds",
            ));
        }
    };
    let whole = digits
        .trim_start_matches('-')
        .split('.')
        .next()
        .unwrap_or_default();
    let whole = whole.trim_start_matches('0').len();
    match whole > precision.saturating_sub(scale) as usize {
        true => Err((Reason::Range, "a number too great for the column")),
        false => Ok(digits),
    }
}

/// An integer with a point before its last digits.
fn shifted(value: i64, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!(
        "{:0>width$}",
        value.unsigned_abs(),
        width = usize::from(scale) + 1
    );
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    normal(sign, whole, fraction)
}

/// The shortest digits that mean this float.
fn plain_float(v: f64) -> String {
    plain_decimal(&format!("{v}")).unwrap_or_else(|| "0".to_owned())
}

/// A number as people write it, with an exponent or without, as plain digits.
fn plain_decimal(text: &str) -> Option<String> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok().filter(|e| e.abs() <= 2000)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty()
        || !digits(whole)
        || !digits(fraction)
        || mantissa.len() > 20_000
    {
        return None;
    }
    if exponent == 0 {
        return Some(normal(sign, whole, fraction));
    }
    let all = format!("{whole}{fraction}");
    let point = whole.len() as i64 + i64::from(exponent);
    let (whole, fraction) = match point {
        p if p <= 0 => (
            "0".to_owned(),
            format!("{}{all}", "0".repeat(p.unsigned_abs() as usize)),
        ),
        p if p as usize >= all.len() => (
            format!("{all}{}", "0".repeat(p as usize - all.len())),
            String::new(),
        ),
        p => (all[..p as usize].to_owned(), all[p as usize..].to_owned()),
    };
    Some(normal(sign, &whole, &fraction))
}

fn normal(sign: &str, whole: &str, fraction: &str) -> String {
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    match fraction.trim_end_matches('0') {
        "" if whole == "0" => "0".to_owned(),
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// Half away from zero, as PostgreSQL rounds.
fn round_decimal(digits: &str, scale: usize) -> String {
    let (sign, bare) = match digits.strip_prefix('-') {
        Some(bare) => ("-", bare),
        None => ("", digits),
    };
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let up = fraction.as_bytes().get(scale).is_some_and(|d| *d >= b'5');
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(scale)).collect();
    if up {
        let mut i = kept.len();
        loop {
            match i.checked_sub(1) {
                None => {
                    kept.insert(0, b'1');
                    break;
                }
                Some(at) if kept[at] == b'9' => {
                    kept[at] = b'0';
                    i = at;
                }
                Some(at) => {
                    kept[at] += 1;
                    break;
                }
            }
        }
    }
    let kept: String = kept.into_iter().map(char::from).collect();
    let (whole, fraction) = kept.split_at(kept.len() - scale.min(fraction.len()));
    normal(sign, whole, fraction)
}

fn text(cell: Cell, most: Option<usize>) -> Result<String, Refused> {
    let text = match cell {
        Cell::Text(text) => text,
        Cell::Int(v) => v.to_string(),
        Cell::Real(v) => format!("{v:?}"),
        _ => return Err((Reason::Type, "bytes in a column of texts")),
    };
    if text.contains('\0') {
        return Err((Reason::Nul, "a text with the character NUL"));
    }
    match most.is_some_and(|most| text.len() > most && text.chars().count() > most) {
        true => Err((Reason::Length, "a text longer than the column")),
        false => Ok(text),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}

fn uuid(cell: &Cell) -> Result<[u8; 16], Refused> {
    let refused = (Reason::Format, "no UUID");
    match cell {
        Cell::Blob(bytes) => bytes.as_slice().try_into().map_err(|_| refused),
        Cell::Text(text) => {
            let bare = text.trim();
            let bare = bare.strip_prefix("urn:uuid:").unwrap_or(bare);
            let bare = bare
                .strip_prefix('{')
                .and_then(|b| b.strip_suffix('}'))
                .unwrap_or(bare);
            let digits: String = bare.chars().filter(|c| *c != '-').collect();
            let hyphens = bare.len() - digits.len();
            if hyphens != 0 && hyphens != 4 {
                return Err(refused);
            }
            unhex(&digits)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(refused)
        }
        _ => Err(refused),
    }
}

fn json(cell: Cell, binary: bool) -> Result<String, Refused> {
    let text = match cell {
        Cell::Text(text) => text,
        // the affinity of a column called JSON makes numbers of their texts
        Cell::Int(v) => v.to_string(),
        Cell::Real(v) if v.is_finite() => format!("{v:?}"),
        _ => return Err((Reason::Json, "no JSON")),
    };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| (Reason::Json, "a text that is no JSON"))?;
    if binary && has_nul(&value) {
        return Err((Reason::Nul, "JSON with the character NUL"));
    }
    Ok(text)
}

fn has_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(s) => s.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(k, v)| k.contains('\0') || has_nul(v)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A date or time, and the name of its format.
fn moment(how: &How, cell: &Cell) -> Result<(dates::Moment, Found), Refused> {
    let refused = (Reason::Format, "a text in no known format of dates");
    let range = (Reason::Range, "a number too great for a time");
    match cell {
        Cell::Text(text) => {
            let bare = text.trim();
            if let Some(unit) = how.epoch
                && let Ok(number) = bare.parse::<i64>()
            {
                let (moment, name) = since_1970(number, unit).ok_or(range)?;
                return Ok((moment, name.into()));
            }
            dates::read(bare, &how.dates).ok_or(refused)
        }
        Cell::Int(v) => {
            let (moment, name) = since_1970(*v, how.epoch.unwrap_or(Unit::Seconds)).ok_or(range)?;
            Ok((moment, name.into()))
        }
        Cell::Real(v) => match how.epoch {
            Some(unit) => {
                let micros = v * match unit {
                    Unit::Seconds => 1e6,
                    Unit::Millis => 1e3,
                    Unit::Micros => 1.0,
                };
                let moment = of_micros(in_range(micros).ok_or(range)?);
                Ok((moment, name_of_unit(unit).into()))
            }
            None => {
                // as exact as SQLite itself is: to the millisecond
                let millis = ((v - 2_440_587.5) * 86_400_000.0).round();
                let moment = of_micros(in_range(millis * 1000.0).ok_or(range)?);
                Ok((moment, "julian day".into()))
            }
        },
        _ => Err((Reason::Type, "bytes in a column of dates")),
    }
}

fn name_of_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds since 1970",
        Unit::Millis => "milliseconds since 1970",
        Unit::Micros => "microseconds since 1970",
    }
}

fn since_1970(number: i64, unit: Unit) -> Option<(dates::Moment, &'static str)> {
    let factor = match unit {
        Unit::Seconds => 1_000_000,
        Unit::Millis => 1_000,
        Unit::Micros => 1,
    };
    let micros = number.checked_mul(factor)?;
    Some((
        of_micros(in_range(micros as f64).map(|_| micros)?),
        name_of_unit(unit),
    ))
}

/// Within what a date can be made of.
fn in_range(micros: f64) -> Option<i64> {
    (micros.abs() < 9e18 / 16.0).then_some(micros as i64)
}

fn of_micros(micros: i64) -> dates::Moment {
    const DAY: i64 = 86_400_000_000;
    let days = i32::try_from(micros.div_euclid(DAY)).unwrap_or_default();
    dates::Moment {
        date: Some(Date::from_days(days)),
        time: Some(micros.rem_euclid(DAY)),
        offset: Some(0),
    }
}

/// To so many digits behind the second, half up.
fn rounded(micros: i64, digits: u8) -> i64 {
    let unit = 10_i64.pow(6_u32.saturating_sub(u32::from(digits)));
    match unit {
        1 => micros,
        unit => (micros + unit / 2).div_euclid(unit) * unit,
    }
}

#[cfg(test)]
mod tests;
