#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn the_row_above(db: &Db) {
    let _ = User::query()
        .with(|u| u.posts.filter(|p| p.title.eq(u.name)))
        .all(db)
        .await;
}

fn main() {}
