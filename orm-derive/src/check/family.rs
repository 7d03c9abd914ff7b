//! Rules about enums of variants and their variants, as far as one of them shows.

use crate::check::{relations::is_method, report};
use crate::ctxt::Ctxt;
use crate::parse::plain;
use crate::plan::Plan;

/// What only a variant has a use for.
pub(crate) fn only_variants(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    if options.variant_of.is_some() {
        return;
    }
    let fix = "belongs to a variant: add `variant_of = ..` with the enum it is one of";
    if let Some(tag) = &options.tag {
        cx.error(tag, format!("`tag` {fix}"));
    }
    if let Some(joined) = options.joined {
        cx.error_at(joined, format!("`joined` {fix}"));
    }
}

/// What a variant leaves to its enum.
pub(crate) fn variants(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let Some(base) = &options.variant_of else { return };
    let word = base.segments.last().map(|s| plain(&s.ident)).unwrap_or_default();
    if let Some(view) = options.view.as_ref().map(|view| view.span) {
        cx.error_at(view, format!("a variant is written with `{word}`: drop `view`"));
    }
    if let (Some(schema), None) = (&options.schema, options.joined) {
        cx.error(
            schema,
            format!("the table is that of `{word}`: give `schema` there"),
        );
    }
    if let (Some(joined), Some(_)) = (options.joined, plan.key.columns.get(1)) {
        cx.error_at(
            joined,
            "a variant with a table of its own needs a key of one column",
        );
    }
}

/// What is kept for each table by the database, and rows of variants lie in several.
pub(crate) fn kept_by_tables(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    if options.variant_of.is_none() && !plan.is_base() {
        return;
    }
    let triggers = options.audit_trail.filter(|trail| trail.by_triggers);
    for (span, fix) in [
        (options.history, "drop `history`"),
        (options.hash_chain, "drop `hash_chain`"),
        (triggers.map(|trail| trail.span), "write `audit_trail` alone"),
    ] {
        if let Some(span) = span {
            cx.error_at(
                span,
                format!("it is kept by tables, and rows of variants may lie in two: {fix}"),
            );
        }
    }
}

/// What the fields of `#[common(..)]` cannot be.
pub(crate) fn common(cx: &Ctxt, plan: &Plan<'_>) {
    if !plan.is_base() {
        return;
    }
    let model = plain(&plan.model.ident);
    for field in &plan.model.fields {
        let name = field.name();
        if name == "kind" {
            let fix = "rename the field; `column = \"..\"` keeps its column";
            cx.error(
                &field.ident,
                format!("`kind` is the discriminator of `{model}`: {fix}"),
            );
        } else if name != "id" && is_method(&name) {
            let fix = "rename the field; `column = \"..\"` keeps its column";
            cx.error(
                &field.ident,
                format!("`{name}` is a method of every model: {fix}"),
            );
        }
        if field.attrs.skip.is_some() {
            report(
                cx,
                field,
                "skip",
                "what all variants have in common are columns: drop the field here",
            );
        }
    }
}
