//! What stands before what: as the texts and the foreign keys say.

use crate::schema::{Fill, Function, Schema, Table, View};
use crate::words::mentions;

/// Tables such that a partition stands behind its table, and a referenced table before the one that refers to it, as far
/// as circles allow.
pub(crate) fn tables(tables: &[Table]) -> Vec<&Table> {
    in_order(tables, |table, other| {
        let referred = table.foreign_keys.iter().any(|key| key.target == other.name);
        referred
            || table
                .partition_of
                .as_ref()
                .is_some_and(|(of, _)| *of == other.name)
    })
}

/// Views such that one stands behind those it reads.
pub(crate) fn views(views: &[View]) -> Vec<&View> {
    in_order(views, |view, other| mentions(&view.query, &other.name.name))
}

/// Whether a column's default, a calculated column or a check calls it, so that it has to be there first.
pub(crate) fn needed_by_tables(function: &Function, schema: &Schema) -> bool {
    let called = |sql: &str| mentions(sql, &function.name.name);
    schema.tables.iter().any(|table| {
        let columns = table.columns.iter().any(|c| match &c.fill {
            Fill::Default(sql) | Fill::Stored(sql) | Fill::Virtual(sql) => called(sql),
            Fill::None | Fill::Identity { .. } => false,
        });
        let indexed = table.indexes.iter().any(|i| {
            let parts = i.parts.iter().filter(|p| p.expression).map(|p| p.key.as_str());
            parts.chain(i.filter.as_deref()).any(called)
        });
        columns || indexed || table.checks.iter().any(|c| called(&c.condition))
    })
}

fn in_order<T>(items: &[T], needs: impl Fn(&T, &T) -> bool) -> Vec<&T> {
    let mut out: Vec<usize> = Vec::with_capacity(items.len());
    let mut open = vec![false; items.len()];
    // (item, the next of those it may need)
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for start in 0..items.len() {
        if open[start] {
            continue;
        }
        open[start] = true;
        stack.push((start, 0));
        while let Some((item, next)) = stack.last_mut() {
            let (i, n) = (*item, *next);
            if n == items.len() {
                out.push(i);
                stack.pop();
                continue;
            }
            *next += 1;
            if n != i && !open[n] && needs(&items[i], &items[n]) {
                open[n] = true;
                stack.push((n, 0));
            }
        }
    }
    out.into_iter().map(|i| &items[i]).collect()
}
