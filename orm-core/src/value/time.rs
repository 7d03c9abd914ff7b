//! Instants, dates and times as plain microseconds and days, with a fixed text form for backends without such types.
//!
//! `chrono` and friends convert from and to these; nothing here knows a calendar library.

use std::fmt;

/// An instant: microseconds since 1970-01-01T00:00:00Z. What `created_at` and the other shadow columns hold.
///
/// ```
/// use orm_core::value::Timestamp;
/// assert_eq!(Timestamp::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);
/// A date and time of day without zone: microseconds since 1970-01-01T00:00:00 on that same unknown clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LocalTimestamp(i64);
/// A calendar date: days since 1970-01-01 in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i32);
/// A time of day: microseconds since midnight, below 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeOfDay(i64);

const DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }
    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// The clock of this machine.
    pub fn now() -> Self {
        use std::time::{SystemTime, UNIX_EPOCH};
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(d) => Timestamp(d.as_micros().min(i64::MAX as u128) as i64),
            Err(e) => Timestamp(-(e.duration().as_micros().min(i64::MAX as u128) as i64)),
        }
    }
    /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`; `None` outside the years 0 to 9999, which the fixed width cannot hold.
    pub fn to_fixed(self) -> Option<String> {
        fixed(self.0).and_then(|text| owned(&text))
    }
    /// As [`to_fixed`](Self::to_fixed), written to where it will lie: ASCII. Without its last byte it is the text of a
    /// [`LocalTimestamp`]. `None`, and nothing written, outside the years 0 to 9999.
    ///
    /// ```
    /// use orm_core::value::Timestamp;
    /// let mut text = [0; 27];
    /// assert!(Timestamp::from_micros(0).write_fixed(&mut text).is_some());
    /// assert_eq!(&text, b"1970-01-01T00:00:00.000000Z");
    /// ```
    pub fn write_fixed(self, text: &mut [u8; 27]) -> Option<()> {
        write_fixed(self.0, text)
    }
    /// Whether [`to_fixed`](Self::to_fixed) has a text for it.
    pub fn has_fixed(self) -> bool {
        (FIRST..=LAST).contains(&self.0)
    }
    /// Reads RFC 3339 with `Z` or an offset and up to nine digits of fraction (rounded down to microseconds).
    pub fn parse(s: &str) -> Option<Self> {
        let (micros, rest) = date_time(s.as_bytes())?;
        let offset = match rest {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = two(*h1, *h2)? * 60 + two(*m1, *m2)?;
                if *sign == b'+' { minutes } else { -minutes }
            }
            _ => return None,
        };
        micros.checked_sub(offset * 60_000_000).map(Timestamp)
    }
}

impl LocalTimestamp {
    /// From microseconds since 1970-01-01T00:00:00.
    pub const fn from_micros(micros: i64) -> Self {
        LocalTimestamp(micros)
    }
    /// Microseconds since 1970-01-01T00:00:00.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// `YYYY-MM-DDTHH:MM:SS.ffffff`; `None` outside the years 0 to 9999.
    pub fn to_fixed(self) -> Option<String> {
        fixed(self.0).and_then(|text| owned(&text[..26]))
    }
    /// Reads `YYYY-MM-DDTHH:MM:SS[.f…]`, with a blank instead of `T` as well.
    pub fn parse(s: &str) -> Option<Self> {
        let (micros, rest) = date_time(s.as_bytes())?;
        rest.is_empty().then_some(LocalTimestamp(micros))
    }
}

impl Date {
    /// From days since 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Date(days)
    }
    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }
    /// From year, month and day; `None` for a day that does not exist.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let days = days_from_civil(year as i64, month, day)?;
        i32::try_from(days).ok().map(Date)
    }
    /// Year, month (1–12) and day (1–31).
    pub fn ymd(self) -> (i32, u32, u32) {
        let (y, m, d) = civil_from_days(self.0 as i64);
        (y as i32, m, d)
    }
    /// `YYYY-MM-DD`; `None` outside the years 0 to 9999.
    pub fn to_fixed(self) -> Option<String> {
        let (y, m, d) = self.ymd();
        (0..=9999).contains(&y).then(|| format!("{y:04}-{m:02}-{d:02}"))
    }
    /// Reads `YYYY-MM-DD`.
    pub fn parse(s: &str) -> Option<Self> {
        let (days, rest) = date(s.as_bytes())?;
        rest.is_empty().then_some(())?;
        i32::try_from(days).ok().map(Date)
    }
}

