//! Relations to one row that come with the statement of the row itself: the same rows as by a statement of their own.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::dependents::{Card, Holder, NewCard, NewHolder};
use crate::models::*;
use crate::references::{Blank, NewBlank};

/// Ann and Bob write; one post is in a category, one is deleted, and its comment stays.
async fn library(db: &Db) -> orm::Result<()> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    let news = NewCategory { name: "news".into() }.insert(db).await?;
    let tech = NewCategory { name: "tech".into() }
        .set(|c| c.parent_id.to(Some(news.id)))
        .insert(db)
        .await?;
    for (author, title, category) in [
        (&ann, "a", Some(tech.id)),
        (&ann, "b", None),
        (&bob, "c", Some(news.id)),
    ] {
        let p = post(db, author, title).await;
        let p = p.update().set(|p| p.category_id.to(category)).save(db).await?;
        comment(db, &p, &bob, title).await;
        if title == "c" {
            p.delete(db).await?;
        }
    }
    let picture = NewProfile {
        user_id: ann.id,
        avatar_url: "ann.png".into(),
    };
    picture.insert(db).await.map(drop)
}

/// Each kind of relation to one row, in one statement, and what comes is what a statement of its own brings.
#[orm::test(schema = blog())]
async fn one_statement_and_the_same_rows(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let posts = || Post::query().with_deleted().order_by(|p| p.id.asc());
    let apart = posts().with(|p| p.author).with(|p| p.category).all(&db).await?;
    let joined: Vec<PostWithCategory<PostWithAuthor>> = assert_statements!(db, 1, {
        posts()
            .with(|p| p.author.joined())
            .with(|p| p.category.joined())
            .all(&db)
            .await?
    });
    assert_eq!(joined.len(), 3);
    for (joined, apart) in joined.iter().zip(&apart) {
        assert_eq!(
            (&joined.author, &joined.category),
            (&apart.author, &apart.category)
        );
    }
    let users = assert_statements!(db, 1, {
        User::query()
            .with(|u| u.profile.joined())
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    let pictures: Vec<bool> = users.iter().map(|u| u.profile.is_some()).collect();
    assert_eq!(pictures, [true, false]);
    // every terminal, and an order by whatever the query has
    let query = || {
        Post::query()
            .with(|p| p.author.joined())
            .order_by(|p| p.author.col(|a| a.name).desc())
    };
    assert_eq!(query().count(&db).await?, 2);
    assert!(query().exists(&db).await?);
    let first = assert_statements!(db, 1, { query().first(&db).await? });
    assert_eq!(first.map(|p| p.author.name.clone()).as_deref(), Some("ann"));
    let id = joined[1].id;
    assert_eq!(
        assert_statements!(db, 1, { query().get(&db, id).await? })
            .author
            .name,
        "ann"
    );
    let mut tx = db.begin().await?;
    assert_statements!(db, 1, {
        let mut rows = query().stream(&mut tx);
        while let Some(post) = rows.next().await? {
            assert_eq!(post.author.id, post.author_id);
        }
    });
    Ok(())
}

/// A required row is there although it is deleted, an optional one is not, and `.live()`, `.with_deleted()` and
/// conditions say otherwise, as they do without the join.
#[orm::test(schema = blog())]
async fn deleted_rows_are_seen_as_without_the_join(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let comments = || Comment::query().order_by(|c| c.id.asc());
    let titles = |rows: &[CommentWithPost]| rows.iter().map(|c| c.post.title.clone()).collect::<Vec<_>>();
    let joined = comments().with(|c| c.post.joined()).all(&db).await?;
    assert_eq!(titles(&joined), ["a", "b", "c"]);
    let live = comments().with(|c| c.post.joined().live()).all(&db).await?;
    assert_eq!(
        live.iter().map(|c| c.post.is_some()).collect::<Vec<_>>(),
        [true, true, false]
    );
    let gone = comments()
        .with(|c| c.post.only_deleted().joined())
        .all(&db)
        .await?;
    assert_eq!(
        gone.iter().map(|c| c.post.is_some()).collect::<Vec<_>>(),
        [false, false, true]
    );
    let some = assert_statements!(db, 1, {
        comments()
            .with(|c| c.post.filter(|p| p.title.ne("a")).joined())
            .all(&db)
            .await?
    });
    let some: Vec<_> = some
        .iter()
        .map(|c| c.post.as_ref().map(|p| p.title.as_str()))
        .collect();
    assert_eq!(
        some,
        [None, Some("b"), Some("c")],
        "the condition chooses posts, not comments"
    );
    let names = assert_statements!(db, 1, {
        comments()
            .with(|c| c.post.joined().select(|p| (p.title, p.author.col(|a| a.name))))
            .all(&db)
            .await?
    });
    assert_eq!(names[0].post, Some(("a".to_owned(), "ann".to_owned())));
    Ok(())
}

/// What is loaded below a joined row finds it, by statements of its own or joined again, and rows that share the joined
/// row ask for what is below it once.
#[orm::test(schema = blog())]
async fn branches_below_a_joined_row(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let posts = assert_statements!(db, 3, {
        Post::query()
            .with(|p| p.category.joined().with(|c| c.parent.joined()).with(|c| c.posts))
            .with(|p| {
                p.author
                    .joined()
                    .with(|a| a.profile.joined())
                    .with(|a| a.posts.counted())
            })
            .with(|p| p.comments.with(|c| c.author.joined()))
            .order_by(|p| p.id.asc())
            .all(&db)
            .await?
    });
    let [a, b] = posts.as_slice() else {
        panic!("two posts live")
    };
    let tech = a.category.as_ref().unwrap();
    assert_eq!((tech.name.as_str(), tech.posts.len()), ("tech", 1));
    assert_eq!(tech.parent.as_ref().map(|c| c.name.as_str()), Some("news"));
    assert!(b.category.is_none());
    for post in [a, b] {
        assert_eq!((post.author.name.as_str(), post.author.posts), ("ann", 2));
        assert_eq!(
            post.author.profile.as_ref().map(|p| p.avatar_url.as_str()),
            Some("ann.png")
        );
        assert_eq!(post.comments[0].author.name, "bob");
    }
    // rows of a walk, and those that follow a row in hand
    let leaf = Category::query().filter(|c| c.name.eq("tech")).one(&db).await?;
    let walked = assert_statements!(db, 1, {
        let up = leaf.walk(|c| c.parent).include_start().depth_first();
        up.with(|c| c.parent.joined()).all(&db).await?
    });
    let above: Vec<_> = walked
        .iter()
        .map(|c| c.parent.as_ref().map(|c| c.name.as_str()))
        .collect();
    assert_eq!(above, [Some("news"), None]);
    let of = leaf.posts().with(|p| p.author.joined());
    assert_eq!(
        assert_statements!(db, 1, { of.one(&db).await? }).author.name,
        "ann"
    );
    // a row in hand has no statement to join: its relations do, below
    let hand = assert_statements!(db, 1, { Post::query().all(&db).await? });
    let hand = assert_statements!(db, 1, {
        hand.load(&db, |p| p.author.joined().with(|a| a.profile.joined()))
            .await?
    });
    assert!(hand.iter().all(|p| p.author.profile.is_some()));
    Ok(())
}

/// A join neither takes from a limit nor adds to it; under a limit for each row, and of distinct rows, the relation is
/// a statement of its own.
#[orm::test(schema = blog())]
async fn limits_count_rows_of_the_query(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let page = assert_statements!(db, 1, {
        Comment::query()
            .with(|c| c.post.joined())
            .with(|c| c.author.joined())
            .order_by(|c| c.id.desc())
            .limit(2)
            .offset(1)
            .all(&db)
            .await?
    });
    let seen: Vec<_> = page
        .iter()
        .map(|c| (c.post.title.as_str(), c.author.name.as_str()))
        .collect();
    assert_eq!(seen, [("b", "bob"), ("a", "bob")]);
    let users = assert_statements!(db, 3, {
        User::query()
            .with(|u| {
                u.posts
                    .order_by(|p| p.title.desc())
                    .limit(1)
                    .with(|p| p.author.joined())
            })
            .order_by(|u| u.id.asc())
            .all(&db)
            .await?
    });
    assert_eq!(
        (users[0].posts.len(), users[0].posts[0].author.name.as_str()),
        (1, "ann")
    );
    assert_eq!(users[0].posts[0].title, "b");
    let distinct = Post::query().distinct().with(|p| p.author.joined());
    assert_eq!(assert_statements!(db, 2, { distinct.all(&db).await? }).len(), 2);
    let limited = Post::query().with(|p| p.author.limit(0).joined());
    let limited = assert_statements!(db, 2, { limited.all(&db).await? });
    assert!(limited.iter().all(|p| p.author.is_none()));
    Ok(())
}

/// A one-to-one relation is joined where a key keeps it to one row. Elsewhere a join would bring a row twice: it stays a
/// statement of its own and finds the second one.
#[orm::test(schema = orm::schema![User, Profile, Holder, Card])]
async fn a_second_row_of_one_to_one_is_found(db: Db) -> orm::Result<()> {
    let holder = NewHolder {}.insert(&db).await?;
    let card = |text: &str| NewCard { text: text.into() }.set(|c| c.holder_id.to(Some(holder.id)));
    card("1").insert(&db).await?;
    let one = assert_statements!(db, 2, {
        Holder::query().with(|h| h.card.joined()).all(&db).await?
    });
    assert_eq!(one[0].card.as_ref().map(|c| c.text.as_str()), Some("1"));
    card("2").insert(&db).await?;
    let e = refused(Holder::query().with(|h| h.card.joined()).all(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::MoreThanOne, Some("Holder"), Some("card"))
    );
    // the other way each card has one holder
    let cards = assert_statements!(db, 1, {
        Card::query().with(|c| c.holder.joined()).all(&db).await?
    });
    assert!(cards.iter().all(|c| c.holder.is_some()));
    Ok(())
}

/// A joined row of nothing but NULLs is told from none by its key.
#[orm::test(schema = orm::schema![Blank])]
async fn a_joined_row_of_nulls_is_a_row(db: Db) -> orm::Result<()> {
    let first = NewBlank {}.insert(&db).await?;
    NewBlank {}
        .set(|b| b.before_id.to(Some(first.id)))
        .insert(&db)
        .await?;
    let read = assert_statements!(db, 1, {
        Blank::query()
            .with(|b| b.before.joined())
            .order_by(|b| b.id.asc())
            .all(&db)
            .await?
    });
    assert_eq!((&read[0].before, &read[1].before), (&None, &Some(first)));
    Ok(())
}

/// With a lock only the rows of the query are locked, not those that came along.
#[orm::test(schema = blog())]
async fn a_lock_leaves_joined_rows_alone(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let tx = db.begin().await?;
    let posts = Post::query()
        .with(|p| p.author.joined())
        .with(|p| p.category.joined())
        .for_update()
        .all(&tx)
        .await?;
    assert_eq!(posts.len(), 2);
    if db.dialect().features().row_locks {
        let other = db.begin().await?;
        User::query()
            .for_update()
            .no_wait()
            .get(&other, posts[0].author_id)
            .await?;
        let e = refused(
            Post::query()
                .for_update()
                .no_wait()
                .get(&other, posts[0].id)
                .await,
        );
        assert_eq!(e.kind(), ErrorKind::LockTimeout);
        other.rollback().await?;
    }
    tx.rollback().await
}

/// The tenant of a joined row is asked for as that of every other.
#[orm::test(schema = books())]
async fn a_joined_row_of_another_tenant_is_not_seen(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    let account = NewAccount { number: "1".into() }.insert(&one).await?;
    let line = |amount| NewLine {
        account_id: account.id,
        amount,
    };
    line(1).insert(&one).await?;
    line(2).insert(&two).await?;
    assert_eq!(
        Line::query()
            .with(|l| l.account.joined())
            .one(&one)
            .await?
            .account
            .id,
        account.id
    );
    let e = refused(Line::query().with(|l| l.account.joined()).one(&two).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::NotFound, Some("Line"), Some("account"))
    );
    let none = Line::query()
        .with(|l| l.account.joined().live())
        .one(&two)
        .await?;
    assert!(
        none.account.is_none() && none.amount == 2,
        "the line itself is there"
    );
    Ok(())
}

#[derive(Shape, Debug, PartialEq)]
#[shape(User)]
struct Face {
    name: String,
    #[rel(joined)]
    profile: Option<Profile>,
}

#[derive(Shape, Debug, PartialEq)]
#[shape(Post)]
struct Headline {
    #[rel(joined)]
    author: Face,
    title: String,
    #[rel(category, joined, select = |c| c.name)]
    section: Option<String>,
    #[count(comments)]
    comments: i64,
    #[rel(category, joined, filter = |c| c.name.eq("news"))]
    news: Option<Category>,
}

/// Shapes join what they name, also the same relation twice.
#[orm::test(schema = blog())]
async fn shapes_join_too(db: Db) -> orm::Result<()> {
    library(&db).await?;
    let read = assert_statements!(db, 1, {
        Post::query()
            .order_by(|p| p.id.asc())
            .shape::<Headline>()
            .all(&db)
            .await?
    });
    let seen: Vec<_> = read
        .iter()
        .map(|h| {
            (
                h.title.as_str(),
                h.author.name.as_str(),
                h.section.as_deref(),
                h.comments,
                h.news.is_some(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("a", "ann", Some("tech"), 1, false), ("b", "ann", None, 1, false)]
    );
    assert!(read.iter().all(|h| h.author.profile.is_some()));
    Ok(())
}
