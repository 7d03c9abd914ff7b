//! A field of a model, as written.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit, LitInt, LitStr, Path, Token, Type, UnOp};

use crate::attr::{self, Body, Item, Place, ungroup};
use crate::ctxt::Ctxt;
use crate::parse::relation::{self, Relation, RelationKind};
use crate::parse::{doc, krate, once, plain, unread};
use crate::ty;

/// A named field with its attributes. A `Span` is the place of a flag.
pub(crate) struct Field {
    pub(crate) original: syn::Field,
    pub(crate) ident: Ident,
    /// With `Self` written out.
    pub(crate) ty: Type,
    pub(crate) attrs: FieldAttrs,
}

#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) id: Option<Span>,
    pub(crate) unique: Option<Span>,
    pub(crate) index: Option<Span>,
    pub(crate) column: Option<LitStr>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) generated: Option<Generated>,
    pub(crate) check: Option<LitStr>,
    pub(crate) validate: Option<Path>,
    pub(crate) version: Option<Span>,
    pub(crate) json: Option<Span>,
    pub(crate) sensitive: Option<Span>,
    pub(crate) skip: Option<Span>,
    pub(crate) decimal: Option<Decimal>,
    /// Types in SQL with their dialect, which is empty for all.
    pub(crate) ty: Option<Vec<(String, LitStr)>>,
    pub(crate) embed: Option<Span>,
    pub(crate) prefix: Option<Prefix>,
    /// From `comment = ".."` or else the doc comment.
    pub(crate) comment: Option<String>,
}

/// Before the names of an embedded struct's columns.
pub(crate) struct Prefix {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// Where the value of an unset column comes from.
pub(crate) enum DefaultValue {
    /// A literal, known to the database as well.
    Literal(Expr),
    /// Calculated by the client for every row.
    Client(Expr),
    /// Calculated by the database.
    Sql(LitStr),
}

/// A column the database calculates.
pub(crate) struct Generated {
    pub(crate) sql: LitStr,
    pub(crate) stored: bool,
}

pub(crate) struct Decimal {
    pub(crate) span: Span,
    pub(crate) precision: u16,
    pub(crate) scale: u16,
}

impl Field {
    /// The name in Rust, without `r#`.
    pub(crate) fn name(&self) -> String {
        plain(&self.ident)
    }

    /// The type in `Option<..>`, if it is one.
    pub(crate) fn optional(&self) -> Option<&Type> {
        ty::option(&self.ty)
    }

    /// Where the attribute of this name stands, for those that exclude each other.
    pub(crate) fn place_of(&self, name: &str) -> Option<Span> {
        let a = &self.attrs;
        match name {
            "id" => a.id,
            "unique" => a.unique,
            "index" => a.index,
            "column" => a.column.as_ref().map(LitStr::span),
            "default" => a.default.as_ref().map(DefaultValue::span),
            "generated" => a.generated.as_ref().map(|g| g.sql.span()),
            "check" => a.check.as_ref().map(LitStr::span),
            "validate" => a.validate.as_ref().map(Spanned::span),
            "version" => a.version,
            "json" => a.json,
            "sensitive" => a.sensitive,
            "skip" => a.skip,
            "decimal" => a.decimal.as_ref().map(|d| d.span),
            "ty" => a.ty.as_ref()?.first().map(|(_, sql)| sql.span()),
            "embed" => a.embed,
            "prefix" => a.prefix.as_ref().map(|p| p.span),
            _ => None,
        }
    }
}

impl DefaultValue {
    fn span(&self) -> Span {
        match self {
            DefaultValue::Literal(value) | DefaultValue::Client(value) => first_span(value),
            DefaultValue::Sql(sql) => sql.span(),
        }
    }
}

fn first_span(value: &Expr) -> Span {
    let tokens: TokenStream = value.to_token_stream();
    tokens
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |tree| tree.span())
}

