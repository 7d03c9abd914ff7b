#![allow(unused)]

#[path = "../any_models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn required(db: &Db, post: Post) -> orm::Result<u64> {
    post.notes().unlink_all(db).await
}

fn main() {}
