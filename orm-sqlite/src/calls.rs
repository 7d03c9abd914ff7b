//! The functions of documents, arrays, ranges, vectors and patterns: their arguments taken apart.

use std::borrow::Cow;

use orm_core::value::{RangeOf, Value, decimal_text, parse_vector};

use crate::document::Json;
use crate::ranges::{self, Range};
use crate::raw::functions::{Answer, Argument, INVALID_REGEX, NOT_VALID};
use crate::regex;

fn answered(answer: Option<Answer>) -> Answer {
    answer.unwrap_or(Answer::Refused(NOT_VALID))
}
fn truth(answer: bool) -> Answer {
    Answer::Integer(i64::from(answer))
}

pub(crate) fn lower(arguments: &[Argument<'_>]) -> Answer {
    letters(arguments, lower_letter)
}
pub(crate) fn upper(arguments: &[Argument<'_>]) -> Answer {
    letters(arguments, upper_letter)
}
fn letters(arguments: &[Argument<'_>], change: fn(char) -> char) -> Answer {
    answered(one_text(arguments).map(|text| Answer::Text(text.chars().map(change).collect())))
}
/// The lower case of a letter where that is one letter, as databases have it.
pub(crate) fn lower_letter(c: char) -> char {
    if c == '\u{130}' {
        return 'i';
    }
    only(c, c.to_lowercase())
}
/// The upper case of a letter where that is one letter.
fn upper_letter(c: char) -> char {
    only(c, c.to_uppercase())
}
fn only(c: char, mut of: impl Iterator<Item = char>) -> char {
    match (of.next(), of.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}
fn one_text<'a>(arguments: &[Argument<'a>]) -> Option<Cow<'a, str>> {
    arguments.first().and_then(text)
}

/// As SQLite's own functions take a number for its text.
fn text<'a>(argument: &Argument<'a>) -> Option<Cow<'a, str>> {
    match argument {
        Argument::Text(text) => Some(Cow::Borrowed(text)),
        Argument::Integer(v) => Some(Cow::Owned(v.to_string())),
        Argument::Null | Argument::Float(_) | Argument::Other => None,
    }
}

/// `(text, pattern)`.
pub(crate) fn matches(arguments: &[Argument<'_>], no_case: bool) -> Answer {
    let [Argument::Text(text), Argument::Text(pattern)] = arguments else {
        return Answer::Refused(NOT_VALID);
    };
    regex::matches(text, pattern, no_case).map_or(Answer::Refused(INVALID_REGEX), truth)
}

/// `(text, pattern)`: LIKE, case-sensitively, with `\` as the escape.
pub(crate) fn like(arguments: &[Argument<'_>]) -> Answer {
    let [Argument::Text(text), Argument::Text(pattern)] = arguments else {
        return Answer::Refused(NOT_VALID);
    };
    answered(like_pattern(pattern).map(|pattern| truth(is_like(text, &pattern))))
}

enum Like {
    One(char),
    Any,
    Rest,
}

fn like_pattern(pattern: &str) -> Option<Vec<Like>> {
    let mut out = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '%' => Like::Rest,
            '_' => Like::Any,
            '\\' => Like::One(chars.next()?),
            c => Like::One(c),
        });
    }
    Some(out)
}

/// Where it fails it goes back to the last `%` only: what was matched before that needs no other way.
fn is_like(text: &str, pattern: &[Like]) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        match pattern.get(at) {
            Some(Like::Rest) => {
                at += 1;
                back = Some((at, rest.clone()));
                continue;
            }
            None if rest.as_str().is_empty() => return true,
            Some(Like::Any) if rest.next().is_some() => {
                at += 1;
                continue;
            }
            Some(Like::One(wanted)) if rest.next() == Some(*wanted) => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some((from, start)) = &mut back else {
            return false;
        };
        if start.next().is_none() {
            return false;
        }
        (at, rest) = (*from, start.clone());
    }
}

