//! Lists, truths and statistics of groups, and totals.

use orm::ErrorKind;
use orm::prelude::*;

use crate::models::*;

/// Posts of Ann with 5, 3 and 3 views, the first one published, and of Bob with 7.
async fn posts(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    for (author, title, views, score) in [
        (&ann, "a", 5, Some(2)),
        (&ann, "b", 3, None),
        (&ann, "c", 3, None),
        (&bob, "d", 7, Some(4)),
    ] {
        NewPost {
            author_id: author.id,
            title: title.into(),
        }
        .set(|p| (p.views.to(views), p.score.to(score), p.published.to(views == 5)))
        .insert(db)
        .await?;
    }
    Ok((ann, bob))
}

#[orm::test(schema = blog())]
async fn lists_and_truths_of_groups(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(Option<String>, Json<Vec<Option<i64>>>, Option<bool>, Option<bool>)> = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.key().asc())
        .select(|g| {
            (
                g.agg(|p| p.title.string_agg("+").order_by(p.title.desc())),
                g.agg(|p| p.score.json_agg().order_by(p.title.asc())),
                g.agg(|p| p.published.bool_and()),
                g.agg(|p| p.published.bool_or()),
            )
        })
        .all(&db)
        .await?;
    let (ann, bob) = (vec![Some(2), None, None], vec![Some(4)]);
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        rows,
        [
            (text("c+b+a"), Json(ann), Some(false), Some(true)),
            (text("d"), Json(bob), Some(false), Some(false)),
        ]
    );
    let none: (Option<String>, Json<Vec<i64>>, Option<bool>) = Post::query()
        .filter(|p| p.views.gt(100))
        .aggregate(|p| (p.title.string_agg(","), p.views.json_agg(), p.published.bool_or()))
        .one(&db)
        .await?;
    assert_eq!(none, (None, Json(Vec::new()), None));
    Ok(())
}

