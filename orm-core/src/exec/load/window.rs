//! A limit for each row above instead of one for all.

use crate::ast::{
    CompareOp, Expr as Node, FromItem, Nulls, Order, Select, Source, TableRef, Window, WindowCall, WindowFn,
};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::names::NAMES;
use crate::schema::Table;
use crate::sql::{Features, type_of};
use crate::value::{Type, Value};

/// With a limit, the first rows of each owner instead of the first rows of all.
pub(super) fn of_each(
    mut select: Box<Select>,
    owner: &[Node],
    table: &'static Table,
    features: &Features,
) -> Result<Box<Select>> {
    const NUMBER: &str = "row_number";
    let (limit, offset) = (select.limit.take(), select.offset.take());
    if limit.is_none() && offset.is_none() {
        // the order within each owner is all that shows; owner by owner an index may have it already
        if !select.order.is_empty() && features.lookups_in_order {
            let by_owner = owner.iter().map(|column| Order {
                expr: column.clone(),
                desc: false,
                // there are none: said as the database has them in an index
                nulls: if features.nulls_low {
                    Nulls::First
                } else {
                    Nulls::Last
                },
            });
            select.order.splice(0..0, by_owner);
        }
        return Ok(select);
    }
    let root = select.root();
    let mut order = std::mem::take(&mut select.order);
    // rows that the order leaves equal come as their keys do, or a limit would choose among them at random
    order.extend(table.key_columns().map(|c| Order {
        expr: Node::Column(root, &c.column),
        desc: false,
        nulls: Nulls::Default,
    }));
    let window = Window {
        partition: owner.to_vec(),
        order,
        ..Window::default()
    };
    let mut names = column_names(&select)?;
    let types: Vec<Type> = select.columns.iter().map(type_of).collect();
    let function = WindowFn::RowNumber;
    select
        .columns
        .push(Node::Window(Box::new(WindowCall { function, window })));
    let source = Source::fresh();
    let columns = names
        .iter()
        .zip(types)
        .map(|(name, ty)| Node::Field(source, name, ty))
        .collect();
    names.push(NUMBER);
    let item = FromItem::Query {
        query: select,
        columns: names,
        lateral: false,
    };
    let mut outer = Select::from(TableRef::unguarded(source, item));
    let number = || Box::new(Node::Field(source, NUMBER, Type::I64));
    let bound = |n: u64| Box::new(Node::Value(Value::I64(i64::try_from(n).unwrap_or(i64::MAX))));
    let offset = offset.unwrap_or(0);
    outer.columns = columns;
    if offset > 0 {
        outer
            .filter
            .push(Node::Compare(CompareOp::Gt, number(), bound(offset)));
    }
    if let Some(limit) = limit {
        let end = bound(offset.saturating_add(limit));
        outer.filter.push(Node::Compare(CompareOp::Le, number(), end));
    }
    outer.order.push(Order {
        expr: *number(),
        desc: false,
        nulls: Nulls::Default,
    });
    Ok(Box::new(outer))
}

/// A name for each column of a select that becomes a derived table.
fn column_names(select: &Select) -> Result<Vec<&'static str>> {
    let root = select.root();
    let (mut names, mut others) = (Vec::with_capacity(select.columns.len() + 1), NAMES.iter());
    for column in &select.columns {
        let own = match column {
            Node::Column(source, c) if *source == root && !names.contains(&c.name) => Some(c.name),
            _ => None,
        };
        let too_many = || {
            Error::new(
                ErrorKind::InvalidQuery,
                "more than 64 computed columns in a limited load",
            )
        };
        names.push(match own {
            Some(name) => name,
            None => others.next().ok_or_else(too_many)?,
        });
    }
    Ok(names)
}
