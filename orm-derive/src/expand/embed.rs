//! Embedded structs: `#[derive(Embed)]` itself, and where their columns lie in the table of whoever holds them. A
//! macro does not see how many columns another struct has, so positions behind one are constants.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, LitStr};

use crate::ctxt::Ctxt;
use crate::expand::names::{Names, allow, column_type, docs, field};
use crate::expand::{debug, table};
use crate::plan::{Column, ColumnType, Plan, Slot};
use crate::sql::{self, Piece};

/// Everything `#[derive(Embed)]` adds.
pub(crate) fn embed(plan: &Plan<'_>) -> TokenStream {
    let names = Names::new(plan);
    let private = &names.private;
    let (cols, columns, implementations) = (cols(plan, &names), table::columns(plan), impls(plan, &names));
    let debug = debug::implementation(plan);
    quote! {
        #cols
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            #columns
            #implementations
            #debug
        };
    }
}

/// `AddressCols`, the columns inside a query.
fn cols(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, vis, cols) = (&plan.model.ident, &plan.model.vis, &names.cols);
    let (private, scope, card) = (&names.private, &names.scope, &names.card);
    let fields = plan.columns.iter().map(|column| {
        let member = &column.member;
        let attrs = column.field.map_or(&[][..], |field| &field.original.attrs);
        let doc = docs(attrs, &format!("Column `{}` of `{ident}`.", column.name));
        let ty = match column.embed() {
            Some(_) => {
                let held = embedded(column, private);
                quote!(#held::Col<#scope, #card>)
            }
            None => {
                let ty = column_type(column, private);
                quote!(#private::Col<#scope, <#card as #private::Cardinality>::Col<#ty>>)
            }
        };
        quote!(#doc pub #member: #ty,)
    });
    let doc = format!("Columns of an embedded [`{ident}`] inside a query.");
    let allow = allow();
    quote! {
        #[doc = #doc]
        #allow
        #vis struct #cols<#scope, #card: #private::Cardinality> {
            #(#fields)*
        }
    }
}

fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, cols, scope, card) = (&plan.model.ident, &names.cols, &names.scope, &names.card);
    let name = crate::parse::plain(ident);
    let members = plan.columns.iter().enumerate().map(|(i, column)| {
        let (member, at) = (&column.member, position(plan, i));
        let value = match column.embed() {
            Some(_) => {
                let held = embedded(column, &quote!(__orm));
                quote!(#held::col::<#scope, #card>(source, &columns[#at..]))
            }
            None => quote!(__orm::Col::new(source, &columns[#at])),
        };
        quote!(#member: #value,)
    });
    let read = plan.columns.iter().map(|column| {
        let member = &column.member;
        let described = described(column);
        let value = column.unwrap_json(quote!(#described next(row)?));
        quote!(#member: #value,)
    });
    let skipped = plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.skip.is_some());
    let skipped = skipped.map(|field| {
        let member = &field.ident;
        quote!(#member: ::core::default::Default::default(),)
    });
    let values = plan.columns.iter().map(|column| add_value(column));
    quote! {
        #[automatically_derived]
        impl<#scope, #card: __orm::Cardinality> ::core::clone::Clone for #cols<#scope, #card> {
            fn clone(&self) -> Self {
                *self
            }
        }
        #[automatically_derived]
        impl<#scope, #card: __orm::Cardinality> ::core::marker::Copy for #cols<#scope, #card> {}
        #[automatically_derived]
        impl __orm::Embed for #ident {
            const COLUMNS: &'static [__orm::Column] = &__COLUMNS;
            type Cols<#scope, #card: __orm::Cardinality> = #cols<#scope, #card>;
            fn cols<#scope, #card: __orm::Cardinality>(
                source: __orm::Source,
                columns: &'static [__orm::Column],
            ) -> #cols<#scope, #card> {
                #cols { #(#members)* }
            }
            fn read(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Ok(#ident { #(#read)* #(#skipped)* })
            }
            fn add_to(self, out: &mut __orm::Vec<__orm::Value>) {
                #(#values)*
            }
        }
        #[automatically_derived]
        impl __orm::Output for #ident {
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                <Self as __orm::EmbedType>::read(row, #name, &__COLUMNS)
            }
        }
        #[automatically_derived]
        impl __orm::Optional for #ident {
            fn decode_optional(row: &mut __orm::Row<'_>) -> __orm::Result<::core::option::Option<Self>> {
                <::core::option::Option<Self> as __orm::EmbedType>::read(row, #name, &__COLUMNS)
            }
        }
    }
}

/// What reads the next cells of a row: `<Geo as EmbedType>::`, or a value with methods.
fn described(column: &Column<'_>) -> TokenStream {
    match column.embed() {
        Some(_) => {
            let held = embedded(column, &quote!(__orm));
            quote!(#held::)
        }
        None => {
            let field = field(column);
            quote!(#field.)
        }
    }
}

/// Puts the value of a field of `self` behind the others.
pub(crate) fn add_value(column: &Column<'_>) -> TokenStream {
    let member = &column.member;
    match column.embed() {
        Some(_) => {
            let held = embedded(column, &quote!(__orm));
            quote!(#held::add_to(self.#member, out);)
        }
        None => {
            let (described, value) = (field(column), column.wrap_json(quote!(self.#member)));
            quote!(out.push(#described.value(#value));)
        }
    }
}

/// The type of an embedded field as what it promises. Errors about it land on the type the user typed, and in one
/// form, so that rustc shows the first of them only.
pub(crate) fn embedded(column: &Column<'_>, private: &TokenStream) -> TokenStream {
    match column.ty {
        ColumnType::Field(ty) => quote_spanned!(ty.span()=> <#ty as #private::EmbedType>),
        _ => TokenStream::new(),
    }
}

/// The columns of an embedded field as its struct describes them.
fn list(column: usize) -> Ident {
    format_ident!("__E{column}")
}

/// Where a column lies among all of them.
pub(crate) fn position(plan: &Plan<'_>, column: usize) -> TokenStream {
    let before = plan.columns.iter().take(column).enumerate();
    let (embedded, own): (Vec<_>, Vec<_>) = before.partition(|(_, column)| column.embed().is_some());
    let (own, lists) = (own.len(), embedded.into_iter().map(|(i, _)| list(i)));
    quote!(#own #(+ #lists.len())*)
}

/// As [`position`], for a field of an embedded struct too.
pub(crate) fn slot(plan: &Plan<'_>, slot: &Slot) -> TokenStream {
    let at = position(plan, slot.column);
    if slot.part.is_empty() {
        return at;
    }
    let (list, part) = (list(slot.column), &slot.part);
    let column = plan
        .columns
        .get(slot.column)
        .map_or_else(String::new, |c| crate::parse::plain(&c.member));
    let message = format!("`{column}` has no column `{part}`");
    quote_spanned!(slot.span=> #at + __orm::part(#list, #part, #message))
}

/// How many columns there are at a position.
pub(crate) fn width(column: &Column<'_>, at: usize) -> TokenStream {
    match column.embed() {
        Some(_) => {
            let list = list(at);
            quote!(#list.len())
        }
        None => quote!(1usize),
    }
}

/// The lists of embedded structs, and the names their columns have here.
pub(crate) fn lists(plan: &Plan<'_>) -> TokenStream {
    let embeds = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.embed().is_some());
    embeds
        .map(|(i, column)| {
            let (list, text, held) = (list(i), text(i), embedded(column, &quote!(__orm)));
            let (prefix, member) = (&column.name, crate::parse::plain(&column.member));
            quote! {
                const #list: &[__orm::Column] = #held::COLUMNS;
                const #text: &[u8] =
                    &__orm::joined::<{ __orm::joined_len(#list, #prefix, #member) }>(#list, #prefix, #member);
            }
        })
        .collect()
}

fn text(column: usize) -> Ident {
    format_ident!("__T{column}")
}

/// An embedded struct among the groups of a table's columns.
pub(crate) fn group(at: usize, column: &Column<'_>, comment: &str) -> TokenStream {
    let (list, text) = (list(at), text(at));
    let (prefix, member, optional) = (&column.name, crate::parse::plain(&column.member), column.nullable);
    let sensitive = column.field.is_some_and(|field| field.attrs.sensitive.is_some());
    let span = column
        .field
        .map_or(column.member.span(), |field| field.original.ty.span());
    quote_spanned! {span=>
        __orm::Group::Embedded(__orm::Embedding {
            columns: #list,
            text: #text,
            prefix: #prefix,
            field: #member,
            optional: #optional,
            sensitive: #sensitive,
            comment: #comment,
        }.checked())
    }
}

/// That no column of an embedded struct has the name of another one.
pub(crate) fn distinct(plan: &Plan<'_>) -> TokenStream {
    let embeds = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.embed().is_some());
    embeds
        .map(|(i, column)| {
            let (start, end) = (position(plan, i), position(plan, i + 1));
            let place = column.field.and_then(|field| field.place_of("prefix"));
            let span = place.unwrap_or_else(|| column.member.span());
            quote_spanned!(span=> const _: () = __orm::distinct(&__COLUMNS, #start, #end);)
        })
        .collect()
}

/// The condition at a field of an embedded struct, cut at the fields it names.
pub(crate) fn condition(check: &LitStr) -> TokenStream {
    let cx = Ctxt::new();
    let pieces = sql::pieces(&cx, check);
    // its mistakes were reported by `check`
    drop(cx.finish());
    let fragments = pieces.iter().map(|piece| match piece {
        Piece::Text(sql) => quote!(__orm::Fragment::Sql(#sql)),
        Piece::Value(field) | Piece::List(field) => {
            let field = quote!(#field).to_string();
            let field = field.trim_start_matches("r#");
            quote!(__orm::Fragment::Field(#field))
        }
    });
    quote!(check: ::core::option::Option::Some(&[#(#fragments),*]),)
}
