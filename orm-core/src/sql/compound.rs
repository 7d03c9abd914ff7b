//! INTERSECT ALL and EXCEPT ALL where the database has them without ALL only: equal rows are told apart by a number, and
//! then are rows of a set.

use crate::ast::types::type_of;
use crate::ast::{
    Expr, FromItem, Select, SetOp, SetOperation, Source, TableRef, Window, WindowCall, WindowFn, numbered,
};

/// The same rows without ALL, if there is one such operation and nothing else.
pub(crate) fn without_all(s: &Select) -> Option<Select> {
    let [SetOperation { op, all: true, query }] = &s.compound[..] else {
        return None;
    };
    if *op == SetOp::Union || !s.order.is_empty() {
        return None;
    }
    let mut left = s.clone();
    left.compound.clear();
    let (limit, offset) = (left.limit.take(), left.offset.take());
    let with = std::mem::take(&mut left.with);
    let mut told_apart = counted(left);
    told_apart.compound.push(SetOperation {
        op: *op,
        all: false,
        query: counted(query.clone()),
    });
    let mut outer = over(told_apart, s.columns.len());
    (outer.with, outer.limit, outer.offset) = (with, limit, offset);
    Some(outer)
}

/// A select of the first columns of a query.
fn over(query: Select, columns: usize) -> Select {
    let source = Source::fresh();
    let field = |(i, e): (usize, &Expr)| Expr::Field(source, numbered(i), type_of(e));
    let fields = query
        .columns
        .iter()
        .enumerate()
        .take(columns)
        .map(field)
        .collect();
    let item = FromItem::Query {
        columns: (0..query.columns.len()).map(numbered).collect(),
        query: Box::new(query),
        lateral: false,
    };
    let mut outer = Select::from(TableRef::unguarded(source, item));
    outer.columns = fields;
    outer
}

/// The rows with a number among those equal to them.
fn counted(query: Select) -> Select {
    let columns = query.columns.len();
    let mut select = over(query, columns);
    let number = WindowCall {
        function: WindowFn::RowNumber,
        window: Window {
            partition: select.columns.clone(),
            ..Window::default()
        },
    };
    select.columns.push(Expr::Window(Box::new(number)));
    select
}
