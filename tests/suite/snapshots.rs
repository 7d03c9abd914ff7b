//! Handles for reads of one moment.

use orm::prelude::*;

use crate::models::*;

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn what_is_committed_meanwhile_is_not_seen(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "before").await;
    let snapshot = db.snapshot().await?;
    // the upper level of a load, then somebody commits, then the lower one
    let users = User::query().all(&snapshot).await?;
    post(&db, &ann, "meanwhile").await;
    user(&db, "bob").await;
    let seen = users.clone().load(&snapshot, |u| u.posts).await?;
    let titles: Vec<&str> = seen[0].posts.iter().map(|p| p.title.as_str()).collect();
    assert_eq!(titles, ["before"]);
    assert_eq!(User::query().count(&snapshot).await?, 1);
    assert_eq!(ann.posts().count(&snapshot).await?, 1);
    let loaded = User::query()
        .with(|u| u.posts.with(|p| p.comments))
        .all(&snapshot)
        .await?;
    assert_eq!((loaded.len(), loaded[0].posts.len()), (1, 1));
    let counted: Vec<i64> = sql!("select count(*) from posts").fetch(&snapshot).await?;
    assert_eq!(counted, [1]);
    snapshot.end().await?;
    // without one, each statement sees what is there when it runs
    let now = users.load(&db, |u| u.posts).await?;
    assert_eq!(now[0].posts.len(), 2);
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn rows_are_streamed_and_nothing_is_written(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "a").await;
    post(&db, &ann, "b").await;
    let mut snapshot = db.snapshot().await?;
    let mut rows = Post::query().order_by(|p| p.id.asc()).stream(&mut snapshot);
    assert_eq!(rows.next().await?.map(|p| p.title).as_deref(), Some("a"));
    post(&db, &ann, "c").await;
    assert_eq!(rows.next().await?.map(|p| p.title).as_deref(), Some("b"));
    assert!(rows.next().await?.is_none());
    drop(rows);
    // hand-written SQL is looked at by the database alone
    assert!(sql!("delete from posts").exec(&snapshot).await.is_err());
    drop(snapshot);
    assert_eq!(Post::query().count(&db).await?, 3);
    Ok(())
}

#[orm::test(schema = books())]
async fn a_snapshot_keeps_the_tenant(db: Db) -> orm::Result<()> {
    for (org, total) in [(1, 10), (2, 20)] {
        NewInvoice { total }.insert(&db.tenant(org)).await?;
    }
    let snapshot = db.tenant(2_i64).snapshot().await?;
    let totals = Invoice::query().select(|i| i.total).all(&snapshot).await?;
    assert_eq!(totals, [20]);
    let again = Invoice::query().count(&snapshot).await?;
    assert_eq!(again, 1);
    snapshot.end().await
}
