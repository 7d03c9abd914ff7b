//! `#[derive(DbEnum)]`: labels of the variants, both ways.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::names::private;
use crate::parse::db_enum::DbEnum;
use crate::parse::plain;

/// Everything `#[derive(DbEnum)]` adds.
pub(crate) fn db_enum(item: &DbEnum, whole: bool) -> TokenStream {
    let (ident, name, private) = (&item.ident, &item.name, private(item.krate.as_ref()));
    let labels: Vec<&str> = item
        .variants
        .iter()
        .map(|variant| variant.label.as_str())
        .collect();
    let variants: Vec<&syn::Ident> = item.variants.iter().map(|variant| &variant.ident).collect();
    // after a mistake some variants are missing here, and that is not a second mistake
    let rest = (!whole).then(|| quote!(_ => "",));
    let unknown = format!("a label the enum `{}` does not know", plain(ident));
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            static __ENUM: __orm::EnumType = __orm::EnumType {
                schema: ::core::option::Option::None,
                name: #name,
                labels: &[#(#labels),*],
            };
            #[automatically_derived]
            impl __orm::DbEnum for #ident {
                const ENUM: &'static __orm::EnumType = &__ENUM;
                fn label(self) -> &'static str {
                    match self {
                        #(#ident::#variants => #labels,)*
                        #rest
                    }
                }
                fn from_label(label: &str) -> ::core::option::Option<Self> {
                    ::core::option::Option::Some(match label {
                        #(#labels => #ident::#variants,)*
                        _ => return ::core::option::Option::None,
                    })
                }
            }
            #[automatically_derived]
            impl __orm::Scalar for #ident {
                const TYPE: __orm::Type = __orm::Type::Enum(&__ENUM);
                fn into_value(self) -> __orm::Value {
                    __orm::Value::Enum(&__ENUM, __orm::DbEnum::label(self))
                }
                fn decode(
                    cells: &dyn __orm::Cells,
                    i: usize,
                ) -> __orm::Result<::core::option::Option<Self>> {
                    let ::core::option::Option::Some(label) = __orm::Cells::text(cells, i)? else {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    };
                    match __orm::DbEnum::from_label(label) {
                        ::core::option::Option::Some(value) => {
                            ::core::result::Result::Ok(::core::option::Option::Some(value))
                        }
                        ::core::option::Option::None => {
                            ::core::result::Result::Err(__orm::Error::decode(#unknown))
                        }
                    }
                }
            }
            #[automatically_derived]
            impl __orm::ArrayItem for #ident {}
        };
    }
}
