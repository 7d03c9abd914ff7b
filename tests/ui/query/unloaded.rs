#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn not_loaded(db: &Db, user: User) -> usize {
    user.posts.len()
}

async fn not_loaded_below(db: &Db) -> orm::Result<()> {
    let users = User::query().with(|u| u.posts).all(db).await?;
    let _ = users[0].posts[0].author.name;
    Ok(())
}

fn main() {}
