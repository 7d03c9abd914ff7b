#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn column(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.name).all(db).await
}

async fn operator(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.name == "x").all(db).await
}

async fn never_null(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.name.is_null()).all(db).await
}

async fn column_of_related(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.posts.any(|p| p.title)).all(db).await
}

fn main() {}
