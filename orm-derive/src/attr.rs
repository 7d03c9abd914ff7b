//! The one table of attributes, and how their text is cut into items.
//!
//! A row says what an attribute is called, where it may stand, how it is written and what it does. Messages, the
//! guide and the tests read the same rows: an attribute that is not here does not exist.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Lit, LitStr, Meta, Token};

use crate::ctxt::Ctxt;
use crate::suggest;

/// What an `#[orm(...)]` or a relation attribute stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A struct with `#[derive(Model)]`.
    Model,
    /// A field of a model.
    Field,
    /// A struct with `#[derive(Scalar)]`.
    Scalar,
    /// An enum with `#[derive(DbEnum)]`.
    Enum,
    /// A variant of such an enum.
    Variant,
    /// A struct with `#[derive(Shape)]`.
    Shape,
    /// A field of a shape.
    ShapeField,
    /// A struct with `#[derive(Embed)]`.
    Embed,
    /// A field of such a struct.
    Part,
    /// An enum with `#[derive(Polymorphic)]`.
    Polymorphic,
    /// An enum with `#[derive(Model)]`.
    Base,
}

impl Place {
    /// As in "unknown attribute `x` on a field".
    fn phrase(self) -> &'static str {
        match self {
            Place::Model => "a model",
            Place::Field => "a field of a model",
            Place::Enum => "an enum",
            Place::Variant => "a variant",
            Place::Shape => "a shape",
            Place::ShapeField => "a field of a shape",
            Place::Embed => "an embedded struct",
            Place::Part => "a field of an embedded struct",
            Place::Polymorphic => "an enum of models",
            Place::Scalar => "a column type",
            Place::Base => "an enum of variants",
        }
    }
}

/// How the value of an attribute is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// `unique`
    Flag,
    /// `table = …`
    Equals,
    /// `id(…)`
    List,
    /// `default = …` or `default(…)`
    EqualsOrList,
    /// `rel` or `rel(…)`
    FlagOrList,
    /// `audit_trail` or `audit_trail = …`
    FlagOrEquals,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Attr {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    pub(crate) value: Value,
    /// The options inside the parentheses of the value.
    pub(crate) options: &'static [&'static str],
    /// A correct use, shown when it is written wrongly.
    pub(crate) example: &'static str,
    /// What it does, in one line.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by the tests that keep the guide complete")
    )]
    pub(crate) help: &'static str,
}

impl Attr {
    /// "`table` is written `table = "people"`".
    pub(crate) fn usage(&self) -> String {
        format!("`{}` is written `{}`", self.name, self.example)
    }

    fn accepts(&self, body: &Body) -> bool {
        match body {
            Body::Flag => matches!(self.value, Value::Flag | Value::FlagOrList | Value::FlagOrEquals),
            Body::Equals(_) => matches!(
                self.value,
                Value::Equals | Value::EqualsOrList | Value::FlagOrEquals
            ),
            Body::List(_) => matches!(self.value, Value::List | Value::EqualsOrList | Value::FlagOrList),
        }
    }
}

const fn row(
    name: &'static str,
    places: &'static [Place],
    value: Value,
    options: &'static [&'static str],
    example: &'static str,
    help: &'static str,
) -> Attr {
    Attr {
        name,
        places,
        value,
        options,
        example,
        help,
    }
}

const MODEL: &[Place] = &[Place::Model];
const FIELD: &[Place] = &[Place::Field];
const SHAPE_FIELD: &[Place] = &[Place::ShapeField];
/// Of a field wherever it stands.
const PART: &[Place] = &[Place::Field, Place::Part];
const ANY_ITEM: &[Place] = &[
    Place::Model,
    Place::Enum,
    Place::Embed,
    Place::Polymorphic,
    Place::Scalar,
    Place::Base,
];
/// Of a model, be it a struct or an enum of variants.
const TABLE: &[Place] = &[Place::Model, Place::Base];

