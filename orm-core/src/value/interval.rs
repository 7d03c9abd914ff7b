//! Spans of calendar and clock time.

use std::ops::{Add, Neg};
use std::time::Duration;

/// A span of time that is added to dates and instants: months, days and microseconds, each for itself, because a month
/// has no fixed number of days.
///
/// Months are added first, and the day is at most the last one of the month it leads to (31 January and a month is the
/// last day of February); then days; then time.
///
/// ```
/// use orm_core::value::Interval;
///
/// let span = Interval::months(1) + Interval::days(-3);
/// assert_eq!((span.months, span.days, span.micros), (1, -3, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Calendar months.
    pub months: i32,
    /// Calendar days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl Interval {
    /// So many calendar months.
    pub const fn months(n: i32) -> Self {
        Interval {
            months: n,
            days: 0,
            micros: 0,
        }
    }
    /// So many years of twelve months. More than 178 million are cut to those.
    pub const fn years(n: i32) -> Self {
        Interval::months(n.saturating_mul(12))
    }
    /// So many calendar days.
    pub const fn days(n: i32) -> Self {
        Interval {
            months: 0,
            days: n,
            micros: 0,
        }
    }
    /// So many weeks of seven days. More than 306 million are cut to those.
    pub const fn weeks(n: i32) -> Self {
        Interval::days(n.saturating_mul(7))
    }
    /// So many hours of 3600 seconds.
    pub const fn hours(n: i64) -> Self {
        Interval::seconds(n.saturating_mul(3600))
    }
    /// So many minutes of 60 seconds.
    pub const fn minutes(n: i64) -> Self {
        Interval::seconds(n.saturating_mul(60))
    }
    /// So many seconds. More than 292 thousand years are cut to those, which no database adds to a date.
    pub const fn seconds(n: i64) -> Self {
        Interval::micros(n.saturating_mul(1_000_000))
    }
    /// So many microseconds.
    pub const fn micros(n: i64) -> Self {
        Interval {
            months: 0,
            days: 0,
            micros: n,
        }
    }
}

/// In whole microseconds, cut off. More than 292 thousand years are cut to those.
impl From<Duration> for Interval {
    fn from(d: Duration) -> Self {
        Interval::micros(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }
}
impl Neg for Interval {
    type Output = Interval;
    fn neg(self) -> Interval {
        Interval {
            months: self.months.saturating_neg(),
            days: self.days.saturating_neg(),
            micros: self.micros.saturating_neg(),
        }
    }
}
impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        Interval {
            months: self.months.saturating_add(other.months),
            days: self.days.saturating_add(other.days),
            micros: self.micros.saturating_add(other.micros),
        }
    }
}
