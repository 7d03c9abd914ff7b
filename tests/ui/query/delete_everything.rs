#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn by_accident(db: &Db) -> orm::Result<u64> {
    Tag::delete_where().exec(db).await
}

fn main() {}
