//! The columns of a model: one for each stored field, the shadow columns after them, and which of them are the key.

use syn::{Ident, Type};

use crate::parse::field::Field;
use crate::parse::relation::{Relation, RelationKind};
use crate::parse::{Model, plain};
use crate::plan::{Column, ColumnType, Generation, Insert, Kind, Role};
use crate::ty;

/// The fields of the primary key: those the struct names, else those marked, else the one called `id`.
pub(crate) fn key_fields(model: &Model) -> Vec<&Field> {
    let stored = |field: &&Field| field.attrs.skip.is_none();
    if let Some(key) = &model.options.key {
        let find = |name: &Ident| {
            model
                .fields
                .iter()
                .filter(stored)
                .find(|field| field.name() == plain(name))
        };
        return key.iter().filter_map(find).collect();
    }
    let marked: Vec<&Field> = model
        .fields
        .iter()
        .filter(stored)
        .filter(|f| f.attrs.id.is_some())
        .collect();
    if marked.is_empty() {
        return model
            .fields
            .iter()
            .filter(stored)
            .filter(|field| field.name() == "id")
            .collect();
    }
    marked
}

/// A key is made for the user when its type is `Id<Self>`, or when it is called `id` and is an integer or a UUID;
/// not when it refers to another model, has a default or is calculated.
pub(crate) fn generation(model: &Model, field: &Field) -> Option<Generation> {
    let refers = model.relations.iter().any(|relation| {
        relation.kind == RelationKind::BelongsTo && relation.by.iter().any(|by| plain(by) == field.name())
    });
    if refers || field.attrs.default.is_some() || field.attrs.generated.is_some() {
        return None;
    }
    match ty::id(&field.ty) {
        Some(id) if ty::word(id.model).is_some_and(|word| word == plain(owner(model))) => {
            id.key.map_or(Some(Generation::Identity), generation_of)
        }
        Some(_) => None,
        None if field.name() == "id" => generation_of(&field.ty),
        None => None,
    }
}

/// The model whose keys the rows have: a variant shares them with its enum.
fn owner(model: &Model) -> &Ident {
    let base = model.options.variant_of.as_ref();
    let last = base.and_then(|base| base.segments.last());
    last.map_or(&model.ident, |segment| &segment.ident)
}

fn generation_of(ty: &Type) -> Option<Generation> {
    match ty::word(ty).as_deref() {
        Some("Uuid") => Some(Generation::UuidV7),
        _ if ty::is_integer(ty) => Some(Generation::Identity),
        _ => None,
    }
}

pub(crate) fn columns(model: &Model) -> Vec<Column<'_>> {
    let stored = model.fields.iter().filter(|field| field.attrs.skip.is_none());
    let mut columns: Vec<Column<'_>> = stored.map(|field| of_field(model, field)).collect();
    columns.extend(discriminator(model));
    for (role, name, ty) in shadows(model) {
        if columns.iter().all(|column| plain(&column.member) != name) {
            columns.push(shadow(model, role, name, ty));
        }
    }
    columns
}

/// What the discriminator of a variant is called in Rust, where nobody sees it.
pub(crate) const HIDDEN: &str = "__kind";

/// The column that says which variant a row is of, right behind the fields.
fn discriminator(model: &Model) -> Option<Column<'_>> {
    let member = match (model.variants.is_empty(), &model.options.variant_of) {
        (false, _) => "kind",
        (true, Some(_)) => HIDDEN,
        (true, None) => return None,
    };
    let name = model.options.discriminator.as_ref();
    let name = name.map_or_else(|| spelled(model, member), |name| name.value());
    let mut column = shadow(model, Role::Discriminator, member, ColumnType::Text);
    column.name = name;
    Some(column)
}

fn of_field<'m>(model: &'m Model, field: &'m Field) -> Column<'m> {
    Column {
        field: Some(field),
        member: field.ident.clone(),
        name: column_name(model, field),
        ty: ColumnType::Field(&field.ty),
        nullable: field.optional().is_some(),
        kind: Kind::Plain,
        insert: Insert::Required,
        role: role(model, field),
    }
}

fn column_name(model: &Model, field: &Field) -> String {
    let attrs = &field.attrs;
    match (&attrs.column, &attrs.prefix) {
        (Some(name), _) => name.value(),
        (None, Some(prefix)) => prefix.text.clone(),
        (None, None) if attrs.embed.is_some() => spelled(model, &association(model, field)) + "_",
        (None, None) => spelled(model, &field.name()),
    }
}

/// A discriminator and its key are called after their association.
fn association(model: &Model, field: &Field) -> String {
    let by = |relation: &&Relation| {
        let any = relation.kind == RelationKind::BelongsToAny && relation.arc.is_none();
        any && matches!(relation.by.as_slice(), [by] if plain(by) == field.name())
    };
    let relation = model.relations.iter().find(by);
    relation.map_or_else(|| field.name(), |relation| plain(&relation.name))
}

fn spelled(model: &Model, name: &str) -> String {
    model
        .options
        .rename_all
        .map_or_else(|| name.to_owned(), |case| case.apply(name))
}

fn role(model: &Model, field: &Field) -> Option<Role> {
    let name = field.name();
    if field.attrs.version.is_some() {
        return Some(Role::Version);
    }
    if model
        .options
        .tenant
        .as_ref()
        .is_some_and(|tenant| plain(tenant) == name)
    {
        return Some(Role::Tenant);
    }
    shadows(model)
        .into_iter()
        .find(|(_, shadow, _)| *shadow == name)
        .map(|(role, _, _)| role)
}

/// The columns that attributes of the struct ask for, with or without a field that shows them.
pub(crate) fn shadows(model: &Model) -> Vec<(Role, &'static str, ColumnType<'_>)> {
    let options = &model.options;
    let mut shadows = Vec::new();
    if options.timestamps.is_some() {
        shadows.push((Role::CreatedAt, "created_at", ColumnType::Timestamp));
        shadows.push((Role::UpdatedAt, "updated_at", ColumnType::Timestamp));
    }
    if options.soft_delete.is_some() {
        shadows.push((Role::DeletedAt, "deleted_at", ColumnType::OptionTimestamp));
    }
    if let Some(audit) = &options.audit {
        shadows.push((Role::CreatedBy, "created_by", ColumnType::Actor(&audit.by)));
        shadows.push((Role::UpdatedBy, "updated_by", ColumnType::Actor(&audit.by)));
        if options.soft_delete.is_some() {
            shadows.push((Role::DeletedBy, "deleted_by", ColumnType::OptionActor(&audit.by)));
        }
    }
    shadows
}

fn shadow<'m>(model: &'m Model, role: Role, name: &str, ty: ColumnType<'m>) -> Column<'m> {
    Column {
        field: None,
        member: Ident::new(name, model.ident.span()),
        name: spelled(model, name),
        nullable: matches!(ty, ColumnType::OptionTimestamp | ColumnType::OptionActor(_)),
        ty,
        kind: Kind::Managed,
        insert: Insert::Never,
        role: Some(role),
    }
}