/// Reads a field of a model; its `#[belongs_to]` go to `relations`.
pub(crate) fn field(
    cx: &Ctxt,
    model: &Ident,
    original: &syn::Field,
    relations: &mut Vec<Relation>,
) -> Option<Field> {
    let ident = original.ident.clone()?;
    let mut key_of_any = None;
    for attribute in &original.attrs {
        if let Some(item) = attr::relation(cx, attribute, Place::Field)
            && let Some(relation) = relation::relation(cx, &item, model, Some(&ident))
        {
            if relation.kind == RelationKind::BelongsToAny {
                if !holds_key(cx, &original.ty, &relation) {
                    continue;
                }
                key_of_any = Some(relation.name.span());
            }
            relations.push(relation);
        }
    }
    let mut field = read(cx, model, original, ident, Place::Field);
    field.attrs.embed = field.attrs.embed.or(key_of_any);
    Some(field)
}

/// A field with a discriminator and its key has the type that `#[derive(Polymorphic)]` made for it.
fn holds_key(cx: &Ctxt, ty: &Type, relation: &Relation) -> bool {
    let (name, target) = (plain(&relation.name), plain(relation.target_name()));
    let expected = format!("{target}Id");
    let holds = ty::word(ty::option(ty).unwrap_or(ty)).is_some_and(|word| word == expected);
    if !holds {
        let fix = format!("make it a `{expected}`, or an `Option<{expected}>`");
        cx.error(ty, format!("`{name}` is a discriminator and a key: {fix}"));
    }
    holds
}

/// Reads a field of an embedded struct.
pub(crate) fn part(cx: &Ctxt, owner: &Ident, original: &syn::Field) -> Option<Field> {
    let ident = original.ident.clone()?;
    Some(read(cx, owner, original, ident, Place::Part))
}

fn read(cx: &Ctxt, owner: &Ident, original: &syn::Field, ident: Ident, place: Place) -> Field {
    let mut attrs = FieldAttrs::default();
    let mut comment = None;
    for attribute in original
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("orm"))
    {
        for item in attr::items(cx, attribute, place) {
            option(cx, &mut attrs, &mut comment, &item);
        }
    }
    attrs.comment = comment
        .map(|text: LitStr| text.value())
        .or_else(|| doc(&original.attrs));
    let ty = ty::without_self(&original.ty, owner);
    Field {
        original: original.clone(),
        ident,
        ty,
        attrs,
    }
}

fn option(cx: &Ctxt, attrs: &mut FieldAttrs, comment: &mut Option<LitStr>, item: &Item) {
    match item.attr.name {
        "id" => once(cx, &mut attrs.id, item, Some(item.span())),
        "unique" => once(cx, &mut attrs.unique, item, Some(item.span())),
        "index" => once(cx, &mut attrs.index, item, Some(item.span())),
        "version" => once(cx, &mut attrs.version, item, Some(item.span())),
        "json" => once(cx, &mut attrs.json, item, Some(item.span())),
        "sensitive" => once(cx, &mut attrs.sensitive, item, Some(item.span())),
        "skip" => once(cx, &mut attrs.skip, item, Some(item.span())),
        "column" => once(cx, &mut attrs.column, item, item.text(cx)),
        "check" => once(cx, &mut attrs.check, item, item.text(cx)),
        "comment" => once(cx, comment, item, item.text(cx)),
        "validate" => once(cx, &mut attrs.validate, item, krate(cx, item)),
        "default" => once(cx, &mut attrs.default, item, default(cx, item)),
        "generated" => once(cx, &mut attrs.generated, item, generated(cx, item)),
        "decimal" => once(cx, &mut attrs.decimal, item, decimal(cx, item)),
        "ty" => once(cx, &mut attrs.ty, item, types(cx, item)),
        "embed" => once(cx, &mut attrs.embed, item, Some(item.span())),
        "prefix" => once(cx, &mut attrs.prefix, item, prefix(cx, item)),
        other => unread(cx, item, other),
    }
}

