//! ROLLUP, CUBE and GROUPING SETS where the database lacks them: the groups of each set, one after the other.

use crate::ast::types::type_of;
use crate::ast::{
    Aggregate, AggregateFn, Distinct, Expr, FromItem, GroupBy, Order, Select, SetOp, SetOperation, Source,
    TableRef, Visit, has_window, numbered, renumber, visit,
};
use crate::sql::distinct::same;
use crate::value::{Type, Value};

/// The same rows by UNION ALL, if the select groups by sets, and nothing in it is about all of their groups together.
pub(crate) fn without_sets(s: &Select) -> Option<Select> {
    let by_sets = s.group.iter().any(|g| !matches!(g, GroupBy::Expr(_)));
    if !by_sets || !s.compound.is_empty() || !s.windows.is_empty() || looks_around(s) {
        return None;
    }
    let keys: Vec<&Expr> = s.group.iter().flat_map(keys_of).collect();
    let mut arms = sets_of(&s.group).into_iter().map(|set| arm(s, &keys, set));
    let mut first = arms.next()?;
    first.compound = arms
        .map(|query| SetOperation {
            op: SetOp::Union,
            all: true,
            query,
        })
        .collect();
    let source = Source::fresh();
    let field = |i: usize| {
        Expr::Field(
            source,
            numbered(i),
            first.columns.get(i).map_or(Type::I64, type_of),
        )
    };
    let selected = s.columns.len();
    let columns = (0..selected).map(field).collect();
    let order = s.order.iter().enumerate().map(|(i, o)| Order {
        expr: field(selected + i),
        ..o.clone()
    });
    let order = order.collect();
    let item = FromItem::Query {
        columns: (0..first.columns.len()).map(numbered).collect(),
        query: Box::new(first),
        lateral: false,
    };
    let mut outer = Select::from(TableRef::unguarded(source, item));
    (outer.with, outer.columns, outer.order) = (s.with.clone(), columns, order);
    (outer.distinct, outer.lock) = (s.distinct.clone(), s.lock.clone());
    (outer.limit, outer.offset) = (s.limit, s.offset);
    Some(outer)
}

/// Whether a window looks at other groups, also those of other sets.
fn looks_around(s: &Select) -> bool {
    let order = s.order.iter().map(|o| &o.expr);
    matches!(s.distinct, Distinct::On(_)) || s.columns.iter().chain(order).any(has_window)
}

fn keys_of(entry: &GroupBy) -> Vec<&Expr> {
    match entry {
        GroupBy::Expr(e) => vec![e],
        GroupBy::Rollup(items) | GroupBy::Cube(items) => items.iter().collect(),
        GroupBy::Sets(sets) => sets.iter().flatten().collect(),
    }
}

/// The sets of keys: of several entries, each of the one with each of the other.
fn sets_of(group: &[GroupBy]) -> Vec<Vec<&Expr>> {
    let mut all: Vec<Vec<&Expr>> = vec![Vec::new()];
    for entry in group {
        let sets: Vec<Vec<&Expr>> = match entry {
            GroupBy::Expr(e) => vec![vec![e]],
            GroupBy::Rollup(items) => (0..=items.len())
                .rev()
                .map(|n| items[..n].iter().collect())
                .collect(),
            GroupBy::Cube(items) => {
                let within = |set: usize| items.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 0);
                (0..1usize << items.len())
                    .map(|set| within(set).map(|(_, e)| e).collect())
                    .collect()
            }
            GroupBy::Sets(sets) => sets.iter().map(|set| set.iter().collect()).collect(),
        };
        let both = all
            .iter()
            .flat_map(|a| sets.iter().map(|b| a.iter().chain(b).copied().collect()));
        all = both.collect();
    }
    all
}

/// The groups of one set: keys outside it are NULL.
fn arm(s: &Select, keys: &[&Expr], set: Vec<&Expr>) -> Select {
    let mut arm = s.clone();
    (arm.with, arm.limit, arm.offset, arm.lock) = (Vec::new(), None, None, None);
    arm.distinct = Distinct::No;
    arm.columns
        .extend(std::mem::take(&mut arm.order).into_iter().map(|o| o.expr));
    let mut within = Within { s, keys, set: &set };
    for e in arm.columns.iter_mut().chain(&mut arm.having) {
        visit(e, &mut within);
    }
    // so that all rows together are one group also where no aggregate is selected
    arm.columns.push(Expr::Aggregate(Box::new(Aggregate {
        function: AggregateFn::Count,
        args: Vec::new(),
        distinct: false,
        filter: None,
        order: Vec::new(),
    })));
    arm.group = set.into_iter().cloned().map(GroupBy::Expr).collect();
    renumber(&mut arm);
    arm
}

/// What is put into the expressions of one set.
struct Within<'a> {
    s: &'a Select,
    keys: &'a [&'a Expr],
    set: &'a [&'a Expr],
}

impl Within<'_> {
    fn is_in(&self, list: &[&Expr], e: &Expr) -> bool {
        list.iter().any(|key| same(self.s, key, e))
    }
}

impl Visit for Within<'_> {
    fn enters(&mut self, e: &mut Expr) -> bool {
        match e {
            Expr::Aggregate(call) if call.function == AggregateFn::Grouping => {
                let left_out = |bits: i32, key: &Expr| bits << 1 | i32::from(!self.is_in(self.set, key));
                *e = Expr::Value(Value::I32(call.args.iter().fold(0, left_out)));
                false
            }
            // it is about the rows of the group, which have all values
            Expr::Aggregate(_) => false,
            e if self.is_in(self.set, e) => false,
            e if self.is_in(self.keys, e) => {
                *e = Expr::Value(Value::Null(type_of(e)));
                false
            }
            _ => true,
        }
    }
}
