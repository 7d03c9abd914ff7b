#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn too_late(db: &Db) {
    let _ = User::query().select(|u| u.name).with(|u| u.posts).all(db).await;
}

fn main() {}
