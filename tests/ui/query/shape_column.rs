#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

#[derive(Shape)]
#[shape(Post)]
struct WrongName {
    titel: String,
}

#[derive(Shape)]
#[shape(Post)]
struct WrongType {
    title: i64,
}

#[derive(Shape)]
#[shape(Post)]
struct NotNullable {
    category_id: Id<Category>,
}

#[derive(Shape)]
#[shape(Post)]
struct RenamedWrongType {
    #[col(title)]
    headline: i64,
}

#[derive(Shape)]
#[shape(User)]
struct RelationWithoutRel {
    posts: Vec<PostCard>,
}

#[derive(Shape)]
#[shape(Post)]
struct PostCard {
    title: String,
}

struct Address;

#[derive(Shape)]
#[shape(User)]
struct NoColumnType {
    name: Address,
}

#[derive(Shape)]
#[shape(User)]
struct WrongExpression {
    #[expr(|u| u.name.lower())]
    lower: i64,
}

#[derive(Shape)]
#[shape(User)]
struct WrongCount {
    #[count(posts)]
    posts: i32,
}

#[derive(Shape)]
#[shape(User)]
struct WrongAggregate {
    #[agg(posts, |p| p.views.sum())]
    views: i64,
}

#[derive(Shape)]
#[shape(User)]
struct CountOfColumn {
    #[count(name)]
    names: i64,
}

#[derive(Shape)]
#[shape(Address)]
struct OfNoModel {
    name: String,
}

fn main() {}
