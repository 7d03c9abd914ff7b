//! Inheritance: an enum whose variants are models, and the part of a model that makes it one of them.
//!
//! The macro of the enum sees the common fields and the names of the variants, that of a variant its own fields. What
//! needs both are constants of the one in terms of the constants of the other.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Path};

use crate::expand::embed;
use crate::expand::names::{Names, allow};
use crate::expand::table::{option, validated};
use crate::parse::{Variant, plain};
use crate::plan::{Column, Plan, Role, Slot};

/// Where a table's own columns stand: with those of variants among them they are another list.
pub(crate) fn own_columns(plan: &Plan<'_>) -> Ident {
    match plan.is_base() {
        true => format_ident!("__OWN"),
        false => format_ident!("__COLUMNS"),
    }
}

/// The columns of a variant with a table of its own know which of them stand there.
pub(crate) fn placed(plan: &Plan<'_>, columns: TokenStream) -> TokenStream {
    let options = &plan.model.options;
    match (&options.variant_of, options.joined) {
        (Some(base), Some(_)) => {
            let base = base_of(base);
            quote!(__orm::joined_columns(#columns, &#base::COMMON))
        }
        _ => columns,
    }
}

/// The enum that a variant names. Errors about it land on the name the user typed.
fn base_of(base: &Path) -> TokenStream {
    quote_spanned!(base.span()=> <#base as __orm::Base>)
}

/// The discriminator among the columns of a variant.
pub(crate) fn discriminator(base: &Path) -> TokenStream {
    let base = base_of(base);
    quote!(__orm::discriminator(&#base::COMMON))
}

/// The schema and the name of the table with the rows.
pub(crate) fn name(plan: &Plan<'_>) -> (TokenStream, TokenStream) {
    let (schema, name) = (option(plan.model.options.schema.as_ref()), &plan.table);
    match &plan.model.options.variant_of {
        Some(base) => {
            let base = base_of(base);
            (quote!(#base::TABLE.0), quote!(#base::TABLE.1))
        }
        None => (schema, quote!(#name)),
    }
}

/// What every reference to a variant asks of the discriminator.
pub(crate) fn tag(plan: &Plan<'_>) -> TokenStream {
    let hidden = plan.columns.iter().position(Column::is_hidden);
    option(hidden.map(|i| {
        let (at, label) = (embed::position(plan, i), plan.label());
        quote!(__orm::TagGuard { column: &__COLUMNS[#at].column, label: #label })
    }))
}

/// The table with the columns of a variant, where it has one.
fn part(plan: &Plan<'_>) -> Option<TokenStream> {
    plan.model.options.joined?;
    Some(quote!(__orm::TablePart {
        table: &__PART,
        required: true
    }))
}

fn part_table(plan: &Plan<'_>) -> TokenStream {
    let options = &plan.model.options;
    if options.joined.is_none() {
        let given = options.table.as_ref().zip(options.variant_of.as_ref());
        let check = given.map(|(table, base)| {
            let base = base_of(base);
            quote_spanned!(table.span()=> const _: () = __orm::same_table(#table, &#base::COMMON, #base::TABLE.1);)
        });
        return check.unwrap_or_default();
    }
    let lists = plan
        .uniques
        .iter()
        .map(|unique| unique.columns.clone())
        .chain(
            plan.indexes
                .iter()
                .map(|index| index.columns().cloned().collect()),
        )
        .chain(
            plan.foreign_keys
                .iter()
                .map(|key| key.columns.iter().copied().map(Slot::whole).collect()),
        );
    let lists = lists.filter(|slots: &Vec<Slot>| slots.len() > 1).map(|slots| {
        let at = slots.iter().map(|slot| embed::slot(plan, slot));
        quote_spanned!(plan.model.ident.span()=> const _: () = __orm::in_one_table(&__COLUMNS, &[#(#at),*]);)
    });
    let (schema, name) = (option(plan.model.options.schema.as_ref()), &plan.table);
    let key = plan.key.columns.iter().map(|&i| embed::position(plan, i));
    quote! {
        #(#lists)*
        static __PART: __orm::AstTable = __orm::AstTable {
            schema: #schema,
            name: #name,
            unique: &[&[#(&__COLUMNS[#key].column),*]],
            soft_delete: ::core::option::Option::None,
            tenant: ::core::option::Option::None,
            filters: &[],
            history: ::core::option::Option::None,
            tag: ::core::option::Option::None,
            parts: &[],
        };
    }
}

/// The tables that every reference joins.
pub(crate) fn parts(plan: &Plan<'_>) -> TokenStream {
    match (plan.is_base(), part(plan)) {
        (true, _) => quote!(&__PARTS),
        (false, Some(part)) => quote!(&[#part]),
        (false, None) => quote!(&[]),
    }
}

/// The model that the variant is one of.
pub(crate) fn base(plan: &Plan<'_>) -> TokenStream {
    option(plan.model.options.variant_of.as_ref().map(|base| {
        let base = base_of(base);
        quote!(|| <#base::Model as __orm::Model>::TABLE)
    }))
}

/// The tables of the variants.
pub(crate) fn variants(plan: &Plan<'_>) -> TokenStream {
    let models = models(plan);
    quote!(&[#(|| <#models as __orm::Model>::TABLE),*])
}

/// How many columns a row has.
pub(crate) fn fields(plan: &Plan<'_>) -> TokenStream {
    match plan.is_base() {
        true => quote!(__FIELDS),
        false => own_fields(plan),
    }
}

fn own_fields(plan: &Plan<'_>) -> TokenStream {
    embed::own_position(plan, plan.columns.iter().filter(|c| c.field.is_some()).count())
}

/// The models of the variants.
fn models(plan: &Plan<'_>) -> Vec<TokenStream> {
    let ident = &plan.model.ident;
    let model = |variant: &Variant| {
        let model = &variant.model;
        quote_spanned!(model.span()=> <#model as __orm::IsVariantOf<#ident>>::Model)
    };
    plan.model.variants.iter().map(model).collect()
}

/// What follows from the common fields and the variants together.
pub(crate) fn statics(plan: &Plan<'_>, names: &Names) -> TokenStream {
    if !plan.is_base() {
        return part_table(plan);
    }
    let (ident, model, fields) = (&plan.model.ident, plain(&plan.model.ident), own_fields(plan));
    let models = models(plan);
    let kinds = models.iter().zip(&plan.model.variants).map(
        |(model, variant)| quote_spanned!(variant.model.span()=> <#model as __orm::VariantOf<#ident>>::KIND),
    );
    let at: Vec<usize> = (0..models.len()).collect();
    let (schema, name, new) = (
        option(plan.model.options.schema.as_ref()),
        &plan.table,
        &names.new,
    );
    let kept = kept(plan);
    quote_spanned! {ident.span()=>
        const __KINDS: &[__orm::Kind] = &[#(#kinds),*];
        const __LABELS: &[&str] = &[#(__KINDS[#at].label),*];
        const __COMMON: __orm::Common = __orm::Common {
            model: #model,
            columns: &__OWN,
            fields: #fields,
            kept: #kept,
        };
        const __EXTRA: usize = __orm::extra(&__COMMON, __KINDS);
        static __COLUMNS: [__orm::Column; __OWN.len() + __EXTRA] = __orm::union(&__COMMON, __KINDS);
        static __PARTS: [__orm::TablePart; __orm::part_count(__KINDS)] = __orm::parts(__KINDS);
        const __PLACES: &[&[usize]] =
            &[#(&__orm::places::<{ __KINDS[#at].fields }>(&__COLUMNS, __KINDS, #at)),*];
        const __FIELDS: usize = __orm::read(#fields + 1 + __EXTRA, __PLACES);
        const _: () = __orm::agree(&__COMMON, __KINDS);
        #[automatically_derived]
        impl __orm::Base for #ident {
            type Model = #ident;
            type New = #new;
            const COMMON: __orm::Common = __COMMON;
            const TABLE: (::core::option::Option<&'static str>, &'static str) = (#schema, #name);
        }
    }
}

fn kept(plan: &Plan<'_>) -> TokenStream {
    let options = &plan.model.options;
    let (trail, append_only) = (options.audit_trail.is_some(), options.append_only.is_some());
    quote!(__orm::Kept { audit_trail: #trail, append_only: #append_only })
}

/// What a variant says of itself, and its new rows among those of others.
pub(crate) fn variant(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let Some(base) = &plan.model.options.variant_of else {
        return TokenStream::new();
    };
    let (ident, model, label) = (&plan.model.ident, plain(&plan.model.ident), plan.label());
    let (fields, part, new) = (own_fields(plan), option(part(plan)), &names.new);
    let span = base.span();
    let trait_of = |name: &str| {
        let name = format_ident!("{name}");
        quote_spanned!(span=> __orm::#name<#base>)
    };
    let kept = kept(plan);
    let watched = validated(plan) || plan.model.options.hooks.is_some();
    let (is_variant, variant) = (trait_of("IsVariantOf"), trait_of("VariantOf"));
    let among = quote_spanned! {span=>
        #[automatically_derived]
        impl ::core::convert::From<#new> for <#base as __orm::Base>::New {
            fn from(row: #new) -> Self {
                <<#base as __orm::Base>::Model as __orm::HasVariant<#ident>>::among(__orm::Insert::of(row))
            }
        }
    };
    quote! {
        #[automatically_derived]
        impl #is_variant for #ident {
            type Model = #ident;
        }
        #[automatically_derived]
        impl #variant for #ident {
            const KIND: __orm::Kind = __orm::Kind {
                model: #model,
                label: #label,
                columns: &__COLUMNS,
                fields: #fields,
                part: #part,
                watched: #watched,
                kept: #kept,
            };
        }
        #among
    }
}

/// Reads the variant that the discriminator says.
pub(crate) fn output(plan: &Plan<'_>) -> TokenStream {
    let (ident, model, fields) = (&plan.model.ident, plain(&plan.model.ident), own_fields(plan));
    let discriminator = plan.role(Role::Discriminator).map(|i| &plan.columns[i].name);
    let models = models(plan);
    let last = models.len().saturating_sub(1);
    let read = models
        .iter()
        .zip(&plan.model.variants)
        .enumerate()
        .map(|(k, (model, variant))| {
            let (name, span) = (&variant.ident, variant.model.span());
            let pattern = match k == last {
                true => quote!(_),
                false => quote!(#k),
            };
            quote_spanned!(span=> #pattern => Self::#name(__orm::read_variant::<#model>(row, __PLACES[#k])?),)
        });
    quote! {
        #[automatically_derived]
        impl __orm::Output for #ident {
            type Local = Self;
            #[inline]
            fn assemble(local: Self, _: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Ok(local)
            }
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                let read = match __orm::variant_at(row, #fields, __LABELS, #model, #discriminator)? {
                    #(#read)*
                };
                row.skip(__FIELDS);
                ::core::result::Result::Ok(read)
            }
            fn columns(out: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                __orm::by_name(&__TABLE, out)
            }
        }
    }
}

fn idents<'p>(plan: &'p Plan<'_>) -> Vec<&'p Ident> {
    plan.model.variants.iter().map(|variant| &variant.ident).collect()
}

/// The values of a row, in the order of the enum's columns.
pub(crate) fn values(plan: &Plan<'_>) -> TokenStream {
    let (ident, variants, rest) = (&plan.model.ident, idents(plan), rest(plan));
    let at: Vec<usize> = (0..variants.len()).collect();
    quote! {
        match self {
            #(#ident::#variants(row) => {
                __orm::spread(__orm::Model::into_values(row), __PLACES[#at], &__TABLE, __LABELS[#at])
            })*
            #rest
        }
    }
}

/// The value of a common column.
pub(crate) fn value(plan: &Plan<'_>, column: &Column<'_>, row: &TokenStream) -> TokenStream {
    let (arms, rest) = (values_in(plan, column, &quote!(__orm)), rest(plan));
    quote! {
        match #row {
            #(#arms)*
            #rest
        }
    }
}

/// The value of a common column in each variant. A key of one column is asked for as a key, so that another type is one
/// error at the variant.
fn values_in(plan: &Plan<'_>, column: &Column<'_>, private: &TokenStream) -> Vec<TokenStream> {
    let (ident, member) = (&plan.model.ident, &column.member);
    let alone = matches!(plan.key.columns.as_slice(), [one] if std::ptr::eq(&plan.columns[*one], column));
    let arm = |variant: &Variant| {
        let (name, model) = (&variant.ident, &variant.model);
        match alone {
            true => quote_spanned! {model.span()=>
                #ident::#name(row) => #private::common_key::<#model, #ident>(row),
            },
            false => quote!(#ident::#name(row) => ::core::clone::Clone::clone(&row.#member),),
        }
    };
    plan.model.variants.iter().map(arm).collect()
}

/// Variants that were refused: they are told about elsewhere.
fn rest(plan: &Plan<'_>) -> TokenStream {
    match plan.model.is_whole {
        true => TokenStream::new(),
        false => quote!(_ => ::core::unreachable!(),),
    }
}

/// `NewAnimal`, the new rows of all variants, and what is common to all rows.
pub(crate) fn item(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (vis, ident, new, private) = (&plan.model.vis, &plan.model.ident, &names.new, &names.private);
    let (variants, allow) = (idents(plan), allow());
    let models: Vec<&Path> = plan.model.variants.iter().map(|variant| &variant.model).collect();
    let doc = format!("A new [`{ident}`], of any variant.");
    let docs = models
        .iter()
        .map(|model| format!("A new `{}`.", quote!(#model).to_string().replace(' ', "")));
    let accessors = plan
        .columns
        .iter()
        .filter_map(|column| accessor(plan, column, private));
    let inserts = quote! {
        /// Inserts rows of any variants as one unit; they come back in input order.
        #[track_caller]
        #allow
        #vis fn insert_all<E: #private::Writes<#ident> + ?::core::marker::Sized>(
            ex: &E,
            rows: impl ::core::iter::IntoIterator<Item = #new>,
        ) -> #private::Pending<'_, #private::Vec<#ident>> {
            #private::insert_variants(ex, rows, ::core::panic::Location::caller())
        }
    };
    quote! {
        #[doc = #doc]
        #allow
        #vis enum #new {
            #(#[doc = #docs] #variants(#private::Insert<#models>),)*
        }
        #[automatically_derived]
        impl #new {
            #inserts
        }
        #[automatically_derived]
        impl #ident {
            #(#accessors)*
        }
    }
}

/// `animal.name()`; a key is given back by value, as by a model.
fn accessor(plan: &Plan<'_>, column: &Column<'_>, private: &TokenStream) -> Option<TokenStream> {
    let field = column.field?;
    let (vis, ident, variants) = (&plan.model.vis, &plan.model.ident, idents(plan));
    let (member, ty, allow) = (&column.member, &field.ty, allow());
    let doc = format!("`{member}`, which every variant has.");
    let is_key = plan
        .key
        .columns
        .iter()
        .any(|&i| std::ptr::eq(&plan.columns[i], column));
    let (ty, arms) = match is_key {
        true => (quote!(#ty), values_in(plan, column, private)),
        false => {
            let arm = |name: &&Ident| quote!(#ident::#name(row) => &row.#member,);
            (quote!(&#ty), variants.iter().map(arm).collect())
        }
    };
    let rest = rest(plan);
    Some(quote! {
        #[doc = #doc]
        #allow
        #vis fn #member(&self) -> #ty {
            match self {
                #(#arms)*
                #rest
            }
        }
    })
}

/// How new rows of a variant become new rows of the enum, and rows of a variant rows of the enum.
pub(crate) fn inserts(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, new) = (&plan.model.ident, &names.new);
    let (models, variants) = (models(plan), idents(plan));
    let at: Vec<usize> = (0..variants.len()).collect();
    let impls = models.iter().zip(&plan.model.variants).map(|(model, variant)| {
        // at the place of the variant, so that a mistake there is one error
        let (name, span) = (&variant.ident, variant.model.span());
        let [ident, new] = [ident, new].map(|name| {
            let mut name = name.clone();
            name.set_span(span);
            name
        });
        quote_spanned! {span=>
            #[automatically_derived]
            impl __orm::HasVariant<#model> for #ident {
                fn among(row: __orm::Insert<#model>) -> #new {
                    ::core::convert::From::from(row)
                }
            }
            #[automatically_derived]
            impl ::core::convert::From<__orm::Insert<#model>> for #new {
                fn from(row: __orm::Insert<#model>) -> Self {
                    Self::#name(row)
                }
            }
            #[automatically_derived]
            impl ::core::convert::From<#model> for #ident {
                fn from(row: #model) -> Self {
                    Self::#name(row)
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl __orm::IntoInsert<#ident> for #new {
            fn into_insert(self) -> __orm::Insert<#ident> {
                match self {
                    #(#new::#variants(row) => row.into_base::<#ident>(__PLACES[#at]),)*
                }
            }
        }
        #(#impls)*
    }
}
