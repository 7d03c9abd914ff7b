#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn count(db: &Db) -> orm::Result<usize> {
    let users = User::query().all(db)?;
    Ok(users.len())
}

fn main() {}
