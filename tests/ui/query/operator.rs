#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn text_plus_number(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| (u.name + 1).eq(2)).all(db).await
}

async fn text_in_number(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.age.contains("1")).all(db).await
}

async fn arms_of_case(db: &Db) -> orm::Result<Vec<String>> {
    Post::query().select(|p| case(p.published, "yes").or_else(5)).all(db).await
}

async fn column_of_many(db: &Db) {
    let _ = User::query().select(|u| u.posts.col(|p| p.title)).all(db).await;
}

fn main() {}