/// Every attribute inside `#[orm(...)]`.
#[rustfmt::skip]
pub(crate) const ORM: &[Attr] = &[
    row("table", TABLE, Value::Equals, &[], r#"table = "people""#, "Name of the table; without it the plural of the model's name in snake case."),
    row("schema", TABLE, Value::Equals, &[], r#"schema = "billing""#, "Schema that holds the table."),
    row("rename_all", ANY_ITEM, Value::Equals, &[], r#"rename_all = "camelCase""#, "Spelling of all column names or enum labels."),
    row("id", TABLE, Value::List, &[], "id(post_id, tag_id)", "Primary key over several fields."),
    row("unique", TABLE, Value::List, &["where", "name"], "unique(author_id, title)", "Unique constraint over fields; with `where`, over a part of the rows."),
    row("index", TABLE, Value::List, &["where", "unique", "include", "method", "with", "name"], "index(author_id, created_at.desc())", "Index over fields and SQL expressions."),
    row("search", MODEL, Value::List, &[], r#"search(title = A, body, language = "english")"#, "Full-text search over fields, with weights from A to D; the language says which words are the same."),
    row("check", TABLE, Value::List, &["name"], r#"check("price > 0")"#, "Condition in SQL that every row meets."),
    row("validate", MODEL, Value::Equals, &[], "validate = consistent", "A function over the row that refuses it with a reason, whichever way it is written."),
    row("hooks", MODEL, Value::Flag, &[], "hooks", "The model implements `Hooks`: what happens before and after its rows are written."),
    row("audit_trail", TABLE, Value::FlagOrEquals, &[], "audit_trail = triggers", "Every write of a row is written down in `audit_log`, in the same transaction: by the library, or by `triggers` of the database."),
    row("history", MODEL, Value::Flag, &[], "history", "Keeps all versions of each row, with the time in which they held."),
    row("append_only", TABLE, Value::Flag, &[], "append_only", "Rows are inserted and never changed or deleted; the database refuses it as well."),
    row("hash_chain", MODEL, Value::Flag, &[], "hash_chain", "Chains the rows of an append-only model by hashes, so that tampering is found."),
    row("timestamps", TABLE, Value::Flag, &[], "timestamps", "Keeps `created_at` and `updated_at`."),
    row("soft_delete", TABLE, Value::Flag, &[], "soft_delete", "Keeps deleted rows and hides them by `deleted_at`."),
    row("audit", TABLE, Value::List, &["by"], "audit(by = Id<User>)", "Keeps who created and changed a row; writing asks for that person."),
    row("tenant", TABLE, Value::List, &[], "tenant(tenant_id)", "Binds every row to a tenant; every statement asks for it."),
    row("filter", MODEL, Value::List, &[], "filter(published = |p| p.published)", "Named condition that rows meet wherever they are seen, until a query says `.without_filter(|f| f.published)`."),
    row("debug", &[Place::Model, Place::Embed], Value::Flag, &[], "debug", "Implements `Debug`, with sensitive fields hidden."),
    row("view", MODEL, Value::FlagOrEquals, &[], "view = totals", "The model reads a view, and nothing can be written: one that is there, or one that is created from this query or SQL."),
    row("materialized", MODEL, Value::Flag, &[], "materialized", "The rows of the view are stored until `refresh_view` (PostgreSQL)."),
    row("variant_of", MODEL, Value::Equals, &[], "variant_of = Animal", "The model is one of the variants of this enum, whose table its rows are in."),
    row("tag", MODEL, Value::Equals, &[], r#"tag = "dog""#, "What the discriminator says of a variant; without it the model's name in snake case."),
    row("joined", MODEL, Value::Flag, &[], "joined", "The columns that only this variant has are in a table of their own."),
    row("discriminator", &[Place::Base], Value::Equals, &[], r#"discriminator = "kind""#, "Name of the column that says which variant a row is of."),
    row("crate", ANY_ITEM, Value::Equals, &[], "crate = my_crate::orm", "Path to the `orm` crate where it is not `::orm`."),
    row("comment", &[Place::Model, Place::Base, Place::Field, Place::Part], Value::Equals, &[], r#"comment = "shown in the catalog""#, "Comment in the database instead of the doc comment."),
    row("id", FIELD, Value::Flag, &[], "id", "Primary key; needed where the field is not called `id`."),
    row("unique", FIELD, Value::Flag, &[], "unique", "No two rows share the value."),
    row("index", PART, Value::Flag, &[], "index", "Index on the column."),
    row("column", PART, Value::Equals, &[], r#"column = "e_mail""#, "Name of the column."),
    row("ty", PART, Value::EqualsOrList, &["postgres", "sqlite"], r#"ty = "varchar(40)""#, "Type in SQL instead of the usual one; `ty(postgres = \"..\")` for one database."),
    row("default", FIELD, Value::EqualsOrList, &["sql"], "default = false", "Value of a new row that does not set the column: a Rust value, or `default(sql = \"now()\")`."),
    row("generated", FIELD, Value::EqualsOrList, &["sql", "virtual"], r#"generated = "price * amount""#, "The database calculates the column; stored unless `generated(sql = \"..\", virtual)`."),
    row("check", PART, Value::Equals, &[], r#"check = "price > 0""#, "Condition in SQL on the column."),
    row("validate", FIELD, Value::Equals, &[], "validate = not_blank", "A function over the value that refuses it with a reason, whichever way it is written."),
    row("version", FIELD, Value::Flag, &[], "version", "Optimistic locking: every write changes the version, a stale write is refused."),
    row("json", PART, Value::Flag, &[], "json", "Stores the value as JSON."),
    row("sensitive", PART, Value::Flag, &[], "sensitive", "Hides the value in logs and in `Debug` of statements."),
    row("skip", PART, Value::Flag, &[], "skip", "Not a column; `Default::default()` after reading."),
    row("decimal", PART, Value::List, &[], "decimal(12, 2)", "Precision and scale of a decimal column."),
    row("embed", PART, Value::Flag, &[], "embed", "The fields of this struct with `#[derive(Embed)]` are columns of the table."),
    row("prefix", PART, Value::Equals, &[], "prefix = ship_", "Before the columns of an embedded struct, instead of the field's name and `_`; `\"\"` for none."),
    row("name", &[Place::Enum], Value::Equals, &[], r#"name = "mood""#, "Name of the enum type in the database."),
    row("rename", &[Place::Variant], Value::Equals, &[], r#"rename = "very-happy""#, "Label of the variant."),
];

/// The relation attributes, which stand beside `#[orm(...)]`.
#[rustfmt::skip]
pub(crate) const RELATIONS: &[Attr] = &[
    row("has_one", MODEL, Value::List, &["by", "as", "cascade", "orphans"], "has_one(profile: Profile, by = user_id)", "At most one row of the other model refers to this one."),
    row("has_many", MODEL, Value::List, &["by", "as", "cascade", "orphans"], "has_many(posts: Post, by = author_id)", "Rows of the other model that refer to this one."),
    row("many_to_many", MODEL, Value::List, &["via", "by", "to", "cascade"], "many_to_many(tags: Tag, via = PostTag)", "Rows of the other model, over a join table."),
    row("belongs_to", &[Place::Field, Place::Model], Value::List, &["by", "on_delete", "on_update", "deferrable", "initially_deferred"], "belongs_to(author: User, on_delete = restrict)", "The row this foreign key refers to."),
    row("belongs_to_any", &[Place::Field, Place::Model], Value::List, &["arc", "optional"], "belongs_to_any(subject: Subject)", "The row of one of several models that this one belongs to."),
];

/// The attribute with the fields that all variants have.
#[rustfmt::skip]
pub(crate) const COMMON: &[Attr] = &[
    row("common", &[Place::Base], Value::List, &[], "common(id: Id<Animal>, name: String)", "The fields that all variants of an enum have, with their attributes."),
];

/// The attributes of shapes, each one by itself.
#[rustfmt::skip]
pub(crate) const SHAPES: &[Attr] = &[
    row("shape", &[Place::Shape], Value::List, &["crate"], "shape(User)", "The model whose rows the struct is read from."),
    row("col", SHAPE_FIELD, Value::List, &[], "col(name)", "The column that fills the field, where it is called differently."),
    row("expr", SHAPE_FIELD, Value::List, &[], "expr(|u| u.name.lower())", "An expression over the columns of the row."),
    row("count", SHAPE_FIELD, Value::List, &["filter"], "count(posts, filter = |p| p.published)", "How many related rows there are, or meet a condition."),
    row("agg", SHAPE_FIELD, Value::List, &[], "agg(posts, |p| p.views.sum())", "An aggregate of the related rows."),
    row("rel", SHAPE_FIELD, Value::FlagOrList, &["filter", "order", "limit", "offset", "select", "with_deleted", "only_deleted", "live", "joined", "without_filter"], "rel(posts, order = |p| p.id.desc(), limit = 5)", "Related rows, as models, as other shapes, or as what `select` names."),
];

/// One `name`, `name = value` or `name(...)` as the user typed it.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) name: Ident,
    pub(crate) body: Body,
}

#[derive(Clone)]
pub(crate) enum Body {
    Flag,
    Equals(Expr),
    /// The parentheses with their content.
    List(Group),
}

impl ToTokens for Raw {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        match &self.body {
            Body::Flag => {}
            Body::Equals(value) => value.to_tokens(tokens),
            Body::List(group) => group.to_tokens(tokens),
        }
    }
}

/// An item that stands in the table, in its place and in its form.
pub(crate) struct Item {
    pub(crate) raw: Raw,
    pub(crate) attr: &'static Attr,
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.raw.to_tokens(tokens);
    }
}

impl Item {
    pub(crate) fn span(&self) -> Span {
        self.raw.name.span()
    }

    /// The value after `=` as a string, where it is one and says something.
    pub(crate) fn text(&self, cx: &Ctxt) -> Option<LitStr> {
        match &self.raw.body {
            Body::Equals(value) => text(cx, value, &self.attr.usage()),
            Body::Flag | Body::List(_) => None,
        }
    }

    pub(crate) fn list(&self) -> TokenStream {
        match &self.raw.body {
            Body::List(group) => group.stream(),
            Body::Flag | Body::Equals(_) => TokenStream::new(),
        }
    }

    /// The options of a value that consists of options only.
    pub(crate) fn options(&self, cx: &Ctxt) -> Vec<Raw> {
        options(cx, self.attr, split(cx, self.list()))
    }
}

/// A string that is not empty, or an error with `usage`.
pub(crate) fn text(cx: &Ctxt, value: &Expr, usage: &str) -> Option<LitStr> {
    match ungroup(value) {
        Expr::Lit(lit) if matches!(&lit.lit, Lit::Str(_)) => match &lit.lit {
            Lit::Str(text) if !text.value().trim().is_empty() => Some(text.clone()),
            _ => {
                cx.error(value, "this string is empty");
                None
            }
        },
        _ => {
            cx.error(value, format!("expected a string: {usage}"));
            None
        }
    }
}

/// Looks through the invisible groups that `macro_rules!` leaves around what it passes on.
pub(crate) fn ungroup(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => ungroup(&group.expr),
        other => other,
    }
}

/// The items of one `#[orm(...)]` that are known, allowed at `place` and well-formed; the others are reported.
pub(crate) fn items(cx: &Ctxt, attribute: &Attribute, place: Place) -> Vec<Item> {
    let Meta::List(list) = &attribute.meta else {
        cx.error(
            attribute,
            "`#[orm]` needs its attributes in parentheses: `#[orm(...)]`",
        );
        return Vec::new();
    };
    split(cx, list.tokens.clone())
        .into_iter()
        .filter_map(|raw| known(cx, raw, place))
        .collect()
}

/// The item of a relation attribute such as `#[has_many(...)]`.
pub(crate) fn relation(cx: &Ctxt, attribute: &Attribute, place: Place) -> Option<Item> {
    beside(cx, RELATIONS, attribute, place)
}

/// The item of an attribute of its own, if it stands in this table.
pub(crate) fn beside(cx: &Ctxt, table: &'static [Attr], attribute: &Attribute, place: Place) -> Option<Item> {
    let name = attribute.path().get_ident()?;
    let attr = table.iter().find(|attr| name == attr.name)?;
    if !attr.places.contains(&place) {
        let (on, not) = match place {
            Place::Field | Place::Part | Place::ShapeField | Place::Variant => ("the struct", "a field"),
            Place::Model
            | Place::Embed
            | Place::Enum
            | Place::Shape
            | Place::Polymorphic
            | Place::Scalar
            | Place::Base => ("a field", "the struct"),
        };
        let message = format!("`#[{name}]` belongs on {on}, not on {not}");
        cx.error(attribute.path(), message);
        return None;
    }
    let body = match &attribute.meta {
        Meta::List(list) => {
            let mut group = Group::new(Delimiter::Parenthesis, list.tokens.clone());
            group.set_span(list.delimiter.span().join());
            Body::List(group)
        }
        Meta::NameValue(meta) => Body::Equals(meta.value.clone()),
        Meta::Path(_) => Body::Flag,
    };
    if !attr.accepts(&body) {
        cx.error(attribute, format!("`#[{name}]` is written `#[{}]`", attr.example));
        return None;
    }
    let raw = Raw {
        name: name.clone(),
        body,
    };
    Some(Item { raw, attr })
}

fn known(cx: &Ctxt, raw: Raw, place: Place) -> Option<Item> {
    let name = raw.name.unraw().to_string();
    let here = || ORM.iter().filter(move |attr| attr.places.contains(&place));
    let Some(attr) = here().find(|attr| attr.name == name) else {
        cx.error(&raw.name, unknown(&name, place));
        return None;
    };
    if attr.accepts(&raw.body) {
        return Some(Item { raw, attr });
    }
    cx.error(&raw, attr.usage());
    None
}

fn unknown(name: &str, place: Place) -> String {
    let here: Vec<&str> = ORM
        .iter()
        .filter(|attr| attr.places.contains(&place))
        .map(|attr| attr.name)
        .collect();
    if RELATIONS.iter().any(|attr| attr.name == name) {
        return format!("`{name}` is an attribute of its own: `#[{name}(...)]`");
    }
    if let Some(hint) = suggest::closest(name, here.iter().copied()) {
        return format!("unknown attribute `{name}`, did you mean `{hint}`?");
    }
    if let Some(elsewhere) = ORM.iter().find(|attr| attr.name == name) {
        let place = elsewhere.places.first().map_or("", |place| place.phrase());
        return format!(
            "`{name}` is an attribute of {place}, as in `{}`",
            elsewhere.example
        );
    }
    format!(
        "unknown attribute `{name}` on {}, expected one of {}",
        place.phrase(),
        suggest::list(here)
    )
}

/// Reports options the attribute does not have, and those given twice.
pub(crate) fn options(cx: &Ctxt, attr: &Attr, raw: Vec<Raw>) -> Vec<Raw> {
    let mut kept: Vec<Raw> = Vec::new();
    for option in raw {
        let name = option.name.unraw();
        if !attr.options.iter().any(|known| name == known) {
            let hint = suggest::hint(&name.to_string(), attr.options.iter().copied());
            let known = suggest::list(attr.options.iter().copied());
            let expected = if hint.is_empty() {
                format!(", expected one of {known}")
            } else {
                hint
            };
            cx.error(
                &option,
                format!("unknown option `{name}` of `{}`{expected}", attr.name),
            );
        } else if kept.iter().any(|seen| seen.name.unraw() == name) {
            cx.error(&option, format!("`{name}` is given twice"));
        } else {
            kept.push(option);
        }
    }
    kept
}

/// Cuts `a, b = c, d(e)` at its commas. What cannot be read is reported and skipped up to the next comma.
pub(crate) fn split(cx: &Ctxt, tokens: TokenStream) -> Vec<Raw> {
    let parser = |input: ParseStream<'_>| {
        let mut items = Vec::new();
        while !input.is_empty() {
            match raw(input) {
                Ok(item) => items.push(item),
                Err(error) => {
                    cx.push(error);
                    skip_to_comma(input)?;
                }
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(items)
    };
    cx.take(parser.parse2(tokens)).unwrap_or_default()
}

fn raw(input: ParseStream<'_>) -> syn::Result<Raw> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a name, as in `name`, `name = value` or `name(..)`"));
    }
    let name = input.call(Ident::parse_any)?;
    let body = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Body::Equals(input.parse()?)
    } else if input.peek(syn::token::Paren) {
        Body::List(input.parse()?)
    } else {
        Body::Flag
    };
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Raw { name, body });
    }
    Err(input.error(format!("expected `,` after `{name}`")))
}

pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::attr::{ORM, Place, RELATIONS, SHAPES, known, split};
    use crate::ctxt::Ctxt;

    fn report(place: Place, tokens: &str) -> Vec<String> {
        let cx = Ctxt::new();
        for raw in split(&cx, tokens.parse().unwrap()) {
            known(&cx, raw, place);
        }
        match cx.finish() {
            Ok(()) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn every_example_is_correct() {
        for attr in ORM {
            for place in attr.places {
                assert_eq!(
                    report(*place, attr.example),
                    Vec::<String>::new(),
                    "{}",
                    attr.example
                );
            }
        }
    }

    #[test]
    fn every_row_is_complete_and_alone() {
        let all = || ORM.iter().chain(RELATIONS).chain(SHAPES);
        for (i, attr) in all().enumerate() {
            assert!(
                attr.help.ends_with('.') && !attr.places.is_empty(),
                "{}",
                attr.name
            );
            for other in all().skip(i + 1).filter(|other| other.name == attr.name) {
                assert!(
                    other.places.iter().all(|place| !attr.places.contains(place)),
                    "{}",
                    attr.name
                );
            }
        }
    }

    #[test]
    fn unknown_names() {
        assert_eq!(
            report(Place::Field, "uniqe"),
            ["unknown attribute `uniqe`, did you mean `unique`?"]
        );
        assert_eq!(
            report(Place::Field, "timestamps"),
            ["`timestamps` is an attribute of a model, as in `timestamps`"]
        );
        assert_eq!(
            report(Place::Model, "has_many"),
            ["`has_many` is an attribute of its own: `#[has_many(...)]`"]
        );
        assert_eq!(
            report(Place::Enum, "colour"),
            ["unknown attribute `colour` on an enum, expected one of `rename_all`, `crate`, `name`"],
        );
    }

    #[test]
    fn all_mistakes_of_one_attribute() {
        let errors = report(
            Place::Model,
            r#"tabel = "x", id, = 3, soft_delete = true, schema = "s""#,
        );
        assert_eq!(
            errors,
            [
                "expected a name, as in `name`, `name = value` or `name(..)`",
                "unknown attribute `tabel`, did you mean `table`?",
                "`id` is written `id(post_id, tag_id)`",
                "`soft_delete` is written `soft_delete`",
            ],
        );
    }
}
