//! Third room: a checked plan as tokens. Nothing is decided here, and nothing but `orm::private` and `core` is
//! named, so that the code means the same in every module of the user.

mod cols;
mod db_enum;
mod debug;
mod embed;
mod family;
mod insert;
pub(crate) mod names;
mod polymorphic;
mod relation;
mod row;
mod scalar;
mod shape;
mod sql;
mod table;

pub(crate) use crate::expand::db_enum::db_enum;
pub(crate) use crate::expand::embed::embed;
pub(crate) use crate::expand::polymorphic::polymorphic;
pub(crate) use crate::expand::scalar::scalar;
pub(crate) use crate::expand::shape::shape;
pub(crate) use crate::expand::sql::{raw_expr, sql};

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::names::Names;
use crate::plan::Plan;

/// Everything `#[derive(Model)]` adds.
pub(crate) fn model(plan: &Plan<'_>) -> TokenStream {
    let names = Names::new(plan);
    let private = &names.private;
    let (new, inserts) = match plan.is_base() {
        true => (family::item(plan, &names), family::inserts(plan, &names)),
        false => (insert::item(plan, &names), insert::impls(plan, &names)),
    };
    let outside = [
        cols::item(plan, &names),
        new,
        relation::markers(plan, &names),
        relation::wrappers(plan, &names),
        relation::methods(plan, &names),
    ];
    let inside = [
        table::statics(plan, &names),
        cols::impls(plan, &names),
        row::impls(plan, &names),
        inserts,
        family::variant(plan, &names),
        relation::impls(plan, &names),
        relation::references(plan),
        relation::referrers(plan, &names),
        debug::implementation(plan),
    ];
    let ident = &plan.model.ident;
    quote! {
        #(#outside)*
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            #(#inside)*
            __orm::from_row!(#ident);
        };
    }
}
