//! Queries by name.

use orm::prelude::*;
use orm::query::{cte, recursive};

use crate::models::*;

#[orm::test(schema = blog())]
async fn a_name_is_used_twice(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for (author, title) in [(&ann, "a1"), (&ann, "a2"), (&bob, "b1")] {
        post(&db, author, title).await;
    }
    post(&db, &bob, "gone").await.delete(&db).await?;
    let counts = || {
        let counts = Post::query()
            .group_by(|p| p.author_id)
            .select(|g| (g.key(), g.count()));
        cte("counts", counts)
    };
    for counts in [counts(), counts().materialized(), counts().not_materialized()] {
        let most = orm::from(&counts).aggregate(|(_, n)| n.max());
        let top: Vec<(String, i64)> = User::query()
            .join_on(&counts, |u, (author, _)| u.id.eq(author))
            .filter(|(_, (_, n))| n.eq(most))
            .select(|(u, (_, n))| (u.name, n))
            .all(&db)
            .await?;
        assert_eq!(top, [("ann".into(), 2)]);
        let total: i64 = orm::from(&counts).select(|(author, _)| author).count(&db).await?;
        assert_eq!(total, 2);
    }
    // one in a union, and one over another
    let busy = cte(
        "busy",
        orm::from(counts())
            .filter(|(_, n)| n.gt(1))
            .select(|(author, _)| author),
    );
    let both = orm::from(&busy)
        .select(|id| id)
        .union_all(orm::from(&busy).select(|id| id));
    assert_eq!(both.all(&db).await?, [ann.id, ann.id]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_query_goes_on_from_its_own_rows(db: Db) -> orm::Result<()> {
    let new = async |name: &str, parent: Option<Id<Category>>| {
        NewCategory { name: name.into() }
            .set(|c| c.parent_id.to(parent))
            .insert(&db)
            .await
    };
    let root = new("root", None).await?;
    let left = new("left", Some(root.id)).await?;
    new("right", Some(root.id)).await?;
    let leaf = new("leaf", Some(left.id)).await?;
    let tree = || {
        let roots = Category::query()
            .filter(|c| c.parent_id.is_null())
            .select(|c| (c.id, c.name));
        recursive("tree", roots, |tree| {
            Category::query()
                .join_on(tree, |c, (id, _)| c.parent_id.eq(id))
                .select(|(c, (_, path))| (c.id, path.concat("/").concat(c.name)))
        })
    };
    let paths: Vec<String> = orm::from(tree())
        .order_by(|(_, path)| path.asc())
        .select(|(_, path)| path)
        .all(&db)
        .await?;
    assert_eq!(paths, ["root", "root/left", "root/left/leaf", "root/right"]);
    // with other conditions on every step, and beside tables
    let named: Vec<(String, String)> = Category::query()
        .join_on(&tree(), |c, (id, _)| c.id.eq(id))
        .filter(|(c, _)| c.name.eq("leaf"))
        .select(|(c, (_, path))| (c.name, path))
        .all(&db)
        .await?;
    assert_eq!(named, [("leaf".into(), "root/left/leaf".into())]);
    // a ring ends where equal rows are one
    root.update().set(|c| c.parent_id.to(leaf.id)).save(&db).await?;
    let start = Category::query().filter(|c| c.name.eq("left")).select(|c| c.id);
    let ring = recursive("ring", start, |ring| {
        Category::query()
            .join_on(ring, |c, id| c.parent_id.eq(id))
            .select(|(c, _)| c.id)
    });
    assert_eq!(orm::from(ring.distinct()).select(|id| id).count(&db).await?, 4);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_name_in_every_place_of_a_query(db: Db) -> orm::Result<()> {
    let (ann, _bob) = (user(&db, "ann").await, user(&db, "bob").await);
    post(&db, &ann, "a1").await;
    let authors = cte("authors", Post::query().select(|p| p.author_id));
    let of = |id: orm::query::Expr<User, Id<User>>| {
        exists(
            orm::from(&authors)
                .filter(|author| author.eq(id.outer()))
                .select(|author| author),
        )
    };
    let writers = User::query().filter(|u| of(u.id.expr()));
    assert_eq!(writers.clone().count(&db).await?, 1);
    assert_eq!(writers.clone().all(&db).await?.len(), 1);
    // beside the rows that are loaded, and in changes of many rows
    let loaded = writers.clone().with(|u| u.posts).all(&db).await?;
    assert_eq!(loaded[0].posts.len(), 1);
    let changed = User::update_where(|u| of(u.id.expr()).not())
        .set(|u| u.bio.to("reader"))
        .exec(&db)
        .await?;
    assert_eq!(changed, 1);
    let deleted = User::delete_where(|u| u.id.not_in(orm::from(&authors).select(|id| id)))
        .exec(&db)
        .await?;
    assert_eq!(deleted, 1);
    Ok(())
}

#[orm::test(schema = orm::schema![User, Profile, Post, PostTag, Tag, Category, Comment, Doc])]
async fn a_change_of_rows_is_read_by_a_query(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let first = post(&db, &ann, "a1").await;
    for (author, body) in [(&ann, "x"), (&bob, "y"), (&bob, "z")] {
        let (post_id, author_id) = (first.id, author.id);
        let body = body.into();
        NewComment {
            post_id,
            author_id,
            body,
        }
        .insert(&db)
        .await?;
    }
    let of_bob = Comment::delete_where(|c| c.author_id.eq(bob.id));
    let gone = orm::cte("gone", of_bob.rows(|c| (c.author_id, c.body)));
    let counted = User::query()
        .join_on(&gone, |u, (author, _)| u.id.eq(author))
        .order_by(|(_, (_, body))| body.asc())
        .select(|(u, (_, body))| (u.name, body));
    let rows = counted.all(&db).await;
    if !db.dialect().features().writing_cte {
        assert_eq!(rows.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(Comment::query().count(&db).await?, 3);
        return Ok(());
    }
    assert_eq!(rows?, [("bob".into(), "y".into()), ("bob".into(), "z".into())]);
    assert_eq!(Comment::query().count(&db).await?, 1);

    // shadow columns and soft deletes are as in every write
    let seen = Post::update_where(|p| p.title.eq("a1")).set(|p| p.views.to(p.views + 1));
    let seen = orm::cte("seen", seen.rows(|p| (p.views, p.version)));
    assert_eq!(
        orm::from(&seen).select(|row| row).one(&db).await?,
        (1, first.version + 1)
    );
    let hidden = orm::cte("hidden", Post::delete_where(|p| p.title.eq("a1")).rows(|p| p.id));
    assert_eq!(orm::from(&hidden).select(|id| id).all(&db).await?, [first.id]);
    assert_eq!(Post::query().count(&db).await?, 0);
    assert_eq!(Post::query().only_deleted().count(&db).await?, 1);

    // who writes has to be known
    let me = db.acting_as(ann.id);
    NewDoc { title: "d".into() }.insert(&me).await?;
    let docs = || {
        let docs = Doc::update_where(|d| d.title.eq("d")).set(|d| d.title.to("e"));
        orm::from(orm::cte("docs", docs.rows(|d| d.title))).select(|title| title)
    };
    assert_eq!(docs().all(&db).await.unwrap_err().kind(), ErrorKind::InvalidQuery);
    assert_eq!(docs().all(&me).await?, ["e"]);
    Ok(())
}

#[orm::test(schema = crate::history::schema())]
async fn a_change_that_something_must_see_is_none_of_a_query(db: Db) -> orm::Result<()> {
    let offers = crate::history::Offer::delete_where(|o| o.cents.gt(0)).rows(|o| o.id);
    let e = orm::from(orm::cte("gone", offers))
        .select(|id| id)
        .all(&db)
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    let why = "Offer inside WITH: its hooks, validators, audit trail or history have to see the write";
    assert_eq!(e.message(), why);
    Ok(())
}
