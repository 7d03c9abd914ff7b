#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn got(db: &Db, post: Post) -> orm::Result<User> {
    User::get(db, post.id).await
}

async fn plain_number(db: &Db) -> orm::Result<User> {
    User::get(db, 5).await
}

async fn inserted(db: &Db, post: Id<Post>) -> orm::Result<Tag> {
    NewTag { name: "x".into() }.with_id(post).insert(db).await
}

fn main() {}
