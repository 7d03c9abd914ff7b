#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn actor(db: &Db, post: Post, new: NewDoc) -> orm::Result<Doc> {
    new.insert(&db.acting_as(post.id)).await
}

async fn tenant(db: &Db) -> orm::Result<Vec<Invoice>> {
    Invoice::query().all(&db.tenant(String::from("x"))).await
}

fn main() {}
