//! The recursion of a walk: keys and depths, and the way back from an end.

use crate::ast::{
    CompareOp, Cte, Distinct, Expr as Node, FromItem, GroupBy, InList, MathOp, Select, SetOp, SetOperation,
    Source, TableRef,
};
use crate::model::Rel;
use crate::query::related_table;
use crate::query::walk::node::{
    ascending, columns, compare, cte, depth, equal, fields, inner, label_above, math, names_of, nearest,
    not_all, number, recursive,
};
use crate::query::walk::{DEPTH, MARKS, NEAR, PATH, WALK, Walk};
use crate::relation::{label_is, owner};
use crate::schema::Column;
use crate::value::Value;

impl<R: Rel> Walk<R> {
    /// The columns of a row that the walk carries: its key, and those that lead on.
    pub(super) fn carried(&self) -> Vec<&'static Column> {
        let mut carried: Vec<_> = self.table().key_columns().collect();
        let label = label_above(R::DEF).map(|label| (label.column)());
        for link in (R::DEF.parent)().into_iter().chain(label) {
            if !carried.iter().any(|c| std::ptr::eq(*c, link)) {
                carried.push(link);
            }
        }
        carried
    }

    /// Keys and depths, by recursion that does not go beyond the end, where one is given.
    pub(super) fn recursion(&self, end: Option<Vec<Value>>) -> Cte {
        let key: Vec<_> = self.table().key_columns().collect();
        let carried = self.carried();
        let mut names = names_of(&carried);
        names.push(DEPTH.name);
        let mut select = self.anchor(&key);
        let start = select.root();
        select.columns = columns(&carried, start);
        select.columns.push(number("0"));
        if !self.over_join_table() {
            names.extend(MARKS.iter().take(key.len()));
            select.columns.extend(columns(&key, start));
        }
        select.compound.push(SetOperation {
            op: SetOp::Union,
            all: !self.over_join_table(),
            query: self.next(&key, &carried, end),
        });
        recursive(WALK, names, select)
    }

    /// One step of the recursion.
    pub(super) fn next(
        &self,
        key: &[&'static Column],
        carried: &[&'static Column],
        end: Option<Vec<Value>>,
    ) -> Select {
        let walk = Source::fresh();
        // from the rows themselves, so that a condition made outside of a closure means them
        let mut rows = related_table(R::DEF, self.step);
        rows.guard.deleted = self.deleted;
        rows.guard.unfiltered = self.unfiltered;
        let mut next = Select::from(rows);
        let on = owner(R::DEF, &mut next);
        let on = equal(on, columns(&(R::DEF.parent)(), walk));
        next.joins.push(inner(cte(WALK, walk), on));
        next.filter
            .extend(label_above(R::DEF).map(|label| label_is(walk, label)));
        next.columns = columns(carried, self.step);
        next.columns.push(match self.counts() {
            true => math(MathOp::Add, depth(walk), number("1")),
            false => number("1"),
        });
        if !self.over_join_table() {
            let passed = fields(&MARKS, key, walk);
            let met = equal(columns(key, self.step), passed.clone());
            next.filter.push(not_all(met));
            next.columns.extend(moved(columns(key, walk), passed, walk));
        }
        if let Some(end) = end {
            let there = end.into_iter().map(Node::Value).collect();
            next.filter.push(not_all(equal(columns(key, walk), there)));
        }
        next.filter.extend(self.through.iter().cloned());
        if let Some(max) = self.max_depth {
            let max = Node::Value(Value::I32(i32::try_from(max).unwrap_or(i32::MAX)));
            next.filter.push(compare(CompareOp::Lt, depth(walk), max));
        }
        next
    }

    /// From the end, each row to one of the depth before that leads to it.
    pub(super) fn way_back(&self, key: &[&'static Column], end: Vec<Value>) -> Select {
        let (last, path) = (Source::fresh(), Source::fresh());
        let mut back = Select::from(cte(NEAR, last));
        back.columns = columns(key, last);
        back.columns.push(depth(last));
        back.filter = equal(columns(key, last), end.into_iter().map(Node::Value).collect());
        let mut step = Select::from(cte(PATH, path));
        step.columns = key.iter().map(|c| self.before(key, c, path)).collect();
        step.columns.push(math(MathOp::Sub, depth(path), number("1")));
        step.filter.push(compare(CompareOp::Gt, depth(path), number("0")));
        back.compound.push(SetOperation {
            op: SetOp::Union,
            all: true,
            query: step,
        });
        back
    }

    /// A column of the first row, by its key, that leads to this one on a shortest way. A sub-query, for it is asked for
    /// few rows: a join would look for the rows before all that were reached.
    pub(super) fn before(&self, key: &[&'static Column], column: &'static Column, path: Source) -> Node {
        let (row, near) = (Source::fresh(), Source::fresh());
        let mut select = Select::from(TableRef::unguarded(row, FromItem::Table(&self.table().table)));
        let from = equal(owner(R::DEF, &mut select), columns(&(R::DEF.parent)(), near));
        select.joins.push(inner(cte(NEAR, near), from));
        select.columns.push(Node::Column(near, &column.column));
        select.filter.extend(equal(columns(key, row), columns(key, path)));
        select
            .filter
            .extend(label_above(R::DEF).map(|label| label_is(near, label)));
        let one_less = math(MathOp::Sub, depth(path), number("1"));
        select.filter.push(compare(CompareOp::Eq, depth(near), one_less));
        select.order = columns(key, near).into_iter().map(ascending).collect();
        select.limit = Some(1);
        Node::Subquery(Box::new(select))
    }

    /// The rows to start from, as a select that another one can follow by UNION.
    pub(super) fn anchor(&self, key: &[&'static Column]) -> Select {
        let mut start = self.start.clone();
        start.lock = None;
        let plain = start.with.is_empty()
            && start.compound.is_empty()
            && start.group.is_empty()
            && start.limit.is_none()
            && start.offset.is_none()
            && matches!(start.distinct, Distinct::No);
        if plain {
            start.order.clear();
            return *start;
        }
        start.columns = columns(key, start.root());
        let source = Source::fresh();
        let mut select = Select::from(TableRef::unguarded(source, FromItem::Table(&self.table().table)));
        let mut own = columns(key, source);
        let own = match own.len() {
            1 => own.remove(0),
            _ => Node::Tuple(own),
        };
        select
            .filter
            .push(Node::In(Box::new(own), Box::new(InList::Query(start))));
        select
    }
}

/// Each row of the walk once, with its least depth.
pub(super) fn nearest_of(carried: &[&'static Column]) -> Select {
    let walk = Source::fresh();
    let mut select = Select::from(cte(WALK, walk));
    select.columns = columns(carried, walk);
    select.group = select.columns.iter().cloned().map(GroupBy::Expr).collect();
    select.columns.push(nearest(walk));
    select
}

/// Brent's mark of the next row: it moves to the row before wherever the depth of that is 0 or a power of two.
pub(super) fn moved(here: Vec<Node>, passed: Vec<Node>, walk: Source) -> impl Iterator<Item = Node> {
    here.into_iter().zip(passed).map(move |(here, passed)| {
        let below = math(MathOp::Sub, depth(walk), number("1"));
        let is_power = compare(
            CompareOp::Eq,
            math(MathOp::BitAnd, depth(walk), below),
            number("0"),
        );
        Node::Case {
            operand: None,
            arms: vec![(is_power, here)],
            otherwise: Some(Box::new(passed)),
        }
    })
}
