use std::time::{Duration, Instant};

use orm_core::driver::{Driver, PoolConfig, Runner};
use orm_core::error::ErrorKind;
use orm_core::sql::Effort;

use crate::support::*;

fn small(size: usize, overflow: usize) -> PoolConfig {
    PoolConfig {
        size,
        overflow,
        acquire_timeout: Duration::from_millis(100),
        ..PoolConfig::default()
    }
}

#[tokio::test]
async fn an_exhausted_pool_says_so() {
    let folder = Folder::new();
    let db = table(folder.options().pool(small(2, 0))).await;
    let held = [begin_read(&db).await, begin_read(&db).await];
    let e = db.run(read("SELECT 1", vec![]), ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::PoolTimeout);
    assert!(e.message().contains("2 of 2 in use"), "{e}");
    // The writer is another matter.
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    drop(held);
    assert_eq!(get(&*db, "SELECT 1").await, [1]);
    let status = db.status();
    assert_eq!(
        (status.open, status.idle, status.max, status.waiting),
        (3, 3, 3, 0)
    );
}

#[tokio::test]
async fn overflow_is_closed_when_it_comes_back() {
    let folder = Folder::new();
    let db = table(folder.options().pool(small(1, 2))).await;
    let held = [
        begin_read(&db).await,
        begin_read(&db).await,
        begin_read(&db).await,
    ];
    assert_eq!(db.status().open, 4);
    drop(held);
    assert_eq!(db.status().open, 2);
    assert_eq!(get(&*db, "SELECT 1").await, [1]);
}

#[tokio::test]
async fn old_connections_are_replaced_and_memory_is_not() {
    let folder = Folder::new();
    let pool = PoolConfig {
        recycle: Some(Duration::ZERO),
        idle_timeout: Some(Duration::ZERO),
        ..small(1, 0)
    };
    let db = table(folder.options().pool(pool.clone())).await;
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
    }
    let memory = table(orm_sqlite::SqliteOptions::in_memory().pool(pool)).await;
    exec(&*memory, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(get(&*memory, "SELECT id FROM t").await, [1]);
}

#[tokio::test]
async fn a_closed_database_refuses() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    db.ping().await.unwrap();
    let tx = begin_read(&db).await;
    db.close().await;
    assert_eq!(
        exec(&*db, "DELETE FROM t").await.unwrap_err().kind(),
        ErrorKind::PoolClosed
    );
    assert_eq!(db.ping().await.unwrap_err().kind(), ErrorKind::PoolClosed);
    tx.commit().await.unwrap();
    assert_eq!(db.status().open, 0);
}

#[tokio::test]
async fn another_process_with_the_lock_is_waited_for() {
    let folder = Folder::new();
    let db = table(folder.options().busy_timeout(Duration::from_millis(150))).await;
    let other = folder.options().connect().await.unwrap();
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    let mut tx = begin(&other).await;
    exec_in(&mut tx, "INSERT INTO t VALUES (2, 0)").await.unwrap();
    for effort in [Effort::Short, Effort::Long] {
        let started = Instant::now();
        let e = db
            .run(statement("DELETE FROM t", vec![], effort, true), ints())
            .await
            .err()
            .unwrap();
        assert!(e.kind() == ErrorKind::Busy && e.is_retryable(), "{e:?}");
        assert!(started.elapsed() >= Duration::from_millis(140));
    }
    assert_eq!(
        db.begin(Default::default()).await.err().unwrap().kind(),
        ErrorKind::Busy
    );
    // Readers are not disturbed, and the write goes on when the lock is free.
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
    let waiting = tokio::spawn({
        let db = db.clone();
        async move { exec(&*db, "INSERT INTO t VALUES (3, 0)").await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    tx.commit().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_few_connections() {
    let folder = Folder::new();
    let pool = PoolConfig {
        size: 3,
        ..PoolConfig::default()
    };
    let db = table(folder.options().pool(pool)).await;
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let mut tx = begin(&db).await;
                    let n = get_in(&mut tx, "SELECT n FROM t WHERE id = 1").await[0];
                    exec_in(&mut tx, &format!("UPDATE t SET n = {} WHERE id = 1", n + 1))
                        .await
                        .unwrap();
                    tx.commit().await.unwrap();
                    assert!(get(&*db, "SELECT n FROM t WHERE id = 1").await[0] > n);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(get(&*db, "SELECT n FROM t").await, [160]);
}

#[tokio::test]
async fn the_log_is_copied_into_the_file() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    let log = folder.path().join("test.db-wal");
    for _ in 0..40 {
        let text = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 100) INSERT INTO t (n) SELECT i FROM r";
        db.run(statement(text, vec![], Effort::Long, true), ints())
            .await
            .unwrap();
        exec(&*db, "CREATE TABLE IF NOT EXISTS b (x BLOB) STRICT")
            .await
            .unwrap();
        exec(&*db, "INSERT INTO b VALUES (zeroblob(400000))")
            .await
            .unwrap();
        exec(&*db, "DELETE FROM b").await.unwrap();
    }
    // 40 times 100 pages went through the log, which holds a thousand and what was written meanwhile.
    assert!(std::fs::metadata(&log).unwrap().len() < 8_000_000);
    assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [4000]);
}

#[tokio::test]
async fn a_lent_connection_that_is_still_at_work_is_waited_for_so_long_only() {
    let folder = Folder::new();
    let pool = PoolConfig {
        acquire_timeout: Duration::from_millis(200),
        ..PoolConfig::default()
    };
    let db = table(folder.options().pool(pool)).await;
    let long = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 6000000) \
                SELECT count(*) FROM r";
    let slow = db.with_connection(async |c| sqlx::Executor::execute(c, long).await.map(drop));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), slow)
            .await
            .is_err()
    );
    let started = Instant::now();
    let e = exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::PoolTimeout);
    assert!(started.elapsed() < Duration::from_secs(1));
    while let Err(e) = exec(&*db, "INSERT INTO t VALUES (1, 0)").await {
        assert_eq!(e.kind(), ErrorKind::PoolTimeout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_overlap_do_not_let_the_log_grow_for_ever() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 50_000).await;
    let reader = |delay: u64| {
        let db = db.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            loop {
                let mut tx = begin_read(&db).await;
                get_in(&mut tx, "SELECT id FROM t LIMIT 1").await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                tx.commit().await.unwrap();
            }
        })
    };
    let readers = [reader(0), reader(5), reader(10), reader(15)];
    for _ in 0..300 {
        let sql = statement("UPDATE t SET n = n + 1", vec![], Effort::Long, true);
        db.run(sql, ints()).await.unwrap();
    }
    let log = std::fs::metadata(folder.path().join("test.db-wal"))
        .unwrap()
        .len();
    // 150 MB were written; under load one wait for the readers may fail.
    assert!(log < 100 << 20, "the log has {} MB", log >> 20);
    for reader in readers {
        reader.abort();
    }
}
