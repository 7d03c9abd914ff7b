//! Queries over the rows of other queries.

use orm::prelude::*;

use crate::models::*;

/// Ann has three posts, Bob one, Cid none.
async fn authors(db: &Db) -> orm::Result<[User; 3]> {
    let users = [
        user(db, "ann").await,
        user(db, "bob").await,
        user(db, "cid").await,
    ];
    for title in ["a1", "a2", "a3"] {
        post(db, &users[0], title).await;
    }
    post(db, &users[1], "b1").await;
    // one that is deleted counts nowhere
    post(db, &users[2], "gone").await.delete(db).await?;
    Ok(users)
}

fn per_author() -> Query<Post, (Id<User>, i64)> {
    Post::query()
        .group_by(|p| p.author_id)
        .select(|g| (g.key(), g.count()))
}

#[orm::test(schema = blog())]
async fn a_query_over_the_rows_of_another(db: Db) -> orm::Result<()> {
    authors(&db).await?;
    let rows: Vec<(i64, i64)> = orm::from(per_author())
        .group_by(|(_, posts)| posts)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(rows, [(1, 1), (3, 1)]);
    let most: Option<i64> = orm::from(per_author())
        .aggregate(|(_, n)| n.max())
        .one(&db)
        .await?;
    assert_eq!(most, Some(3));
    Ok(())
}

#[orm::test(schema = blog())]
async fn derived_tables_in_every_kind_of_join(db: Db) -> orm::Result<()> {
    let [ann, bob, cid] = authors(&db).await?;
    let on = |u: UserCols<User>, author: orm::query::Col<User, Id<User>, _>| u.id.eq(author);
    let inner: Vec<(String, i64)> = User::query()
        .join_on(per_author(), |u, (author, _)| on(u, author))
        .order_by(|(u, _)| u.id.asc())
        .select(|(u, (_, posts))| (u.name, posts))
        .all(&db)
        .await?;
    assert_eq!(inner, [("ann".into(), 3), ("bob".into(), 1)]);
    let left: Vec<(Id<User>, Option<i64>)> = User::query()
        .left_join_on(per_author(), |u, (author, _)| u.id.eq(author))
        .order_by(|(u, _)| u.id.asc())
        .select(|(u, (_, posts))| (u.id, posts))
        .all(&db)
        .await?;
    assert_eq!(left, [(ann.id, Some(3)), (bob.id, Some(1)), (cid.id, None)]);
    let right: Vec<(Option<String>, i64)> = User::query()
        .filter(|u| u.name.ne("bob"))
        .right_join_on(per_author(), |u, (author, _)| {
            u.id.eq(author).and(u.name.ne("bob"))
        })
        .filter(|(u, _)| u.map(|u| u.id).is_null())
        .select(|(u, (_, posts))| (u.map(|u| u.name), posts))
        .all(&db)
        .await?;
    // a condition of the query is one of its rows, which the join has made already
    assert_eq!(right, []);
    let full: Vec<(Option<Id<User>>, Option<i64>)> = User::query()
        .full_join_on(per_author().limit(10), |u, (author, n)| {
            u.id.eq(author).and(n.gt(1))
        })
        .order_by(|(u, (_, n))| (u.map(|u| u.id).asc(), n.asc()))
        .select(|(u, (_, n))| (u.map(|u| u.id), n))
        .all(&db)
        .await?;
    assert_eq!(
        full,
        [
            (Some(ann.id), Some(3)),
            (Some(bob.id), None),
            (Some(cid.id), None),
            (None, Some(1))
        ]
    );
    let cross: i64 = User::query()
        .cross_join(User::query())
        .select(|(a, b)| (a.id, b.id))
        .count(&db)
        .await?;
    assert_eq!(cross, 9);
    Ok(())
}

