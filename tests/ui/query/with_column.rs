#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn a_column(db: &Db) {
    let _ = User::query().with(|u| u.name).all(db).await;
}

fn main() {}
