#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn plain_column(db: &Db) -> orm::Result<Vec<(Id<User>, String)>> {
    Post::query().group_by(|p| p.author_id).select(|g| (g.key(), g.title)).all(db).await
}

async fn aggregate_in_filter(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| p.views.sum().gt(5)).all(db).await
}

fn main() {}
