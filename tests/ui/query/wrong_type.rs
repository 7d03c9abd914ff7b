#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn id_compared(db: &Db, post: Post) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.id.eq(post.id)).all(db).await
}

async fn text_compared(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.age.eq("18")).all(db).await
}

async fn number_assigned(db: &Db, user: User) -> orm::Result<User> {
    user.update().set(|u| u.name.to(5)).save(db).await
}

async fn nullable_assigned(db: &Db, user: User) -> orm::Result<User> {
    user.update().set(|u| u.name.to(u.bio)).save(db).await
}

fn main() {}
