//! `#[derive(Scalar)]`, as written.

use syn::{Data, DeriveInput, Fields, Ident, Path, Type};

use crate::attr::{self, Place};
use crate::ctxt::Ctxt;
use crate::parse::{krate, no_generics, once, plain, unread};

/// A struct around one column type.
pub(crate) struct Scalar {
    pub(crate) ident: Ident,
    pub(crate) krate: Option<Path>,
    pub(crate) inner: Type,
}

/// Reads and checks it.
pub(crate) fn scalar(cx: &Ctxt, input: &DeriveInput) -> Option<Scalar> {
    let inner = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
            _ => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    };
    let Some(inner) = inner else {
        let name = plain(&input.ident);
        let message =
            format!("`#[derive(Scalar)]` needs a struct around one column type: `struct {name}(String);`");
        cx.error(&input.ident, message);
        return None;
    };
    no_generics(cx, input, "Scalar");
    let mut path = None;
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("orm")) {
        for item in attr::items(cx, attribute, Place::Scalar) {
            match item.attr.name {
                "crate" => once(cx, &mut path, &item, krate(cx, &item)),
                other => unread(cx, &item, other),
            }
        }
    }
    Some(Scalar {
        ident: input.ident.clone(),
        krate: path,
        inner: inner.ty.clone(),
    })
}
