//! Rules about names in the database: two things never share one, and none is too long.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::LitStr;

use crate::ctxt::Ctxt;
use crate::name::MAX_BYTES;
use crate::parse::plain;
use crate::plan::{Origin, Plan};

/// Columns differ without regard to ASCII case, as on SQLite.
pub(crate) fn columns(cx: &Ctxt, plan: &Plan<'_>) {
    let mut seen: HashMap<String, String> = HashMap::new();
    // what an embedded struct stores is seen by the compiler only, which looks there (`distinct`)
    for column in plan.columns.iter().filter(|column| column.embed().is_none()) {
        let span = column.field.map_or_else(
            || column.member.span(),
            |field| field.place_of("column").unwrap_or_else(|| field.ident.span()),
        );
        if column.name.len() > MAX_BYTES {
            cx.error_at(span, too_long(&column.name));
        }
        let member = plain(&column.member);
        if let Some(first) = seen.insert(column.name.to_ascii_lowercase(), member.clone()) {
            cx.error_at(
                span,
                format!(
                    "`{first}` and `{member}` are both stored as column `{}`",
                    column.name
                ),
            );
        }
    }
}

/// Names the user wrote, where no hash shortens them.
pub(crate) fn given(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let indexes = options.indexes.iter().filter_map(|index| index.name.as_ref());
    let uniques = options.uniques.iter().filter_map(|unique| unique.name.as_ref());
    let checks = options.checks.iter().filter_map(|check| check.name.as_ref());
    let own = options.table.iter().chain(&options.schema);
    own.chain(indexes)
        .chain(uniques)
        .chain(checks)
        .for_each(|name| length(cx, name));
    if options.table.is_none() && plan.table.len() > MAX_BYTES {
        cx.error(
            &plan.model.ident,
            format!("{}: add `#[orm(table = \"..\")]`", too_long(&plan.table)),
        );
    }
}

fn length(cx: &Ctxt, name: &LitStr) {
    if name.value().len() > MAX_BYTES {
        cx.error(name, too_long(&name.value()));
    }
}

fn too_long(name: &str) -> String {
    format!(
        "`{name}` has {} bytes, and a name in the database has {MAX_BYTES} at most",
        name.len()
    )
}

/// Constraints and indexes of one table; two that come out alike are told apart by `name = ".."`.
pub(crate) fn constraints(cx: &Ctxt, plan: &Plan<'_>) {
    let uniques = plan.uniques.iter().map(|unique| (&unique.name, unique.origin));
    let indexes = plan.indexes.iter().map(|index| (&index.name, index.origin));
    let checks = plan.checks.iter().map(|check| (&check.name, check.origin));
    let mut seen: Vec<&str> = Vec::new();
    for (name, origin) in uniques.chain(indexes).chain(checks) {
        if seen.contains(&name.as_str()) {
            cx.error_at(
                place(origin),
                format!("a second `{name}`: give this one a name, `name = \"..\"`"),
            );
        }
        seen.push(name);
    }
}

fn place(origin: Origin<'_>) -> Span {
    match origin {
        Origin::Struct(span) => span,
        Origin::Field(field) => field.ident.span(),
    }
}
