#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn compared(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.bio.eq(None)).all(db).await
}

async fn compared_option(db: &Db, bio: Option<String>) -> orm::Result<Vec<User>> {
    User::query().filter(|u| u.bio.eq(bio)).all(db).await
}

async fn assigned(db: &Db, user: User) -> orm::Result<User> {
    user.update().set(|u| u.name.to(None)).save(db).await
}

fn main() {}
