//! `#[derive(Shape)]`: structs that a query reads by their fields, in one statement and one more for each relation.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};
use serde::Serialize;

use crate::models::*;

/// Ann has two posts in sight and a deleted one, Bob one, Cid none; comments and tags as each test needs them.
async fn library(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "Ann").await, user(db, "Bob").await);
    user(db, "Cid").await;
    let news = NewCategory { name: "news".into() }.insert(db).await?;
    let mut posts = Vec::new();
    for (author, title, views, published) in [
        (&ann, "a", 3, true),
        (&ann, "b", 4, false),
        (&ann, "c", 50, true),
        (&bob, "d", 7, true),
    ] {
        let post = NewPost {
            author_id: author.id,
            title: title.into(),
        };
        let post = post
            .set(|p| (p.views.to(views), p.published.to(published)))
            .insert(db)
            .await?;
        posts.push(post);
    }
    let (a, d) = (posts[0].clone(), posts[3].clone());
    posts[2].clone().delete(db).await?;
    let (rust, sql) = (tag(db, "rust").await, tag(db, "sql").await);
    label(db, &a, &rust).await;
    label(db, &a, &sql).await;
    label(db, &d, &sql).await;
    comment(db, &a, &bob, "nice").await;
    comment(db, &a, &ann, "thanks").await;
    a.update()
        .set(|p| p.category_id.to(Some(news.id)))
        .save(db)
        .await?;
    NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    }
    .insert(db)
    .await?;
    Ok((ann, bob))
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(User)]
struct UserPage {
    #[rel(order = |p| p.id.desc(), limit = 5)]
    posts: Vec<PostCard>,
    name: String,
    id: Id<User>,
    #[expr(|u| u.name.lower())]
    lower: String,
    #[rel]
    profile: Option<ProfileCard>,
    #[count(posts)]
    post_count: i64,
    #[count(posts, filter = |p| p.published)]
    published_count: i64,
    #[agg(posts, |p| p.views.sum())]
    views: Option<i64>,
    #[rel(posts, filter = |p| p.published)]
    published: Vec<PostCard>,
    #[rel(posts, order = |p| p.title.asc(), select = |p| p.title)]
    titles: Vec<String>,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Profile)]
struct ProfileCard {
    #[col(avatar_url)]
    avatar: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Post)]
struct PostCard {
    title: String,
    #[rel]
    author: AuthorCard,
    #[rel]
    category: Option<CategoryCard>,
    #[rel(tags, order = |t| t.name.asc())]
    tags: Vec<TagCard>,
    #[rel(order = |c| c.id.asc())]
    comments: Vec<CommentCard>,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(User)]
struct AuthorCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Category)]
struct CategoryCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Tag)]
struct TagCard {
    name: String,
}

#[derive(Shape, Serialize, Clone, Debug, PartialEq)]
#[shape(Comment)]
struct CommentCard {
    body: String,
    #[expr(|c| c.author.col(|a| a.name))]
    by: String,
}

#[orm::test(schema = blog())]
async fn a_page_as_json(db: Db) -> orm::Result<()> {
    library(&db).await?;
    // users, profile, posts with author, category, tags and comments, published likewise, titles
    let pages: Vec<UserPage> = assert_statements!(db, 13, {
        User::query()
            .shape::<UserPage>()
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let json = serde_json::to_value(&pages).unwrap();
    let a = serde_json::json!({
        "title": "a", "author": {"name": "Ann"}, "category": {"name": "news"},
        "tags": [{"name": "rust"}, {"name": "sql"}],
        "comments": [{"body": "nice", "by": "Bob"}, {"body": "thanks", "by": "Ann"}],
    });
    let b = serde_json::json!({
        "title": "b", "author": {"name": "Ann"}, "category": null, "tags": [], "comments": [],
    });
    let d = serde_json::json!({
        "title": "d", "author": {"name": "Bob"}, "category": null, "tags": [{"name": "sql"}], "comments": [],
    });
    assert_eq!(
        json,
        serde_json::json!([
            {
                "posts": [b, a], "name": "Ann", "id": 1, "lower": "ann", "profile": {"avatar": "ann.png"},
                "post_count": 2, "published_count": 1, "views": 7, "published": [a], "titles": ["a", "b"],
            },
            {
                "posts": [d], "name": "Bob", "id": 2, "lower": "bob", "profile": null,
                "post_count": 1, "published_count": 1, "views": 7, "published": [d], "titles": ["d"],
            },
            {
                "posts": [], "name": "Cid", "id": 3, "lower": "cid", "profile": null,
                "post_count": 0, "published_count": 0, "views": null, "published": [], "titles": [],
            },
        ])
    );
    Ok(())
}
