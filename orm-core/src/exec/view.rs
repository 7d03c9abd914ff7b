//! Views: what creates them, and what refreshes those whose rows are stored.

use std::future::IntoFuture;

use crate::ast::ddl::{CreateIndex, CreateView, Ddl, Definition};
use crate::ast::{Statement, tables_in};
use crate::driver::Discard;
use crate::error::{Error, ErrorKind};
use crate::exec::create::{index, name_of, names, plain_part};
use crate::exec::fetch::{Site, statement};
use crate::exec::{Pending, Raw};
use crate::schema::{Column, Schema, Table, View};
use crate::sql::Features;

/// The views that the schema creates, such that one stands behind those it reads.
pub(crate) fn views(schema: &Schema) -> Vec<&'static Table> {
    let defined = |t: &&Table| t.view.is_some_and(|view| view.definition.is_some());
    let mut left: Vec<&'static Table> = schema.tables().iter().copied().filter(defined).collect();
    let mut out: Vec<&'static Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let reads = |view: &Table| {
            left.iter()
                .any(|other| other.name() != view.name() && reads(view, other))
        };
        // views that read each other in a circle cannot exist: the database says so
        let next = left.iter().position(|view| !reads(view)).unwrap_or(0);
        out.push(left.remove(next));
    }
    out
}

/// Whether the view's definition names the other one.
fn reads(view: &Table, other: &Table) -> bool {
    match view.view.and_then(|view| view.definition) {
        Some(Definition::Sql(sql)) => {
            let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
            words
                .into_iter()
                .any(|word| word.eq_ignore_ascii_case(other.name()))
        }
        Some(Definition::Query(query)) => tables_in(*query())
            .iter()
            .any(|t| (t.schema, t.name) == (other.table.schema, other.name())),
        None => false,
    }
}

/// CREATE VIEW, its indexes and what is said about it.
pub(crate) fn view(table: &'static Table, features: &Features, out: &mut Vec<Ddl>) {
    let Some(View {
        materialized,
        definition: Some(definition),
    }) = table.view
    else {
        return;
    };
    let column = |c: &Column| (c.column.name, c.column.ty);
    out.push(Ddl::CreateView(CreateView {
        name: name_of(table),
        materialized,
        columns: table.columns.iter().map(column).collect(),
        definition,
    }));
    if materialized {
        out.extend(view_indexes(table).into_iter().map(Ddl::CreateIndex));
    }
    if features.comments && !table.comment.is_empty() {
        out.push(Ddl::CommentView {
            name: name_of(table),
            materialized,
            text: table.comment.to_owned(),
        });
    }
}

/// The indexes of a materialized view: a unique one over its key and over what is unique, for views have no constraints,
/// and those that were asked for.
fn view_indexes(table: &'static Table) -> Vec<CreateIndex> {
    let unique = |name: String, columns: &[usize], filter: Option<&str>| CreateIndex {
        name,
        table: name_of(table),
        unique: true,
        method: None,
        parts: names(table, columns).into_iter().map(plain_part).collect(),
        include: Vec::new(),
        storage: None,
        filter: filter.map(str::to_owned),
    };
    let key =
        (!table.key.is_empty()).then(|| unique(crate::schema::primary_key_name(table), table.key, None));
    let uniques = table.uniques.iter();
    let uniques = uniques.map(|u| unique(u.name.to_owned(), u.columns, u.filter));
    let asked = table.indexes.iter().map(|i| index(table, i));
    key.into_iter().chain(uniques).chain(asked).collect()
}

/// A refresh of a materialized view, made by [`Record::refresh_view`](crate::exec::Record::refresh_view). It is sent when
/// it is awaited.
#[must_use = "nothing is refreshed until it is awaited"]
pub struct Refresh<'a> {
    raw: Raw<'a>,
    table: &'static Table,
    concurrently: bool,
    site: Site,
}

impl<'a> Refresh<'a> {
    pub(crate) fn of(raw: Raw<'a>, table: &'static Table, site: Site) -> Self {
        Refresh {
            raw,
            table,
            concurrently: false,
            site,
        }
    }
    /// Lets others read the view meanwhile: the new rows are compared with the old ones, for which the view needs a key or a
    /// unique index over columns and all rows.
    ///
    /// ```sql
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY "daily_sales"
    /// ```
    pub fn concurrently(mut self) -> Self {
        self.concurrently = true;
        self
    }
}

impl<'a> IntoFuture for Refresh<'a> {
    type Output = crate::error::Result<()>;
    type IntoFuture = Pending<'a, ()>;
    fn into_future(self) -> Pending<'a, ()> {
        let table = self.table;
        let told_apart = !table.key.is_empty() || table.uniques.iter().any(|u| u.filter.is_none());
        if self.concurrently && self.raw.dialect().features().materialized_views && !told_apart {
            let text = "REFRESH MATERIALIZED VIEW CONCURRENTLY needs a unique index over columns and all rows: add \
                        `#[orm(id)]` or `#[orm(unique)]` to what tells the rows of the view apart";
            return Pending::failed(Error::new(ErrorKind::InvalidQuery, text).with_model(table.model));
        }
        let refresh = Statement::Ddl(Box::new(Ddl::RefreshView {
            name: name_of(table),
            concurrently: self.concurrently,
        }));
        statement(
            self.raw,
            refresh,
            Some(table),
            Box::new(Discard),
            |_| Ok(()),
            self.site,
        )
    }
}
