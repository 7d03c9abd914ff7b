#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn insert(db: &Db, user: User) -> orm::Result<TopAuthor> {
    NewTopAuthor { user_id: user.id }.insert(db).await
}

fn main() {}
