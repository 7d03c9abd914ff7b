//! `#[derive(DbEnum)]`, as written.

use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Path};

use crate::attr::{self, Item, Place};
use crate::ctxt::Ctxt;
use crate::name::{self, Case, MAX_BYTES};
use crate::parse::{case, krate, no_generics, once, plain, unread};

/// An enum whose values are labels in the database.
pub(crate) struct DbEnum {
    pub(crate) ident: Ident,
    pub(crate) krate: Option<Path>,
    /// Name of the type in the database.
    pub(crate) name: String,
    pub(crate) variants: Vec<Variant>,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) label: String,
}

#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    rename_all: Option<Case>,
    krate: Option<Path>,
}

/// Reads and checks an enum: its rules are few and stay beside it.
pub(crate) fn db_enum(cx: &Ctxt, input: &DeriveInput) -> Option<DbEnum> {
    let Data::Enum(data) = &input.data else {
        let name = plain(&input.ident);
        cx.error(
            &input.ident,
            format!("`#[derive(DbEnum)]` needs an enum, and `{name}` is none"),
        );
        return None;
    };
    no_generics(cx, input, "DbEnum");
    let options = options(cx, input);
    let case = options.rename_all.unwrap_or(Case::Snake);
    let variants: Vec<Variant> = data
        .variants
        .iter()
        .filter_map(|v| variant(cx, v, case))
        .collect();
    if data.variants.is_empty() {
        cx.error(&input.ident, "an enum without variants has no value to store");
    }
    unique_labels(cx, variants.iter().map(|v| (&v.ident, v.label.as_str())));
    let name = options
        .name
        .map_or_else(|| name::snake(&plain(&input.ident)), |name| name.value());
    Some(DbEnum {
        ident: input.ident.clone(),
        krate: options.krate,
        name,
        variants,
    })
}

fn options(cx: &Ctxt, input: &DeriveInput) -> Options {
    let mut options = Options::default();
    for attribute in input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("orm"))
    {
        for item in attr::items(cx, attribute, Place::Enum) {
            option(cx, &mut options, &item);
        }
    }
    options
}

fn option(cx: &Ctxt, options: &mut Options, item: &Item) {
    match item.attr.name {
        "name" => once(cx, &mut options.name, item, item.text(cx)),
        "rename_all" => once(cx, &mut options.rename_all, item, case(cx, item)),
        "crate" => once(cx, &mut options.krate, item, krate(cx, item)),
        other => unread(cx, item, other),
    }
}

fn variant(cx: &Ctxt, variant: &syn::Variant, case: Case) -> Option<Variant> {
    let name = plain(&variant.ident);
    if !matches!(variant.fields, Fields::Unit) {
        cx.error(
            variant,
            format!("`{name}` carries data: `#[derive(DbEnum)]` stores names only, see `#[orm(json)]`"),
        );
        return None;
    }
    Some(Variant {
        ident: variant.ident.clone(),
        label: label(cx, variant, case),
    })
}

/// How a variant is stored.
pub(crate) fn label(cx: &Ctxt, variant: &syn::Variant, case: Case) -> String {
    let mut rename = None;
    for attribute in variant
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("orm"))
    {
        for item in attr::items(cx, attribute, Place::Variant) {
            match item.attr.name {
                "rename" => once(cx, &mut rename, &item, item.text(cx)),
                other => unread(cx, &item, other),
            }
        }
    }
    let label = rename
        .as_ref()
        .map_or_else(|| case.apply(&plain(&variant.ident)), LitStr::value);
    if label.len() > MAX_BYTES {
        let place = rename.map_or_else(|| variant.ident.to_token_stream(), |text| text.to_token_stream());
        cx.error(
            place,
            format!(
                "this label has {} bytes, and {MAX_BYTES} is the most",
                label.len()
            ),
        );
    }
    label
}

pub(crate) fn unique_labels<'a>(cx: &Ctxt, variants: impl Iterator<Item = (&'a Ident, &'a str)> + Clone) {
    for (i, (ident, label)) in variants.clone().enumerate() {
        if let Some((first, _)) = variants.clone().take(i).find(|(_, other)| *other == label) {
            let first = plain(first);
            cx.error(ident, format!("`{label}` is already the label of `{first}`"));
        }
    }
}
