//! A statement read word by word: enough for names, clauses and new columns, and never more than is there.

use crate::schema::{Column, Fill};
use crate::text::{Kind, Token};

/// Where one is in a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'s, 't> {
    tokens: &'s [Token<'t>],
}

impl<'s, 't> Reader<'s, 't> {
    pub(crate) fn new(tokens: &'s [Token<'t>]) -> Self {
        Reader { tokens }
    }
    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'s [Token<'t>] {
        self.tokens
    }
    pub(crate) fn skip(&mut self, count: usize) {
        self.tokens = self.tokens.get(count..).unwrap_or_default();
    }
    pub(crate) fn is(&self, word: &str) -> bool {
        self.tokens.first().is_some_and(|t| t.is(word))
    }
    /// Reads all of these words, or nothing.
    pub(crate) fn eat(&mut self, words: &[&str]) -> bool {
        let there = words.len() <= self.tokens.len() && words.iter().zip(self.tokens).all(|(w, t)| t.is(w));
        if there {
            self.skip(words.len());
        }
        there
    }
    /// Reads any of these words, as many as there are.
    pub(crate) fn pass(&mut self, words: &[&str]) {
        while words.iter().any(|w| self.is(w)) {
            self.skip(1);
        }
    }
    /// A name with its schema, as the database compares it; the schemas that everybody is in are left out.
    pub(crate) fn name(&mut self) -> Option<String> {
        let mut parts = Vec::new();
        while let Some(token) = self.tokens.first() {
            parts.push(plain_name(token)?);
            self.skip(1);
            if !self.tokens.first().is_some_and(|t| t.is_sign(".")) {
                break;
            }
            self.skip(1);
        }
        if parts.len() == 2 && ["public", "main"].contains(&parts[0].as_str()) {
            parts.remove(0);
        }
        (!parts.is_empty()).then(|| parts.join("."))
    }
}

/// The name that a token is, without quotes; bare words are folded to small letters.
pub(crate) fn plain_name(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_lowercase()),
        Kind::Name => {
            let mut chars = token.text.chars();
            let quote = chars.next()?;
            chars.next_back();
            let quote = quote.to_string();
            Some(chars.as_str().replace(&quote.repeat(2), &quote))
        }
        _ => None,
    }
}

/// Whether a word stands anywhere.
pub(crate) fn has(tokens: &[Token<'_>], word: &str) -> bool {
    tokens.iter().any(|t| t.is(word))
}

/// Whether these words stand in this order, one behind the other.
pub(crate) fn has_all(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens
        .windows(words.len())
        .any(|window| window.iter().zip(words).all(|(t, w)| t.is(w)))
}

/// The tokens outside of parentheses.
pub(crate) fn flat<'s, 't>(tokens: &'s [Token<'t>]) -> impl Iterator<Item = (usize, &'s Token<'t>)> {
    let mut depth = 0usize;
    tokens.iter().enumerate().filter(move |(_, t)| {
        if t.is_sign("(") {
            depth += 1;
            return depth == 1;
        }
        if t.is_sign(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0
    })
}

/// The parts between the commas that stand outside of parentheses.
pub(crate) fn parts<'s, 't>(tokens: &'s [Token<'t>]) -> Vec<&'s [Token<'t>]> {
    let mut out = Vec::new();
    let mut from = 0;
    for (at, token) in flat(tokens) {
        if token.is_sign(",") {
            out.push(&tokens[from..at]);
            from = at + 1;
        }
    }
    out.push(&tokens[from..]);
    out.retain(|part| !part.is_empty());
    out
}

/// What stands in the first parentheses.
pub(crate) fn inside<'s, 't>(tokens: &'s [Token<'t>]) -> &'s [Token<'t>] {
    let mut depth = 0usize;
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
            if depth == 1 {
                from = at + 1;
            }
        } else if token.is_sign(")") && depth > 0 {
            depth -= 1;
            if depth == 0 {
                return &tokens[from..at];
            }
        }
    }
    &[]
}

