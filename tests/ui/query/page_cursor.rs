//! What a client sent is text until it is parsed.
#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn page(db: &Db, given: String) -> orm::Result<orm::Page<User>> {
    User::query().order_by(|u| u.name.asc()).page(20).after(given).fetch(db).await
}

fn main() {}
