//! `sql!("..")`: the text cut into SQL and values. Values become bind parameters, so nothing a user puts between
//! braces is ever read as SQL.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, LitStr, Token};

use crate::attr::ungroup;
use crate::ctxt::Ctxt;

/// The statement, as written.
pub(crate) struct Sql {
    pub(crate) pieces: Vec<Piece>,
}

/// Two texts never follow each other.
pub(crate) enum Piece {
    Text(String),
    /// `{value}`: one parameter.
    Value(Expr),
    /// `{..values}`: as many parameters as the list has, with commas.
    List(Expr),
}

const NEEDS_LITERAL: &str =
    "`sql!` needs a string literal; put values into it as `{value}`, they become bind parameters";

/// Reads the argument of `sql!`.
pub(crate) fn sql(cx: &Ctxt, tokens: TokenStream) -> Option<Sql> {
    let literal = literal(cx, tokens)?;
    let pieces = pieces(cx, &literal);
    let text = |piece: &Piece| matches!(piece, Piece::Text(text) if !text.trim().is_empty());
    if !pieces.iter().any(text) {
        cx.error(&literal, "this statement is empty");
    }
    Some(Sql { pieces })
}

/// Reads the arguments of `raw_expr!`: a type, and the expression.
pub(crate) fn raw_expr(cx: &Ctxt, tokens: TokenStream) -> Option<(syn::Type, Sql)> {
    let parser = |input: ParseStream<'_>| {
        let ty: syn::Type = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((ty, input.parse::<LitStr>()?, input.parse::<Option<Token![,]>>()?))
    };
    let Ok((ty, literal, _)) = parser.parse2(tokens) else {
        cx.error_at(
            proc_macro2::Span::call_site(),
            "`raw_expr!` needs a type and a string literal, as in `raw_expr!(i64, \"length({p.title})\")`",
        );
        return None;
    };
    let pieces = pieces(cx, &literal);
    Some((ty, Sql { pieces }))
}

fn literal(cx: &Ctxt, tokens: TokenStream) -> Option<LitStr> {
    if tokens.is_empty() {
        cx.error_at(proc_macro2::Span::call_site(), NEEDS_LITERAL);
        return None;
    }
    let parser = |input: ParseStream<'_>| {
        let first: Expr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok((first, input.parse::<TokenStream>()?))
    };
    let (first, rest) = match parser.parse2(tokens.clone()) {
        Ok(parsed) => parsed,
        Err(_) => {
            cx.error(tokens, NEEDS_LITERAL);
            return None;
        }
    };
    if !rest.is_empty() {
        cx.error(
            rest,
            "`sql!` takes one string literal; put values into it as `{value}`",
        );
    }
    match ungroup(&first) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => return Some(text.clone()),
            _ => cx.error(&first, NEEDS_LITERAL),
        },
        _ => cx.error(&first, NEEDS_LITERAL),
    }
    None
}

