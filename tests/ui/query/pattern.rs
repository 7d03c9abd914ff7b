#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn no_text(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| p.views.regex("^1")).all(db).await
}

fn main() {}
