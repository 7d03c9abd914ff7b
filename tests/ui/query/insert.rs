#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn missing_column(db: &Db) -> orm::Result<User> {
    NewUser { name: "Ann".into(), age: 8 }.insert(db).await
}

async fn other_model(db: &Db) -> orm::Result<Vec<User>> {
    NewUser::insert_all(db, [NewTag { name: "x".into() }]).await
}

fn main() {}
