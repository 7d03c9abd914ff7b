//! `unique(...)`, `index(...)` and `check(...)` on the struct, as written.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Token};

use crate::attr::{self, Attr, Body, Item, Raw, ungroup};
use crate::ctxt::Ctxt;
use crate::parse::{FieldPath, plain, push_path_once};
use crate::suggest;

/// `unique(a, b, where = "..", name = "..")`.
pub(crate) struct Unique {
    pub(crate) span: Span,
    pub(crate) columns: Vec<FieldPath>,
    pub(crate) predicate: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
}

/// `index(a, b.desc(), "lower(email)", where = "..", unique, include(c), method = gin, with = "..", name = "..")`.
pub(crate) struct Index {
    pub(crate) span: Span,
    pub(crate) parts: Vec<Part>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<LitStr>,
    pub(crate) include: Vec<FieldPath>,
    pub(crate) method: Option<Method>,
    pub(crate) storage: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
}

impl Index {
    /// The fields it sorts by.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &FieldPath> {
        self.parts.iter().filter_map(|part| match &part.key {
            PartKey::Column(name) => Some(name),
            PartKey::Expression(_) => None,
        })
    }
}

/// How an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    BTree,
    Hash,
    Gin,
    Gist,
    SpGist,
    Hnsw,
    IvfFlat,
    Brin,
}

const METHODS: [(&str, Method); 8] = [
    ("btree", Method::BTree),
    ("hash", Method::Hash),
    ("gin", Method::Gin),
    ("gist", Method::Gist),
    ("spgist", Method::SpGist),
    ("hnsw", Method::Hnsw),
    ("ivfflat", Method::IvfFlat),
    ("brin", Method::Brin),
];

/// What an index sorts by.
pub(crate) struct Part {
    pub(crate) key: PartKey,
    pub(crate) op_class: Option<LitStr>,
    pub(crate) descending: bool,
    /// `Some(true)`: NULLs come first. `None`: where the database puts them.
    pub(crate) nulls_first: Option<bool>,
}

pub(crate) enum PartKey {
    Column(FieldPath),
    Expression(LitStr),
}

/// `check("price > 0", name = "..")`.
pub(crate) struct Check {
    pub(crate) sql: LitStr,
    pub(crate) name: Option<LitStr>,
}

pub(crate) fn unique(cx: &Ctxt, item: &Item) -> Option<Unique> {
    let before = cx.count();
    let (entries, options) = entries(cx, item);
    let mut unique = Unique {
        span: item.span(),
        columns: Vec::new(),
        predicate: None,
        name: None,
    };
    for part in entries {
        match part.key {
            PartKey::Column(name)
                if !part.descending && part.nulls_first.is_none() && part.op_class.is_none() =>
            {
                push_path_once(cx, &mut unique.columns, name);
            }
            PartKey::Column(name) => cx.error(
                name.head,
                "a unique constraint has no order: use `index(.., unique)`",
            ),
            PartKey::Expression(sql) => {
                cx.error(
                    sql,
                    "a unique constraint is over fields; for expressions: `index(.., unique)`",
                );
            }
        }
    }
    for option in options {
        match (plain(&option.name).as_str(), &option.body) {
            ("where", Body::Equals(value)) => {
                unique.predicate = attr::text(cx, value, "`where = \"published\"`")
            }
            ("name", Body::Equals(value)) => unique.name = attr::text(cx, value, "`name = \"uq_name\"`"),
            _ => cx.error(&option, format!("`{}` needs a string", plain(&option.name))),
        }
    }
    if unique.columns.is_empty() && cx.count() == before {
        cx.error(item, item.attr.usage());
    }
    (!unique.columns.is_empty()).then_some(unique)
}

pub(crate) fn index(cx: &Ctxt, item: &Item) -> Option<Index> {
    let before = cx.count();
    let (parts, options) = entries(cx, item);
    let mut index = Index {
        span: item.span(),
        parts,
        unique: false,
        predicate: None,
        include: Vec::new(),
        method: None,
        storage: None,
        name: None,
    };
    for option in &options {
        index_option(cx, &mut index, option);
    }
    if index.parts.is_empty() && cx.count() == before {
        cx.error(item, item.attr.usage());
    }
    (!index.parts.is_empty()).then_some(index)
}

fn index_option(cx: &Ctxt, index: &mut Index, option: &Raw) {
    match (plain(&option.name).as_str(), &option.body) {
        ("where", Body::Equals(value)) => index.predicate = attr::text(cx, value, "`where = \"published\"`"),
        ("name", Body::Equals(value)) => index.name = attr::text(cx, value, "`name = \"ix_name\"`"),
        ("with", Body::Equals(value)) => {
            index.storage = attr::text(cx, value, "`with = \"fillfactor = 70\"`")
        }
        ("unique", Body::Flag) => index.unique = true,
        ("include", Body::List(group)) => {
            for path in cx.take(included.parse2(group.stream())).into_iter().flatten() {
                push_path_once(cx, &mut index.include, path);
            }
        }
        ("method", Body::Equals(syn::Expr::Path(path))) if path.path.get_ident().is_some() => {
            index.method = path.path.get_ident().and_then(|word| method(cx, word));
        }
        (name, _) => {
            let form = match name {
                "include" => "include(title)",
                "method" => "method = gin",
                "unique" => "unique",
                "where" => "where = \"published\"",
                "with" => "with = \"fillfactor = 70\"",
                _ => "name = \"ix_name\"",
            };
            cx.error(option, format!("`{name}` is written `{form}`"));
        }
    }
}

