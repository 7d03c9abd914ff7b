//! What a user says about columns: another type, another name, how values are read.

use std::str::FromStr;

use orm_core::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::transfer::dates;

/// What is known of some columns beyond their types. Made by [`Rule::new`] and the methods behind it, or read from a text
/// as a command line has it:
///
/// ```text
/// <table>.<column> [-> <new name>] [: <type>] [via <conversion>, …]
/// ```
///
/// In the names of table and column `*` stands for any characters. The type is one of the target; `skip` in its place
/// leaves the column out. Where several rules meet a column, the last one that names a type decides it, and their conversions
/// add up.
///
/// ```
/// use orm_migrate::transfer::{Convert, Rule};
/// let said: Rule = "orders.*_at: timestamptz via dates(%d/%m/%Y|%d/%m/%Y %H:%M), zone(+01:00), empty_null".parse()?;
/// let made = Rule::new("orders", "*_at")
///     .to_type("timestamptz")
///     .via(Convert::Dates(vec!["%d/%m/%Y".into(), "%d/%m/%Y %H:%M".into()]))
///     .via(Convert::Zone(3600))
///     .via(Convert::EmptyNull);
/// assert_eq!(said, made);
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) skip: bool,
    pub(super) ty: Option<String>,
    pub(super) name: Option<String>,
    pub(super) via: Vec<Convert>,
}

/// How values are read that are not yet what the target wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Convert {
    /// `empty_null`: a text without any character, or of blanks, is NULL.
    EmptyNull,
    /// `trim`: blanks around a text go.
    Trim,
    /// `bool(ja|nein)`: these words are true and false, beside those that are known: 1/0, true/false, t/f, yes/no, y/n, on/off.
    Bool(String, String),
    /// `dates(%d/%m/%Y|…)`: texts are dates in these formats of strftime (`%Y %y %m %d %e %b %H %I %M %S %f %p %z`), before
    /// those that are known: year, month, day, and `DD.MM.YYYY`.
    Dates(Vec<String>),
    /// `zone(+02:00)`: times without a zone are those of this one, in seconds east of Greenwich. Else they are UTC.
    Zone(i64),
    /// `epoch(ms)`: numbers are times since 1970 in this unit. Else integers are seconds, and floats are days as SQLite's
    /// `julianday` counts them.
    Epoch(Unit),
    /// `scaled(2)`: integers are decimals without their point.
    Scaled(u8),
    /// `round`: digits of a number that the column does not hold are rounded away.
    Round,
    /// `truncate`: the time of day is cut off a date.
    Truncate,
    /// `strip_nul`: the character NUL, which PostgreSQL refuses in texts, goes.
    StripNul,
    /// `latin1`: texts and blobs that are not UTF-8 are ISO 8859-1.
    Latin1,
    /// `hex`: texts of a column of bytes are hexadecimal.
    Hex,
    /// `or_null`: what cannot be read is NULL instead of a reason to leave the row behind. The report counts them.
    OrNull,
}

/// In what numbers count time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// `s`
    Seconds,
    /// `ms`
    Millis,
    /// `us`
    Micros,
}

impl Rule {
    /// For the columns of these names, in the tables of these.
    pub fn new(table: impl Into<String>, column: impl Into<String>) -> Self {
        Rule {
            table: table.into(),
            column: column.into(),
            skip: false,
            ty: None,
            name: None,
            via: Vec::new(),
        }
    }
    /// They have this type in the target.
    pub fn to_type(mut self, ty: impl Into<String>) -> Self {
        self.ty = Some(ty.into());
        self
    }
    /// They have this name in the target.
    pub fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
    /// They stay behind.
    pub fn skip(mut self) -> Self {
        self.skip = true;
        self
    }
    /// Their values are read so.
    pub fn via(mut self, convert: Convert) -> Self {
        self.via.push(convert);
        self
    }
}

impl FromStr for Rule {
    type Err = Error;

    /// # Errors
    /// `Config` that names what is wrong.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |what: &str| Error::config(format!("in the rule `{text}` {what}"));
        let (head, via) = match text.split_once(" via ") {
            Some((head, via)) => (head, Some(via)),
            None => (text, None),
        };
        let (names, ty) = match head.split_once(':') {
            Some((names, ty)) => (names, Some(ty.trim())),
            None => (head, None),
        };
        let (from, to) = match names.split_once("->") {
            Some((from, to)) => (from, Some(to.trim())),
            None => (names, None),
        };
        let (table, column) = from
            .trim()
            .rsplit_once('.')
            .filter(|(t, c)| !t.is_empty() && !c.is_empty())
            .ok_or_else(|| wrong("table.column is missing"))?;
        let mut rule = Rule::new(table, column);
        rule.name = to.map(str::to_owned);
        match ty {
            Some("") => return Err(wrong("there is no type behind the colon")),
            Some(ty) if ty.ends_with(" via") => return Err(wrong("there is no conversion behind `via`")),
            Some("skip") => rule.skip = true,
            other => rule.ty = other.map(str::to_owned),
        }
        for word in via.map(split).unwrap_or_default() {
            rule.via.push(convert(word).ok_or_else(|| {
                wrong(&format!(
                    "`{word}` is no conversion, or lacks what stands in its parentheses"
                ))
            })?);
        }
        Ok(rule)
    }
}

