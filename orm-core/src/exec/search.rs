//! What a full-text search needs in the database: a computed column with its index, or a table beside and the triggers that
//! keep it in step. Pure.

use crate::ast::ddl::{ColumnDef, CreateIndex, Ddl, DefaultDef, RowEvent, SearchTable};
use crate::exec::create::plain_part;
use crate::exec::physical::Physical;
use crate::schema::{Table, name};
use crate::sql::{Features, SearchForm};
use crate::value::Type;

/// Adds the column with the words, where they are in one.
pub(crate) fn column(table: &mut Physical, features: &Features) {
    let (
        Some(search),
        SearchForm::Column {
            name,
            ty,
            sql,
            method,
        },
    ) = (table.model.search, features.search)
    else {
        return;
    };
    table.create.columns.push(ColumnDef {
        name: name.to_owned(),
        ty: Type::Text,
        types: ty,
        nullable: true,
        default: DefaultDef::None,
        generated: Some((sql(search), true)),
    });
    let own = table.name().clone();
    table.indexes.push(CreateIndex {
        name: name::conventional("ix", &own.name, [name]),
        table: own,
        unique: false,
        method: Some(method),
        parts: vec![plain_part(name.to_owned())],
        include: Vec::new(),
        storage: None,
        filter: None,
    });
}

fn table_of(table: &'static Table, features: &Features) -> Option<SearchTable> {
    let search = table
        .search
        .filter(|_| matches!(features.search, SearchForm::Table))?;
    Some(SearchTable {
        table: table.name(),
        search,
    })
}

/// Creates the table beside and its triggers, where there is one.
pub(crate) fn beside(table: &'static Table, features: &Features, out: &mut Vec<Ddl>) {
    let Some(search) = table_of(table, features) else {
        return;
    };
    out.push(Ddl::CreateSearch(search));
    let events = [
        (RowEvent::Insert, "insert"),
        (RowEvent::Update, "update"),
        (RowEvent::Delete, "delete"),
    ];
    out.extend(events.map(|(event, word)| Ddl::CreateSearchTrigger {
        name: name::conventional("search", table.name(), [word]),
        event,
        search,
    }));
}

/// Drops it.
pub(crate) fn dropped(table: &'static Table, features: &Features) -> Option<Ddl> {
    table_of(table, features).map(|t| Ddl::DropSearch(t.search.name.to_owned()))
}
