//! Sets of ranges.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::error::{Error, Result};
use crate::value::range::inner;
use crate::value::{
    ArrayItem, Cells, LocalTimestamp, OtherType, Range, RangeItem, RangeOf, RangeValue, Scalar, Timestamp,
    Type, Value, Wire, parse_range, range_text,
};

// the client library cannot look these types up: statements cast them from and to text
static INT4: OtherType = OtherType::portable("int4multirange", Wire::Cast);
static INT8: OtherType = OtherType::portable("int8multirange", Wire::Cast);
static NUM: OtherType = OtherType::portable("nummultirange", Wire::Cast);
static DATE: OtherType = OtherType::portable("datemultirange", Wire::Cast);
static TSTZ: OtherType = OtherType::portable("tstzmultirange", Wire::Cast);
static TS: OtherType = OtherType::portable("tsmultirange", Wire::Cast);

const fn other(of: RangeOf) -> &'static OtherType {
    match of {
        RangeOf::I32 => &INT4,
        RangeOf::I64 => &INT8,
        RangeOf::Decimal => &NUM,
        RangeOf::Date => &DATE,
        RangeOf::Timestamp => &TSTZ,
        RangeOf::LocalTimestamp => &TS,
    }
}

/// A set of ranges of values: PostgreSQL's `int4multirange`, `datemultirange` and the like; text such as
/// `{[1,3),[5,9)}` elsewhere.
///
/// As in the database, the ranges ascend, none is empty, and those that meet are one.
///
/// ```
/// use orm_core::value::{Multirange, Range};
/// let days: Multirange<i32> = [Range::from(5..9), (1..3).into(), (3..=4).into()].into_iter().collect();
/// assert_eq!(days.ranges(), [Range::from(1..9)]);
/// assert!(days.contains(&4) && !days.contains(&9));
/// ```
///
/// Hand-written SQL reads it as text, `SELECT days::text`: the client library beneath closes a connection that it meets
/// the type on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multirange<T>(Vec<Range<T>>);

impl<T> Default for Multirange<T> {
    fn default() -> Self {
        Multirange(Vec::new())
    }
}

impl<T: RangeItem> Multirange<T> {
    /// The ranges, ascending and apart.
    pub fn ranges(&self) -> &[Range<T>] {
        &self.0
    }
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether this value lies in it.
    pub fn contains(&self, value: &T) -> bool {
        self.0.iter().any(|range| range.contains(value))
    }
}

const YEARS: Value = Value::Refused("a set of ranges holds the years 1 to 9999");

/// Where a range begins, compared: whatever has no beginning is first.
fn starts<T: PartialOrd>(a: &Bound<&T>, b: &Bound<&T>) -> Ordering {
    let (x, y) = match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => return Ordering::Equal,
        (Bound::Unbounded, _) => return Ordering::Less,
        (_, Bound::Unbounded) => return Ordering::Greater,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => (x, y),
    };
    let later = |bound: &Bound<&T>| matches!(bound, Bound::Excluded(_));
    let order = x.partial_cmp(y).unwrap_or(Ordering::Equal);
    order.then(later(a).cmp(&later(b)))
}
/// Where a range ends, compared: whatever has no end is last.
fn ends<T: PartialOrd>(a: &Bound<&T>, b: &Bound<&T>) -> Ordering {
    let (x, y) = match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => return Ordering::Equal,
        (Bound::Unbounded, _) => return Ordering::Greater,
        (_, Bound::Unbounded) => return Ordering::Less,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => (x, y),
    };
    let later = |bound: &Bound<&T>| matches!(bound, Bound::Included(_));
    let order = x.partial_cmp(y).unwrap_or(Ordering::Equal);
    order.then(later(a).cmp(&later(b)))
}
/// Whether nothing lies between the end of one and the beginning of another that begins later.
fn meets<T: PartialOrd>(end: &Bound<&T>, start: &Bound<&T>) -> bool {
    match (end, start) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(x), Bound::Excluded(y)) => y < x,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => y <= x,
    }
}

