//! Embedded structs: `#[derive(Embed)]` itself, and where their columns lie in the table of whoever holds them. A
//! macro does not see how many columns another struct has, so positions behind one are constants.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, LitStr};

use crate::ctxt::Ctxt;
use crate::expand::names::{Names, allow, column_type, docs, field, type_span};
use crate::expand::{debug, table};
use crate::parse::plain;
use crate::plan::{Column, Plan, Role, Slot};
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
    let fields = first(plan).map(|column| {
        let member = &column.member;
        let attrs = column.field.map_or(&[][..], |field| &field.original.attrs);
        let doc = docs(attrs, &format!("Column `{}` of `{ident}`.", column.name));
        let ty = match column.embed() {
            Some(_) => {
                let held = written(column, private);
                quote_spanned!(type_span(column)=> #held::Col<#scope, #card>)
            }
            None => {
                let ty = column_type(column, private);
                let ty = quote_spanned!(type_span(column)=> <#card as #private::Cardinality>::Col<#ty>);
                quote!(#private::Col<#scope, #ty>)
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

/// The columns for a struct in a query, those of embedded structs first: rustc asks for the size of the last field,
/// and what is no embedded struct has none, which would be a second error.
pub(crate) fn first<'a, 'm>(plan: &'a Plan<'m>) -> impl Iterator<Item = &'a Column<'m>> {
    let embedded = |embedded| {
        plan.columns
            .iter()
            .filter(move |c| c.embed().is_some() == embedded)
    };
    embedded(true).chain(embedded(false))
}

fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, cols, scope, card) = (&plan.model.ident, &names.cols, &names.scope, &names.card);
    let name = plain(ident);
    let clone = clone(plan);
    let members = plan.columns.iter().enumerate().map(|(i, column)| {
        let (member, at) = (&column.member, position(plan, i));
        match column.embed() {
            Some(_) => build(column, scope, &card.to_token_stream(), &quote!(&columns[#at..])),
            None => quote!(#member: __orm::Col::new(source, &columns[#at]),),
        }
    });
    let read = plan.columns.iter().map(|column| {
        let member = &column.member;
        let described = described(plan, column);
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
    let values = plan.columns.iter().map(|column| add_value(plan, column));
    quote! {
        #[automatically_derived]
        impl<#scope, #card: __orm::Cardinality> ::core::clone::Clone for #cols<#scope, #card> {
            #clone
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
            type Local = Self;
            #[inline]
            fn assemble(local: Self, _: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Ok(local)
            }
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                <Self as __orm::EmbedType>::read(row, #name, &__COLUMNS)
            }
            fn columns(out: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                __orm::by_position(&__COLUMNS, out)
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
fn described(plan: &Plan<'_>, column: &Column<'_>) -> TokenStream {
    match column.embed() {
        Some(_) => {
            let held = embedded(column);
            quote!(#held::)
        }
        None => {
            let field = field(plan, column);
            quote!(#field.)
        }
    }
}

/// Puts the value of a field of `self` behind the others.
pub(crate) fn add_value(plan: &Plan<'_>, column: &Column<'_>) -> TokenStream {
    let member = &column.member;
    match column.embed() {
        Some(_) => {
            let held = embedded(column);
            quote!(#held::add_to(self.#member, out);)
        }
        None => {
            let (described, value) = (field(plan, column), column.wrap_json(quote!(self.#member)));
            quote!(__orm::fill(__orm::room(out), #described.value(#value));)
        }
    }
}

/// The type of an embedded field as what it promises, where the type itself must be written. A type that promises
/// nothing is an error at each use, but all of them are the same words at the same place, and rustc shows one.
pub(crate) fn written(column: &Column<'_>, private: &TokenStream) -> TokenStream {
    let ty = column_type(column, private);
    quote_spanned!(type_span(column)=> <#ty as #private::EmbedType>)
}

/// As [`written`], by the name that [`lists`] gives to the type: a type of several words has several places.
pub(crate) fn embedded(column: &Column<'_>) -> TokenStream {
    let name = alias(column);
    quote_spanned!(type_span(column)=> <#name as __orm::EmbedType>)
}

fn alias(column: &Column<'_>) -> Ident {
    format_ident!("__T_{}", column.member, span = type_span(column))
}

/// Adds the columns of an embedded field to a selection.
pub(crate) fn push(column: &Column<'_>) -> TokenStream {
    let member = member(column);
    quote_spanned!(type_span(column)=> __orm::Selection::push(self.#member, out);)
}

/// The field of a struct in a query, `home: <Address as EmbedType>::col(..),`, where its columns begin with `columns`.
pub(crate) fn build(
    column: &Column<'_>,
    scope: &Ident,
    card: &TokenStream,
    columns: &TokenStream,
) -> TokenStream {
    let (member, held) = (member(column), embedded(column));
    quote_spanned!(type_span(column)=> #member: #held::col::<#scope, #card>(source, #columns),)
}

/// `clone` of such a struct.
pub(crate) fn clone(plan: &Plan<'_>) -> TokenStream {
    let embed = plan.columns.iter().find(|column| column.embed().is_some());
    let span = embed.map_or_else(Span::call_site, type_span);
    quote_spanned!(span=> fn clone(&self) -> Self { *self })
}

/// The name of an embedded field in the place of its type, where errors about it come together.
fn member(column: &Column<'_>) -> Ident {
    let mut member = column.member.clone();
    member.set_span(type_span(column));
    member
}

/// The columns of an embedded field as its struct describes them.
fn list(column: usize) -> Ident {
    format_ident!("__E{column}")
}

/// Where a column lies among all of them. What an enum of variants keeps lies behind the columns of its variants.
pub(crate) fn position(plan: &Plan<'_>, column: usize) -> TokenStream {
    let own = own_position(plan, column);
    let kept = plan.columns.get(column).filter(|c| c.field.is_none());
    match kept.is_some_and(|c| plan.is_base() && c.role != Some(Role::Discriminator)) {
        true => quote!(#own + __EXTRA),
        false => own,
    }
}

/// Where a column lies among those of the struct itself.
pub(crate) fn own_position(plan: &Plan<'_>, column: usize) -> TokenStream {
    let before = plan.columns.iter().take(column).enumerate();
    let (embedded, own): (Vec<_>, Vec<_>) = before.partition(|(_, column)| column.embed().is_some());
    let (own, lists) = (own.len(), embedded.into_iter().map(|(i, _)| list(i)));
    quote!(#own #(+ #lists.len())*)
}

/// As [`position`], for a field of an embedded struct too.
pub(crate) fn slot(plan: &Plan<'_>, slot: &Slot) -> TokenStream {
    match slot.part.is_empty() {
        true => position(plan, slot.column),
        false => part(slot).into_token_stream(),
    }
}

/// Where a field of an embedded struct lies among all columns. `a.b` and `a_b` are two names.
fn part(slot: &Slot) -> Ident {
    let path = slot.part.replace('_', "__").replace('.', "_d");
    format_ident!("__P{}_{path}", slot.column)
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
            let (list, text, held) = (list(i), text(i), embedded(column));
            let (prefix, member) = (&column.name, plain(&column.member));
            let (alias, ty) = (alias(column), column_type(column, &quote!(__orm)));
            quote! {
                #[allow(nonstandard_style)]
                type #alias = #ty;
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

/// An embedded struct among the columns of a table.
pub(crate) fn embedding(at: usize, column: &Column<'_>, after: usize, comment: &str) -> TokenStream {
    let (list, text) = (list(at), text(at));
    let (prefix, member, held) = (&column.name, plain(&column.member), embedded(column));
    let sensitive = column.field.is_some_and(|field| field.attrs.sensitive.is_some());
    quote! {
        __orm::Embedding {
            after: #after,
            columns: #list,
            text: #text,
            prefix: #prefix,
            field: #member,
            optional: #held::OPTIONAL,
            sensitive: #sensitive,
            comment: #comment,
        }
    }
}

/// That each embedded struct can be where it is, and where the fields are that constraints and indexes name. Apart
/// from the columns, so that a mistake is one error.
pub(crate) fn checks(plan: &Plan<'_>) -> TokenStream {
    let mut seen: Vec<Ident> = Vec::new();
    let named = plan.uniques.iter().flat_map(|unique| &unique.columns);
    let indexed = plan
        .indexes
        .iter()
        .flat_map(|index| index.columns().chain(&index.include));
    let parts: Vec<TokenStream> = named
        .chain(indexed)
        .filter(|slot| !slot.part.is_empty())
        .filter_map(|slot| {
            let (name, list) = (part(slot), list(slot.column));
            if seen.contains(&name) {
                return None;
            }
            seen.push(name.clone());
            let (at, path, message) = (position(plan, slot.column), &slot.part, missing(plan, slot));
            let found = quote_spanned!(slot.span=> __orm::part(#list, #path, #message));
            Some(quote!(const #name: usize = #at + #found;))
        })
        .collect();
    let embeds = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.embed().is_some());
    let checks = embeds.map(|(i, column)| {
        let (at, list, held) = (position(plan, i), list(i), embedded(column));
        let span = type_span(column);
        quote_spanned!(span=> const _: () = __orm::embedded(&__COLUMNS, #at, #list, #held::OPTIONAL);)
    });
    quote!(#(#parts)* #(#checks)*)
}

fn missing(plan: &Plan<'_>, slot: &Slot) -> String {
    let column = plan
        .columns
        .get(slot.column)
        .map_or_else(String::new, |c| plain(&c.member));
    let part = &slot.part;
    match part.rsplit('.').next() {
        Some(order @ ("asc" | "desc" | "nulls_first" | "nulls_last")) => {
            format!("`{column}` has no column `{part}`; an order has parentheses: `.{order}()`")
        }
        _ => format!("`{column}` has no column `{part}`"),
    }
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
