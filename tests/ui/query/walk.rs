#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn elsewhere(db: &Db, ann: User) -> orm::Result<Vec<Post>> {
    ann.walk(|u| u.posts).all(db).await
}

fn main() {}
