#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn missing(db: &Db) -> orm::Result<Doc> {
    NewDoc { title: "x".into() }.insert(db).await
}

async fn missing_in_transaction(db: &Db, new: NewDoc) -> orm::Result<Doc> {
    db.transaction(async |tx| -> orm::Result<Doc> { new.insert(tx).await }).await
}

async fn tenant_alone(db: &Db, new: NewDoc) -> orm::Result<Doc> {
    db.tenant(7i64).transaction(async |tx| -> orm::Result<Doc> { new.insert(tx).await }).await
}

fn main() {}
