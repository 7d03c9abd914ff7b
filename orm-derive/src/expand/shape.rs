//! `#[derive(Shape)]`: the columns of a struct, how a row of them is read, and what is loaded beside it.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::expand::names::{named, private};
use crate::parse::plain;
use crate::parse::shape::{From, Relation, Shape, ShapeField};

/// Everything `#[derive(Shape)]` adds. After a mistake the impls stand without what fills them.
pub(crate) fn shape(shape: &Shape, whole: bool) -> TokenStream {
    let (ident, private, model) = (&shape.ident, private(shape.krate.as_ref()), named(&shape.model));
    let (output, size, plan) = match whole {
        true => (output(shape), size(shape), plan(shape)),
        false => (broken(ident), quote!(1), TokenStream::new()),
    };
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            #output
            #[automatically_derived]
            impl __orm::Shape for #ident {
                type Model = #model;
            }
            #[automatically_derived]
            impl __orm::Projection for #ident {
                const SIZE: usize = #size;
                fn plan(__plan: &mut __orm::Plan<'_, <Self as __orm::Shape>::Model>) {
                    #plan
                }
            }
            // a shape that holds itself ends here, not in an endless query
            const _: usize = <#ident as __orm::Projection>::SIZE;
        };
    }
}

/// The columns first: they are read from the row from left to right, and what is loaded needs further ones behind.
fn plan(shape: &Shape) -> TokenStream {
    let columns = shape.fields.iter().filter_map(column);
    let relations = shape
        .fields
        .iter()
        .filter_map(|field| Some(loaded(field, field.relation()?)));
    quote! {
        let __cols = __plan.cols();
        #(#columns)*
        #(#relations)*
    }
}

fn column(field: &ShapeField) -> Option<TokenStream> {
    let cell = cell(field);
    Some(match &field.from {
        From::Column(name) => quote_spanned!(name.span()=> __plan.column(#cell, __cols.#name);),
        From::Expr(value) => {
            let span = value.span();
            quote_spanned!(span=> __plan.expr(#cell, #value);)
        }
        From::Count(name, None) => {
            let relation = relation(name);
            quote_spanned!(name.span()=> __plan.column(#cell, #relation.count());)
        }
        From::Count(name, Some(filter)) => {
            let relation = relation(name);
            quote_spanned!(name.span()=> __plan.column(#cell, #relation.count_where(#filter));)
        }
        From::Aggregate(name, value) => {
            let relation = relation(name);
            quote_spanned!(name.span()=> __plan.column(#cell, #relation.agg(#value));)
        }
        From::Relation(_) => return None,
    })
}

/// What the user calls a relation, if it is one.
fn relation(name: &Ident) -> TokenStream {
    quote_spanned!(name.span()=> __orm::relation(__cols.#name))
}

fn loaded(field: &ShapeField, load: &Relation) -> TokenStream {
    let (holder, name) = (holder(field, load), &load.name);
    let relation = relation(name);
    let calls = load.calls.iter().map(|(method, value)| quote!(.#method(#value)));
    match &load.select {
        None => quote_spanned! {name.span()=>
            __plan.relation(#holder, #relation.load() #(#calls)*);
        },
        Some(select) => quote_spanned! {name.span()=>
            __plan.columns(#holder, #relation.load() #(#calls)* .select(#select));
        },
    }
}

/// The type of a field that is read from the row. Errors about it land on the type.
fn cell(field: &ShapeField) -> TokenStream {
    let ty = &field.ty;
    quote_spanned!(ty.span()=> __orm::cell::<#ty>())
}

/// The type of a field that holds a relation.
fn holder(field: &ShapeField, relation: &Relation) -> TokenStream {
    let ty = &field.ty;
    match relation.select {
        None => quote_spanned!(ty.span()=> __orm::held::<#ty>()),
        Some(_) => quote_spanned!(ty.span()=> __orm::items::<#ty>()),
    }
}

/// One and the sizes of the shapes it holds.
fn size(shape: &Shape) -> TokenStream {
    let held = shape.fields.iter().filter_map(|field| {
        let relation = field.relation()?;
        relation.select.is_none().then(|| holder(field, relation))
    });
    quote!(1 #(+ #held.size())*)
}

fn output(shape: &Shape) -> TokenStream {
    let (ident, name) = (&shape.ident, plain(&shape.ident));
    let columns: Vec<&ShapeField> = shape.fields.iter().filter(|f| f.relation().is_none()).collect();
    let reads = columns.iter().map(|field| {
        let (member, field_name, cell) = (&field.ident, plain(&field.ident), cell(field));
        quote!(#member: #cell.read(row, #name, #field_name)?,)
    });
    let names = columns.iter().map(|field| match &field.from {
        From::Column(_) => quote!(::core::option::Option::None),
        _ => {
            let name = plain(&field.ident);
            quote!(::core::option::Option::Some(#name))
        }
    });
    let (loads, span) = (shape.loads(), shape.span());
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
    quote_spanned! {span=>
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
            fn names() -> ::core::option::Option<__orm::Vec<&'static str>> {
                ::core::option::Option::Some(__orm::result_names::<#ident>(&[#(#names),*]))
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
        }
    }
}
