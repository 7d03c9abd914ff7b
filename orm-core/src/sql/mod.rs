//! From statement to text: one renderer, a short list of differences per dialect.
//!
//! Never imports `query`, `model`, `schema` or `driver`. Only `writer.rs` appends to the text. Every statement's fields
//! are taken apart without `..`, so that a new clause cannot be forgotten here.

mod common;
mod compound;
pub mod dates;
mod ddl;
mod decimal;
mod dialect;
mod distinct;
mod effort;
mod expr;
pub mod function;
mod list;
mod nullable;
pub mod plan;
mod schemas;
mod select;
pub mod text;
mod totals;
mod trigger;
mod window;
mod write;
mod writer;

pub(crate) use crate::ast::types;
pub use crate::ast::types::type_of;
pub use ddl::{ColumnSql, column_sql, view_sql};
pub use dialect::{
    BulkInsert, Context, Dialect, Explain, Features, ListForm, Refusal, SearchForm, Told, TriggerForm,
};
pub(crate) use list::{hex, integer};
pub use schemas::SchemaMap;
pub(crate) use writer::ROW_VERSION;
pub use writer::SqlWriter;

use std::borrow::Cow;
use std::sync::Arc;

use crate::ast::ddl::Ddl;
use crate::ast::{Column, Delete, Insert, InsertSource, RawPart, Select, Statement, Table, Update};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::write::Values;
use crate::sql::writer::Outcome;
use crate::value::{Timestamp, Type, Value};

/// What a handle adds to its statements when they are rendered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Who acts.
    pub actor: Option<Value>,
    /// Whose rows are seen and written.
    pub tenant: Option<Value>,
    /// What the handle works for: for audit trails.
    pub request: Option<Value>,
    /// Tables with a history show their rows as they were then.
    pub as_of: Option<Timestamp>,
    /// One clock value for the whole operation. `None`: the server's statement clock where the dialect has one.
    pub clock: Option<Timestamp>,
    /// What schemas are called.
    pub schemas: SchemaMap,
}

/// A rendered statement, ready to be sent.
#[derive(Clone, Debug)]
pub struct Sql {
    /// The text with placeholders.
    pub text: Arc<str>,
    /// The values in the order of the placeholders.
    pub params: Vec<Value>,
    /// The types of the result columns, in order, or of the columns that a COPY sends. Empty for other statements that
    /// return no row, and for hand-written ones.
    pub columns: Arc<[Type]>,
    /// How long it may take, for backends that run on the caller's thread.
    pub effort: Effort,
    /// Whether it may change data.
    pub writes: bool,
    /// `SELECT`, `INSERT`, …: for logs.
    pub operation: &'static str,
    /// The main table: for logs.
    pub target: Option<&'static str>,
    /// Whether a value bound here belongs to a sensitive column: then no value may be logged.
    pub sensitive: bool,
    /// The line of the program that runs it.
    pub site: Option<&'static std::panic::Location<'static>>,
}

/// How long a statement may take, as far as its structure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Touches a few rows by a unique key.
    Short,
    /// Works step by step, so that it can be stopped between steps: before its first row (while scanning, or gathering
    /// rows for a sort) by a budget of steps, afterwards between rows. Of writes, rows of values that are inserted.
    Rows,
    /// May work long before its first row: aggregates, writes of rows that are searched for, hand-written SQL.
    Long,
}

/// Renders a statement.
pub fn render(statement: &Statement, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    match statement {
        Statement::Select(s) => render_select(s, dialect, scope),
        Statement::Insert(s) => render_insert(s, dialect, scope),
        Statement::Update(s) => render_update(s, dialect, scope),
        Statement::Delete(s) => render_delete(s, dialect, scope),
        Statement::Ddl(s) => render_ddl(s, dialect, scope),
        Statement::Raw(raw) => render_raw(&raw.parts, &raw.columns, dialect, scope),
    }
}

/// Renders a statement and moves the values of an insert or update into it instead of copying them.
pub fn render_owned(statement: Statement, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    match statement {
        Statement::Insert(s) => render_insert_owned(*s, dialect, scope),
        Statement::Update(s) => render_update_owned(*s, dialect, scope),
        other => render(&other, dialect, scope),
    }
}

/// Renders a SELECT.
pub fn render_select(s: &Select, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.select(s, &[], &[])?;
    w.finish(Outcome {
        columns: s.columns.iter().map(type_of).collect(),
        effort: effort::select(s),
        operation: "SELECT",
        target: s.from.as_ref().and_then(|f| match &f.item {
            crate::ast::FromItem::Table(t) => Some(t.name),
            crate::ast::FromItem::Cte(name) => Some(*name),
            crate::ast::FromItem::Common(cte) => Some(cte.name),
            crate::ast::FromItem::Query { .. }
            | crate::ast::FromItem::Values { .. }
            | crate::ast::FromItem::Unnest { .. }
            | crate::ast::FromItem::Function { .. } => None,
        }),
    })
}

/// Renders an INSERT.
pub fn render_insert(s: &Insert, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    finish_insert(s, Values::Borrowed(&s.rows), effort::insert(s), dialect, scope)
}

/// Renders an INSERT and moves its values.
pub fn render_insert_owned(mut s: Insert, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let effort = effort::insert(&s);
    let rows = std::mem::replace(&mut s.rows, InsertSource::Default);
    finish_insert(&s, Values::Owned(rows), effort, dialect, scope)
}

