//! `#[has_one]`, `#[has_many]`, `#[many_to_many]`, `#[belongs_to]` and `#[belongs_to_any]`, as written.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Path, Token};

use crate::attr::{self, Attr, Body, Item, Raw, ungroup};
use crate::ctxt::Ctxt;
use crate::parse::{path, path_without_self, plain, push_once};
use crate::suggest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelationKind {
    HasOne,
    HasMany,
    ManyToMany,
    BelongsTo,
    BelongsToAny,
}

impl RelationKind {
    /// The attribute that declares it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            RelationKind::HasOne => "has_one",
            RelationKind::HasMany => "has_many",
            RelationKind::ManyToMany => "many_to_many",
            RelationKind::BelongsTo => "belongs_to",
            RelationKind::BelongsToAny => "belongs_to_any",
        }
    }
}

/// One relation attribute.
pub(crate) struct Relation {
    pub(crate) kind: RelationKind,
    pub(crate) name: Ident,
    /// The other model, with `Self` written out; of `belongs_to_any` the enum of models.
    pub(crate) target: Path,
    /// Foreign key: of this model for `belongs_to`, of the other for `has_*`, of the join table for
    /// `many_to_many`. Empty where the convention decides. For `belongs_to_any` the field with discriminator and key,
    /// or the foreign keys of an arc.
    pub(crate) by: Vec<Ident>,
    /// `many_to_many`: the join table's key to the other model. Empty where the convention decides.
    pub(crate) to: Vec<Ident>,
    /// `many_to_many`: the join table.
    pub(crate) via: Option<Path>,
    /// `has_*`: the association of the other model, `as = subject`.
    pub(crate) by_association: Option<Ident>,
    /// `belongs_to_any`: `by` is an arc, declared here.
    pub(crate) arc: Option<Span>,
    /// `belongs_to_any`: every key of the arc may be NULL.
    pub(crate) optional: Option<Span>,
    /// What a delete of this model's row does to related rows first.
    pub(crate) cascade: Cascade,
    /// What becomes of related rows that this model's row has no more.
    pub(crate) orphans: Orphans,
    pub(crate) on_delete: Option<Action>,
    pub(crate) on_update: Option<Action>,
    pub(crate) deferrable: Option<Span>,
    pub(crate) initially_deferred: Option<Span>,
}

impl Relation {
    /// The other model as it is called.
    pub(crate) fn target_name(&self) -> &Ident {
        self.target
            .segments
            .last()
            .map_or(&self.name, |segment| &segment.ident)
    }

