//! What a macro leaves behind when it found mistakes.
//!
//! The mistakes themselves come first. Without the items a correct input would have produced, every use of the
//! type would be another error that says nothing new; so the parts of the plan that hold are expanded all the same.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

use crate::ctxt::Ctxt;
use crate::expand;
use crate::parse::db_enum::DbEnum;
use crate::parse::plain;
use crate::parse::polymorphic::Polymorphic;
use crate::parse::relation::RelationKind;
use crate::parse::shape::Shape;
use crate::plan::{Column, Plan, Role};
use crate::ty;

/// The mistakes of a model, and as much of it as can be compiled.
pub(crate) fn model(errors: &Error, input: &DeriveInput, mut plan: Plan<'_>) -> TokenStream {
    let errors = errors.to_compile_error();
    if !input.generics.params.is_empty() || borrows(&plan) || !find_key(&mut plan) {
        return errors;
    }
    drop_broken_roles(&mut plan);
    drop_broken_relations(&mut plan);
    let rest = expand::model(&plan);
    quote!(#errors #rest)
}

/// The mistakes of an embedded struct, and what holds of it.
pub(crate) fn embed(errors: &Error, input: &DeriveInput, plan: &Plan<'_>) -> TokenStream {
    let errors = errors.to_compile_error();
    let whole = input.generics.params.is_empty() && !borrows(plan) && !plan.columns.is_empty();
    let rest = whole.then(|| expand::embed(plan));
    quote!(#errors #rest)
}

/// The mistakes of an enum, and what holds of it.
pub(crate) fn db_enum(errors: &Error, input: &DeriveInput, item: &DbEnum) -> TokenStream {
    let errors = errors.to_compile_error();
    let rest = input
        .generics
        .params
        .is_empty()
        .then(|| expand::db_enum(item, false));
    quote!(#errors #rest)
}

/// The mistakes of an enum of models, and what holds of it.
pub(crate) fn polymorphic(errors: &Error, input: &DeriveInput, item: &Polymorphic) -> TokenStream {
    let errors = errors.to_compile_error();
    let whole = input.generics.params.is_empty() && !item.targets.is_empty();
    let rest = whole.then(|| expand::polymorphic(item));
    quote!(#errors #rest)
}

/// The mistakes of a shape, and that it is one.
pub(crate) fn shape(errors: &Error, input: &DeriveInput, item: &Shape) -> TokenStream {
    let errors = errors.to_compile_error();
    let rest = input
        .generics
        .params
        .is_empty()
        .then(|| expand::shape(item, false));
    quote!(#errors #rest)
}

/// The mistakes of an item of which nothing can be said.
pub(crate) fn nothing(cx: Ctxt) -> TokenStream {
    cx.finish()
        .err()
        .map(|errors| errors.to_compile_error())
        .unwrap_or_default()
}

/// The mistakes of `sql!`, in the place of an expression.
pub(crate) fn expression(errors: &Error) -> TokenStream {
    let errors = errors.to_compile_error();
    quote!({ #errors ::orm::private::RawSql::new(::orm::private::Vec::new()) })
}

fn borrows(plan: &Plan<'_>) -> bool {
    plan.model
        .fields
        .iter()
        .any(|field| ty::is_reference(field.optional().unwrap_or(&field.ty)))
}

/// Another column stands in for a key that cannot be one.
fn find_key(plan: &mut Plan<'_>) -> bool {
    let single = |column: &Column<'_>| !column.nullable && column.embed().is_none();
    let usable = |&i: &usize| plan.columns.get(i).is_some_and(single);
    let count = plan.key.columns.len();
    if (1..=crate::check::MAX_KEY).contains(&count) && plan.key.columns.iter().all(usable) {
        return true;
    }
    let found = (0..plan.columns.len()).find(usable);
    plan.key.generation = None;
    plan.key.columns = found.into_iter().collect();
    found.is_some()
}

fn drop_broken_roles(plan: &mut Plan<'_>) {
    let mut seen: Vec<Role> = Vec::new();
    for column in &mut plan.columns {
        let Some(role) = column.role else { continue };
        let wrong = match (role, column.field) {
            (_, None) => false,
            (Role::Version, Some(field)) => !ty::is_version(&field.ty),
            (Role::Tenant, Some(_)) => column.nullable || column.embed().is_some(),
            (_, Some(_)) => true,
        };
        if wrong || seen.contains(&role) {
            column.role = None;
        } else {
            seen.push(role);
        }
    }
}

/// Relations that share a name with something else, or whose columns are not there.
fn drop_broken_relations(plan: &mut Plan<'_>) {
    let mut names: Vec<String> = plan.model.fields.iter().map(|field| field.name()).collect();
    names.extend(plan.columns.iter().map(|column| plain(&column.member)));
    let key = plan.key.columns.len();
    let whole = plan.relations.iter().filter(|r| crate::check::is_whole(plan, r));
    let whole: Vec<String> = whole.map(|r| plain(&r.relation.name)).collect();
    let columns = &plan.columns;
    let single = |local: &[usize]| local.iter().all(|&i| columns[i].embed().is_none());
    plan.relations.retain(|relation| {
        let name = plain(&relation.relation.name);
        let written = relation.relation;
        let fits = match written.kind {
            RelationKind::BelongsTo => relation.local.len() == written.by.len(),
            RelationKind::BelongsToAny => whole.contains(&plain(&written.name)),
            RelationKind::HasOne | RelationKind::HasMany | RelationKind::ManyToMany => {
                relation.foreign.len() == key || (written.by_association.is_some() && key == 1)
            }
        };
        let free = !names.contains(&name) && !crate::check::is_method(&name);
        names.push(name);
        fits && free && (written.kind == RelationKind::BelongsToAny || single(&relation.local))
    });
    plan.foreign_keys
        .retain(|key| !key.columns.is_empty() && single(&key.columns));
}
