//! Full-text search.

use crate::ast::{Expr as Node, Search, SearchCall, SearchOp, Source};
use crate::model::{Model, Searchable};
use crate::query::{Col, Expr, Filter, Query};
use crate::value::Text;

/// The columns of a model with `#[orm(search(..))]`. What is looked for is written as in web search: words, all of which must
/// be there, `"phrases"`, `-words` that must not, and `or`. No text is an error.
///
/// ```
/// use orm_core::query::{Expr, Filter, SearchCols};
/// fn found<S>(post: impl SearchCols<S>) -> (Filter<S>, Expr<S, f64>) {
///     let text = r#"rust -orm "borrow checker""#;
///     (post.search(text), post.search_rank(text))
/// }
/// ```
pub trait SearchCols<S>: Copy {
    /// The table reference, and where its words are.
    #[doc(hidden)]
    fn searched(self) -> (Source, &'static Search);

    /// Whether the row is found by this text; false for one without words.
    fn search(self, text: impl Into<String>) -> Filter<S> {
        let (source, search) = self.searched();
        call(source, search, SearchOp::Matches, text.into())
    }
    /// How well the row is found by this text: the larger, the better; 0 where it is not found. The number itself is the
    /// database's own, so that it orders rows and means nothing elsewhere.
    fn search_rank(self, text: impl Into<String>) -> Expr<S, f64> {
        let (source, search) = self.searched();
        call(source, search, SearchOp::Rank, text.into())
    }
    /// A searched column with what was found between `<b>` and `</b>`. The text is not escaped.
    fn highlight<T: Text, K>(self, column: Col<S, T, K>, text: impl Into<String>) -> Expr<S, T> {
        let (source, search) = self.searched();
        let op = SearchOp::Highlight(&column.def().column);
        call(source, search, op, text.into())
    }
    /// An excerpt of a searched column, some 30 words around what was found, with that between `<b>` and `</b>`. Where it is
    /// cut is the database's choice.
    fn headline<T: Text, K>(self, column: Col<S, T, K>, text: impl Into<String>) -> Expr<S, T> {
        let (source, search) = self.searched();
        let op = SearchOp::Headline(&column.def().column);
        call(source, search, op, text.into())
    }
}

fn call<S, T>(source: Source, search: &'static Search, op: SearchOp, text: String) -> Expr<S, T> {
    let text = text.into();
    Expr::new(Node::Search(Box::new(SearchCall {
        source,
        search,
        op,
        text,
    })))
}

impl<M: Model, O> Query<M, O> {
    /// Only rows that are found by this text: words, all of which must be there,
    /// `"phrases"`, `-words` that must not, and `or`. As a condition it is `.filter(|p| p.search(text))`.
    pub fn search(self, text: impl Into<String>) -> Self
    where
        M: Searchable,
    {
        let text = text.into();
        let source = self.ast().root();
        let mut query = self;
        let found: Filter<M> = call(source, M::SEARCH, SearchOp::Matches, text);
        query.ast_mut().filter.push(found.into_node());
        query
    }
}
