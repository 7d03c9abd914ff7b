#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn selected(db: &Db) -> orm::Result<Vec<User>> {
    User::query().select(|u| (u.id, u.name)).all(db).await
}

async fn misspelt(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.nam.eq("x")).all(db).await
}

fn main() {}
