//! First room: from `syn`'s tree to what the user wrote down about a model, field by field. Each mistake that can
//! be seen in one attribute alone is reported here; what needs a second look elsewhere is the work of `check`.

pub(crate) mod base;
pub(crate) mod db_enum;
pub(crate) mod field;
pub(crate) mod index;
pub(crate) mod polymorphic;
pub(crate) mod relation;
pub(crate) mod scalar;
pub(crate) mod shape;

use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, FieldsNamed, Ident, Lit, LitStr, Meta, Path, Token, Type,
    Visibility,
};

use crate::attr::{self, Body, Item, Place, Raw, ungroup};
use crate::ctxt::Ctxt;
use crate::name::Case;
use crate::parse::field::Field;
use crate::parse::index::{Check, Index, Unique};
use crate::parse::relation::Relation;
use crate::suggest;
use crate::ty;

/// A struct with `#[derive(Model)]`, as written.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) options: Options,
    pub(crate) fields: Vec<Field>,
    /// In the order of the text: those of the struct, then those of the fields.
    pub(crate) relations: Vec<Relation>,
    /// Of an enum, whose `fields` are those that all variants have.
    pub(crate) variants: Vec<Variant>,
    /// No variant was refused.
    pub(crate) is_whole: bool,
}

/// A variant with its model.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) model: Path,
}

/// What `#[orm(...)]` on the struct says. A `Span` is the place of a flag.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) table: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
    /// `id(a, b)`.
    pub(crate) key: Option<Vec<Ident>>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<Check>,
    pub(crate) search: Option<Search>,
    /// `validate = consistent`.
    pub(crate) validators: Vec<Path>,
    pub(crate) hooks: Option<Span>,
    pub(crate) audit_trail: Option<Trail>,
    pub(crate) history: Option<Span>,
    pub(crate) append_only: Option<Span>,
    pub(crate) hash_chain: Option<Span>,
    pub(crate) timestamps: Option<Span>,
    pub(crate) soft_delete: Option<Span>,
    pub(crate) audit: Option<Audit>,
    pub(crate) tenant: Option<Ident>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) debug: Option<Span>,
    pub(crate) view: Option<View>,
    pub(crate) materialized: Option<Span>,
    /// `variant_of = Animal`.
    pub(crate) variant_of: Option<Path>,
    pub(crate) tag: Option<LitStr>,
    pub(crate) joined: Option<Span>,
    pub(crate) discriminator: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    /// From `comment = ".."` or else the doc comment.
    pub(crate) comment: Option<String>,
}

/// `view`, `view = "SELECT .."`, `view = totals`, `view = || ..`.
pub(crate) struct View {
    pub(crate) span: Span,
    pub(crate) definition: Option<Definition>,
}

/// What the rows of a view are.
pub(crate) enum Definition {
    Sql(LitStr),
    /// A function or closure that makes the query.
    Query(Expr),
}

/// `audit_trail`, or `audit_trail = triggers`.
#[derive(Clone, Copy)]
pub(crate) struct Trail {
    pub(crate) span: Span,
    pub(crate) by_triggers: bool,
}

/// `search(title = A, body, language = "english")`.
pub(crate) struct Search {
    pub(crate) span: Span,
    /// The fields, each with the letter of its weight.
    pub(crate) fields: Vec<(Ident, Option<Ident>)>,
    pub(crate) language: Option<LitStr>,
}

/// `audit(by = Id<User>)`.
pub(crate) struct Audit {
    pub(crate) span: Span,
    pub(crate) by: Type,
}

/// One of `filter(published = |p| p.published)`.
pub(crate) struct Filter {
    pub(crate) name: Ident,
    /// A closure over the columns, or the path of such a function.
    pub(crate) condition: Expr,
}

/// A field, or a field of an embedded struct: `city`, `home.city`.
#[derive(Clone)]
pub(crate) struct FieldPath {
    pub(crate) head: Ident,
    pub(crate) rest: Vec<Ident>,
}

impl FieldPath {
    /// As it is written, without `r#`.
    pub(crate) fn dotted(&self) -> String {
        let words = std::iter::once(&self.head).chain(&self.rest).map(plain);
        words.collect::<Vec<_>>().join(".")
    }
}

/// Reads a model. Nothing comes back when the item is no struct with named fields; that is reported.
pub(crate) fn model(cx: &Ctxt, input: &DeriveInput) -> Option<Model> {
    if let Some(base) = base::base(cx, input) {
        return base;
    }
    let fields = named_fields(cx, input, "Model")?;
    let mut relations = Vec::new();
    let options = options(cx, input, Place::Model, &mut relations);
    let fields = fields
        .named
        .iter()
        .filter_map(|f| field::field(cx, &input.ident, f, &mut relations))
        .collect();
    Some(Model {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        options,
        fields,
        relations,
        variants: Vec::new(),
        is_whole: true,
    })
}