impl TimeOfDay {
    /// From microseconds since midnight; `None` from 24 hours on or below zero.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros >= 0 && micros < DAY {
            Some(TimeOfDay(micros))
        } else {
            None
        }
    }
    /// Microseconds since midnight.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// `HH:MM:SS.ffffff`.
    pub fn to_fixed(self) -> String {
        self.to_string()
    }
    /// Reads `HH:MM:SS[.f…]`.
    pub fn parse(s: &str) -> Option<Self> {
        let (micros, rest) = clock(s.as_bytes())?;
        rest.is_empty().then_some(TimeOfDay(micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_instant(f, self.0)?;
        f.write_str("Z")
    }
}
impl fmt::Display for LocalTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_instant(f, self.0)
    }
}
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.ymd();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, us) = (self.0 / 1_000_000, self.0 % 1_000_000);
        write!(f, "{:02}:{:02}:{:02}.{us:06}", s / 3600, s / 60 % 60, s % 60)
    }
}

fn write_instant(f: &mut fmt::Formatter<'_>, micros: i64) -> fmt::Result {
    let (y, m, d) = civil_from_days(micros.div_euclid(DAY));
    write!(f, "{y:04}-{m:02}-{d:02}T{}", TimeOfDay(micros.rem_euclid(DAY)))
}

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut n) = ([[b'0'; 2]; 100], 0);
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
};

/// The first moment of the year 0 and the last of the year 9999.
const FIRST: i64 = -62_167_219_200_000_000;
const LAST: i64 = 253_402_300_799_999_999;

fn fixed(micros: i64) -> Option<[u8; 27]> {
    let mut text = [0; 27];
    write_fixed(micros, &mut text).map(|()| text)
}

/// Written by hand rather than by `format!`: a bulk insert writes one per row. Counts from the year 0 on, without a sign
/// and, within the day, in 32 bits, which divides faster.
fn write_fixed(micros: i64, text: &mut [u8; 27]) -> Option<()> {
    if !(FIRST..=LAST).contains(&micros) {
        return None;
    }
    let since = (micros - FIRST) as u64;
    let (y, m, d) = civil_from_year_zero((since / DAY as u64) as u32);
    let t = since % DAY as u64;
    let (s, us) = ((t / 1_000_000) as u32, (t % 1_000_000) as u32);
    let (minutes, hundreds) = (s / 60, us / 100);
    *text = *b"0000-00-00T00:00:00.000000Z";
    let mut two = |at: usize, n: u32| text[at..at + 2].copy_from_slice(&PAIRS[n as usize % 100]);
    two(0, y / 100);
    two(2, y);
    two(5, m);
    two(8, d);
    two(11, minutes / 60);
    two(14, minutes % 60);
    two(17, s % 60);
    two(20, hundreds / 100);
    two(22, hundreds);
    two(24, us);
    Some(())
}

/// Year, month and day of so many days after the first of the year 0, up to the year 9999: by the era of 400 years, years
/// beginning in March (Neri and Schneider, "Euclidean affine functions", 2022).
fn civil_from_year_zero(days: u32) -> (u32, u32, u32) {
    const ERA: u32 = 146_097;
    // the first of March of the year 0 comes after 60 days; one era more, so that no day lies before it
    let n = 4 * (days + ERA - 60) + 3;
    let (century, day_of_century) = (n / ERA, n % ERA / 4);
    let p = u64::from(4 * day_of_century + 3) * 2_939_745;
    let (year, day_of_year) = ((p >> 32) as u32, p as u32 / 2_939_745 / 4);
    let q = 2_141 * day_of_year + 197_913;
    let (month, day) = (q >> 16, (q & 0xffff) / 2_141);
    let next = day_of_year >= 306;
    (
        100 * century + year + u32::from(next) - 400,
        if next { month - 12 } else { month },
        day + 1,
    )
}

fn owned(ascii: &[u8]) -> Option<String> {
    std::str::from_utf8(ascii).ok().map(str::to_owned)
}

/// Days since 1970-01-01 of a proleptic Gregorian date, by the era of 400 years.
fn days_from_civil(y: i64, m: u32, d: u32) -> Option<i64> {
    if !(1..=12).contains(&m) || d < 1 || d > days_in_month(y, m) {
        return None;
    }
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((m as i64 + 9) % 12) + 2) / 5 + d as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Counts from far before any day there is: division of what has no sign is cheaper.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    const ERAS: i64 = 1_000_000;
    let z = (days + 719_468 + ERAS * 146_097) as u64;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    ((yoe + era * 400) as i64 - ERAS * 400 + i64::from(m <= 2), m, d)
}

