#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn not_unique(db: &Db, new: NewUser) -> orm::Result<Option<User>> {
    new.upsert(|u| u.name).do_nothing().exec(db).await
}

async fn undecided(db: &Db) -> orm::Result<Upserted<Tag>> {
    NewTag { name: "x".into() }.upsert(|t| t.name).exec(db).await
}

fn main() {}
