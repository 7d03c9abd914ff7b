#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn rows_of_another_type(db: &Db) -> orm::Result<Vec<String>> {
    User::query().select(|u| u.name).union(Post::query().select(|p| p.id)).all(db).await
}

async fn ordered_by_another_column(db: &Db) -> orm::Result<Vec<String>> {
    let names = User::query().select(|u| u.name);
    names.union(Category::query().select(|c| c.name)).order_by(|u| u.id.asc()).all(db).await
}

async fn a_part_of_a_query(db: &Db) -> orm::Result<i64> {
    User::query().select(|u| u.name).union(Post::query().join(|p| p.author)).count(db).await
}

fn main() {}
