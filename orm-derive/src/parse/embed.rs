//! `#[derive(Embed)]`, as written.

use syn::{DeriveInput, Ident, LitStr, Path, Visibility};

use crate::attr::{self, Item, Place};
use crate::ctxt::Ctxt;
use crate::name::Case;
use crate::parse::field::{self, Field};
use crate::parse::{case, krate, named_fields, once, unread};

/// A struct whose fields are columns of the models that embed it.
pub(crate) struct Embed {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) options: Options,
    pub(crate) fields: Vec<Field>,
}

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) prefix: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) krate: Option<Path>,
}

impl Embed {
    /// The column of a field, without the prefix.
    pub(crate) fn column(&self, field: &Field) -> String {
        let spelled = || {
            self.options
                .rename_all
                .map_or_else(|| field.name(), |case| case.apply(&field.name()))
        };
        field.attrs.column.as_ref().map_or_else(spelled, LitStr::value)
    }
}

/// Reads an embedded struct.
pub(crate) fn embed(cx: &Ctxt, input: &DeriveInput) -> Option<Embed> {
    let fields = named_fields(cx, input, "Embed")?;
    let mut options = Options::default();
    for attribute in input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("orm"))
    {
        for item in attr::items(cx, attribute, Place::Embed) {
            option(cx, &mut options, &item);
        }
    }
    for attribute in input
        .attrs
        .iter()
        .filter(|a| attr::RELATIONS.iter().any(|row| a.path().is_ident(row.name)))
    {
        cx.error(
            attribute.path(),
            "an embedded struct has no relations: put them on the model",
        );
    }
    let fields = fields
        .named
        .iter()
        .filter_map(|f| field::embedded(cx, &input.ident, f))
        .collect();
    Some(Embed {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        options,
        fields,
    })
}

fn option(cx: &Ctxt, options: &mut Options, item: &Item) {
    match item.attr.name {
        "prefix" => once(cx, &mut options.prefix, item, item.text(cx)),
        "rename_all" => once(cx, &mut options.rename_all, item, case(cx, item)),
        "crate" => once(cx, &mut options.krate, item, krate(cx, item)),
        other => unread(cx, item, other),
    }
}