/// The tokens as a text.
pub(crate) fn joined(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|t| t.text).collect::<Vec<_>>().join(" ")
}

/// A column as a statement writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewColumn {
    pub(crate) column: Column,
    pub(crate) primary_key: bool,
    pub(crate) unique: bool,
    pub(crate) references: bool,
    pub(crate) check: bool,
}

/// Words that end a type or a default.
const CLAUSES: [&str; 13] = [
    "CONSTRAINT",
    "NOT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "UNIQUE",
    "REFERENCES",
    "CHECK",
    "GENERATED",
    "COLLATE",
    "AS",
    "STORAGE",
    "COMPRESSION",
];

fn is_clause(token: &Token<'_>) -> bool {
    CLAUSES.iter().any(|w| token.is(w))
}

/// Reads `name type clauses`; `None` for a constraint of the table.
pub(crate) fn new_column(tokens: &[Token<'_>]) -> Option<NewColumn> {
    const CONSTRAINTS: [&str; 7] = [
        "CONSTRAINT",
        "CHECK",
        "UNIQUE",
        "PRIMARY",
        "FOREIGN",
        "EXCLUDE",
        "LIKE",
    ];
    let (first, rest) = tokens.split_first()?;
    if CONSTRAINTS.iter().any(|w| first.is(w)) {
        return None;
    }
    let mut out = NewColumn {
        column: Column {
            name: plain_name(first)?,
            nullable: true,
            ..Column::default()
        },
        ..NewColumn::default()
    };
    let clause = |from: usize| {
        flat(&rest[from..])
            .find(|(_, t)| is_clause(t))
            .map_or(rest.len(), |(at, _)| from + at)
    };
    let mut at = clause(0);
    out.column.ty = type_name(&rest[..at]);
    while let Some(token) = rest.get(at) {
        let end = clause(at + 1);
        let body = &rest[at + 1..end];
        // ON DELETE SET NULL, SET DEFAULT
        let action = rest[..at].last().is_some_and(|t| t.is("SET"));
        if token.is("NOT") && rest.get(at + 1).is_some_and(|t| t.is("NULL")) {
            out.column.nullable = false;
        } else if token.is("DEFAULT") && !action {
            let null = rest.get(at + 1).is_some_and(|t| t.is("NULL"));
            if !null && !body.is_empty() {
                out.column.fill = Fill::Default(joined(body));
            }
        } else if token.is("PRIMARY") {
            out.primary_key = true;
            out.column.nullable = false;
        } else if token.is("UNIQUE") {
            out.unique = true;
        } else if token.is("REFERENCES") {
            out.references = true;
        } else if token.is("CHECK") {
            out.check = true;
        } else if token.is("GENERATED") || token.is("AS") {
            let whole = &rest[at..];
            if has(whole, "IDENTITY") {
                let always = has(whole, "ALWAYS");
                out.column.fill = Fill::Identity { always };
                out.column.nullable = false;
            } else if flat(whole).any(|(_, t)| t.is("STORED")) {
                out.column.fill = Fill::Stored(String::new());
            } else if out.column.fill == Fill::None {
                out.column.fill = Fill::Virtual(String::new());
            }
        }
        at = end;
    }
    Some(out)
}

/// The type under the name the rules know it by.
pub(crate) fn type_name(tokens: &[Token<'_>]) -> String {
    let Some(first) = tokens.first() else {
        return String::new();
    };
    if first.kind == Kind::Name {
        return joined(tokens);
    }
    let word = first.text.to_lowercase();
    let with_zone = has_all(tokens, &["WITH", "TIME", "ZONE"]);
    let name = match word.as_str() {
        "int" | "int4" => "integer",
        "int2" => "smallint",
        "timestamp" if with_zone => "timestamp with time zone",
        "timestamp" => "timestamp",
        "char" | "character" | "bpchar" if !has(tokens, "VARYING") => "character",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        "json" | "money" | "serial" | "bigserial" | "smallserial" | "integer" | "smallint" | "text" => &word,
        _ => return joined(tokens).to_lowercase(),
    };
    name.to_owned()
}
