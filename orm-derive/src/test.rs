//! `#[orm::test]`: the function stays what it is, and a module of its name holds one test per backend.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, ItemFn, LitInt, LitStr, Path, ReturnType, Token};

/// What stands in the parentheses.
#[derive(Default)]
struct Options {
    schema: Option<Expr>,
    requires: Option<Expr>,
    n_plus_one: Option<LitInt>,
    threads: bool,
    krate: Option<Path>,
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = Parser::parse2(parse, options)?;
    let function: ItemFn = syn::parse2(item)?;
    check(&function)?;
    Ok(tests(&options, &function))
}

fn parse(input: ParseStream<'_>) -> syn::Result<Options> {
    let mut options = Options::default();
    while !input.is_empty() {
        let name = input.call(<Ident as syn::ext::IdentExt>::parse_any)?;
        input.parse::<Token![=]>()?;
        match name.to_string().as_str() {
            "schema" => options.schema = Some(input.parse()?),
            "requires" => options.requires = Some(input.parse()?),
            "n_plus_one" => options.n_plus_one = Some(limit(input.parse()?)?),
            "flavor" => options.threads = flavor(&input.parse()?)?,
            "crate" => options.krate = Some(input.call(Path::parse_mod_style)?),
            other => {
                let message = format!(
                    "`#[orm::test]` does not know `{other}`, expected `schema`, `requires`, `n_plus_one`, `flavor` or `crate`"
                );
                return Err(syn::Error::new(name.span(), message));
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(options)
}

fn limit(times: LitInt) -> syn::Result<LitInt> {
    match times.base10_parse::<u32>() {
        Ok(2..) => Ok(times),
        _ => Err(syn::Error::new(
            times.span(),
            "`n_plus_one` is how often a place may not send the same read: 2 or more",
        )),
    }
}

fn flavor(text: &LitStr) -> syn::Result<bool> {
    match text.value().as_str() {
        "multi_thread" => Ok(true),
        "current_thread" => Ok(false),
        _ => Err(syn::Error::new(
            text.span(),
            "`flavor` is \"current_thread\" or \"multi_thread\"",
        )),
    }
}

fn check(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(syn::Error::new_spanned(
            signature.fn_token,
            "`#[orm::test]` needs an `async fn`",
        ));
    }
    if signature.inputs.len() != 1 || !signature.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &signature.ident,
            "a test takes its database and nothing else: `async fn name(db: Db)`",
        ));
    }
    Ok(())
}

fn tests(options: &Options, function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let krate = options
        .krate
        .as_ref()
        .map_or_else(|| quote!(::orm), |path| quote!(#path));
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let attributes: Vec<_> = function
        .attrs
        .iter()
        .filter(|a| a.path().is_ident("cfg"))
        .collect();
    let schema = options.schema.iter();
    let requires = options.requires.iter();
    let limit = options.n_plus_one.iter();
    let threads = options.threads;
    quote! {
        #[allow(dead_code)]
        #function
        #(#attributes)*
        #[allow(unused_imports, unused_qualifications)]
        mod #name {
            use super::*;
            fn plan() -> #krate::testing::Plan {
                #krate::testing::Plan::new(#threads) #(.schema(#schema))* #(.requires(#requires))* #(.n_plus_one(#limit))*
            }
            #krate::__test_sqlite!(super::#name, plan(), #output);
            #krate::__test_postgres!(super::#name, plan(), #output);
        }
    }
}
