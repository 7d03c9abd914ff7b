//! DELETE of all rows that meet a condition.

use crate::ast::{Expr as Node, Source, Unfiltered};
use crate::model::{FilterRef, Filtered, Model};
use crate::query::Phantom;

/// Deletes all rows that meet a condition: softly where the model says so, else for good.
#[must_use = "a delete does nothing until `.exec(&db)`"]
pub struct DeleteWhere<M> {
    pub(crate) source: Source,
    pub(crate) filter: Vec<Node>,
    pub(crate) each: bool,
    pub(crate) unfiltered: Unfiltered,
    _p: Phantom<M>,
}

impl<M: Model> DeleteWhere<M> {
    /// Reads the rows before the delete, for hooks of the model that need them (`Hooks::ROWS`). Without hooks it makes no
    /// difference.
    pub fn each(mut self) -> Self {
        self.each = true;
        self
    }
    /// Rows that do not meet this named filter of the model as well.
    pub fn without_filter(mut self, f: impl FnOnce(M::Filters) -> FilterRef<M>) -> Self
    where
        M: Filtered,
    {
        self.unfiltered = self.unfiltered.and(f(M::FILTERS).off());
        self
    }
    /// All rows, whether or not they meet the named filters of the model.
    pub fn without_filters(mut self) -> Self
    where
        M: Filtered,
    {
        self.unfiltered = Unfiltered::ALL;
        self
    }
    pub(crate) fn from_parts(source: Source, filter: Vec<Node>, each: bool, unfiltered: Unfiltered) -> Self {
        DeleteWhere {
            source,
            filter,
            each,
            unfiltered,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn new(filter: impl FnOnce(Source) -> Option<Node>) -> Self {
        let source = Source::fresh();
        DeleteWhere {
            source,
            filter: filter(source).into_iter().collect(),
            each: false,
            unfiltered: Unfiltered::NONE,
            _p: std::marker::PhantomData,
        }
    }
}
