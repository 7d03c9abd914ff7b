//! Relations loaded beside rows: every kind, any depth, one statement for each relation and level.

use std::cmp::Ordering;

use orm::prelude::*;
use orm::{ErrorKind, Part, assert_statements};

use crate::models::*;
use crate::random::Gen;

/// Ann has three posts (one deleted, one in a category), Bob one, Cid none. The first has two tags and two comments.
async fn library(db: &Db) -> orm::Result<()> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    user(db, "cid").await;
    let news = NewCategory { name: "news".into() }.insert(db).await?;
    let (a, b, c) = (
        post(db, &ann, "a").await,
        post(db, &ann, "b").await,
        post(db, &ann, "c").await,
    );
    let d = post(db, &bob, "d").await;
    a.update()
        .set(|p| p.category_id.to(Some(news.id)))
        .save(db)
        .await?;
    c.delete(db).await?;
    let (rust, sql) = (tag(db, "rust").await, tag(db, "sql").await);
    label(db, &a, &rust).await;
    label(db, &a, &sql).await;
    label(db, &d, &sql).await;
    comment(db, &a, &bob, "nice").await;
    comment(db, &a, &ann, "thanks").await;
    comment(db, &b, &bob, "hm").await;
    NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    }
    .insert(db)
    .await?;
    Ok(())
}

fn titles<'a>(posts: impl IntoIterator<Item = &'a Post>) -> Vec<&'a str> {
    posts.into_iter().map(|p| p.title.as_str()).collect()
}

