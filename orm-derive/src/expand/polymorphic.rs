//! `#[derive(Polymorphic)]`: the enum of keys, how it is stored in two columns, and how the models are loaded.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::expand::names::{allow, named, private};
use crate::parse::plain;
use crate::parse::polymorphic::Polymorphic;

/// Everything `#[derive(Polymorphic)]` adds.
pub(crate) fn polymorphic(item: &Polymorphic) -> TokenStream {
    let (ident, vis, private) = (&item.ident, &item.vis, private(item.krate.as_ref()));
    let keys = format_ident!("{}Id", plain(ident), span = ident.span());
    let name = plain(&keys);
    let variants: Vec<&Ident> = item.targets.iter().map(|target| &target.ident).collect();
    let written = item.targets.iter().map(|target| &target.model);
    let models: Vec<TokenStream> = written.clone().map(named).collect();
    let ids = written.clone().map(|model| {
        quote_spanned! {model.span()=>
            <#private::Is<{
                #[allow(unused_imports)]
                use #private::IsNoModel as _;
                #private::IsModel::<#model>::YES
            }> as #private::KeyOf<#model>>::Key
        }
    });
    let ids: Vec<TokenStream> = ids.collect();
    let described: Vec<TokenStream> = written
        .clone()
        .zip(&ids)
        .map(|(model, id)| quote_spanned!(model.span()=> __orm::target_key::<#id>()))
        .collect();
    let labels: Vec<&str> = item.targets.iter().map(|target| target.label.as_str()).collect();
    let at: Vec<usize> = (0..variants.len()).collect();
    let quoted: Vec<String> = labels
        .iter()
        .map(|l| format!("'{}'", l.replace('\'', "''")))
        .collect();
    let condition = format!(" IN ({})", quoted.join(", "));
    let (first, last) = (described.first(), variants.last());
    let (read, read_last) = (&described[..described.len() - 1], described.last());
    let (others, before) = (&variants[..variants.len() - 1], &at[..at.len() - 1]);
    // all of it in the place of the model: what is no model is one error then
    let each = item
        .targets
        .iter()
        .zip(&models)
        .enumerate()
        .map(|(at, (target, model))| {
            let (variant, label, span) = (&target.ident, &target.label, target.model.span());
            let (ident, keys) = (placed(ident, span), placed(&keys, span));
            quote_spanned! {span=>
                #[automatically_derived]
                impl __orm::Targets<#model> for #ident {
                    type Model = #model;
                    const AT: usize = #at;
                    const LABEL: &'static str = #label;
                    fn id(key: <Self::Model as __orm::Model>::Id) -> #keys {
                        #keys::#variant(key)
                    }
                }
                #[automatically_derived]
                impl ::core::convert::From<&#model> for #keys {
                    fn from(row: &#model) -> Self {
                        #keys::#variant(__orm::Model::id(row))
                    }
                }
            }
        });
    let of_rows = item.targets.iter().zip(&models).map(|(target, model)| {
        let (span, variant) = (target.model.span(), &target.ident);
        let (ident, keys) = (placed(ident, span), placed(&keys, span));
        quote_spanned! {span=>
            #ident::#variant(row) => <#keys as ::core::convert::From<&#model>>::from(row),
        }
    });
    let taken = item.targets.iter().zip(&models).map(|(target, model)| {
        let (span, variant) = (target.model.span(), &target.ident);
        let ident = placed(ident, span);
        quote_spanned!(span=> let found = found.or(loads.one::<#model>()?.map(#ident::#variant));)
    });
    let branches = item
        .targets
        .iter()
        .zip(&models)
        .map(|(target, model)| quote_spanned!(target.model.span()=> __orm::branch::<R, #model>()));
    let doc = format!("The key of a [`{ident}`].");
    let docs = written.map(|model| format!("The key of a `{}`.", quote!(#model)));
    let allow = allow();
    quote! {
        #[doc = #doc]
        #allow
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
        #vis enum #keys {
            #(
                #[doc = #docs]
                #variants(#ids),
            )*
        }
        const _: () = {
            use #private as __orm;
            static __COLUMNS: [__orm::Column; 2] = __orm::target_columns(
                &[__orm::Fragment::Field("kind"), __orm::Fragment::Sql(#condition)],
                #first.ty(),
            );
            #[automatically_derived]
            impl __orm::Single for #ident {
                fn next(loads: &mut __orm::Loads<'_>) -> __orm::Result<::core::option::Option<Self>> {
                    let found = ::core::option::Option::None;
                    #(#taken)*
                    ::core::result::Result::Ok(found)
                }
            }
            #[automatically_derived]
            impl __orm::NamedEnum for #ident {
                type Models = Self;
            }
            #[automatically_derived]
            impl __orm::Polymorphic for #ident {
                type Id = #keys;
                const LABELS: &'static [&'static str] = &[#(#labels),*];
                const KEYS: &'static [__orm::Type] = &[#(#described.ty()),*];
                fn key(id: &#keys, target: usize) -> ::core::option::Option<__orm::Vec<__orm::Value>> {
                    match (id, target) {
                        #((#keys::#variants(key), #at) => __orm::key_values(::core::clone::Clone::clone(key)),)*
                        _ => ::core::option::Option::None,
                    }
                }
                fn branches<R: __orm::AnyRel<Targets = Self>>() -> __orm::Vec<__orm::Branch> {
                    __orm::vec![#(#branches),*]
                }
            }
            #(#each)*
            #[automatically_derived]
            impl ::core::convert::From<&#ident> for #keys {
                fn from(row: &#ident) -> Self {
                    match row {
                        #(#of_rows)*
                    }
                }
            }
            #[automatically_derived]
            impl __orm::Embed for #keys {
                const COLUMNS: &'static [__orm::Column] = &__COLUMNS;
                type Cols<S, C: __orm::Cardinality> = __orm::TargetCols<S, C>;
                fn cols<S, C: __orm::Cardinality>(
                    source: __orm::Source,
                    columns: &'static [__orm::Column],
                ) -> __orm::TargetCols<S, C> {
                    __orm::TargetCols::new(source, &columns[0])
                }
                fn read(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                    match __orm::read_label(row, <#ident as __orm::Polymorphic>::LABELS)? {
                        #(#before => #read.next(row).map(#keys::#others),)*
                        _ => #read_last.next(row).map(#keys::#last),
                    }
                }
                fn add_to(self, out: &mut __orm::Vec<__orm::Value>) {
                    match self {
                        #(#keys::#variants(key) => {
                            out.push(__orm::Value::Str(#labels));
                            out.push(#described.value(key));
                        })*
                    }
                }
            }
            #[automatically_derived]
            impl __orm::Output for #keys {
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
            impl __orm::Optional for #keys {
                fn decode_optional(row: &mut __orm::Row<'_>) -> __orm::Result<::core::option::Option<Self>> {
                    <::core::option::Option<Self> as __orm::EmbedType>::read(row, #name, &__COLUMNS)
                }
            }
        };
    }
}

/// The same name in another place, for errors about what stands there.
fn placed(name: &Ident, place: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(place.resolved_at(name.span()));
    name
}
