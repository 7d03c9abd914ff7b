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

#[orm::test(schema = blog())]
async fn the_first_row_of_each(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for (author, title, views) in [
        (&ann, "a1", 5),
        (&ann, "a2", 9),
        (&ann, "a3", 9),
        (&bob, "b1", 2),
        (&bob, "b2", 1),
        (&bob, "hidden", 99),
    ] {
        let new = NewPost {
            author_id: author.id,
            title: title.into(),
        };
        new.set(|p| p.views.to(views)).insert(&db).await?;
    }
    Post::delete_where(|p| p.title.eq("hidden")).exec(&db).await?;
    let most = || {
        Post::query()
            .distinct_on(|p| p.author_id)
            .order_by(|p| (p.author_id.asc(), p.views.desc(), p.title.desc()))
    };
    let titles = |posts: Vec<Post>| posts.into_iter().map(|p| p.title).collect::<Vec<_>>();
    assert_eq!(titles(most().all(&db).await?), ["a3", "b1"]);
    assert_eq!(most().count(&db).await?, 2);
    assert_eq!(titles(most().limit(1).offset(1).all(&db).await?), ["b1"]);
    assert_eq!(most().first(&db).await?.map(|p| p.title).as_deref(), Some("a3"));
    let rows = most().select(|p| (p.views + 1, p.title)).all(&db).await?;
    assert_eq!(rows, [(10, "a3".to_owned()), (3, "b1".to_owned())]);
    let loaded = most().with(|p| p.author).all(&db).await?;
    assert_eq!(
        loaded.iter().map(|p| p.author.name.as_str()).collect::<Vec<_>>(),
        ["ann", "bob"]
    );
    // of joined tables, by an expression, and as a source
    let by_length = Post::query()
        .join(|p| p.author)
        .distinct_on(|(p, a)| (a.name, p.title.length()))
        .order_by(|(p, a)| (a.name.desc(), p.title.length().asc(), p.views.asc()))
        .select(|(p, a)| (a.name, p.title));
    let first = |name: &str, title: &str| (name.to_owned(), title.to_owned());
    assert_eq!(
        by_length.all(&db).await?,
        [first("bob", "b2"), first("ann", "a1")]
    );
    let total = orm::from(most().select(|p| (p.author_id, p.views)))
        .filter(|(_, views)| views.gt(2))
        .aggregate(|(_, views)| views.sum());
    assert_eq!(total.one(&db).await?, Some(9));
    let none = Post::query()
        .filter(|p| p.views.gt(1000))
        .distinct_on(|p| p.author_id);
    assert_eq!(none.all(&db).await?, []);
    let again = orm::from(most().select(|p| (p.author_id, p.views)))
        .distinct_on(|(_, views)| views)
        .select(|(_, views)| views);
    assert_eq!(again.count(&db).await?, 2);
    // which row is the first would be left to chance
    let chance = Post::query()
        .distinct_on(|p| p.author_id)
        .order_by(|p| (p.views.desc(), p.author_id.asc()));
    let e = refused(chance.all(&db).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    let e = refused(most().page(1).fetch(&db).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

#[orm::test(schema = blog())]
async fn locks_of_chosen_tables(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "a").await;
    let joined = || Post::query().join(|p| p.author).left_join(|(p, _)| p.category);
    let tx = db.begin().await?;
    let rows = joined().for_update_of(|(p, _, _)| p).select(|(p, _, _)| p.id);
    assert_eq!(rows.all(&tx).await?, [p.id]);
    let rows = joined()
        .for_share_of(|(_, a, _)| a)
        .no_wait()
        .select(|(p, _, _)| p.id);
    assert_eq!(rows.all(&tx).await?, [p.id]);
    let both = joined()
        .for_key_share_of(|(p, a, _)| (p, a))
        .select(|(p, _, _)| p.id);
    assert_eq!(both.all(&tx).await?, [p.id]);
    let skip = joined().for_no_key_update_of(|(p, _, _)| p).skip_locked();
    let rows = skip.select(|(p, _, _)| p.id).all(&tx).await;
    if !db.dialect().features().row_locks {
        assert_eq!(refused(rows).kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    assert_eq!(rows?, [p.id]);
    let other = db.begin().await?;
    // the post is locked, the author is shared
    let left = joined()
        .for_update_of(|(p, _, _)| p)
        .skip_locked()
        .select(|(p, _, _)| p.id);
    assert_eq!(left.all(&other).await?, []);
    let shared = joined()
        .for_share_of(|(_, a, _)| a)
        .no_wait()
        .select(|(_, a, _)| a.id);
    assert_eq!(shared.all(&other).await?, [ann.id]);
    let e = refused(
        joined()
            .for_update_of(|(_, a, _)| a)
            .no_wait()
            .select(|(_, a, _)| a.id)
            .all(&other)
            .await,
    );
    assert_eq!(e.kind(), ErrorKind::LockTimeout);
    other.rollback().await?;
    tx.commit().await?;
    Ok(())
}
