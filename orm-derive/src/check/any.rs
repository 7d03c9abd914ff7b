//! Rules about associations with one of several models.

use proc_macro2::Span;
use quote::ToTokens;

use crate::check::field;
use crate::ctxt::Ctxt;
use crate::parse::plain;
use crate::parse::relation::{ActionKind, Relation, RelationKind};
use crate::plan::{Plan, RelationPlan};

/// An arc is several foreign keys, of which all but one are NULL.
pub(crate) fn arcs(cx: &Ctxt, plan: &Plan<'_>) {
    for relation in plan
        .model
        .relations
        .iter()
        .filter(|relation| relation.arc.is_some())
    {
        for (span, message) in mistakes(plan, relation) {
            cx.error_at(span, message);
        }
    }
}

/// Whether an association can be expanded.
pub(crate) fn is_whole(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> bool {
    let written = relation.relation;
    relation.local.len() == written.by.len() && mistakes(plan, written).is_empty()
}

fn mistakes(plan: &Plan<'_>, relation: &Relation) -> Vec<(Span, String)> {
    if relation.kind != RelationKind::BelongsToAny || relation.arc.is_none() {
        return Vec::new();
    }
    let (arc, mut mistakes, mut seen) = (plain(&relation.name), Vec::new(), Vec::new());
    if relation.by.len() < 2 {
        let message = "an arc has two foreign keys or more: `arc = (post_id, photo_id)`";
        mistakes.push((
            relation.arc.unwrap_or_else(|| relation.name.span()),
            message.to_owned(),
        ));
    }
    for name in &relation.by {
        let word = plain(name);
        let Some(field) = field(plan.model, &word) else {
            continue;
        };
        let mut mistake = |message: String| mistakes.push((name.span(), message));
        if field.optional().is_none() {
            mistake(format!(
                "`{word}` is in the arc `{arc}`, where all keys but one are NULL: make it an `Option<..>`"
            ));
        }
        let refers =
            |r: &&Relation| r.is_foreign_key() && matches!(r.by.as_slice(), [by] if plain(by) == word);
        let Some(key) = plan.model.relations.iter().find(refers) else {
            mistake(format!(
                "`{word}` is in the arc `{arc}` and refers to no model: add `#[belongs_to(..: ..)]` to it"
            ));
            continue;
        };
        let target = key.target.to_token_stream().to_string();
        if seen.contains(&target) {
            mistake(format!(
                "two keys of the arc `{arc}` refer to `{target}`: each model has one"
            ));
        }
        seen.push(target);
        if let (Some(action), None) = (key.on_delete, relation.optional)
            && action.kind == ActionKind::SetNull
        {
            let message = format!(
                "`on_delete = set_null` would leave the arc `{arc}` without a key: use `cascade` or `restrict`, \
                 or make the arc `optional`"
            );
            mistakes.push((action.span, message));
        }
    }
    mistakes
}

/// The method with the key of an arc hides no other.
pub(crate) fn methods(cx: &Ctxt, plan: &Plan<'_>) {
    let relations = &plan.model.relations;
    for relation in relations.iter().filter(|relation| relation.arc.is_some()) {
        let method = format!("{}_id", plain(&relation.name));
        if relations.iter().any(|other| plain(&other.name) == method) {
            let message = format!("the method `{method}()` gives the key of this arc: rename that relation");
            cx.error(&relation.name, message);
        }
    }
}
