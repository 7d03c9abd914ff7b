//! Values to bindings, cells to values. Both matches are exhaustive: a new type does not compile until it is mapped.

use orm_core::error::{Error, Result};
use orm_core::value::{
    Cells, Date, DecimalParts, Element, Interval, LocalTimestamp, TimeOfDay, Timestamp, Type, Value,
    array_text, decimal_text, parse_array, parse_decimal, parse_range, range_text,
};

use crate::raw::{self, RowRef, Stored};

/// What SQLite stores for a value.
#[derive(Debug, PartialEq)]
pub(crate) enum Bound<'v> {
    Null,
    Integer(i64),
    Float(f64),
    Text(&'v str),
    Blob(&'v [u8]),
    /// A text that was made for binding.
    Owned(String),
    /// The text of an instant, still to be written: so many bytes of it.
    Instant(Timestamp, usize),
}

impl<'v> Bound<'v> {
    /// The storage of a value; what cannot be stored without loss is refused.
    #[inline(always)]
    pub(crate) fn of(value: &'v Value) -> Result<Bound<'v>> {
        Ok(match value {
            Value::Null(_) => Bound::Null,
            Value::Bool(v) => Bound::Integer(i64::from(*v)),
            Value::I16(v) => Bound::Integer(i64::from(*v)),
            Value::I32(v) => Bound::Integer(i64::from(*v)),
            Value::I64(v) => Bound::Integer(*v),
            Value::F32(v) => float(f64::from(*v))?,
            Value::F64(v) => float(*v)?,
            Value::Text(v) => text(v)?,
            Value::Str(v) => text(v)?,
            Value::Json(v) => text(v)?,
            Value::Enum(_, label) => text(label)?,
            Value::Bytes(v) => Bound::Blob(v),
            Value::Uuid(v) => Bound::Blob(v),
            Value::Timestamp(v) => instant(*v, 27)?,
            // the same text but for the zone at its end
            Value::LocalTimestamp(v) => instant(Timestamp::from_micros(v.micros()), 26)?,
            Value::Date(v) => Bound::Owned(v.to_fixed().ok_or_else(year)?),
            Value::Time(v) => Bound::Owned(v.to_fixed()),
            Value::Decimal(v) => Bound::Owned(decimal_text(*v)),
            Value::Interval(v) => Bound::Owned(v.to_string()),
            Value::Range(_, v) => Bound::Owned(range_text(v)?),
            Value::Other(other, v) => match other.portable {
                true => text(v)?,
                false => return Err(Error::unsupported(other.name, "sqlite")),
            },
            Value::Array(_, items) => Bound::Owned(array_text(items)?),
            Value::Refused(why) => return Err(Error::encode(*why)),
        })
    }
}

impl Bound<'_> {
    /// How many bytes are not copied.
    #[inline(always)]
    pub(crate) fn borrowed(&self) -> usize {
        match self {
            Bound::Text(v) => v.len(),
            Bound::Blob(v) => v.len(),
            _ => 0,
        }
    }
}

#[inline(always)]
fn instant(v: Timestamp, length: usize) -> Result<Bound<'static>> {
    if v.has_fixed() {
        Ok(Bound::Instant(v, length))
    } else {
        Err(year())
    }
}

fn float(v: f64) -> Result<Bound<'static>> {
    if v.is_nan() {
        return Err(Error::encode("NaN cannot be stored: SQLite would store NULL"));
    }
    Ok(Bound::Float(v))
}

#[inline(always)]
fn text(v: &str) -> Result<Bound<'_>> {
    if has_nul(v.as_bytes()) {
        return Err(nul());
    }
    Ok(Bound::Text(v))
}

/// Sixteen bytes at a time, or eight: texts are mostly too short for the standard library's search to take its stride.
fn has_nul(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return has_nul_short(text);
    };
    let (blocks, _) = text.as_chunks();
    // without an early end: each block is one comparison
    let zeros = |block: &[u8; 16]| block.iter().fold(false, |found, b| found | (*b == 0));
    blocks
        .iter()
        .fold(zeros(last), |found, block| found | zeros(block))
}

fn has_nul_short(text: &[u8]) -> bool {
    // the highest bit of every byte that is zero, and perhaps of others above one
    let zeros = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
    };
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => zeros(first) | zeros(last) != 0,
        _ => text.contains(&0),
    }
}

#[cold]
fn nul() -> Error {
    Error::encode("text with a NUL character cannot be stored")
}

