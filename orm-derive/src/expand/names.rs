//! Names of generated items, and the types of columns as tokens.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Path};

use crate::name;
use crate::parse::plain;
use crate::plan::{Column, ColumnType, Plan};
use crate::ty;

pub(crate) struct Names {
    /// `::orm::private`
    pub(crate) private: TokenStream,
    /// `UserCols`
    pub(crate) cols: Ident,
    /// `NewUser`
    pub(crate) new: Ident,
    /// `__orm_user`
    pub(crate) module: Ident,
    /// `S`, the parameter of `UserCols`, under a name that no column type has.
    pub(crate) scope: Ident,
    /// `C`, the second parameter of an embedded struct's columns.
    pub(crate) card: Ident,
    /// `B` and `C`, the parameters of `UserWithPosts`.
    pub(crate) loaded: (Ident, Ident),
}

impl Names {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        let ident = &plan.model.ident;
        let word = plain(ident);
        let types = |column: &Column<'_>| column_type(column, &quote!(__orm));
        let taken = |word| {
            plan.columns
                .iter()
                .any(|column| ty::mentions(types(column), word))
        };
        Names {
            private: private(plan.model.options.krate.as_ref()),
            cols: format_ident!("{word}Cols", span = ident.span()),
            new: format_ident!("New{word}", span = ident.span()),
            module: format_ident!("__orm_{}", name::snake(&word)),
            scope: format_ident!("{}", if taken("S") { "__S" } else { "S" }),
            card: format_ident!("{}", if taken("C") { "__C" } else { "C" }),
            loaded: match word.as_str() {
                "B" | "C" => (format_ident!("__B"), format_ident!("__C")),
                _ => (format_ident!("B"), format_ident!("C")),
            },
        }
    }
}

/// The path of everything generated code names.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    krate.map_or_else(|| quote!(::orm::private), |path| quote!(#path::private))
}

/// The Rust type a column is stored as; `private` is the path for the types of the library.
pub(crate) fn column_type(column: &Column<'_>, private: &TokenStream) -> TokenStream {
    match column.ty {
        ColumnType::Field(ty) => match column.json() {
            Some(span) => {
                let inner = ty::option(ty).unwrap_or(ty);
                let json = quote_spanned!(span=> #private::Json<#inner>);
                match ty::option(ty) {
                    Some(_) => quote!(::core::option::Option<#json>),
                    None => json,
                }
            }
            None => ty.to_token_stream(),
        },
        ColumnType::Timestamp => quote!(#private::Timestamp),
        ColumnType::OptionTimestamp => quote!(::core::option::Option<#private::Timestamp>),
        ColumnType::Actor(ty) => ty.to_token_stream(),
        ColumnType::OptionActor(ty) => quote!(::core::option::Option<#ty>),
        ColumnType::Text => quote!(#private::String),
    }
}

/// Another model. Errors about it land on the name the user typed.
pub(crate) fn named(model: &impl ToTokens) -> TokenStream {
    quote_spanned!(model.span()=> <#model as __orm::Named>::Model)
}

/// An enum of models, as [`named`].
pub(crate) fn named_enum(models: &impl ToTokens, private: &TokenStream) -> TokenStream {
    quote_spanned!(models.span()=> <#models as #private::NamedEnum>::Models)
}

/// The type of a column as a value that reads, writes and describes it.
pub(crate) fn field(plan: &Plan<'_>, column: &Column<'_>) -> TokenStream {
    let ty = column_type(column, &quote!(__orm));
    match plan.is_embed {
        // in the words that the columns of an embedded struct need in a query, so that rustc shows one error
        true => {
            quote_spanned!(type_span(column)=> __orm::field::<<__orm::One as __orm::Cardinality>::Col<#ty>>())
        }
        false => quote_spanned!(type_span(column)=> __orm::field::<#ty>()),
    }
}

/// Where the user typed the type of a column, for errors about it.
pub(crate) fn type_span(column: &Column<'_>) -> Span {
    match column.ty {
        ColumnType::Field(ty) | ColumnType::Actor(ty) | ColumnType::OptionActor(ty) => ty.span(),
        ColumnType::Timestamp | ColumnType::OptionTimestamp | ColumnType::Text => Span::call_site(),
    }
}

/// Lints that speak about the user's choices, which the items made of them follow.
pub(crate) fn allow() -> TokenStream {
    quote!(#[allow(dead_code, nonstandard_style, private_interfaces, unreachable_pub)])
}

/// The doc comment the user wrote, or this one.
pub(crate) fn docs(attrs: &[Attribute], otherwise: &str) -> TokenStream {
    let own: Vec<&Attribute> = attrs.iter().filter(|a| a.path().is_ident("doc")).collect();
    match own.as_slice() {
        [] => quote!(#[doc = #otherwise]),
        own => quote!(#(#own)*),
    }
}

impl Column<'_> {
    /// The value of the field as what is stored.
    pub(crate) fn wrap_json(&self, value: TokenStream) -> TokenStream {
        match self.json() {
            None => value,
            Some(_) if self.nullable => quote!(::core::option::Option::map(#value, __orm::Json)),
            Some(_) => quote!(__orm::Json(#value)),
        }
    }

    /// What is stored as the value of the field.
    pub(crate) fn unwrap_json(&self, value: TokenStream) -> TokenStream {
        match self.json() {
            None => value,
            Some(_) if self.nullable => quote! {
                ::core::option::Option::map(#value, |json: __orm::Json<_>| json.0)
            },
            Some(_) => {
                let json = quote!(let __orm::Json(value) = #value);
                quote!({ #json; value })
            }
        }
    }
}
