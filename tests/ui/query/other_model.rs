#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::ast::Source;
use orm::prelude::*;

async fn condition(db: &Db) -> orm::Result<Vec<User>> {
    let p = Post::cols::<Post>(Source::fresh());
    User::query().filter(|u| p.title.eq("x")).all(db).await
}

async fn mixed(db: &Db) -> orm::Result<Vec<User>> {
    let p = Post::cols::<Post>(Source::fresh());
    User::query().filter(|u| u.name.eq("x").and(p.published)).all(db).await
}

async fn operand(db: &Db) -> orm::Result<Vec<User>> {
    let p = Post::cols::<Post>(Source::fresh());
    User::query().filter(|u| u.name.eq(p.title)).all(db).await
}

fn main() {}
