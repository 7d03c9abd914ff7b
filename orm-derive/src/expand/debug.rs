//! `#[orm(debug)]`: `Debug` that hides what is sensitive.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::plain;
use crate::plan::Plan;

pub(crate) fn implementation(plan: &Plan<'_>) -> TokenStream {
    if plan.model.options.debug.is_none() {
        return TokenStream::new();
    }
    let (ident, name) = (&plan.model.ident, plain(&plan.model.ident));
    let fields = plan.model.fields.iter().map(|field| {
        let (member, name) = (&field.ident, field.name());
        match field.attrs.sensitive {
            Some(_) => quote!(.field(#name, &::core::format_args!("***"))),
            None => quote!(.field(#name, &self.#member)),
        }
    });
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name)#(#fields)*.finish()
            }
        }
    }
}
