//! `UserCols`: the columns and relations of one table reference.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::expand::embed::{self, written};
use crate::expand::names::{Names, allow, column_type, docs, type_span};
use crate::expand::relation;
use crate::parse::plain;
use crate::plan::{Column, Kind, Plan, Slot};

/// The struct.
pub(crate) fn item(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (vis, scope, cols) = (&plan.model.vis, &names.scope, &names.cols);
    let (private, module) = (&names.private, &names.module);
    let seen = embed::first(plan).filter(|column| !column.is_hidden());
    let columns = seen.map(|column| field(plan, names, column));
    let relations = plan.relations.iter().map(|relation| {
        let (name, marker) = (&relation.relation.name, &relation.marker);
        let reference = relation::reference(relation);
        let doc = format!(
            "The relation `{}` to `{}`.",
            plain(name),
            plain(relation.relation.target_name())
        );
        quote!(#[doc = #doc] pub #name: #private::#reference<#scope, #module::#marker>,)
    });
    let doc = format!(
        "Columns and relations of [`{}`] inside a query.",
        plan.model.ident
    );
    let allow = allow();
    quote! {
        #[doc = #doc]
        #allow
        #vis struct #cols<#scope> {
            #(#columns)*
            #(#relations)*
        }
    }
}

fn field(plan: &Plan<'_>, names: &Names, column: &Column<'_>) -> TokenStream {
    let (private, scope, member) = (&names.private, &names.scope, &column.member);
    let attrs = column.field.map_or(&[][..], |field| &field.original.attrs);
    let doc = docs(attrs, &format!("Column `{}` of `{}`.", column.name, plan.table));
    if column.embed().is_some() {
        let doc = docs(
            attrs,
            &format!("Columns `{}..` of `{}`.", column.name, plan.table),
        );
        let held = written(column, private);
        let ty = quote_spanned!(type_span(column)=> #held::Col<#scope, #private::One>);
        return quote!(#doc pub #member: #ty,);
    }
    let ty = column_type(column, private);
    let kind = match column.kind {
        Kind::Plain | Kind::KeyPart => quote!(),
        Kind::Unique => quote!(, #private::kind::Unique),
        Kind::Pk => quote!(, #private::kind::Pk),
        Kind::NaturalPk => quote!(, #private::kind::NaturalPk),
        Kind::Managed => quote!(, #private::kind::Managed),
    };
    quote!(#doc pub #member: #private::Col<#scope, #ty #kind>,)
}

/// Copying, selecting all columns, and the keys of several columns.
pub(crate) fn impls(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (model, cols, scope) = (&plan.model.ident, &names.cols, &names.scope);
    let pushed = plan.columns.iter().filter(|c| c.field.is_some()).map(|c| {
        let member = &c.member;
        match c.embed() {
            Some(_) => embed::push(c),
            None => quote!(__orm::select(self.#member, out);),
        }
    });
    let pushed: Vec<TokenStream> = match plan.columns.first().filter(|_| plan.is_base()) {
        // the rows of the variants, not only what they have in common
        Some(first) => {
            let member = &first.member;
            vec![quote!(__orm::select_rows(self.#member, &__TABLE, out);)]
        }
        None => pushed.collect(),
    };
    let (clone, keys) = (embed::clone(plan), keys(plan, names));
    let first = plan
        .columns
        .iter()
        .find(|c| c.embed().is_none() && !c.is_hidden());
    let searched = plan.model.options.search.as_ref().zip(first).map(|(_, first)| {
        let member = &first.member;
        quote! {
            #[automatically_derived]
            impl<#scope> __orm::SearchCols<#scope> for #cols<#scope> {
                fn searched(self) -> (__orm::Source, &'static __orm::Search) {
                    (__orm::source_of(self.#member), &__SEARCH)
                }
            }
        }
    });
    quote! {
        #searched
        #[automatically_derived]
        impl<#scope> ::core::clone::Clone for #cols<#scope> {
            #clone
        }
        #[automatically_derived]
        impl<#scope> ::core::marker::Copy for #cols<#scope> {}
        #[automatically_derived]
        impl<#scope> __orm::Selection<#scope> for #cols<#scope> {
            type Out = #model;
            fn push(self, out: &mut __orm::Vec<__orm::ast::Expr>) {
                #(#pushed)*
            }
        }
        #keys
    }
}

fn member(plan: &Plan<'_>, slot: &Slot) -> String {
    let member = plain(&plan.columns[slot.column].member);
    match slot.part.is_empty() {
        true => member,
        false => format!("{member}_{}", slot.suffix()),
    }
}

/// A method for every set of columns that an upsert may aim at: `key` and one for each unique constraint.
fn keys(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let (vis, cols, scope) = (&plan.model.vis, &names.cols, &names.scope);
    let key = || plan.key.columns.iter().copied().map(Slot::whole).collect();
    let key = (plan.key.columns.len() > 1).then(|| (format_ident!("key"), key()));
    // a column that is unique by itself is its own target, but an embedded struct does not know that it is unique here
    let needed = |slots: &[Slot]| slots.len() > 1 || slots.iter().any(|slot| !slot.part.is_empty());
    let uniques = plan
        .uniques
        .iter()
        .filter(|unique| needed(&unique.columns) && unique.predicate.is_none());
    let uniques = uniques.map(|unique| {
        let words: Vec<String> = unique.columns.iter().map(|slot| member(plan, slot)).collect();
        (format_ident!("{}", words.join("_")), unique.columns.clone())
    });
    let methods = key
        .into_iter()
        .chain(uniques)
        .map(|(name, slots): (_, Vec<Slot>)| {
            let words: Vec<String> = slots
                .iter()
                .map(|slot| format!("`{}`", plan.sql_name(slot)))
                .collect();
            let doc = format!("The columns {}, unique together.", words.join(", "));
            let allow = allow();
            let columns = slots.iter().map(|slot| embed::slot(plan, slot));
            quote! {
                #[doc = #doc]
                #allow
                #vis fn #name(self) -> __orm::KeyRef<#scope> {
                    static KEY: &[&__orm::Column] = &[#(&__COLUMNS[#columns]),*];
                    __orm::KeyRef::new(KEY)
                }
            }
        });
    let methods: Vec<TokenStream> = methods.collect();
    if methods.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[automatically_derived]
        impl<#scope> #cols<#scope> {
            #(#methods)*
        }
    }
}
