//! Patterns of text predicates: a bound text that is meant literally, written as a pattern.

use std::borrow::Cow;

use crate::ast::{Expr, TextOp};
use crate::error::{Error, ErrorKind, Result};
use crate::value::Value;

/// The text of a bound value.
pub fn bound(e: &Expr) -> Option<&str> {
    match e {
        Expr::Value(Value::Text(s)) => Some(s),
        Expr::Value(Value::Str(s)) => Some(s),
        _ => None,
    }
}

/// The LIKE pattern that finds `text` as `op` says, with `\` as the escape character.
pub fn like(op: TextOp, text: &str) -> Result<Cow<'_, str>> {
    let mut out = String::with_capacity(text.len() + 4);
    if matches!(op, TextOp::Like | TextOp::LikeNoCase) {
        check_pattern(text)?;
        return Ok(Cow::Borrowed(text));
    }
    if before(op) {
        out.push('%');
    }
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    if behind(op) {
        out.push('%');
    }
    Ok(Cow::Owned(out))
}

/// The GLOB pattern that finds `text` as `op` says; a LIKE pattern is translated.
pub fn glob(op: TextOp, text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len() + 4);
    if op == TextOp::Like {
        check_pattern(text)?;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => out.push('*'),
                '_' => out.push('?'),
                '\\' => out.extend(chars.next().map(glob_literal)),
                c => out.push_str(&glob_literal(c)),
            }
        }
        return Ok(out);
    }
    if before(op) {
        out.push('*');
    }
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[') {
            out.push_str(&glob_literal(c))
        } else {
            out.push(c)
        }
    }
    if behind(op) {
        out.push('*');
    }
    Ok(out)
}

fn glob_literal(c: char) -> String {
    match c {
        '*' | '?' | '[' => ['[', c, ']'].iter().collect(),
        c => c.to_string(),
    }
}

fn before(op: TextOp) -> bool {
    use TextOp::*;
    matches!(op, Contains | ContainsNoCase | EndsWith | EndsWithNoCase)
}
fn behind(op: TextOp) -> bool {
    use TextOp::*;
    matches!(op, Contains | ContainsNoCase | StartsWith | StartsWithNoCase)
}

/// Databases disagree on a pattern that ends with a lone escape character.
fn check_pattern(pattern: &str) -> Result<()> {
    let escapes = pattern.bytes().rev().take_while(|b| *b == b'\\').count();
    if escapes % 2 == 1 {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            "a LIKE pattern must not end with a single `\\`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ast::TextOp;
    use crate::sql::text::{glob, like};

    #[test]
    fn literal_texts_are_escaped() {
        assert_eq!(like(TextOp::Contains, r"50%_\").unwrap(), r"%50\%\_\\%");
        assert_eq!(like(TextOp::StartsWith, "a").unwrap(), "a%");
        assert_eq!(like(TextOp::EndsWithNoCase, "a").unwrap(), "%a");
        assert_eq!(glob(TextOp::StartsWith, "a*[b]?").unwrap(), "a[*][[]b][?]*");
    }
    #[test]
    fn like_patterns_become_glob_patterns() {
        assert_eq!(glob(TextOp::Like, r"a\%_%*\\").unwrap(), r"a%?*[*]\");
        assert!(glob(TextOp::Like, r"a\").is_err());
        assert!(like(TextOp::Like, r"a\\\").is_err());
    }
}
