//! As much JSON as EXPLAIN needs. The order of fields and the text of numbers are kept.

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Deeper than any plan that a server could have made.
const DEPTH: usize = 1000;

impl Json {
    /// The value of a whole text.
    pub(crate) fn parse(text: &str) -> Option<Json> {
        let mut reader = Reader { rest: text };
        let value = reader.value(0)?;
        reader.space();
        reader.rest.is_empty().then_some(value)
    }
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(n) => n.parse().ok(),
            _ => None,
        }
    }
    /// A text as it is, anything else as JSON.
    pub(crate) fn into_text(self) -> String {
        match self {
            Json::Text(text) => text,
            other => {
                let mut out = String::new();
                other.write(&mut out);
                out
            }
        }
    }
    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => out.push_str(n),
            Json::Text(text) => quote(text, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    quote(name, out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }
    /// Passes over this, if it is next.
    fn eat(&mut self, what: &str) -> Option<()> {
        self.space();
        self.rest = self.rest.strip_prefix(what)?;
        Some(())
    }
    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH {
            return None;
        }
        self.space();
        Some(match self.rest.chars().next()? {
            '{' => {
                let field = |reader: &mut Self| {
                    let name = reader.text()?;
                    reader.eat(":")?;
                    Some((name, reader.value(depth + 1)?))
                };
                Json::Object(self.list("{", "}", field)?)
            }
            '[' => Json::Array(self.list("[", "]", |reader| reader.value(depth + 1))?),
            '"' => Json::Text(self.text()?),
            't' => self.eat("true").map(|()| Json::Bool(true))?,
            'f' => self.eat("false").map(|()| Json::Bool(false))?,
            'n' => self.eat("null").map(|()| Json::Null)?,
            _ => {
                let part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
                let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(end);
                self.rest = rest;
                number.parse::<f64>().ok()?;
                Json::Number(number.to_owned())
            }
        })
    }
    fn list<T>(&mut self, open: &str, close: &str, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.eat(open)?;
        let mut items = Vec::new();
        if self.eat(close).is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(",").is_none() {
                self.eat(close)?;
                return Some(items);
            }
        }
    }
    fn text(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut out = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    // the server writes all but control characters as they are
                    'u' => {
                        let digits = chars.as_str().get(..4)?;
                        out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                        chars = chars.as_str().get(4..)?.chars();
                    }
                    c => out.push(c),
                },
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(out)
    }
}