/// `(document, document)`.
pub(crate) fn json_contains(arguments: &[Argument<'_>]) -> Answer {
    answered(two_documents(arguments).map(|(whole, part)| truth(whole.contains(&part))))
}
/// `(document, array of keys)`.
pub(crate) fn json_has(arguments: &[Argument<'_>], all: bool) -> Answer {
    let answer = || {
        let (document, Json::Array(keys)) = two_documents(arguments)? else {
            return None;
        };
        let has = |key: &Json| matches!(key, Json::Text(key) if document.has(key));
        Some(truth(match all {
            true => keys.iter().all(has),
            false => keys.iter().any(has),
        }))
    };
    answered(answer())
}
fn two_documents(arguments: &[Argument<'_>]) -> Option<(Json, Json)> {
    let [a, b] = arguments else {
        return None;
    };
    Some((document(a)?, document(b)?))
}
fn document(argument: &Argument<'_>) -> Option<Json> {
    Json::read(&text(argument)?)
}

fn items(argument: &Argument<'_>) -> Option<Vec<Json>> {
    match document(argument)? {
        Json::Array(items) => Some(items),
        _ => None,
    }
}

/// `(array, array of one item)`: NULL where only a NULL could be it.
pub(crate) fn array_has(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let [array, item] = arguments else {
            return None;
        };
        let (items, wanted) = (items(array)?, items(item)?);
        let is_null = |item: &Json| matches!(item, Json::Null);
        let wanted = wanted.first()?;
        Some(match (is_null(wanted), items.is_empty()) {
            (_, true) => truth(false),
            (true, false) => Answer::Null,
            (false, false) if items.iter().any(|item| item.equals(wanted)) => truth(true),
            (false, false) if items.iter().any(is_null) => Answer::Null,
            (false, false) => truth(false),
        })
    };
    answered(answer())
}

/// `(array, array)`: a NULL equals nothing.
pub(crate) fn array_meets(arguments: &[Argument<'_>], all: bool) -> Answer {
    let answer = || {
        let [array, wanted] = arguments else {
            return None;
        };
        let (items, wanted) = (items(array)?, items(wanted)?);
        let has = |w: &Json| !matches!(w, Json::Null) && items.iter().any(|item| item.equals(w));
        Some(truth(match all {
            true => wanted.iter().all(has),
            false => wanted.iter().any(has),
        }))
    };
    answered(answer())
}

/// `(array, first, last)`, from 1.
pub(crate) fn array_slice(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let [array, Argument::Integer(first), Argument::Integer(last)] = arguments else {
            return None;
        };
        let array = text(array)?;
        let places = (1_i64..).zip(pieces(&array)?);
        let kept = places.filter(|(i, _)| (*first..=*last).contains(i));
        Some(joined(kept.map(|(_, piece)| piece)))
    };
    answered(answer())
}

/// `(array, array)`.
pub(crate) fn array_concat(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let [a, b] = arguments else {
            return None;
        };
        let (a, b) = (text(a)?, text(b)?);
        Some(joined(pieces(&a)?.into_iter().chain(pieces(&b)?)))
    };
    answered(answer())
}

/// `(array, array of one item)`: here a NULL is like another.
pub(crate) fn array_remove(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let [array, item] = arguments else {
            return None;
        };
        let array = text(array)?;
        let unwanted = items(item)?;
        let unwanted = unwanted.first()?;
        let mut kept = Vec::new();
        for piece in pieces(&array)? {
            if !Json::read(piece)?.equals(unwanted) {
                kept.push(piece);
            }
        }
        Some(joined(kept.into_iter()))
    };
    answered(answer())
}

fn joined<'p>(pieces: impl Iterator<Item = &'p str>) -> Answer {
    let pieces: Vec<&str> = pieces.collect();
    Answer::Text(format!("[{}]", pieces.join(",")))
}

/// The items of an array of scalars, each as it is written.
fn pieces(array: &str) -> Option<Vec<&str>> {
    let inner = array.trim().strip_prefix('[')?.strip_suffix(']')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let (mut out, mut start) = (Vec::new(), 0);
    let (mut in_string, mut escaped) = (false, false);
    for (i, b) in inner.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' if !in_string => {
                out.push(inner[start..i].trim());
                start = i + 1;
            }
            b'[' | b'{' if !in_string => return None,
            _ => {}
        }
    }
    out.push(inner[start..].trim());
    (!in_string).then_some(out)
}

