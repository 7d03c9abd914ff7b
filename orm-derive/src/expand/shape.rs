//! `#[derive(Shape)]`: the columns of a struct, how a row of them is read, and what is loaded beside it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::names::{named, private};
use crate::parse::plain;
use crate::parse::shape::{From, Relation, Shape, ShapeField};

/// Everything `#[derive(Shape)]` adds. After a mistake the impls stand without what fills them.
pub(crate) fn shape(shape: &Shape, whole: bool) -> TokenStream {
    let (ident, private, model) = (&shape.ident, private(shape.krate.as_ref()), named(&shape.model));
    let (output, finite, plan) = match whole {
        true => (output(shape), finite(shape), plan(shape)),
        false => (broken(ident), quote!(true), TokenStream::new()),
    };
    // relations that other statements bring are no part of a row
    let from_row = (whole && !shape.loads()).then(|| quote!(__orm::from_row!(#ident);));
    let (cols, plan_of) = (
        variable("__cols", Span::call_site()),
        variable("__plan", Span::call_site()),
    );
    let model = quote_spanned! {shape.model.span()=>
        type __Model = #model;
        type __Cols = __orm::ColsOf<__Model>;
        #[automatically_derived]
        impl __orm::Shape for #ident {
            type Model = __Model;
        }
        #[automatically_derived]
        impl __orm::Projection for #ident {
            const FINITE: bool = #finite;
            fn plan(#cols: __Cols, #plan_of: &mut __orm::Plan<'_>) {
                #plan
            }
        }
    };
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            #model
            #output
            #from_row
            // a shape that holds itself ends here, not in an endless query
            const _: bool = <#ident as __orm::Projection>::FINITE;
        };
    }
}

/// A variable of the generated code at the place of what the user wrote. Its name means the same in all of this file,
/// also where a `macro_rules!` of the user wrote the rest.
fn variable(name: &str, place: Span) -> Ident {
    Ident::new(name, Span::call_site().located_at(place))
}