fn days_in_month(y: i64, m: u32) -> u32 {
    match m {
        4 | 6 | 9 | 11 => 30,
        2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn digit(b: u8) -> Option<i64> {
    b.is_ascii_digit().then(|| (b - b'0') as i64)
}

fn two(a: u8, b: u8) -> Option<i64> {
    Some(digit(a)? * 10 + digit(b)?)
}

fn date(b: &[u8]) -> Option<(i64, &[u8])> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = b else {
        return None;
    };
    let y = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    Some((
        days_from_civil(y, two(*m1, *m2)? as u32, two(*d1, *d2)? as u32)?,
        rest,
    ))
}

fn clock(b: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, tail @ ..] = b else {
        return None;
    };
    let mut rest = tail;
    let (h, m, s) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    let mut micros = 0;
    if let [b'.', tail @ ..] = rest {
        let n = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        if n == 0 || n > 9 {
            return None;
        }
        let digits = tail[..n].iter().map(|b| i64::from(b - b'0')).chain([0; 6]);
        micros = digits.take(6).fold(0, |all, digit| all * 10 + digit);
        rest = &tail[n..];
    }
    Some((((h * 60 + m) * 60 + s) * 1_000_000 + micros, rest))
}

fn date_time(b: &[u8]) -> Option<(i64, &[u8])> {
    let (days, rest) = date(b)?;
    let [b'T' | b' ' | b't', rest @ ..] = rest else {
        return None;
    };
    let (micros, rest) = clock(rest)?;
    Some((days * DAY + micros, rest))
}

#[cfg(test)]
mod tests {
    use crate::value::{Date, LocalTimestamp, TimeOfDay, Timestamp};

    #[test]
    fn fixed_form_round_trips_over_the_whole_range() {
        let (first, last) = (-62_167_219_200_000_000i64, 253_402_300_799_999_999i64);
        for i in 0..10_000i64 {
            let t = Timestamp::from_micros(first + (last - first) / 10_000 * i + i);
            assert_eq!(Timestamp::parse(&t.to_fixed().unwrap()), Some(t));
            assert_eq!(t.to_fixed().unwrap(), t.to_string());
        }
        assert_eq!(
            Timestamp::from_micros(last).to_fixed().unwrap(),
            "9999-12-31T23:59:59.999999Z"
        );
        assert_eq!(Timestamp::from_micros(last + 1).to_fixed(), None);
        assert_eq!(Timestamp::from_micros(first - 1).to_fixed(), None);
        let (oldest, newest) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert_eq!(oldest.to_string(), "-290308-12-21T19:59:05.224192Z");
        assert_eq!(newest.to_string(), "294247-01-10T04:00:54.775807Z");
    }
    #[test]
    fn every_day_of_eight_centuries() {
        for days in -146_097..146_097 {
            let (y, m, d) = Date::from_days(days).ymd();
            assert_eq!(Date::from_ymd(y, m, d), Some(Date::from_days(days)));
        }
        assert_eq!(Date::from_ymd(2023, 2, 29), None);
        assert_eq!(Date::from_ymd(2024, 2, 29).unwrap().to_string(), "2024-02-29");
    }
    #[test]
    fn offsets_fractions_and_nonsense() {
        let t = Timestamp::parse("2026-01-02T03:04:05+01:30").unwrap();
        assert_eq!(t.to_string(), "2026-01-02T01:34:05.000000Z");
        assert_eq!(
            Timestamp::parse("2026-01-02T03:04:05.1Z").unwrap().micros() % 1_000_000,
            100_000
        );
        for bad in [
            "",
            "infinity",
            "2026-01-02",
            "2026-13-01T00:00:00Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T00:00:60Z",
            "2026-01-02T00:00:00",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
        assert_eq!(
            LocalTimestamp::parse("2026-01-02 00:00:01").unwrap().to_string(),
            "2026-01-02T00:00:01.000000"
        );
        assert_eq!(
            TimeOfDay::parse("23:59:59.999999").unwrap().to_string(),
            "23:59:59.999999"
        );
        assert_eq!(TimeOfDay::from_micros(86_400_000_000), None);
    }
}
