//! Relations: a zero-sized type for each with its description, and a method that queries it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

use crate::expand::embed::position;
use crate::expand::names::{Names, allow, column_type, named, named_enum};
use crate::expand::row::clone;
use crate::name;
use crate::parse::plain;
use crate::parse::relation::{Cascade, Orphans, RelationKind};
use crate::plan::{Column, Plan, RelationPlan, Target};

/// The module of the zero-sized types, and of the names of filters.
pub(crate) fn markers(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let options = &plan.model.options;
    if plan.relations.is_empty() && options.filters.is_empty() {
        return TokenStream::new();
    }
    let (vis, module) = (&plan.model.vis, &names.module);
    let inner = seen_from_within(vis);
    let filters = (!options.filters.is_empty()).then(|| {
        let (private, model) = (&names.private, &plan.model.ident);
        let name = options.filters.iter().map(|filter| &filter.name);
        quote!(#inner struct Filters { #(pub #name: #private::FilterRef<super::#model>,)* })
    });
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
            #filters
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

/// What a relation is inside a query.
pub(crate) fn reference(relation: &RelationPlan<'_>) -> TokenStream {
    match relation.relation.kind {
        RelationKind::BelongsToAny => quote!(AnyRef),
        _ => quote!(RelRef),
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
        if relation.relation.kind == RelationKind::BelongsToAny {
            return key_method(plan, names, relation);
        }
        let doc = format!(
            "The relation `{}` to `{}`, as a query.",
            plain(name),
            plain(relation.relation.target_name())
        );
        let allow = allow();
        quote! {
            #[doc = #doc]
            #allow
            #vis fn #name(&self) -> #private::Related<#module::#marker> {
                #private::Related::of(self)
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

/// `note.subject_id()`, for an arc: no field shows the key.
fn key_method(plan: &Plan<'_>, names: &Names, relation: &RelationPlan<'_>) -> TokenStream {
    if relation.relation.arc.is_none() {
        return TokenStream::new();
    }
    let (vis, private, module, marker) = (&plan.model.vis, &names.private, &names.module, &relation.marker);
    let name = plain(&relation.relation.name);
    let (method, target) = (
        format_ident!("{name}_id", span = relation.relation.name.span()),
        named_enum(&relation.relation.target, private),
    );
    // at the place of the other errors about the enum, so that it is one
    let id = at(
        relation.relation.target.span(),
        quote!(<#target as #private::Polymorphic>::Id),
    );
    let (doc, allow) = (
        format!("The key of the `{name}` that this row belongs to."),
        allow(),
    );
    quote! {
        #[doc = #doc]
        #allow
        #vis fn #method(&self) -> ::core::option::Option<#id> {
            <#module::#marker as #private::AnyRel>::id(self)
        }
    }
}

/// The values of the compared columns of a row.
fn key(plan: &Plan<'_>, relation: &RelationPlan<'_>, row: &TokenStream) -> TokenStream {
    if !relation.relation.is_foreign_key() {
        return quote!(__orm::key_values(__orm::Model::id(#row)));
    }
    let columns: Vec<&Column<'_>> = local(plan, relation).collect();
    let values = columns.iter().map(|column| clone(plan, column, row));
    match columns.as_slice() {
        [_] if relation.optional => {
            quote!(::core::option::Option::and_then(#(#values)*, __orm::key_values))
        }
        [_] => quote!(__orm::key_values(#(#values)*)),
        _ if !relation.optional => quote!(__orm::key_values((#(#values),*))),
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
                    (#(#patterns),*) => __orm::key_values((#(#names),*)),
                    #[allow(unreachable_patterns)]
                    _ => ::core::option::Option::None,
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
        .map(|relation| match relation.relation.kind {
            RelationKind::BelongsToAny => any(plan, names, relation),
            _ => implementation(plan, names, relation),
        })
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
    let by_association = by_association(relation);
    let association = association(plan, relation);
    let (wrapper, field) = (wrapper(plan, relation), &relation.relation.name);
    let (loaded, (b, c)) = (loaded_row(plan, names, relation), &names.loaded);
    let (links, row) = (links(names, relation), quote!(row));
    let key = key(plan, relation, &row);
    let cascade = match relation.relation.cascade {
        Cascade::Database => quote!(Database),
        Cascade::Delete => quote!(Delete),
        Cascade::Unlink => quote!(Unlink),
    };
    let orphans = match relation.relation.orphans {
        Orphans::Unlink => quote!(Unlink),
        Orphans::Delete => quote!(Delete),
    };
    quote_spanned! {child.span()=>
        type #child = #target;
        #association
        #fits
        #[automatically_derived]
        impl __orm::Rel for #module::#marker {
            type Parent = #model;
            type Child = #child;
            type Card = #card;
            type With<#b: __orm::Shape<Model = #model>, #c: __orm::Content> = #wrapper<#b, #c>;
            fn key(#row: &#model) -> ::core::option::Option<__orm::Vec<__orm::Value>> {
                #key
            }
            fn attach<#b: __orm::Shape<Model = #model>, #c: __orm::Content>(base: #b, content: #c) -> #wrapper<#b, #c> {
                #wrapper { __base: base, #field: content }
            }
            const DEF: &'static __orm::RelationDef = &__orm::RelationDef {
                name: #name,
                model: #model_name,
                kind: __orm::RelationKind::#kind,
                parent: || __orm::vec![#(&__COLUMNS[#parent]),*],
                table: || <#child as __orm::Model>::TABLE,
                child: #children,
                through: #through,
                cascade: __orm::Cascade::#cascade,
                orphans: __orm::Orphans::#orphans,
                required: #required,
                association: #by_association,
            };
        }
        #loaded
        #links
    }
}

/// Whether related rows can be linked and unlinked.
fn links(names: &Names, relation: &RelationPlan<'_>) -> TokenStream {
    let (module, marker, child) = (&names.module, &relation.marker, child(relation));
    let marker = quote!(#module::#marker);
    let linkable = |through: TokenStream, by: TokenStream| {
        quote! {
            #[automatically_derived]
            impl __orm::Linkable for #marker {
                type Through = #through;
                type By = __orm::#by;
            }
        }
    };
    let unlinkable = (relation.relation.cascade == Cascade::Unlink).then(
        || quote_spanned!(relation.relation.name.span()=> const _: () = __orm::unlinkable::<#marker>();),
    );
    match (relation.relation.kind, &relation.relation.via) {
        (RelationKind::HasOne | RelationKind::HasMany, _) => {
            let linkable = linkable(quote!(#child), quote!(NewKeys));
            if relation.relation.orphans == Orphans::Delete {
                return quote! {
                    #linkable
                    #[automatically_derived]
                    impl<P> __orm::Unlink<P> for #marker {}
                    #unlinkable
                };
            }
            let holder = match &relation.relation.by_association {
                Some(name) => {
                    let name = fields([name].into_iter());
                    quote!(__orm::Referrer<#name>)
                }
                None => {
                    let fields = fields(relation.foreign.iter());
                    quote!(__orm::References<#fields>)
                }
            };
            quote! {
                #linkable
                #[automatically_derived]
                impl<P: #holder> __orm::Unlink<P> for #marker
                where
                    P::Card: __orm::Nullable,
                {
                }
                #unlinkable
            }
        }
        (RelationKind::ManyToMany, Some(via)) => {
            let linkable = linkable(named(via), quote!(NewRows));
            quote! {
                #linkable
                #[automatically_derived]
                impl<P> __orm::Unlink<P> for #marker {}
            }
        }
        (RelationKind::BelongsTo | RelationKind::BelongsToAny | RelationKind::ManyToMany, _) => {
            TokenStream::new()
        }
    }
}

/// A number for a list of fields, so that another model's derive can name their foreign key.
fn fields<'a>(names: impl Iterator<Item = &'a Ident>) -> u64 {
    // FNV-1a
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    names.fold(0xcbf2_9ce4_8422_2325, |hash, name| {
        plain(name).bytes().chain([0]).fold(hash, step)
    })
}

/// The foreign keys of the model, for relations of other models that come by them.
pub(crate) fn references(plan: &Plan<'_>) -> TokenStream {
    let model = &plan.model.ident;
    let mut seen = Vec::new();
    let belonging = plan
        .relations
        .iter()
        .filter(|relation| relation.relation.is_foreign_key());
    let one = |relation: &RelationPlan<'_>| {
        let members: Vec<&Ident> = local(plan, relation).map(|column| &column.member).collect();
        let fields = fields(members.into_iter());
        if seen.contains(&fields) {
            return TokenStream::new();
        }
        seen.push(fields);
        let (card, _) = cardinality(plan, relation);
        quote! {
            #[automatically_derived]
            impl __orm::References<#fields> for #model {
                type Card = #card;
            }
        }
    };
    belonging.map(one).collect()
}

/// The polymorphic associations of the model, for relations of other models that come by them.
pub(crate) fn referrers(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (model, module) = (&plan.model.ident, &names.module);
    let any = plan
        .relations
        .iter()
        .filter(|r| r.relation.kind == RelationKind::BelongsToAny);
    any.map(|relation| {
        let (marker, name) = (&relation.marker, fields([&relation.relation.name].into_iter()));
        let card = if relation.optional {
            quote!(Maybe)
        } else {
            quote!(One)
        };
        quote! {
            #[automatically_derived]
            impl __orm::Referrer<#name> for #model {
                type Rel = #module::#marker;
                type Card = __orm::#card;
            }
        }
    })
    .collect()
}

/// A polymorphic association.
fn any(plan: &Plan<'_>, names: &Names, relation: &RelationPlan<'_>) -> TokenStream {
    let (model, module, marker) = (&plan.model.ident, &names.module, &relation.marker);
    let (wrapper, field) = (wrapper(plan, relation), &relation.relation.name);
    let (loaded, (b, c)) = (loaded_row(plan, names, relation), &names.loaded);
    let (model_name, name) = (plain(model), plain(field));
    let (targets, target) = (child(relation), &relation.relation.target);
    let models = named_enum(target, &quote!(__orm));
    let (form, key, fits) = match relation.relation.arc {
        Some(_) => arc(plan, relation),
        None => pair(plan, relation),
    };
    quote_spanned! {target.span()=>
        type #targets = #models;
        #fits
        #[automatically_derived]
        impl __orm::AnyRel for #module::#marker {
            type Parent = #model;
            type Targets = #targets;
            type With<#b: __orm::Shape<Model = #model>, #c: __orm::Content> = #wrapper<#b, #c>;
            const MODEL: &'static str = #model_name;
            const NAME: &'static str = #name;
            const FORM: __orm::Form = #form;
            fn id(row: &#model) -> ::core::option::Option<<#targets as __orm::Polymorphic>::Id> {
                #key
            }
            fn attach<#b: __orm::Shape<Model = #model>, #c: __orm::Content>(base: #b, content: #c) -> #wrapper<#b, #c> {
                #wrapper { __base: base, #field: content }
            }
        }
        #loaded
    }
}

/// The form, the key of `row`, and what the compiler has to see.
fn pair(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> (TokenStream, TokenStream, TokenStream) {
    let (targets, row) = (child(relation), quote!(row));
    let at = relation.local.first().map(|&i| position(plan, i));
    let held = local(plan, relation).map(|column| clone(plan, column, &row));
    let key = match relation.optional {
        true => quote!(#(#held)*),
        false => quote!(::core::option::Option::Some(#(#held)*)),
    };
    let form = quote! {
        __orm::Form::Pair { label: || &__COLUMNS[#at], key: || &__COLUMNS[#at + 1usize] }
    };
    let fits = quote_spanned! {relation.relation.target.span()=>
        const _: () = __orm::same_key(<#targets as __orm::Polymorphic>::KEYS);
    };
    (form, key, fits)
}

/// As [`pair`], for the foreign keys of an arc.
fn arc(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> (TokenStream, TokenStream, TokenStream) {
    let (targets, row) = (child(relation), quote!(row));
    let span = relation.relation.target.span();
    let ends: Vec<(TokenStream, &Column<'_>, TokenStream)> = relation
        .local
        .iter()
        .filter_map(|&i| {
            let target = plan.foreign_keys.iter().find(|key| key.columns == [i])?.target;
            let target = match target {
                Target::Model(path) => named(path),
                Target::Actor(ty) => named(ty),
            };
            let target = quote_spanned!(span=> <#targets as __orm::Targets<#target>>);
            Some((target, &plan.columns[i], position(plan, i)))
        })
        .collect();
    let columns = ends
        .iter()
        .map(|(target, _, at)| quote_spanned!(span=> (#target::AT, &__COLUMNS[#at])));
    let form = quote!(__orm::Form::Arc(|| __orm::in_order([#(#columns),*])));
    let keys = ends.iter().map(|(target, column, _)| {
        let value = clone(plan, column, &row);
        quote_spanned! {span=>
            if let ::core::option::Option::Some(key) = #value {
                return ::core::option::Option::Some(#target::id(key));
            }
        }
    });
    let key = quote!(#(#keys)* ::core::option::Option::None);
    let count = ends.len();
    let fits = quote_spanned! {span=>
        const _: () = __orm::covers(<#targets as __orm::Polymorphic>::LABELS.len(), #count);
    };
    (form, key, fits)
}

/// A name for the association of the other model that a relation comes by, `as = subject`.
fn association(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> TokenStream {
    let Some(name) = &relation.relation.by_association else {
        return TokenStream::new();
    };
    let (child, model, hash) = (child(relation), &plan.model.ident, fields([name].into_iter()));
    let alias = back(relation, name);
    quote_spanned!(name.span()=> type #alias = __orm::To<<#child as __orm::Referrer<#hash>>::Rel, #model>;)
}

fn back(relation: &RelationPlan<'_>, name: &Ident) -> Ident {
    format_ident!("__{}By", relation.marker, span = name.span())
}

/// What the other model's association adds to its key.
fn by_association(relation: &RelationPlan<'_>) -> TokenStream {
    let Some(name) = &relation.relation.by_association else {
        return quote!(::core::option::Option::None);
    };
    let back = back(relation, name);
    quote_spanned!(name.span()=> <#back as __orm::Rel>::DEF.association)
}

/// `UserWithPosts`
fn wrapper(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> Ident {
    let (model, name) = (
        plain(&plan.model.ident),
        name::pascal(&plain(&relation.relation.name)),
    );
    format_ident!("{model}With{name}", span = relation.relation.name.span())
}

/// A row with a loaded relation beside it: `UserWithPosts`.
pub(crate) fn wrappers(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (vis, model) = (&plan.model.vis, &plan.model.ident);
    let (private, module) = (&names.private, &names.module);
    let (allow, (b, c)) = (allow(), &names.loaded);
    let one = |relation: &RelationPlan<'_>| {
        let (wrapper, marker) = (wrapper(plan, relation), &relation.marker);
        let field = &relation.relation.name;
        // an error about the other model belongs to the word the user typed for it
        let target = &relation.relation.target;
        let content_of = match relation.relation.kind {
            RelationKind::BelongsToAny => quote!(::core::option::Option<#target>),
            _ => quote!(#private::Loaded<#module::#marker>),
        };
        let content_of = at(relation.relation.target.span(), quote!(#c = #content_of));
        let doc = format!(
            "A `{}` with its `{}` loaded. It derefs to the row.",
            plain(model),
            plain(field)
        );
        let content = format!("What was loaded of the relation `{}`.", plain(field));
        quote! {
            #[doc = #doc]
            #allow
            #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            #vis struct #wrapper<#b = #model, #content_of> {
                __base: #b,
                #[doc = #content]
                pub #field: #c,
            }
        }
    };
    plan.relations.iter().map(one).collect()
}

/// The same tokens in another place, for errors about them.
fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(moved).collect()
}

/// How a row with a loaded relation is read.
fn loaded_row(plan: &Plan<'_>, names: &Names, relation: &RelationPlan<'_>) -> TokenStream {
    let (model, module, marker) = (&plan.model.ident, &names.module, &relation.marker);
    let (wrapper, field) = (wrapper(plan, relation), &relation.relation.name);
    let (vis, (b, c)) = (&plan.model.vis, &names.loaded);
    let take = match relation.relation.kind {
        RelationKind::BelongsToAny => quote!(take_any),
        _ => quote!(take),
    };
    let merge = (relation.relation.kind != RelationKind::BelongsToAny).then(|| {
        quote! {
            #[automatically_derived]
            impl<#b, #c> __orm::Mergeable for #wrapper<#b, #c>
            where
                #b: __orm::Mergeable<Model = #model>,
                #c: __orm::MergeContent<#module::#marker>,
            {
                fn plan(self, list: &mut __orm::List) -> __orm::Result<(__orm::Ref<#model>, __orm::Finish<Self>)> {
                    __orm::plan_relation::<#module::#marker, #b, #c>(self.__base, self.#field, list)
                }
            }
        }
    });
    quote! {
        #merge
        #[automatically_derived]
        impl<#b: __orm::Shape<Model = #model>, #c: __orm::Content> __orm::Output for #wrapper<#b, #c> {
            type Local = (#b::Local, #c::Local);
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self::Local> {
                ::core::result::Result::Ok((#b::decode(row)?, #c::decode(row)?))
            }
            fn assemble((base, content): Self::Local, loads: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Ok(#wrapper {
                    __base: #b::assemble(base, loads)?,
                    #field: __orm::#take::<#module::#marker, #c>(content, loads)?,
                })
            }
            fn columns(out: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                #b::columns(out);
                #c::columns(out)
            }
        }
        #[automatically_derived]
        impl<#b: __orm::Shape<Model = #model>, #c: __orm::Content> __orm::Shape for #wrapper<#b, #c> {
            type Model = #model;
        }
        #[automatically_derived]
        impl<#b: __orm::Entity<Model = #model>, #c: __orm::Content> __orm::Entity for #wrapper<#b, #c> {
            fn row(&self) -> &#model {
                __orm::Entity::row(&self.__base)
            }
        }
        #[automatically_derived]
        impl<#b, #c> ::core::ops::Deref for #wrapper<#b, #c> {
            type Target = #b;
            fn deref(&self) -> &#b {
                &self.__base
            }
        }
        #[automatically_derived]
        impl<#b, #c> ::core::ops::DerefMut for #wrapper<#b, #c> {
            fn deref_mut(&mut self) -> &mut #b {
                &mut self.__base
            }
        }
        impl<#b, #c> #wrapper<#b, #c> {
            /// The row without the relation, and the relation.
            #[allow(dead_code)]
            #vis fn into_parts(self) -> (#b, #c) {
                (self.__base, self.#field)
            }
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
        RelationKind::BelongsTo | RelationKind::BelongsToAny => quote!(BelongsTo),
    }
}

/// How many there are, and whether there always is one. A foreign key's type says both.
fn cardinality(plan: &Plan<'_>, relation: &RelationPlan<'_>) -> (TokenStream, TokenStream) {
    match relation.relation.kind {
        RelationKind::HasMany | RelationKind::ManyToMany => (quote!(__orm::Many), quote!(false)),
        RelationKind::HasOne | RelationKind::BelongsToAny => (quote!(__orm::Maybe), quote!(false)),
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

/// What gives the columns of the related table: its key, or those that the relation names.
fn children(relation: &RelationPlan<'_>) -> TokenStream {
    let target = child(relation);
    if let Some(name) = &relation.relation.by_association {
        let back = back(relation, name);
        return quote_spanned!(name.span()=> <#back as __orm::Rel>::DEF.parent);
    }
    let columns = match relation.relation.kind {
        RelationKind::BelongsTo | RelationKind::BelongsToAny | RelationKind::ManyToMany => {
            quote!(::core::iter::Iterator::collect(<#target as __orm::Model>::TABLE.key_columns()))
        }
        RelationKind::HasOne | RelationKind::HasMany => columns_of(&target, &relation.foreign),
    };
    quote!(|| #columns)
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
