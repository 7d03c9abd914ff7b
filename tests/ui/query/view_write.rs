#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn update(db: &Db, top: TopAuthor) -> orm::Result<TopAuthor> {
    top.update().set(|t| t.posts.to(1)).save(db).await
}

fn main() {}