fn default(cx: &Ctxt, item: &Item) -> Option<DefaultValue> {
    if let Body::Equals(value) = &item.raw.body {
        let literal = is_literal(value);
        let value = ungroup(value).clone();
        return Some(if literal {
            DefaultValue::Literal(value)
        } else {
            DefaultValue::Client(value)
        });
    }
    let sql = item
        .options(cx)
        .into_iter()
        .find_map(|option| sql_option(cx, item, &option));
    if sql.is_none() && item.list().is_empty() {
        cx.error(item, item.attr.usage());
    }
    sql.map(DefaultValue::Sql)
}

/// `1`, `-1`, `"x"`, `false`; not the byte and C strings.
fn is_literal(value: &Expr) -> bool {
    match ungroup(value) {
        Expr::Lit(lit) => matches!(lit.lit, Lit::Str(_) | Lit::Int(_) | Lit::Float(_) | Lit::Bool(_)),
        Expr::Unary(unary) => {
            let number =
                matches!(ungroup(&unary.expr), Expr::Lit(l) if matches!(l.lit, Lit::Int(_) | Lit::Float(_)));
            matches!(unary.op, UnOp::Neg(_)) && number
        }
        _ => false,
    }
}

fn sql_option(cx: &Ctxt, item: &Item, option: &attr::Raw) -> Option<LitStr> {
    match &option.body {
        Body::Equals(value) if option.name == "sql" => attr::text(cx, value, &item.attr.usage()),
        _ => None,
    }
}

fn generated(cx: &Ctxt, item: &Item) -> Option<Generated> {
    if let Body::Equals(_) = &item.raw.body {
        return item.text(cx).map(|sql| Generated { sql, stored: true });
    }
    let options = item.options(cx);
    let stored = !options.iter().any(|option| option.name == "virtual");
    let sql = options.iter().find_map(|option| sql_option(cx, item, option));
    if sql.is_none() {
        cx.error(
            item,
            "`generated` needs its expression: `generated(sql = \"price * amount\", virtual)`",
        );
    }
    sql.map(|sql| Generated { sql, stored })
}

fn types(cx: &Ctxt, item: &Item) -> Option<Vec<(String, LitStr)>> {
    if let Body::Equals(_) = &item.raw.body {
        return item.text(cx).map(|sql| vec![(String::new(), sql)]);
    }
    let before = cx.count();
    let mut types = Vec::new();
    for option in item.options(cx) {
        match &option.body {
            Body::Equals(value) => {
                let sql = attr::text(cx, value, "`ty(postgres = \"citext\")`");
                types.extend(sql.map(|sql| (plain(&option.name), sql)));
            }
            Body::Flag | Body::List(_) => cx.error(&option, "expected a string: `ty(postgres = \"citext\")`"),
        }
    }
    if types.is_empty() && cx.count() == before {
        cx.error(item, item.attr.usage());
    }
    (!types.is_empty()).then_some(types)
}

/// A bare word or a string, which alone can be empty.
fn prefix(cx: &Ctxt, item: &Item) -> Option<Prefix> {
    let Body::Equals(value) = &item.raw.body else {
        return None;
    };
    let text = match ungroup(value) {
        Expr::Path(path) => path.path.get_ident().map(plain),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    if text.is_none() {
        cx.error(value, item.attr.usage());
    }
    text.map(|text| Prefix {
        span: item.span(),
        text,
    })
}

fn decimal(cx: &Ctxt, item: &Item) -> Option<Decimal> {
    let parser = |input: ParseStream<'_>| {
        let precision: LitInt = input.parse()?;
        input.parse::<Token![,]>()?;
        let scale: LitInt = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok((precision.base10_parse()?, scale.base10_parse()?))
    };
    match parser.parse2(item.list()) {
        Ok((precision, scale)) => Some(Decimal {
            span: item.span(),
            precision,
            scale,
        }),
        Err(_) => {
            cx.error(item, item.attr.usage());
            None
        }
    }
}
