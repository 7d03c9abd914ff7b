//! The order that pages are cut from: the terms of the query, and keys behind them until no two rows are equal.

use crate::ast::{
    AggregateFn, CompareOp, Distinct, Expr as Node, FromItem, GroupBy, JoinKind, Nulls, Order, Select,
    Source, TableRef, renumber,
};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::key::{Cell, as_stored};
use crate::sql::type_of;
use crate::value::{Type, Value};

/// One expression of the order.
pub(super) struct Term {
    pub(super) expr: Node,
    pub(super) ty: Type,
    desc: bool,
    nulls_last: bool,
    nullable: bool,
}

/// Makes the order of the select total and says what it consists of.
pub(super) fn terms(select: &mut Select) -> Result<Vec<Term>> {
    check(select)?;
    let desc = select.order.last().is_some_and(|o| o.desc);
    for expr in ties(select)? {
        if !select.order.iter().any(|o| same(&o.expr, &expr)) {
            let nulls = Nulls::Default;
            select.order.push(Order { expr, desc, nulls });
        }
    }
    select.order.iter().map(|o| term(select, o)).collect()
}

#[cold]
fn invalid(text: &'static str) -> Error {
    Error::new(ErrorKind::InvalidQuery, text)
}

fn check(select: &Select) -> Result<()> {
    if select.limit.or(select.offset).is_some() {
        return Err(invalid(
            "a query with pages takes its limit and offset from `.page(..)`",
        ));
    }
    if !select.compound.is_empty() {
        return Err(invalid(
            "a union, an intersection or a difference has no pages: nothing in it identifies a row",
        ));
    }
    if matches!(select.distinct, Distinct::On(_)) {
        return Err(invalid("a query with DISTINCT ON has no pages"));
    }
    let aggregated = select.columns.iter().any(|c| matches!(c, Node::Aggregate(_)));
    if aggregated && select.group.is_empty() {
        return Err(invalid("one row of aggregates has no pages"));
    }
    Ok(())
}

/// What tells rows apart that are equal in the order.
fn ties(select: &Select) -> Result<Vec<Node>> {
    if !select.group.is_empty() {
        let key = |g: &GroupBy| match g {
            GroupBy::Expr(e) => Ok(copy(e)),
            GroupBy::Rollup(_) | GroupBy::Cube(_) | GroupBy::Sets(_) => {
                Err(invalid("groups of several levels have no pages"))
            }
        };
        return select.group.iter().map(key).collect();
    }
    if matches!(select.distinct, Distinct::Yes) {
        return Ok(select.columns.iter().map(copy).collect());
    }
    let mut keys = Vec::new();
    let from = select.from.iter().map(|t| (t, None));
    let joined = select.joins.iter().map(|j| (&j.table, Some(j)));
    for (table, join) in from.chain(joined) {
        let key = key_of(table)?;
        // a row that is found by its key is the same for all rows with that key
        let found = |join: &crate::ast::Join| {
            let by = |column: &Node| {
                join.on
                    .iter()
                    .any(|on| equals_elsewhere(on, column, table.source))
            };
            matches!(join.kind, JoinKind::Inner | JoinKind::Left) && key.iter().all(by)
        };
        if !join.is_some_and(found) {
            keys.extend(key);
        }
    }
    Ok(keys)
}

/// The columns of the primary key.
fn key_of(table: &TableRef) -> Result<Vec<Node>> {
    match &table.item {
        FromItem::Table(t) => match t.unique.first() {
            Some(key) => Ok(key.iter().map(|c| Node::Column(table.source, c)).collect()),
            None => Err(invalid(
                "a table without a key has no pages: nothing identifies a row",
            )),
        },
        FromItem::Query { .. }
        | FromItem::Cte(_)
        | FromItem::Common(_)
        | FromItem::Values { .. }
        | FromItem::Unnest { .. }
        | FromItem::Function { .. } => Err(invalid(
            "rows that are no table's have no pages: nothing identifies a row",
        )),
    }
}

/// `column = something of another table`.
fn equals_elsewhere(on: &Node, column: &Node, source: Source) -> bool {
    let Node::Compare(CompareOp::Eq, a, b) = on else {
        return false;
    };
    let other = |e: &Node| matches!(e, Node::Column(s, _) if *s != source);
    (same(a, column) && other(b)) || (same(b, column) && other(a))
}

/// Whether both are the same expression over the same table references.
fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Column(s, c), Node::Column(t, d)) => s == t && std::ptr::eq(*c, *d),
        (Node::Column(..), _) | (_, Node::Column(..)) => false,
        (a, b) => format!("{a:?}") == format!("{b:?}"),
    }
}

/// The expression once more, for another place of the statement: sub-queries in it are over rows of their own.
fn copy(expr: &Node) -> Node {
    if let Node::Column(source, column) = expr {
        return Node::Column(*source, column);
    }
    let mut select = Select::without_from();
    select.columns.push(expr.clone());
    renumber(&mut select);
    select.columns.pop().unwrap_or_else(Node::one)
}

fn term(select: &Select, order: &Order) -> Result<Term> {
    let Order { expr, desc, nulls } = order;
    let ty = type_of(expr);
    match expr {
        Node::Column(_, c) if c.sensitive => {
            let text = "pages are not ordered by a sensitive column, whose values their cursors would show";
            return Err(invalid(text).with_field(c.name));
        }
        Node::Window(_) => return Err(invalid("pages are not ordered by a window function")),
        _ => {}
    }
    if matches!(ty, Type::Json | Type::Interval | Type::Range(_) | Type::Array(_)) {
        return Err(invalid(
            "pages are not ordered by JSON, intervals, ranges or arrays",
        ));
    }
    Ok(Term {
        expr: copy(expr),
        ty,
        desc: *desc,
        nulls_last: match nulls {
            Nulls::Default => !desc,
            Nulls::First => false,
            Nulls::Last => true,
        },
        nullable: nullable(select, expr),
    })
}

