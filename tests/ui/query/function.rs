#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn text_function_of_a_number(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| p.views.lower().eq("a")).all(db).await
}

async fn sum_of_texts(db: &Db) -> orm::Result<i64> {
    Post::query().aggregate(|p| p.title.sum()).one(db).await
}

async fn year_of_a_text(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| p.title.year().eq(2024)).all(db).await
}

fn main() {}
