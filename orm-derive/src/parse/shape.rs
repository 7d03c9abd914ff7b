//! `#[derive(Shape)]`, as written.

use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{DeriveInput, Expr, Ident, Path, Token, Type};

use crate::attr::{self, Body, Item, Place, Raw, SHAPES};
use crate::ctxt::Ctxt;
use crate::parse::{named_fields, path, path_without_self, plain};
use crate::ty;

/// A struct that is read from the rows of a model.
pub(crate) struct Shape {
    pub(crate) ident: Ident,
    pub(crate) model: Path,
    pub(crate) krate: Option<Path>,
    pub(crate) fields: Vec<ShapeField>,
}

pub(crate) struct ShapeField {
    pub(crate) ident: Ident,
    /// With `Self` written out.
    pub(crate) ty: Type,
    pub(crate) from: From,
}

/// What fills a field.
pub(crate) enum From {
    /// The column of this name.
    Column(Ident),
    /// An expression over the model's columns.
    Expr(Expr),
    /// How many related rows there are, or how many of them meet a condition.
    Count(Ident, Option<Expr>),
    /// An aggregate of related rows.
    Aggregate(Ident, Expr),
    /// Related rows.
    Relation(Relation),
}

pub(crate) struct Relation {
    pub(crate) name: Ident,
    /// What narrows the load, as methods of it: `limit` with `5`.
    pub(crate) calls: Vec<(Ident, Option<Expr>)>,
    /// The columns that are loaded instead of shapes.
    pub(crate) select: Option<Expr>,
}

impl ShapeField {
    pub(crate) fn relation(&self) -> Option<&Relation> {
        match &self.from {
            From::Relation(relation) => Some(relation),
            From::Column(_) | From::Expr(_) | From::Count(..) | From::Aggregate(..) => None,
        }
    }
}

/// Reads a shape. Nothing comes back when the item is no struct with named fields, or names no model.
pub(crate) fn shape(cx: &Ctxt, input: &DeriveInput) -> Option<Shape> {
    let fields = named_fields(cx, input, "Shape")?;
    let (model, krate) = model(cx, input)?;
    if fields.named.is_empty() {
        cx.error(&input.ident, "a shape without fields reads nothing");
    }
    let fields = fields.named.iter().filter_map(|f| field(cx, &input.ident, f));
    Some(Shape {
        ident: input.ident.clone(),
        model,
        krate,
        fields: fields.collect(),
    })
}

/// `#[shape(User)]`, `#[shape(User, crate = path)]`
fn model(cx: &Ctxt, input: &DeriveInput) -> Option<(Path, Option<Path>)> {
    let mut items = input
        .attrs
        .iter()
        .filter_map(|attribute| attr::beside(cx, SHAPES, attribute, Place::Shape));
    let before = cx.count();
    let Some(item) = items.next() else {
        if cx.count() == before {
            let message = "a shape names the model whose rows it is read from: `#[shape(User)]`";
            cx.error(&input.ident, message);
        }
        return None;
    };
    if let Some(second) = items.next() {
        cx.error(&second, "a shape is read from the rows of one model");
    }
    let parser = |input: ParseStream<'_>| {
        let model = input.call(Path::parse_mod_style)?;
        let options = match input.parse::<Option<Token![,]>>()? {
            Some(_) => input.parse()?,
            None => proc_macro2::TokenStream::new(),
        };
        Ok((model, options))
    };
    let Ok((model, options)) = parser.parse2(item.list()) else {
        cx.error(&item, item.attr.usage());
        return None;
    };
    let options = attr::options(cx, item.attr, attr::split(cx, options));
    let krate = options.first().and_then(|option| match &option.body {
        Body::Equals(value) => path(cx, value, "`crate = my_crate::orm`"),
        Body::Flag | Body::List(_) => {
            cx.error(option, "expected a path: `crate = my_crate::orm`");
            None
        }
    });
    Some((path_without_self(model, &input.ident), krate))
}

