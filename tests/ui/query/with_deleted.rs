#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn really_deleted(db: &Db) -> orm::Result<Vec<Tag>> {
    Tag::query().with_deleted().all(db).await
}

fn main() {}
