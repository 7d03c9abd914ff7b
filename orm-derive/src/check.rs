//! Second room, second half: the rules between fields, attributes and relations, one small function each. A rule
//! reports on the token the user typed and says what to write instead.

mod any;
mod columns;
mod embed;
mod family;
mod names;
mod relations;

pub(crate) use crate::check::any::is_whole;
pub(crate) use crate::check::relations::is_method;

use syn::Ident;

use crate::ctxt::Ctxt;
use crate::parse::field::Field;
use crate::parse::relation::RelationKind;
use crate::parse::{Model, plain};
use crate::plan::{self, Plan};
use crate::suggest;

type Rule = fn(&Ctxt, &Plan<'_>);

/// Applies every rule to a model and its plan.
pub(crate) fn check(cx: &Ctxt, plan: &Plan<'_>) {
    let rules: &[Rule] = &[
        known_fields,
        embed::known_paths,
        embed::single_columns,
        embed::prefix_belongs_to_embed,
        has_key,
        one_way_to_the_key,
        key_is_not_null,
        key_is_short,
        columns::one_version,
        columns::version_counts,
        columns::row_version_is_a_version,
        columns::attributes_agree,
        columns::shadow_fields,
        columns::tenant_field,
        columns::decimals,
        columns::owned_types,
        columns::view_is_read_only,
        columns::trail_names_rows,
        columns::append_only_rows_stay,
        columns::history_has_room,
        columns::chained_rows_stay,
        columns::searched_fields,
        names::columns,
        names::given,
        names::constraints,
        relations::names,
        relations::keys_fit,
        relations::two_ends,
        relations::actions,
        relations::one_per_key,
        family::only_variants,
        family::variants,
        family::kept_by_tables,
        family::common,
        any::arcs,
        any::methods,
    ];
    for rule in rules {
        rule(cx, plan);
    }
}

/// Applies every rule to an embedded struct.
pub(crate) fn embed(cx: &Ctxt, plan: &Plan<'_>) {
    let rules: &[Rule] = &[
        embed::has_columns,
        embed::prefix_belongs_to_embed,
        embed::conditions,
        columns::attributes_agree,
        columns::decimals,
        columns::owned_types,
        names::columns,
    ];
    for rule in rules {
        rule(cx, plan);
    }
}

/// Attributes that name fields name columns that exist.
fn known_fields(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let key = options.key.iter().flatten();
    let belongs = plan
        .model
        .relations
        .iter()
        .filter(|relation| relation.is_foreign_key() || relation.kind == RelationKind::BelongsToAny);
    let belongs = belongs.flat_map(|relation| &relation.by);
    let searched = options
        .search
        .iter()
        .flat_map(|s| s.fields.iter().map(|(name, _)| name));
    for name in key.chain(&options.tenant).chain(belongs).chain(searched) {
        if plan.column(&plain(name)).is_none() {
            cx.error(name, unknown_field(plan, name));
        }
    }
}

fn unknown_field(plan: &Plan<'_>, name: &Ident) -> String {
    let (model, word) = (plain(&plan.model.ident), plain(name));
    if let Some(field) = field(plan.model, &word) {
        let name = field.name();
        return format!("`{name}` is not stored: drop its `skip`, or name another field");
    }
    if let Some(flag) = shadow_flag(&word) {
        return format!("`{model}` has no field `{word}`: add it, or `#[orm({flag})]`");
    }
    let columns = || plan.columns.iter().map(|column| plain(&column.member));
    let known: Vec<String> = columns().collect();
    let known = || known.iter().map(String::as_str);
    match suggest::closest(&word, known()) {
        Some(hint) => format!("`{model}` has no field `{word}`, did you mean `{hint}`?"),
        None => format!(
            "`{model}` has no field `{word}`, expected one of {}",
            suggest::list(known())
        ),
    }
}

fn shadow_flag(word: &str) -> Option<&'static str> {
    match word {
        "created_at" | "updated_at" => Some("timestamps"),
        "deleted_at" => Some("soft_delete"),
        "created_by" | "updated_by" | "deleted_by" => Some("audit(by = ..)"),
        _ => None,
    }
}

fn field<'m>(model: &'m Model, name: &str) -> Option<&'m Field> {
    model.fields.iter().find(|field| field.name() == name)
}

fn has_key(cx: &Ctxt, plan: &Plan<'_>) {
    let model = plain(&plan.model.ident);
    // nothing has to tell the rows of a view apart
    if plan.model.options.view.is_some() {
        return;
    }
    if plan.model.options.key.is_none() && plan::key_fields(plan.model).is_empty() {
        let ident = &plan.model.ident;
        let fix = match plan.is_base() {
            true => format!("add `id: Id<{model}>` to `#[common(..)]`, or `#[orm(id)]` to a field there"),
            false => format!("add `pub id: Id<{model}>`, or `#[orm(id)]` to a field"),
        };
        cx.error(ident, format!("`{model}` has no primary key: {fix}"));
    }
}

fn one_way_to_the_key(cx: &Ctxt, plan: &Plan<'_>) {
    let marked: Vec<&Field> = plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.id.is_some())
        .collect();
    if plan.model.options.key.is_some() {
        for field in &marked {
            report(
                cx,
                field,
                "id",
                "the struct names its key already with `#[orm(id(..))]`: drop this one",
            );
        }
    } else if marked.len() > 1 {
        let names: Vec<String> = marked.iter().map(|field| field.name()).collect();
        let fix = format!(
            "for a key of several fields write `#[orm(id({}))]` on the struct",
            names.join(", ")
        );
        for field in &marked[1..] {
            report(cx, field, "id", &format!("a second `id`: {fix}"));
        }
    }
}

fn key_is_not_null(cx: &Ctxt, plan: &Plan<'_>) {
    for field in plan::key_fields(plan.model)
        .into_iter()
        .filter(|field| field.optional().is_some())
    {
        let name = field.name();
        cx.error(
            &field.original.ty,
            format!("`{name}` is in the primary key, which is never NULL: drop the `Option`"),
        );
    }
}

/// The most columns a key may have.
pub(crate) const MAX_KEY: usize = 4;

fn key_is_short(cx: &Ctxt, plan: &Plan<'_>) {
    let Some(key) = &plan.model.options.key else {
        return;
    };
    if let Some(fifth) = key.get(MAX_KEY) {
        cx.error(
            fifth,
            format!("a key has {MAX_KEY} columns at most: add an `id`, and make these `unique(..)`"),
        );
    }
}

/// Reports on an attribute of a field.
fn report(cx: &Ctxt, field: &Field, attribute: &str, message: &str) {
    match field.place_of(attribute) {
        Some(span) => cx.error_at(span, message),
        None => cx.error(&field.ident, message),
    }
}
