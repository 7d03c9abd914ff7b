//! Comparisons with the rows of queries.

use crate::ast::{CompareOp, Expr as Node, InList as NodeList, Quantifier, Select};
use crate::model::Model;
use crate::query::source::AnyQuery;
use crate::query::{Compound, InList, Operand, Phantom};
use crate::value::{Scalar, SqlType};

#[diagnostic::do_not_recommend]
impl<S, B: Scalar, M: Model> InList<S, B> for Compound<M, B> {
    fn into_list(self) -> NodeList {
        NodeList::Query(self.into_ast())
    }
}
#[diagnostic::do_not_recommend]
impl<S, B: Scalar, M: Model> InList<S, B> for Compound<M, Option<B>> {
    fn into_list(self) -> NodeList {
        NodeList::Query(self.into_ast())
    }
}

/// The rows of a query on the right of a comparison: made by [`any_row`] and [`all_rows`].
#[must_use = "it does nothing until something is compared with it"]
pub struct Quantified<T> {
    quantifier: Quantifier,
    query: Box<Select>,
    _p: Phantom<T>,
}

/// At least one row of the query: `price.gt(any_row(query))` is `price > ANY (SELECT ..)`, false without rows.
pub fn any_row<Q: AnyQuery<Row: SqlType>>(query: Q) -> Quantified<Q::Row> {
    Quantified::of(Quantifier::Any, query)
}
/// Every row of the query: `price.ge(all_rows(query))` is `price >= ALL (SELECT ..)`, true without rows. Where the query
/// has a NULL it is never true.
pub fn all_rows<Q: AnyQuery<Row: SqlType>>(query: Q) -> Quantified<Q::Row> {
    Quantified::of(Quantifier::All, query)
}

impl<T> Quantified<T> {
    fn of<Q: AnyQuery>(quantifier: Quantifier, query: Q) -> Self {
        Quantified {
            quantifier,
            query: query.into_select(),
            _p: std::marker::PhantomData,
        }
    }
}
#[diagnostic::do_not_recommend]
impl<S, B: Scalar, T: SqlType<Base = B>> Operand<S, B> for Quantified<T> {
    type Lift<L: SqlType> = Option<L::Base>;
    fn into_node(self) -> Node {
        // the comparison puts its operator and its left side here
        Node::Quantified(
            CompareOp::Eq,
            self.quantifier,
            Box::new(Node::Tuple(Vec::new())),
            self.query,
        )
    }
}
