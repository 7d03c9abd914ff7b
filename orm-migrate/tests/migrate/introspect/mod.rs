//! Schemas read from databases.

mod postgres;
mod sqlite;

use orm::ast::RawPart;
use orm::prelude::*;
use orm::query::RawSql;

/// Runs hand-written statements.
async fn run(db: &Db, statements: &[&'static str]) {
    for text in statements {
        let done = RawSql::new(vec![RawPart::Text(text)]).exec(db).await;
        done.unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}