/// Whether the expression may be NULL in a row; in doubt it may.
fn nullable(select: &Select, expr: &Node) -> bool {
    match expr {
        Node::Column(source, c) => {
            let always = |kind: JoinKind| matches!(kind, JoinKind::Inner | JoinKind::Cross);
            let plain = select.joins.iter().all(|j| match j.table.source == *source {
                true => always(j.kind),
                false => always(j.kind) || j.kind == JoinKind::Left,
            });
            c.nullable || c.part > 0 || !plain
        }
        Node::Aggregate(a) => a.function != AggregateFn::Count,
        Node::Exists(_) | Node::IsNull(..) | Node::IsTrue(_) => false,
        _ => true,
    }
}

/// Where the select has the values of the terms; they are added where it lacks them.
pub(super) fn cells(select: &mut Select, terms: &[Term]) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(terms.len());
    for term in terms {
        let at = select.columns.iter().position(|c| same(c, &term.expr));
        let at = at.unwrap_or_else(|| {
            select.columns.push(copy(&term.expr));
            select.columns.len() - 1
        });
        cells.push((at, term.ty));
    }
    cells
}

/// The order from its end.
pub(super) fn reverse(select: &mut Select, terms: &mut [Term]) {
    for order in &mut select.order {
        order.desc = !order.desc;
        order.nulls = match order.nulls {
            Nulls::Default => Nulls::Default,
            Nulls::First => Nulls::Last,
            Nulls::Last => Nulls::First,
        };
    }
    for term in terms {
        term.desc = !term.desc;
        term.nulls_last = !term.nulls_last;
    }
}

/// Only rows behind these values in the order, or also the row with them.
pub(super) fn restrict(select: &mut Select, terms: &[Term], values: Vec<Option<Value>>, inclusive: bool) {
    let condition = behind(terms, &values, inclusive);
    match select.group.is_empty() {
        true => select.filter.push(condition),
        false => select.having.push(condition),
    }
}

fn behind(terms: &[Term], values: &[Option<Value>], inclusive: bool) -> Node {
    let exact = terms.iter().all(|t| !t.nullable) && values.iter().all(Option::is_some);
    let desc = terms.first().is_some_and(|t| t.desc);
    if exact && terms.iter().all(|t| t.desc == desc) {
        let mut row: Vec<Node> = terms.iter().map(|t| copy(&t.expr)).collect();
        let mut bound: Vec<Node> = terms.iter().zip(values).map(|(t, v)| value(t, v)).collect();
        let op = beyond(desc, inclusive);
        return match (row.len(), row.pop(), bound.pop()) {
            (1, Some(column), Some(value)) => compare(op, column, value),
            (_, column, value) => {
                row.extend(column);
                bound.extend(value);
                compare(op, Node::Tuple(row), Node::Tuple(bound))
            }
        };
    }
    let mut arms = Vec::with_capacity(terms.len() + 1);
    let mut equal: Vec<Node> = Vec::new();
    for (term, v) in terms.iter().zip(values) {
        if let Some(further) = further(term, v) {
            let mut arm: Vec<Node> = equal.iter().map(copy).collect();
            arm.push(further);
            arms.push(Node::All(arm));
        }
        equal.push(match v {
            Some(_) => compare(CompareOp::Eq, copy(&term.expr), value(term, v)),
            None => Node::IsNull(Box::new(copy(&term.expr)), false),
        });
    }
    if inclusive {
        arms.push(Node::All(equal));
    }
    let any = Node::Any(arms);
    match (terms.first(), values.first()) {
        // says nothing new, and an index can begin there
        (Some(term), Some(v @ Some(_))) if !term.nullable && terms.len() > 1 => {
            let from = compare(beyond(term.desc, true), copy(&term.expr), value(term, v));
            Node::All(vec![from, any])
        }
        _ => any,
    }
}

/// The rows that differ from the value in this term, behind it; `None` when there can be none.
fn further(term: &Term, v: &Option<Value>) -> Option<Node> {
    let is_null = |not: bool| Node::IsNull(Box::new(copy(&term.expr)), not);
    match v {
        None if term.nulls_last => None,
        None => Some(is_null(true)),
        Some(_) => {
            let further = compare(beyond(term.desc, false), copy(&term.expr), value(term, v));
            Some(match term.nullable && term.nulls_last {
                true => Node::Any(vec![further, is_null(false)]),
                false => further,
            })
        }
    }
}

fn beyond(desc: bool, inclusive: bool) -> CompareOp {
    match (desc, inclusive) {
        (false, false) => CompareOp::Gt,
        (false, true) => CompareOp::Ge,
        (true, false) => CompareOp::Lt,
        (true, true) => CompareOp::Le,
    }
}

fn compare(op: CompareOp, a: Node, b: Node) -> Node {
    Node::Compare(op, Box::new(a), Box::new(b))
}

fn value(term: &Term, v: &Option<Value>) -> Node {
    let null = || Value::Null(term.ty);
    Node::Value(v.clone().map_or_else(null, |v| as_stored(term.ty, v)))
}