fn field(cx: &Ctxt, shape: &Ident, original: &syn::Field) -> Option<ShapeField> {
    let ident = original.ident.clone()?;
    let items: Vec<Item> = original
        .attrs
        .iter()
        .filter_map(|attribute| attr::beside(cx, SHAPES, attribute, Place::ShapeField))
        .collect();
    if let Some(second) = items.get(1) {
        let (first, second_name) = (items[0].attr.name, second.attr.name);
        let message = format!("`#[{second_name}]` beside `#[{first}]`: one thing fills a field");
        cx.error(second, message);
    }
    let from = match items.first() {
        None => Some(From::Column(ident.clone())),
        Some(item) => from(cx, item, &ident),
    };
    let field = ShapeField {
        ty: ty::without_self(&original.ty, shape),
        ident,
        from: from?,
    };
    let holds_shapes = field.relation().is_some_and(|relation| relation.select.is_none());
    if holds_shapes && ty::mentions(field.ty.to_token_stream(), &shape.to_string()) {
        let message = "a shape that holds itself would be read without end: let it hold another one";
        cx.error(&original.ty, message);
        return None;
    }
    Some(field)
}

fn from(cx: &Ctxt, item: &Item, field: &Ident) -> Option<From> {
    match item.attr.name {
        "col" => read(cx, item, |input| Ok(From::Column(input.call(word)?))),
        "expr" => read(cx, item, |input| Ok(From::Expr(input.parse()?))),
        "agg" => read(cx, item, |input| {
            let relation = input.call(word)?;
            input.parse::<Token![,]>()?;
            Ok(From::Aggregate(relation, input.parse()?))
        }),
        "count" => {
            let (name, options) = named(cx, item);
            let Some(name) = name else {
                cx.error(item, item.attr.usage());
                return None;
            };
            let filter = options.into_iter().find_map(|option| value(cx, item, option));
            Some(From::Count(name, filter))
        }
        "rel" => Some(From::Relation(relation(cx, item, field))),
        other => {
            crate::parse::unread(cx, item, other);
            None
        }
    }
}

/// A name, also a raw one.
fn word(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.parse()
}

/// What the parentheses hold, or how the attribute is written.
fn read<T>(cx: &Ctxt, item: &Item, parse: impl Fn(ParseStream<'_>) -> syn::Result<T>) -> Option<T> {
    let parser = |input: ParseStream<'_>| {
        let read = parse(input)?;
        input.parse::<Option<Token![,]>>()?;
        Ok(read)
    };
    let read = parser.parse2(item.list()).ok();
    if read.is_none() {
        cx.error(item, item.attr.usage());
    }
    read
}

/// Options of relations that take no value.
const FLAGS: [&str; 4] = ["with_deleted", "only_deleted", "live", "joined"];

/// The relation that is named first, if any, and the options.
fn named(cx: &Ctxt, item: &Item) -> (Option<Ident>, Vec<Raw>) {
    let mut all = attr::split(cx, item.list());
    let is_name = |raw: &Raw| matches!(raw.body, Body::Flag) && !FLAGS.contains(&plain(&raw.name).as_str());
    let name = all.first().is_some_and(is_name).then(|| all.remove(0).name);
    (name, attr::options(cx, item.attr, all))
}

/// The value of an option that has one.
fn value(cx: &Ctxt, item: &Item, option: Raw) -> Option<Expr> {
    match option.body {
        Body::Equals(value) => Some(value),
        Body::Flag | Body::List(_) => {
            cx.error(&option, item.attr.usage());
            None
        }
    }
}

fn relation(cx: &Ctxt, item: &Item, field: &Ident) -> Relation {
    let (name, options) = named(cx, item);
    let mut relation = Relation {
        name: name.unwrap_or_else(|| field.clone()),
        calls: Vec::new(),
        select: None,
    };
    for option in options {
        let name = option.name.clone();
        match (plain(&name).as_str(), &option.body) {
            (word, Body::Flag) if FLAGS.contains(&word) => relation.calls.push((name, None)),
            (word, _) if FLAGS.contains(&word) => cx.error(&option, item.attr.usage()),
            ("select", _) => relation.select = value(cx, item, option),
            (word, _) => {
                let word = if word == "order" { "order_by" } else { word };
                let method = Ident::new(word, name.span());
                relation
                    .calls
                    .extend(value(cx, item, option).map(|value| (method, Some(value))));
            }
        }
    }
    relation
}

impl Shape {
    /// Whether other statements load a part of it.
    pub(crate) fn loads(&self) -> bool {
        self.fields.iter().any(|field| field.relation().is_some())
    }
}
