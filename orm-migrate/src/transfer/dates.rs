//! Dates and times as people have written them. Pure.

use std::borrow::Cow;

use orm_core::value::Date;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What a text said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Option<Date>,
    /// Microseconds since midnight.
    pub(super) time: Option<i64>,
    /// Seconds east of Greenwich.
    pub(super) offset: Option<i64>,
}

impl Moment {
    /// Microseconds since the epoch, by the clock of the text.
    pub(super) fn local(self) -> Option<i64> {
        let days = i64::from(self.date?.days()).checked_mul(DAY)?;
        days.checked_add(self.time.unwrap_or(0))
    }
    /// Microseconds since the epoch in UTC; `zone` where the text names none.
    pub(super) fn instant(self, zone: i64) -> Option<i64> {
        let offset = self.offset.unwrap_or(zone).checked_mul(SECOND)?;
        self.local()?.checked_sub(offset)
    }
}

/// The forms that are known without a rule, with their names: alone, with a time, with a time and a zone. None in which
/// day and month could be taken for each other.
const KNOWN: [(&str, [&str; 3]); 4] = [
    (
        "%Y-%m-%d",
        ["YYYY-MM-DD", "YYYY-MM-DD hh:mm", "YYYY-MM-DD hh:mm zone"],
    ),
    (
        "%Y/%m/%d",
        ["YYYY/MM/DD", "YYYY/MM/DD hh:mm", "YYYY/MM/DD hh:mm zone"],
    ),
    (
        "%d.%m.%Y",
        ["DD.MM.YYYY", "DD.MM.YYYY hh:mm", "DD.MM.YYYY hh:mm zone"],
    ),
    ("%Y%m%d", ["YYYYMMDD", "YYYYMMDD hh:mm", "YYYYMMDD hh:mm zone"]),
];

/// Reads a text in one of these formats, or else in one of those that are known; gives back the name of what it found.
pub(super) fn read(text: &str, formats: &[String]) -> Option<(Moment, Cow<'static, str>)> {
    for format in formats {
        if let Some((moment, "")) = scan(text, format) {
            return Some((moment, Cow::Owned(format.clone())));
        }
    }
    for (format, names) in KNOWN {
        let Some((mut moment, rest)) = scan(text, format) else {
            continue;
        };
        if rest.is_empty() {
            return Some((moment, names[0].into()));
        }
        let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or_default();
        let Some((time, rest)) = clock(rest.trim_start()) else {
            continue;
        };
        moment.time = Some(time);
        if rest.is_empty() {
            return Some((moment, names[1].into()));
        }
        if let Some((offset, "")) = zone(rest.trim_start()) {
            moment.offset = Some(offset);
            return Some((moment, names[2].into()));
        }
    }
    None
}

/// Reads `hh:mm[:ss[.f]]` and nothing else.
pub(super) fn read_clock(text: &str) -> Option<i64> {
    clock(text).filter(|(_, rest)| rest.is_empty()).map(|(t, _)| t)
}

/// Reads `+hh:mm`, `-hhmm`, `+hh`, `Z`.
pub(super) fn read_zone(text: &str) -> Option<i64> {
    zone(text).filter(|(_, rest)| rest.is_empty()).map(|(z, _)| z)
}

/// Whether a format of a rule has only signs that are known here, and a date or a time.
pub(super) fn is_format(format: &str) -> bool {
    let mut chars = format.chars();
    let mut found = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        match chars.next() {
            Some('Y' | 'y' | 'm' | 'd' | 'e' | 'b' | 'H' | 'I' | 'M' | 'S' | 'f' | 'p' | 'z') => found = true,
            Some('%') => {}
            _ => return false,
        }
    }
    found
}

