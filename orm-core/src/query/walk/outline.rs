//! The rows of a walk in the order of an outline: each behind the one above, siblings in their order.

use crate::ast::{
    CompareOp, Cte, Expr as Node, FromItem, MathOp, Order, Select, SetOp, SetOperation, Source, TableRef,
    Window, WindowCall, WindowFn,
};
use crate::model::{Path, Rel};
use crate::query::walk::node::{
    ascending, columns, compare, cte, depth, equal, inner, label_above, math, names_of, number, plain,
    recursive,
};
use crate::query::walk::{
    DEPTH, FIRST, PLACE, PLACED, RANK, RANKED, REACHED, Reached, UNWRITTEN, WAY, Walk, WalkOrder,
};
use crate::relation::label_is;
use crate::schema::{Column, RelationKind};
use crate::value::{Type, Value};

impl<R: Rel> Walk<R> {
    /// The rows with their places in an outline: the ranks of the rows above and of their own, one behind the other.
    pub(super) fn placed(
        &self,
        mut ctes: Vec<Cte>,
        siblings: Vec<Order>,
        paths: bool,
    ) -> (Box<Select>, Reached) {
        let linked = self.linked();
        let key: Vec<_> = self.table().key_columns().collect();
        let paths = paths && key.iter().all(|c| Path::<R::Child>::holds(c.column.ty));
        ctes.push(self.ranked(&linked, &key, siblings));
        ctes.push(self.places(&linked, &key, paths));
        let end = match R::DEF.kind {
            // upwards several starts lead to one row: the first of its places is its place
            RelationKind::BelongsTo => {
                ctes.push(first_place(&key, paths));
                FIRST
            }
            RelationKind::HasOne | RelationKind::HasMany | RelationKind::ManyToMany => PLACED,
        };
        // the order of siblings, and what it refers to, is in the ranks
        let (mut select, _) = self.joined_as(Source::fresh(), ctes, end);
        let places = select.joins.last().map_or(Source::ROOT, |join| join.table.source);
        if end == FIRST
            && let Some(join) = select.joins.last_mut()
        {
            let rank = Node::Column(places, &RANK);
            join.on.push(compare(CompareOp::Eq, rank, number("1")));
        }
        if !self.include_start {
            let below = compare(CompareOp::Gt, depth(places), number("0"));
            select.filter.push(below);
        }
        let place = || ascending(Node::Column(places, &PLACE));
        match self.order {
            WalkOrder::None => {}
            WalkOrder::Breadth => select.order.extend([ascending(depth(places)), place()]),
            WalkOrder::Depth => select.order.push(place()),
        }
        let path = match paths {
            true => Node::Column(places, &WAY),
            false => Node::Value(Value::Refused(UNWRITTEN)),
        };
        let depth = depth(places);
        (select, Reached { depth, path })
    }

    /// The rows that were reached, numbered in the order of siblings.
    pub(super) fn ranked(
        &self,
        linked: &[&'static Column],
        key: &[&'static Column],
        siblings: Vec<Order>,
    ) -> Cte {
        let reached = Source::fresh();
        let mut select = Select::from(TableRef::unguarded(
            self.root,
            FromItem::Table(&self.table().table),
        ));
        let on = equal(columns(key, reached), columns(key, self.root));
        select.joins.push(inner(cte(REACHED, reached), on));
        select.columns = columns(linked, self.root);
        select.columns.push(depth(reached));
        let mut order = siblings;
        order.extend(columns(key, self.root).into_iter().map(ascending));
        select.columns.push(row_number(Vec::new(), order));
        let mut names = names_of(linked);
        names.extend([DEPTH.name, RANK.name]);
        plain(RANKED, names, select)
    }

    /// From the starts down, each row behind the one that it was reached from.
    pub(super) fn places(&self, linked: &[&'static Column], key: &[&'static Column], paths: bool) -> Cte {
        let (top, row, above) = (Source::fresh(), Source::fresh(), Source::fresh());
        let mut select = Select::from(cte(RANKED, top));
        select.columns = columns(linked, top);
        select
            .columns
            .extend([depth(top), fixed_width(Node::Column(top, &RANK))]);
        select
            .columns
            .extend(paths.then(|| Path::<R::Child>::written(columns(key, top))));
        select
            .filter
            .push(compare(CompareOp::Eq, depth(top), number("0")));
        let mut next = Select::from(cte(RANKED, row));
        let mut on = equal(
            columns(&(R::DEF.child)(), row),
            columns(&(R::DEF.parent)(), above),
        );
        let below = math(MathOp::Add, depth(above), number("1"));
        on.push(compare(CompareOp::Eq, depth(row), below));
        on.extend(label_above(R::DEF).map(|label| label_is(above, label)));
        next.joins.push(inner(cte(PLACED, above), on));
        next.columns = columns(linked, row);
        next.columns.push(depth(row));
        let behind = |column, own| math(MathOp::Concat, Node::Column(above, column), own);
        next.columns
            .push(behind(&PLACE, fixed_width(Node::Column(row, &RANK))));
        next.columns
            .extend(paths.then(|| behind(&WAY, Path::<R::Child>::written(columns(key, row)))));
        select.compound.push(SetOperation {
            op: SetOp::Union,
            all: true,
            query: next,
        });
        let mut names = names_of(linked);
        names.extend([DEPTH.name, PLACE.name]);
        names.extend(paths.then_some(WAY.name));
        recursive(PLACED, names, select)
    }

    /// The columns of a row that its place is found by: its key, and both ends of the relation.
    pub(super) fn linked(&self) -> Vec<&'static Column> {
        let mut linked = self.carried();
        for link in (R::DEF.child)() {
            if !linked.iter().any(|c| std::ptr::eq(*c, link)) {
                linked.push(link);
            }
        }
        linked
    }
}

/// Of several places of one row the first.
pub(super) fn first_place(key: &[&'static Column], paths: bool) -> Cte {
    let placed = Source::fresh();
    let mut select = Select::from(cte(PLACED, placed));
    select.columns = columns(key, placed);
    select.columns.push(depth(placed));
    let mut names = names_of(key);
    names.push(DEPTH.name);
    for column in [Some(&PLACE), paths.then_some(&WAY)].into_iter().flatten() {
        select.columns.push(Node::Column(placed, column));
        names.push(column.name);
    }
    let by_place = vec![ascending(Node::Column(placed, &PLACE))];
    select.columns.push(row_number(columns(key, placed), by_place));
    names.push(RANK.name);
    plain(FIRST, names, select)
}

pub(super) fn row_number(partition: Vec<Node>, order: Vec<Order>) -> Node {
    let window = Window {
        partition,
        order,
        ..Window::default()
    };
    let function = WindowFn::RowNumber;
    Node::Window(Box::new(WindowCall { function, window }))
}

/// A rank as text that is ordered as the number: ten digits.
pub(super) fn fixed_width(rank: Node) -> Node {
    let ten_digits = math(MathOp::Add, rank, number("1000000000"));
    Node::Cast(Box::new(ten_digits), Type::Text)
}
