#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn url(db: &Db) -> orm::Result<Vec<User>> {
    User::query().all("postgres://").await
}

async fn by_value(db: Db) -> orm::Result<Vec<User>> {
    User::query().all(db).await
}

async fn cursor_outside(mut db: Db) -> orm::Result<Option<User>> {
    User::query().stream(&mut db).next().await
}

async fn field(db: &Db) -> orm::Result<i64> {
    db.transaction(async |tx| -> orm::Result<i64> { User::query().count(tx.id).await }).await
}

fn main() {}
