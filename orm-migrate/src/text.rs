//! SQL text as tokens: enough to split it into statements, to see what kind of statement each is, and to take a digest
//! that comments, blanks and line endings do not change. It never judges whether the text is right.

use std::fmt::Write as _;

use orm_core::error::{Error, Result};
use sha2::{Digest, Sha256};

use crate::Backend;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A quoted name.
    Name,
    /// A string, with its quotes.
    Text,
    /// A number.
    Number,
    /// An operator or a parenthesis.
    Sign,
    /// The end of a statement.
    Semicolon,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Where it begins.
    pub(crate) at: usize,
}

impl Token<'_> {
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// One statement of a script, without the semicolon behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text from its first to its last token.
    pub text: String,
    /// The line of the script on which it starts, from 1.
    pub line: usize,
}

/// Without a byte order mark, with `\n` at the ends of lines: the same on every system.
pub(crate) fn plain(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n")
}

/// Splits a script into its statements. Semicolons in strings, comments, dollar quotes, parentheses and the bodies of
/// triggers and functions end nothing.
///
/// ```
/// use orm_migrate::{Backend, statements};
/// let script = "CREATE TABLE a (b TEXT DEFAULT ';'); -- first;\nSELECT 1";
/// let found = statements(script, Backend::Sqlite)?;
/// assert_eq!((found.len(), found[1].line), (2, 2));
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` for a string or comment without an end, with its line.
pub fn statements(script: &str, backend: Backend) -> Result<Vec<Statement>> {
    let script = plain(script);
    let tokens = tokens(&script, backend)?;
    Ok(split(&tokens, backend)
        .map(|part| {
            let (first, last) = (part[0], part[part.len() - 1]);
            Statement {
                text: script[first.at..last.at + last.text.len()].to_owned(),
                line: line_of(&script, first.at),
            }
        })
        .collect())
}

/// A statement as its tokens, with the comments that belong to it.
#[derive(Clone, Debug)]
pub(crate) struct Piece<'t> {
    pub(crate) tokens: Vec<Token<'t>>,
    pub(crate) line: usize,
    /// Line comments above it, or behind it on its last line, without the dashes.
    pub(crate) comments: Vec<&'t str>,
    /// Whether a line above it says that the statements up to there are committed first.
    pub(crate) after_commit: bool,
}

/// The comment that ends a transaction between two statements, without the dashes.
pub(crate) const COMMIT: &str = "orm: commit";

/// The statements of a script, which is [`plain`].
pub(crate) fn pieces(script: &str, backend: Backend) -> Result<Vec<Piece<'_>>> {
    let tokens = tokens(script, backend)?;
    let mut found: Vec<Piece<'_>> = Vec::new();
    let mut end = 0;
    for part in split(&tokens, backend) {
        let (first, last) = (part[0], part[part.len() - 1]);
        let mut above = between(script, end, first.at, backend, found.last_mut());
        let said = above.len();
        above.retain(|comment| *comment != COMMIT);
        let behind = found.last_mut().is_some_and(|before: &mut Piece<'_>| {
            let said = before.comments.len();
            before.comments.retain(|comment| *comment != COMMIT);
            before.comments.len() < said
        });
        found.push(Piece {
            tokens: part.to_vec(),
            line: line_of(script, first.at),
            after_commit: behind || above.len() < said,
            comments: above,
        });
        end = last.at + last.text.len();
    }
    between(script, end, script.len(), backend, found.last_mut());
    if let Some(last) = found.last_mut() {
        last.comments.retain(|comment| *comment != COMMIT);
    }
    Ok(found)
}

/// The line comments between two statements. One on the line of the statement before belongs to that.
fn between<'t>(
    script: &'t str,
    from: usize,
    to: usize,
    backend: Backend,
    mut before: Option<&mut Piece<'t>>,
) -> Vec<&'t str> {
    let mut above = Vec::new();
    let mut at = from;
    while let Some(c) = script[at..to].chars().next() {
        let rest = &script[at..to];
        if rest.starts_with("--") {
            let length = rest.find('\n').unwrap_or(rest.len());
            let said = rest[2..length].trim();
            match &mut before {
                Some(piece) if !script[from..at].contains('\n') => piece.comments.push(said),
                _ => above.push(said),
            }
            at += length;
        } else if rest.starts_with("/*") {
            at += comment(rest, backend).unwrap_or(rest.len());
        } else {
            at += c.len_utf8();
        }
    }
    above
}

/// The digest of a script: SHA-256 in hexadecimal, over its tokens.
///
/// ```
/// use orm_migrate::{Backend, checksum};
/// let a = checksum("SELECT 1; -- one\r\n", Backend::Postgres)?;
/// assert_eq!(a, checksum("\u{feff}SELECT\n  1", Backend::Postgres)?);
/// assert_ne!(a, checksum("SELECT 2", Backend::Postgres)?);
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// As [`statements`].
pub fn checksum(script: &str, backend: Backend) -> Result<String> {
    let script = plain(script);
    let tokens = tokens(&script, backend)?;
    let mut hash = Sha256::new();
    for part in split(&tokens, backend) {
        for token in part {
            hash.update([token.kind as u8 + 2]);
            hash.update(token.text.as_bytes());
            hash.update([0]);
        }
        hash.update([1]);
    }
    Ok(hex(&hash.finalize()))
}

