//! Schemas read from databases.

mod dice;
pub(crate) mod models;
mod postgres;
mod sqlite;

use orm::ast::RawPart;
use orm::prelude::*;
use orm::query::RawSql;
use orm_migrate::schema::{Column, IndexPart};

/// Runs hand-written statements.
async fn run(db: &Db, statements: &[&'static str]) {
    for text in statements {
        let done = RawSql::new(vec![RawPart::Text(text)]).exec(db).await;
        done.unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

/// A column that takes NULL.
fn column(name: &str, ty: &str) -> Column {
    Column {
        name: name.into(),
        ty: ty.into(),
        nullable: true,
        ..Column::default()
    }
}
fn required(name: &str, ty: &str) -> Column {
    Column {
        nullable: false,
        ..column(name, ty)
    }
}
fn part(key: &str) -> IndexPart {
    IndexPart {
        key: key.into(),
        ..IndexPart::default()
    }
}
fn expression(sql: &str) -> IndexPart {
    IndexPart {
        expression: true,
        ..part(sql)
    }
}
fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}
