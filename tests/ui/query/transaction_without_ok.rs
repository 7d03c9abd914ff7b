#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn semicolon(db: &Db) -> orm::Result<()> {
    db.transaction(async |tx| {
        User::query().all(tx).await?;
    })
    .await
}

fn main() {}
