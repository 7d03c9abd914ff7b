//! Several tables in one statement.

use orm::prelude::*;

use crate::models::*;

async fn shelf(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    let science = NewCategory {
        name: "science".into(),
    }
    .insert(db)
    .await?;
    NewPost {
        author_id: ann.id,
        title: "stars".into(),
    }
    .set(|p| (p.category_id.to(science.id), p.published.to(true)))
    .insert(db)
    .await?;
    post(db, &bob, "cats").await;
    Ok((ann, bob))
}

#[orm::test(schema = blog())]
async fn a_join_brings_both_rows(db: Db) -> orm::Result<()> {
    let (ann, _) = shelf(&db).await?;
    let rows: Vec<(Post, User)> = Post::query()
        .join(|p| p.author)
        .filter(|(p, _)| p.title.eq("stars"))
        .select(|(p, a)| (p, a))
        .all(&db)
        .await?;
    assert_eq!((rows.len(), &rows[0].1), (1, &ann));
    assert_eq!(rows[0].0.title, "stars");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_left_join_keeps_rows_without_a_match(db: Db) -> orm::Result<()> {
    shelf(&db).await?;
    let rows: Vec<(String, Option<String>)> = Post::query()
        .left_join(|p| p.category)
        .order_by(|(p, _)| p.title.asc())
        .select(|(p, c)| (p.title, c.map(|c| c.name)))
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [("cats".into(), None), ("stars".into(), Some("science".into()))]
    );
    let inner: i64 = Post::query()
        .join(|p| p.category)
        .select(|(p, _)| p.title)
        .count(&db)
        .await?;
    assert_eq!(inner, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn three_tables_with_filters_on_each(db: Db) -> orm::Result<()> {
    shelf(&db).await?;
    let rows: Vec<(String, String, Option<Id<Category>>)> = Post::query()
        .join(|p| p.author)
        .left_join(|(p, _)| p.category)
        .filter(|(p, a, _)| a.name.eq("ann").and(p.published))
        .select(|(p, a, c)| (p.title, a.name, c.map(|c| c.parent_id)))
        .all(&db)
        .await?;
    assert_eq!(rows, [("stars".into(), "ann".into(), None)]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn joins_over_a_join_table(db: Db) -> orm::Result<()> {
    let (ann, _) = shelf(&db).await?;
    let p = post(&db, &ann, "tagged").await;
    let (rust, sql) = (tag(&db, "rust").await, tag(&db, "sql").await);
    label(&db, &p, &rust).await;
    label(&db, &p, &sql).await;
    let rows: Vec<(String, String)> = Post::query()
        .join(|p| p.tags)
        .order_by(|(_, t)| t.name.asc())
        .select(|(p, t)| (p.title, t.name))
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [("tagged".into(), "rust".into()), ("tagged".into(), "sql".into())]
    );
    let all: i64 = Post::query()
        .left_join(|p| p.tags)
        .select(|(p, _)| p.id)
        .count(&db)
        .await?;
    assert_eq!(all, 4, "two tags of one post, and two posts without");
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_same_table_twice(db: Db) -> orm::Result<()> {
    let root = NewCategory { name: "root".into() }.insert(&db).await?;
    NewCategory { name: "leaf".into() }
        .set(|c| c.parent_id.to(root.id))
        .insert(&db)
        .await?;
    let rows: Vec<(String, String)> = Category::query()
        .join_on(Category::query(), |c, parent| c.parent_id.eq(parent.id))
        .select(|(c, parent)| (c.name, parent.name))
        .all(&db)
        .await?;
    assert_eq!(rows, [("leaf".into(), "root".into())]);
    let rows: Vec<(String, Option<String>)> = Category::query()
        .left_join(|c| c.parent)
        .order_by(|(c, _)| c.id.asc())
        .select(|(c, p)| (c.name, p.map(|p| p.name)))
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [("root".into(), None), ("leaf".into(), Some("root".into()))]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn join_on_any_condition(db: Db) -> orm::Result<()> {
    shelf(&db).await?;
    tag(&db, "cats").await;
    let rows: Vec<(String, Option<Id<Tag>>)> = Post::query()
        .left_join_on(Tag::query(), |p, t| p.title.eq(t.name))
        .order_by(|(p, _)| p.title.asc())
        .select(|(p, t)| (p.title, t.map(|t| t.id)))
        .all(&db)
        .await?;
    assert_eq!(
        rows.iter().map(|r| r.1.is_some()).collect::<Vec<_>>(),
        [true, false]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_nullable_text_of_the_joined_row_is_not_taken_for_a_missing_row(db: Db) -> orm::Result<()> {
    shelf(&db).await?;
    let rows: Vec<(Option<String>, Option<String>)> = Post::query()
        .left_join(|p| p.author)
        .order_by(|(p, _)| p.id.asc())
        .select(|(_, a)| (a.map(|a| a.name), a.map(|a| a.bio)))
        .all(&db)
        .await?;
    assert_eq!(rows, [(Some("ann".into()), None), (Some("bob".into()), None)]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn groups_over_a_join(db: Db) -> orm::Result<()> {
    let (ann, _) = shelf(&db).await?;
    post(&db, &ann, "moons").await;
    let rows: Vec<(String, i64)> = Post::query()
        .join(|p| p.author)
        .group_by(|(_, a)| a.name)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(rows, [("ann".into(), 2), ("bob".into(), 1)]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn distinct_limit_and_offset_of_a_join(db: Db) -> orm::Result<()> {
    let (ann, _) = shelf(&db).await?;
    post(&db, &ann, "moons").await;
    let q = Post::query().join(|p| p.author);
    assert_eq!(q.clone().distinct().select(|(_, a)| a.name).count(&db).await?, 2);
    let page = q
        .order_by(|(p, _)| p.id.asc())
        .limit(1)
        .offset(1)
        .select(|(p, _)| p.title)
        .all(&db)
        .await?;
    assert_eq!(page, ["cats"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_link_to_a_hidden_row_is_no_row_of_a_left_join(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (kept, gone) = (post(&db, &ann, "kept").await, post(&db, &ann, "gone").await);
    let (both, old) = (tag(&db, "both").await, tag(&db, "old").await);
    label(&db, &kept, &both).await;
    label(&db, &gone, &both).await;
    label(&db, &gone, &old).await;
    gone.delete(&db).await?;
    let rows: Vec<(String, Option<String>)> = Tag::query()
        .left_join(|t| t.posts)
        .order_by(|(t, _)| t.name.asc())
        .select(|(t, p)| (t.name, p.map(|p| p.title)))
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            ("both".to_owned(), Some("kept".to_owned())),
            ("old".to_owned(), None)
        ]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn not_in_a_left_joined_column_is_not_emptied_by_its_nulls(db: Db) -> orm::Result<()> {
    let (ann, _) = shelf(&db).await?;
    user(&db, "zoe").await;
    let authors = User::query()
        .left_join(|u| u.posts)
        .filter(|(u, _)| u.name.ne("bob"))
        .select(|(_, p)| p.map(|p| p.author_id));
    let others = User::query()
        .filter(|u| u.id.not_in(authors).and(u.id.ne(ann.id)))
        .count(&db)
        .await?;
    assert_eq!(others, User::query().count(&db).await? - 1, "everybody but ann");
    Ok(())
}
