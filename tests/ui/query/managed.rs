#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn key(db: &Db, post: Post) -> orm::Result<Post> {
    post.update().set(|p| p.id.to(Id::new(1))).save(db).await
}

async fn timestamp(db: &Db, post: Post, at: Timestamp) -> orm::Result<Post> {
    post.update().set(|p| p.created_at.to(at)).save(db).await
}

fn main() {}
