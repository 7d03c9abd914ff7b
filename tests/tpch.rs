//! The 22 queries of TPC-H on every backend: typed answers against the SQL of the specification.
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "../examples/tpch/cells.rs"]
mod cells;
#[path = "../examples/tpch/check.rs"]
mod check;
#[path = "../examples/tpch/load.rs"]
mod load;
#[path = "../examples/tpch/models.rs"]
mod models;
#[path = "../examples/tpch/postgres.rs"]
mod postgres;
#[path = "../examples/tpch/queries.rs"]
mod queries;
#[path = "../examples/tpch/sqlite.rs"]
mod sqlite;

use orm::prelude::*;

use crate::check::{QUESTIONS, compare};
use crate::load::{Error, load};
use crate::models::LineItem;

/// All rows are there, and every typed query has the rows of the specification's SQL.
async fn holds(db: &Db) -> Result<(), Error> {
    assert_eq!(load(db).await?, 86_805);
    assert_eq!(LineItem::query().count(db).await?, 60_175);
    let mut different = Vec::new();
    for question in QUESTIONS {
        let verdict = compare(db, question).await?;
        assert!(verdict.telling, "Q{} has no values to compare", question.number);
        if !verdict.equal {
            different.push(question.number);
        }
    }
    assert_eq!(different, Vec::<u8>::new());
    let numbers: Vec<u8> = QUESTIONS.iter().map(|q| q.number).collect();
    assert_eq!(numbers, (1..=22).collect::<Vec<u8>>());
    Ok(())
}

#[tokio::test]
async fn answers_match_on_sqlite() -> Result<(), Error> {
    holds(&*orm::testing::fresh_sqlite().await?).await
}

#[tokio::test]
async fn answers_match_on_postgres() -> Result<(), Error> {
    holds(&*orm::testing::fresh_postgres().await?).await
}