#[cold]
pub(crate) fn year() -> Error {
    Error::encode("the year lies outside 0 to 9999, which is all that is stored")
}

/// A row with its cells as SQLite stores them: one that a statement stands on, or one that sqlx fetched.
pub(crate) trait StoredRow<'r> {
    /// What a cell holds; `None` beyond the last.
    fn cell(&self, i: usize) -> Option<Stored<'r>>;
    /// Whether a cell is NULL, as is one beyond the last.
    fn is_null(&self, i: usize) -> bool {
        matches!(self.cell(i), None | Some(Stored::Null))
    }
    /// How many cells there are.
    fn len(&self) -> usize;
    /// The position of the column of this name.
    fn position(&self, name: &str) -> Option<usize>;
}

impl<'r> StoredRow<'r> for RowRef<'r> {
    #[inline]
    fn cell(&self, i: usize) -> Option<Stored<'r>> {
        RowRef::cell(self, i)
    }
    #[inline]
    fn is_null(&self, i: usize) -> bool {
        RowRef::is_null(self, i)
    }
    fn len(&self) -> usize {
        RowRef::len(self)
    }
    fn position(&self, name: &str) -> Option<usize> {
        RowRef::position(self, name)
    }
}

/// One row as the core reads it.
pub(crate) struct View<'r, R> {
    pub(crate) row: R,
    /// The types of the columns as far as they are known.
    pub(crate) types: &'r [Type],
}

impl<'r, R: StoredRow<'r>> View<'r, R> {
    #[inline]
    fn cell(&self, i: usize) -> Result<Stored<'r>> {
        self.row.cell(i).ok_or_else(|| no_column(i, self.row.len()))
    }
    #[inline]
    fn utf8(&self, i: usize, wanted: &str) -> Result<Option<&'r str>> {
        match self.cell(i)? {
            Stored::Text(bytes) => valid(i, bytes).map(Some),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, wanted)),
        }
    }
    fn parsed<T>(&self, i: usize, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
        match self.utf8(i, wanted)? {
            None => Ok(None),
            Some(s) => parse(s).map(Some).ok_or_else(|| unreadable(i, wanted)),
        }
    }
    /// A decimal; its column's scale says where the point of an integer stands.
    fn scaled(&self, i: usize, scale: Option<u8>) -> Result<Option<DecimalParts>> {
        match self.cell(i)? {
            Stored::Integer(v) => Ok(Some(DecimalParts {
                mantissa: i128::from(v),
                scale: u32::from(scale.ok_or_else(|| unscaled(i))?),
            })),
            Stored::Text(_) => self.parsed(i, "a decimal number", parse_decimal),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "an exact number")),
        }
    }
    /// An instant: the form that is stored here read at once, others through `parse`.
    #[inline]
    fn instant<T>(
        &self,
        i: usize,
        wanted: &str,
        zone: &[u8],
        from_micros: fn(i64) -> T,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.cell(i)? {
            Stored::Text(bytes) => match fixed_instant(bytes, zone) {
                Some(micros) => Ok(Some(from_micros(micros))),
                None => parse(valid(i, bytes)?)
                    .map(Some)
                    .ok_or_else(|| unreadable(i, wanted)),
            },
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, wanted)),
        }
    }
}

#[inline]
fn valid(i: usize, bytes: &[u8]) -> Result<&str> {
    raw::utf8(bytes).ok_or_else(|| Error::decode(format!("column {i} holds text that is not valid UTF-8")))
}

#[cold]
fn unscaled(i: usize) -> Error {
    Error::decode(format!(
        "column {i} holds an integer, and nothing tells its scale as a decimal: read it as an integer, or into a model"
    ))
}

#[cold]
fn no_column(i: usize, columns: usize) -> Error {
    Error::decode(format!("the row has {columns} columns, column {i} was asked for"))
}

#[cold]
fn unreadable(i: usize, wanted: &str) -> Error {
    Error::decode(format!("column {i} holds text that is not {wanted}"))
}

#[cold]
fn mismatch(i: usize, found: Stored<'_>, wanted: &str) -> Error {
    let found = match found {
        Stored::Null => "NULL",
        Stored::Integer(_) => "an INTEGER",
        Stored::Float(_) => "a REAL",
        Stored::Text(_) => "a TEXT",
        Stored::Blob(_) => "a BLOB",
    };
    Error::decode(format!("column {i} holds {found} where {wanted} is expected"))
}

