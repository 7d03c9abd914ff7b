//! Ranges of numbers, dates and times.

use std::cmp::Ordering;
use std::ops::{Bound, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::error::{Error, Result};
use crate::value::{Cells, Date, LocalTimestamp, RangeOf, RangeValue, Scalar, Timestamp, Type, Value};

/// What ranges are made of.
#[diagnostic::on_unimplemented(
    message = "there are no ranges of `{Self}`",
    note = "ranges are of `i32`, `i64`, decimals, dates, and times with a date"
)]
pub trait RangeItem: Scalar + Clone + PartialOrd {
    /// The kind of range.
    const RANGE: RangeOf;
    /// For types whose values have a next one, that one; `None` for others, and behind the last.
    fn next(&self) -> Option<Self> {
        None
    }
}

macro_rules! items {
    ($($Ty:ty, $of:ident $(, |$v:ident| $next:expr)?;)*) => {$(
        impl RangeItem for $Ty {
            const RANGE: RangeOf = RangeOf::$of;
            $(fn next(&self) -> Option<Self> {
                let $v = *self;
                $next
            })?
        }
    )*};
}
items! {
    i32, I32, |v| v.checked_add(1);
    i64, I64, |v| v.checked_add(1);
    Date, Date, |v| v.days().checked_add(1).map(Date::from_days);
    Timestamp, Timestamp;
    LocalTimestamp, LocalTimestamp;
}
#[cfg(feature = "decimal")]
items! { rust_decimal::Decimal, Decimal; }
#[cfg(feature = "chrono")]
items! {
    chrono::NaiveDate, Date, |v| v.succ_opt();
    chrono::NaiveDateTime, LocalTimestamp;
    chrono::DateTime<chrono::Utc>, Timestamp;
}
#[cfg(feature = "time")]
items! {
    ::time::Date, Date, |v| v.next_day();
    ::time::PrimitiveDateTime, LocalTimestamp;
    ::time::OffsetDateTime, Timestamp;
    ::time::UtcDateTime, Timestamp;
}
#[cfg(feature = "jiff")]
items! {
    ::jiff::civil::Date, Date, |v| v.tomorrow().ok();
    ::jiff::civil::DateTime, LocalTimestamp;
    ::jiff::Timestamp, Timestamp;
}

/// A range of values: PostgreSQL's `int4range`, `numrange`, `tstzrange` and the like; text such as `[1,5)` elsewhere.
///
/// Written as ranges of Rust. As in the database, a range of whole numbers or dates includes its lower bound and not its
/// upper one, so that `1..=4` and `1..5` are equal; a range that holds nothing is the empty range.
///
/// ```
/// use orm_core::value::Range;
/// let week: Range<i32> = (1..=7).into();
/// assert_eq!(week, Range::from(1..8));
/// assert!(week.contains(&7) && !week.contains(&8));
/// assert!(Range::from(3..3).is_empty());
/// assert!(Range::from(5_i64..).contains(&i64::MAX));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range<T>(Option<(Bound<T>, Bound<T>)>);

impl<T: RangeItem> Range<T> {
    /// Holds nothing.
    pub const EMPTY: Self = Range(None);