impl<T: RangeItem> FromIterator<Range<T>> for Multirange<T> {
    fn from_iter<I: IntoIterator<Item = Range<T>>>(ranges: I) -> Self {
        let mut ranges: Vec<Range<T>> = ranges.into_iter().filter(|r| !r.is_empty()).collect();
        ranges.sort_by(|a, b| match (a.lower(), b.lower()) {
            (Some(a), Some(b)) => starts(&a, &b),
            _ => Ordering::Equal,
        });
        let mut out: Vec<Range<T>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            let joined = match (
                out.last().map(|last| (last.lower(), last.upper())),
                range.lower(),
                range.upper(),
            ) {
                (Some((Some(lower), Some(end))), Some(start), Some(upper)) if meets(&end, &start) => {
                    let upper = if ends(&end, &upper) == Ordering::Less {
                        upper
                    } else {
                        end
                    };
                    Some(Range::new(lower.cloned(), upper.cloned()))
                }
                _ => None,
            };
            match (joined, out.last_mut()) {
                (Some(joined), Some(last)) => *last = joined,
                _ => out.push(range),
            }
        }
        Multirange(out)
    }
}
impl<T: RangeItem, const N: usize> From<[Range<T>; N]> for Multirange<T> {
    fn from(ranges: [Range<T>; N]) -> Self {
        ranges.into_iter().collect()
    }
}
impl<T: RangeItem> From<Vec<Range<T>>> for Multirange<T> {
    fn from(ranges: Vec<Range<T>>) -> Self {
        ranges.into_iter().collect()
    }
}

impl<T: RangeItem> Scalar for Multirange<T> {
    const TYPE: Type = Type::Other(other(T::RANGE));
    fn into_value(self) -> Value {
        let mut out = String::from("{");
        for (i, range) in self.0.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            match range.into_value() {
                Value::Range(_, RangeValue::Between(bounds))
                    if before_year_one(&bounds.0) || before_year_one(&bounds.1) =>
                {
                    return YEARS;
                }
                Value::Range(_, range) => match range_text(&range) {
                    Ok(text) => out.push_str(&text),
                    Err(_) => return YEARS,
                },
                refused => return refused,
            }
        }
        out.push('}');
        Value::Other(other(T::RANGE), out.into())
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = crate::value::other::text(cells, i, other(T::RANGE))? else {
            return Ok(None);
        };
        let ranges = parse(&text, T::RANGE)
            .ok_or_else(|| Error::decode("the cell holds no set of ranges that has a counterpart in Rust"))?;
        let ranges = ranges.into_iter().map(Range::from_value);
        ranges.collect::<Result<Self>>().map(Some)
    }
}
impl<T: RangeItem> ArrayItem for Multirange<T> {}

/// `{[1,3),[5,9)}`, as this library writes it or as PostgreSQL does: bounds with a blank in them stand in quotes there.
fn parse(text: &str, of: RangeOf) -> Option<Vec<RangeValue>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut ranges = Vec::new();
    while !rest.is_empty() {
        let end = rest.find([')', ']'])? + 1;
        let plain: String = rest[..end].chars().filter(|c| *c != '"').collect();
        ranges.push(parse_range(&instants(&plain, of), of)?);
        rest = &rest[end..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').filter(|rest| !rest.is_empty())?;
        }
    }
    Some(ranges)
}

/// PostgreSQL writes an instant with a blank and as short an offset as will do, `2024-01-02 03:04:05+00`: as it is here.
pub(crate) fn instants(range: &str, of: RangeOf) -> String {
    if of != RangeOf::Timestamp {
        return range.to_owned();
    }
    let mut out = String::with_capacity(range.len() + 16);
    for (i, bound) in range.split(',').enumerate() {
        if i > 0 {
            out.push(',');
        }
        let text = bound.trim_start_matches(['[', '(']).trim_end_matches([']', ')']);
        match instant(text) {
            Some(instant) => out.push_str(&bound.replace(text, &instant.to_string())),
            None => out.push_str(bound),
        }
    }
    out
}

pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    // the ends of the years 1 to 9999 as other zones have them
    let (text, days) = match (text.strip_suffix(" BC"), text.strip_prefix("10000-01-01")) {
        (Some(before), _) => (format!("0000{}", before.strip_prefix("0001")?), 0),
        (None, Some(clock)) => (format!("9999-12-31{clock}"), 1),
        (None, None) => (text.to_owned(), 0),
    };
    // behind the day, whose parts have the same sign between them
    let sign = text.get(10..)?.find(['+', '-'])? + 10;
    let local = LocalTimestamp::parse(&text[..sign])?;
    let mut seconds = 0;
    for (part, unit) in text[sign + 1..].split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok()? * unit;
    }
    let east = if text[sign..].starts_with('+') {
        seconds
    } else {
        -seconds
    };
    let offset = days * 86_400 - east;
    local
        .micros()
        .checked_add(offset * 1_000_000)
        .map(Timestamp::from_micros)
}

/// Whether the bound lies before the year 1, which PostgreSQL writes in another way than the year 0.
fn before_year_one(bound: &Bound<Value>) -> bool {
    match inner(bound) {
        Some(Value::Date(day)) => day.ymd().0 < 1,
        Some(Value::Timestamp(t)) => t.micros() < YEAR_ONE,
        Some(Value::LocalTimestamp(t)) => t.micros() < YEAR_ONE,
        _ => false,
    }
}
/// 0001-01-01T00:00:00.
pub(crate) const YEAR_ONE: i64 = -62_135_596_800_000_000;