/// Reads an embedded struct: a model in small, which has columns and nothing else.
pub(crate) fn embed(cx: &Ctxt, input: &DeriveInput) -> Option<Model> {
    let fields = named_fields(cx, input, "Embed")?;
    let (mut options, mut comment) = (Options::default(), None);
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("orm")) {
        for item in attr::items(cx, attribute, Place::Embed) {
            option(cx, &mut options, &mut comment, &item, &input.ident);
        }
    }
    let fields = fields
        .named
        .iter()
        .filter_map(|f| field::part(cx, &input.ident, f))
        .collect();
    Some(Model {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        options,
        fields,
        relations: Vec::new(),
        variants: Vec::new(),
        is_whole: true,
    })
}

/// The fields of a struct without parameters, or the error that says what is expected.
pub(crate) fn named_fields<'a>(cx: &Ctxt, input: &'a DeriveInput, derive: &str) -> Option<&'a FieldsNamed> {
    let found = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                no_generics(cx, input, derive);
                return Some(fields);
            }
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a struct without fields",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    let name = input.ident.unraw();
    let hint = match (&input.data, derive) {
        (Data::Enum(data), "Model") if base::holds_models(data) => {
            "; for an enum of models add the fields that all of them have: `#[common(id: Id<..>, ..)]`"
        }
        (Data::Enum(_), _) => "; for an enum as a column: `#[derive(DbEnum)]`",
        (Data::Struct(_), "Embed") => "; a type that is one column implements `Scalar`",
        _ => "",
    };
    let needs =
        format!("`#[derive({derive})]` needs a struct with named fields, and `{name}` is {found}{hint}");
    cx.error(&input.ident, needs);
    None
}

pub(crate) fn no_generics(cx: &Ctxt, input: &DeriveInput, derive: &str) {
    if !input.generics.params.is_empty() {
        let message =
            format!("`#[derive({derive})]` needs a type without parameters: one type, one set of columns");
        cx.error(&input.generics, message);
    }
}

fn options(cx: &Ctxt, input: &DeriveInput, place: Place, relations: &mut Vec<Relation>) -> Options {
    let mut options = Options::default();
    let mut comment = None;
    for attribute in &input.attrs {
        if attribute.path().is_ident("orm") {
            for item in attr::items(cx, attribute, place) {
                option(cx, &mut options, &mut comment, &item, &input.ident);
            }
        } else if let Some(item) = attr::relation(cx, attribute, Place::Model) {
            relations.extend(relation::relation(cx, &item, &input.ident, None));
        }
    }
    options.comment = comment
        .map(|text: LitStr| text.value())
        .or_else(|| doc(&input.attrs));
    options
}

fn option(cx: &Ctxt, options: &mut Options, comment: &mut Option<LitStr>, item: &Item, model: &Ident) {
    match item.attr.name {
        "table" => once(cx, &mut options.table, item, item.text(cx)),
        "schema" => once(cx, &mut options.schema, item, item.text(cx)),
        "rename_all" => once(cx, &mut options.rename_all, item, case(cx, item)),
        "comment" => once(cx, comment, item, item.text(cx)),
        "crate" => once(cx, &mut options.krate, item, krate(cx, item)),
        "validate" => options.validators.extend(krate(cx, item)),
        "hooks" => once(cx, &mut options.hooks, item, Some(item.span())),
        "audit_trail" => once(cx, &mut options.audit_trail, item, trail(cx, item)),
        "history" => once(cx, &mut options.history, item, Some(item.span())),
        "append_only" => once(cx, &mut options.append_only, item, Some(item.span())),
        "hash_chain" => once(cx, &mut options.hash_chain, item, Some(item.span())),
        "id" => once(cx, &mut options.key, item, columns(cx, item)),
        "tenant" => once(cx, &mut options.tenant, item, single_column(cx, item)),
        "timestamps" => once(cx, &mut options.timestamps, item, Some(item.span())),
        "soft_delete" => once(cx, &mut options.soft_delete, item, Some(item.span())),
        "filter" => filters(cx, item, &mut options.filters),
        "debug" => once(cx, &mut options.debug, item, Some(item.span())),
        "view" => once(cx, &mut options.view, item, view(cx, item)),
        "materialized" => once(cx, &mut options.materialized, item, Some(item.span())),
        "variant_of" => once(cx, &mut options.variant_of, item, krate(cx, item)),
        "tag" => once(cx, &mut options.tag, item, item.text(cx)),
        "joined" => once(cx, &mut options.joined, item, Some(item.span())),
        "discriminator" => once(cx, &mut options.discriminator, item, item.text(cx)),
        "audit" => once(cx, &mut options.audit, item, audit(cx, item, model)),
        "unique" => options.uniques.extend(index::unique(cx, item)),
        "index" => options.indexes.extend(index::index(cx, item)),
        "check" => options.checks.extend(index::check(cx, item)),
        "search" => once(cx, &mut options.search, item, search(cx, item)),
        other => unread(cx, item, other),
    }
}

