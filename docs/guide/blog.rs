// The models of the guide, and `example!`, which gives a page's code a database in memory. Not a chapter.

use orm::prelude::*;

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
}

#[derive(Model, Clone, Debug)]
pub struct Profile {
    #[orm(id)]
    #[belongs_to(user: User)]
    pub user_id: Id<User>,
    pub avatar_url: String,
}

#[derive(Model, Clone, Debug)]
#[orm(timestamps, soft_delete)]
#[orm(index(author_id, created_at.desc()), index(title, where = "published"))]
#[has_many(comments: Comment)]
#[many_to_many(tags: Tag, via = PostTag)]
pub struct Post {
    pub id: Id<Post>,
    #[belongs_to(author: User)]
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
#[has_many(posts: Post)]
pub struct Category {
    pub id: Id<Category>,
    pub name: String,
}

#[derive(Model, Clone, Debug)]
#[many_to_many(posts: Post, via = PostTag)]
pub struct Tag {
    pub id: Id<Tag>,
    #[orm(unique)]
    pub name: String,
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
pub struct Comment {
    pub id: Id<Comment>,
    #[belongs_to(post: Post, on_delete = cascade)]
    pub post_id: Id<Post>,
    #[belongs_to(author: User)]
    pub author_id: Id<User>,
    pub body: String,
}

/// Two users, a post each of which has a comment and a tag.
#[allow(dead_code)]
async fn blog() -> orm::Result<(Db, User, Post)> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_all(&orm::schema![User, Profile, Category, Tag, Post, PostTag, Comment]).await?;
    let new = |email: &str, name: &str| NewUser { email: email.into(), name: name.into() };
    let ann = new("ann@x.io", "Ann").insert(&db).await?;
    let bob = new("bob@x.io", "Bob").insert(&db).await?;
    let post = NewPost { author_id: ann.id, title: "Rust".into() }
        .set(|p| (p.published.to(true), p.views.to(120)))
        .insert(&db)
        .await?;
    NewComment { post_id: post.id, author_id: bob.id, body: "Nice".into() }.insert(&db).await?;
    let tag = NewTag { name: "rust".into() }.insert(&db).await?;
    NewPostTag { post_id: post.id, tag_id: tag.id }.insert(&db).await?;
    Ok((db, ann, post))
}

/// `example! { fn main(db, ann, post) … }` runs the code behind it.
#[allow(unused_macros)]
macro_rules! example {
    (fn main($db:ident, $ann:ident, $post:ident) $($code:tt)*) => {
        #[allow(unused)]
        fn main() {
            let run = async {
                let ($db, $ann, $post) = blog().await?;
                $($code)*
                Ok::<(), Box<dyn std::error::Error>>(())
            };
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.unwrap().block_on(run).unwrap();
        }
    };
}
