//! The library in one file: models, insert, query, relation filter, update, soft delete, transaction.
//!
//! `cargo run --example quickstart`
#![allow(missing_docs)]

use orm::prelude::*;

#[derive(Model, Clone, Debug)]
#[has_many(posts: Post, by = author_id)]
pub struct User {
    pub id: Id<User>,
    #[orm(unique)]
    pub email: String,
    pub name: String,
    pub bio: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[orm(timestamps, soft_delete)]
pub struct Post {
    pub id: Id<Post>,
    #[belongs_to(author: User)]
    pub author_id: Id<User>,
    pub title: String,
    #[orm(default = false)]
    pub published: bool,
}

#[tokio::main]
async fn main() -> orm::Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_all(&orm::schema![User, Post]).await?;

    // required columns are the fields of `NewUser`; the others are set by name
    let (email, name) = ("ann@x.io".into(), "Ann".into());
    let ann = NewUser { email, name }
        .set(|u| u.bio.to("writes"))
        .insert(&db)
        .await?;
    let bob = NewUser {
        email: "bob@x.io".into(),
        name: "Bob".into(),
    }
    .insert(&db)
    .await?;
    println!(
        "inserted {} as {} and {} as {}",
        ann.name, ann.id, bob.name, bob.id
    );

    let titles = ["Hello", "Rust and SQL", "Draft"];
    let rows = titles.map(|title| NewPost {
        author_id: ann.id,
        title: title.into(),
    });
    let posts = NewPost::insert_all(&db, rows).await?;
    println!("inserted {} posts at once", posts.len());

    // a partial update, and one of many rows
    let first = posts[0]
        .clone()
        .update()
        .set(|p| p.published.to(true))
        .save(&db)
        .await?;
    let n = Post::update_where(|p| p.title.contains("SQL"))
        .set(|p| p.published.to(true))
        .exec(&db)
        .await?;
    println!("published {:?} and {n} more", first.title);

    // relations are conditions and values of a query
    let authors = User::query().filter(|u| u.posts.any(|p| p.published));
    for (name, posts) in authors.select(|u| (u.name, u.posts.count())).all(&db).await? {
        println!("{name} has {posts} posts, at least one of them published");
    }
    for (title, author) in Post::query()
        .select(|p| (p.title, p.author.col(|u| u.name)))
        .all(&db)
        .await?
    {
        println!("  {title:?} by {author}");
    }

    // a deleted post is hidden, and comes back
    let draft = posts[2].clone();
    draft.clone().delete(&db).await?;
    println!("{} posts after deleting the draft", ann.posts().count(&db).await?);
    Post::restore(&db, draft.id).await?;
    println!("{} posts after restoring it", ann.posts().count(&db).await?);

    // a transaction: all or nothing
    let moved: orm::Result<u64> = db
        .transaction(async |tx| {
            let n = Post::update_where(|p| p.author_id.eq(ann.id))
                .set(|p| p.author_id.to(bob.id))
                .exec(tx)
                .await?;
            NewUser {
                email: "bob@x.io".into(),
                name: "Another Bob".into(),
            }
            .insert(tx)
            .await?;
            Ok(n)
        })
        .await;
    match moved {
        Err(e) if e.is_unique_violation() => println!("the email is taken, so nothing was moved"),
        other => println!("moved {} posts", other?),
    }
    println!("Ann still has {} posts", ann.posts().count(&db).await?);
    Ok(())
}
