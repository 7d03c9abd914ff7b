//! Rules about embedded structs, and about the fields that hold them.

use syn::Expr;

use crate::check::{field, unknown_field};
use crate::ctxt::Ctxt;
use crate::parse::{FieldPath, plain};
use crate::plan::{self, Plan};
use crate::sql::{self, Piece};

/// A prefix says where the columns of an embedded struct lie, and nothing about other fields.
pub(crate) fn prefix_belongs_to_embed(cx: &Ctxt, plan: &Plan<'_>) {
    for field in plan.model.fields.iter().filter(|f| f.attrs.embed.is_none()) {
        if let Some(prefix) = &field.attrs.prefix {
            let fix = "add `embed`, or name the column with `column = \"..\"`";
            cx.error_at(
                prefix.span,
                format!("`prefix` belongs to an embedded struct: {fix}"),
            );
        }
    }
}

/// Keys, tenants and foreign keys are made of single columns.
pub(crate) fn single_columns(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let keys = plan::key_fields(plan.model)
        .into_iter()
        .map(|f| (&f.ident, "a primary key"));
    let tenant = options.tenant.iter().map(|name| (name, "a tenant"));
    let foreign = plan
        .model
        .relations
        .iter()
        .filter(|relation| relation.is_foreign_key());
    let foreign = foreign
        .flat_map(|relation| &relation.by)
        .map(|name| (name, "a foreign key"));
    for (name, what) in keys.chain(tenant).chain(foreign) {
        let embedded = field(plan.model, &plain(name)).is_some_and(|f| f.attrs.embed.is_some());
        // `id` and `embed` at one field contradict each other, which is said already
        let said = field(plan.model, &plain(name)).is_some_and(|f| f.attrs.id.is_some());
        if embedded && !said {
            let name = plain(name);
            cx.error(
                name_of(plan, &name),
                format!("`{name}` is an embedded struct, and {what} is made of single fields"),
            );
        }
    }
}

fn name_of<'m>(plan: &Plan<'m>, name: &str) -> Option<&'m syn::Ident> {
    field(plan.model, name).map(|f| &f.ident)
}

/// An index or a constraint names single columns.
pub(crate) fn known_paths(cx: &Ctxt, plan: &Plan<'_>) {
    let options = &plan.model.options;
    let uniques = options.uniques.iter().flat_map(|unique| &unique.columns);
    let indexes = options.indexes.iter();
    let indexes = indexes.flat_map(|index| index.columns().chain(&index.include));
    for path in uniques.chain(indexes).filter(|path| plan.slot(path).is_none()) {
        cx.error(&path.head, misnamed(plan, path));
    }
}

fn misnamed(plan: &Plan<'_>, path: &FieldPath) -> String {
    let name = plain(&path.head);
    match (plan.column(&name), path.rest.last()) {
        (None, _) => unknown_field(plan, &path.head),
        (Some(_), None) => format!("`{name}` is several columns: name one of them, as in `{name}.city`"),
        (Some(_), Some(last)) => match plain(last).as_str() {
            order @ ("asc" | "desc" | "nulls_first" | "nulls_last") => {
                format!("an order has parentheses: `{name}.{order}()`")
            }
            part => format!("`{name}` is one column, and has no `{part}`; or is `#[orm(embed)]` missing?"),
        },
    }
}

pub(crate) fn has_columns(cx: &Ctxt, plan: &Plan<'_>) {
    if plan.columns.is_empty() {
        let name = plain(&plan.model.ident);
        cx.error(
            &plan.model.ident,
            format!("`{name}` has no field that is stored, and would be no column"),
        );
    }
}

/// A condition does not know what its columns are called in a table, and so names fields in braces.
pub(crate) fn conditions(cx: &Ctxt, plan: &Plan<'_>) {
    for holder in &plan.model.fields {
        let Some(check) = &holder.attrs.check else {
            continue;
        };
        let before = cx.count();
        let pieces = sql::pieces(cx, check);
        let fields = pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_)));
        let mut named = 0;
        for piece in fields {
            named += 1;
            let word = match piece {
                Piece::Value(Expr::Path(path)) => path.path.get_ident(),
                _ => None,
            };
            let column = word.and_then(|word| plan.column(&plain(word)));
            let single = column.is_some_and(|i| plan.columns[i].embed().is_none());
            if !single {
                let message = "braces hold a field of this struct that is one column, as in `{zip}`";
                cx.error(check, message);
            }
        }
        if named == 0 && cx.count() == before {
            let name = holder.name();
            let why = "what the column is called depends on where the struct is embedded";
            cx.error(check, format!("write the column as `{{{name}}}`: {why}"));
        }
    }
}