/// The text cut at its braces.
pub(crate) fn pieces(cx: &Ctxt, literal: &LitStr) -> Vec<Piece> {
    let source = literal.value();
    let mut scan = Scan {
        rest: &source,
        place: Place::Sql,
    };
    let (mut pieces, mut text) = (Vec::new(), String::new());
    while let Some(token) = scan.next() {
        match token {
            Lexeme::Text(c) => text.push(c),
            Lexeme::Placeholder(body) => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.extend(placeholder(cx, literal, body, scan.place));
            }
            Lexeme::Error(message) => {
                cx.error(literal, message);
                return Vec::from([Piece::Text(source.clone())]);
            }
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

fn placeholder(cx: &Ctxt, literal: &LitStr, body: &str, place: Place) -> Option<Piece> {
    let refuse = |message: String| {
        cx.error(literal, message);
        None
    };
    let body = body.trim();
    match place {
        Place::Text => {
            return refuse(format!(
                "`{{{body}}}` stands inside quotes, where it is text: drop the quotes, or write `{{{{`"
            ));
        }
        Place::Name => {
            return refuse(format!(
                "`{{{body}}}` stands inside the quotes of a name: drop them and put an `Ident` in, or write the name out"
            ));
        }
        Place::Comment | Place::LongComment => {
            return refuse(format!(
                "`{{{body}}}` stands in a comment: drop it, or write `{{{{`"
            ));
        }
        Place::Sql => {}
    }
    let (list, value) = match body.strip_prefix("..") {
        Some(value) => (true, value),
        None => (false, body),
    };
    if value.is_empty() {
        return refuse(format!(
            "`{{{body}}}` has no value: name it, as in `{{title}}`, or write `{{{{` for a brace"
        ));
    }
    let parsed = LitStr::new(value, literal.span()).parse::<Expr>();
    match parsed {
        Ok(Expr::Lit(_)) => refuse(format!(
            "`{{{body}}}` is a constant: write it into the SQL, or name a variable"
        )),
        Ok(value) if list => Some(Piece::List(value)),
        Ok(value) => Some(Piece::Value(value)),
        Err(_) => refuse(format!(
            "`{{{body}}}` is no Rust expression; for a brace write `{{{{` and `}}}}`"
        )),
    }
}

/// Where in the SQL the scan is; a parameter is possible in plain SQL only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Sql,
    /// `'..'`
    Text,
    /// `".."`
    Name,
    /// `-- ..`
    Comment,
    /// `/* .. */`
    LongComment,
}

enum Lexeme<'a> {
    Text(char),
    Placeholder(&'a str),
    Error(String),
}

struct Scan<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<Lexeme<'a>> {
        let first = self.rest.chars().next()?;
        match first {
            '{' | '}' if self.rest[1..].starts_with(first) => {
                self.rest = &self.rest[2..];
                Some(Lexeme::Text(first))
            }
            '{' => Some(self.braces()),
            '}' => Some(Lexeme::Error(
                "a `}` without its `{`; for a brace in the SQL write `}}`".to_owned(),
            )),
            other => {
                self.enter(other);
                self.rest = &self.rest[other.len_utf8()..];
                Some(Lexeme::Text(other))
            }
        }
    }

    fn enter(&mut self, c: char) {
        let after = &self.rest[c.len_utf8()..];
        self.place = match (self.place, c) {
            (Place::Sql, '\'') => Place::Text,
            (Place::Sql, '"') => Place::Name,
            (Place::Sql, '-') if after.starts_with('-') => Place::Comment,
            (Place::Sql, '/') if after.starts_with('*') => Place::LongComment,
            (Place::Text, '\'') | (Place::Name, '"') | (Place::Comment, '\n') => Place::Sql,
            (Place::LongComment, '*') if after.starts_with('/') => Place::Sql,
            (place, _) => place,
        };
    }

    /// The text up to the brace that closes the first; braces and quotes of the expression are its own.
    fn braces(&mut self) -> Lexeme<'a> {
        let body = &self.rest[1..];
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        for (i, c) in body.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted && depth > 0 => depth -= 1,
                '}' if !quoted => {
                    self.rest = &body[i + 1..];
                    return Lexeme::Placeholder(&body[..i]);
                }
                _ => {}
            }
        }
        Lexeme::Error("a `{` without its `}`; for a brace in the SQL write `{{`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::ctxt::Ctxt;
    use crate::sql::{NEEDS_LITERAL, Piece, sql};
    use quote::ToTokens;

    fn read(source: &str) -> Result<Vec<String>, Vec<String>> {
        let cx = Ctxt::new();
        let read = sql(&cx, source.parse().unwrap());
        cx.finish().map_err(|errors| {
            errors
                .into_iter()
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
        })?;
        let show = |piece: Piece| match piece {
            Piece::Text(text) => text,
            Piece::Value(value) => format!("<{}>", value.to_token_stream()),
            Piece::List(value) => format!("<..{}>", value.to_token_stream()),
        };
        Ok(read.unwrap().pieces.into_iter().map(show).collect())
    }

    #[test]
    fn values_and_lists() {
        let pieces =
            read(r#""select id from t where a = {a} and b in ({..list}) and c = {user.id}""#).unwrap();
        let expected = [
            "select id from t where a = ",
            "<a>",
            " and b in (",
            "<..list>",
            ") and c = ",
            "<user . id>",
        ];
        assert_eq!(pieces, expected);
        assert_eq!(
            read(r##"r#"select {f("}")}"#"##).unwrap(),
            ["select ", "<f (\"}\")>"]
        );
        assert_eq!(read(r#""select {a}{b}","#).unwrap(), ["select ", "<a>", "<b>"]);
    }

    #[test]
    fn doubled_braces_are_text() {
        let pieces = read(r#""select '{{\"a\": 1}}'::jsonb, {x}""#).unwrap();
        assert_eq!(pieces, ["select '{\"a\": 1}'::jsonb, ", "<x>"]);
    }

    #[test]
    fn quotes_and_comments_end() {
        let pieces = read(r#""select 'it''s' || {a} -- don't\n, /* it's */ {b}, \"n\".x""#).unwrap();
        assert_eq!(pieces.iter().filter(|piece| piece.starts_with('<')).count(), 2);
    }

    #[test]
    fn mistakes() {
        let one = |source: &str| read(source).unwrap_err().join("|");
        assert_eq!(one("query"), NEEDS_LITERAL);
        assert_eq!(one(""), NEEDS_LITERAL);
        assert_eq!(one("b\"x\""), NEEDS_LITERAL);
        assert_eq!(one("format!(\"x\")"), NEEDS_LITERAL);
        assert_eq!(
            one(r#""select ?", id"#),
            "`sql!` takes one string literal; put values into it as `{value}`"
        );
        assert_eq!(
            one(r#""select {}""#),
            "`{}` has no value: name it, as in `{title}`, or write `{{` for a brace"
        );
        assert_eq!(
            one(r#""select {a b}""#),
            "`{a b}` is no Rust expression; for a brace write `{{` and `}}`"
        );
        assert_eq!(
            one(r#""select {0}""#),
            "`{0}` is a constant: write it into the SQL, or name a variable"
        );
        assert_eq!(
            one(r#""select {a""#),
            "a `{` without its `}`; for a brace in the SQL write `{{`"
        );
        assert_eq!(
            one(r#""select a}""#),
            "a `}` without its `{`; for a brace in the SQL write `}}`"
        );
        assert_eq!(
            one(r#""select '{a}', \"{b}\"""#),
            "`{a}` stands inside quotes, where it is text: drop the quotes, or write `{{`|\
             `{b}` stands inside the quotes of a name: drop them and put an `Ident` in, or write the name out",
        );
        assert_eq!(one(r#""  ""#), "this statement is empty");
    }
}