#[orm::test(schema = blog())]
async fn instants_in_json_are_instants(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let post = NewPost {
        author_id: ann.id,
        title: "t".into(),
    };
    post.insert(&db).await?;
    let (list, one): (Json<Vec<Timestamp>>, Option<Timestamp>) = Post::query()
        .aggregate(|p| (p.created_at.json_agg(), p.created_at.min()))
        .one(&db)
        .await?;
    assert_eq!(list.0, [one.unwrap()]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn arrays_and_statistics(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let titles = Post::query().aggregate(|p| p.title.array_agg().order_by(p.title.desc()));
    let middle = Post::query().aggregate(|p| {
        (
            p.views.percentile_cont(0.5),
            p.views.percentile_disc(0.5),
            p.views.mode(),
        )
    });
    let spread = Post::query().aggregate(|p| {
        (
            p.views.variance_pop(),
            p.views.variance(),
            p.views.stddev(),
            p.views.stddev_pop(),
        )
    });
    let features = db.dialect().features();
    assert_eq!(titles.one(&db).await?.unwrap(), ["d", "c", "b", "a"]);
    if !features.ordered_set_aggregates {
        assert_eq!(middle.one(&db).await.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(spread.one(&db).await.unwrap_err().kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    assert_eq!(middle.one(&db).await?, (Some(4.0), Some(3), Some(3)));
    let (variance_pop, variance, stddev, stddev_pop) = spread.one(&db).await?;
    // 5, 3, 3, 7: the mean is 4.5, the squares of the distances sum up to 11
    assert_eq!(
        (variance_pop, variance.map(|v| (v * 3.0).round())),
        (Some(2.75), Some(11.0))
    );
    assert_eq!(stddev.map(|d| (d * d * 3.0).round()), Some(11.0));
    assert_eq!(stddev_pop.map(|d| (d * d * 4.0).round()), Some(11.0));
    Ok(())
}

#[orm::test(schema = blog())]
async fn totals(db: Db) -> orm::Result<()> {
    let (ann, bob) = posts(&db).await?;
    let rollup = Post::query()
        .group_by_rollup(|p| (p.author_id, p.published))
        .order_by(|g| (g.key().0.asc().nulls_first(), g.key().1.asc()))
        .select(|g| (g.key(), g.grouping(|k| k), g.sum(|p| p.views)));
    assert_eq!(rollup.clone().count(&db).await?, 6);
    let some = rollup.clone().limit(2).offset(1).all(&db).await?;
    assert_eq!(
        some.iter().map(|(_, left_out, _)| *left_out).collect::<Vec<_>>(),
        [0, 0]
    );
    assert_eq!(
        rollup.all(&db).await?,
        [
            ((None, None), 3, Some(18)),
            ((Some(ann.id), Some(false)), 0, Some(6)),
            ((Some(ann.id), Some(true)), 0, Some(5)),
            ((Some(ann.id), None), 1, Some(11)),
            ((Some(bob.id), Some(false)), 0, Some(7)),
            ((Some(bob.id), None), 1, Some(7)),
        ]
    );
    // a score that is NULL is no total
    let scores: Vec<(Option<i64>, i32, i64)> = Post::query()
        .group_by_cube(|p| p.score)
        .order_by(|g| (g.grouping(|k| k).asc(), g.key().asc()))
        .select(|g| (g.key(), g.grouping(|k| k), g.count()))
        .all(&db)
        .await?;
    assert_eq!(
        scores,
        [(Some(2), 0, 1), (Some(4), 0, 1), (None, 0, 2), (None, 1, 4)]
    );
    let mut sets: Vec<(Option<Id<User>>, Option<bool>, i64)> = Post::query()
        .group_by_sets(
            |p| (p.author_id, p.published),
            |sets, (author, published)| sets.set(author).set(published),
        )
        .select(|g| (g.key().0, g.key().1, g.count()))
        .all(&db)
        .await?;
    sets.sort_by_key(|row| (row.1, row.2));
    assert_eq!(
        sets,
        [
            (Some(bob.id), None, 1),
            (Some(ann.id), None, 3),
            (None, Some(false), 3),
            (None, Some(true), 1),
        ]
    );
    // of no rows at all there is one total, and groups that do not meet the condition are none
    let none = |least: i64| {
        Post::query()
            .filter(|p| p.views.gt(1000))
            .group_by_rollup(|p| (p.author_id, p.published))
            .having(move |g| g.count().ge(least))
            .select(|g| g.key())
    };
    assert_eq!(none(0).all(&db).await?, [(None, None)]);
    assert_eq!(none(1).all(&db).await?, []);
    // as a source, of joined tables, and with aggregates over a key
    let by_name = Post::query()
        .join(|p| p.author)
        .group_by_rollup(|(p, a)| (a.name, p.views))
        .having(|g| g.grouping(|(name, _)| name).eq(0).or(g.count().gt(3)))
        .select(|g| (g.key().0, g.grouping(|k| k), g.sum(|(p, _)| p.views)));
    let totals = orm::from(by_name)
        .filter(|(_, left_out, _)| left_out.gt(0))
        .order_by(|(name, _, _)| name.asc())
        .select(|(name, _, sum)| (name, sum));
    let row = |name: Option<&str>, sum: i64| (name.map(str::to_owned), Some(sum));
    assert_eq!(
        totals.all(&db).await?,
        [row(Some("ann"), 11), row(Some("bob"), 7), row(None, 18)]
    );
    // a window over the groups of all sets
    let ranked = Post::query()
        .group_by_rollup(|p| p.author_id)
        .select(|g| orm::window::rank().over(|w| w.order_by(g.count().desc())));
    match db.dialect().features().grouping_sets {
        true => assert_eq!(ranked.count(&db).await?, 3),
        false => assert_eq!(
            ranked.count(&db).await.unwrap_err().kind(),
            ErrorKind::Unsupported
        ),
    }
    Ok(())
}