/// The parts between commas that stand in no parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn convert(text: &str) -> Option<Convert> {
    let (name, inside) = match text.split_once('(') {
        Some((name, rest)) => (name.trim_end(), Some(rest.strip_suffix(')')?)),
        None => (text, None),
    };
    Some(match (name, inside) {
        ("empty_null", None) => Convert::EmptyNull,
        ("trim", None) => Convert::Trim,
        ("bool", Some(words)) => {
            let (yes, no) = words.split_once('|')?;
            Convert::Bool(yes.trim().to_owned(), no.trim().to_owned())
        }
        ("dates", Some(formats)) => {
            let formats: Vec<String> = formats.split('|').map(|f| f.trim().to_owned()).collect();
            if !formats.iter().all(|f| dates::is_format(f)) {
                return None;
            }
            Convert::Dates(formats)
        }
        ("zone", Some(zone)) => Convert::Zone(dates::read_zone(zone.trim())?),
        ("epoch", Some(unit)) => Convert::Epoch(match unit.trim() {
            "s" => Unit::Seconds,
            "ms" => Unit::Millis,
            "us" => Unit::Micros,
            _ => return None,
        }),
        ("scaled", Some(digits)) => Convert::Scaled(digits.trim().parse().ok().filter(|n| *n <= 18)?),
        ("round", None) => Convert::Round,
        ("truncate", None) => Convert::Truncate,
        ("strip_nul", None) => Convert::StripNul,
        ("latin1", None) => Convert::Latin1,
        ("hex", None) => Convert::Hex,
        ("or_null", None) => Convert::OrNull,
        _ => return None,
    })
}

/// All conversions of a column, taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct How {
    #[serde(default)]
    pub(super) empty_null: bool,
    #[serde(default)]
    pub(super) trim: bool,
    #[serde(default)]
    pub(super) yes: Vec<String>,
    #[serde(default)]
    pub(super) no: Vec<String>,
    #[serde(default)]
    pub(super) dates: Vec<String>,
    #[serde(default)]
    pub(super) zone: i64,
    #[serde(default)]
    pub(super) epoch: Option<Unit>,
    #[serde(default)]
    pub(super) scaled: Option<u8>,
    #[serde(default)]
    pub(super) round: bool,
    #[serde(default)]
    pub(super) truncate: bool,
    #[serde(default)]
    pub(super) strip_nul: bool,
    #[serde(default)]
    pub(super) latin1: bool,
    #[serde(default)]
    pub(super) hex: bool,
    #[serde(default)]
    pub(super) or_null: bool,
}

impl How {
    pub(super) fn add(&mut self, convert: &Convert) {
        match convert {
            Convert::EmptyNull => self.empty_null = true,
            Convert::Trim => self.trim = true,
            Convert::Bool(yes, no) => {
                self.yes.push(yes.clone());
                self.no.push(no.clone());
            }
            Convert::Dates(formats) => self.dates.extend(formats.iter().cloned()),
            Convert::Zone(seconds) => self.zone = *seconds,
            Convert::Epoch(unit) => self.epoch = Some(*unit),
            Convert::Scaled(digits) => self.scaled = Some(*digits),
            Convert::Round => self.round = true,
            Convert::Truncate => self.truncate = true,
            Convert::StripNul => self.strip_nul = true,
            Convert::Latin1 => self.latin1 = true,
            Convert::Hex => self.hex = true,
            Convert::OrNull => self.or_null = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::transfer::rule::{Convert, Rule, Unit};

    #[test]
    fn rules_as_text() {
        for (text, rule) in [
            (
                "users.active: boolean",
                Rule::new("users", "active").to_type("boolean"),
            ),
            (
                "*.price:numeric(12,2) via scaled(2),round",
                Rule::new("*", "price")
                    .to_type("numeric(12,2)")
                    .via(Convert::Scaled(2))
                    .via(Convert::Round),
            ),
            ("users.junk: skip", Rule::new("users", "junk").skip()),
            ("users.mail -> email", Rule::new("users", "mail").renamed("email")),
            (
                "a.b -> c: bool via bool(ja|nein), or_null, epoch(ms)",
                Rule::new("a", "b")
                    .renamed("c")
                    .to_type("bool")
                    .via(Convert::Bool("ja".into(), "nein".into()))
                    .via(Convert::OrNull)
                    .via(Convert::Epoch(Unit::Millis)),
            ),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap(), rule, "{text}");
        }
        for text in [
            "users",
            "users.: int",
            "users.a:",
            "users.a: int via",
            "users.a: int via shout",
            "users.a via dates(%Q)",
            "users.a via zone(here)",
            "users.a via scaled(99)",
            "users.a via bool(x)",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
