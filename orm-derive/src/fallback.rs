//! What a macro leaves behind when it found mistakes.
//!
//! The mistakes themselves come first. Without the items a correct input would have produced, every use of the
//! type would be another error that says nothing new.

use proc_macro2::TokenStream;
use syn::Error;

/// The mistakes of a derive.
pub(crate) fn derive(errors: &Error) -> TokenStream {
    errors.to_compile_error()
}

/// The mistakes of `sql!`, in the place of an expression.
pub(crate) fn expression(errors: &Error) -> TokenStream {
    let errors = errors.to_compile_error();
    quote::quote!({ #errors })
}