/// The digest of a few texts.
pub(crate) fn digest<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The tokens of each statement; none is empty.
fn split<'s, 't>(
    tokens: &'s [Token<'t>],
    backend: Backend,
) -> impl Iterator<Item = &'s [Token<'t>]> + use<'s, 't> {
    let mut rest = tokens;
    std::iter::from_fn(move || {
        while let [first, tail @ ..] = rest
            && first.kind == Kind::Semicolon
        {
            rest = tail;
        }
        if rest.is_empty() {
            return None;
        }
        let (part, tail) = rest.split_at(length(rest, backend));
        rest = tail;
        Some(part)
    })
}

/// How many tokens the first statement has.
fn length(tokens: &[Token<'_>], backend: Backend) -> usize {
    let holds_block = holds_block(tokens, backend);
    let (mut parentheses, mut blocks) = (0usize, 0usize);
    for (i, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Semicolon && parentheses == 0 && blocks == 0 {
            return i;
        }
        if token.is_sign("(") {
            parentheses += 1;
        } else if token.is_sign(")") {
            parentheses = parentheses.saturating_sub(1);
        } else if holds_block {
            let opens = token.is("BEGIN")
                && (blocks > 0
                    || backend == Backend::Sqlite
                    || tokens.get(i + 1).is_some_and(|next| next.is("ATOMIC")));
            if opens || blocks > 0 && token.is("CASE") {
                blocks += 1;
            } else if token.is("END") {
                blocks = blocks.saturating_sub(1);
            }
        }
    }
    tokens.len()
}

/// Whether the statement may have a body of statements between BEGIN and END.
fn holds_block(tokens: &[Token<'_>], backend: Backend) -> bool {
    let [first, rest @ ..] = tokens else {
        return false;
    };
    let object = rest
        .iter()
        .find(|t| !["OR", "REPLACE", "TEMP", "TEMPORARY"].iter().any(|w| t.is(w)));
    first.is("CREATE")
        && object.is_some_and(|t| match backend {
            Backend::Postgres => t.is("FUNCTION") || t.is("PROCEDURE"),
            Backend::Sqlite => t.is("TRIGGER"),
        })
}

/// Takes a text apart. Blanks and comments are gone.
pub(crate) fn tokens(text: &str, backend: Backend) -> Result<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let unfinished = |what: &str| Error::config(format!("line {}: {what} has no end", line_of(text, at)));
        if rest.starts_with("/*") {
            at += comment(rest, backend).ok_or_else(|| unfinished("a comment"))?;
            continue;
        }
        let (kind, length) = match c {
            ';' => (Kind::Semicolon, 1),
            '\'' => (
                Kind::Text,
                quoted(rest, '\'', false).ok_or_else(|| unfinished("a string"))?,
            ),
            '"' => (
                Kind::Name,
                quoted(rest, '"', false).ok_or_else(|| unfinished("a quoted name"))?,
            ),
            '`' if backend == Backend::Sqlite => (
                Kind::Name,
                quoted(rest, '`', false).ok_or_else(|| unfinished("a quoted name"))?,
            ),
            '[' if backend == Backend::Sqlite => {
                let end = rest.find(']').ok_or_else(|| unfinished("a quoted name"))?;
                (Kind::Name, end + 1)
            }
            'e' | 'E' if backend == Backend::Postgres && rest[1..].starts_with('\'') => {
                let length = quoted(&rest[1..], '\'', true).ok_or_else(|| unfinished("a string"))?;
                (Kind::Text, length + 1)
            }
            '$' if backend == Backend::Postgres && dollar_tag(rest).is_some() => {
                let tag = dollar_tag(rest).unwrap_or("$$");
                let body = &rest[tag.len()..];
                let end = body
                    .find(tag)
                    .ok_or_else(|| unfinished("a dollar-quoted string"))?;
                (Kind::Text, end + 2 * tag.len())
            }
            c if is_word_start(c) => (Kind::Word, word(rest)),
            c if c.is_ascii_digit() => (Kind::Number, number(rest)),
            c if is_operator(c) => (Kind::Sign, operator(rest)),
            c => (Kind::Sign, c.len_utf8()),
        };
        found.push(Token {
            kind,
            text: &rest[..length],
            at,
        });
        at += length;
    }
    Ok(found)
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || !c.is_ascii()
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(is_word_start(c) || c.is_ascii_digit() || c == '$'))
        .unwrap_or(rest.len())
}

fn number(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))
        .unwrap_or(rest.len())
}

fn is_operator(c: char) -> bool {
    "+-*/<>=~!@#%^&|?:".contains(c)
}

