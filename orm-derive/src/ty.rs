//! What can be said about a type by its spelling. A macro sees no types, only their names, so everything here is
//! a convention that the generated code checks again through traits.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, PathSegment, Type};

/// The type in `Option<..>`.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    match arguments(ty, "Option")?.as_slice() {
        [inner] => Some(inner),
        _ => None,
    }
}

/// `Id<Model>` or `Id<Model, Key>`.
pub(crate) struct IdType<'a> {
    pub(crate) model: &'a Type,
    pub(crate) key: Option<&'a Type>,
}

pub(crate) fn id(ty: &Type) -> Option<IdType<'_>> {
    match arguments(ty, "Id")?.as_slice() {
        [model] => Some(IdType { model, key: None }),
        [model, key] => Some(IdType {
            model,
            key: Some(key),
        }),
        _ => None,
    }
}

/// The last word of a path without arguments: `Uuid` of `uuid::Uuid`.
pub(crate) fn word(ty: &Type) -> Option<String> {
    let segment = last(ty)?;
    segment.arguments.is_none().then(|| segment.ident.to_string())
}

pub(crate) fn is_integer(ty: &Type) -> bool {
    word(ty).is_some_and(|word| ["i16", "i32", "i64", "u8", "u16", "u32"].contains(&word.as_str()))
}

/// What `#[orm(version)]` takes.
pub(crate) fn is_version(ty: &Type) -> bool {
    let plain = word(ty).is_some_and(|w| ["i64", "Uuid", "Timestamp", "RowVersion"].contains(&w.as_str()));
    plain || arguments(ty, "DateTime").is_some()
}

pub(crate) fn is_reference(ty: &Type) -> bool {
    matches!(bare(ty), Type::Reference(_))
}

/// The type with `Self` written out, since the generated items have another `Self`.
pub(crate) fn without_self(ty: &Type, name: &Ident) -> Type {
    syn::parse2(replace_self(ty.to_token_stream(), name)).unwrap_or_else(|_| ty.clone())
}

pub(crate) fn replace_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Ident(word) if word == "Self" => {
                TokenTree::Ident(Ident::new(&name.to_string(), word.span()))
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace_self(group.stream(), name));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        })
        .collect()
}

/// Whether the word stands anywhere in it.
pub(crate) fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

fn arguments<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let segment = last(ty)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    if segment.ident != name {
        return None;
    }
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    types.collect()
}

fn last(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Looks through parentheses and the invisible groups of `macro_rules!`.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::ty::{id, is_integer, option, without_self, word};
    use quote::{ToTokens, format_ident};
    use syn::Type;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn spellings() {
        assert!(option(&ty("Option<String>")).is_some());
        assert!(option(&ty("::core::option::Option<Id<User>>")).is_some());
        assert!(option(&ty("Vec<String>")).is_none());
        assert!(id(&ty("orm::Id<User>")).is_some_and(|id| id.key.is_none()));
        assert!(id(&ty("Id<User, Uuid>")).is_some_and(|id| id.key.and_then(word).as_deref() == Some("Uuid")));
        assert_eq!(word(&ty("uuid::Uuid")).as_deref(), Some("Uuid"));
        assert_eq!(word(&ty("Vec<u8>")), None);
        assert!(is_integer(&ty("i64")) && !is_integer(&ty("f64")));
    }

    #[test]
    fn self_is_written_out() {
        let written = without_self(&ty("Option<Id<Self>>"), &format_ident!("User"));
        assert_eq!(
            written.to_token_stream().to_string(),
            ty("Option<Id<User>>").to_token_stream().to_string()
        );
    }
}
