//! The words of an SQL text as SQLite reads them. Total: any text has words.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A name in double quotes, brackets or backquotes.
    Quoted,
    /// `'text'`.
    Text,
    /// A number, a blob, a parameter: what is no name and no punctuation.
    Other,
    /// One punctuation character.
    Symbol(u8),
}

/// A token: what it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The tokens of a text, without blanks and comments. All of them begin and end between characters.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let bytes = sql.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let (kind, end) = match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => (None, at + 1),
            b'-' if next == Some(b'-') => (None, find(bytes, at, b"\n")),
            b'/' if next == Some(b'*') => (None, find(bytes, at + 2, b"*/")),
            b'\'' => (Some(Kind::Text), quoted(bytes, at, b'\'')),
            b'"' | b'`' => (Some(Kind::Quoted), quoted(bytes, at, first)),
            b'[' => (Some(Kind::Quoted), find(bytes, at, b"]")),
            b'x' | b'X' if next == Some(b'\'') => (Some(Kind::Other), quoted(bytes, at + 1, b'\'')),
            b'0'..=b'9' => (Some(Kind::Other), number(bytes, at)),
            b'.' if next.is_some_and(|b| b.is_ascii_digit()) => (Some(Kind::Other), number(bytes, at)),
            b'?' | b'@' | b'#' | b':' | b'$' => (Some(Kind::Other), word(bytes, at + 1)),
            b if in_word(b) => (Some(Kind::Word), word(bytes, at)),
            b => (Some(Kind::Symbol(b)), at + 1),
        };
        out.extend(kind.map(|kind| Token { kind, start: at, end }));
        at = end;
    }
    out
}

fn in_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
}

fn word(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.iter().skip(from).take_while(|b| in_word(**b));
    from + rest.count()
}

/// Digits with a point, an exponent and its sign, or hexadecimal.
fn number(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let hex = matches!(bytes.get(from + 1), Some(b'x' | b'X'));
    while let Some(&b) = bytes.get(at) {
        let sign =
            matches!(b, b'+' | b'-') && !hex && matches!(bytes.get(at - 1), Some(b'e' | b'E')) && at > from;
        if !(in_word(b) || b == b'.' || sign) {
            break;
        }
        at += 1;
    }
    at
}

/// Behind the closing quote, which stands twice where it is meant itself; the end of the text where there is none.
fn quoted(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from + 1;
    while let Some(&b) = bytes.get(at) {
        if b == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Behind the next `what`, or the end of the text.
fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    match rest.windows(what.len()).position(|w| w == what) {
        Some(i) => from + i + what.len(),
        None => bytes.len(),
    }
}

/// The name that a token stands for, without its quotes.
pub(crate) fn name(kind: Kind, text: &str) -> Option<String> {
    let close = match kind {
        Kind::Word => return Some(text.to_owned()),
        Kind::Other | Kind::Symbol(_) => return None,
        Kind::Quoted | Kind::Text => text.chars().next()?,
    };
    let inner = text.get(1..)?;
    Some(match close {
        '[' => inner.strip_suffix(']').unwrap_or(inner).to_owned(),
        quote => {
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            let twice: String = [quote, quote].iter().collect();
            inner.replace(&twice, &quote.to_string())
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::introspect::token::{Kind, name, tokens};

    fn split(sql: &str) -> Vec<&str> {
        tokens(sql).iter().map(|t| &sql[t.start..t.end]).collect()
    }

    #[test]
    fn every_kind_of_token() {
        let sql = "a\"b\"\"c\"[d e]`f``g`'h''i' x'00' -- (\n/* ) */ 1.5e-3+.5 0x1F-2 ?1 :n ünï<=1";
        assert_eq!(
            split(sql),
            [
                "a",
                "\"b\"\"c\"",
                "[d e]",
                "`f``g`",
                "'h''i'",
                "x'00'",
                "1.5e-3",
                "+",
                ".5",
                "0x1F",
                "-",
                "2",
                "?1",
                ":n",
                "ünï",
                "<",
                "=",
                "1"
            ]
        );
        let names: Vec<_> = tokens(sql)
            .iter()
            .filter_map(|t| name(t.kind, &sql[t.start..t.end]))
            .collect();
        assert_eq!(names, ["a", "b\"c", "d e", "f`g", "h'i", "ünï"]);
    }

    #[test]
    fn what_is_not_closed_goes_to_the_end() {
        for sql in [
            "'a", "\"a", "[a", "`a", "/* a", "-- a", "x'a", "'", "\"", "[", "'''",
        ] {
            assert!(split(sql).len() <= 1, "{sql}");
        }
        assert_eq!(name(Kind::Quoted, "\""), Some(String::new()));
    }
}
