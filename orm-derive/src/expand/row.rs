//! The struct as a row: reading it, and what it promises as a model.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::embed::{self, embedded, position};
use crate::expand::family;
use crate::expand::names::{Names, column_type, field};
use crate::expand::relation;
use crate::parse::plain;
use crate::plan::{Column, Plan, Role};

pub(crate) fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let ident = &plan.model.ident;
    let output = match plan.is_base() {
        true => family::output(plan),
        false => output(plan),
    };
    let (model, markers) = (model(plan, names), markers(plan, names));
    quote! {
        #output
        #[automatically_derived]
        impl __orm::Shape for #ident {
            type Model = #ident;
        }
        #[automatically_derived]
        impl __orm::Entity for #ident {
            fn row(&self) -> &Self {
                self
            }
        }
        #model
        #markers
    }
}

/// Reads the fields in the order of the table.
fn output(plan: &Plan<'_>) -> TokenStream {
    let (ident, model) = (&plan.model.ident, plain(&plan.model.ident));
    let stored = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.field.is_some())
        .map(|(i, column)| {
            let (member, name) = (&column.member, plain(&column.member));
            if column.embed().is_some() {
                let (held, at) = (embedded(column), position(plan, i));
                return quote!(#member: #held::read(row, #model, &__COLUMNS[#at..])?);
            }
            let described = field(plan, column);
            let value = column.unwrap_json(quote!(#described.read(row, #model, #name)?));
            quote!(#member: #value)
        });
    let skipped = plan
        .model
        .fields
        .iter()
        .filter(|field| field.attrs.skip.is_some())
        .map(|field| {
            let member = &field.ident;
            quote!(#member: ::core::default::Default::default())
        });
    let loaded = match plan.model.options.hooks {
        None => quote!(::core::result::Result::Ok(row)),
        Some(_) => quote! {
            let mut row = row;
            <#ident as __orm::Hooks>::loaded(&mut row)?;
            ::core::result::Result::Ok(row)
        },
    };
    quote! {
        #[automatically_derived]
        impl __orm::Output for #ident {
            type Local = Self;
            #[inline]
            fn assemble(local: Self, _: &mut __orm::Loads<'_>) -> __orm::Result<Self> {
                ::core::result::Result::Ok(local)
            }
            fn decode(row: &mut __orm::Row<'_>) -> __orm::Result<Self> {
                let row = #ident {
                    #(#stored,)*
                    #(#skipped,)*
                };
                #loaded
            }
            fn columns(out: &mut __orm::Vec<__orm::Expected>) -> __orm::Lookup {
                __orm::by_name(&__TABLE, out)
            }
        }
    }
}

fn model(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, cols, scope) = (&plan.model.ident, &names.cols, &names.scope);
    let reads = match plan.role(Role::Tenant) {
        Some(_) => quote!(__orm::TenantScoped<#ident>),
        None => quote!(__orm::Open),
    };
    let writes = match plan.model.options.audit {
        Some(_) => quote!(__orm::Audited<#ident>),
        None => quote!(__orm::Open),
    };
    let seen = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.is_hidden());
    let columns = seen.map(|(i, column)| {
        let (member, at) = (&column.member, position(plan, i));
        match column.embed() {
            Some(_) => embed::build(column, scope, &quote!(__orm::One), &quote!(&__COLUMNS[#at..])),
            None => quote!(#member: __orm::Col::new(source, &__COLUMNS[#at]),),
        }
    });
    let relations = plan.relations.iter().map(|plan| {
        let (name, reference) = (&plan.relation.name, relation::reference(plan));
        quote!(#name: __orm::#reference::new(source),)
    });
    let values = values(plan);
    let (id_type, id) = (id_type(plan), id(plan));
    let version = plan.role(Role::Version).map(|i| {
        let column = &plan.columns[i];
        let (described, value) = (field(plan, column), value(plan, column, &quote!(self)));
        quote! {
            fn version(&self) -> ::core::option::Option<__orm::Value> {
                ::core::option::Option::Some(#described.value(#value))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl __orm::Model for #ident {
            type Id = #id_type;
            type Cols<#scope> = #cols<#scope>;
            type Reads = #reads;
            type Writes = #writes;
            const TABLE: &'static __orm::Table = &__TABLE;
            fn cols<#scope>(source: __orm::Source) -> #cols<#scope> {
                #cols {
                    #(#columns)*
                    #(#relations)*
                }
            }
            fn id(&self) -> Self::Id {
                #id
            }
            fn into_values(self) -> __orm::Vec<__orm::Value> {
                #values
            }
            #version
        }
        #[automatically_derived]
        impl __orm::SourceRow for #ident {
            type Base = #ident;
            type Cols<#scope> = <#ident as __orm::Model>::Cols<#scope>;
            type Maybe<#scope> = __orm::Opt<<#ident as __orm::Model>::Cols<#scope>>;
            fn cols<#scope>(fields: &__orm::Fields) -> <#ident as __orm::Model>::Cols<#scope> {
                <#ident as __orm::Model>::cols(fields.source())
            }
            fn maybe<#scope>(fields: &__orm::Fields) -> __orm::Opt<<#ident as __orm::Model>::Cols<#scope>> {
                __orm::Opt::new(<#ident as __orm::Model>::cols(fields.source()))
            }
        }
    }
}

/// The values of a row, in the order of the table.
fn values(plan: &Plan<'_>) -> TokenStream {
    if plan.is_base() {
        return family::values(plan);
    }
    let stored = || plan.columns.iter().filter(|column| column.field.is_some());
    if stored().any(|column| column.embed().is_some()) {
        let values = stored().map(|column| embed::add_value(plan, column));
        return quote! {
            let mut values = __orm::Vec::with_capacity(__TABLE.fields);
            let out = &mut values;
            #(#values)*
            values
        };
    }
    let values = stored().map(|column| {
        let (member, described) = (&column.member, field(plan, column));
        let value = column.wrap_json(quote!(self.#member));
        quote!(#described.value(#value))
    });
    quote!(__orm::vec![#(#values),*])
}

fn key<'a, 'm>(plan: &'a Plan<'m>) -> impl Iterator<Item = &'a Column<'m>> {
    plan.key.columns.iter().map(|&i| &plan.columns[i])
}

fn id_type(plan: &Plan<'_>) -> TokenStream {
    let types: Vec<TokenStream> = key(plan)
        .map(|column| column_type(column, &quote!(__orm)))
        .collect();
    match types.as_slice() {
        [] => quote!(__orm::NoKey),
        [one] => quote!(#one),
        several => quote!((#(#several),*)),
    }
}

fn id(plan: &Plan<'_>) -> TokenStream {
    let values: Vec<TokenStream> = key(plan)
        .map(|column| clone(plan, column, &quote!(self)))
        .collect();
    match values.as_slice() {
        [] => quote!(__orm::NoKey::NONE),
        [one] => quote!(#one),
        several => quote!((#(#several),*)),
    }
}

/// The value of a column of a row.
pub(crate) fn clone(plan: &Plan<'_>, column: &Column<'_>, row: &TokenStream) -> TokenStream {
    let member = &column.member;
    match plan.is_base() {
        true => family::value(plan, column, row),
        false => quote!(::core::clone::Clone::clone(&#row.#member)),
    }
}

/// As [`clone`], of a number.
fn value(plan: &Plan<'_>, column: &Column<'_>, row: &TokenStream) -> TokenStream {
    let member = &column.member;
    match plan.is_base() {
        true => family::value(plan, column, row),
        false => quote!(#row.#member),
    }
}

/// In the place of what finds a row by its key: never callable, carries the message.
fn keyless(plan: &Plan<'_>) -> TokenStream {
    let (ident, vis) = (&plan.model.ident, &plan.model.vis);
    quote! {
        #[automatically_derived]
        impl #ident {
            #[doc(hidden)]
            #[allow(dead_code)]
            #vis fn get<E: __orm::FindsByKey<Self>, K>(ex: E, _: K) -> __orm::Pending<'static, Self> {
                ex.find()
            }
            #[doc(hidden)]
            #[allow(dead_code)]
            #vis fn refresh<E: __orm::FindsByKey<Self>>(&self, ex: E) -> __orm::Pending<'static, Self> {
                ex.find()
            }
        }
    }
}

/// What can be done with rows of the model beside reading them.
fn markers(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (ident, options) = (&plan.model.ident, &plan.model.options);
    let marker = |name: TokenStream, body: TokenStream| {
        quote! {
            #[automatically_derived]
            impl __orm::#name for #ident { #body }
        }
    };
    let insertable = options
        .view
        .is_none()
        .then(|| marker(quote!(Insertable), quote!()));
    let mutable = options
        .append_only
        .is_none()
        .then(|| marker(quote!(Mutable), quote!()));
    let materialized = options
        .materialized
        .map(|_| marker(quote!(Materialized), quote!()));
    let keyless = plan.key.columns.is_empty().then(|| keyless(plan));
    let soft_delete = plan
        .role(Role::DeletedAt)
        .map(|_| marker(quote!(SoftDelete), quote!()));
    let tenanted = plan.role(Role::Tenant).map(|i| {
        let ty = column_type(&plan.columns[i], &quote!(__orm));
        marker(quote!(Tenanted), quote!(type Tenant = #ty;))
    });
    let signed = plan.role(Role::CreatedBy).map(|_| {
        let actor = options.audit.as_ref().map(|audit| &audit.by);
        marker(quote!(Signed), quote!(type Actor = #actor;))
    });
    let trailed = options.audit_trail.map(|_| marker(quote!(Trailed), quote!()));
    let filtered = (!options.filters.is_empty()).then(|| {
        let (module, filters) = (&names.module, options.filters.iter().enumerate());
        let filters = filters.map(|(at, filter)| {
            let name = &filter.name;
            quote!(#name: __orm::FilterRef::new(#at),)
        });
        let body = quote! {
            type Filters = #module::Filters;
            const FILTERS: #module::Filters = #module::Filters { #(#filters)* };
        };
        marker(quote!(Filtered), body)
    });
    let versioned = options.history.map(|_| {
        let table = quote!(
            const HISTORY: &'static __orm::AstTable = &__HISTORY;
        );
        marker(quote!(Versioned), table)
    });
    let chained = options.hash_chain.map(|_| {
        let table = quote!(
            const CHAIN: &'static __orm::AstTable = &__CHAIN;
        );
        marker(quote!(Chained), table)
    });
    let searchable = options.search.as_ref().map(|_| {
        let search = quote!(
            const SEARCH: &'static __orm::Search = &__SEARCH;
        );
        marker(quote!(Searchable), search)
    });
    let own = [insertable, mutable, soft_delete, tenanted, signed, trailed];
    own.into_iter()
        .chain([filtered, versioned, chained, materialized, keyless, searchable])
        .flatten()
        .collect()
}