fn included(input: ParseStream<'_>) -> syn::Result<Vec<FieldPath>> {
    let mut paths = Vec::new();
    while !input.is_empty() {
        let usage = "`include` takes names of fields: `include(title)`";
        paths.push(path(input).map_err(|e| syn::Error::new(e.span(), usage))?);
        if !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
            return Err(input.error(usage));
        }
    }
    Ok(paths)
}

/// Reads `home.city`, and stops before an order such as `.desc()`.
fn path(input: ParseStream<'_>) -> syn::Result<FieldPath> {
    let head = input.call(Ident::parse_any)?;
    let mut rest = Vec::new();
    while input.peek(Token![.]) && input.peek2(Ident::peek_any) && !input.peek3(syn::token::Paren) {
        input.parse::<Token![.]>()?;
        rest.push(input.call(Ident::parse_any)?);
    }
    Ok(FieldPath { head, rest })
}

fn method(cx: &Ctxt, word: &Ident) -> Option<Method> {
    let name = plain(word);
    let found = METHODS.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let known = suggest::list(METHODS.iter().map(|(known, _)| *known));
        cx.error(
            word,
            format!("`method` does not know `{name}`, expected one of {known}"),
        );
    }
    found.map(|(_, method)| *method)
}

pub(crate) fn check(cx: &Ctxt, item: &Item) -> Option<Check> {
    let parser = |input: ParseStream<'_>| {
        let sql = input.parse::<LitStr>()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((sql, input.parse()?))
    };
    let Ok((sql, rest)) = parser.parse2(item.list()) else {
        cx.error(item, item.attr.usage());
        return None;
    };
    let mut name = None;
    for option in attr::options(cx, item.attr, attr::split(cx, rest)) {
        match &option.body {
            Body::Equals(value) => name = attr::text(cx, value, "`name = \"ck_name\"`"),
            Body::Flag | Body::List(_) => cx.error(&option, "`name` needs a string"),
        }
    }
    if sql.value().trim().is_empty() {
        cx.error(sql, "this string is empty");
        return None;
    }
    Some(Check { sql, name })
}

/// Tells what is sorted by from what is said about it.
fn entries(cx: &Ctxt, item: &Item) -> (Vec<Part>, Vec<Raw>) {
    let parser = |input: ParseStream<'_>| {
        let (mut parts, mut options) = (Vec::new(), Vec::new());
        while !input.is_empty() {
            let entry = if is_option(input, item.attr) {
                option(input).map(|raw| options.push(raw))
            } else {
                part(input).map(|part| parts.push(part))
            };
            if let Err(error) = entry {
                cx.push(error);
                attr::skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok((parts, options))
    };
    let (parts, options) = cx.take(parser.parse2(item.list())).unwrap_or_default();
    (parts, attr::options(cx, item.attr, options))
}

/// An option has a value; `unique` alone is one too, so a field of that name is written `r#unique`.
fn is_option(input: ParseStream<'_>, attr: &Attr) -> bool {
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else {
        return false;
    };
    let valued = ahead.peek(Token![=]) || ahead.peek(syn::token::Paren);
    let flag = name == "unique" && attr.options.contains(&"unique") && !ahead.peek(Token![.]);
    valued || flag || name == "where"
}

fn option(input: ParseStream<'_>) -> syn::Result<Raw> {
    let name = input.call(Ident::parse_any)?;
    let body = if input.peek(syn::token::Paren) {
        Body::List(input.parse()?)
    } else if input.parse::<Option<Token![=]>>()?.is_some() {
        Body::Equals(ungroup(&input.parse()?).clone())
    } else {
        Body::Flag
    };
    Ok(Raw { name, body })
}

fn part(input: ParseStream<'_>) -> syn::Result<Part> {
    let key = if input.peek(LitStr) {
        PartKey::Expression(input.parse()?)
    } else if input.peek(Ident::peek_any) {
        PartKey::Column(path(input)?)
    } else {
        return Err(input.error("expected a field or an SQL expression in quotes"));
    };
    let mut part = Part {
        key,
        op_class: None,
        descending: false,
        nulls_first: None,
    };
    while input.parse::<Option<Token![.]>>()?.is_some() {
        let method: Ident = input.parse()?;
        let arguments;
        syn::parenthesized!(arguments in input);
        match method.to_string().as_str() {
            "desc" => part.descending = true,
            "asc" => part.descending = false,
            "nulls_first" => part.nulls_first = Some(true),
            "nulls_last" => part.nulls_first = Some(false),
            "op_class" => part.op_class = Some(syn::parse2(arguments.parse()?)?),
            other => return Err(syn::Error::new(method.span(), unknown_word(other))),
        }
        if !arguments.is_empty() {
            return Err(arguments.error("no arguments are expected here"));
        }
    }
    if let PartKey::Expression(sql) = &part.key
        && (part.descending || part.nulls_first.is_some())
    {
        let message =
            "an SQL expression has no order here: order by fields, or index the expression as it is";
        return Err(syn::Error::new(sql.span(), message));
    }
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(part);
    }
    Err(input.error("expected `,`, or an order such as `.desc()`"))
}

fn unknown_word(word: &str) -> String {
    format!(
        "`{word}` is unknown in an index, expected one of `asc`, `desc`, `nulls_first`, `nulls_last`, `op_class(\"..\")`"
    )
}
