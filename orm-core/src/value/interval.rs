//! Spans of calendar and clock time.

use std::fmt;
use std::ops::{Add, Neg};
use std::time::Duration;

/// A span of time that is added to dates and instants: months, days and microseconds, each for itself, because a month
/// has no fixed number of days.
///
/// Months are added first, and the day is at most the last one of the month it leads to (31 January and a month is the
/// last day of February); then days; then time.
///
/// As a column it is PostgreSQL's `interval`; elsewhere text in the form of ISO 8601. Equal means equal in all three
/// parts here, while PostgreSQL takes 30 days for a month and 24 hours for a day when it compares.
///
/// ```
/// use orm_core::value::Interval;
///
/// let span = Interval::months(1) + Interval::days(-3);
/// assert_eq!((span.months, span.days, span.micros), (1, -3, 0));
/// assert_eq!(span.to_string(), "P1M-3DT0.000000S");
/// assert_eq!(Interval::parse("P1M-3D"), Some(span));
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

const SECOND: i64 = 1_000_000;

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
    /// Reads the form of ISO 8601 with designators, `P1Y2M3DT4H5M6.7S`; weeks too. `None` when it is none or does not
    /// fit.
    pub fn parse(s: &str) -> Option<Self> {
        let rest = s.strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return None,
            None if rest.is_empty() => return None,
            None => (rest, ""),
        };
        let mut out = Interval::default();
        parts(date, |number, unit| {
            let n: i32 = number.parse().ok()?;
            let (target, by) = match unit {
                b'Y' => (&mut out.months, 12),
                b'M' => (&mut out.months, 1),
                b'W' => (&mut out.days, 7),
                b'D' => (&mut out.days, 1),
                _ => return None,
            };
            *target = n.checked_mul(by)?.checked_add(*target)?;
            Some(())
        })?;
        parts(time, |number, unit| {
            let micros = match unit {
                b'H' => number.parse::<i64>().ok()?.checked_mul(3600 * SECOND)?,
                b'M' => number.parse::<i64>().ok()?.checked_mul(60 * SECOND)?,
                b'S' => seconds(number)?,
                _ => return None,
            };
            out.micros = out.micros.checked_add(micros)?;
            Some(())
        })?;
        Some(out)
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

/// The numbers of a text with the letters behind them.
fn parts(mut text: &str, mut part: impl FnMut(&str, u8) -> Option<()>) -> Option<()> {
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, rest) = text.split_at(end);
        part(number, *rest.as_bytes().first()?)?;
        text = rest.get(1..)?;
    }
    Some(())
}

/// `-7.5` as microseconds.
fn seconds(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > 6 {
        return None;
    }
    let fraction: i128 = format!("{fraction:0<6}").parse().ok()?;
    let micros = whole.parse::<i128>().ok()?.checked_mul(SECOND.into())? + fraction;
    i64::try_from(if negative { -micros } else { micros }).ok()
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.micros.unsigned_abs();
        let (sign, one) = (if self.micros < 0 { "-" } else { "" }, SECOND.unsigned_abs());
        let (seconds, rest) = (micros / one, micros % one);
        write!(f, "P{}M{}DT{sign}{seconds}.{rest:06}S", self.months, self.days)
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Interval;

    #[test]
    fn texts_there_and_back() {
        for (months, days, micros) in [
            (0, 0, 0),
            (1, -2, 3),
            (-1, 2, -1),
            (i32::MIN, i32::MAX, i64::MIN),
            (i32::MAX, i32::MIN, i64::MAX),
        ] {
            let span = Interval { months, days, micros };
            assert_eq!(Interval::parse(&span.to_string()), Some(span), "{span}");
        }
        let week = Interval::parse("P1W2DT1H1M").map(|i| (i.days, i.micros));
        assert_eq!(week, Some((9, 3_660_000_000)));
        for bad in [
            "",
            "P",
            "PT",
            "1D",
            "P1",
            "P1X",
            "PT1.1234567S",
            "PT1.S",
            "P99999999999D",
            "PT--1S",
        ] {
            assert_eq!(Interval::parse(bad), None, "{bad}");
        }
    }
}