#[orm::test(schema = blog())]
async fn has_many_in_two_statements(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let users: Vec<UserWithPosts> = assert_statements!(db, 2, {
        User::query()
            .with(|u| u.posts.order_by(|p| p.id.asc()))
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let all: Vec<Vec<&str>> = users.iter().map(|u| titles(&u.posts)).collect();
    assert_eq!(
        all,
        [vec!["a", "b"], vec!["d"], vec![]],
        "deleted posts stay hidden"
    );
    assert_eq!(users[0].name, "ann", "the wrapper derefs to the row");
    let (ann, posts): (User, Vec<Post>) = users.into_iter().next().unwrap().into_parts();
    assert_eq!((ann.name.as_str(), posts.len()), ("ann", 2));
    Ok(())
}

#[orm::test(schema = blog())]
async fn every_kind_of_relation(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let posts: Vec<PostWithTags<PostWithCategory<PostWithAuthor>>> = assert_statements!(db, 4, {
        Post::query()
            .with(|p| p.author)
            .with(|p| p.category)
            .with(|p| p.tags.order_by(|t| t.name.asc()))
            .order_by(|p| p.id.asc())
            .all(&db)
            .await?
    });
    let seen: Vec<_> = posts
        .iter()
        .map(|p| {
            let tags: Vec<&str> = p.tags.iter().map(|t| t.name.as_str()).collect();
            let category = p.category.as_ref().map(|c| c.name.as_str());
            (p.title.as_str(), p.author.name.as_str(), category, tags)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("a", "ann", Some("news"), vec!["rust", "sql"]),
            ("b", "ann", None, vec![]),
            ("d", "bob", None, vec!["sql"]),
        ]
    );
    let users = User::query()
        .with(|u| u.profile)
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    let avatars: Vec<Option<&str>> = users
        .iter()
        .map(|u| u.profile.as_ref().map(|p| p.avatar_url.as_str()))
        .collect();
    assert_eq!(avatars, [Some("ann.png"), None, None]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn several_levels_and_a_diamond(db: Db) -> orm::Result<()> {
    library(&db).await?;
    // users are reached by two paths: as the author of a post and as the author of a comment
    let posts = assert_statements!(db, 5, {
        Post::query()
            .with(|p| p.author.with(|u| u.profile))
            .with(|p| p.comments.order_by(|c| c.id.asc()).with(|c| c.author))
            .order_by(|p| p.id.asc())
            .all(&db)
            .await?
    });
    let seen: Vec<_> = posts
        .iter()
        .map(|p| {
            let comments: Vec<_> = p
                .comments
                .iter()
                .map(|c| (c.body.as_str(), c.author.name.as_str()))
                .collect();
            (p.author.name.as_str(), p.author.profile.is_some(), comments)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("ann", true, vec![("nice", "bob"), ("thanks", "ann")]),
            ("ann", true, vec![("hm", "bob")]),
            ("bob", false, vec![]),
        ],
        "each post has its own copy of its author"
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn filtered_limited_counted_and_selected(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let users: Vec<UserWithPosts<User, Part<Post>>> = User::query()
        .with(|u| u.posts.order_by(|p| p.title.desc()).limit(1))
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    let first: Vec<Vec<&str>> = users.iter().map(|u| titles(&u.posts)).collect();
    assert_eq!(
        first,
        [vec!["b"], vec!["d"], vec![]],
        "the first of each, not of all"
    );

    let users = User::query()
        .with(|u| u.posts.order_by(|p| p.title.asc()).limit(5).offset(1))
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    let rest: Vec<Vec<&str>> = users.iter().map(|u| titles(&u.posts)).collect();
    assert_eq!(rest, [vec!["b"], vec![], vec![]]);

    let users = User::query()
        .with(|u| u.posts.filter(|p| p.title.ne("a")).with(|p| p.tags))
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    assert_eq!(users[0].posts.len(), 1);
    assert_eq!(users[1].posts[0].tags[0].name, "sql");

    let users: Vec<UserWithPosts<User, i64>> = assert_statements!(db, 1, {
        User::query()
            .with(|u| u.posts.counted())
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let counts: Vec<i64> = users.iter().map(|u| u.posts).collect();
    assert_eq!(counts, [2, 1, 0]);

    let users: Vec<UserWithPosts<User, Vec<(String, i64)>>> = User::query()
        .with(|u| {
            u.posts
                .order_by(|p| p.id.asc())
                .select(|p| (p.title, p.comments.count()))
        })
        .order_by(|u| u.id.asc())
        .all(&db)
        .await?;
    assert_eq!(users[0].posts, [("a".to_owned(), 2), ("b".to_owned(), 1)]);

    let posts: Vec<PostWithTags<Post, Part<(String,)>>> = Post::query()
        .with(|p| p.tags.order_by(|t| t.name.asc()).limit(1).select(|t| (t.name,)))
        .order_by(|p| p.id.asc())
        .all(&db)
        .await?;
    let tags: Vec<Vec<(String,)>> = posts.into_iter().map(|p| p.tags.into_vec()).collect();
    assert_eq!(
        tags,
        [vec![("rust".to_owned(),)], vec![], vec![("sql".to_owned(),)]]
    );

    let posts: Vec<PostWithAuthor<Post, Option<User>>> = Post::query()
        .with(|p| p.author.filter(|u| u.name.eq("bob")))
        .order_by(|p| p.id.asc())
        .all(&db)
        .await?;
    let authors: Vec<bool> = posts.iter().map(|p| p.author.is_some()).collect();
    assert_eq!(
        authors,
        [false, false, true],
        "a filtered to-one relation may hold nothing"
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn soft_deleted_rows_on_both_sides(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let ann = User::query()
        .with(|u| u.posts.with_deleted().order_by(|p| p.id.asc()))
        .first(&db)
        .await?
        .unwrap();
    assert_eq!(titles(&ann.posts), ["a", "b", "c"]);
    let ann = User::query()
        .with(|u| u.posts.only_deleted())
        .order_by(|u| u.id.asc())
        .first(&db)
        .await?
        .unwrap();
    assert_eq!(titles(&ann.posts), ["c"]);
    // the post of a comment is required: it is there although it is deleted
    let b = Post::query().filter(|p| p.title.eq("b")).one(&db).await?;
    b.delete(&db).await?;
    let comments = Comment::query()
        .with(|c| c.post)
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let posts: Vec<&str> = comments.iter().map(|c| c.post.title.as_str()).collect();
    assert_eq!(posts, ["a", "a", "b"]);
    let comments = Comment::query()
        .with(|c| c.post.live())
        .order_by(|c| c.id.asc())
        .all(&db)
        .await?;
    let live: Vec<bool> = comments.iter().map(|c| c.post.is_some()).collect();
    assert_eq!(live, [true, true, false]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn no_parents_no_statement_and_other_terminals(db: Db) -> orm::Result<()> {
    let none = assert_statements!(db, 1, { User::query().with(|u| u.posts).all(&db).await? });
    assert!(none.is_empty());
    library(&db).await?;
    // a foreign key that is NULL in all rows asks for nothing
    let posts = assert_statements!(db, 1, {
        Post::query()
            .filter(|p| p.category_id.is_null())
            .with(|p| p.category.with(|c| c.parent))
            .all(&db)
            .await?
    });
    assert!(posts.iter().all(|p| p.category.is_none()));
    let ann = User::query()
        .with(|u| u.posts)
        .filter(|u| u.name.eq("ann"))
        .one(&db)
        .await?;
    assert_eq!(ann.posts.len(), 2);
    let again = User::query().with(|u| u.posts).get(&db, ann.id).await?;
    assert_eq!(again.posts.len(), 2);
    let nobody = User::query()
        .with(|u| u.posts)
        .filter(|u| u.name.eq("zed"))
        .optional(&db)
        .await?;
    assert!(nobody.is_none());
    let several = refused(User::query().with(|u| u.posts).one(&db).await);
    assert_eq!(several.kind(), ErrorKind::MoreThanOne);
    assert_eq!(User::query().with(|u| u.posts).count(&db).await?, 3);
    assert!(User::query().with(|u| u.posts).exists(&db).await?);
    let posts: Vec<PostWithComments> = ann.posts().with(|p| p.comments).all(&db).await?;
    assert_eq!(posts.iter().map(|p| p.comments.len()).sum::<usize>(), 3);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_same_relation_twice_is_an_error_before_anything_is_sent(db: Db) -> orm::Result<()> {
    let twice = User::query()
        .with(|u| u.posts)
        .with(|u| u.posts.filter(|p| p.published));
    let e = assert_statements!(db, 0, { refused(twice.all(&db).await) });
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    assert_eq!((e.model(), e.field()), (Some("User"), Some("posts")));
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_in_hand(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let users = User::query().order_by(|u| u.id.asc()).all(&db).await?;
    // the same row twice keeps its children twice
    let twice = vec![users[0].clone(), users[1].clone(), users[0].clone()];
    let loaded: Vec<UserWithPosts> = assert_statements!(db, 1, {
        twice.load(&db, |u| u.posts.order_by(|p| p.id.asc())).await?
    });
    let all: Vec<Vec<&str>> = loaded.iter().map(|u| titles(&u.posts)).collect();
    assert_eq!(all, [vec!["a", "b"], vec!["d"], vec!["a", "b"]]);
    let more: Vec<UserWithProfile<UserWithPosts>> = loaded.load(&db, |u| u.profile).await?;
    assert!(more[0].profile.is_some() && more[0].posts.len() == 2);
    let ann = users[0].clone().load(&db, |u| u.profile).await?;
    assert_eq!(
        ann.profile.as_ref().map(|p| p.avatar_url.as_str()),
        Some("ann.png")
    );
    let nobody: Vec<User> = Vec::new();
    let nobody = assert_statements!(db, 0, { nobody.load(&db, |u| u.posts).await? });
    assert!(nobody.is_empty());
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_tree_three_levels_down(db: Db) -> orm::Result<()> {
    let root = NewCategory { name: "root".into() }.insert(&db).await?;
    for name in ["x", "y"] {
        let child = NewCategory { name: name.into() }
            .set(|c| c.parent_id.to(Some(root.id)))
            .insert(&db)
            .await?;
        NewCategory {
            name: format!("{name}1"),
        }
        .set(|c| c.parent_id.to(Some(child.id)))
        .insert(&db)
        .await?;
    }
    let roots = assert_statements!(db, 3, {
        Category::query()
            .filter(|c| c.parent_id.is_null())
            .with(|c| c.children.order_by(|c| c.name.asc()).with(|c| c.children))
            .all(&db)
            .await?
    });
    let names: Vec<(&str, &str)> = roots[0]
        .children
        .iter()
        .map(|c| (c.name.as_str(), c.children[0].name.as_str()))
        .collect();
    assert_eq!(names, [("x", "x1"), ("y", "y1")]);
    let leaves = Category::query()
        .filter(|c| c.name.ends_with("1"))
        .with(|c| c.parent.with(|c| c.parent))
        .order_by(|c| c.name.asc())
        .all(&db)
        .await?;
    let parent = leaves[0].parent.as_ref().unwrap();
    assert_eq!(parent.name, "x");
    assert_eq!(parent.parent.as_ref().unwrap().name, "root");
    Ok(())
}

#[orm::test(schema = places())]
async fn text_keys(db: Db) -> orm::Result<()> {
    for (code, cities) in [
        ("no", vec!["Oslo", "Bergen"]),
        ("se", vec![]),
        ("n\"o", vec!["Quote"]),
    ] {
        NewCountry {
            code: code.into(),
            name: code.to_uppercase(),
        }
        .insert(&db)
        .await?;
        for name in cities {
            NewCity {
                country_id: code.into(),
                name: name.into(),
                people: 1,
            }
            .insert(&db)
            .await?;
        }
    }
    let countries = Country::query()
        .with(|c| c.cities.order_by(|c| c.name.asc()))
        .order_by(|c| c.code.asc())
        .all(&db)
        .await?;
    let seen: Vec<_> = countries
        .iter()
        .map(|c| {
            (
                c.code.as_str(),
                c.cities.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("n\"o", vec!["Quote"]),
            ("no", vec!["Bergen", "Oslo"]),
            ("se", vec![])
        ]
    );
    let cities = City::query().with(|c| c.country).all(&db).await?;
    assert!(cities.iter().all(|c| c.country.code == c.country_id));
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_hundred_by_ten_by_ten_in_three_statements(db: Db) -> orm::Result<()> {
    let users = NewUser::insert_all(
        &db,
        (0..100).map(|i| NewUser {
            email: format!("{i}@x.io"),
            name: format!("{i}"),
        }),
    )
    .await?;
    let posts = NewPost::insert_all(
        &db,
        users.iter().flat_map(|u| {
            (0..10).map(|i| NewPost {
                author_id: u.id,
                title: format!("{i}"),
            })
        }),
    )
    .await?;
    NewComment::insert_all(
        &db,
        posts.iter().flat_map(|p| {
            (0..10).map(|i| NewComment {
                post_id: p.id,
                author_id: p.author_id,
                body: format!("{i}"),
            })
        }),
    )
    .await?;
    let users = assert_statements!(db, 3, {
        User::query()
            .with(|u| u.posts.with(|p| p.comments))
            .all(&db)
            .await?
    });
    assert_eq!(users.len(), 100);
    for u in &users {
        assert_eq!(u.posts.len(), 10);
        for p in &u.posts {
            assert_eq!((p.author_id, p.comments.len()), (u.id, 10));
            assert!(p.comments.iter().all(|c| c.post_id == p.id));
        }
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_find_those_above_in_whatever_order_both_come(db: Db) -> orm::Result<()> {
    let mut users = Vec::new();
    for i in 0..12 {
        users.push(user(&db, &format!("u{i}")).await);
        // keys with gaps: every third user goes again
        if i % 3 == 2 {
            users.pop().unwrap().delete(&db).await?;
        }
    }
    // one after the other for each of them, so that in the order of keys the owners alternate
    for round in 0..5 {
        for u in &users {
            post(&db, u, &format!("{round} of {}", u.name)).await;
        }
    }
    let check = |loaded: Vec<UserWithPosts>, backwards: bool| {
        assert_eq!(loaded.len(), users.len());
        for u in &loaded {
            let mut own: Vec<String> = (0..5).map(|r| format!("{r} of {}", u.name)).collect();
            if backwards {
                own.reverse();
            }
            assert_eq!(titles(&u.posts), own, "{}", u.name);
            assert!(u.posts.iter().all(|p| p.author_id == u.id));
        }
    };
    let up = || User::query().order_by(|u| u.id.asc());
    let down = || User::query().order_by(|u| u.id.desc());
    check(
        up().with(|u| u.posts.order_by(|p| p.id.asc())).all(&db).await?,
        false,
    );
    check(
        up().with(|u| u.posts.order_by(|p| p.id.desc())).all(&db).await?,
        true,
    );
    check(
        down().with(|u| u.posts.order_by(|p| p.id.asc())).all(&db).await?,
        false,
    );
    let sorted = up().with(|u| u.posts.order_by(|p| (p.author_id.asc(), p.id.asc())));
    check(sorted.all(&db).await?, false);

    // the other way several rows below have the same one above, and the keys of those above neither ascend nor differ
    let posts = Post::query()
        .with(|p| p.author)
        .order_by(|p| p.id.desc())
        .all(&db)
        .await?;
    assert_eq!(posts.len(), 5 * users.len());
    for p in &posts {
        assert_eq!(p.author.id, p.author_id);
        assert!(p.title.ends_with(&p.author.name));
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_stream_loads_batch_by_batch(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let posts = (0..600).map(|i| NewPost {
        author_id: ann.id,
        title: format!("{i}"),
    });
    let posts = NewPost::insert_all(&db, posts).await?;
    let comments = posts.iter().flat_map(|p| {
        (0..2).map(|i| NewComment {
            post_id: p.id,
            author_id: p.author_id,
            body: format!("{i}"),
        })
    });
    NewComment::exec_all(&db, comments).await?;
    let mut tx = db.begin().await?;
    // the cursor, and one statement for each relation of each of three batches
    assert_statements!(db, 1 + 3 * 2, {
        let mut rows = Post::query()
            .with(|p| p.comments)
            .with(|p| p.author)
            .order_by(|p| p.id.asc())
            .stream(&mut tx);
        let mut seen = 0;
        while let Some(post) = rows.next().await? {
            assert_eq!(
                (post.title.as_str(), post.comments.len()),
                (format!("{seen}").as_str(), 2)
            );
            assert_eq!(post.author.id, ann.id);
            seen += 1;
        }
        assert_eq!(seen, 600);
    });
    // a stream that is given up leaves the transaction usable
    let mut rows = Post::query().with(|p| p.comments).stream(&mut tx);
    assert_eq!(rows.next().await?.unwrap().comments.len(), 2);
    drop(rows);
    assert_eq!(Post::query().count(&tx).await?, 600);
    tx.commit().await
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(tenant, code))]
#[has_many(items: Item, by = (tenant, order_code))]
#[many_to_many(labels: Label, via = OrderLabel, by = (tenant, order_code), to = label_id)]
pub struct Order {
    pub tenant: i32,
    pub code: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[belongs_to(order: Order, by = (tenant, order_code))]
pub struct Item {
    pub id: Id<Item, uuid::Uuid>,
    pub tenant: i32,
    pub order_code: Option<String>,
    #[belongs_to(label: Label)]
    pub label_id: Option<Id<Label, uuid::Uuid>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(items: Item)]
pub struct Label {
    pub id: Id<Label, uuid::Uuid>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(tenant, order_code, label_id))]
#[belongs_to(order: Order, by = (tenant, order_code))]
pub struct OrderLabel {
    pub tenant: i32,
    pub order_code: String,
    #[belongs_to(label: Label)]
    pub label_id: Id<Label, uuid::Uuid>,
}

fn orders() -> orm::schema::Schema {
    orm::schema![Order, Item, Label, OrderLabel]
}

#[orm::test(schema = orders())]
async fn composite_and_uuid_keys(db: Db) -> orm::Result<()> {
    let order = |tenant, code: &str| NewOrder {
        tenant,
        code: code.into(),
    };
    // the same code in two tenants: half of a key is no key
    let orders = NewOrder::insert_all(&db, [order(1, "a"), order(1, "b"), order(2, "a")]).await?;
    let labels = ["x", "y"].map(|name| NewLabel { name: name.into() });
    let labels = NewLabel::insert_all(&db, labels).await?;
    let item = |tenant: i32, code: Option<&str>, label: usize| {
        let (code, label) = (code.map(str::to_owned), labels[label].id);
        NewItem { tenant }.set(move |i| (i.order_code.to(code), i.label_id.to(Some(label))))
    };
    let items = [
        item(1, Some("a"), 0),
        item(1, Some("a"), 1),
        item(2, Some("a"), 0),
        item(1, None, 0),
    ];
    NewItem::insert_all(&db, items).await?;
    for (order, label) in [(0, 0), (0, 1), (2, 1)] {
        assert_eq!(orders[order].labels().link(&db, [labels[label].id]).await?, 1);
    }
    let read = assert_statements!(db, 4, {
        Order::query()
            .with(|o| o.items.with(|i| i.label))
            .with(|o| o.labels.order_by(|l| l.name.asc()).limit(1))
            .order_by(|o| (o.tenant.asc(), o.code.asc()))
            .all(&db)
            .await?
    });
    let seen: Vec<_> = read
        .iter()
        .map(|o| {
            (
                o.items.len(),
                o.labels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(seen, [(2, vec!["x"]), (0, vec![]), (1, vec!["y"])]);
    assert!(read[0].items.iter().all(|i| i.label.is_some()));
    // a key of several columns refers to nothing as soon as one of them is NULL
    let items = Item::query().with(|i| i.order).all(&db).await?;
    assert!(items.iter().all(|i| i.order.is_some() == i.order_code.is_some()));
    let of_order = |i: &&ItemWithOrder| i.order.as_ref().is_some_and(|o| o.tenant != i.tenant);
    assert_eq!(items.iter().find(of_order), None);
    Ok(())
}

/// More keys than a statement takes binds.
#[orm::test(schema = orders())]
async fn forty_thousand_uuid_keys_in_one_load(db: Db) -> orm::Result<()> {
    let labels = (0..40_000).map(|i| NewLabel { name: i.to_string() });
    let labels = NewLabel::insert_all(&db, labels).await?;
    let last = labels[39_999].id;
    NewItem { tenant: 1 }
        .set(|i| i.label_id.to(Some(last)))
        .insert(&db)
        .await?;
    let loaded = assert_statements!(db, 1, { labels.load(&db, |l| l.items).await? });
    let with_items: Vec<usize> = (0..loaded.len())
        .filter(|i| !loaded[*i].items.is_empty())
        .collect();
    assert_eq!(with_items, [39_999]);
    Ok(())
}

/// Rows of one owner stand in the order that was asked for, whoever puts them there.
#[orm::test(schema = blog())]
async fn related_rows_stand_in_their_order(db: Db) -> orm::Result<()> {
    let mut random = Gen::new(1);
    let names = ["ann", "bob", "cid", "dan"].map(|name| NewUser {
        email: format!("{name}@x.io"),
        name: name.into(),
    });
    let users = NewUser::insert_all(&db, names).await?;
    let posts = (0..200).map(|i| {
        let views = random.pick(&[i64::MIN, -1, 0, 1, 7, i64::MAX]);
        let score = random.maybe(|r| r.below(3) as i64);
        let new = NewPost {
            author_id: users[random.below(3) as usize].id,
            title: format!("{i}"),
        };
        new.set(move |p| (p.views.to(views), p.score.to(score)))
    });
    let posts = NewPost::insert_all(&db, posts).await?;
    let (rust, sql) = (tag(&db, "rust").await, tag(&db, "sql").await);
    for post in posts.iter().take(60) {
        comment(&db, post, &users[0], &post.title).await;
        label(&db, post, &rust).await;
        label(&db, post, &sql).await;
    }
    // a changed row stands elsewhere in the table of PostgreSQL
    Post::update_where(|p| p.views.eq(-1))
        .set(|p| p.title.to("moved"))
        .exec(&db)
        .await?;
    let posts = Post::query().order_by(|p| p.id.asc()).all(&db).await?;

    let own = |user: &User, by: fn(&Post, &Post) -> Ordering| {
        let mut own: Vec<&Post> = posts.iter().filter(|p| p.author_id == user.id).collect();
        own.sort_by(|a, b| by(a, b));
        own.into_iter().map(|p| p.id).collect::<Vec<_>>()
    };
    let by_views = |a: &Post, b: &Post| b.views.cmp(&a.views).then(a.id.cmp(&b.id));
    let up = || User::query().order_by(|u| u.id.asc());
    let read = up()
        .with(|u| {
            u.posts
                .order_by(|p| (p.views.desc(), p.id.asc()))
                .with(|p| p.comments.with(|c| c.author))
        })
        .all(&db)
        .await?;
    for user in &read {
        let ids: Vec<_> = user.posts.iter().map(|p| p.id).collect();
        assert_eq!(ids, own(user, by_views));
        for post in &user.posts {
            let title = |c: &CommentWithAuthor<Comment>| c.post_id == post.id && c.author.name == "ann";
            assert!(post.comments.iter().all(title), "what is below goes along");
            assert_eq!(post.comments.len(), usize::from(post.id <= posts[59].id));
        }
    }
    let hand = users
        .load(&db, |u| u.posts.order_by(|p| (p.views.asc(), p.id.desc())))
        .await?;
    for user in &hand {
        let ids: Vec<_> = user.posts.iter().map(|p| p.id).collect();
        assert_eq!(ids, own(user, |a, b| a.views.cmp(&b.views).then(b.id.cmp(&a.id))));
    }
    // which rows are read depends on the order
    let most = up()
        .with(|u| {
            u.posts
                .order_by(|p| (p.views.desc(), p.id.asc()))
                .limit(3)
                .offset(1)
        })
        .all(&db)
        .await?;
    for user in &most {
        let ids: Vec<_> = user.posts.iter().map(|p| p.id).collect();
        let own = own(user, by_views);
        assert_eq!(ids, own.into_iter().skip(1).take(3).collect::<Vec<_>>());
    }
    // NULLs have a place of their own
    let scored = up()
        .with(|u| u.posts.order_by(|p| (p.score.asc(), p.id.asc())))
        .all(&db)
        .await?;
    for user in &scored {
        let ids: Vec<_> = user.posts.iter().map(|p| p.id).collect();
        let by_score = |a: &Post, b: &Post| {
            let last = |p: &Post| p.score.unwrap_or(i64::MAX);
            last(a).cmp(&last(b)).then(a.id.cmp(&b.id))
        };
        assert_eq!(ids, own(user, by_score));
    }
    // rows that belong to several rows above, and values that are not part of what is read
    let tags = Tag::query()
        .with(|t| {
            t.posts
                .order_by(|p| (p.views.asc(), p.id.desc()))
                .select(|p| (p.id,))
        })
        .order_by(|t| t.id.asc())
        .all(&db)
        .await?;
    let mut labelled: Vec<&Post> = posts.iter().take(60).collect();
    labelled.sort_by(|a, b| a.views.cmp(&b.views).then(b.id.cmp(&a.id)));
    let labelled: Vec<_> = labelled.into_iter().map(|p| (p.id,)).collect();
    assert!(tags.iter().all(|t| t.posts == labelled) && tags.len() == 2);
    Ok(())
}
