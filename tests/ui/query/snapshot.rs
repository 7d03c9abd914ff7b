#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn insert(db: &Db) -> orm::Result<Tag> {
    let snapshot = db.snapshot().await?;
    NewTag { name: "x".into() }.insert(&snapshot).await
}

async fn lock(db: &Db, post: Post) -> orm::Result<Post> {
    post.lock(&db.snapshot().await?).await
}

fn main() {}