/// The columns first: they are read from the row from left to right, and what is loaded needs further ones behind.
fn plan(shape: &Shape) -> TokenStream {
    let columns = shape
        .fields
        .iter()
        .filter_map(filled)
        .map(|cell| quote!(__plan.column(#cell);));
    let relations = shape
        .fields
        .iter()
        .filter_map(|field| Some(loaded(field, field.relation()?)));
    quote! {
        #(#columns)*
        #(#relations)*
    }
}

/// What fills a field of the row, from `__cols`.
fn filled(field: &ShapeField) -> Option<TokenStream> {
    let ty = &field.ty;
    let (span, value) = match &field.from {
        From::Column(name) => (name.span(), member(name)),
        From::Expr(value) => (value.span(), quote!(__orm::over(__cols, #value))),
        From::Count(name, filter) => {
            let relation = relation(name);
            let count = match filter {
                None => quote_spanned!(name.span()=> #relation.count()),
                Some(filter) => quote_spanned!(name.span()=> #relation.count_where(#filter)),
            };
            (name.span(), count)
        }
        From::Aggregate(name, value) => {
            let relation = relation(name);
            (name.span(), quote_spanned!(name.span()=> #relation.agg(#value)))
        }
        From::Relation(_) => return None,
    };
    Some(quote_spanned!(span=> __orm::fills::<__Model, #ty, _>(#value)))
}

/// What the user calls a column or a relation.
fn member(name: &Ident) -> TokenStream {
    let cols = variable("__cols", name.span());
    quote_spanned!(name.span()=> #cols.#name)
}

/// What the user calls a relation, if it is one.
fn relation(name: &Ident) -> TokenStream {
    let member = member(name);
    quote_spanned!(name.span()=> __orm::relation::<__Model, _>(#member))
}

fn loaded(field: &ShapeField, load: &Relation) -> TokenStream {
    let (holder, relation, span) = (holder(field, load), relation(&load.name), load.name.span());
    let plan = variable("__plan", span);
    let calls = load
        .calls
        .iter()
        .map(|(method, value)| quote_spanned!(span=> .#method(#value)));
    let load_of = quote_spanned!(span=> #relation.load() #(#calls)*);
    match &load.select {
        None => quote_spanned!(span=> #plan.relation(#holder, #load_of);),
        Some(select) => quote_spanned!(span=> #plan.columns(#holder, #load_of.select(#select));),
    }
}

/// The type of a field that holds a relation. Errors about it land on the type.
fn holder(field: &ShapeField, relation: &Relation) -> TokenStream {
    let ty = &field.ty;
    match relation.select {
        None => quote_spanned!(ty.span()=> __orm::held::<#ty, _, _>()),
        Some(_) => quote_spanned!(ty.span()=> __orm::items::<#ty, _, _>()),
    }
}

/// Whether all shapes end that it holds.
fn finite(shape: &Shape) -> TokenStream {
    let held = shape
        .fields
        .iter()
        .filter_map(|field| Some(holder(field, field.relation()?)));
    quote!(true #(&& #held.finite())*)
}

fn output(shape: &Shape) -> TokenStream {
    let (ident, name) = (&shape.ident, plain(&shape.ident));
    let columns: Vec<&ShapeField> = shape.fields.iter().filter(|f| f.relation().is_none()).collect();
    let reads = columns.iter().map(|field| {
        let (member, field_name, filled) = (&field.ident, plain(&field.ident), filled(field));
        quote!(#member: __orm::reads(|__cols: __Cols| #filled).read(row, #name, #field_name)?,)
    });
    let names = columns.iter().map(|field| match &field.from {
        From::Column(_) => quote!(::core::option::Option::None),
        _ => {
            let name = plain(&field.ident);
            quote!(::core::option::Option::Some(#name))
        }
    });
    let loads = shape.loads();
    let (local, local_type, assemble) = match loads {
        false => (
            TokenStream::new(),
            quote!(Self),
            quote!(::core::result::Result::Ok(local)),
        ),
        true => local(shape, &columns),
    };
    let read_into = match loads {
        false => quote!(#ident),
        true => quote!(__Local),
    };
    quote! {
        #local
        #[automatically_derived]
        impl __orm::Output for #ident {
            type Local = #local_type;
            const LOADS: bool = #loads;
            #[inline]
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self::Local> {
                ::core::result::Result::Ok(#read_into { #(#reads)* })
            }
            #[inline]
            fn assemble(local: Self::Local, loads: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                #assemble
            }
            fn columns(out: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                __orm::by_result::<#ident>(&[#(#names),*], out)
            }
        }
    }
}

/// The fields that one row fills, in a struct of their own until the others are there.
fn local(shape: &Shape, columns: &[&ShapeField]) -> (TokenStream, TokenStream, TokenStream) {
    let (ident, name) = (&shape.ident, plain(&shape.ident));
    let members = columns.iter().map(|field| {
        let (member, ty) = (&field.ident, &field.ty);
        quote!(#member: #ty,)
    });
    let fields = shape.fields.iter().map(|field| {
        let (member, field_name) = (&field.ident, plain(&field.ident));
        match field.relation() {
            None => quote!(#member: local.#member,),
            Some(relation) => {
                let holder = holder(field, relation);
                quote!(#member: #holder.take(loads, #name, #field_name)?,)
            }
        }
    });
    let item = quote! {
        // as visible as can be, since the shape is; nobody can name it
        #[allow(unreachable_pub)]
        pub struct __Local {
            #(#members)*
        }
    };
    let assemble = quote!(::core::result::Result::Ok(#ident { #(#fields)* }));
    (item, quote!(__Local), assemble)
}

/// An impl that never runs: its program does not compile.
fn broken(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl __orm::Output for #ident {
            type Local = ();
            fn decode(_: &mut __orm::Row<'_>) -> __orm::Result<()> {
                ::core::result::Result::Ok(())
            }
            fn assemble(_: (), _: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Err(__orm::Error::decode(""))
            }
            fn columns(_: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                __orm::Lookup::Position
            }
        }
    }
}
