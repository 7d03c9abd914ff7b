//! Many rows: one statement where the database takes arrays, else chunks of VALUES with few different texts.

use std::panic::Location;

use crate::ast::{Expr as Node, FromItem, InsertSource, Select, Source, Statement, TableRef};
use crate::driver::{Discard, Sink};
use crate::error::{Error, Result};
use crate::exec::Raw;
use crate::exec::collect::Collect;
use crate::exec::fetch::{Site, inserts, plain_step, step};
use crate::exec::parts::apart;
use crate::model::Model;
use crate::query::{Batch, InsertGroup, InsertParts, ascending};
use crate::schema::{Column, Table};
use crate::sql::{BulkInsert, Features};
use crate::value::{Timestamp, Value};

/// The statements of one group of rows.
fn statements(
    group: InsertGroup,
    table: &'static Table,
    features: &Features,
    back: bool,
) -> Result<Vec<InsertParts>> {
    let rows = group.positions.len();
    if matches!(features.bulk_insert, BulkInsert::Arrays) && rows > 1 && takes_arrays(&group) {
        return Ok(vec![as_arrays(group, back)]);
    }
    let width = group.columns.len();
    let most = match features.bulk_insert {
        BulkInsert::Values(n) => n,
        BulkInsert::Arrays => 1000,
    };
    let fits = features.max_params / width.max(1);
    if fits == 0 {
        return Err(Error::unsupported("a row of this many columns", "this database").with_model(table.model));
    }
    // a row of defaults only has no list form
    let most = if width == 0 { 1 } else { most.min(fits) };
    Ok(group.into_chunks(most, back))
}

fn takes_arrays(group: &InsertGroup) -> bool {
    let width = group.width();
    width > 0
        && group.columns[..width]
            .iter()
            .all(|c| c.column.ty.element().is_some())
        && group.exprs.is_empty()
        && !group.all_values().any(|v| matches!(v, Value::Refused(_)))
}

fn as_arrays(group: InsertGroup, returning: bool) -> InsertParts {
    let (width, rows) = (group.width(), group.positions.len());
    let InsertGroup {
        columns,
        constant,
        full,
        values,
        overriding,
        ..
    } = group;
    let mut lists: Vec<Vec<Value>> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
    for rows in full.into_iter().chain([values]) {
        let count = rows.len() / width.max(1);
        let mut values = rows.into_iter();
        for _ in 0..count {
            for (list, value) in lists.iter_mut().zip(values.by_ref()) {
                list.push(value);
            }
        }
    }
    let typed = |(column, list): (&&'static Column, Vec<Value>)| {
        column
            .column
            .ty
            .element()
            .map(|element| Value::Array(element, list.into()))
    };
    let arrays = columns.iter().zip(lists).filter_map(typed).collect();
    InsertParts {
        columns,
        rows: InsertSource::Arrays { arrays, constant },
        overriding,
        returning,
        unless_taken: false,
    }
}

/// All inserts of a batch, in the order of their groups, with the inputs' positions.
pub(crate) fn plan(
    batch: Batch,
    table: &'static Table,
    features: &Features,
    back: bool,
) -> Result<(Vec<InsertParts>, Vec<usize>)> {
    let mut positions = Vec::with_capacity(batch.len());
    let mut out = Vec::new();
    for group in batch.into_groups() {
        positions.extend_from_slice(&group.positions);
        out.extend(statements(group, table, features, back)?);
    }
    Ok((out, positions))
}

/// One clock value for the whole operation, also when it takes several statements.
pub(crate) async fn fix_clock(raw: &mut Raw<'_>, statements: usize, site: Site) -> Result<()> {
    if !raw.runner.dialect().features().server_clock {
        raw.scope.clock.get_or_insert_with(Timestamp::now);
        return Ok(());
    }
    if statements < 2 || raw.scope.clock.is_some() {
        return Ok(());
    }
    let mut ast = Select::without_from();
    ast.columns = vec![Node::Clock];
    let done = plain_step(
        raw,
        Statement::Select(Box::new(ast)),
        None,
        Collect::<Timestamp>::boxed(),
        site,
    )
    .await?;
    raw.scope.clock = Collect::<Timestamp>::take(done.sink)?.pop();
    Ok(())
}

pub(crate) async fn run(
    mut raw: Raw<'_>,
    batch: Batch,
    table: &'static Table,
    back: bool,
    sink: Box<dyn Sink>,
    site: &'static Location<'static>,
) -> Result<(crate::driver::Done, Vec<usize>)> {
    let (list, positions) = match apart(Some(table)) {
        // one table may take rows together that another one does not: they keep their order until then
        Some(_) => {
            let positions = (0..batch.len()).collect();
            let rows = batch.into_rows().into_iter();
            let list = rows.map(|row| InsertParts {
                returning: back,
                ..row
            });
            (list.collect(), positions)
        }
        None => plan(batch, table, raw.runner.dialect().features(), back)?,
    };
    fix_clock(&mut raw, list.len(), site).await?;
    // first the sequence: when that fails nothing was inserted, and a sequence that is ahead does no harm
    advance_past(&raw, table, &list, site).await?;
    let done = inserts(&raw, list, table, sink, site).await?;
    Ok((done, positions))
}

