#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn wrong_type(db: &Db) -> orm::Result<u64> {
    Tag::insert_from(Post::query(), |new, p| new.name.to(p.views)).exec(db).await
}

async fn managed(db: &Db) -> orm::Result<u64> {
    Tag::insert_from(Post::query(), |new, p| new.id.to(Id::new(1))).exec(db).await
}

async fn of_the_query(db: &Db) -> orm::Result<u64> {
    Tag::insert_from(Post::query().select(|p| p.title), |new, title| title.to("x")).exec(db).await
}

async fn not_unique(db: &Db) -> orm::Result<u64> {
    User::insert_from(User::query(), |new, u| new.name.to(u.name)).upsert(|u| u.name).do_nothing().exec(db).await
}

async fn undecided(db: &Db) -> orm::Result<u64> {
    Tag::insert_from(Post::query(), |new, p| new.name.to(p.title)).upsert(|t| t.name).exec(db).await
}

async fn view(db: &Db) -> orm::Result<u64> {
    TopAuthor::insert_from(Post::query(), |new, p| new.posts.to(p.views)).exec(db).await
}

async fn no_tenant(db: &Db) -> orm::Result<u64> {
    Invoice::insert_from(Post::query(), |new, p| new.total.to(p.views)).exec(db).await
}

async fn joined_type(db: &Db) -> orm::Result<u64> {
    Post::update_where(|p| p.published).join(|p| p.author).set(|(p, a)| p.title.to(a.age)).exec(db).await
}

async fn unrelated(db: &Db) -> orm::Result<u64> {
    Post::delete_where(|p| p.published).join(|p| p.author).filter(|(p, a)| a.posts).exec(db).await
}

async fn not_selected(db: &Db) -> orm::Result<Vec<i64>> {
    Post::update_where(|p| p.published).set(|p| p.views.to(1)).rows(|p| p.views.sum()).all(db).await
}

fn main() {}
