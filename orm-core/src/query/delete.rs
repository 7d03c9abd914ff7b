//! DELETE of all rows that meet a condition.

use crate::ast::{Expr as Node, Source};
use crate::model::Model;
use crate::query::Phantom;

/// Deletes all rows that meet a condition: softly where the model says so, else for good.
#[must_use = "a delete does nothing until `.exec(&db)`"]
pub struct DeleteWhere<M> {
    pub(crate) source: Source,
    pub(crate) filter: Vec<Node>,
    pub(crate) each: bool,
    _p: Phantom<M>,
}

impl<M: Model> DeleteWhere<M> {
    /// Reads the rows before the delete, for hooks of the model that need them (`Hooks::ROWS`). Without hooks it makes no
    /// difference.
    pub fn each(mut self) -> Self {
        self.each = true;
        self
    }
    pub(crate) fn new(filter: impl FnOnce(Source) -> Option<Node>) -> Self {
        let source = Source::fresh();
        DeleteWhere {
            source,
            filter: filter(source).into_iter().collect(),
            each: false,
            _p: std::marker::PhantomData,
        }
    }
}
