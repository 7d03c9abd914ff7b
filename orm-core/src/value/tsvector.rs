//! `tsvector`: words with their places in a text.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::value::{ArrayItem, Cells, OtherType, Scalar, Type, Value, Wire};

static TSVECTOR: OtherType = OtherType::portable("tsvector", Wire::Cast);

/// What a place in a text counts: `A` most, `D` where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// Such as a title.
    A,
    /// Less.
    B,
    /// Still less.
    C,
    /// Ordinary text.
    #[default]
    D,
}

/// Words with their places: PostgreSQL's `tsvector`; its text elsewhere. Mostly the database makes it, with `to_tsvector`.
///
/// Places count from 1 to 16383 and ascend; a word has up to 255 of them and 2046 bytes. What lies beyond is refused when
/// it is sent, because PostgreSQL would cut it.
///
/// ```
/// use orm_core::value::{Scalar, TsVector, Value, Weight};
/// let words = TsVector([("cat".to_string(), vec![(3, Weight::D)]), ("rat's".to_string(), vec![])].into());
/// assert!(matches!(words.into_value(), Value::Other(_, text) if &*text == "'cat':3 'rat''s'"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TsVector(pub BTreeMap<String, Vec<(u16, Weight)>>);

impl TsVector {
    fn text(&self) -> Result<String, &'static str> {
        let mut out = String::new();
        for (word, places) in &self.0 {
            if word.is_empty() || word.len() > 2046 || word.contains('\0') {
                return Err("a word of a tsvector has 1 to 2046 bytes and no NUL");
            }
            if places.len() > 255 || places.iter().any(|(at, _)| !(1..=16383).contains(at)) {
                return Err("a word of a tsvector has up to 255 places, from 1 to 16383");
            }
            if !places.is_sorted_by(|(a, _), (b, _)| a < b) {
                return Err("the places of a word of a tsvector ascend");
            }
            out.push_str(if out.is_empty() { "'" } else { " '" });
            for c in word.chars() {
                if matches!(c, '\'' | '\\') {
                    out.push(c);
                }
                out.push(c);
            }
            out.push('\'');
            for (i, (at, weight)) in places.iter().enumerate() {
                out.push(if i == 0 { ':' } else { ',' });
                out.push_str(&at.to_string());
                out.push_str(match weight {
                    Weight::A => "A",
                    Weight::B => "B",
                    Weight::C => "C",
                    Weight::D => "",
                });
            }
        }
        Ok(out)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (word, behind) = quoted(rest)?;
            rest = behind;
            let mut places = Vec::new();
            if let Some(behind) = rest.strip_prefix(':') {
                let end = behind.find(' ').unwrap_or(behind.len());
                for place in behind[..end].split(',') {
                    let (number, weight) = match place.as_bytes().last()? {
                        b'A' => (&place[..place.len() - 1], Weight::A),
                        b'B' => (&place[..place.len() - 1], Weight::B),
                        b'C' => (&place[..place.len() - 1], Weight::C),
                        _ => (place, Weight::D),
                    };
                    places.push((number.parse().ok()?, weight));
                }
                rest = &behind[end..];
            }
            words.insert(word, places);
            if !rest.is_empty() {
                rest = rest.strip_prefix(' ')?;
            }
        }
        Some(TsVector(words))
    }
}

/// A word in quotes, and what comes behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('\'')?.char_indices().peekable();
    let mut word = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.next_if(|(_, next)| *next == '\'').is_none() => {
                return Some((word, &text[at + 2..]));
            }
            '\\' => word.push(chars.next()?.1),
            c => word.push(c),
        }
    }
    None
}

impl Scalar for TsVector {
    const TYPE: Type = Type::Other(&TSVECTOR);
    fn into_value(self) -> Value {
        match self.text() {
            Ok(text) => Value::Other(&TSVECTOR, text.into()),
            Err(why) => Value::Refused(why),
        }
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = crate::value::other::text(cells, i, &TSVECTOR)? else {
            return Ok(None);
        };
        let words = TsVector::parse(&text).ok_or_else(|| Error::decode("the cell holds no tsvector"))?;
        Ok(Some(words))
    }
}
impl ArrayItem for TsVector {}
