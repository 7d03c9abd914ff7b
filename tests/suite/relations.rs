//! Relations in conditions, selections, and on rows in memory.

use orm::prelude::*;

use crate::models::*;

async fn titles<C: Cond<Post>>(db: &Db, f: impl FnOnce(PostCols<Post>) -> C) -> orm::Result<Vec<String>> {
    Post::query()
        .filter(f)
        .order_by(|p| p.id.asc())
        .select(|p| p.title)
        .all(db)
        .await
}

async fn library(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    let (rust, sql) = (tag(db, "rust").await, tag(db, "sql").await);
    let a = NewPost {
        author_id: ann.id,
        title: "a".into(),
    }
    .set(|p| (p.published.to(true), p.views.to(10)))
    .insert(db)
    .await?;
    let b = NewPost {
        author_id: ann.id,
        title: "b".into(),
    }
    .set(|p| p.views.to(5))
    .insert(db)
    .await?;
    label(db, &a, &rust).await;
    label(db, &a, &sql).await;
    label(db, &b, &sql).await;
    comment(db, &a, &bob, "nice").await;
    comment(db, &a, &ann, "thanks").await;
    NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    }
    .insert(db)
    .await?;
    Ok((ann, bob))
}

async fn users<C: Cond<User>>(db: &Db, f: impl FnOnce(UserCols<User>) -> C) -> orm::Result<Vec<String>> {
    User::query()
        .filter(f)
        .order_by(|u| u.id.asc())
        .select(|u| u.name)
        .all(db)
        .await
}

