//! From a relation to conditions and joins.

use crate::ast::{
    Aggregate, AggregateFn, CompareOp, Expr as Node, FromItem, Guard, Join, JoinKind, Select, Source, Table,
    TableRef, Unfiltered,
};
use crate::query::related_table;
use crate::schema::{Column, Label, RelationDef, RelationKind, Through};
use crate::value::Value;

/// `left.a = right.b AND …`, column by column.
fn equal(left: Source, a: &[&'static Column], right: Source, b: &[&'static Column]) -> Vec<Node> {
    let pair = |(a, b): (&&'static Column, &&'static Column)| {
        let (l, r) = (Node::Column(left, &a.column), Node::Column(right, &b.column));
        Node::Compare(CompareOp::Eq, Box::new(l), Box::new(r))
    };
    a.iter().zip(b).map(pair).collect()
}

fn through_table(through: &Through, source: Source) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&(through.table)().table),
        guard: Guard::default(),
    }
}

/// The joins that bring in the related rows of `parent` as `child`.
pub(crate) fn joins(
    def: &'static RelationDef,
    parent: Source,
    child: Source,
    kind: JoinKind,
    unfiltered: Unfiltered,
) -> Vec<Join> {
    let seen_as = |source: Source| {
        let mut related = related_table(def, source);
        related.guard.unfiltered = related.guard.unfiltered.and(unfiltered);
        related
    };
    let related = seen_as(child);
    match &def.through {
        None => {
            let mut on = equal(child, &(def.child)(), parent, &(def.parent)());
            on.extend(labelled(def, parent, child));
            vec![Join {
                kind,
                table: related,
                on,
            }]
        }
        Some(through) => {
            let via = Source::fresh();
            let mut to_via = equal(via, &(through.parent)(), parent, &(def.parent)());
            // what all rows of the other side are kept of comes last: a link alone is no row
            let kind_of_via = match kind {
                JoinKind::Right => JoinKind::Inner,
                JoinKind::Full => JoinKind::Left,
                JoinKind::Inner | JoinKind::Left | JoinKind::Cross => kind,
            };
            if kind_of_via == JoinKind::Left && may_be_hidden(&related) {
                // a link to a row that is hidden would else be a further row of NULLs
                to_via.push(leads_somewhere(def, through, via, seen_as(Source::fresh())));
            }
            let to_child = equal(child, &(def.child)(), via, &(through.child)());
            vec![
                Join {
                    kind: kind_of_via,
                    table: through_table(through, via),
                    on: to_via,
                },
                Join {
                    kind,
                    table: related,
                    on: to_child,
                },
            ]
        }
    }
}

fn may_be_hidden(t: &TableRef) -> bool {
    let may = |table: &'static Table| {
        table.soft_delete.is_some()
            || table.tenant.is_some()
            || table.filters_but(t.guard.unfiltered).next().is_some()
    };
    matches!(t.item, FromItem::Table(table) if may(table))
}

/// The row of the join table leads to a row that can be seen.
fn leads_somewhere(def: &'static RelationDef, through: &Through, via: Source, related: TableRef) -> Node {
    let seen = related.source;
    let mut select = Select::from(related);
    select.columns.push(Node::one());
    select.filter = equal(seen, &(def.child)(), via, &(through.child)());
    Node::Exists(Box::new(select))
}

/// The related rows of the outer row `parent`, for a sub-query.
pub(crate) fn related_to(def: &'static RelationDef, parent: Source, child: Source) -> Select {
    let parents: Vec<Node> = (def.parent)()
        .into_iter()
        .map(|c| Node::Column(parent, &c.column))
        .collect();
    let mut select = related_rows(def, child, parents);
    if def.kind == RelationKind::BelongsTo {
        select.filter.extend(labelled(def, parent, child));
    }
    select
}

/// The row that holds the foreign key says that it refers to this model.
fn labelled(def: &'static RelationDef, parent: Source, child: Source) -> Option<Node> {
    let source = match def.kind {
        RelationKind::BelongsTo => parent,
        RelationKind::HasOne | RelationKind::HasMany | RelationKind::ManyToMany => child,
    };
    def.label().map(|label| label_is(source, label))
}

/// The discriminator has this label.
pub(crate) fn label_is(source: Source, label: Label) -> Node {
    let column = Box::new(Node::Column(source, &(label.column)().column));
    let label = Box::new(Node::Value(Value::Str(label.value)));
    Node::Compare(CompareOp::Eq, column, label)
}

/// The related rows of a row whose compared columns have these values.
pub(crate) fn related_rows(def: &'static RelationDef, child: Source, parents: Vec<Node>) -> Select {
    let mut select = Select::from(related_table(def, child));
    for (column, value) in owner(def, &mut select).into_iter().zip(parents) {
        let (column, value) = (Box::new(column), Box::new(value));
        select.filter.push(Node::Compare(CompareOp::Eq, column, value));
    }
    select
}

/// How many rows the select has.
pub(crate) fn counted(mut select: Select) -> Node {
    select.columns.push(Node::Aggregate(Box::new(Aggregate {
        function: AggregateFn::Count,
        args: Vec::new(),
        distinct: false,
        filter: None,
        order: Vec::new(),
    })));
    Node::Subquery(Box::new(select))
}

/// The columns, in a select of related rows, that say whose they are; a join table is joined for them.
pub(crate) fn owner(def: &'static RelationDef, select: &mut Select) -> Vec<Node> {
    let child = select.root();
    if def.kind != RelationKind::BelongsTo {
        select.filter.extend(labelled(def, child, child));
    }
    let (source, columns) = match &def.through {
        None => (child, (def.child)()),
        Some(through) => (via(through, def, child, select), (through.parent)()),
    };
    columns
        .into_iter()
        .map(|c| Node::Column(source, &c.column))
        .collect()
}

/// Joins the join table to the related rows.
fn via(through: &Through, def: &'static RelationDef, child: Source, select: &mut Select) -> Source {
    let via = Source::fresh();
    select.joins.push(Join {
        kind: JoinKind::Inner,
        table: through_table(through, via),
        on: equal(via, &(through.child)(), child, &(def.child)()),
    });
    via
}
