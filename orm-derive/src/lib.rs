//! Macros of the `orm` crate, which exports them; depend on that one.
//!
//! Each runs through three rooms: `parse` reads what was written, `plan` and `check` decide and refuse, and what
//! passes is expanded. All mistakes of one item are reported at once.
#![forbid(unsafe_code)]

mod attr;
mod check;
mod ctxt;
mod fallback;
mod name;
mod parse;
mod plan;
mod sql;
mod suggest;
mod ty;

use proc_macro::TokenStream;
use syn::{DeriveInput, Result, parse_macro_input};

use crate::ctxt::Ctxt;
use crate::plan::Plan;

/// Makes a struct with named fields a row of a table.
#[proc_macro_derive(Model, attributes(orm, has_one, has_many, many_to_many, belongs_to))]
pub fn model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    finish(read_model(&input))
}

/// Makes an enum without data a column type, stored by the names of its variants.
#[proc_macro_derive(DbEnum, attributes(orm))]
pub fn db_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    finish(read_enum(&input))
}

/// Makes a struct with named fields a group of columns that models embed.
#[proc_macro_derive(Embed, attributes(orm))]
pub fn embed(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    finish(read_embed(&input))
}

/// An SQL statement with values in braces: `sql!("select name from users where id = {id}")`.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let read = sql::sql(&cx, input.into());
    match cx.finish() {
        Ok(()) => drop(read),
        Err(errors) => return fallback::expression(&errors).into(),
    }
    TokenStream::new()
}

fn finish(result: Result<()>) -> TokenStream {
    match result {
        Ok(()) => TokenStream::new(),
        Err(errors) => fallback::derive(&errors).into(),
    }
}

fn read_model(input: &DeriveInput) -> Result<()> {
    let cx = Ctxt::new();
    if let Some(model) = parse::model(&cx, input) {
        check::check(&cx, &Plan::new(&model));
    }
    cx.finish()
}

fn read_enum(input: &DeriveInput) -> Result<()> {
    let cx = Ctxt::new();
    parse::db_enum::db_enum(&cx, input);
    cx.finish()
}

fn read_embed(input: &DeriveInput) -> Result<()> {
    let cx = Ctxt::new();
    if let Some(embed) = parse::embed::embed(&cx, input) {
        check::embed(&cx, &embed);
    }
    cx.finish()
}

#[cfg(test)]
mod tests;