/// An operator ends where a comment begins.
fn operator(rest: &str) -> usize {
    let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
    let run = &rest[..end];
    [run.find("--"), run.find("/*")]
        .into_iter()
        .flatten()
        .filter(|at| *at > 0)
        .min()
        .unwrap_or(end)
}

/// The length of a quoted piece; a doubled quote is part of it.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// The length of a block comment. They nest in PostgreSQL; in SQLite one without an end ends with the text.
fn comment(rest: &str, backend: Backend) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    let nests = backend == Backend::Postgres;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") && (depth == 0 || nests) {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    (!nests).then_some(rest.len())
}

/// `$$` or `$name$`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let inner = &rest[1..];
    let end = inner.find(|c: char| !(is_word_start(c) || c.is_ascii_digit()))?;
    let starts_well = !inner.starts_with(|c: char| c.is_ascii_digit());
    (inner[end..].starts_with('$') && starts_well).then(|| &rest[..end + 2])
}

#[cfg(test)]
mod tests {
    use crate::Backend::{Postgres, Sqlite};
    use crate::text::{checksum, statements};

    fn texts(script: &str, backend: crate::Backend) -> Vec<String> {
        let found = statements(script, backend).unwrap();
        found.into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn semicolons_that_end_nothing() {
        for (script, backend, expected) in [
            ("a;;b; ;", Postgres, vec!["a", "b"]),
            ("-- a;\n/* ; /* ; */ ; */ b", Postgres, vec!["b"]),
            ("/* ; /* ; */ b", Sqlite, vec!["b"]),
            (
                "SELECT ';', \";\", '''; ;'; b",
                Postgres,
                vec!["SELECT ';', \";\", '''; ;'", "b"],
            ),
            (r"SELECT E'\'; ' ; b", Postgres, vec![r"SELECT E'\'; '", "b"]),
            (r"SELECT '\'; b", Postgres, vec![r"SELECT '\'", "b"]),
            (
                "DO $$ a; $x$ ; $$; DO $x$ $$ ; $x$; b",
                Postgres,
                vec!["DO $$ a; $x$ ; $$", "DO $x$ $$ ; $x$", "b"],
            ),
            ("SELECT $1; a$b$c; d", Postgres, vec!["SELECT $1", "a$b$c", "d"]),
            ("SELECT [;], `;`; b", Sqlite, vec!["SELECT [;], `;`", "b"]),
            ("SELECT a[1]; b", Postgres, vec!["SELECT a[1]", "b"]),
            (
                "CREATE RULE r AS ON INSERT TO t DO (a; b); c",
                Postgres,
                vec!["CREATE RULE r AS ON INSERT TO t DO (a; b)", "c"],
            ),
            (
                "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM t; END; b",
                Sqlite,
                vec![
                    "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM t; END",
                    "b",
                ],
            ),
            (
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END; b",
                Postgres,
                vec![
                    "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END",
                    "b",
                ],
            ),
            (
                "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f(); b",
                Postgres,
                vec!["CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", "b"],
            ),
            ("SELECT 1--a;\n+2; b", Postgres, vec!["SELECT 1--a;\n+2", "b"]),
        ] {
            assert_eq!(texts(script, backend), expected, "{script}");
        }
    }

    #[test]
    fn the_digest_is_of_tokens() {
        let base = "CREATE TABLE a (\n  b text DEFAULT 'x\ny'\n);\nSELECT a->>b FROM c;\n";
        for backend in [Postgres, Sqlite] {
            let digest = checksum(base, backend).unwrap();
            let lines = base.replace('\n', "\r\n");
            for same in [
                lines.clone(),
                format!("\u{feff}{lines}"),
                format!("-- a comment\n{base}/* more */"),
                base.replace("  b text", "\tb\n\n text"),
                base.trim_end().trim_end_matches(';').to_owned(),
            ] {
                assert_eq!(checksum(&same, backend).unwrap(), digest, "{same:?}");
            }
            for other in [
                base.replace("'x\ny'", "'x y'"),
                base.replace("->>", "- >>"),
                base.replace("text", "int"),
                base.replace(";\nSELECT", " SELECT"),
                base.replace("'x\ny'", "\"x\ny\""),
            ] {
                assert_ne!(checksum(&other, backend).unwrap(), digest, "{other:?}");
            }
        }
        assert_eq!(
            statements(base, Postgres).unwrap(),
            statements(&base.replace('\n', "\r\n"), Postgres).unwrap()
        );
    }

    #[test]
    fn what_has_no_end_is_told_by_its_line() {
        for (script, expected) in [
            ("a;\nSELECT 'x", "line 2: a string has no end"),
            ("SELECT \"x", "line 1: a quoted name has no end"),
            ("\n\n/* /* */", "line 3: a comment has no end"),
            ("DO $a$ $$", "line 1: a dollar-quoted string has no end"),
        ] {
            assert_eq!(statements(script, Postgres).unwrap_err().message(), expected);
        }
    }
}
