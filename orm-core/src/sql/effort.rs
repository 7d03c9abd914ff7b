//! How long a statement may take, judged by its structure alone.
//!
//! A database that runs on the caller's thread can be stopped between steps of a scan but not inside one step, such as
//! counting a whole table or deleting all of it.

use crate::ast::{
    Column, CompareOp, Delete, Deleted, Distinct, Expr, FromItem, Function, Guard, InList, Insert,
    InsertSource, JoinKind, Select, Source, Table, TableRef, TextOp, Update,
};
use crate::sql::Effort;

/// Lists up to this length leave a statement what it is.
const SHORT_LIST: usize = 1000;
/// So many rows are inserted in no time.
const FEW_ROWS: usize = 8;

pub(crate) fn select(s: &Select) -> Effort {
    let Select {
        with,
        distinct,
        columns,
        from,
        joins,
        filter,
        group,
        having,
        windows,
        compound,
        order,
        limit: _,
        offset: _,
        lock: _,
        fault: _,
    } = s;
    let plain = with.is_empty()
        && matches!(distinct, Distinct::No)
        && group.is_empty()
        && having.is_empty()
        && windows.is_empty()
        && compound.is_empty()
        && columns.iter().all(is_quick)
        && filter.iter().all(is_quick)
        && joins.iter().all(|j| j.on.iter().all(is_quick));
    // Sorting is stoppable while rows are gathered, and what was gathered within the budget is sorted in no time.
    let plain = plain && order.iter().all(|o| is_quick(&o.expr));
    let Some(from) = from else {
        return if plain { Effort::Short } else { Effort::Long };
    };
    let mut tables = std::iter::once(from).chain(joins.iter().map(|j| &j.table));
    let quick =
        |t: &TableRef| matches!(t.item, FromItem::Table(table) if is_quickly_filtered(table, t.guard));
    if !plain || !tables.all(quick) {
        return Effort::Long;
    }
    let one_row = by_key(from, true, filter)
        && joins
            .iter()
            .all(|j| matches!(j.kind, JoinKind::Inner | JoinKind::Left) && by_key(&j.table, false, &j.on));
    if one_row { Effort::Short } else { Effort::Rows }
}

pub(crate) fn insert(i: &Insert) -> Effort {
    let (cells, quick) = match &i.rows {
        InsertSource::Default => (0, true),
        InsertSource::Values(values) => (values.len(), true),
        InsertSource::Rows(rows) => (rows.len(), rows.iter().all(is_quick)),
        InsertSource::Arrays { .. } | InsertSource::Query(_) => (0, false),
    };
    if !quick || !i.with.is_empty() || !i.returning.iter().all(is_quick) {
        Effort::Long
    } else if cells <= FEW_ROWS * i.columns.len().max(1) {
        Effort::Short
    } else {
        Effort::Rows
    }
}

pub(crate) fn update(u: &Update) -> Effort {
    let one_row = u.with.is_empty()
        && u.from.is_empty()
        && is_key(u.table, u.guard, u.source, true, &u.filter)
        && is_quickly_filtered(u.table, u.guard)
        && u.filter.iter().all(is_quick)
        && u.set.iter().all(|a| is_quick(&a.value))
        && u.returning.iter().all(is_quick);
    if one_row { Effort::Short } else { Effort::Long }
}

pub(crate) fn delete(d: &Delete) -> Effort {
    let one_row = d.with.is_empty()
        && d.using.is_empty()
        && is_key(d.table, d.guard, d.source, true, &d.filter)
        && is_quickly_filtered(d.table, d.guard)
        && d.filter.iter().all(is_quick)
        && d.returning.iter().all(is_quick);
    if one_row { Effort::Short } else { Effort::Long }
}

/// Whether the named filters of a reference cost no more than its other conditions.
fn is_quickly_filtered(table: &'static Table, guard: Guard) -> bool {
    let mut filters = table.filters_but(guard.unfiltered);
    filters.all(|(_, filter)| is_quick(&(filter.condition)(Source::ROOT)))
}

