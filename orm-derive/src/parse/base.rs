//! `#[derive(Model)]` on an enum of models: its fields are those that all variants have, and stand in `#[common(..)]`.

use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DataEnum, DeriveInput, Field, Fields, Meta, Token, Type};

use crate::attr::{self, Place};
use crate::ctxt::Ctxt;
use crate::parse::{Model, Variant, field, no_generics, options, plain};

/// Whether each variant holds one value, as the variants of a model do.
pub(crate) fn holds_models(data: &DataEnum) -> bool {
    let single = |v: &syn::Variant| matches!(&v.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
    !data.variants.is_empty() && data.variants.iter().all(single)
}

/// Reads an enum with `#[common(..)]`; nothing for any other item. The inner `None` is one of which nothing can be said.
pub(crate) fn base(cx: &Ctxt, input: &DeriveInput) -> Option<Option<Model>> {
    let Data::Enum(data) = &input.data else {
        return None;
    };
    let attribute = input.attrs.iter().find(|a| a.path().is_ident("common"))?;
    no_generics(cx, input, "Model");
    let mut relations = Vec::new();
    let options = options(cx, input, Place::Base, &mut relations);
    let fields = common(cx, attribute)
        .iter()
        .filter_map(|f| field::field(cx, &input.ident, f, &mut relations))
        .collect();
    let mut variants: Vec<Variant> = data.variants.iter().filter_map(|v| variant(cx, v)).collect();
    if data.variants.is_empty() {
        cx.error(
            &input.ident,
            "an enum without variants has no rows: add one for each model",
        );
    }
    unique_models(cx, &mut variants);
    Some((!variants.is_empty()).then(|| Model {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        options,
        fields,
        relations,
        is_whole: variants.len() == data.variants.len(),
        variants,
    }))
}

/// The fields in the words of a struct.
fn common(cx: &Ctxt, attribute: &Attribute) -> Vec<Field> {
    if attr::beside(cx, attr::COMMON, attribute, Place::Base).is_none() {
        return Vec::new();
    }
    let Meta::List(list) = &attribute.meta else {
        return Vec::new();
    };
    let parser = Punctuated::<Field, Token![,]>::parse_terminated_with;
    let parser = |input: syn::parse::ParseStream<'_>| parser(input, Field::parse_named);
    let fields = cx.take(parser.parse2(list.tokens.clone())).unwrap_or_default();
    fields.into_iter().collect()
}

fn variant(cx: &Ctxt, variant: &syn::Variant) -> Option<Variant> {
    if let Fields::Unnamed(fields) = &variant.fields
        && let (1, Some(Type::Path(ty))) = (fields.unnamed.len(), fields.unnamed.first().map(|f| &f.ty))
        && ty.qself.is_none()
    {
        return Some(Variant {
            ident: variant.ident.clone(),
            model: ty.path.clone(),
        });
    }
    let name = plain(&variant.ident);
    cx.error(variant, format!("a variant holds one model: `{name}({name})`"));
    None
}

fn unique_models(cx: &Ctxt, variants: &mut Vec<Variant>) {
    let mut seen: Vec<(String, String)> = Vec::new();
    variants.retain(|variant| {
        let word = variant.model.to_token_stream().to_string();
        let Some((_, first)) = seen.iter().find(|(known, _)| *known == word) else {
            seen.push((word, plain(&variant.ident)));
            return true;
        };
        let message = format!("`{word}` is already held by `{first}`: each model has one variant");
        cx.error(&variant.model, message);
        false
    });
}
