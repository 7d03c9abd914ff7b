//! `#[derive(Scalar)]`: a struct is stored as what it holds.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::names::private;
use crate::parse::scalar::Scalar;

/// Everything `#[derive(Scalar)]` adds.
pub(crate) fn scalar(item: &Scalar) -> TokenStream {
    let (ident, inner, private) = (&item.ident, &item.inner, private(item.krate.as_ref()));
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            #[automatically_derived]
            impl __orm::Scalar for #ident {
                const TYPE: __orm::Type = <#inner as __orm::Scalar>::TYPE;
                fn into_value(self) -> __orm::Value {
                    __orm::Scalar::into_value(self.0)
                }
                #[inline]
                fn decode(
                    cells: &dyn __orm::Cells,
                    i: usize,
                ) -> __orm::Result<::core::option::Option<Self>> {
                    ::core::result::Result::Ok(
                        <#inner as __orm::Scalar>::decode(cells, i)?.map(#ident),
                    )
                }
            }
            #[automatically_derived]
            impl __orm::ArrayItem for #ident {}
        };
    }
}
