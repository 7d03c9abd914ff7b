#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

#[derive(Shape)]
#[shape(Category)]
struct CategoryCard {
    name: String,
}

#[derive(Shape)]
#[shape(Post)]
struct PostCard {
    title: String,
}

struct Plain {
    title: String,
}

#[derive(Shape)]
#[shape(Post)]
struct MissingOption {
    #[rel]
    category: CategoryCard,
}

#[derive(Shape)]
#[shape(Post)]
struct NeedlessOption {
    #[rel]
    author: Option<User>,
}

#[derive(Shape)]
#[shape(Post)]
struct ListOfOne {
    #[rel]
    category: Vec<CategoryCard>,
}

#[derive(Shape)]
#[shape(User)]
struct OneOfMany {
    #[rel]
    posts: Option<PostCard>,
}

#[derive(Shape)]
#[shape(Post)]
struct FilteredMayBeNone {
    #[rel(author, filter = |u| u.age.gt(18))]
    adult: User,
}

#[derive(Shape)]
#[shape(User)]
struct MissingDerive {
    #[rel]
    posts: Vec<Plain>,
}

#[derive(Shape)]
#[shape(Post)]
struct MissingDeriveOne {
    #[rel]
    author: Plain,
}

#[derive(Shape)]
#[shape(User)]
struct ShapeOfAnother {
    #[rel]
    posts: Vec<CategoryCard>,
}

#[derive(Shape)]
#[shape(User)]
struct NoRelation {
    #[rel]
    name: Vec<PostCard>,
}

#[derive(Shape)]
#[shape(User)]
struct WrongRelationName {
    #[rel]
    post: Vec<PostCard>,
}

#[derive(Shape)]
#[shape(User)]
struct WrongItem {
    #[rel(posts, select = |p| p.title)]
    ids: Vec<Id<Post>>,
}

#[derive(Shape)]
#[shape(User)]
struct WrongFilter {
    #[rel(posts, filter = |p| p.title)]
    posts: Vec<PostCard>,
}

async fn shape_of_another(db: &Db) -> orm::Result<Vec<PostCard>> {
    User::query().shape::<PostCard>().all(db).await
}

async fn no_shape(db: &Db) -> orm::Result<Vec<Plain>> {
    Post::query().shape::<Plain>().all(db).await
}

fn main() {}
