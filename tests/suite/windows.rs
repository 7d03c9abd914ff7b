//! Window functions: rows keep their own, and see others.

use orm::ErrorKind;
use orm::prelude::*;
use orm::window::{cume_dist, dense_rank, ntile, percent_rank, rank, row_number};

use crate::models::*;

/// Posts of Ann with 5, 3 and 3 views and of Bob with 7; what scored is the first and the last.
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
        .set(|p| (p.views.to(views), p.score.to(score)))
        .insert(db)
        .await?;
    }
    Ok((ann, bob))
}

#[orm::test(schema = blog())]
async fn rows_are_numbered_in_their_partitions(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(String, i64, i64, i64, i64)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                p.title,
                row_number().over(|w| w.partition_by(p.author_id).order_by(p.title.desc())),
                rank().over(|w| w.order_by(p.views.asc())),
                dense_rank().over(|w| w.order_by(p.views.asc())),
                ntile(2).over(|w| w.order_by(p.title.asc())),
            )
        })
        .all(&db)
        .await?;
    let expected = [
        ("a", 3, 3, 2, 1),
        ("b", 2, 1, 1, 1),
        ("c", 1, 1, 1, 2),
        ("d", 1, 4, 3, 2),
    ];
    assert_eq!(
        rows,
        expected.map(|(title, a, b, c, d)| (title.to_owned(), a, b, c, d))
    );
    let shares: Vec<(f64, f64)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                percent_rank().over(|w| w.order_by(p.title.asc())),
                cume_dist().over(|w| w.order_by(p.views.asc())),
            )
        })
        .all(&db)
        .await?;
    let thirds = shares.iter().map(|s| (s.0 * 3.0).round()).collect::<Vec<_>>();
    assert_eq!(thirds, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(
        shares.iter().map(|s| s.1).collect::<Vec<_>>(),
        [0.75, 0.5, 0.5, 1.0]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_see_those_before_and_behind(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(Option<i64>, i64, Option<i64>, Option<i64>)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                p.views.lag(1).over(|w| w.order_by(p.title.asc())),
                p.views.lead_or(2, -1).over(|w| w.order_by(p.title.asc())),
                p.score.lag_or(3, 9).over(|w| w.order_by(p.title.asc())),
                p.views
                    .lag(1)
                    .over(|w| w.partition_by(p.author_id).order_by(p.title.asc()))
                    .map(|before| p.views - before),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            (None, 3, Some(9), None),
            (Some(5), 7, Some(9), Some(-2)),
            (Some(3), -1, Some(9), Some(0)),
            (Some(3), -1, Some(2), None),
        ]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn values_of_frames(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(Option<String>, Option<String>, Option<String>, Option<i64>)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                p.title
                    .first_value()
                    .over(|w| w.partition_by(p.author_id).order_by(p.title.asc())),
                p.title.last_value().over(|w| w.order_by(p.title.asc()).rows(..)),
                p.title.nth_value(2).over(|w| w.order_by(p.title.asc())),
                // no row stands there
                p.views
                    .first_value()
                    .over(|w| w.order_by(p.title.asc()).rows(3..=4)),
            )
        })
        .all(&db)
        .await?;
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        rows,
        [
            (text("a"), text("d"), None, Some(7)),
            (text("a"), text("d"), text("b"), None),
            (text("a"), text("d"), text("b"), None),
            (text("d"), text("d"), text("b"), None),
        ]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn aggregates_over_frames(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(Option<i64>, Option<f64>, i64, i64)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                p.views.sum().over(|w| w.order_by(p.title.asc()).rows(..=0)),
                p.views.avg().over(|w| w.order_by(p.title.asc()).rows(-1..=1)),
                p.score
                    .count()
                    .filter(p.views.gt(4))
                    .over(|w| w.partition_by(p.author_id)),
                p.id.count().over(|w| w),
            )
        })
        .all(&db)
        .await?;
    let (sums, averages): (Vec<_>, Vec<_>) = rows.iter().map(|r| (r.0, r.1)).unzip();
    assert_eq!(sums, [Some(5), Some(8), Some(11), Some(18)]);
    let thrice: Vec<f64> = averages.iter().map(|a| (a.unwrap() * 6.0).round()).collect();
    assert_eq!(thrice, [24.0, 22.0, 26.0, 30.0]);
    assert_eq!(
        rows.iter().map(|r| (r.2, r.3)).collect::<Vec<_>>(),
        [(1, 4), (1, 4), (1, 4), (1, 4)]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn frames_of_values_and_groups_with_exclusions(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(i64, i64, i64, i64, Option<i64>)> = Post::query()
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                p.id.count().over(|w| w.order_by(p.views.asc()).range(-2..=0)),
                p.id.count().over(|w| w.order_by(p.views.asc()).range(0..=2)),
                p.id.count()
                    .over(|w| w.order_by(p.views.asc()).groups(-1..=1).exclude_group()),
                p.id.count()
                    .over(|w| w.order_by(p.views.asc()).groups(..=0).exclude_ties()),
                p.views.max().over(|w| w.rows(..).exclude_current_row()),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            (3, 2, 3, 3, Some(7)),
            (2, 3, 1, 1, Some(7)),
            (2, 3, 1, 1, Some(7)),
            (2, 1, 1, 4, Some(5)),
        ]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn named_windows_are_shared(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let rows: Vec<(i64, Option<String>, Option<i64>)> = Post::query()
        .window("mine", |p, w| {
            w.partition_by(p.author_id).order_by(p.title.desc())
        })
        .window("all", |p, w| w.order_by(p.title.asc()).rows(..))
        .order_by(|p| p.title.asc())
        .select(|p| {
            (
                row_number().over(|w| w.named("mine")),
                p.title.lead(1).over(|w| w.named("mine")),
                p.views.max().over(|w| w.named("all")),
            )
        })
        .all(&db)
        .await?;
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        rows,
        [
            (3, None, Some(7)),
            (2, text("a"), Some(7)),
            (1, text("b"), Some(7)),
            (1, None, Some(7))
        ]
    );
    let missing = Post::query()
        .select(|_| row_number().over(|w| w.named("none")))
        .all(&db)
        .await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::InvalidQuery);
    Ok(())
}

#[orm::test(schema = blog())]
async fn windows_order_and_count_as_any_column(db: Db) -> orm::Result<()> {
    let (ann, bob) = posts(&db).await?;
    let titles: Vec<String> = Post::query()
        .order_by(|p| {
            let of_author = p.views.sum().over(|w| w.partition_by(p.author_id));
            (of_author.asc(), p.title.desc())
        })
        .select(|p| p.title)
        .all(&db)
        .await?;
    assert_eq!(titles, ["d", "c", "b", "a"]);
    let top = Post::query().select(|p| rank().over(|w| w.order_by(p.views.desc())).le(2));
    assert_eq!(top.clone().count(&db).await?, 4);
    let mut top = top.all(&db).await?;
    top.sort();
    assert_eq!(top, [false, false, true, true]);
    let by_author: Vec<(Id<User>, i64, Option<i64>)> = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.key().asc())
        .select(|g| {
            (
                g.key(),
                rank().over(|w| w.order_by(g.sum(|p| p.views).desc())),
                g.count().sum().over(|w| w),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(by_author, [(ann.id, 1, Some(4)), (bob.id, 2, Some(4))]);
    Ok(())
}