/// What the model is a view of.
fn view(cx: &Ctxt, item: &Item) -> Option<View> {
    let definition = match &item.raw.body {
        Body::Equals(value) => match ungroup(value) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(sql) => Some(Definition::Sql(sql.clone())),
                _ => {
                    let text = "a view is defined by SQL in a string, or by a function that makes a query";
                    cx.error(value, text);
                    None
                }
            },
            query => Some(Definition::Query(query.clone())),
        },
        Body::Flag | Body::List(_) => None,
    };
    Some(View {
        span: item.span(),
        definition,
    })
}

/// Who writes the audit trail.
fn trail(cx: &Ctxt, item: &Item) -> Option<Trail> {
    let span = item.span();
    let Body::Equals(value) = &item.raw.body else {
        return Some(Trail {
            span,
            by_triggers: false,
        });
    };
    let word = match ungroup(value) {
        Expr::Path(path) => path.path.get_ident().map(plain),
        _ => None,
    };
    match word.as_deref() {
        Some("library") => Some(Trail {
            span,
            by_triggers: false,
        }),
        Some("triggers") => Some(Trail {
            span,
            by_triggers: true,
        }),
        _ => {
            cx.error(
                value,
                "the audit trail is written by the `library` or by `triggers`: `audit_trail = triggers`",
            );
            None
        }
    }
}

/// The fields that are searched. `language` with a string is no field.
fn search(cx: &Ctxt, item: &Item) -> Option<Search> {
    let before = cx.count();
    let mut search = Search {
        span: item.span(),
        fields: Vec::new(),
        language: None,
    };
    for Raw { name, body } in attr::split(cx, item.list()) {
        let letter = match &body {
            Body::Flag => None,
            Body::Equals(value) if name == "language" && matches!(ungroup(value), Expr::Lit(_)) => {
                search.language = attr::text(cx, value, "`language = \"english\"`");
                continue;
            }
            Body::Equals(value) => match ungroup(value) {
                Expr::Path(path) if ["A", "B", "C", "D"].iter().any(|w| path.path.is_ident(w)) => {
                    path.path.get_ident().cloned()
                }
                _ => {
                    cx.error(
                        value,
                        "a weight is one of the letters `A`, `B`, `C` and `D`: `title = A`",
                    );
                    continue;
                }
            },
            Body::List(_) => {
                cx.error(&name, item.attr.usage());
                continue;
            }
        };
        if search
            .fields
            .iter()
            .any(|(known, _)| known.unraw() == name.unraw())
        {
            cx.error(&name, format!("`{}` is named twice", plain(&name)));
        } else {
            search.fields.push((name, letter));
        }
    }
    if search.fields.is_empty() && cx.count() == before {
        cx.error(item, item.attr.usage());
    }
    (!search.fields.is_empty()).then_some(search)
}

/// A row of the table that no room reads is our mistake, and it says so rather than being ignored.
pub(crate) fn unread(cx: &Ctxt, item: &Item, name: &str) {
    cx.error(item, format!("`{name}` has no meaning here"));
}

/// Fills a slot that an attribute may fill only once.
pub(crate) fn once<T>(cx: &Ctxt, slot: &mut Option<T>, item: &Item, value: Option<T>) {
    if slot.is_some() {
        cx.error(item, format!("`{}` is given twice", item.attr.name));
    } else {
        *slot = value;
    }
}

/// `filter(published = |p| p.published, recent = recent_only)`: each name once.
fn filters(cx: &Ctxt, item: &Item, filters: &mut Vec<Filter>) {
    let before = cx.count();
    for Raw { name, body } in attr::split(cx, item.list()) {
        let Body::Equals(condition) = body else {
            cx.error(&name, item.attr.usage());
            continue;
        };
        if filters.iter().any(|seen| seen.name.unraw() == name.unraw()) {
            cx.error(&name, format!("the filter `{}` is given twice", name.unraw()));
        } else if filters.len() == MOST_FILTERS {
            cx.error(&name, format!("a model has at most {MOST_FILTERS} filters"));
        } else {
            filters.push(Filter { name, condition });
        }
    }
    if filters.is_empty() && cx.count() == before {
        cx.error(item, item.attr.usage());
    }
}

