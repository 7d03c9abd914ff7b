#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn not_said_to_be_outer(db: &Db) -> orm::Result<Vec<User>> {
    User::query().filter(|u| exists(Post::query().filter(|p| p.author_id.eq(u.id)))).all(db).await
}

async fn with_relations(db: &Db) -> orm::Result<i64> {
    Post::query().cross_join(User::query().with(|u| u.posts)).select(|(p, _)| p.id).count(db).await
}

async fn not_a_query(db: &Db) -> orm::Result<i64> {
    User::query().join_on(vec![1], |u, n| u.age.eq(n)).select(|(u, _)| u.id).count(db).await
}

async fn left_joined_as_present(db: &Db) -> orm::Result<Vec<i64>> {
    let counts = Post::query().group_by(|p| p.author_id).select(|g| (g.key(), g.count()));
    let users = User::query().left_join_on(counts, |u, (author, _)| u.id.eq(author));
    users.select(|(_, (_, posts))| posts).all(db).await
}

#[derive(Shape)]
#[shape(Post)]
struct Card {
    title: String,
}

async fn a_shape(db: &Db) -> orm::Result<i64> {
    orm::from(Post::query().shape::<Card>()).select(|p| p.title).count(db).await
}

async fn a_tuple_with_a_model(db: &Db) -> orm::Result<i64> {
    orm::from(Post::query().select(|p| (p.id, p))).select(|(id, _)| id).count(db).await
}

fn main() {}
