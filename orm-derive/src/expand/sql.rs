//! `sql!` as an expression.

use proc_macro2::TokenStream;
use quote::quote;

use crate::sql::{Piece, Sql};

/// The statement with its values bound.
pub(crate) fn sql(statement: &Sql) -> TokenStream {
    let parts = statement.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(::orm::private::RawPart::Text(#text)),
        Piece::Value(value) => quote!(::orm::private::raw_value(&#value)),
        Piece::List(list) => quote!(::orm::private::raw_list((#list).iter())),
    });
    quote!(::orm::private::RawSql::new(::orm::private::vec![#(#parts),*]))
}
