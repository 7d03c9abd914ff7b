//! The hot path on one screen: render, run, decode.

use std::panic::Location;

use crate::ast::{Expr as Node, Select, Statement};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Collect;
use crate::exec::hooks::{self, watched};
use crate::exec::observe::{Observation, sign};
use crate::exec::{Pending, Raw, context, insert, parts};
use crate::query::InsertParts;
use crate::schema::{Table, name};
use crate::sql::{self, Sql};
use crate::value::Output;

pub(crate) type Site = &'static Location<'static>;

/// One statement from the AST to a `T`.
pub(crate) fn statement<'a, T>(
    raw: Raw<'a>,
    statement: Statement,
    table: Option<&'static Table>,
    sink: Box<dyn Sink>,
    finish: fn(Done) -> Result<T>,
    site: Site,
) -> Pending<'a, T> {
    if let Some(table) = watched(table) {
        let run = async move { hooks::statement(&raw, statement, table, sink, site, false).await };
        return Pending::hooked(Box::pin(run), finish);
    }
    if let Some(table) = parts::written(&statement, table) {
        let run = async move { parts::statement(&raw, statement, table, sink, site).await };
        return Pending::hooked(Box::pin(run), finish);
    }
    match sql::render_owned(statement, raw.runner.dialect(), &raw.scope) {
        Ok(sql) => rendered(raw, sql, table, sink, finish, site),
        Err(e) => Pending::failed(e),
    }
}

/// One rendered statement to a `T`.
pub(crate) fn rendered<'a, T>(
    raw: Raw<'a>,
    mut sql: Sql,
    table: Option<&'static Table>,
    sink: Box<dyn Sink>,
    finish: fn(Done) -> Result<T>,
    site: Site,
) -> Pending<'a, T> {
    sign(raw.shared, &mut sql, site);
    let seen = Observation::new(&raw, &sql, site, table);
    Pending::one(context::run(&raw, table, sql, sink), seen, finish)
}

/// Runs one statement as a step of a larger operation.
pub(crate) async fn step(
    raw: &Raw<'_>,
    statement: Statement,
    table: Option<&'static Table>,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    match watched(table) {
        Some(table) => Box::pin(hooks::statement(raw, statement, table, sink, site, false)).await,
        None => plain_step(raw, statement, table, sink, site).await,
    }
}

/// Runs one statement that no hook looks at any more.
pub(crate) async fn plain_step(
    raw: &Raw<'_>,
    statement: Statement,
    table: Option<&'static Table>,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    match parts::written(&statement, table) {
        Some(table) => Box::pin(parts::statement(raw, statement, table, sink, site)).await,
        None => single(raw, statement, table, sink, site).await,
    }
}

/// Runs one statement as it is.
pub(crate) async fn single(
    raw: &Raw<'_>,
    statement: Statement,
    table: Option<&'static Table>,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let mut sql = sql::render_owned(statement, raw.runner.dialect(), &raw.scope)?;
    sign(raw.shared, &mut sql, site);
    let mut seen = Observation::new(raw, &sql, site, table);
    seen.start();
    let result = context::run(raw, table, sql, sink).await;
    seen.finish(result)
}

/// Whether a select finds any row; what it selects does not matter.
pub(crate) async fn finds_row(
    raw: &Raw<'_>,
    mut ast: Select,
    table: &'static Table,
    site: Site,
) -> Result<bool> {
    ast.columns = vec![Node::one()];
    let sink = Collect::<i32>::boxed();
    let done = step(raw, Statement::Select(Box::new(ast)), Some(table), sink, site).await?;
    Ok(done.sink.rows() > 0)
}

/// Rows of a select.
pub(crate) fn select<'a, O: Output, T>(
    raw: Raw<'a>,
    ast: Box<Select>,
    table: &'static Table,
    finish: fn(Done) -> Result<T>,
    site: Site,
) -> Pending<'a, T> {
    statement(
        raw,
        Statement::Select(ast),
        Some(table),
        Collect::<O>::boxed(),
        finish,
        site,
    )
}

/// How many rows a write changed.
pub(crate) fn affected<'a>(
    raw: Raw<'a>,
    write: Statement,
    table: &'static Table,
    site: Site,
) -> Pending<'a, u64> {
    statement(
        raw,
        write,
        Some(table),
        Box::new(Discard),
        |done| Ok(done.affected),
        site,
    )
}

/// A batch of inserts as one atomic unit.
pub(crate) async fn inserts(
    raw: &Raw<'_>,
    batch: Vec<InsertParts>,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    match watched(Some(table)) {
        Some(table) => Box::pin(hooks::inserts(raw, batch, table, sink, site)).await,
        None => plain_inserts(raw, batch, table, sink, site).await,
    }
}

/// A batch of inserts that no hook looks at any more.
pub(crate) async fn plain_inserts(
    raw: &Raw<'_>,
    batch: Vec<InsertParts>,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    if let Some(table) = parts::apart(Some(table)) {
        return Box::pin(parts::inserts(raw, batch, table, sink, site)).await;
    }
    let mut rendered: Vec<Sql> = Vec::with_capacity(batch.len());
    for parts in batch {
        let mut sql = insert::render(raw, table, parts)?;
        sign(raw.shared, &mut sql, site);
        rendered.push(sql);
    }
    let Some(first) = rendered.first() else {
        return Ok(Done { sink, affected: 0 });
    };
    let mut seen = Observation::new(raw, first, site, Some(table));
    seen.start();
    let result = match rendered.len() {
        1 => context::run(raw, Some(table), rendered.remove(0), sink).await,
        _ => context::run_all(raw, Some(table), rendered, sink).await,
    };
    seen.finish(result)
}

/// Names the violated constraint and the model where the database tells only columns.
pub(crate) fn name_constraint(e: Error, table: Option<&'static Table>) -> Error {
    let Some(table) = table else { return e };
    let e = e.with_model(table.model);
    if e.kind() != ErrorKind::UniqueViolation || e.constraint().is_some() {
        return e;
    }
    let variants = table.variants.iter().map(|v| v());
    let name = std::iter::once(table)
        .chain(variants)
        .find_map(|t| constraint_of(t, &e));
    match name {
        Some(name) => e.with_constraint(name),
        None => e,
    }
}

/// What is unique over the columns of the violation.
fn constraint_of(table: &'static Table, e: &Error) -> Option<String> {
    let part = table
        .table
        .parts
        .iter()
        .map(|part| part.table.name)
        .find(|name| e.table() == Some(name));
    if e.table() != Some(table.name()) && part.is_none() {
        return None;
    }
    let same = |columns: &[usize]| {
        columns.len() == e.columns().len()
            && columns
                .iter()
                .all(|&i| e.columns().iter().any(|n| n == table.columns[i].column.name))
    };
    if same(table.key) {
        let own = || crate::schema::primary_key_name(table);
        return Some(part.map_or_else(own, |part| name::conventional("pk", part, [])));
    }
    let named = table.uniques.iter().find(|u| same(u.columns));
    named.map(|u| u.name.to_owned())
}