/// Moves the key's sequence past the keys that these inserts give, if they give any.
pub(crate) async fn advance_past(
    raw: &Raw<'_>,
    table: &'static Table,
    list: &[InsertParts],
    site: Site,
) -> Result<()> {
    match highest_key(table, list) {
        Some(highest) => advance_identity(raw, table, highest, site).await,
        None => Ok(()),
    }
}

/// Moves the key's sequence past all keys of the table, after keys were given by the database itself.
pub(crate) async fn advance_past_all(raw: &Raw<'_>, table: &'static Table, site: Site) -> Result<()> {
    let Some(key) = table.key_columns().next() else {
        return Ok(());
    };
    let source = Source::fresh();
    let mut ast = Select::from(TableRef::unguarded(source, FromItem::Table(&table.table)));
    ast.columns = vec![Node::Column(source, &key.column)];
    ast.order = vec![ascending(Node::Column(source, &key.column))];
    ast.order[0].desc = true;
    ast.limit = Some(1);
    let sink = Collect::<i64>::boxed();
    let done = plain_step(raw, Statement::Select(Box::new(ast)), Some(table), sink, site).await?;
    match Collect::<i64>::take(done.sink)?.pop() {
        Some(highest) => advance_identity(raw, table, highest, site).await,
        None => Ok(()),
    }
}

/// The highest key that was given for a generated key column.
fn highest_key(table: &'static Table, list: &[InsertParts]) -> Option<i64> {
    let key = table.key_columns().next()?;
    let mut highest = None;
    for insert in list.iter().filter(|i| i.overriding) {
        let Some(at) = insert.columns.iter().position(|c| std::ptr::eq(*c, key)) else {
            continue;
        };
        let width = insert.columns.len();
        let given = match &insert.rows {
            InsertSource::Values(values) => values.iter().skip(at).step_by(width).filter_map(integer).max(),
            InsertSource::Rows(rows) => rows.iter().skip(at).step_by(width).filter_map(integer_node).max(),
            InsertSource::Arrays { arrays, .. } => match arrays.get(at) {
                Some(Value::Array(_, list)) => list.iter().filter_map(integer).max(),
                _ => None,
            },
            InsertSource::Default | InsertSource::Query(_) => None,
        };
        highest = highest.max(given);
    }
    highest
}

fn integer_node(node: &Node) -> Option<i64> {
    if let Node::Value(v) = node {
        integer(v)
    } else {
        None
    }
}

fn integer(v: &Value) -> Option<i64> {
    match v {
        Value::I16(v) => Some((*v).into()),
        Value::I32(v) => Some((*v).into()),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}

/// Moves a key sequence past keys that were given, where the database does not do so by itself.
async fn advance_identity(raw: &Raw<'_>, table: &'static Table, highest: i64, site: Site) -> Result<()> {
    let Some(column) = table.key_columns().next() else {
        return Ok(());
    };
    let Some(parts) = raw.runner.dialect().advance_identity(
        raw.scope.schemas.used(table.table.schema),
        &table.table,
        &column.column,
        highest,
    ) else {
        return Ok(());
    };
    let ast = crate::ast::Raw {
        parts,
        columns: Vec::new(),
    };
    step(raw, Statement::Raw(ast), None, Box::new(Discard), site).await?;
    Ok(())
}

/// Inserts and reads the rows back in input order.
pub(crate) async fn insert_all<M: Model>(raw: Raw<'_>, batch: Batch, site: Site) -> Result<Vec<M>> {
    if batch.len() == 0 {
        return Ok(Vec::new());
    }
    let (done, positions) = run(raw, batch, M::TABLE, true, Collect::<M>::boxed(), site).await?;
    let rows = Collect::<M>::take(done.sink)?;
    if rows.len() != positions.len() {
        return Err(crate::exec::db::no_row(M::TABLE.model));
    }
    if positions.is_sorted() {
        return Ok(rows);
    }
    let mut placed: Vec<(usize, M)> = positions.into_iter().zip(rows).collect();
    placed.sort_by_key(|(i, _)| *i);
    Ok(placed.into_iter().map(|(_, m)| m).collect())
}

/// Inserts without reading back; how many rows.
pub(crate) async fn exec_all(raw: Raw<'_>, batch: Batch, table: &'static Table, site: Site) -> Result<u64> {
    if batch.len() == 0 {
        return Ok(0);
    }
    let (done, _) = run(raw, batch, table, false, Box::new(Discard), site).await?;
    Ok(done.affected)
}