    /// Between two bounds. A lower bound above the upper one is kept and refused when it is sent.
    pub fn new(lower: Bound<T>, upper: Bound<T>) -> Self {
        if let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
            (&lower, &upper)
        {
            let closed = matches!((&lower, &upper), (Bound::Included(_), Bound::Included(_)));
            match a.partial_cmp(b) {
                Some(Ordering::Equal) if !closed => return Range(None),
                Some(Ordering::Greater) => return Range(Some((lower, upper))),
                _ => {}
            }
        }
        let lower = match lower {
            Bound::Excluded(v) => v.next().map_or(Bound::Excluded(v), Bound::Included),
            other => other,
        };
        let upper = match upper {
            Bound::Included(v) => v.next().map_or(Bound::Included(v), Bound::Excluded),
            other => other,
        };
        match (&lower, &upper) {
            // nothing between neighbours
            (Bound::Included(a), Bound::Excluded(b)) if a == b => Range(None),
            _ => Range(Some((lower, upper))),
        }
    }
    /// Where it begins; `None` when it is empty.
    pub fn lower(&self) -> Option<Bound<&T>> {
        self.0.as_ref().map(|(lower, _)| lower.as_ref())
    }
    /// Where it ends; `None` when it is empty.
    pub fn upper(&self) -> Option<Bound<&T>> {
        self.0.as_ref().map(|(_, upper)| upper.as_ref())
    }
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    /// Whether this value lies in it.
    pub fn contains(&self, value: &T) -> bool {
        let Some((lower, upper)) = &self.0 else {
            return false;
        };
        (match lower {
            Bound::Included(v) => v <= value,
            Bound::Excluded(v) => v < value,
            Bound::Unbounded => true,
        }) && (match upper {
            Bound::Included(v) => value <= v,
            Bound::Excluded(v) => value < v,
            Bound::Unbounded => true,
        })
    }
    /// As a value, or why there is none.
    fn to_value(&self) -> Result<RangeValue, &'static str> {
        let Some((lower, upper)) = self.0.clone() else {
            return Ok(RangeValue::Empty);
        };
        if let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
            (&lower, &upper)
            && a > b
        {
            return Err("the lower bound of a range lies above its upper bound");
        }
        // `new` wrote these otherwise wherever there is a next value
        let last = matches!(upper, Bound::Included(_)) || matches!(lower, Bound::Excluded(_));
        if last && T::RANGE.is_discrete() {
            return Err("no value comes behind the largest: leave that end of the range open");
        }
        let refused = |v: &Value| match v {
            Value::Refused(why) => Some(*why),
            _ => None,
        };
        let (lower, upper) = (lower.map(Scalar::into_value), upper.map(Scalar::into_value));
        match inner(&lower)
            .and_then(refused)
            .or_else(|| inner(&upper).and_then(refused))
        {
            Some(why) => Err(why),
            None => Ok(RangeValue::Between(Box::new((lower, upper)))),
        }
    }
    pub(crate) fn from_value(value: RangeValue) -> Result<Self> {
        let RangeValue::Between(bounds) = value else {
            return Ok(Range(None));
        };
        let (lower, upper) = *bounds;
        Ok(Range::new(bound(lower)?, bound(upper)?))
    }
}

pub(crate) fn inner<T>(bound: &Bound<T>) -> Option<&T> {
    match bound {
        Bound::Included(v) | Bound::Excluded(v) => Some(v),
        Bound::Unbounded => None,
    }
}

fn bound<T: Scalar>(bound: Bound<Value>) -> Result<Bound<T>> {
    let read = |v: Value| {
        let value = T::decode(&crate::value::Held(&[v]), 0)?;
        value.ok_or_else(|| Error::decode("a range is bounded by NULL"))
    };
    Ok(match bound {
        Bound::Included(v) => Bound::Included(read(v)?),
        Bound::Excluded(v) => Bound::Excluded(read(v)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

macro_rules! from {
    ($($Range:ty, |$r:ident| $bounds:expr;)*) => {$(
        impl<T: RangeItem> From<$Range> for Range<T> {
            fn from($r: $Range) -> Self {
                let (lower, upper) = $bounds;
                Range::new(lower, upper)
            }
        }
    )*};
}
from! {
    std::ops::Range<T>, |r| match r.start.partial_cmp(&r.end) {
        // empty in Rust
        Some(Ordering::Greater) => (Bound::Excluded(r.end.clone()), Bound::Excluded(r.end)),
        _ => (Bound::Included(r.start), Bound::Excluded(r.end)),
    };
    RangeInclusive<T>, |r| match r.start().partial_cmp(r.end()) {
        Some(Ordering::Greater) => (Bound::Excluded(r.end().clone()), Bound::Excluded(r.end().clone())),
        _ => (Bound::Included(r.start().clone()), Bound::Included(r.end().clone())),
    };
    RangeFrom<T>, |r| (Bound::Included(r.start), Bound::Unbounded);
    RangeTo<T>, |r| (Bound::Unbounded, Bound::Excluded(r.end));
    RangeToInclusive<T>, |r| (Bound::Unbounded, Bound::Included(r.end));
    RangeFull, |_r| (Bound::Unbounded, Bound::Unbounded);
    (Bound<T>, Bound<T>), |r| r;
}

impl<T: RangeItem> Scalar for Range<T> {
    const TYPE: Type = Type::Range(T::RANGE);
    fn into_value(self) -> Value {
        match self.to_value() {
            Ok(range) => Value::Range(T::RANGE, range),
            Err(why) => Value::Refused(why),
        }
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        match cells.value(i, Self::TYPE)? {
            None => Ok(None),
            Some(Value::Range(_, range)) => Range::from_value(range).map(Some),
            Some(_) => Err(Error::decode("the cell holds no range")),
        }
    }
}
