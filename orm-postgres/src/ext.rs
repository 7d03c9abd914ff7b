//! Operators on whatever is a text expression.

use orm_core::ast::{Expr as Node, TextOp};
use orm_core::query::{Expr, Filter, IntoExpr, Operand};
use orm_core::value::Text;

/// PostgreSQL's operators on texts, for functions that are generic over the expression. Columns and expressions have them as
/// methods of their own, without an import, and on every backend.
///
/// ```
/// use orm_core::query::{Filter, IntoExpr};
/// use orm_postgres::PgExt;
///
/// fn by_name<S>(name: impl IntoExpr<S, T = String>) -> Filter<S> {
///     name.iregex("^bob\\M")
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
