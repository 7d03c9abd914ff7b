//! Rules about single columns and about attributes that exclude each other.

use syn::Type;

use crate::check::{field, report};
use crate::ctxt::Ctxt;
use crate::parse::field::Field;
use crate::parse::plain;
use crate::plan::{Column, Plan, Role};
use crate::ty;

pub(crate) fn one_version(cx: &Ctxt, plan: &Plan<'_>) {
    let mut versions = plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.version.is_some());
    let Some(first) = versions.next() else { return };
    for second in versions {
        report(
            cx,
            second,
            "version",
            &format!("`{}` is already the version of a row", first.name()),
        );
    }
}

pub(crate) fn version_counts(cx: &Ctxt, plan: &Plan<'_>) {
    for field in plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.version.is_some())
    {
        let name = field.name();
        if field.optional().is_some() {
            cx.error(
                &field.original.ty,
                format!("the version `{name}` is never NULL: drop the `Option`"),
            );
        } else if !ty::is_version(&field.ty) {
            let expected = "make it an `i64`, a `Uuid`, a `Timestamp` or a `RowVersion`";
            let message = format!("`{name}` cannot be the version of a row: {expected}");
            cx.error(&field.original.ty, message);
        } else if ty::word(&field.ty).is_some_and(|word| word == "RowVersion") {
            for attribute in ["index", "column", "check", "ty", "validate"] {
                let why = "`RowVersion` is no column of the table, the database keeps it by itself";
                redundant(cx, field, attribute, &format!("{why}: drop `{attribute}`"));
            }
        }
    }
}

/// The database keeps a version of rows and nothing else.
pub(crate) fn row_version_is_a_version(cx: &Ctxt, plan: &Plan<'_>) {
    let is_one = |field: &&Field| ty::word(&field.ty).is_some_and(|word| word == "RowVersion");
    for field in plan.model.fields.iter().filter(is_one) {
        if field.attrs.version.is_none() && field.attrs.skip.is_none() {
            let name = field.name();
            let message = format!("`{name}` is the version of a row: add `#[orm(version)]`");
            cx.error(&field.original.ty, message);
        }
    }
}

/// Pairs of attributes that contradict each other, with the reason.
const CONFLICTS: &[(&str, &[&str], &str)] = &[
    (
        "skip",
        &[
            "id",
            "unique",
            "index",
            "column",
            "default",
            "generated",
            "check",
            "version",
            "json",
            "sensitive",
            "decimal",
            "embed",
            "ty",
        ],
        "a skipped field is no column",
    ),
    (
        "generated",
        &["id", "default", "version"],
        "a calculated column is never written",
    ),
    (
        "version",
        &["id", "default", "unique"],
        "the library sets the version",
    ),
    ("decimal", &["json", "ty"], "a column has one type"),
    (
        "embed",
        &[
            "id",
            "unique",
            "index",
            "column",
            "default",
            "generated",
            "check",
            "version",
            "json",
            "decimal",
            "ty",
        ],
        "an embedded struct is several columns",
    ),
];

pub(crate) fn attributes_agree(cx: &Ctxt, plan: &Plan<'_>) {
    plan.model
        .fields
        .iter()
        .for_each(|field| field_attributes_agree(cx, field));
    for column in plan
        .columns
        .iter()
        .filter(|column| plan.key.columns.len() == 1 && is_key(plan, column))
    {
        if let Some(field) = column.field {
            redundant(
                cx,
                field,
                "unique",
                "the primary key is unique already: drop `unique`",
            );
            redundant(
                cx,
                field,
                "index",
                "the primary key has its index already: drop `index`",
            );
        }
    }
    for field in plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.unique.is_some())
    {
        redundant(
            cx,
            field,
            "index",
            "a unique column has its index already: drop `index`",
        );
    }
}

fn field_attributes_agree(cx: &Ctxt, field: &Field) {
    for (one, others, reason) in CONFLICTS {
        if field.place_of(one).is_none() {
            continue;
        }
        for other in others.iter().filter(|other| field.place_of(other).is_some()) {
            report(
                cx,
                field,
                other,
                &format!("`{other}` contradicts `{one}`: {reason}"),
            );
        }
    }
}

fn is_key(plan: &Plan<'_>, column: &Column<'_>) -> bool {
    plan.key
        .columns
        .iter()
        .filter_map(|&i| plan.columns.get(i))
        .any(|key| key.member == column.member)
}

fn redundant(cx: &Ctxt, field: &Field, attribute: &str, message: &str) {
    if field.place_of(attribute).is_some() {
        report(cx, field, attribute, message);
    }
}

