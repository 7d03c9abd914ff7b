#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn not_declared(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().search("rust -orm").all(db).await
}

async fn not_declared_as_a_condition(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| p.search("rust -orm")).all(db).await
}

fn main() {}
