#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn of_another(db: &Db, posts: PostCols<Post>) {
    let _ = User::query().with(|u| posts.author).all(db).await;
}

fn main() {}
