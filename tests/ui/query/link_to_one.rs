#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn to_one(db: &Db, post: Post, user: User) -> orm::Result<u64> {
    post.author().link(db, [user.id]).await
}

fn main() {}