fn by_key(from: &TableRef, root: bool, conditions: &[Expr]) -> bool {
    matches!(from.item, FromItem::Table(table) if is_key(table, from.guard, from.source, root, conditions))
}

/// Whether the conditions fix all columns of a unique set: to bound values at the root, to anything else in a join.
/// In a soft-deleting table the sets after the key are unique, and indexed, among living rows only.
fn is_key(table: &Table, guard: Guard, source: Source, root: bool, conditions: &[Expr]) -> bool {
    let hold = if table.soft_delete.is_some() && guard.deleted != Deleted::Hidden {
        1
    } else {
        table.unique.len()
    };
    table.unique.iter().take(hold).any(|set| {
        !set.is_empty()
            && set
                .iter()
                .all(|column| conditions.iter().any(|e| fixes(e, source, column, root)))
    })
}

fn fixes(e: &Expr, source: Source, column: &'static Column, root: bool) -> bool {
    let own = |s: Source| s == source || (root && s == Source::ROOT);
    let is_column = |e: &Expr| matches!(e, Expr::Column(s, c) if own(*s) && std::ptr::eq(*c, column));
    let is_other = |e: &Expr| match e {
        Expr::Value(_) | Expr::Actor | Expr::Tenant => true,
        Expr::Column(s, _) => !root && !own(*s),
        _ => false,
    };
    match e {
        Expr::Compare(CompareOp::Eq, a, b) => (is_column(a) && is_other(b)) || (is_column(b) && is_other(a)),
        Expr::In(a, list) => {
            matches!(&**list, InList::Values(_, values) if values.len() <= 1) && is_column(a)
        }
        Expr::All(items) => items.iter().any(|e| fixes(e, source, column, root)),
        _ => false,
    }
}

/// Unknown functions may take any time, and texts can be filled up to any length.
fn is_quick_call(f: Function) -> bool {
    !matches!(
        f,
        Function::Named(..)
            | Function::Declared(_)
            | Function::PadStart
            | Function::PadEnd
            | Function::Json(_)
            | Function::Array(_)
            | Function::Range(_)
            | Function::Distance(_)
    )
}

/// Whether the expression costs no more than a few steps a row: no query, aggregate, unknown function or
/// hand-written SQL inside.
fn is_quick(e: &Expr) -> bool {
    match e {
        Expr::Column(..) | Expr::Field(..) | Expr::Value(_) | Expr::Clock | Expr::Actor | Expr::Tenant => {
            true
        }
        Expr::Not(e) | Expr::Negate(e) | Expr::IsNull(e, _) | Expr::IsTrue(e) | Expr::Cast(e, _) => {
            is_quick(e)
        }
        Expr::All(items) | Expr::Any(items) | Expr::Tuple(items) => items.iter().all(is_quick),
        Expr::Text(TextOp::Regex | TextOp::RegexNoCase, ..) => false,
        Expr::Compare(_, a, b) | Expr::Math(_, a, b) | Expr::Text(_, a, b) => is_quick(a) && is_quick(b),
        Expr::Between(three) => three.iter().all(is_quick),
        Expr::In(e, list) => {
            let short = match &**list {
                InList::Values(_, values) => values.len() <= SHORT_LIST,
                InList::Exprs(items) => items.iter().all(is_quick),
                InList::Query(_) => false,
            };
            short && is_quick(e)
        }
        Expr::Call(f, args) => is_quick_call(**f) && args.iter().all(is_quick),
        Expr::Case {
            operand,
            arms,
            otherwise,
        } => {
            operand.as_deref().is_none_or(is_quick)
                && arms.iter().all(|(w, t)| is_quick(w) && is_quick(t))
                && otherwise.as_deref().is_none_or(is_quick)
        }
        Expr::Aggregate(_)
        | Expr::Window(_)
        | Expr::Exists(_)
        | Expr::Subquery(_)
        | Expr::Quantified(..)
        | Expr::Search(_)
        | Expr::Raw(..) => false,
    }
}