/// Follows a format as strftime has it; gives back what of the text is left.
fn scan<'t>(text: &'t str, format: &str) -> Option<(Moment, &'t str)> {
    let mut rest = text;
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut hour, mut minute, mut second, mut micros, mut afternoon) = (None, 0, 0, 0, None);
    let mut offset = None;
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let mut number = |least, most| {
            let (n, tail) = digits(rest, least, most)?;
            rest = tail;
            Some(n)
        };
        match chars.next()? {
            'Y' => year = Some(number(4, 4)?),
            'y' => {
                let n = number(2, 2)?;
                year = Some(if n < 70 { 2000 + n } else { 1900 + n });
            }
            'm' => month = Some(number(1, 2)?),
            'd' | 'e' => day = Some(number(1, 2)?),
            'b' => {
                let (n, tail) = month_name(rest)?;
                (month, rest) = (Some(n), tail);
            }
            'H' => hour = Some(number(1, 2)?),
            'I' => {
                hour = Some(number(1, 2)?);
                afternoon.get_or_insert(false);
            }
            'M' => minute = number(2, 2)?,
            'S' => second = number(2, 2)?,
            'f' => {
                let (n, tail) = fraction(rest)?;
                (micros, rest) = (n, tail);
            }
            'p' => {
                let word = rest.get(..2)?;
                afternoon = Some(match () {
                    () if word.eq_ignore_ascii_case("am") => false,
                    () if word.eq_ignore_ascii_case("pm") => true,
                    () => return None,
                });
                rest = rest.get(2..)?;
            }
            'z' => {
                let (n, tail) = zone(rest)?;
                (offset, rest) = (Some(n), tail);
            }
            '%' => rest = rest.strip_prefix('%')?,
            _ => return None,
        }
    }
    let date = match (year, month, day) {
        (None, None, None) => None,
        (Some(y), Some(m), Some(d)) => Some(date(y, m, d)?),
        _ => return None,
    };
    let hour = match (hour, afternoon) {
        (Some(h @ 1..=12), Some(pm)) => Some(h % 12 + if pm { 12 } else { 0 }),
        (Some(_), Some(_)) => return None,
        (h, None) => h,
        (None, Some(_)) => return None,
    };
    let time = match hour {
        Some(h) => Some(time_of(h, minute, second, micros)?),
        None => None,
    };
    Some((Moment { date, time, offset }, rest))
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    if year == 0 {
        return None;
    }
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    Date::from_ymd(i32::try_from(year).ok()?, month, day)
}

fn time_of(hour: i64, minute: i64, second: i64, micros: i64) -> Option<i64> {
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    fits.then(|| ((hour * 60 + minute) * 60 + second) * SECOND + micros)
}

/// `hh:mm[:ss[.f]]`.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = digits(text, 1, 2)?;
    let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (mut second, mut micros) = (0, 0);
    if let Some(tail) = rest.strip_prefix(':') {
        (second, rest) = digits(tail, 2, 2)?;
        if let Some(tail) = rest.strip_prefix(['.', ',']) {
            (micros, rest) = fraction(tail)?;
        }
    }
    Some((time_of(hour, minute, second, micros)?, rest))
}

fn zone(text: &str) -> Option<(i64, &str)> {
    for name in ["UTC", "GMT", "Z"] {
        if let Some(word) = text.get(..name.len())
            && word.eq_ignore_ascii_case(name)
        {
            return Some((0, &text[name.len()..]));
        }
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2, 2)?;
    let tail = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = digits(tail, 2, 2).unwrap_or((0, rest));
    (hours <= 15 && minutes < 60).then_some((sign * (hours * 60 + minutes) * 60, rest))
}

/// A number of so many digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Digits behind a point as microseconds; what is finer is cut off.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let micros = text[..length.min(6)].parse::<i64>().ok()?;
    let missing = 6 - length.min(6) as u32;
    Some((micros * 10_i64.pow(missing), &text[length..]))
}

fn month_name(text: &str) -> Option<(i64, &str)> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let length = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = text[..length].to_ascii_lowercase();
    let found = NAMES
        .iter()
        .position(|n| *n == word || word.len() == 3 && n.starts_with(&word))?;
    Some((found as i64 + 1, &text[length..]))
}

