#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn of_a_table_that_may_be_absent(db: &Db) -> orm::Result<Vec<Id<Post>>> {
    Post::query().left_join(|p| p.category).for_update_of(|(_, c)| c).select(|(p, _)| p.id).all(db).await
}

async fn of_a_relation(db: &Db) -> orm::Result<Vec<Id<Post>>> {
    Post::query().join(|p| p.author).for_update_of(|(p, _)| p.author).select(|(p, _)| p.id).all(db).await
}

async fn distinct_on_a_relation(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().distinct_on(|p| p.author).all(db).await
}

fn main() {}
