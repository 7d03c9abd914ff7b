//! Pools of a chosen size, and limits of time.

use std::time::{Duration, Instant};

use orm::PoolConfig;
use orm::postgres::Postgres;
use orm::prelude::*;
use orm::sqlite::Sqlite;

use crate::models::*;

/// The same database over a pool of its own, and with a limit of time.
async fn limited(db: &Db, pool: PoolConfig, limit: Option<Duration>) -> orm::Result<Db> {
    let driver = db.driver().as_any();
    if let Some(sqlite) = driver.downcast_ref::<Sqlite>() {
        let options = sqlite.options().clone().pool(pool).statement_timeout(limit);
        return Ok(Db::new(options.connect().await?));
    }
    let postgres = driver
        .downcast_ref::<Postgres>()
        .expect("one of the two backends");
    let options = postgres.options().clone().pool(pool).statement_timeout(limit);
    Ok(Db::new(options.connect().await?))
}

pub(crate) async fn pooled(db: &Db, pool: PoolConfig) -> orm::Result<Db> {
    limited(db, pool, None).await
}

fn narrow() -> PoolConfig {
    PoolConfig {
        size: 1,
        acquire_timeout: Duration::from_millis(150),
        ..PoolConfig::default()
    }
}

/// A read that takes longer than the waiting in these tests.
fn slow(db: &Db) -> orm::query::RawSql {
    match db.dialect().name() {
        "sqlite" => sql!(
            "with recursive r(i) as (select 1 union all select i + 1 from r where i < 6000000) select count(*) from r"
        ),
        _ => sql!("select 1::bigint from pg_sleep(1)"),
    }
}

#[orm::test(schema = blog())]
async fn a_pool_that_is_used_up_tells_who_holds_it(db: Db) -> orm::Result<()> {
    let db = pooled(&db, narrow()).await?;
    let read = async |db: &Db| {
        let db = db.clone();
        let task = tokio::spawn(async move { User::query().all(&db).await });
        task.await.expect("the task ends")
    };
    let told = |e: &Error, who: &str, line: u32| {
        assert_eq!(e.kind(), ErrorKind::PoolTimeout);
        let text = format!(
            "1 of 1 in use, 0 waiting; held by a {who} of {}:{line} for 0.",
            file!()
        );
        assert!(e.message().contains(&text), "{e}\nexpected: {text}");
    };
    let (line, guard) = (line!(), db.tx().read_only().begin().await?);
    let e = refused(read(&db).await);
    told(&e, "transaction", line);
    assert!(!e.message().contains("this very task"), "{e}");
    let e = refused(User::query().all(&db).await);
    assert!(
        e.message()
            .ends_with(" s (this very task: use the transaction's handle)"),
        "{e}"
    );
    drop(guard);
    assert_eq!(read(&db).await?, []);

    let line = line!() + 1;
    let closure = db.tx().read_only().run(async |_| {
        let e = refused(read(&db).await);
        told(&e, "transaction", line);
        orm::Result::Ok(())
    });
    closure.await?;
    assert_eq!(read(&db).await?, []);

    let long = tokio::spawn({
        let db = db.clone();
        async move { (line!(), slow(&db).fetch_one::<i64, _>(&db).await) }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let e = refused(read(&db).await);
    let (line, done) = long.await.expect("the task ends");
    told(&e, "statement", line);
    done?;
    assert_eq!(read(&db).await?, []);
    Ok(())
}

/// A write that takes longer than the limits in these tests.
fn slow_write(db: &Db) -> orm::query::RawSql {
    match db.dialect().name() {
        "sqlite" => sql!(
            "with recursive r(i) as (select 1 union all select i + 1 from r where i < 6000000) \
             insert into tags (name) select i from r"
        ),
        _ => sql!("insert into tags (name) select i::text from generate_series(1, 9) i, pg_sleep(1)"),
    }
}

#[orm::test(schema = blog())]
async fn a_statement_ends_when_its_time_is_over_and_leaves_nothing(db: Db) -> orm::Result<()> {
    let limit = Duration::from_millis(100);
    let timed = limited(&db, narrow(), Some(limit)).await?;
    let late = |started: Instant, e: &Error| {
        assert_eq!(e.kind(), ErrorKind::StatementTimeout, "{e}");
        assert!(!e.is_retryable());
        assert!(
            started.elapsed() < Duration::from_millis(900),
            "{:?}",
            started.elapsed()
        );
    };
    let started = Instant::now();
    late(started, &refused(slow(&timed).fetch::<i64, _>(&timed).await));
    let started = Instant::now();
    late(started, &refused(slow_write(&timed).exec(&timed).await));
    assert_eq!(Tag::query().count(&timed).await?, 0);

    // a transaction can only be rolled back then, a savepoint undone where the database keeps it
    let tx = timed.begin().await?;
    tag(&tx, "before").await;
    let started = Instant::now();
    late(started, &refused(slow_write(&timed).exec(&tx).await));
    let e = refused(Tag::query().count(&tx).await);
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(refused(tx.commit().await).kind(), ErrorKind::TransactionAborted);
    assert_eq!(Tag::query().count(&timed).await?, 0);
    tag(&timed, "after").await;

    // the time to wait for a lock counts
    let holder = db.begin().await?;
    Tag::update_where(|t| t.name.eq("after"))
        .set(|t| t.name.to("held"))
        .exec(&holder)
        .await?;
    let started = Instant::now();
    late(
        started,
        &refused(
            Tag::update_where(|t| t.name.ne(""))
                .set(|t| t.name.to("x"))
                .exec(&timed)
                .await,
        ),
    );
    holder.commit().await?;
    assert_eq!(Tag::query().select(|t| t.name).one(&timed).await?, "held");

    // the time of several statements does not add up
    let tx = timed.begin().await?;
    for i in 0..4 {
        tokio::time::sleep(limit / 2).await;
        tag(&tx, &i.to_string()).await;
    }
    tx.commit().await?;
    assert_eq!(Tag::query().count(&timed).await?, 5);
    Ok(())
}
