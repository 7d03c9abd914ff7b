#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn not_imported(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.name.ilike("a%")).all(db).await
}

fn main() {}