fn kind(arguments: &[Argument<'_>]) -> Option<RangeOf> {
    match arguments.first()? {
        Argument::Text(name) => ranges::of(name),
        _ => None,
    }
}

#[allow(clippy::option_option)]
fn range(arguments: &[Argument<'_>], i: usize) -> Option<Option<Range>> {
    ranges::read(&text(arguments.get(i)?)?, kind(arguments)?)
}

/// `(kind, range, value)`.
pub(crate) fn range_has(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let value = text(arguments.get(2)?)?;
        let value = ranges::read(&format!("[{value},{value}]"), kind(arguments)?)?;
        let holds = match (range(arguments, 1)?, value) {
            (Some(range), Some(value)) => range.contains(&value),
            _ => false,
        };
        Some(truth(holds))
    };
    answered(answer())
}

/// `(kind, range, range)`.
pub(crate) fn range_contains(arguments: &[Argument<'_>]) -> Answer {
    two_ranges(arguments, |a, b| match (a, b) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a.contains(&b),
    })
}
pub(crate) fn range_asks(arguments: &[Argument<'_>], ask: fn(&Range, &Range) -> bool) -> Answer {
    two_ranges(arguments, |a, b| a.zip(b).is_some_and(|(a, b)| ask(&a, &b)))
}
fn two_ranges(arguments: &[Argument<'_>], ask: impl Fn(Option<Range>, Option<Range>) -> bool) -> Answer {
    let answer = || Some(truth(ask(range(arguments, 1)?, range(arguments, 2)?)));
    answered(answer())
}

/// `(kind, range, range)`.
pub(crate) fn range_intersect(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let (a, b) = (range(arguments, 1)?, range(arguments, 2)?);
        ranges::write(a.zip(b).and_then(|(a, b)| a.intersect(b))).map(Answer::Text)
    };
    answered(answer())
}
pub(crate) fn range_merge(arguments: &[Argument<'_>]) -> Answer {
    let answer = || {
        let merged = match (range(arguments, 1)?, range(arguments, 2)?) {
            (Some(a), Some(b)) => Some(a.merge(b)),
            (a, b) => a.or(b),
        };
        ranges::write(merged).map(Answer::Text)
    };
    answered(answer())
}

/// `(kind, range)`.
pub(crate) fn range_bound(arguments: &[Argument<'_>], bound: fn(Range) -> Option<Value>) -> Answer {
    let answer = || {
        let Some(value) = range(arguments, 1)?.and_then(bound) else {
            return Some(Answer::Null);
        };
        Some(match value {
            Value::I32(v) => Answer::Integer(v.into()),
            Value::I64(v) => Answer::Integer(v),
            Value::Decimal(v) => Answer::Text(decimal_text(v)),
            Value::Date(v) => Answer::Text(v.to_fixed()?),
            Value::Timestamp(v) => Answer::Text(v.to_fixed()?),
            Value::LocalTimestamp(v) => Answer::Text(v.to_fixed()?),
            _ => return None,
        })
    };
    answered(answer())
}
pub(crate) fn range_is_empty(arguments: &[Argument<'_>]) -> Answer {
    answered(range(arguments, 1).map(|range| truth(range.is_none())))
}

/// `(vector, vector)` of equal length.
pub(crate) fn distance(arguments: &[Argument<'_>], of: fn(&[(f64, f64)]) -> f64) -> Answer {
    let answer = || {
        let [Argument::Text(a), Argument::Text(b)] = arguments else {
            return None;
        };
        let (a, b) = (parse_vector(a)?, parse_vector(b)?);
        let pairs: Vec<_> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (f64::from(*a), f64::from(*b)))
            .collect();
        (a.len() == b.len()).then(|| Answer::Float(of(&pairs)))
    };
    answered(answer())
}
pub(crate) fn euclidean(pairs: &[(f64, f64)]) -> f64 {
    pairs.iter().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
pub(crate) fn negative_inner_product(pairs: &[(f64, f64)]) -> f64 {
    -pairs.iter().map(|(a, b)| a * b).sum::<f64>()
}
/// A vector of zeros is as far from everything as what is at right angles to it.
pub(crate) fn cosine(pairs: &[(f64, f64)]) -> f64 {
    let norm = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(|p| of(p) * of(p)).sum::<f64>().sqrt();
    let both = norm(|p| p.0) * norm(|p| p.1);
    if both == 0.0 {
        return 1.0;
    }
    1.0 - (-negative_inner_product(pairs) / both).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use crate::calls::{is_like, like_pattern};

    #[test]
    fn patterns_of_like() {
        for (text, pattern, answer) in [
            ("", "", true),
            ("", "%", true),
            ("a", "", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abcbc", "a%bc", true),
            ("abcb", "a%bc", false),
            ("aé", "a_", true),
            ("a%", r"a\%", true),
            ("ab", r"a\%", false),
            ("Ab", "a%", false),
            ("abab", "%a%b", true),
            ("ba", "%a%b", false),
        ] {
            assert_eq!(
                is_like(text, &like_pattern(pattern).unwrap()),
                answer,
                "{text} {pattern}"
            );
        }
        assert!(like_pattern(r"a\").is_none());
    }
}
