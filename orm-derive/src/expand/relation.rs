//! Relations: a zero-sized type for each with its description, and a method that queries it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

use crate::expand::embed::position;
use crate::expand::names::{Names, allow, column_type, named};
use crate::expand::row::clone;
use crate::parse::plain;
use crate::parse::relation::RelationKind;
use crate::plan::{Column, Plan, RelationPlan};

/// The module of the zero-sized types.
pub(crate) fn markers(plan: &Plan<'_>, names: &Names) -> TokenStream {
    if plan.relations.is_empty() {
        return TokenStream::new();
    }
    let (vis, module) = (&plan.model.vis, &names.module);
    let inner = seen_from_within(vis);
    let types = plan.relations.iter().map(|relation| {
        let marker = &relation.marker;
        quote! {
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            #inner struct #marker;
        }
    });
    let allow = allow();
    quote! {
        #[doc(hidden)]
        #allow
        #vis mod #module {
            #(#types)*
        }
    }
}

/// The same visibility, written one module further in.
fn seen_from_within(vis: &Visibility) -> TokenStream {
    match vis {
        Visibility::Public(_) => vis.to_token_stream(),
        Visibility::Inherited => quote!(pub(super)),
        Visibility::Restricted(restricted) => {
            let path = &restricted.path;
            match path
                .segments
                .first()
                .map(|first| first.ident.to_string())
                .as_deref()
            {
                Some("self") => quote!(pub(super)),
                Some("super") => quote!(pub(in super::#path)),
                _ => vis.to_token_stream(),
            }
        }
    }
}

/// `user.posts()`.
pub(crate) fn methods(plan: &Plan<'_>, names: &Names) -> TokenStream {
    if plan.relations.is_empty() {
        return TokenStream::new();
    }
    let (vis, model) = (&plan.model.vis, &plan.model.ident);
    let (private, module) = (&names.private, &names.module);
    let methods = plan.relations.iter().map(|relation| {
        let (name, marker) = (&relation.relation.name, &relation.marker);
        let doc = format!(
            "The relation `{}` to `{}`, as a query.",
            plain(name),
            plain(relation.relation.target_name())
        );
        let related = related(plan, relation, private);
        let allow = allow();
        quote! {
            #[doc = #doc]
            #allow
            #vis fn #name(&self) -> #private::Related<#module::#marker> {
                #related
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #model {
            #(#methods)*
        }
    }
}

fn related(plan: &Plan<'_>, relation: &RelationPlan<'_>, private: &TokenStream) -> TokenStream {
    let related = quote!(#private::Related);
    if !relation.relation.is_foreign_key() {
        return quote!(#related::new(#private::Model::id(self)));
    }
    let columns: Vec<&Column<'_>> = local(plan, relation).collect();
    let values = columns.iter().map(|column| clone(column));
    match columns.as_slice() {
        [_] if relation.optional => quote!(#related::maybe(#(#values)*)),
        [_] => quote!(#related::new(#(#values)*)),
        _ if !relation.optional => quote!(#related::new((#(#values),*))),
        // a key of several columns refers to nothing as soon as one of them is NULL
        several => {
            let names: Vec<&Ident> = several.iter().map(|column| &column.member).collect();
            let patterns = several
                .iter()
                .zip(&names)
                .map(|(column, name)| match column.nullable {
                    true => quote!(::core::option::Option::Some(#name)),
                    false => quote!(#name),
                });
            quote! {
                match (#(#values),*) {
                    (#(#patterns),*) => #related::new((#(#names),*)),
                    #[allow(unreachable_patterns)]
                    _ => <#related<_>>::maybe(::core::option::Option::None::<i64>),
                }
            }
        }
    }
}

fn local<'a, 'm>(plan: &'a Plan<'m>, relation: &'a RelationPlan<'m>) -> impl Iterator<Item = &'a Column<'m>> {
    relation.local.iter().map(|&i| &plan.columns[i])
}

pub(crate) fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    plan.relations
        .iter()
        .map(|relation| implementation(plan, names, relation))
        .collect()
}

fn implementation(plan: &Plan<'_>, names: &Names, relation: &RelationPlan<'_>) -> TokenStream {
    let (model, module, marker) = (&plan.model.ident, &names.module, &relation.marker);
    let (name, child) = (plain(&relation.relation.name), child(relation));
    let target = named(&relation.relation.target);
    let (model_name, kind) = (plain(model), kind(relation.relation.kind));
    let parent = relation.local.iter().map(|&i| position(plan, i));
    let (card, required) = cardinality(plan, relation);
    let through = through(relation);
    let (children, fits) = (children(relation), fits(plan, relation));
    quote_spanned! {child.span()=>
        type #child = #target;
        #fits
        #[automatically_derived]
        impl __orm::Rel for #module::#marker {
            type Parent = #model;
            type Child = #child;
            type Card = #card;
            const DEF: &'static __orm::RelationDef = &__orm::RelationDef {
                name: #name,
                model: #model_name,
                kind: __orm::RelationKind::#kind,
                parent: || __orm::vec![#(&__COLUMNS[#parent]),*],
                table: || <#child as __orm::Model>::TABLE,
                child: || #children,
                through: #through,
                required: #required,
            };
        }
    }
}

/// A name for the other model, so that the user's word for it stands in one place.
fn child(relation: &RelationPlan<'_>) -> Ident {
    format_ident!("__{}", relation.marker, span = relation.relation.target.span())
}

fn kind(kind: RelationKind) -> TokenStream {
    match kind {
        RelationKind::HasOne => quote!(HasOne),
        RelationKind::HasMany => quote!(HasMany),
        RelationKind::ManyToMany => quote!(ManyToMany),
        RelationKind::BelongsTo => quote!(BelongsTo),
    }
}

/// How many there are, and whether there always is one. A foreign key's type says both.
fn cardinality(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> (TokenStream, TokenStream) {
    match relation.relation.kind {
        RelationKind::HasMany | RelationKind::ManyToMany => (quote!(__orm::Many), quote!(false)),
        RelationKind::HasOne => (quote!(__orm::Maybe), quote!(false)),
        RelationKind::BelongsTo => {
            let deciding = local(plan, relation).find(|column| column.nullable == relation.optional);
            let ty = deciding.map(|column| column_type(column, &quote!(__orm)));
            (
                quote!(<#ty as __orm::SqlType>::Card),
                quote!(!<#ty as __orm::SqlType>::NULLABLE),
            )
        }
    }
}

/// The columns of the related table: its key, or those that the relation names.
fn children(relation: &RelationPlan<'_>) -> TokenStream {
    let target = child(relation);
    match relation.relation.kind {
        RelationKind::BelongsTo | RelationKind::ManyToMany => {
            quote!(::core::iter::Iterator::collect(<#target as __orm::Model>::TABLE.key_columns()))
        }
        RelationKind::HasOne | RelationKind::HasMany => columns_of(&target, &relation.foreign),
    }
}

/// Columns of another model by their names. A missing one is an error on the word the user typed.
fn columns_of(model: &impl ToTokens, names: &[Ident]) -> TokenStream {
    let columns = names.iter().map(|name| {
        quote_spanned! {name.span()=>
            <#model as __orm::Model>::cols::<#model>(__orm::Source::ROOT).#name.def()
        }
    });
    quote!(__orm::vec![#(#columns),*])
}

fn through(relation: &RelationPlan<'_>) -> TokenStream {
    let Some(via) = &relation.relation.via else {
        return quote!(::core::option::Option::None);
    };
    let via = named(via);
    let (parent, child) = (
        columns_of(&via, &relation.foreign),
        columns_of(&via, &relation.to),
    );
    quote! {
        ::core::option::Option::Some(__orm::Through {
            table: || <#via as __orm::Model>::TABLE,
            parent: || #parent,
            child: || #child,
        })
    }
}

/// A foreign key has the type of the key it refers to.
fn fits(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> TokenStream {
    if !relation.relation.is_foreign_key() {
        return TokenStream::new();
    }
    let target = child(relation);
    let types: Vec<TokenStream> = local(plan, relation)
        .map(|column| {
            let ty = column_type(column, &quote!(__orm));
            match column.nullable && relation.local.len() > 1 {
                true => quote!(<#ty as __orm::SqlType>::Base),
                false => ty,
            }
        })
        .collect();
    let (span, ty) = match types.as_slice() {
        [one] => (one.span(), quote!(#one)),
        several => (relation.relation.name.span(), quote!((#(#several),*))),
    };
    quote_spanned!(span=> const _: () = __orm::foreign_key::<#ty, <#target as __orm::Model>::Id>();)
}
