//! INSERT: its text is the same each time but for the values, so it is rendered once for each form of it.

use crate::ast::{Expr as Node, InsertSource};
use crate::error::Result;
use crate::exec::Raw;
use crate::query::{InsertParts, insert_statement};
use crate::schema::Table;
use crate::sql::{self, Features, Scope, Sql};
use crate::value::{Element, Type};

/// All that the text of an INSERT depends on when its rows are bare values. Tables and columns are told apart by their
/// addresses.
#[derive(PartialEq)]
pub(crate) struct InsertForm {
    table: usize,
    columns: Box<[usize]>,
    rows: usize,
    returning: bool,
    unless_taken: bool,
    /// The clock is a value, not the server's.
    bound_clock: bool,
}

/// The form of some rows, as it is looked for.
struct Wanted<'p> {
    table: &'static Table,
    parts: &'p InsertParts,
    rows: usize,
    bound_clock: bool,
}

impl<'p> Wanted<'p> {
    /// `None` when the rows hold more than values, or values whose placeholders depend on more than their column.
    fn of(table: &'static Table, parts: &'p InsertParts, features: &Features, scope: &Scope) -> Option<Self> {
        let bare = |n: &Node| matches!(n, Node::Value(_) | Node::Clock | Node::Actor | Node::Tenant);
        let rows = match &parts.rows {
            InsertSource::Values(values) => values.len(),
            InsertSource::Rows(rows) if rows.iter().all(bare) => rows.len(),
            InsertSource::Rows(_)
            | InsertSource::Default
            | InsertSource::Arrays { .. }
            | InsertSource::Query(_) => return None,
        };
        let cast = |ty: Type| ty.is_cast() || matches!(ty, Type::Enum(_) | Type::Array(Element::Enum(_)));
        let casts = features.enum_types && parts.columns.iter().any(|c| cast(c.column.ty));
        (!casts && !parts.columns.is_empty()).then_some(Wanted {
            table,
            parts,
            rows,
            bound_clock: scope.clock.is_some() || !features.server_clock,
        })
    }
    fn is(&self, known: &InsertForm) -> bool {
        let InsertForm {
            table,
            columns,
            rows,
            returning,
            unless_taken,
            bound_clock,
        } = known;
        *table == address(self.table)
            && *rows == self.rows
            && *returning == self.parts.returning
            && *unless_taken == self.parts.unless_taken
            && *bound_clock == self.bound_clock
            && self
                .parts
                .columns
                .iter()
                .map(|c| address(*c))
                .eq(columns.iter().copied())
    }
    fn to_form(&self) -> InsertForm {
        InsertForm {
            table: address(self.table),
            columns: self.parts.columns.iter().map(|c| address(*c)).collect(),
            rows: self.rows,
            returning: self.parts.returning,
            unless_taken: self.parts.unless_taken,
            bound_clock: self.bound_clock,
        }
    }
}

fn address<T>(of: &'static T) -> usize {
    std::ptr::from_ref(of).addr()
}

/// The statement that inserts some rows.
pub(crate) fn render(raw: &Raw<'_>, table: &'static Table, parts: InsertParts) -> Result<Sql> {
    let (dialect, texts) = (raw.runner.dialect(), &raw.shared.inserts);
    let wanted = Wanted::of(table, &parts, dialect.features(), &raw.scope);
    let Some(mut sql) = wanted.as_ref().and_then(|w| texts.find(|form| w.is(form))) else {
        let form = wanted.map(|w| w.to_form());
        let sql = sql::render_insert_owned(insert_statement(table, parts), dialect, &raw.scope)?;
        if let Some(form) = form {
            texts.remember(form, &sql);
        }
        return Ok(sql);
    };
    let InsertParts { columns, rows, .. } = parts;
    sql.params = sql::insert_params(columns.iter().map(|c| &c.column), rows, dialect, &raw.scope)?;
    Ok(sql)
}
