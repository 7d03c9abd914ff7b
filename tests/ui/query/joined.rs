#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn many(db: &Db) -> orm::Result<()> {
    User::query().with(|u| u.posts.joined()).all(db).await?;
    Ok(())
}

async fn many_with_more(db: &Db) -> orm::Result<()> {
    User::query().with(|u| u.posts.limit(3).joined()).all(db).await?;
    Ok(())
}

fn main() {}
