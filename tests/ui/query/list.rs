#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn values(db: &Db, ids: Vec<Id<Post>>) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.id.in_(ids)).all(db).await
}

async fn query(db: &Db) -> orm::Result<Vec<User>> {
    let posts = Post::query().select(|p| p.id);
    User::query().filter(|u| u.id.in_(posts)).all(db).await
}

fn main() {}
