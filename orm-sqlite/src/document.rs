//! What PostgreSQL answers about `jsonb` documents and arrays, for documents that are stored as text.

/// A JSON document.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    /// Keys in the order they stand in; the last one of a name counts.
    Object(Vec<(String, Json)>),
}

/// A number, exactly: digits without zeros at their ends, and the power of ten behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// SQLite's own bound.
const DEEPEST: usize = 1000;

impl Json {
    /// Reads a document; `None` when it is none.
    pub(crate) fn read(s: &str) -> Option<Json> {
        let mut reader = Reader { s, at: 0 };
        let json = reader.value(0)?;
        reader.blanks();
        (reader.at == s.len()).then_some(json)
    }

    /// `@>`.
    pub(crate) fn contains(&self, part: &Json) -> bool {
        match (self, part) {
            // an array contains a scalar, but only here at the top
            (Json::Array(items), part) if part.is_scalar() => items.iter().any(|item| item.equals(part)),
            _ => self.holds(part),
        }
    }

    fn holds(&self, part: &Json) -> bool {
        match (self, part) {
            (Json::Object(keys), Json::Object(wanted)) => wanted.iter().all(|(key, part)| {
                let own = keys.iter().find(|(k, _)| k == key);
                own.is_some_and(|(_, own)| own.holds(part))
            }),
            (Json::Array(items), Json::Array(wanted)) => wanted
                .iter()
                .all(|part| items.iter().any(|item| item.holds(part))),
            (own, part) => own.is_scalar() && own.equals(part),
        }
    }

    /// `?`: a key of an object, a text in an array, or the text itself.
    pub(crate) fn has(&self, key: &str) -> bool {
        let is = |json: &Json| matches!(json, Json::Text(text) if text == key);
        match self {
            Json::Object(keys) => keys.iter().any(|(k, _)| k == key),
            Json::Array(items) => items.iter().any(is),
            json => is(json),
        }
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }

    /// Whether two scalars are equal; of anything else only that both are empty.
    pub(crate) fn equals(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Number(a), Json::Number(b)) => a == b,
            (Json::Text(a), Json::Text(b)) => a == b,
            _ => false,
        }
    }
}

struct Reader<'s> {
    s: &'s str,
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        let rest = &self.s[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }
    fn eat(&mut self, token: &str) -> bool {
        let found = self.s[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }
    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        self.blanks();
        for (token, json) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.eat(token) {
                return Some(json);
            }
        }
        if self.eat("[") {
            let mut items = Vec::new();
            self.blanks();
            if self.eat("]") {
                return Some(Json::Array(items));
            }
            loop {
                items.push(self.value(depth + 1)?);
                self.blanks();
                if self.eat("]") {
                    return Some(Json::Array(items));
                }
                self.eat(",").then_some(())?;
            }
        }
        if self.eat("{") {
            let mut keys: Vec<(String, Json)> = Vec::new();
            self.blanks();
            if self.eat("}") {
                return Some(Json::Object(keys));
            }
            loop {
                self.blanks();
                let key = self.text()?;
                self.blanks();
                self.eat(":").then_some(())?;
                let value = self.value(depth + 1)?;
                keys.retain(|(k, _)| *k != key);
                keys.push((key, value));
                self.blanks();
                if self.eat("}") {
                    return Some(Json::Object(keys));
                }
                self.eat(",").then_some(())?;
            }
        }
        if self.s[self.at..].starts_with('"') {
            return self.text().map(Json::Text);
        }
        self.number()
    }
    fn text(&mut self) -> Option<String> {
        self.eat("\"").then_some(())?;
        let mut out = String::new();
        loop {
            let c = self.s[self.at..].chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(out),
                '\\' => {
                    let c = self.s[self.at..].chars().next()?;
                    self.at += c.len_utf8();
                    out.push(match c {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'u' => match self.four()? {
                            high @ 0xd800..=0xdbff => {
                                self.eat("\\u").then_some(())?;
                                let low = self.four()?;
                                (0xdc00..=0xdfff).contains(&low).then_some(())?;
                                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                            }
                            one => char::from_u32(one)?,
                        },
                        c @ ('"' | '\\' | '/') => c,
                        _ => return None,
                    });
                }
                c => out.push(c),
            }
        }
    }
    fn four(&mut self) -> Option<u32> {
        let digits = self.s.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
    fn number(&mut self) -> Option<Json> {
        let rest = &self.s[self.at..];
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'))
            .unwrap_or(rest.len());
        self.at += end;
        Number::read(&rest[..end]).map(Json::Number)
    }
}

impl Number {
    fn read(s: &str) -> Option<Number> {
        let (mantissa, exponent) = match s.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (s, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = [whole, fraction].concat();
        if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        let moved = i64::try_from(zeros).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(match significant.is_empty() {
            true => Number {
                negative: false,
                digits: String::new(),
                exponent: 0,
            },
            false => Number {
                negative,
                digits: significant.to_owned(),
                exponent: exponent.checked_add(moved)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Json;

    fn json(s: &str) -> Json {
        Json::read(s).unwrap_or_else(|| panic!("{s}"))
    }

    /// The examples of PostgreSQL's manual, and more of their kind.
    #[test]
    fn containment() {
        for (whole, part) in [
            (r#""foo""#, r#""foo""#),
            ("[1, 2, 3]", "[1, 3]"),
            ("[1, 2, 3]", "[3, 1]"),
            ("[1, 2, 3]", "[1, 2, 2]"),
            (r#"{"a": 1, "b": {"c": [1, 2]}}"#, r#"{"b": {"c": [2]}}"#),
            (r#"["foo", "bar"]"#, r#""bar""#),
            (r#"[1, [2, 3]]"#, "[[3]]"),
            (r#"{"a": []}"#, r#"{"a": []}"#),
            ("[1]", "[]"),
            ("{}", "{}"),
            ("1", "1.0"),
            ("[100, 0]", "[1e2, -0.0]"),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
            (r#""\u00e9\n""#, "\"é\\n\""),
            ("null", "null"),
        ] {
            assert!(json(whole).contains(&json(part)), "{whole} {part}");
        }
        for (whole, part) in [
            ("[1, 2, [1, 3]]", "[3]"),
            (r#"{"foo": {"bar": "baz"}}"#, r#"{"bar": "baz"}"#),
            (r#""bar""#, r#"["bar"]"#),
            (r#"{"a": [1, 2]}"#, r#"{"a": 1}"#),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 1}"#),
            ("[[1]]", "1"),
            ("{}", "[]"),
            ("[]", "{}"),
            ("1", "true"),
            (r#""1""#, "1"),
            ("[]", "null"),
        ] {
            assert!(!json(whole).contains(&json(part)), "{whole} {part}");
        }
    }

    #[test]
    fn keys() {
        assert!(json(r#"{"a": 1}"#).has("a") && json(r#"["a", 1]"#).has("a") && json(r#""a""#).has("a"));
        assert!(!json(r#"{"b": "a"}"#).has("a") && !json("[1]").has("1") && !json("null").has("null"));
    }

    #[test]
    fn what_is_no_document_is_none() {
        let deep = "[".repeat(5000);
        for bad in [
            "", "[", "[1,]", "{a:1}", "1 2", "\"", "\"\\x\"", "--1", ".5", "1e", "nul", &deep,
        ] {
            assert!(Json::read(bad).is_none(), "{bad:.20}");
        }
    }
}
