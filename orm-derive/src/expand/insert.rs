//! `NewUser`: the columns a new row cannot do without.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::embed;
use crate::expand::names::{Names, allow, docs};
use crate::plan::{Column, Insert, Plan};

fn required<'a, 'm>(plan: &'a Plan<'m>) -> impl Iterator<Item = (usize, &'a Column<'m>)> {
    plan.columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.insert == Insert::Required)
}

/// The struct; a view has none.
pub(crate) fn item(plan: &Plan<'_>, names: &Names) -> TokenStream {
    if plan.model.options.view.is_some() {
        return TokenStream::new();
    }
    let (vis, new) = (&plan.model.vis, &names.new);
    let fields = required(plan).filter_map(|(_, column)| {
        let field = column.field?;
        let (member, ty) = (&field.ident, &field.ty);
        let doc = docs(
            &field.original.attrs,
            &format!("Column `{}` of `{}`.", column.name, plan.table),
        );
        Some(quote!(#doc pub #member: #ty,))
    });
    let doc = format!(
        "What a new [`{}`] needs; `.set(..)` adds the other columns.",
        plan.model.ident
    );
    let allow = allow();
    quote! {
        #[doc = #doc]
        #allow
        #vis struct #new {
            #(#fields)*
        }
    }
}

/// The positions of the required columns.
fn positions(plan: &Plan<'_>) -> TokenStream {
    let starts = required(plan).map(|(i, _)| embed::position(plan, i));
    if required(plan).all(|(_, column)| column.embed().is_none()) {
        return quote!(&[#(#starts),*]);
    }
    let widths: Vec<TokenStream> = required(plan)
        .map(|(i, column)| embed::width(column, i))
        .collect();
    quote!(&__orm::positions::<{ #(#widths)+* }>(&[#((#starts, #widths)),*]))
}

pub(crate) fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    if plan.model.options.view.is_some() {
        return TokenStream::new();
    }
    let (model, new) = (&plan.model.ident, &names.new);
    let columns = positions(plan);
    let values = required(plan).map(|(_, column)| embed::add_value(plan, column));
    quote! {
        #[automatically_derived]
        impl __orm::IntoInsert<#model> for #new {
            fn into_insert(self) -> __orm::Insert<#model> {
                __orm::Insert::of(self)
            }
            fn add_to(self, batch: &mut __orm::Batch) {
                batch.push_new(self)
            }
        }
        #[automatically_derived]
        impl __orm::New for #new {
            type Model = #model;
            const COLUMNS: &'static [usize] = #columns;
            fn values(self, out: &mut __orm::Vec<__orm::Value>) {
                #(#values)*
            }
        }
    }
}
