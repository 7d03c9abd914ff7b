//! Macros of the `orm` crate, which exports them; depend on that one.
//!
//! Each runs through three rooms: `parse` reads what was written, `plan` and `check` decide and refuse, `expand` writes
//! what is left as tokens. All mistakes of one item are reported at once.
#![forbid(unsafe_code)]

mod attr;
mod check;
mod ctxt;
mod expand;
mod fallback;
mod name;
mod parse;
mod plan;
mod sql;
mod suggest;
mod ty;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::ctxt::Ctxt;
use crate::plan::Plan;

/// Makes a struct with named fields a row of a table.
#[proc_macro_derive(Model, attributes(orm, has_one, has_many, many_to_many, belongs_to))]
pub fn model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_model(&input).into()
}

/// Makes an enum without data a column type, stored by the names of its variants.
#[proc_macro_derive(DbEnum, attributes(orm))]
pub fn db_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_enum(&input).into()
}

/// An SQL statement with values in braces: `sql!("select name from users where id = {id}")`.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let statement = sql::sql(&cx, input.into());
    match (cx.finish(), statement) {
        (Ok(()), Some(statement)) => expand::sql(&statement).into(),
        (Ok(()), None) => TokenStream::new(),
        (Err(errors), _) => fallback::expression(&errors).into(),
    }
}

fn expand_model(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(model) = parse::model(&cx, input) else {
        return fallback::nothing(cx);
    };
    let plan = Plan::new(&model);
    check::check(&cx, &plan);
    match cx.finish() {
        Ok(()) => expand::model(&plan),
        Err(errors) => fallback::model(&errors, input, plan),
    }
}

fn expand_enum(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(item) = parse::db_enum::db_enum(&cx, input) else {
        return fallback::nothing(cx);
    };
    match cx.finish() {
        Ok(()) => expand::db_enum(&item, true),
        Err(errors) => fallback::db_enum(&errors, input, &item),
    }
}

#[cfg(test)]
mod tests;
