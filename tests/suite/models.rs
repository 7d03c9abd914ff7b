//! The models of the suite: a blog, and one of every other kind of table.

use orm::prelude::*;
use orm::schema::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Model, Clone, Debug, PartialEq)]
#[has_one(profile: Profile)]
#[has_many(posts: Post, by = author_id)]
#[has_many(comments: Comment, by = author_id)]
pub struct User {
    pub id: Id<User>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
    pub bio: Option<String>,
    #[orm(default = 0)]
    pub age: i32,
}

/// A real one-to-one relation: the key is the user's.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Profile {
    #[orm(id)]
    #[belongs_to(user: User)]
    pub user_id: Id<User>,
    pub avatar_url: String,
}

/// A post of the blog.
#[derive(Model, Clone, Debug, PartialEq)]
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
    pub score: Option<i64>,
    #[orm(version)]
    pub version: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(post_id, tag_id))]
pub struct PostTag {
    #[belongs_to(post: Post)]
    pub post_id: Id<Post>,
    #[belongs_to(tag: Tag)]
    pub tag_id: Id<Tag>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(posts: Post, via = PostTag)]
pub struct Tag {
    pub id: Id<Tag>,
    #[orm(unique)]
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(children: Category, by = parent_id)]
#[has_many(posts: Post)]
pub struct Category {
    pub id: Id<Self>,
    #[belongs_to(parent: Self, on_delete = set_null)]
    pub parent_id: Option<Id<Self>>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Comment {
    pub id: Id<Comment>,
    #[belongs_to(post: Post)]
    pub post_id: Id<Post>,
    #[belongs_to(author: User)]
    pub author_id: Id<User>,
    pub body: String,
}

/// All tables of the blog.
pub fn blog() -> Schema {
    orm::schema![User, Profile, Post, PostTag, Tag, Category, Comment]
}

/// Records who wrote it.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(timestamps, soft_delete, audit(by = Id<User>))]
pub struct Doc {
    pub id: Id<Doc>,
    pub title: String,
    #[orm(version)]
    pub version: i64,
}

/// Belongs to a tenant; its key is a UUID.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(tenant(org))]
pub struct Invoice {
    pub id: Id<Invoice, Uuid>,
    pub org: i64,
    pub total: i64,
}

/// Everything at once.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(timestamps, soft_delete, audit(by = Id<User>), tenant(org), unique(org, number))]
#[has_many(lines: Line, by = account_id)]
pub struct Account {
    pub id: Id<Account>,
    pub org: i64,
    pub number: String,
    #[orm(default = 0)]
    pub balance: i64,
    #[orm(version)]
    pub version: i64,
}

/// A soft-deleted child of the same tenant.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete, tenant(org))]
pub struct Line {
    pub id: Id<Line>,
    pub org: i64,
    #[belongs_to(account: Account)]
    pub account_id: Id<Account>,
    pub amount: i64,
}

/// The models with people and tenants.
pub fn books() -> Schema {
    orm::schema![User, Doc, Invoice, Account, Line]
}

/// Keys that the user chooses.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(cities: City)]
pub struct Country {
    #[orm(id)]
    pub code: String,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(country_id, name))]
pub struct City {
    #[belongs_to(country: Country)]
    pub country_id: String,
    pub name: String,
    #[orm(check = "people >= 0")]
    pub people: i64,
}

/// A natural key, soft-deleted: the case that upserts revive.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
pub struct Room {
    #[orm(id)]
    pub code: String,
    #[orm(unique)]
    pub door: i32,
    pub seats: i32,
}

/// Models with keys that are not generated.
pub fn places() -> Schema {
    orm::schema![Country, City, Room]
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Happy,
    #[orm(rename = "so so")]
    SoSo,
    Sad,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Address {
    pub street: String,
    pub lines: Vec<String>,
}

/// One column of every type.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Sample {
    pub id: Id<Sample>,
    pub flag: bool,
    pub tiny: i8,
    pub small: i16,
    pub int: i32,
    pub big: i64,
    pub byte: u8,
    pub word: u16,
    pub dword: u32,
    pub qword: u64,
    pub single: f32,
    pub double: f64,
    pub text: String,
    pub bytes: Vec<u8>,
    pub uuid: Uuid,
    pub instant: chrono::DateTime<chrono::Utc>,
    pub local: chrono::NaiveDateTime,
    pub date: chrono::NaiveDate,
    pub time: chrono::NaiveTime,
    pub json: serde_json::Value,
    #[orm(json)]
    pub address: Address,
    #[orm(decimal(10, 2))]
    pub price: rust_decimal::Decimal,
    #[orm(decimal(28, 10))]
    pub exact: rust_decimal::Decimal,
    pub mood: Mood,
    pub maybe_text: Option<String>,
    pub maybe_int: Option<i64>,
    pub maybe_time: Option<Timestamp>,
    pub maybe_mood: Option<Mood>,
    #[orm(decimal(10, 2))]
    pub maybe_price: Option<rust_decimal::Decimal>,
}

pub async fn user(db: &impl Writes<User>, name: &str) -> User {
    let new = NewUser {
        email: format!("{name}@x.io"),
        name: name.to_owned(),
    };
    new.insert(db).await.expect("a user")
}

pub async fn post(db: &impl Writes<Post>, author: &User, title: &str) -> Post {
    let new = NewPost {
        author_id: author.id,
        title: title.to_owned(),
    };
    new.insert(db).await.expect("a post")
}

pub async fn tag(db: &impl Writes<Tag>, name: &str) -> Tag {
    NewTag {
        name: name.to_owned(),
    }
    .insert(db)
    .await
    .expect("a tag")
}

pub async fn label(db: &impl Writes<PostTag>, post: &Post, tag: &Tag) {
    NewPostTag {
        post_id: post.id,
        tag_id: tag.id,
    }
    .insert(db)
    .await
    .expect("a label");
}

pub async fn comment(db: &impl Writes<Comment>, post: &Post, author: &User, body: &str) -> Comment {
    let new = NewComment {
        post_id: post.id,
        author_id: author.id,
        body: body.to_owned(),
    };
    new.insert(db).await.expect("a comment")
}

/// The error of what must not work.
pub fn refused<T>(result: orm::Result<T>) -> Error {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(e) => e,
    }
}
