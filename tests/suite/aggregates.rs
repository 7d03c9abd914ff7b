//! Sums, averages, groups.

use orm::prelude::*;

use crate::models::*;

async fn posts(db: &Db) -> orm::Result<(User, User)> {
    let (ann, bob) = (user(db, "ann").await, user(db, "bob").await);
    for (author, views, published, score) in [
        (&ann, 1, true, Some(2)),
        (&ann, 2, false, None),
        (&ann, 6, true, Some(4)),
        (&bob, 10, true, None),
    ] {
        NewPost {
            author_id: author.id,
            title: format!("p{views}"),
        }
        .set(|p| (p.views.to(views), p.published.to(published), p.score.to(score)))
        .insert(db)
        .await?;
    }
    Ok((ann, bob))
}

#[orm::test(schema = blog())]
async fn aggregates_of_a_whole_query(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let (sum, avg, min, max): (Option<i64>, Option<f64>, Option<i64>, Option<i64>) = Post::query()
        .aggregate(|p| (p.views.sum(), p.views.avg(), p.views.min(), p.views.max()))
        .one(&db)
        .await?;
    assert_eq!((sum, avg, min, max), (Some(19), Some(4.75), Some(1), Some(10)));
    let (rows, scores, open): (i64, i64, i64) = Post::query()
        .aggregate(|p| (p.id.count(), p.score.count(), p.id.count().filter(p.published)))
        .one(&db)
        .await?;
    assert_eq!((rows, scores, open), (4, 2, 3));
    let authors: i64 = Post::query()
        .aggregate(|p| p.author_id.count_distinct())
        .one(&db)
        .await?;
    assert_eq!(authors, 2);
    let first: Option<String> = Post::query().aggregate(|p| p.title.min()).one(&db).await?;
    assert_eq!(first.as_deref(), Some("p1"));
    Ok(())
}

#[orm::test(schema = blog())]
async fn aggregates_of_no_rows_are_none_and_zero(db: Db) -> orm::Result<()> {
    let (sum, avg, n): (Option<i64>, Option<f64>, i64) = Post::query()
        .aggregate(|p| (p.views.sum(), p.views.avg(), p.views.count()))
        .one(&db)
        .await?;
    assert_eq!((sum, avg, n), (None, None, 0));
    assert_eq!(Post::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn null_does_not_count_in_averages(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let avg: Option<f64> = Post::query().aggregate(|p| p.score.avg()).one(&db).await?;
    assert_eq!(avg, Some(3.0));
    let sum: Option<i64> = Post::query()
        .aggregate(|p| p.views.sum().filter(p.score.is_null()))
        .one(&db)
        .await?;
    assert_eq!(sum, Some(12));
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_sum_that_overflows_is_an_error(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    for _ in 0..2 {
        NewPost {
            author_id: ann.id,
            title: "t".into(),
        }
        .set(|p| p.views.to(i64::MAX))
        .insert(&db)
        .await?;
    }
    let result: orm::Result<Option<i64>> = Post::query().aggregate(|p| p.views.sum()).one(&db).await;
    assert!(result.is_err());
    Ok(())
}

#[orm::test(schema = blog())]
async fn groups_with_conditions_order_and_limit(db: Db) -> orm::Result<()> {
    let (ann, bob) = posts(&db).await?;
    let rows: Vec<(Id<User>, i64, Option<i64>)> = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.sum(|p| p.views).desc())
        .select(|g| (g.key(), g.count(), g.sum(|p| p.views)))
        .all(&db)
        .await?;
    assert_eq!(rows, [(bob.id, 1, Some(10)), (ann.id, 3, Some(9))]);
    let busy: Vec<Id<User>> = Post::query()
        .group_by(|p| p.author_id)
        .having(|g| g.count().gt(1))
        .select(|g| g.key())
        .all(&db)
        .await?;
    assert_eq!(busy, [ann.id]);
    let top: Vec<Id<User>> = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.count().asc())
        .limit(1)
        .select(|g| g.key())
        .all(&db)
        .await?;
    assert_eq!(top, [bob.id]);
    let skipped: Vec<Id<User>> = Post::query()
        .group_by(|p| p.author_id)
        .order_by(|g| g.count().asc())
        .offset(1)
        .select(|g| g.key())
        .all(&db)
        .await?;
    assert_eq!(skipped, [ann.id]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn groups_by_several_columns_and_by_expressions(db: Db) -> orm::Result<()> {
    let (ann, _) = posts(&db).await?;
    let rows: Vec<(Id<User>, bool, Option<i64>)> = Post::query()
        .group_by(|p| (p.author_id, p.published))
        .order_by(|g| (g.key().0.asc(), g.key().1.asc()))
        .select(|g| (g.key().0, g.key().1, g.agg(|p| p.views.max())))
        .all(&db)
        .await?;
    assert_eq!(rows[..2], [(ann.id, false, Some(2)), (ann.id, true, Some(6))]);
    let rows: Vec<(i64, i64)> = Post::query()
        .group_by(|p| p.views % 2)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(rows, [(0, 3), (1, 1)]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_count_of_groups_is_the_number_of_groups(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let groups = Post::query()
        .group_by(|p| p.author_id)
        .select(|g| (g.key(), g.count()));
    assert_eq!(groups.count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = blog())]
async fn min_max_and_avg_by_group(db: Db) -> orm::Result<()> {
    let (ann, _) = posts(&db).await?;
    let row: (Option<i64>, Option<i64>, Option<f64>) = Post::query()
        .filter(|p| p.author_id.eq(ann.id))
        .group_by(|p| p.author_id)
        .select(|g| (g.min(|p| p.views), g.max(|p| p.views), g.avg(|p| p.views)))
        .one(&db)
        .await?;
    assert_eq!(row, (Some(1), Some(6), Some(3.0)));
    Ok(())
}

#[orm::test(schema = blog())]
async fn aggregates_of_no_rows_exist(db: Db) -> orm::Result<()> {
    assert!(User::query().aggregate(|u| u.age.sum()).exists(&db).await?);
    assert!(!User::query().select(|u| u.age).exists(&db).await?);
    Ok(())
}