/// A field that shows a shadow column has the shadow's nullness, and nothing else sets it.
pub(crate) fn shadow_fields(cx: &Ctxt, plan: &Plan<'_>) {
    for column in &plan.columns {
        let (Some(field), Some(role)) = (column.field, column.role) else {
            continue;
        };
        let Some((flag, nullable)) = shadow(role) else {
            continue;
        };
        let name = field.name();
        if nullable && field.optional().is_none() {
            let wants = if role == Role::DeletedAt {
                "Option<Timestamp>"
            } else {
                "Option<..>"
            };
            let why = format!("`{name}` is NULL while a row lives (`{flag}`): make it `{wants}`");
            cx.error(&field.original.ty, why);
        } else if !nullable && field.optional().is_some() {
            cx.error(
                &field.original.ty,
                format!("`{name}` is always set (`{flag}`): drop the `Option`"),
            );
        } else if !is_time(role, field.optional().unwrap_or(&field.ty)) {
            let fix = format!("`{name}` is a time (`{flag}`): make it a `Timestamp`");
            cx.error(&field.original.ty, fix);
        }
        for attribute in [
            "id",
            "unique",
            "default",
            "generated",
            "version",
            "json",
            "decimal",
            "embed",
        ] {
            redundant(
                cx,
                field,
                attribute,
                &format!("`{name}` is set by `{flag}`: drop `{attribute}`"),
            );
        }
    }
}

fn shadow(role: Role) -> Option<(&'static str, bool)> {
    match role {
        Role::CreatedAt | Role::UpdatedAt => Some(("timestamps", false)),
        Role::DeletedAt => Some(("soft_delete", true)),
        Role::CreatedBy | Role::UpdatedBy => Some(("audit", false)),
        Role::DeletedBy => Some(("audit", true)),
        Role::Version | Role::Tenant | Role::Discriminator => None,
    }
}

/// Refuses what is surely no time; other types are checked by their traits.
fn is_time(role: Role, ty: &Type) -> bool {
    let timed = matches!(role, Role::CreatedAt | Role::UpdatedAt | Role::DeletedAt);
    let never = ["bool", "String", "f32", "f64", "Uuid"];
    let wrong = ty::is_integer(ty) || ty::word(ty).is_some_and(|word| never.contains(&word.as_str()));
    !timed || !wrong
}

pub(crate) fn tenant_field(cx: &Ctxt, plan: &Plan<'_>) {
    let Some(tenant) = &plan.model.options.tenant else {
        return;
    };
    let Some(field) = field(plan.model, &plain(tenant)) else {
        return;
    };
    if field.optional().is_some() {
        cx.error(&field.original.ty, "every row has a tenant: drop the `Option`");
    }
    for attribute in ["default", "generated", "version"] {
        redundant(
            cx,
            field,
            attribute,
            &format!("the tenant is set by the handle: drop `{attribute}`"),
        );
    }
}

pub(crate) fn decimals(cx: &Ctxt, plan: &Plan<'_>) {
    plan.model.fields.iter().for_each(|field| decimal(cx, field));
}

/// What a decimal number holds on its way to the database.
const MOST_DIGITS: u16 = 38;

fn decimal(cx: &Ctxt, field: &Field) {
    let Some(decimal) = &field.attrs.decimal else {
        return;
    };
    let (precision, scale) = (decimal.precision, decimal.scale);
    if precision == 0 || precision > MOST_DIGITS {
        cx.error_at(
            decimal.span,
            format!("a precision of {precision} digits: from 1 to {MOST_DIGITS} are possible"),
        );
    } else if scale > precision {
        cx.error_at(
            decimal.span,
            format!("a scale of {scale} digits in a precision of {precision}"),
        );
    }
}

pub(crate) fn owned_types(cx: &Ctxt, plan: &Plan<'_>) {
    plan.model.fields.iter().for_each(|field| owned_type(cx, field));
}

fn owned_type(cx: &Ctxt, field: &Field) {
    if ty::is_reference(field.optional().unwrap_or(&field.ty)) && field.attrs.skip.is_none() {
        let name = field.name();
        cx.error(
            &field.original.ty,
            format!("`{name}` borrows, and a row owns its values: use `String` or `Vec<u8>`"),
        );
    }
}

