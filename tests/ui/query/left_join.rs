#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn read_as_present(db: &Db) -> orm::Result<Vec<(String, String)>> {
    Post::query().left_join(|p| p.category).select(|(p, c)| (p.title, c.name)).all(db).await
}

async fn without_option(db: &Db) -> orm::Result<Vec<String>> {
    Post::query().left_join(|p| p.category).select(|(_, c)| c.map(|c| c.name)).all(db).await
}

fn main() {}
