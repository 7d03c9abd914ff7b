//! `embed!`: the files of a folder as pairs of name and text. What they mean is read when the program runs.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr};

pub(crate) fn embed(input: TokenStream) -> syn::Result<TokenStream> {
    let folder: LitStr = syn::parse2(input).map_err(|e| {
        Error::new(
            e.span(),
            "expected the folder of the migrations, as `\"migrations\"`",
        )
    })?;
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let files = files(&root.join(folder.value())).map_err(|e| {
        let message = format!(
            "the folder cannot be read ({}): its path is relative to the crate's Cargo.toml",
            e.kind()
        );
        Error::new(folder.span(), message)
    })?;
    let files = files
        .iter()
        .map(|(name, path)| quote!((#name, ::core::include_str!(#path))));
    Ok(quote! {{
        const FILES: &[(&str, &str)] = &[#(#files),*];
        ::orm::private::Migrations::of(FILES.iter().copied())
    }})
}

fn files(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let (Some(name), Some(whole)) = (path.file_name().and_then(|n| n.to_str()), path.to_str())
            && (name.ends_with(".sql") || name.ends_with(".snap.json") || name == "migrations.lock")
        {
            files.push((name.to_owned(), whole.to_owned()));
        }
    }
    files.sort();
    Ok(files)
}
