//! Pieces of the statements of walks.

use crate::ast::{
    Aggregate, AggregateFn, CompareOp, Cte, Expr as Node, FromItem, Join, JoinKind, MathOp, Nulls, Order,
    RawPart, Select, Source, Statement, TableRef,
};
use crate::query::walk::DEPTH;
use crate::schema::{Column, Label, RelationDef, RelationKind};
use crate::value::Type;

/// On the way up a polymorphic association: what the row says of the model that it belongs to.
pub(super) fn label_above(def: &RelationDef) -> Option<Label> {
    def.label().filter(|_| def.kind == RelationKind::BelongsTo)
}

pub(super) fn columns(list: &[&'static Column], source: Source) -> Vec<Node> {
    list.iter().map(|c| Node::Column(source, &c.column)).collect()
}

pub(super) fn names_of(list: &[&'static Column]) -> Vec<&'static str> {
    list.iter().map(|c| c.column.name).collect()
}

/// Columns of a common table expression that hold keys under names of their own.
pub(super) fn fields(names: &[&'static str], key: &[&'static Column], source: Source) -> Vec<Node> {
    let field = |(name, c): (&&'static str, &&'static Column)| Node::Field(source, name, c.column.ty);
    names.iter().zip(key).map(field).collect()
}

pub(super) fn depth(source: Source) -> Node {
    Node::Column(source, &DEPTH)
}

pub(super) fn nearest(source: Source) -> Node {
    Node::Aggregate(Box::new(Aggregate {
        function: AggregateFn::Min,
        args: vec![depth(source)],
        distinct: false,
        filter: None,
        order: Vec::new(),
    }))
}

/// A number in the text: it takes the type of what it stands beside.
pub(super) fn number(n: &'static str) -> Node {
    Node::Raw(vec![RawPart::Text(n)], Type::I32)
}

pub(super) fn math(op: MathOp, a: Node, b: Node) -> Node {
    Node::Math(op, Box::new(a), Box::new(b))
}

pub(super) fn inner(table: TableRef, on: Vec<Node>) -> Join {
    let kind = JoinKind::Inner;
    Join { kind, table, on }
}

pub(super) fn compare(op: CompareOp, a: Node, b: Node) -> Node {
    Node::Compare(op, Box::new(a), Box::new(b))
}

pub(super) fn equal(a: Vec<Node>, b: Vec<Node>) -> Vec<Node> {
    let pairs = a.into_iter().zip(b);
    pairs.map(|(a, b)| compare(CompareOp::Eq, a, b)).collect()
}

pub(super) fn not_all(mut equal: Vec<Node>) -> Node {
    match equal.len() {
        1 => match equal.remove(0) {
            Node::Compare(_, a, b) => Node::Compare(CompareOp::Ne, a, b),
            other => Node::Not(Box::new(other)),
        },
        _ => Node::Not(Box::new(Node::All(equal))),
    }
}

pub(crate) fn ascending(expr: Node) -> Order {
    Order {
        expr,
        desc: false,
        nulls: Nulls::Default,
    }
}

pub(super) fn cte(name: &'static str, source: Source) -> TableRef {
    TableRef::unguarded(source, FromItem::Cte(name))
}

pub(super) fn plain(name: &'static str, columns: Vec<&'static str>, select: Select) -> Cte {
    Cte {
        name,
        columns,
        body: Statement::Select(Box::new(select)),
        recursive: false,
        materialized: None,
    }
}

pub(super) fn recursive(name: &'static str, columns: Vec<&'static str>, select: Select) -> Cte {
    Cte {
        recursive: true,
        ..plain(name, columns, select)
    }
}