#[orm::test(schema = blog())]
async fn any_none_all_and_exist(db: Db) -> orm::Result<()> {
    library(&db).await?;
    assert_eq!(users(&db, |u| u.posts.any(|p| p.published)).await?, ["ann"]);
    assert_eq!(users(&db, |u| u.posts.none(|p| p.published)).await?, ["bob"]);
    assert_eq!(users(&db, |u| u.posts.all(|p| p.published)).await?, ["bob"]);
    assert_eq!(
        users(&db, |u| u.posts.all(|p| p.views.gt(1))).await?,
        ["ann", "bob"]
    );
    assert_eq!(
        users(&db, |u| u.posts.all(|p| p.score.gt(1))).await?,
        ["bob"],
        "NULL does not meet a condition"
    );
    assert_eq!(users(&db, |u| u.posts.exist()).await?, ["ann"]);
    assert_eq!(users(&db, |u| u.posts.exist().not()).await?, ["bob"]);
    assert_eq!(users(&db, |u| u.profile.exist()).await?, ["ann"]);
    assert_eq!(
        users(&db, |u| u.profile.any(|p| p.avatar_url.ends_with(".png"))).await?,
        ["ann"]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn predicates_nest_and_see_the_outer_row(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let f = |u: UserCols<User>| {
        u.posts
            .any(|p| p.published.and(p.tags.any(|t| t.name.eq("rust"))))
    };
    assert_eq!(users(&db, f).await?, ["ann"]);
    assert_eq!(
        users(&db, |u| u.posts.any(|p| p.comments.any(|c| c.author_id.eq(u.id)))).await?,
        ["ann"]
    );
    assert_eq!(
        users(&db, |u| u.comments.any(|c| c.body.eq(u.name))).await?,
        Vec::<String>::new()
    );
    assert_eq!(
        titles(&db, |p| p.comments.any(|c| c.author_id.ne(p.author_id))).await?,
        ["a"]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn many_to_many_in_conditions(db: Db) -> orm::Result<()> {
    library(&db).await?;
    assert_eq!(
        titles(&db, |p| p.tags.any(|t| t.name.eq("sql"))).await?,
        ["a", "b"]
    );
    assert_eq!(titles(&db, |p| p.tags.none(|t| t.name.eq("rust"))).await?, ["b"]);
    assert_eq!(titles(&db, |p| p.tags.count().eq(2)).await?, ["a"]);
    let names = Tag::query()
        .filter(|t| t.posts.any(|p| p.published))
        .order_by(|t| t.name.asc())
        .select(|t| t.name);
    assert_eq!(names.all(&db).await?, ["rust", "sql"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn counts_aggregates_and_columns_of_related_rows(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let rows: Vec<(String, i64, Option<i64>, Option<i64>)> = User::query()
        .order_by(|u| u.id.asc())
        .select(|u| {
            (
                u.name,
                u.posts.count(),
                u.posts.agg(|p| p.views.sum()),
                u.posts.agg(|p| p.views.max()),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            ("ann".into(), 2, Some(15), Some(10)),
            ("bob".into(), 0, None, None)
        ]
    );
    let rows: Vec<(Id<Post>, String, Option<String>, i64)> = Post::query()
        .order_by(|p| p.id.asc())
        .select(|p| {
            (
                p.id,
                p.author.col(|a| a.name),
                p.category.col(|c| c.name),
                p.comments.count(),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows.iter()
            .map(|r| (r.1.as_str(), r.2.as_deref(), r.3))
            .collect::<Vec<_>>(),
        [("ann", None, 2), ("ann", None, 0)]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn order_by_and_compare_related_values(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let by = User::query()
        .order_by(|u| u.comments.count().desc())
        .order_by(|u| u.name.desc())
        .select(|u| u.name);
    assert_eq!(by.all(&db).await?, ["bob", "ann"]);
    assert_eq!(
        users(&db, |u| u.posts.agg(|p| p.views.sum()).gt(14)).await?,
        ["ann"]
    );
    assert_eq!(
        titles(&db, |p| p
            .author
            .col(|a| a.name)
            .eq("ann")
            .and(p.comments.count().gt(0)))
        .await?,
        ["a"]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_tree_compares_a_row_with_its_own_table(db: Db) -> orm::Result<()> {
    let root = NewCategory { name: "x".into() }.insert(&db).await?;
    NewCategory { name: "x".into() }
        .set(|c| c.parent_id.to(root.id))
        .insert(&db)
        .await?;
    let other = NewCategory { name: "y".into() }.insert(&db).await?;
    NewCategory { name: "z".into() }
        .set(|c| c.parent_id.to(other.id))
        .insert(&db)
        .await?;
    let same = Category::query()
        .filter(|c| c.children.any(|k| k.name.eq(c.name)))
        .all(&db)
        .await?;
    assert_eq!(same.iter().map(|c| c.id).collect::<Vec<_>>(), [root.id]);
    let parents: Vec<Option<String>> = Category::query()
        .order_by(|c| c.id.asc())
        .select(|c| c.parent.col(|p| p.name))
        .all(&db)
        .await?;
    assert_eq!(parents, [None, Some("x".into()), None, Some("y".into())]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_outer_row_stays_the_outer_row_in_a_query_on_the_same_table(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let f = |u: UserCols<User>| {
        u.id.in_(User::query().filter(move |v| v.name.eq("bob")).select(|v| v.id))
            .and(u.name.eq("bob"))
    };
    assert_eq!(users(&db, f).await?, ["bob"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn related_rows_of_a_row_in_memory(db: Db) -> orm::Result<()> {
    let (ann, bob) = library(&db).await?;
    assert_eq!(ann.posts().count(&db).await?, 2);
    assert_eq!(
        ann.posts()
            .filter(|p| p.published)
            .select(|p| p.title)
            .all(&db)
            .await?,
        ["a"]
    );
    let last = ann.posts().order_by(|p| p.id.desc()).limit(1).one(&db).await?;
    assert_eq!(last.title, "b");
    assert_eq!(bob.posts().all(&db).await?, []);
    assert!(!bob.posts().exists(&db).await?);
    assert_eq!(ann.profile().one(&db).await?.avatar_url, "ann.png");
    assert_eq!(bob.profile().optional(&db).await?, None);
    assert_eq!(last.author().one(&db).await?, ann);
    assert_eq!(
        last.category().optional(&db).await?,
        None,
        "a NULL key has no related row"
    );
    assert_eq!(last.tags().select(|t| t.name).all(&db).await?, ["sql"]);
    let sum: Option<i64> = ann.posts().aggregate(|p| p.views.sum()).one(&db).await?;
    assert_eq!(sum, Some(15));
    let groups: Vec<(bool, i64)> = ann
        .posts()
        .group_by(|p| p.published)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(groups, [(false, 1), (true, 1)]);
    let joined: Vec<(String, String)> = ann
        .posts()
        .join(|p| p.author)
        .order_by(|(p, _)| p.title.asc())
        .select(|(p, a)| (p.title, a.name))
        .all(&db)
        .await?;
    assert_eq!(joined, [("a".into(), "ann".into()), ("b".into(), "ann".into())]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn get_among_related_rows_finds_only_those(db: Db) -> orm::Result<()> {
    let (ann, bob) = library(&db).await?;
    let p = ann.posts().first(&db).await?.unwrap();
    assert_eq!(ann.posts().get(&db, p.id).await?, p);
    assert!(refused(bob.posts().get(&db, p.id).await).is_not_found());
    let mut q: Query<Post> = ann.posts().query();
    q = q.filter(|p| p.views.gt(7));
    assert_eq!(q.count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = places())]
async fn relations_over_natural_keys(db: Db) -> orm::Result<()> {
    NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    }
    .insert(&db)
    .await?;
    NewCity {
        country_id: "de".into(),
        name: "Ulm".into(),
        people: 1,
    }
    .insert(&db)
    .await?;
    let c = Country::query()
        .filter(|c| c.cities.any(|t| t.people.gt(0)))
        .one(&db)
        .await?;
    assert_eq!(
        c.cities().select(|t| t.country.col(|c| c.name)).all(&db).await?,
        ["Germany"]
    );
    Ok(())
}

async fn tags_of(db: &Db, post: &Post) -> orm::Result<Vec<String>> {
    post.tags()
        .order_by(|t| t.name.asc())
        .select(|t| t.name)
        .all(db)
        .await
}

#[orm::test(schema = blog())]
async fn linking_over_a_join_table(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let post = post(&db, &ann, "a").await;
    let (rust, sql, orm) = (
        tag(&db, "rust").await,
        tag(&db, "sql").await,
        tag(&db, "orm").await,
    );
    assert_eq!(post.tags().link(&db, [rust.id, sql.id, rust.id]).await?, 2);
    assert_eq!(
        post.tags().link(&db, [rust.id, orm.id]).await?,
        1,
        "one row for each link"
    );
    assert_eq!(tags_of(&db, &post).await?, ["orm", "rust", "sql"]);
    assert_eq!(post.tags().unlink(&db, [sql.id, sql.id]).await?, 1);
    assert_eq!(post.tags().unlink(&db, [sql.id]).await?, 0);
    // removed and added again: exactly one row
    assert_eq!(post.tags().add(&db, [&sql]).await?, 1);
    assert_eq!(post.tags().count(&db).await?, 3);
    let replaced = post.tags().replace(&db, [orm.id]).await?;
    assert_eq!((replaced.linked, replaced.unlinked), (0, 2));
    let replaced = post.tags().replace(&db, [rust.id, orm.id]).await?;
    assert_eq!((replaced.linked, replaced.unlinked), (1, 0));
    let new = post.tags().create(&db, NewTag { name: "new".into() }).await?;
    assert_eq!(new.name, "new");
    assert_eq!(tags_of(&db, &post).await?, ["new", "orm", "rust"]);
    let e = refused(post.tags().link(&db, [Id::new(999)]).await);
    assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(post.tags().unlink_all(&db).await?, 3);
    assert_eq!(post.tags().count(&db).await?, 0);
    assert_eq!(
        orm::assert_statements!(db, 0, { post.tags().link(&db, []).await? }),
        0
    );
    // from the other side, and nothing of a failed unit stays
    assert_eq!(rust.posts().link(&db, [post.id]).await?, 1);
    let e = refused(post.tags().replace(&db, [sql.id, Id::new(999)]).await);
    assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(tags_of(&db, &post).await?, ["rust"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn linking_by_a_foreign_key(db: Db) -> orm::Result<()> {
    let named = async |name: &str| NewCategory { name: name.into() }.insert(&db).await;
    let (root, a, b) = (named("root").await?, named("a").await?, named("b").await?);
    assert_eq!(root.children().link(&db, [a.id, b.id]).await?, 2);
    assert_eq!(
        root.children().link(&db, [a.id]).await?,
        0,
        "it was linked before"
    );
    assert_eq!(root.children().count(&db).await?, 2);
    assert_eq!(b.children().unlink(&db, [a.id]).await?, 0, "the child of another");
    assert_eq!(root.children().unlink(&db, [a.id]).await?, 1);
    let replaced = root.children().replace(&db, [a.id]).await?;
    assert_eq!((replaced.linked, replaced.unlinked), (1, 1));
    let c = root
        .children()
        .create(&db, NewCategory { name: "c".into() })
        .await?;
    assert_eq!(c.parent_id, Some(root.id));
    // shadow columns act here as well: the version of a post goes up, deleted posts are not touched
    let ann = user(&db, "ann").await;
    let (p, gone) = (post(&db, &ann, "p").await, post(&db, &ann, "gone").await);
    gone.clone().delete(&db).await?;
    assert_eq!(root.posts().link(&db, [p.id, gone.id]).await?, 1);
    let again = Post::get(&db, p.id).await?;
    assert_eq!((again.category_id, again.version), (Some(root.id), p.version + 1));
    let made = ann
        .posts()
        .create(
            &db,
            NewPost {
                author_id: Id::new(0),
                title: "made".into(),
            },
        )
        .await?;
    assert_eq!(made.author_id, ann.id);
    let bob = user(&db, "bob").await;
    assert_eq!(
        bob.posts().link(&db, [made.id]).await?,
        1,
        "a post that moves to another author"
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn related_rows_are_narrowed_like_any_query(db: Db) -> orm::Result<()> {
    let ann = NewUser {
        email: "ann@x.io".into(),
        name: "Ann".into(),
    };
    let ann = ann.insert(&db).await?;
    for (title, views) in [("a", 1), ("b", 1), ("c", 2)] {
        let new = NewPost {
            author_id: ann.id,
            title: title.into(),
        };
        new.set(|p| p.views.to(views)).insert(&db).await?;
    }
    let gone = ann.posts().filter(|p| p.title.eq("c")).one(&db).await?;
    gone.delete(&db).await?;

    let second = ann
        .posts()
        .offset(1)
        .limit(5)
        .order_by(|p| p.id.asc())
        .all(&db)
        .await?;
    assert_eq!(second.len(), 1);
    assert_eq!(ann.posts().distinct().select(|p| p.views).all(&db).await?, [1]);
    assert_eq!(
        ann.posts().only_deleted().select(|p| p.title).all(&db).await?,
        ["c"]
    );
    let joined = ann.posts().join_on(User::query(), |p, u| u.id.eq(p.author_id));
    assert_eq!(joined.select(|(_, u)| u.name).all(&db).await?, ["Ann", "Ann"]);
    let none = ann
        .posts()
        .left_join_on(Comment::query(), |p, c| c.post_id.eq(p.id));
    let bodies = none.select(|(_, c)| c.map(|c| c.body)).all(&db).await?;
    assert_eq!(bodies, [None, None]);

    let lock = |query: Query<Post>| {
        query
            .to_sql(&orm::postgres::DIALECT)
            .map(|sql| sql.text.to_string())
    };
    let ends = [
        (lock(ann.posts().for_update().no_wait())?, r#" FOR UPDATE NOWAIT"#),
        (
            lock(ann.posts().for_share().skip_locked())?,
            r#" FOR SHARE SKIP LOCKED"#,
        ),
        (lock(ann.posts().for_no_key_update())?, r#" FOR NO KEY UPDATE"#),
        (
            lock(ann.posts().for_key_share().own_rows_only())?,
            r#" FOR KEY SHARE OF t0"#,
        ),
    ];
    for (text, end) in ends {
        assert!(text.ends_with(end), "{text}");
    }
    let mut tx = db.begin().await?;
    assert_eq!(ann.posts().for_update().all(&tx).await?.len(), 2);
    let mut rows = ann.posts().stream(&mut tx);
    assert!(rows.next().await?.is_some());
    Ok(())
}

#[orm::test(schema = blog())]
async fn related_rows_start_walks(db: Db) -> orm::Result<()> {
    let new = |name: &str, parent: Option<Id<Category>>| {
        NewCategory { name: name.into() }.set(|c| c.parent_id.to(parent))
    };
    let root = new("root", None).insert(&db).await?;
    let child = new("child", Some(root.id)).insert(&db).await?;
    let grandchild = new("grandchild", Some(child.id)).insert(&db).await?;
    let below = root
        .children()
        .walk(|c| c.children)
        .query()
        .select(|c| c.name)
        .all(&db)
        .await?;
    assert_eq!(below, ["grandchild"]);
    assert!(!root.children().leaves(|c| c.children).exists(&db).await?);
    assert_eq!(
        child.children().leaves(|c| c.children).one(&db).await?,
        grandchild
    );
    assert_eq!(root.children().roots(|c| c.children).count(&db).await?, 0);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(badges: Badge, via = Award)]
pub struct Scout {
    pub id: Id<Scout>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(scouts: Scout, via = Award)]
pub struct Badge {
    pub id: Id<Badge>,
    pub name: String,
}

/// Once given, it stays.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(scout_id, badge_id), append_only)]
pub struct Award {
    #[belongs_to(scout: Scout)]
    pub scout_id: Id<Scout>,
    #[belongs_to(badge: Badge)]
    pub badge_id: Id<Badge>,
}

#[orm::test(schema = orm::schema![Scout, Badge, Award])]
async fn links_in_an_append_only_table_are_added(db: Db) -> orm::Result<()> {
    let scout = NewScout { name: "Ann".into() }.insert(&db).await?;
    let badge = |name: &str| NewBadge { name: name.into() };
    let (fire, knots) = (
        badge("fire").insert(&db).await?,
        badge("knots").insert(&db).await?,
    );
    assert_eq!(scout.badges().link(&db, [fire.id]).await?, 1);
    assert_eq!(scout.badges().link(&db, [fire.id]).await?, 0);
    assert_eq!(scout.badges().add(&db, [&fire, &knots]).await?, 1);
    scout.badges().create(&db, badge("maps")).await?;
    assert_eq!(scout.badges().count(&db).await?, 3);
    assert_eq!(Award::query().count(&db).await?, 3);
    Ok(())
}
