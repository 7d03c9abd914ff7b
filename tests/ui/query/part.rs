#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

fn all_of_them(posts: Vec<Post>) {}

async fn some_for_all(db: &Db) -> orm::Result<()> {
    let user = User::query().with(|u| u.posts.limit(5)).one(db).await?;
    all_of_them(user.posts);
    Ok(())
}

fn main() {}
