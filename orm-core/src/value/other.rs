//! Types that cross the wall as text, each with one text for one value.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::value::{ArrayItem, Cells, OtherType, Scalar, Type, Value, Wire};

static VARBIT: OtherType = OtherType::portable("varbit", Wire::Bits);
static HSTORE: OtherType = OtherType::portable("hstore", Wire::Hstore);
static LTREE: OtherType = OtherType::portable("ltree", Wire::Versioned);
static VECTOR: OtherType = OtherType::portable("vector", Wire::Vector);
// what these do differently from text, only a database with the type does
static CITEXT: OtherType = OtherType::native("citext", Wire::Text);

/// The text of a cell of this type.
pub(crate) fn text(cells: &dyn Cells, i: usize, ty: &'static OtherType) -> Result<Option<Box<str>>> {
    match cells.value(i, Type::Other(ty))? {
        None => Ok(None),
        Some(Value::Other(_, text)) => Ok(Some(text)),
        Some(_) => Err(Error::decode("the cell is of another type than the field")),
    }
}

/// A string of bits: PostgreSQL's `varbit`; text such as `0101` elsewhere.
///
/// ```
/// use orm_core::value::{Bits, Scalar, Value};
/// let flags = Bits(vec![false, true, true]);
/// assert!(matches!(flags.into_value(), Value::Other(_, text) if &*text == "011"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(pub Vec<bool>);

impl Scalar for Bits {
    const TYPE: Type = Type::Other(&VARBIT);
    fn into_value(self) -> Value {
        let text: String = self.0.iter().map(|b| if *b { '1' } else { '0' }).collect();
        Value::Other(&VARBIT, text.into())
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = text(cells, i, &VARBIT)? else {
            return Ok(None);
        };
        let bit = |b| match b {
            b'0' => Ok(false),
            b'1' => Ok(true),
            _ => Err(Error::decode("the cell holds no string of bits")),
        };
        let bits: Result<Vec<bool>> = text.bytes().map(bit).collect();
        bits.map(|bits| Some(Bits(bits)))
    }
}
impl ArrayItem for Bits {}

/// Texts by texts, some of them NULL: `hstore` of PostgreSQL's extension of that name; its text elsewhere.
///
/// ```
/// use orm_core::value::{Hstore, Scalar, Value};
/// let map = Hstore([("a".to_string(), Some("1".to_string())), ("b".to_string(), None)].into());
/// assert!(matches!(map.into_value(), Value::Other(_, text) if &*text == r#""a"=>"1", "b"=>NULL"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hstore(pub BTreeMap<String, Option<String>>);

impl Scalar for Hstore {
    const TYPE: Type = Type::Other(&HSTORE);
    fn into_value(self) -> Value {
        let mut pairs: Vec<_> = self.0.iter().collect();
        // as the extension orders them
        pairs.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        Value::Other(
            &HSTORE,
            hstore_text(pairs.into_iter().map(|(k, v)| (k, v.as_ref()))).into(),
        )
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = text(cells, i, &HSTORE)? else {
            return Ok(None);
        };
        let pairs = parse_hstore(&text).ok_or_else(|| Error::decode("the cell holds no hstore"))?;
        Ok(Some(Hstore(pairs.into_iter().collect())))
    }
}
impl ArrayItem for Hstore {}

/// `"a"=>"1", "b"=>NULL`
pub fn hstore_text<K: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (K, Option<V>)>) -> String {
    let mut out = String::new();
    let quote = |out: &mut String, s: &str| {
        out.push('"');
        for c in s.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    };
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push_str(", ");
        }
        quote(&mut out, key.as_ref());
        out.push_str("=>");
        match value {
            None => out.push_str("NULL"),
            Some(value) => quote(&mut out, value.as_ref()),
        }
    }
    out
}

/// Reads what [`hstore_text`] writes.
pub fn parse_hstore(s: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut rest = s;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (key, behind) = hstore_word(rest)?;
        rest = behind.strip_prefix("=>")?;
        let value = match rest.strip_prefix("NULL") {
            Some(behind) => {
                rest = behind;
                None
            }
            None => {
                let (value, behind) = hstore_word(rest)?;
                rest = behind;
                Some(value)
            }
        };
        out.push((key, value));
        if !rest.is_empty() {
            rest = rest.strip_prefix(", ").filter(|rest| !rest.is_empty())?;
        }
    }
    Some(out)
}

/// A quoted word, and what comes behind it.
fn hstore_word(s: &str) -> Option<(String, &str)> {
    let mut chars = s.strip_prefix('"')?.char_indices();
    let mut out = String::new();
    loop {
        match chars.next()? {
            (_, '\\') => out.push(chars.next()?.1),
            (at, '"') => return Some((out, &s[at + 2..])),
            (_, c) => out.push(c),
        }
    }
}

/// A vector of single precision: `vector` of pgvector; text such as `[1,0.5]` elsewhere. The number of dimensions stands
/// in `#[orm(ty(postgres = "vector(3)"))]`; an index needs it.
///
/// ```
/// use orm_core::value::{Scalar, Value, Vector};
/// let v = Vector(vec![1.0, 0.5]);
/// assert!(matches!(v.into_value(), Value::Other(_, text) if &*text == "[1.0,0.5]"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector(pub Vec<f32>);

impl Scalar for Vector {
    const TYPE: Type = Type::Other(&VECTOR);
    fn into_value(self) -> Value {
        match self.0.iter().all(|v| v.is_finite()) {
            true => Value::Other(&VECTOR, vector_text(self.0.into_iter()).into()),
            false => Value::Refused("a vector holds finite numbers only"),
        }
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(text) = text(cells, i, &VECTOR)? else {
            return Ok(None);
        };
        let vector = parse_vector(&text).ok_or_else(|| Error::decode("the cell holds no vector"))?;
        Ok(Some(Vector(vector)))
    }
}
impl ArrayItem for Vector {}

/// `[1.0,0.5]`
pub fn vector_text(items: impl Iterator<Item = f32>) -> String {
    let items: Vec<String> = items.map(|v| format!("{v:?}")).collect();
    format!("[{}]", items.join(","))
}

/// Reads what [`vector_text`] writes.
pub fn parse_vector(s: &str) -> Option<Vec<f32>> {
    let inner = s.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let finite = |v: f32| v.is_finite().then_some(v);
    inner
        .split(',')
        .map(|v| v.trim().parse().ok().and_then(finite))
        .collect()
}

/// Types that hold a text.
macro_rules! texts {
    ($($(#[$doc:meta])* $Ty:ident, $other:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Ty(pub String);
        impl Scalar for $Ty {
            const TYPE: Type = Type::Other(&$other);
            fn into_value(self) -> Value {
                Value::Other(&$other, self.0.into())
            }
            fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
                Ok(text(cells, i, &$other)?.map(|text| $Ty(text.into())))
            }
        }
        impl ArrayItem for $Ty {}
    )*};
}
texts! {
    /// A path of labels, `top.science.astronomy`: `ltree` of PostgreSQL's extension of that name; text elsewhere. Which
    /// labels are valid the database says.
    Ltree, LTREE;
    /// Text that is equal whatever its case: `citext` of PostgreSQL's extension of that name. Refused elsewhere, where
    /// it would be ordinary text.
    CiText, CITEXT;
}
