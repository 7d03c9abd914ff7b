//! Rules about relations and their foreign keys.

use crate::check::field;
use crate::ctxt::Ctxt;
use crate::parse::plain;
use crate::parse::relation::{ActionKind, Relation, RelationKind};
use crate::plan::Plan;

/// Methods of every model, which a relation's method of the same name would hide.
const METHODS: &[&str] = &[
    "attach",
    "clone",
    "delete",
    "get",
    "id",
    "insert",
    "into_parts",
    "merge",
    "move_to",
    "purge",
    "query",
    "restore",
    "update",
    "update_where",
    "walk",
];

/// Whether a relation of this name would hide a method.
pub(crate) fn is_method(name: &str) -> bool {
    METHODS.contains(&name)
}

pub(crate) fn names(cx: &Ctxt, plan: &Plan<'_>) {
    let model = plain(&plan.model.ident);
    for (i, relation) in plan.model.relations.iter().enumerate() {
        let name = plain(&relation.name);
        let column = plan.columns.iter().any(|column| plain(&column.member) == name);
        let example = renamed(relation, &name);
        if column || field(plan.model, &name).is_some() {
            cx.error(
                &relation.name,
                format!("`{name}` is already a column of `{model}`: rename the relation, e.g. `{example}`"),
            );
        } else if is_method(&name) {
            cx.error(
                &relation.name,
                format!("`{name}` is a method of every model: rename the relation, e.g. `{example}`"),
            );
        } else if plan.model.relations[..i]
            .iter()
            .any(|other| plain(&other.name) == name)
        {
            cx.error(
                &relation.name,
                format!("`{name}` is already a relation of `{model}`: rename this one, e.g. `{example}`"),
            );
        }
    }
}

fn renamed(relation: &Relation, name: &str) -> String {
    let target = relation
        .target
        .segments
        .last()
        .map(|segment| plain(&segment.ident))
        .unwrap_or_default();
    let other = match (relation.kind, name) {
        (RelationKind::BelongsTo, "author") => "written_by".to_owned(),
        (RelationKind::BelongsTo | RelationKind::BelongsToAny, _) => format!("{name}_row"),
        (RelationKind::HasOne, _) => format!("own_{name}"),
        (RelationKind::HasMany | RelationKind::ManyToMany, _) => format!("all_{name}"),
    };
    format!("#[{}({other}: {target})]", relation.kind.attribute())
}

/// As many columns refer as the key has.
pub(crate) fn keys_fit(cx: &Ctxt, plan: &Plan<'_>) {
    let key = plan.key.columns.len();
    for relation in plan
        .relations
        .iter()
        .filter(|plan| !plan.relation.is_foreign_key() && plan.relation.kind != RelationKind::BelongsToAny)
    {
        let (name, given) = (&relation.relation.name, relation.foreign.len());
        if let Some(association) = &relation.relation.by_association {
            if key > 1 {
                let model = plain(&plan.model.ident);
                let message = format!("`as` needs a key of one column, and that of `{model}` has {key}");
                cx.error(association, message);
            }
            continue;
        }
        if key == 0 || given == key {
            continue;
        }
        let model = plain(&plan.model.ident);
        let place = relation.relation.by.first().unwrap_or(name);
        let fix = match key {
            1 => "name one field: `by = author_id`".to_owned(),
            _ => format!("name {key} fields in its order: `by = (a, b)`"),
        };
        cx.error(
            place,
            format!("the key of `{model}` has {key} columns and `by` has {given}: {fix}"),
        );
    }
}

/// The two keys of a join table are two columns.
pub(crate) fn two_ends(cx: &Ctxt, plan: &Plan<'_>) {
    for relation in &plan.relations {
        let same = relation.foreign.iter().find(|name| relation.to.contains(name));
        if let Some(same) = same {
            let (name, end) = (
                plain(same),
                relation.relation.to.first().unwrap_or(&relation.relation.name),
            );
            let fix = "name the two columns of the join table: `by = follower_id, to = followed_id`";
            cx.error(end, format!("`{name}` would be both ends of the relation: {fix}"));
        }
    }
}

pub(crate) fn actions(cx: &Ctxt, plan: &Plan<'_>) {
    for relation in plan
        .model
        .relations
        .iter()
        .filter(|relation| relation.is_foreign_key())
    {
        let on_delete = relation.on_delete.map(|action| ("on_delete", action));
        let on_update = relation.on_update.map(|action| ("on_update", action));
        for (option, action) in on_delete.into_iter().chain(on_update) {
            if let Some(message) = refusal(plan, relation, option, action.kind) {
                cx.error_at(action.span, message);
            }
        }
    }
}

fn refusal(plan: &Plan<'_>, relation: &Relation, option: &str, action: ActionKind) -> Option<String> {
    let fields = || relation.by.iter().filter_map(|by| field(plan.model, &plain(by)));
    match action {
        ActionKind::SetNull => {
            let required = fields().find(|field| field.optional().is_none())?;
            let name = required.name();
            Some(format!(
                "`{option} = set_null` needs a key that may be NULL: make `{name}` an `Option<..>`"
            ))
        }
        ActionKind::SetDefault => {
            let without = fields().find(|field| field.attrs.default.is_none())?;
            let name = without.name();
            Some(format!(
                "`{option} = set_default` needs a default: add `#[orm(default = ..)]` to `{name}`"
            ))
        }
        ActionKind::Cascade if option == "on_delete" && plan.model.options.soft_delete.is_some() => {
            let model = plain(&plan.model.ident);
            Some(format!(
                "`on_delete = cascade` would really delete rows of `{model}`, which is soft-deleted: use `restrict`"
            ))
        }
        ActionKind::Cascade | ActionKind::Restrict | ActionKind::NoAction => None,
    }
}

/// A second foreign key over the same columns would have the same name, and nearly always is a slip.
pub(crate) fn one_per_key(cx: &Ctxt, plan: &Plan<'_>) {
    let keys: Vec<&Relation> = plan
        .model
        .relations
        .iter()
        .filter(|relation| relation.is_foreign_key())
        .collect();
    for (i, relation) in keys.iter().enumerate() {
        let same = |other: &&&Relation| other.by == relation.by;
        if let Some(first) = keys[..i].iter().find(same) {
            let names: Vec<String> = relation.by.iter().map(plain).collect();
            let (names, first) = (names.join(", "), plain(&first.name));
            cx.error(
                &relation.name,
                format!("`{names}` is already the foreign key of `{first}`"),
            );
        }
    }
}
