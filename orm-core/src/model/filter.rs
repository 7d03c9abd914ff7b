//! Named filters: conditions of a model that hold wherever its rows are seen, until a query switches one off.

use crate::ast::Unfiltered;
use crate::model::Model;

/// A model with `#[orm(filter(..))]`. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no named filters: add `#[orm(filter(name = |row| ..))]` to it, or drop this call",
    label = "all rows of `{Self}` are seen"
)]
pub trait Filtered: Model {
    /// A struct with a field for each filter.
    type Filters;
    /// Its only value.
    const FILTERS: Self::Filters;
}

/// A named filter of `M`: a field of the argument of `.without_filter(|f| ..)`.
pub struct FilterRef<M> {
    position: usize,
    _p: std::marker::PhantomData<fn() -> M>,
}
impl<M> Clone for FilterRef<M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M> Copy for FilterRef<M> {}

impl<M> FilterRef<M> {
    /// The filter at this position. Called by generated code.
    pub const fn new(position: usize) -> Self {
        FilterRef {
            position,
            _p: std::marker::PhantomData,
        }
    }
    /// As what is switched off.
    pub(crate) const fn off(self) -> Unfiltered {
        Unfiltered::one(self.position)
    }
}
