#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;
use orm::window::{rank, row_number};

async fn filtered(db: &Db) -> orm::Result<Vec<Post>> {
    Post::query().filter(|p| rank().over(|w| w.order_by(p.views.desc())).le(3)).all(db).await
}

async fn without_window(db: &Db) -> orm::Result<Vec<i64>> {
    Post::query().select(|p| row_number()).all(db).await
}

async fn not_an_option(db: &Db) -> orm::Result<Vec<i64>> {
    Post::query().select(|p| p.views.lag(1).over(|w| w.order_by(p.id.asc()))).all(db).await
}

async fn order_without_direction(db: &Db) -> orm::Result<Vec<i64>> {
    Post::query().select(|p| row_number().over(|w| w.order_by(p.id))).all(db).await
}

fn main() {}
