use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use orm_core::driver::{Connection, Driver, PoolConfig, Runner, SavepointVerb};
use orm_core::sql::Effort;
use orm_core::value::Value;
use orm_sqlite::{Sqlite, SqliteOptions};

use crate::support::*;

/// Polls a future at most so many times, then drops it.
struct Polls<F> {
    inner: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Polls<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.inner.as_mut().poll(cx) {
            Poll::Ready(out) => Poll::Ready(Some(out)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

async fn polls<F: Future>(n: usize, f: F) -> Option<F::Output> {
    Polls {
        inner: Box::pin(f),
        left: n,
    }
    .await
}

fn databases(folder: &Folder) -> [SqliteOptions; 4] {
    let pool = PoolConfig {
        size: 1,
        acquire_timeout: Duration::from_secs(5),
        ..PoolConfig::default()
    };
    [
        folder.options().pool(pool.clone()),
        folder
            .options()
            .pool(pool.clone())
            .synchronous(orm_sqlite::Synchronous::Full),
        SqliteOptions::in_memory().pool(pool.clone()),
        folder
            .options()
            .pool(pool)
            .read_mode(orm_sqlite::ReadMode::Offload),
    ]
}

/// Every row is part of a pair, nothing runs in an open transaction, and every slot of the pool serves.
async fn is_whole(db: &Sqlite) {
    assert_eq!(get(db, "SELECT count(*) % 2 FROM t").await, [0]);
    assert_eq!(get(db, "SELECT 4711").await, [4711]);
    let mut tx = begin(db).await;
    exec_in(&mut tx, "INSERT INTO t (n) VALUES (1), (2)")
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(exec(db, "UPDATE t SET n = n WHERE id = 1").await.unwrap(), 1);
}

async fn fresh(options: SqliteOptions) -> Arc<Sqlite> {
    let db = options.connect().await.unwrap();
    exec(&*db, "DROP TABLE IF EXISTS t").await.unwrap();
    exec(&*db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER) STRICT")
        .await
        .unwrap();
    fill(&db, 2000).await;
    db
}

/// Runs `op` with 0, 1, 2, … polls until it has come to its end twice, and looks after each.
async fn enumerate<'d, F: Future + 'd>(db: &'d Sqlite, op: impl Fn(&'d Sqlite) -> F) {
    let mut ends = 0;
    let mut n = 0;
    while ends < 2 {
        for pause in [0, 1] {
            if polls(n, op(db)).await.is_some() {
                ends += 1;
            }
            // Sometimes look while the work that was given up still runs.
            tokio::time::sleep(Duration::from_millis(pause)).await;
            is_whole(db).await;
        }
        n += 1;
        assert!(n < 200);
    }
}

const PAIR: &str = "INSERT INTO t (n) VALUES (1), (2)";
const PAIRS: &str = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 2000) INSERT INTO t (n) SELECT i FROM r";

#[tokio::test]
async fn every_point_of_every_operation() {
    let folder = Folder::new();
    for options in databases(&folder) {
        let db = fresh(options).await;
        for effort in [Effort::Short, Effort::Rows, Effort::Long] {
            enumerate(&db, |db| {
                db.run(
                    statement("SELECT id FROM t ORDER BY n", vec![], effort, false),
                    ints(),
                )
            })
            .await;
            enumerate(&db, |db| db.run(statement(PAIR, vec![], effort, true), ints())).await;
            enumerate(&db, |db| db.run(statement(PAIRS, vec![], effort, true), ints())).await;
        }
        enumerate(&db, |db| {
            let insert = || write("INSERT INTO t (n) VALUES (?1)", vec![Value::I64(1)]);
            db.run_all(vec![insert(), insert()], ints())
        })
        .await;
        enumerate(&db, |db| db.begin(Default::default())).await;
        enumerate(&db, whole_transaction).await;
        enumerate(&db, pieces_of_a_cursor).await;
        db.close().await;
    }
}

async fn whole_transaction(db: &Sqlite) {
    let mut tx = begin(db).await;
    tx.run(
        statement("INSERT INTO t (n) VALUES (1)", vec![], Effort::Long, true),
        ints(),
    )
    .await
    .unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    tx.run(statement(PAIRS, vec![], Effort::Long, true), ints())
        .await
        .unwrap();
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    tx.run(
        statement("SELECT count(*) FROM t", vec![], Effort::Long, false),
        ints(),
    )
    .await
    .unwrap();
    let one = || write("INSERT INTO t (n) VALUES (1)", vec![]);
    tx.run_all(vec![one(), one(), one()], ints()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn pieces_of_a_cursor(db: &Sqlite) {
    let mut tx = begin_read(db).await;
    tx.open_cursor(statement("SELECT id FROM t", vec![], Effort::Long, false))
        .await
        .unwrap();
    for _ in 0..3 {
        let sink = Box::new(Ints {
            wants: Some(100),
            ..Ints::default()
        });
        tx.fetch_cursor(sink).await.unwrap();
    }
    tx.close_cursor().await.unwrap();
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_given_up_leaves_its_transaction_usable() {
    let folder = Folder::new();
    for options in databases(&folder) {
        let db = fresh(options).await;
        for n in 0..4 {
            let before = get(&*db, "SELECT count(*) FROM t").await[0];
            let mut tx = begin(&db).await;
            exec_in(&mut tx, PAIR).await.unwrap();
            tx.savepoint(1, SavepointVerb::Set).await.unwrap();
            polls(n, tx.run(statement(PAIRS, vec![], Effort::Long, true), ints())).await;
            polls(
                n,
                tx.run(
                    statement("SELECT sum(n) FROM t", vec![], Effort::Long, false),
                    ints(),
                ),
            )
            .await;
            tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
            assert_eq!(get_in(&mut tx, "SELECT count(*) FROM t").await, [before + 2]);
            tx.commit().await.unwrap();
            assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [before + 2]);
        }
        db.close().await;
    }
}

#[tokio::test]
async fn commit_given_up_is_all_or_nothing() {
    let folder = Folder::new();
    for options in databases(&folder) {
        let db = fresh(options).await;
        for n in 0..6 {
            let before = get(&*db, "SELECT count(*) FROM t").await[0];
            let mut tx = begin(&db).await;
            tx.run(statement(PAIRS, vec![], Effort::Long, true), ints())
                .await
                .unwrap();
            let done = polls(n, tx.commit()).await;
            // The next statement waits for the connection, so it sees how the commit went.
            exec(&*db, "UPDATE t SET n = n WHERE id = 1").await.unwrap();
            let grown = get(&*db, "SELECT count(*) FROM t").await[0] - before;
            // Begun is done; not begun is undone.
            assert_eq!(grown, if n == 0 { 0 } else { 2000 });
            assert!(done.is_none() || grown == 2000);
        }
        db.close().await;
    }
}

#[tokio::test]
async fn a_long_statement_stops_when_nobody_waits() {
    let folder = Folder::new();
    let endless = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r";
    for options in databases(&folder) {
        let db = fresh(options).await;
        for effort in [Effort::Short, Effort::Rows, Effort::Long] {
            let run = db.run(statement(endless, vec![], effort, false), ints());
            assert!(
                tokio::time::timeout(Duration::from_millis(20), run)
                    .await
                    .is_err()
            );
            tokio::time::timeout(Duration::from_secs(2), is_whole(&db))
                .await
                .unwrap();
            let mut tx = begin(&db).await;
            exec_in(&mut tx, PAIR).await.unwrap();
            let run = tx.run(statement(endless, vec![], effort, false), ints());
            assert!(
                tokio::time::timeout(Duration::from_millis(20), run)
                    .await
                    .is_err()
            );
            tx.commit().await.unwrap();
            tokio::time::timeout(Duration::from_secs(2), is_whole(&db))
                .await
                .unwrap();
        }
        // A write that waits for a lock, or runs on for ever, in a transaction that is dropped.
        let mut tx: Box<dyn Connection> = begin(&db).await;
        let text = format!(
            "{} INSERT INTO t (n) SELECT i FROM r",
            endless.rsplit_once(" SELECT").unwrap().0
        );
        let run = tx.run(statement(&text, vec![], Effort::Long, true), ints());
        assert!(
            tokio::time::timeout(Duration::from_millis(20), run)
                .await
                .is_err()
        );
        drop(tx);
        tokio::time::timeout(Duration::from_secs(2), is_whole(&db))
            .await
            .unwrap();
        db.close().await;
    }
}

#[test]
fn a_runtime_may_end_with_work_under_way() {
    let folder = Folder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (db, tx) = runtime.block_on(async {
        let db = fresh(folder.options()).await;
        let mut tx = begin(&db).await;
        exec_in(&mut tx, PAIR).await.unwrap();
        (db, tx)
    });
    drop(runtime);
    drop(tx);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        is_whole(&db).await;
        assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [2000]);
    });
}