/// The binds of an INSERT that differs from a rendered one only in its values.
pub fn insert_params(
    columns: impl Iterator<Item = &'static Column> + Clone,
    rows: InsertSource,
    dialect: &dyn Dialect,
    scope: &Scope,
) -> Result<Vec<Value>> {
    let mut w = SqlWriter::muted(dialect, scope);
    match rows {
        InsertSource::Values(values) => {
            let decimals = columns.clone().any(|c| matches!(c.ty, Type::Decimal(..)));
            // without an early end, which nearly never comes
            let plain = |all: bool, v: &Value| all & write::is_sent_as_it_is(v);
            if !decimals && values.iter().fold(true, plain) {
                return Ok(values);
            }
            w.owned_values(&columns.collect::<Vec<_>>(), values)?;
        }
        InsertSource::Rows(rows) => w.owned_rows(&columns.collect::<Vec<_>>(), rows)?,
        InsertSource::Default | InsertSource::Arrays { .. } | InsertSource::Query(_) => {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "an insert without rows of values",
            ));
        }
    }
    Ok(w.into_params())
}

/// `COPY table (columns) FROM STDIN`. Its binds are the rows one after the other, its columns those that are sent: the
/// driver makes text of them.
pub fn render_copy(
    table: &'static Table,
    columns: &[&'static Column],
    rows: InsertSource,
    dialect: &dyn Dialect,
    scope: &Scope,
) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.require(dialect.features().copy, "COPY")?;
    w.copy(table, columns)?;
    let sql = w.finish(Outcome {
        columns: columns.iter().map(|c| c.ty).collect(),
        effort: Effort::Long,
        operation: COPY,
        target: write::target(table),
    })?;
    let params = insert_params(columns.iter().copied(), rows, dialect, scope)?;
    if columns.is_empty() || !params.len().is_multiple_of(columns.len()) {
        return Err(Error::new(ErrorKind::InvalidQuery, "COPY takes rows of values"));
    }
    Ok(Sql {
        sensitive: columns.iter().any(|c| c.sensitive),
        params,
        ..sql
    })
}

/// The operation of a statement whose binds are rows to load.
pub const COPY: &str = "COPY";

/// The statement that asks how this one is answered. Its binds are those of the statement; with `analyze` it runs it.
pub fn explained(sql: Sql, options: &plan::ExplainOptions, dialect: &dyn Dialect) -> Result<Sql> {
    options.check(dialect)?;
    let explain = dialect.explain(options);
    Ok(Sql {
        text: format!("{} {}", explain.words, sql.text).into(),
        columns: explain.columns.into(),
        effort: if options.analyze {
            sql.effort
        } else {
            Effort::Short
        },
        writes: options.analyze && sql.writes,
        operation: "EXPLAIN",
        ..sql
    })
}

fn finish_insert(
    s: &Insert,
    values: Values<'_>,
    effort: Effort,
    dialect: &dyn Dialect,
    scope: &Scope,
) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.insert_from(s, values)?;
    w.finish(Outcome {
        columns: write::types(&s.returning),
        effort,
        operation: "INSERT",
        target: write::target(s.table),
    })
}

/// Renders an UPDATE.
pub fn render_update(s: &Update, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.update(s)?;
    finish_update(w, s, effort::update(s))
}

/// Renders an UPDATE and moves its values.
pub fn render_update_owned(mut s: Update, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let effort = effort::update(&s);
    let set = std::mem::take(&mut s.set);
    let mut w = SqlWriter::new(dialect, scope);
    w.update_from(&s, set.into_iter().map(Cow::Owned))?;
    finish_update(w, &s, effort)
}

fn finish_update(w: SqlWriter<'_>, s: &Update, effort: Effort) -> Result<Sql> {
    w.finish(Outcome {
        columns: write::types(&s.returning),
        effort,
        operation: "UPDATE",
        target: write::target(s.table),
    })
}

/// Renders a DELETE.
pub fn render_delete(s: &Delete, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.delete(s)?;
    w.finish(Outcome {
        columns: write::types(&s.returning),
        effort: effort::delete(s),
        operation: "DELETE",
        target: write::target(s.table),
    })
}

/// Renders a schema statement.
pub fn render_ddl(s: &Ddl, dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.ddl(s)?;
    w.finish(Outcome::ddl(ddl::operation(s)))
}

/// Renders hand-written SQL. It counts as a write unless its text can only read.
pub fn render_raw(parts: &[RawPart], columns: &[Type], dialect: &dyn Dialect, scope: &Scope) -> Result<Sql> {
    let mut w = SqlWriter::new(dialect, scope);
    w.raw(parts)?;
    let (operation, writes) = raw_operation(parts);
    w.writes = writes;
    w.finish(Outcome {
        columns: columns.to_vec(),
        effort: Effort::Long,
        operation,
        target: None,
    })
}

/// The first word of a hand-written statement, and whether it may change data.
fn raw_operation(parts: &[RawPart]) -> (&'static str, bool) {
    let words = || {
        let texts = parts.iter().filter_map(|p| match p {
            RawPart::Text(t) => Some(*t),
            RawPart::Expr(_) | RawPart::Name(_) | RawPart::List(..) => None,
        });
        texts
            .flat_map(|t| t.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .filter(|w| !w.is_empty())
    };
    const READS: [&str; 4] = ["SELECT", "VALUES", "EXPLAIN", "SHOW"];
    const WRITES: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "MERGE"];
    let first = words().next().unwrap_or("");
    let is = |list: &[&'static str], word: &str| list.iter().find(|k| k.eq_ignore_ascii_case(word)).copied();
    if let Some(read) = is(&READS, first) {
        // EXPLAIN may run what it explains
        return (
            read,
            read == "EXPLAIN" && words().any(|word| is(&WRITES, word).is_some()),
        );
    }
    if first.eq_ignore_ascii_case("WITH") {
        return ("WITH", words().any(|word| is(&WRITES, word).is_some()));
    }
    (is(&WRITES, first).unwrap_or("RAW"), true)
}
