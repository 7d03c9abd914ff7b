//! `sql!` as an expression.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Expr;

use crate::sql::{Piece, Sql};

/// The expression with its operands in place.
pub(crate) fn raw_expr(ty: &syn::Type, expression: &Sql) -> TokenStream {
    let parts = expression.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(::orm::private::RawOf::new(::orm::private::RawPart::Text(#text))),
        // an operator would apply to the reference
        Piece::Value(value @ (Expr::Binary(_) | Expr::Unary(_) | Expr::Cast(_))) => {
            quote!(::orm::private::raw_operand(&(#value)))
        }
        Piece::Value(value) => quote!(::orm::private::raw_operand(&#value)),
        Piece::List(list) => {
            quote!(::orm::private::RawOf::new(::orm::private::raw_list((#list).iter())))
        }
    });
    quote!(::orm::private::raw_expr::<_, #ty>(::orm::private::vec![#(#parts),*]))
}

/// The statement with its values bound.
pub(crate) fn sql(statement: &Sql) -> TokenStream {
    let parts = statement.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(::orm::private::RawPart::Text(#text)),
        Piece::Value(value) => quote!(::orm::private::raw_value(&#value)),
        Piece::List(list) => quote!(::orm::private::raw_list((#list).iter())),
    });
    quote!(::orm::private::RawSql::new(::orm::private::vec![#(#parts),*]))
}
