//! `#[derive(Composite)]`: a struct in one column, the fields being those of a type of the database.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, LitStr};

use crate::ctxt::Ctxt;
use crate::expand::names::private;
use crate::name::snake;
use crate::parse::{no_generics, plain};

pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let tokens = composite(&cx, input);
    match cx.finish() {
        Ok(()) => tokens.unwrap_or_default(),
        Err(errors) => errors.to_compile_error(),
    }
}

fn composite(cx: &Ctxt, input: &DeriveInput) -> Option<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
            _ => {
                cx.error(
                    &input.ident,
                    "`#[derive(Composite)]` needs a struct with named fields",
                );
                return None;
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            cx.error(
                &input.ident,
                "`#[derive(Composite)]` needs a struct with named fields",
            );
            return None;
        }
    };
    no_generics(cx, input, "Composite");
    let (mut name, mut path) = (snake(&plain(&input.ident)), None);
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("orm")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            }
            if meta.path.is_ident("crate") {
                path = Some(meta.value()?.parse::<syn::Path>()?);
                return Ok(());
            }
            Err(meta
                .error("`#[derive(Composite)]` knows `name = \"..\"`, the name of the type in the database"))
        });
        cx.take(read);
    }
    for field in fields {
        if let Some(attribute) = field.attrs.iter().find(|a| a.path().is_ident("orm")) {
            cx.error(
                attribute,
                "a field of a composite type takes no attributes: its name and type are the database's",
            );
        }
    }
    let (ident, private) = (&input.ident, private(path.as_ref()));
    let members: Vec<_> = fields.iter().filter_map(|f| f.ident.as_ref()).collect();
    // in one place of the source each, so that a type that is none is one error
    let described: Vec<_> = fields
        .iter()
        .map(|f| {
            let ty = &f.ty;
            quote_spanned!(ty.span()=> __orm::field::<#ty>())
        })
        .collect();
    let names: Vec<String> = members.iter().map(|member| plain(member)).collect();
    let struct_name = plain(ident);
    Some(quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __orm;
            static __TYPE: __orm::OtherType = __orm::composite(#name, &[#((#names, #described.ty())),*]);
            #[automatically_derived]
            impl __orm::Scalar for #ident {
                const TYPE: __orm::Type = __orm::Type::Other(&__TYPE);
                fn into_value(self) -> __orm::Value {
                    __orm::composite_value(&__TYPE, __orm::vec![#(#described.value(self.#members)),*])
                }
                fn decode(
                    cells: &dyn __orm::Cells,
                    i: usize,
                ) -> __orm::Result<::core::option::Option<Self>> {
                    __orm::composite_read(cells, i, &__TYPE, |row| {
                        ::core::result::Result::Ok(#ident {
                            #(#members: #described.read(row, #struct_name, #names)?),*
                        })
                    })
                }
            }
            #[automatically_derived]
            impl __orm::ArrayItem for #ident {}
        };
    })
}
