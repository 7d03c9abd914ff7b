#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

#[derive(Model)]
#[orm(view = "SELECT author_id, count(*) AS posts FROM posts GROUP BY author_id")]
pub struct Busy {
    pub author_id: Id<User>,
    pub posts: i64,
}

async fn get(db: &Db, user: User) -> orm::Result<Busy> {
    Busy::get(db, user.id).await
}

async fn again(db: &Db, busy: Busy) -> orm::Result<Busy> {
    busy.refresh(db).await
}

async fn anew(db: &Db) -> orm::Result<()> {
    Busy::refresh_view(db).await
}

fn main() {}