impl<'r, R: StoredRow<'r>> Cells for View<'r, R> {
    fn bool(&self, i: usize) -> Result<Option<bool>> {
        match self.cell(i)? {
            Stored::Integer(0) => Ok(Some(false)),
            Stored::Integer(1) => Ok(Some(true)),
            Stored::Integer(_) => Err(Error::decode(format!(
                "column {i} holds an INTEGER that is neither 0 nor 1"
            ))),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "a truth value (0 or 1)")),
        }
    }
    fn i64(&self, i: usize) -> Result<Option<i64>> {
        match self.cell(i)? {
            Stored::Integer(v) => Ok(Some(v)),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "an INTEGER")),
        }
    }
    fn f64(&self, i: usize) -> Result<Option<f64>> {
        match self.cell(i)? {
            Stored::Float(v) => Ok(Some(v)),
            // Exact up to 2^53: `coalesce(x, 0)` gives an integer.
            Stored::Integer(v) if v.unsigned_abs() <= 1 << 53 => Ok(Some(v as f64)),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "a REAL")),
        }
    }
    fn text(&self, i: usize) -> Result<Option<&str>> {
        self.utf8(i, "a TEXT")
    }
    fn bytes(&self, i: usize) -> Result<Option<&[u8]>> {
        match self.cell(i)? {
            Stored::Blob(bytes) => Ok(Some(bytes)),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "a BLOB")),
        }
    }
    fn uuid(&self, i: usize) -> Result<Option<[u8; 16]>> {
        match self.cell(i)? {
            Stored::Blob(bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(v) => Ok(Some(v)),
                Err(_) => Err(Error::decode(format!(
                    "column {i} holds a BLOB that is not 16 bytes long"
                ))),
            },
            Stored::Text(_) => self.parsed(i, "a UUID", parse_uuid),
            Stored::Null => Ok(None),
            found => Err(mismatch(i, found, "a UUID as BLOB of 16 bytes")),
        }
    }
    fn timestamp(&self, i: usize) -> Result<Option<Timestamp>> {
        let wanted = "a time in RFC 3339";
        self.instant(i, wanted, b"Z", Timestamp::from_micros, Timestamp::parse)
    }
    fn local_timestamp(&self, i: usize) -> Result<Option<LocalTimestamp>> {
        let (from_micros, parse) = (LocalTimestamp::from_micros, LocalTimestamp::parse);
        self.instant(i, "a date and time", b"", from_micros, parse)
    }
    fn date(&self, i: usize) -> Result<Option<Date>> {
        self.parsed(i, "a date", Date::parse)
    }
    fn time(&self, i: usize) -> Result<Option<TimeOfDay>> {
        self.parsed(i, "a time of day", TimeOfDay::parse)
    }
    fn json(&self, i: usize) -> Result<Option<&str>> {
        self.utf8(i, "JSON as TEXT")
    }
    fn decimal(&self, i: usize) -> Result<Option<DecimalParts>> {
        let scale = self.types.get(i).map(|ty| match ty {
            Type::Decimal(p, s) if *p > 0 => *s,
            _ => 0,
        });
        self.scaled(i, scale)
    }
    fn decimal_of(&self, i: usize, ty: Type) -> Result<Option<DecimalParts>> {
        let scale = match ty {
            Type::Decimal(p, s) if p > 0 => Some(s),
            _ => None,
        };
        self.scaled(i, scale)
    }
    fn value(&self, i: usize, ty: Type) -> Result<Option<Value>> {
        match ty {
            Type::Interval => self.parsed(i, "an interval", |s| Interval::parse(s).map(Value::Interval)),
            Type::Range(of) => self.parsed(i, "a range", |s| Some(Value::Range(of, parse_range(s, of)?))),
            Type::Other(other) => {
                let text = self.utf8(i, other.name)?;
                Ok(text.map(|s| Value::Other(other, s.into())))
            }
            _ => Err(Error::decode(format!(
                "column {i} is read as a type with a getter of its own"
            ))),
        }
    }
    fn array(&self, i: usize, element: Element) -> Result<Option<Vec<Value>>> {
        self.parsed(i, "an array as JSON", |s| parse_array(s, element))
    }
    fn len(&self) -> usize {
        self.row.len()
    }
    fn position(&self, name: &str) -> Option<usize> {
        self.row.position(name)
    }
    fn is_null(&self, i: usize) -> bool {
        self.row.is_null(i)
    }
}