#[orm::test(schema = blog())]
async fn outer_joins_along_relations(db: Db) -> orm::Result<()> {
    let [_, bob, _] = authors(&db).await?;
    let tagged = post(&db, &bob, "b2").await;
    let (rust, _sql) = (tag(&db, "rust").await, tag(&db, "sql").await);
    label(&db, &tagged, &rust).await;
    let right: Vec<(Option<String>, String)> = Post::query()
        .right_join(|p| p.author)
        .filter(|(p, u)| p.map(|p| p.id).is_null().or(u.name.eq("bob")))
        .order_by(|(p, u)| (u.name.asc(), p.map(|p| p.title).asc()))
        .select(|(p, u)| (p.map(|p| p.title), u.name))
        .all(&db)
        .await?;
    let title = |t: &str| Some(t.to_string());
    assert_eq!(
        right,
        [
            (title("b1"), "bob".into()),
            (title("b2"), "bob".into()),
            (None, "cid".into())
        ]
    );
    let labels: Vec<(Option<String>, Option<String>)> = Post::query()
        .full_join(|p| p.tags)
        .order_by(|(p, t)| (t.map(|t| t.name).asc(), p.map(|p| p.title).asc()))
        .select(|(p, t)| (p.map(|p| p.title), t.map(|t| t.name)))
        .all(&db)
        .await?;
    assert_eq!(
        labels,
        [
            (title("b2"), title("rust")),
            (None, title("sql")),
            (title("a1"), None),
            (title("a2"), None),
            (title("a3"), None),
            (title("b1"), None),
        ]
    );
    // a link from a row that is not seen is none
    tagged.delete(&db).await?;
    let labels: Vec<(Option<String>, String)> = Post::query()
        .right_join(|p| p.tags)
        .order_by(|(_, t)| t.name.asc())
        .select(|(p, t)| (p.map(|p| p.title), t.name))
        .all(&db)
        .await?;
    assert_eq!(labels, [(None, "rust".into()), (None, "sql".into())]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn correlated_queries(db: Db) -> orm::Result<()> {
    let [ann, bob, cid] = authors(&db).await?;
    let rows: Vec<(Id<User>, Option<String>, Option<i64>)> = User::query()
        .order_by(|u| u.id.asc())
        .select(|u| {
            let own = Post::query().filter(|p| p.author_id.eq(u.id.outer()));
            (
                u.id,
                own.clone().aggregate(|p| p.title.max()).expr(),
                own.aggregate(|p| p.id.count()).expr(),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            (ann.id, Some("a3".into()), Some(3)),
            (bob.id, Some("b1".into()), Some(1)),
            (cid.id, None, Some(0))
        ]
    );
    let idle: Vec<String> = User::query()
        .filter(|u| exists(Post::query().filter(|p| p.author_id.eq(u.id.outer()))).not())
        .select(|u| u.name)
        .all(&db)
        .await?;
    assert_eq!(idle, ["cid"]);
    // the newest post of each author, by a query for each of them
    let newest: Vec<String> = Post::query()
        .filter(|p| {
            let of_author = Post::query().filter(|other| other.author_id.eq(p.author_id));
            p.id.eq(of_author.aggregate(|other| other.id.max()))
        })
        .order_by(|p| p.title.asc())
        .select(|p| p.title)
        .all(&db)
        .await?;
    assert_eq!(newest, ["a3", "b1"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn lateral_joins(db: Db) -> orm::Result<()> {
    let [ann, bob, cid] = authors(&db).await?;
    let newest = |n: u64| {
        move |u: UserCols<User>| {
            Post::query()
                .filter(|p| p.author_id.eq(u.id.outer()))
                .order_by(|p| p.id.desc())
                .limit(n)
                .select(|p| p.title)
        }
    };
    let query = User::query()
        .left_join_lateral(newest(2))
        .order_by(|(u, title)| (u.id.asc(), title.desc().nulls_last()))
        .select(|(u, title)| (u.id, title));
    let rows: orm::Result<Vec<(Id<User>, Option<String>)>> = query.all(&db).await;
    if !db.dialect().features().lateral {
        let e = rows.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        assert!(e.message().contains("LATERAL"), "{e}");
        return Ok(());
    }
    assert_eq!(
        rows?,
        [
            (ann.id, Some("a3".into())),
            (ann.id, Some("a2".into())),
            (bob.id, Some("b1".into())),
            (cid.id, None)
        ]
    );
    let inner: i64 = User::query()
        .join_lateral(newest(2))
        .select(|(u, _)| u.id)
        .count(&db)
        .await?;
    assert_eq!(inner, 3);
    Ok(())
}

#[orm::test(schema = orm::schema![User, Invoice])]
async fn every_source_is_one_of_the_tenant(db: Db) -> orm::Result<()> {
    for (org, total) in [(1, 10), (1, 20), (2, 500)] {
        NewInvoice { total }.insert(&db.tenant(org)).await?;
    }
    let (one, two) = (db.tenant(1i64), db.tenant(2i64));
    let totals = || {
        Invoice::query()
            .group_by(|i| i.org)
            .select(|g| (g.key(), g.sum(|i| i.total)))
    };
    let rows: Vec<(i64, Option<i64>)> = orm::from(totals())
        .select(|(org, total)| (org, total))
        .all(&one)
        .await?;
    assert_eq!(rows, [(1, Some(30))]);
    let joined: Vec<(i64, Option<i64>)> = Invoice::query()
        .join_on(totals(), |i, (org, _)| i.org.ge(org))
        .select(|(i, (_, total))| (i.total, total))
        .all(&two)
        .await?;
    assert_eq!(joined, [(500, Some(500))]);
    let all = Invoice::query()
        .filter(|i| exists(Invoice::query().filter(|other| other.total.gt(i.total))))
        .count(&two)
        .await?;
    assert_eq!(all, 0);
    // a source of an ordinary model's query belongs to tenants as well
    let e = User::query()
        .cross_join(totals())
        .select(|(u, _)| u.id)
        .all(&db)
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    Ok(())
}
