//! The hot path on one screen: render, run, decode.

use std::panic::Location;

use crate::ast::{Expr as Node, Select, Statement};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Collect;
use crate::exec::hooks::{self, watched};
use crate::exec::observe::{Observation, sign};
use crate::exec::{Pending, Raw, context, insert};
use crate::query::InsertParts;
use crate::schema::Table;
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
    if e.kind() != ErrorKind::UniqueViolation || e.constraint().is_some() || e.table() != Some(table.name()) {
        return e;
    }
    let same = |columns: &[usize]| {
        columns.len() == e.columns().len()
            && columns
                .iter()
                .all(|&i| e.columns().iter().any(|n| n == table.columns[i].column.name))
    };
    if same(table.key) {
        return e.with_constraint(crate::schema::primary_key_name(table));
    }
    let named = table.uniques.iter().find(|u| same(u.columns)).map(|u| u.name);
    match named {
        Some(name) => e.with_constraint(name),
        None => e,
    }
}
