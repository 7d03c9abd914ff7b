//! DISTINCT ON: the order that it asks for, and the same rows where the database lacks it, each the first by number among
//! those with its values.

use crate::ast::types::type_of;
use crate::ast::{
    CompareOp, Distinct, Expr, FromItem, Order, Select, Source, TableRef, Window, WindowCall, WindowFn,
    numbered,
};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Type, Value};

/// Which row is the first must not be left to chance: an order begins with what is told apart, as PostgreSQL asks for.
pub(crate) fn check(s: &Select) -> Result<()> {
    let Distinct::On(on) = &s.distinct else {
        return Ok(());
    };
    let is_told_apart = |o: &Order| on.iter().any(|e| same(s, e, &o.expr));
    let first = s.order.iter().take_while(|o| is_told_apart(o)).count();
    let all = on
        .iter()
        .all(|e| s.order[..first].iter().any(|o| same(s, e, &o.expr)));
    if first < s.order.len() && !all {
        let text = "the order of a query with `distinct_on` has to begin with what it is distinct on";
        return Err(Error::new(ErrorKind::InvalidQuery, text));
    }
    Ok(())
}

/// Whether two expressions of a select are one.
pub(crate) fn same(s: &Select, a: &Expr, b: &Expr) -> bool {
    let root = |source: Source| match source == Source::ROOT {
        true => s.root(),
        false => source,
    };
    match (a, b) {
        (Expr::Column(s, c), Expr::Column(t, d)) => std::ptr::eq(*c, *d) && root(*s) == root(*t),
        (a, b) => format!("{a:?}") == format!("{b:?}"),
    }
}

/// The same rows by numbers, if the select is one with DISTINCT ON and nothing around it.
pub(crate) fn without_on(s: &Select) -> Option<Select> {
    let Distinct::On(on) = &s.distinct else {
        return None;
    };
    if !s.compound.is_empty() {
        return None;
    }
    let mut inner = s.clone();
    inner.distinct = Distinct::No;
    let with = std::mem::take(&mut inner.with);
    let order = std::mem::take(&mut inner.order);
    let (limit, offset, lock) = (inner.limit.take(), inner.offset.take(), inner.lock.take());
    let number = WindowCall {
        function: WindowFn::RowNumber,
        window: Window {
            partition: on.clone(),
            order: order.clone(),
            ..Window::default()
        },
    };
    let selected = inner.columns.len();
    inner.columns.push(Expr::Window(Box::new(number)));
    inner.columns.extend(order.iter().map(|o| o.expr.clone()));
    let source = Source::fresh();
    let field = |i: usize| {
        Expr::Field(
            source,
            numbered(i),
            inner.columns.get(i).map_or(Type::I64, type_of),
        )
    };
    let columns = (0..selected).map(field).collect();
    let first = Expr::Compare(
        CompareOp::Eq,
        Box::new(field(selected)),
        Box::new(Expr::Value(Value::I64(1))),
    );
    let order = order
        .iter()
        .enumerate()
        .map(|(i, o)| Order {
            expr: field(selected + 1 + i),
            ..o.clone()
        })
        .collect();
    let item = FromItem::Query {
        columns: (0..inner.columns.len()).map(numbered).collect(),
        query: Box::new(inner),
        lateral: false,
    };
    let mut outer = Select::from(TableRef::unguarded(source, item));
    (outer.with, outer.columns, outer.filter) = (with, columns, vec![first]);
    (outer.order, outer.limit, outer.offset, outer.lock) = (order, limit, offset, lock);
    Some(outer)
}