/// `YYYY-MM-DDTHH:MM:SS.ffffff` and the zone, nothing else: the form that is stored here, read without a detour.
fn fixed_instant(b: &[u8], zone: &[u8]) -> Option<i64> {
    let (b, rest) = b.split_first_chunk::<26>()?;
    let separators = [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
    ];
    if rest != zone || separators.iter().any(|&(at, c)| b[at] != c) {
        return None;
    }
    // all digits are checked at once: a byte that is none leaves its mark in `bad`
    let mut bad = false;
    let mut two = |at: usize| {
        let (tens, ones) = (b[at].wrapping_sub(b'0'), b[at + 1].wrapping_sub(b'0'));
        bad |= (tens > 9) | (ones > 9);
        u32::from(tens) * 10 + u32::from(ones)
    };
    let year = two(0) * 100 + two(2);
    let (month, day) = (two(5), two(8));
    let (h, m, s) = (two(11), two(14), two(17));
    let micros = (two(20) * 100 + two(22)) * 100 + two(24);
    if bad || h > 23 || m > 59 || s > 59 {
        return None;
    }
    let date = Date::from_ymd(year as i32, month, day)?;
    let seconds = i64::from(date.days()) * 86_400 + i64::from((h * 60 + m) * 60 + s);
    Some(seconds * 1_000_000 + i64::from(micros))
}

fn parse_uuid(s: &str) -> Option<[u8; 16]> {
    let b = s.as_bytes();
    if b.len() != 36 || [8, 13, 18, 23].iter().any(|&i| b[i] != b'-') {
        return None;
    }
    let mut digits = b
        .iter()
        .enumerate()
        .filter(|(i, _)| ![8, 13, 18, 23].contains(i))
        .map(|(_, c)| *c);
    let mut out = [0; 16];
    for byte in &mut out {
        let (high, low) = (digits.next()?, digits.next()?);
        *byte = ((char::from(high).to_digit(16)? << 4) | char::from(low).to_digit(16)?) as u8;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use orm_core::error::ErrorKind;
    use orm_core::value::{Timestamp, Type, Value};

    use crate::types::{Bound, fixed_instant, has_nul, parse_uuid};

    #[test]
    fn the_fast_clock_agrees_with_the_slow_one() {
        for i in 0..20_000i64 {
            let t = Timestamp::from_micros(-62_167_219_200_000_000 + i * 15_778_476_001_373);
            let text = t.to_fixed().unwrap();
            assert_eq!(fixed_instant(text.as_bytes(), b"Z"), Some(t.micros()), "{text}");
        }
        for other in [
            "2026-01-02T03:04:05Z",
            "2026-13-02T03:04:05.000000Z",
            "2026-01-02T03:04:05.00000xZ",
        ] {
            assert_eq!(fixed_instant(other.as_bytes(), b"Z"), None);
        }
    }
    #[test]
    fn what_cannot_be_kept_is_refused() {
        for value in [
            Value::F64(f64::NAN),
            Value::F32(f32::NAN),
            Value::Text("a\0b".into()),
            Value::Str("\0"),
            Value::Refused("too large"),
            Value::Timestamp(Timestamp::from_micros(i64::MAX)),
        ] {
            assert_eq!(Bound::of(&value).unwrap_err().kind(), ErrorKind::Encode);
        }
        assert_eq!(
            Bound::of(&Value::F64(f64::INFINITY)).unwrap(),
            Bound::Float(f64::INFINITY)
        );
        assert_eq!(Bound::of(&Value::Null(Type::Text)).unwrap(), Bound::Null);
    }
    #[test]
    fn a_nul_is_found_wherever_it_stands() {
        for length in 0..40 {
            let text = "é\u{1}\u{80}\u{7f}x".repeat(8);
            let text = &text.as_bytes()[..length];
            assert!(!has_nul(text), "{length}");
            for at in 0..length {
                let mut text = text.to_vec();
                text[at] = 0;
                assert!(has_nul(&text), "{at} of {length}");
            }
        }
    }
    #[test]
    fn uuids_as_text() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(parse_uuid(text).unwrap()[..4], [0x67, 0xe5, 0x50, 0x44]);
        assert_eq!(parse_uuid(&text.to_uppercase()), parse_uuid(text));
        assert_eq!(parse_uuid("67e55044-10b1-426f-9247-bb680e5fe0c"), None);
        assert_eq!(parse_uuid("67e5504410b1-426f-9247-bb680e5fe0c8-"), None);
    }
}