/// Rows that never change have nothing that changes.
pub(crate) fn append_only_rows_stay(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    if options.append_only.is_none() || options.view.is_some() {
        return;
    }
    let refuse = |span, name: &str| {
        cx.error_at(
            span,
            format!("rows of an append-only model never change: drop `{name}`"),
        )
    };
    options
        .soft_delete
        .into_iter()
        .for_each(|span| refuse(span, "soft_delete"));
    for field in &plan.model.fields {
        let version = field.place_of("version");
        version.into_iter().for_each(|span| refuse(span, "version"));
    }
}

/// A history is of rows that change, and its columns stand beside those of the model.
pub(crate) fn history_has_room(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let Some(span) = options.history.filter(|_| options.view.is_none()) else {
        return;
    };
    if options.append_only.is_some() {
        cx.error_at(
            span,
            "rows of an append-only model never change, so it has no history: drop `history`",
        );
    }
    const OWN: [&str; 4] = ["history_id", "valid_from", "valid_to", "operation"];
    for column in plan.columns.iter().filter(|c| OWN.contains(&c.name.as_str())) {
        let span = column
            .field
            .map_or(span, |field| syn::spanned::Spanned::span(&field.original.ident));
        let name = &column.name;
        cx.error_at(
            span,
            format!("the table of versions has a column `{name}` of its own: rename this one, as in `column = \"..\"`"),
        );
    }
}

/// A chain of hashes is over rows that stay.
pub(crate) fn chained_rows_stay(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    if let Some(span) = options.hash_chain
        && options.append_only.is_none()
        && options.view.is_none()
    {
        cx.error_at(
            span,
            "a chain of hashes is over rows that never change: add `append_only`",
        );
    }
}

/// The words of a row are kept beside its columns, in its own table.
pub(crate) fn searched_fields(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let Some(search) = &options.search else {
        return;
    };
    if options.variant_of.is_some() {
        cx.error_at(
            search.span,
            "rows of variants are in the table of their enum, which is not searched: drop `search`",
        );
    }
    for (name, _) in &search.fields {
        let column = plan.column(&plain(name)).and_then(|i| plan.columns.get(i));
        if column.is_some_and(|c| c.embed().is_some()) {
            cx.error(
                name,
                "the fields of an embedded struct are not searched: name a field of the model",
            );
        }
    }
    let vector = |c: &&Column<'_>| c.name.eq_ignore_ascii_case("search_vector");
    if let Some(field) = plan.columns.iter().find(vector).and_then(|c| c.field) {
        cx.error(
            &field.ident,
            "the words of a search are in a column `search_vector`: rename this one, as in `column = \"..\"`",
        );
    }
}

/// The audit trail names each row by its key.
pub(crate) fn trail_names_rows(cx: &Ctxt, plan: &Plan<'_>) {
    if plan.model.options.audit_trail.is_none() {
        return;
    }
    for column in plan.key.columns.iter().filter_map(|&i| plan.columns.get(i)) {
        if let Some(span) = column.field.and_then(|field| field.place_of("sensitive")) {
            cx.error_at(
                span,
                "the audit trail names each row by its key, which cannot be `sensitive`",
            );
        }
    }
}

pub(crate) fn view_is_read_only(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    if options.view.is_none() {
        if let Some(span) = options.materialized {
            cx.error_at(
                span,
                "only a view is `materialized`: add `view = \"SELECT ..\"`, or a query",
            );
        }
        return;
    }
    let refuse = |span, name: &str| cx.error_at(span, format!("a view is only read: drop `{name}`"));
    let flags = [
        (options.timestamps, "timestamps"),
        (options.soft_delete, "soft_delete"),
        (options.audit.as_ref().map(|audit| audit.span), "audit"),
        (options.audit_trail.map(|trail| trail.span), "audit_trail"),
        (options.history, "history"),
        (options.append_only, "append_only"),
        (options.hash_chain, "hash_chain"),
        (options.search.as_ref().map(|search| search.span), "search"),
    ];
    flags
        .into_iter()
        .for_each(|(span, name)| span.into_iter().for_each(|span| refuse(span, name)));
    // stored rows have indexes, and no constraints
    let stored = options.materialized.is_some();
    if !stored {
        options
            .uniques
            .iter()
            .for_each(|unique| refuse(unique.span, "unique"));
        options
            .indexes
            .iter()
            .for_each(|index| refuse(index.span, "index"));
    }
    options
        .checks
        .iter()
        .for_each(|check| refuse(check.sql.span(), "check"));
    for field in &plan.model.fields {
        for name in ["unique", "index", "default", "generated", "check", "version"] {
            if stored && matches!(name, "unique" | "index") {
                continue;
            }
            field
                .place_of(name)
                .into_iter()
                .for_each(|span| refuse(span, name));
        }
    }
}