    /// Whether this model's table holds the key.
    pub(crate) fn is_foreign_key(&self) -> bool {
        self.kind == RelationKind::BelongsTo
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cascade {
    Database,
    Delete,
    Unlink,
}

const CASCADES: [(&str, Cascade); 3] = [
    ("database", Cascade::Database),
    ("delete", Cascade::Delete),
    ("unlink", Cascade::Unlink),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orphans {
    Unlink,
    Delete,
}

const ORPHANS: [(&str, Orphans); 2] = [("delete", Orphans::Delete), ("unlink", Orphans::Unlink)];

/// What the database does to referring rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) kind: ActionKind,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
    NoAction,
}

const ACTIONS: [(&str, ActionKind); 5] = [
    ("restrict", ActionKind::Restrict),
    ("cascade", ActionKind::Cascade),
    ("set_null", ActionKind::SetNull),
    ("set_default", ActionKind::SetDefault),
    ("no_action", ActionKind::NoAction),
];

/// Reads a relation attribute of the struct, or of the field that is its foreign key.
pub(crate) fn relation(cx: &Ctxt, item: &Item, model: &Ident, field: Option<&Ident>) -> Option<Relation> {
    let kind = match item.attr.name {
        "has_one" => RelationKind::HasOne,
        "has_many" => RelationKind::HasMany,
        "many_to_many" => RelationKind::ManyToMany,
        "belongs_to_any" => RelationKind::BelongsToAny,
        _ => RelationKind::BelongsTo,
    };
    if item.list().is_empty() {
        cx.error(item, usage(item.attr));
        return None;
    }
    let (name, target, rest) = cx.take(head(item.attr).parse2(item.list()))?;
    let mut relation = Relation {
        kind,
        name,
        target: path_without_self(target, model),
        by: Vec::new(),
        to: Vec::new(),
        via: None,
        by_association: None,
        arc: None,
        optional: None,
        cascade: Cascade::Database,
        orphans: Orphans::Unlink,
        on_delete: None,
        on_update: None,
        deferrable: None,
        initially_deferred: None,
    };
    for raw in attr::options(cx, item.attr, attr::split(cx, rest)) {
        option(cx, &mut relation, item.attr, &raw);
    }
    match kind {
        RelationKind::BelongsToAny => any_key(cx, &mut relation, field),
        _ => foreign_key(cx, &mut relation, item, field),
    }
    by_or_as(cx, &relation);
    if (relation.orphans, relation.cascade) == (Orphans::Delete, Cascade::Unlink) {
        cx.error(
            &relation.name,
            "`orphans = delete` deletes rows that `cascade = unlink` keeps: use `cascade = delete`",
        );
    }
    if kind == RelationKind::ManyToMany && relation.via.is_none() {
        cx.error(
            &relation.name,
            "`many_to_many` needs its join table: `via = PostTag`",
        );
    }
    Some(relation)
}

/// The key at the other model is named once.
fn by_or_as(cx: &Ctxt, relation: &Relation) {
    if let (Some(association), Some(by)) = (&relation.by_association, relation.by.first()) {
        let association = association.unraw();
        cx.error(
            by,
            format!("`as = {association}` says where the key is: drop `by`"),
        );
    }
}

/// `author: User` and what follows the comma.
fn head(attr: &'static Attr) -> impl Parser<Output = (Ident, Path, proc_macro2::TokenStream)> {
    move |input: ParseStream<'_>| {
        let name = input.call(Ident::parse_any)?;
        if !input.peek(Token![:]) || input.peek(Token![::]) {
            return Err(syn::Error::new(name.span(), usage(attr)));
        }
        input.parse::<Token![:]>()?;
        let target: Path = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((name, target, input.parse()?))
    }
}

fn usage(attr: &Attr) -> String {
    format!("`#[{}]` is written `#[{}]`", attr.name, attr.example)
}

fn option(cx: &Ctxt, relation: &mut Relation, attr: &'static Attr, raw: &Raw) {
    let name = plain(&raw.name);
    match (name.as_str(), &raw.body) {
        ("by", Body::Equals(value)) => relation.by = names(cx, value),
        ("to", Body::Equals(value)) => relation.to = names(cx, value),
        ("arc", Body::Equals(value)) => {
            relation.arc = Some(raw.name.span());
            relation.by = names(cx, value);
        }
        ("optional", Body::Flag) => relation.optional = Some(raw.name.span()),
        ("as", Body::Equals(value)) => relation.by_association = names(cx, value).into_iter().next(),
        ("via", Body::Equals(value)) => relation.via = path(cx, value, "`via = PostTag`"),
        ("cascade", Body::Equals(value)) => relation.cascade = cascade(cx, relation.kind, value),
        ("orphans", Body::Equals(value)) => {
            relation.orphans = one_of(cx, "orphans", value, &ORPHANS).unwrap_or(Orphans::Unlink);
        }
        ("on_delete", Body::Equals(value)) => relation.on_delete = action(cx, &name, value),
        ("on_update", Body::Equals(value)) => relation.on_update = action(cx, &name, value),
        ("deferrable", Body::Flag) => relation.deferrable = Some(raw.name.span()),
        ("initially_deferred", Body::Flag) => relation.initially_deferred = Some(raw.name.span()),
        ("deferrable" | "initially_deferred" | "optional", _) => {
            cx.error(raw, format!("`{name}` takes no value"))
        }
        _ => cx.error(
            raw,
            format!("`{name}` needs a value, as in `{}`", with_option(attr, &name)),
        ),
    }
}

fn with_option(attr: &Attr, name: &str) -> &'static str {
    match (attr.name, name) {
        (_, "on_delete") => "on_delete = restrict",
        (_, "on_update") => "on_update = cascade",
        (_, "cascade") => "cascade = delete",
        (_, "orphans") => "orphans = delete",
        (_, "via") => "via = PostTag",
        (_, "arc") => "arc = (post_id, photo_id)",
        (_, "as") => "as = subject",
        (_, "to") => "to = tag_id",
        _ => "by = author_id",
    }
}

