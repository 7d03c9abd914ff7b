#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn captured(db: &Db, name: String) -> orm::Result<Tag> {
    db.tx()
        .retry(3)
        .run(async |tx| -> orm::Result<Tag> { NewTag { name }.insert(tx).await })
        .await
}

fn main() {}