#[cfg(test)]
mod tests {
    use crate::transfer::dates::{is_format, read, read_clock, read_zone};

    fn at(text: &str, formats: &[&str]) -> Option<(String, String)> {
        let formats: Vec<String> = formats.iter().map(|f| (*f).to_owned()).collect();
        let (moment, name) = read(text, &formats)?;
        let instant = orm_core::value::Timestamp::from_micros(moment.instant(0)?);
        Some((instant.to_string(), name.into_owned()))
    }

    #[test]
    fn known_formats() {
        for (text, instant, name) in [
            ("2024-02-29", "2024-02-29T00:00:00.000000Z", "YYYY-MM-DD"),
            ("2024-2-9", "2024-02-09T00:00:00.000000Z", "YYYY-MM-DD"),
            (
                "2024-02-29 07:08",
                "2024-02-29T07:08:00.000000Z",
                "YYYY-MM-DD hh:mm",
            ),
            (
                "2024-02-29T07:08:09.5Z",
                "2024-02-29T07:08:09.500000Z",
                "YYYY-MM-DD hh:mm zone",
            ),
            (
                "2024-02-29 07:08:09.1234567+02:00",
                "2024-02-29T05:08:09.123456Z",
                "YYYY-MM-DD hh:mm zone",
            ),
            (
                "2024-02-29 07:08:09-0530",
                "2024-02-29T12:38:09.000000Z",
                "YYYY-MM-DD hh:mm zone",
            ),
            ("2024/12/01", "2024-12-01T00:00:00.000000Z", "YYYY/MM/DD"),
            (
                "31.12.1999 23:59:59",
                "1999-12-31T23:59:59.000000Z",
                "DD.MM.YYYY hh:mm",
            ),
            ("20240229", "2024-02-29T00:00:00.000000Z", "YYYYMMDD"),
        ] {
            assert_eq!(
                at(text, &[]),
                Some((instant.to_owned(), name.to_owned())),
                "{text}"
            );
        }
        for text in [
            "",
            "soon",
            "2023-02-29",
            "2024-13-01",
            "0000-01-01",
            "2024-02-29 24:00",
            "2024-02-29 07:08 tomorrow",
            "2024-02-29x",
            "02/03/2024",
            "99999-01-01",
        ] {
            assert_eq!(at(text, &[]), None, "{text}");
        }
    }

    #[test]
    fn formats_of_rules() {
        for (text, format, instant) in [
            ("03/04/2024", "%d/%m/%Y", "2024-04-03T00:00:00.000000Z"),
            ("3/4/24", "%m/%d/%y", "2024-03-04T00:00:00.000000Z"),
            (
                "4 Mar 1999, 12:05 am",
                "%d %b %Y, %I:%M %p",
                "1999-03-04T00:05:00.000000Z",
            ),
            (
                "May 1, 1999 1:05 PM",
                "%b %e, %Y %I:%M %p",
                "1999-05-01T13:05:00.000000Z",
            ),
            (
                "19990504131415+0200",
                "%Y%m%d%H%M%S%z",
                "1999-05-04T11:14:15.000000Z",
            ),
        ] {
            assert!(is_format(format));
            assert_eq!(
                at(text, &[format]).map(|f| f.0),
                Some(instant.to_owned()),
                "{text}"
            );
        }
        assert!(!is_format("%Q") && !is_format("day") && !is_format("%"));
        assert_eq!(at("13:00 PM 01.01.2000", &["%I:%M %p %d.%m.%Y"]), None);
    }

    #[test]
    fn clocks_and_zones() {
        assert_eq!(read_clock("7:08"), Some((7 * 60 + 8) * 60 * 1_000_000));
        assert_eq!(read_clock("07:08:09x"), None);
        assert_eq!(read_zone("+02:00"), Some(7200));
        assert_eq!(read_zone("Z"), Some(0));
        assert_eq!(read_zone("+2"), None);
        assert_eq!(read_zone("ü"), None);
    }
}
