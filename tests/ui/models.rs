//! The models of the mistakes in `query`.

use orm::prelude::*;

#[derive(Model)]
#[has_many(posts: Post, by = author_id)]
pub struct User {
    pub id: Id<User>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
    pub bio: Option<String>,
    pub age: i32,
}

#[derive(Model)]
#[orm(timestamps, soft_delete)]
pub struct Post {
    pub id: Id<Post>,
    #[belongs_to(author: User)]
    pub author_id: Id<User>,
    #[belongs_to(category: Category)]
    pub category_id: Option<Id<Category>>,
    pub title: String,
    pub published: bool,
    pub views: i64,
}

#[derive(Model)]
pub struct Category {
    pub id: Id<Category>,
    pub name: String,
}

#[derive(Model)]
pub struct Tag {
    pub id: Id<Tag>,
    #[orm(unique)]
    pub name: String,
}

#[derive(Model)]
#[orm(tenant(tenant_id))]
pub struct Invoice {
    pub id: Id<Invoice>,
    pub tenant_id: i64,
    pub total: i64,
}

#[derive(Model)]
#[orm(audit(by = Id<User>))]
pub struct Doc {
    pub id: Id<Doc>,
    pub title: String,
}

#[derive(Model)]
#[orm(view)]
pub struct TopAuthor {
    #[orm(id)]
    pub user_id: Id<User>,
    pub posts: i64,
}
