#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn left_without_author(db: &Db, user: User, post: Post) -> orm::Result<u64> {
    user.posts().unlink(db, [post.id]).await
}

fn main() {}
