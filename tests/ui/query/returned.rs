#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn order(db: &Db) -> orm::Result<Vec<User>> {
    User::query().order_by(|u| u.name).all(db).await
}

async fn order_tuple(db: &Db) -> orm::Result<Vec<User>> {
    User::query().order_by(|u| (u.name.asc(), u.id)).all(db).await
}

async fn assignment(db: &Db, user: User) -> orm::Result<User> {
    user.update().set(|u| (u.name.to("x"), u.bio)).save(db).await
}

async fn selection(db: &Db) {
    let _ = User::query().select(|u| (u.name, u.posts)).all(db).await;
}

fn main() {}
