//! What `#[derive(Model)]` says about a table, without any database. The models of the guide stand here, others
//! beside the tests that need them.
#![allow(dead_code, missing_docs, unreachable_pub)]

mod derive {
    mod embed;
    mod keys;
    mod managed;
    mod names;
    mod relations;
    mod ring;
    mod shapes;
    mod table;
}

use orm::DbEnum;
use orm::prelude::Model;
use orm::value::Id;

#[derive(Model, Clone, Debug)]
#[has_one(profile: Profile)]
#[has_many(posts: Post, by = author_id)]
#[has_many(comments: Comment, by = author_id)]
pub struct User {
    pub id: Id<User>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
    pub bio: Option<String>,
}

#[derive(Model, Clone, Debug)]
pub struct Profile {
    #[orm(id)]
    #[belongs_to(user: User)]
    pub user_id: Id<User>,
    pub avatar_url: String,
}

/// Doc comments become table and column comments.
#[derive(Model, Clone, Debug)]
#[orm(timestamps, soft_delete)]
#[orm(index(author_id, created_at.desc()), index(title, where = "published"))]
#[has_many(comments: Comment)]
#[many_to_many(tags: Tag, via = PostTag)]
pub struct Post {
    pub id: Id<Post>,
    #[belongs_to(author: User, on_delete = restrict)]
    pub author_id: Id<User>,
    #[belongs_to(category: Category)]
    pub category_id: Option<Id<Category>>,
    pub title: String,
    #[orm(default = false)]
    pub published: bool,
    #[orm(default = 0)]
    pub views: i64,
    #[orm(version)]
    pub version: i64,
}

#[derive(Model, Clone, Debug)]
#[orm(id(post_id, tag_id))]
pub struct PostTag {
    #[belongs_to(post: Post)]
    pub post_id: Id<Post>,
    #[belongs_to(tag: Tag)]
    pub tag_id: Id<Tag>,
}

#[derive(Model, Clone, Debug)]
#[many_to_many(posts: Post, via = PostTag)]
pub struct Tag {
    pub id: Id<Tag>,
    #[orm(unique)]
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[has_many(children: Category, by = parent_id)]
#[has_many(posts: Post)]
pub struct Category {
    pub id: Id<Self>,
    #[belongs_to(parent: Self, on_delete = set_null)]
    pub parent_id: Option<Id<Self>>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
pub struct Comment {
    pub id: Id<Comment>,
    #[belongs_to(post: Post, on_delete = cascade)]
    pub post_id: Id<Post>,
    #[belongs_to(author: User)]
    pub author_id: Id<User>,
    pub body: String,
    pub mood: Option<Mood>,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Happy,
    #[orm(rename = "so so")]
    SoSo,
}
