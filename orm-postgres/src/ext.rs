//! Operators that only PostgreSQL has.

use orm_core::ast::{Expr as Node, TextOp};
use orm_core::query::{Expr, Filter, IntoExpr, Operand};
use orm_core::value::Text;

/// Operators that only PostgreSQL has, on columns and expressions: `use orm::postgres::PgExt;` brings them into scope.
/// On another backend the query is an `Unsupported` error before anything is sent.
///
/// ```
/// use orm_core::query::{Col, Filter};
/// use orm_postgres::PgExt;
///
/// fn by_name<S>(name: Col<S, String>) -> Filter<S> {
///     name.ilike("ann%").or(name.iregex("^bob\\M"))
/// }
/// ```
pub trait PgExt<S>: IntoExpr<S> + Sized {
    /// `ILIKE`: a pattern of `%` and `_`, in any case; `\` escapes. `icontains` and its kind do the same with a text
    /// instead of a pattern, on every backend.
    fn ilike<R: Operand<S, String>>(self, pattern: R) -> Filter<S>
    where
        Self::T: Text,
    {
        text(TextOp::LikeNoCase, self, pattern)
    }
    /// `~`: a POSIX regular expression matches somewhere in the text, case-sensitively. One that is malformed is an
    /// error of the database.
    fn regex<R: Operand<S, String>>(self, pattern: R) -> Filter<S>
    where
        Self::T: Text,
    {
        text(TextOp::Regex, self, pattern)
    }
    /// `~*`: as [`regex`](PgExt::regex), in any case.
    fn iregex<R: Operand<S, String>>(self, pattern: R) -> Filter<S>
    where
        Self::T: Text,
    {
        text(TextOp::RegexNoCase, self, pattern)
    }
}
impl<S, X: IntoExpr<S>> PgExt<S> for X {}

fn text<S, X: IntoExpr<S>, R: Operand<S, String>>(op: TextOp, text: X, pattern: R) -> Filter<S> {
    let (text, pattern) = (text.into_expr().into_node(), pattern.into_node());
    Expr::from_node(Node::Text(op, Box::new(text), Box::new(pattern)))
}
