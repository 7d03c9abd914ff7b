//! Queries as definitions of views.

use crate::ast::Select;
use crate::model::Model;
use crate::query::{Compound, Query};

/// A query that selects columns of the types `F`: what the rows of a view are.
#[diagnostic::on_unimplemented(
    message = "the query of the view does not select the columns of the view",
    label = "expected a query of rows `{F}`",
    note = "the columns stand in the order of the fields, each of its field's type"
)]
pub trait Defines<F> {
    /// The query.
    #[doc(hidden)]
    fn into_definition(self) -> Box<Select>;
}
#[diagnostic::do_not_recommend]
impl<M: Model, F> Defines<F> for Query<M, F> {
    fn into_definition(self) -> Box<Select> {
        self.into_ast()
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, F> Defines<F> for Compound<M, F> {
    fn into_definition(self) -> Box<Select> {
        self.into_ast()
    }
}

/// The query of a view, whose fields have the types `F`. For generated code.
#[doc(hidden)]
pub fn definition<F, Q: Defines<F>>(query: impl FnOnce() -> Q) -> Box<Select> {
    query().into_definition()
}
