//! Names inside SQL texts, found word by word: strings and comments are left alone.

/// Whether the text names this object.
pub(crate) fn mentions(sql: &str, name: &str) -> bool {
    let mut found = false;
    walk(sql, |word, _| found |= same(word, name));
    found
}

/// The text with one name in the place of another.
pub(crate) fn renamed(sql: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut copied = 0;
    walk(sql, |word, at| {
        if same(word, from) {
            out.push_str(&sql[copied..at]);
            out.push_str(&quoted(to));
            copied = at + word.len();
        }
    });
    out.push_str(&sql[copied..]);
    out
}

/// A name in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A bare word is folded to small letters, as both databases compare it; a quoted one is taken as it is.
fn same(word: &str, name: &str) -> bool {
    match word.strip_prefix('"').and_then(|w| w.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\"") == name,
        None => word.eq_ignore_ascii_case(name),
    }
}

/// Shows every name, with where it begins.
fn walk(sql: &str, mut see: impl FnMut(&str, usize)) {
    let bytes = sql.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let start = i;
        match bytes[i] {
            b'\'' => i = past(bytes, i, b'\''),
            b'"' => {
                i = past(bytes, i, b'"');
                see(&sql[start..i], start);
            }
            b'-' if bytes.get(i + 1) == Some(&b'-') => {
                i = sql[i..].find('\n').map_or(bytes.len(), |n| i + n);
            }
            b'/' if bytes.get(i + 1) == Some(&b'*') => {
                i = sql[i + 2..].find("*/").map_or(bytes.len(), |n| i + n + 4);
            }
            b if b == b'_' || b.is_ascii_alphabetic() || b >= 0x80 => {
                while i < bytes.len() && is_word(bytes[i]) {
                    i += 1;
                }
                see(&sql[start..i], start);
            }
            // a number and what hangs on it
            b if b.is_ascii_digit() => {
                while i < bytes.len() && is_word(bytes[i]) {
                    i += 1;
                }
            }
            _ => i += 1,
        }
    }
}

fn is_word(b: u8) -> bool {
    b == b'_' || b == b'$' || b.is_ascii_alphanumeric() || b >= 0x80
}

/// Behind the closing quote; a doubled one is part of the text.
fn past(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut i = start + 1;
    while i < bytes.len() {
        if bytes[i] == quote {
            if bytes.get(i + 1) != Some(&quote) {
                return i + 1;
            }
            i += 1;
        }
        i += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use crate::words::{mentions, renamed};

    #[test]
    fn names_are_found_where_they_are_names() {
        for (sql, name, found) in [
            ("age > 0", "age", true),
            ("AGE > 0", "age", true),
            ("\"Age\" > 0", "age", false),
            ("\"Age\" > 0", "Age", true),
            ("page > 0", "age", false),
            ("x = 'age'", "age", false),
            ("x = 'it''s age' -- age", "age", false),
            ("/* age */ 1age", "age", false),
            ("t.\"we\"\"ird\"", "we\"ird", true),
            ("'unfinished", "unfinished", false),
        ] {
            assert_eq!(mentions(sql, name), found, "{sql}");
        }
    }

    #[test]
    fn names_are_replaced_and_nothing_else() {
        let sql = "(age > 0) AND note <> 'age' AND \"age\" < 200";
        let expected = "(\"years\" > 0) AND note <> 'age' AND \"years\" < 200";
        assert_eq!(renamed(sql, "age", "years"), expected);
        assert_eq!(renamed("ägé", "x", "y"), "ägé");
    }
}
