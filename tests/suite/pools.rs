//! Pools of a chosen size, and limits of time.

use std::time::Duration;

use orm::PoolConfig;
use orm::postgres::Postgres;
use orm::prelude::*;
use orm::sqlite::Sqlite;

use crate::models::*;

/// The same database over a pool of its own.
async fn pooled(db: &Db, pool: PoolConfig) -> orm::Result<Db> {
    let driver = db.driver().as_any();
    if let Some(sqlite) = driver.downcast_ref::<Sqlite>() {
        return Ok(Db::new(sqlite.options().clone().pool(pool).connect().await?));
    }
    let postgres = driver
        .downcast_ref::<Postgres>()
        .expect("one of the two backends");
    Ok(Db::new(postgres.options().clone().pool(pool).connect().await?))
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
