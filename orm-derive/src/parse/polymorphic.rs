//! `#[derive(Polymorphic)]`, as written.

use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Visibility};

use crate::attr::{self, Place};
use crate::ctxt::Ctxt;
use crate::name::Case;
use crate::parse::db_enum::{label, unique_labels};
use crate::parse::{case, krate, no_generics, once, plain, unread};

/// An enum of models that a row may belong to.
pub(crate) struct Polymorphic {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) krate: Option<Path>,
    pub(crate) targets: Vec<Target>,
}

/// A variant with its model.
pub(crate) struct Target {
    pub(crate) ident: Ident,
    /// What a discriminator says of it.
    pub(crate) label: String,
    pub(crate) model: Path,
}

/// Reads and checks an enum: its rules are few and stay beside it.
pub(crate) fn polymorphic(cx: &Ctxt, input: &DeriveInput) -> Option<Polymorphic> {
    let name = plain(&input.ident);
    let Data::Enum(data) = &input.data else {
        cx.error(
            &input.ident,
            format!("`#[derive(Polymorphic)]` needs an enum of models, and `{name}` is none"),
        );
        return None;
    };
    no_generics(cx, input, "Polymorphic");
    let (mut spelling, mut path) = (None, None);
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("orm")) {
        for item in attr::items(cx, attribute, Place::Polymorphic) {
            match item.attr.name {
                "rename_all" => once(cx, &mut spelling, &item, case(cx, &item)),
                "crate" => once(cx, &mut path, &item, krate(cx, &item)),
                other => unread(cx, &item, other),
            }
        }
    }
    let spelling = spelling.unwrap_or(Case::Snake);
    let variants = data.variants.iter();
    let targets: Vec<Target> = variants.filter_map(|v| target(cx, v, spelling)).collect();
    if data.variants.is_empty() {
        cx.error(&input.ident, "an enum without variants names no model");
    }
    unique_labels(cx, targets.iter().map(|t| (&t.ident, t.label.as_str())));
    unique_models(cx, &targets);
    Some(Polymorphic {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        krate: path,
        targets,
    })
}

fn target(cx: &Ctxt, variant: &syn::Variant, case: Case) -> Option<Target> {
    let label = label(cx, variant, case);
    if let Fields::Unnamed(fields) = &variant.fields
        && let (1, Some(Type::Path(ty))) = (fields.unnamed.len(), fields.unnamed.first().map(|f| &f.ty))
        && ty.qself.is_none()
    {
        return Some(Target {
            ident: variant.ident.clone(),
            label,
            model: ty.path.clone(),
        });
    }
    let name = plain(&variant.ident);
    cx.error(variant, format!("a variant holds one model: `{name}({name})`"));
    None
}

fn unique_models(cx: &Ctxt, targets: &[Target]) {
    let word = |target: &Target| target.model.to_token_stream().to_string();
    for (i, target) in targets.iter().enumerate() {
        if let Some(first) = targets[..i].iter().find(|other| word(other) == word(target)) {
            let (model, first) = (word(target), plain(&first.ident));
            cx.error(
                &target.model,
                format!("`{model}` is already held by `{first}`: each model has one variant"),
            );
        }
    }
}