/// As many as a table reference can switch off.
const MOST_FILTERS: usize = 32;

/// The value of `rename_all`, as a string or as a bare word.
pub(crate) fn case(cx: &Ctxt, item: &Item) -> Option<Case> {
    let Body::Equals(value) = &item.raw.body else {
        return None;
    };
    let spelling = match ungroup(value) {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let known = || Case::ALL.iter().map(|(name, _)| *name);
    let found = spelling.as_deref().and_then(Case::of);
    if found.is_none() {
        let spelling = spelling.unwrap_or_else(|| value.to_token_stream().to_string());
        let expected = suggest::list(known());
        cx.error(
            value,
            format!("`rename_all` does not know `{spelling}`, expected one of {expected}"),
        );
    }
    found
}

/// The value of `crate = path`.
pub(crate) fn krate(cx: &Ctxt, item: &Item) -> Option<Path> {
    let Body::Equals(value) = &item.raw.body else {
        return None;
    };
    path(cx, value, &item.attr.usage())
}

pub(crate) fn path(cx: &Ctxt, value: &Expr, usage: &str) -> Option<Path> {
    match ungroup(value) {
        Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
        _ => {
            cx.error(value, format!("expected a path: {usage}"));
            None
        }
    }
}

/// `name(a, b)`: names of fields, each once.
fn columns(cx: &Ctxt, item: &Item) -> Option<Vec<Ident>> {
    let before = cx.count();
    let mut names: Vec<Ident> = Vec::new();
    for raw in attr::split(cx, item.list()) {
        if let Some(name) = field_name(cx, &raw, item) {
            push_once(cx, &mut names, name);
        }
    }
    if names.is_empty() && cx.count() == before {
        cx.error(
            item,
            format!("`{}` names no field: {}", item.attr.name, item.attr.usage()),
        );
    }
    Some(names)
}

fn single_column(cx: &Ctxt, item: &Item) -> Option<Ident> {
    let columns = columns(cx, item)?;
    if let Some(second) = columns.get(1) {
        cx.error(second, format!("`{}` takes one field", item.attr.name));
    }
    columns.into_iter().next()
}

pub(crate) fn field_name(cx: &Ctxt, raw: &Raw, item: &Item) -> Option<Ident> {
    match raw.body {
        Body::Flag => Some(raw.name.clone()),
        Body::Equals(_) | Body::List(_) => {
            cx.error(
                raw,
                format!("expected the name of a field: {}", item.attr.usage()),
            );
            None
        }
    }
}

pub(crate) fn push_once(cx: &Ctxt, names: &mut Vec<Ident>, name: Ident) {
    if names.iter().any(|seen| seen.unraw() == name.unraw()) {
        cx.error(&name, format!("`{}` is named twice", name.unraw()));
    } else {
        names.push(name);
    }
}

/// As [`push_once`], for fields of embedded structs too.
pub(crate) fn push_path_once(cx: &Ctxt, paths: &mut Vec<FieldPath>, path: FieldPath) {
    let dotted = path.dotted();
    if paths.iter().any(|seen| seen.dotted() == dotted) {
        cx.error(&path.head, format!("`{dotted}` is named twice"));
    } else {
        paths.push(path);
    }
}

/// `by` takes a type, which reads differently from an expression.
fn audit(cx: &Ctxt, item: &Item, model: &Ident) -> Option<Audit> {
    let parser = |input: ParseStream<'_>| {
        let name = input.call(Ident::parse_any)?;
        if name != "by" {
            return Err(syn::Error::new(name.span(), item.attr.usage()));
        }
        input.parse::<Token![=]>()?;
        let by: Type = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(by)
    };
    let tokens = item.list();
    if tokens.is_empty() {
        cx.error(item, item.attr.usage());
        return None;
    }
    let by = cx.take(parser.parse2(tokens))?;
    Some(Audit {
        span: item.span(),
        by: ty::without_self(&by, model),
    })
}

/// The doc comment of an item as plain text.
pub(crate) fn doc(attrs: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_line).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    if !meta.path.is_ident("doc") {
        return None;
    }
    match ungroup(&meta.value) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => {
                let text = text.value();
                Some(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

/// A name as the database and messages show it: without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// `Self` as a model in a relation.
pub(crate) fn path_without_self(path: Path, model: &Ident) -> Path {
    match path.is_ident("Self") {
        true => Path::from(format_ident!("{model}")),
        false => path,
    }
}