/// `author_id` or `(tenant_id, author_id)`.
fn names(cx: &Ctxt, value: &Expr) -> Vec<Ident> {
    let parts: Vec<&Expr> = match ungroup(value) {
        Expr::Tuple(tuple) => tuple.elems.iter().collect(),
        Expr::Paren(paren) => vec![&paren.expr],
        other => vec![other],
    };
    let mut names = Vec::new();
    for part in parts {
        match ungroup(part) {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                if let Some(name) = path.path.get_ident() {
                    push_once(cx, &mut names, name.clone());
                }
            }
            other => cx.error(
                other,
                "expected the name of a field: `by = author_id` or `by = (a, b)`",
            ),
        }
    }
    names
}

fn cascade(cx: &Ctxt, kind: RelationKind, value: &Expr) -> Cascade {
    let cascade = one_of(cx, "cascade", value, &CASCADES).unwrap_or(Cascade::Database);
    if (kind, cascade) == (RelationKind::ManyToMany, Cascade::Delete) {
        cx.error(
            value,
            "`cascade = delete` would delete rows that others are linked to: use `cascade = unlink`",
        );
    }
    cascade
}

/// The meaning of a word, or an error that lists the words.
fn one_of<T: Copy>(cx: &Ctxt, option: &str, value: &Expr, words: &[(&'static str, T)]) -> Option<T> {
    let word = value.to_token_stream().to_string();
    let found = words.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let known = || words.iter().map(|(name, _)| *name);
        let hint = suggest::hint(&word, known());
        let expected = if hint.is_empty() {
            format!(", expected one of {}", suggest::list(known()))
        } else {
            hint
        };
        cx.error(value, format!("`{option}` does not know `{word}`{expected}"));
    }
    found.map(|(_, meaning)| *meaning)
}

fn action(cx: &Ctxt, option: &str, value: &Expr) -> Option<Action> {
    let kind = one_of(cx, option, value, &ACTIONS)?;
    let span = value
        .to_token_stream()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |tree| tree.span());
    Some(Action { kind, span })
}

/// An association over several models stands on the field with its key, or on the struct as an arc.
fn any_key(cx: &Ctxt, relation: &mut Relation, field: Option<&Ident>) {
    let name = relation.name.unraw();
    match (field, relation.arc) {
        (Some(field), Some(arc)) => {
            cx.error_at(
                arc,
                "an arc has several fields: move `#[belongs_to_any]` to the struct",
            );
            (relation.arc, relation.by) = (None, vec![field.clone()]);
        }
        (Some(field), None) => relation.by.push(field.clone()),
        (None, None) => cx.error(
            &relation.name,
            format!(
                "put `#[belongs_to_any({name}: ..)]` on the field with its key, or name the foreign keys of an arc: \
                 `arc = (post_id, photo_id)`"
            ),
        ),
        (None, Some(_)) => {}
    }
    if let (None, Some(optional)) = (relation.arc, relation.optional) {
        let fix = "for a key that may be missing make the field an `Option`";
        cx.error_at(optional, format!("`optional` belongs to an arc: {fix}"));
    }
}

/// On a field the key is the field; on the struct it has to be named.
fn foreign_key(cx: &Ctxt, relation: &mut Relation, item: &Item, field: Option<&Ident>) {
    match field {
        Some(field) if relation.by.is_empty() => relation.by.push(field.clone()),
        Some(_) => cx.error(
            item,
            "on a field, `#[belongs_to]` has its key: drop `by`, or move it to the struct",
        ),
        None if relation.kind == RelationKind::BelongsTo && relation.by.is_empty() => {
            let name = relation.name.unraw();
            cx.error(
                &relation.name,
                format!("put `#[belongs_to({name}: ..)]` on its foreign key field, or name the fields: `by = (a, b)`"),
            );
        }
        None => {}
    }
}
