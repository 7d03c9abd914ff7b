use std::time::{Duration, Instant};

use orm_core::driver::{Driver, Runner, SavepointVerb, TxMode};
use orm_core::error::ErrorKind;
use orm_core::sql::Effort;
use orm_core::value::Value;
use orm_sqlite::{SqliteOptions, Synchronous};

use crate::support::*;

#[tokio::test]
async fn commit_keeps_rollback_and_drop_undo() {
    let folder = Folder::new();
    for options in [
        folder.options(),
        folder.options().synchronous(Synchronous::Full),
        SqliteOptions::in_memory(),
    ] {
        let file = options != SqliteOptions::in_memory();
        let db = options.connect().await.unwrap();
        exec(&*db, "DROP TABLE IF EXISTS t").await.unwrap();
        exec(&*db, "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
            .await
            .unwrap();
        for (id, end) in [(1, "commit"), (2, "rollback"), (3, "drop")] {
            let mut tx = begin(&db).await;
            assert_eq!(
                exec_in(&mut tx, &format!("INSERT INTO t VALUES ({id})"))
                    .await
                    .unwrap(),
                1
            );
            assert!(get_in(&mut tx, "SELECT id FROM t").await.contains(&id));
            if file {
                // Others see nothing of it.
                assert!(!get(&*db, "SELECT id FROM t").await.contains(&id));
            }
            match end {
                "commit" => tx.commit().await.unwrap(),
                "rollback" => tx.rollback().await.unwrap(),
                _ => drop(tx),
            }
        }
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
        assert_eq!(db.status().idle, db.status().open);
        db.close().await;
    }
}

#[tokio::test]
async fn many_changes_end_on_a_blocking_thread() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    for commit in [true, false] {
        let mut tx = begin(&db).await;
        let text = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 5000) INSERT INTO t (n) SELECT i FROM r";
        let done = tx
            .run(statement(text, vec![], Effort::Long, true), ints())
            .await
            .unwrap();
        assert_eq!(done.affected, 5000);
        tx.savepoint(1, SavepointVerb::Set).await.unwrap();
        exec_in(&mut tx, "DELETE FROM t").await.unwrap();
        tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
        if commit {
            tx.commit().await.unwrap()
        } else {
            tx.rollback().await.unwrap()
        }
    }
    assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [5000]);
}

#[tokio::test]
async fn savepoints_nest() {
    let db = table(SqliteOptions::in_memory()).await;
    let mut tx = begin(&db).await;
    exec_in(&mut tx, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    exec_in(&mut tx, "INSERT INTO t VALUES (2, 0)").await.unwrap();
    tx.savepoint(2, SavepointVerb::Set).await.unwrap();
    exec_in(&mut tx, "INSERT INTO t VALUES (3, 0)").await.unwrap();
    tx.savepoint(2, SavepointVerb::Undo).await.unwrap();
    tx.savepoint(1, SavepointVerb::Release).await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    // A statement that fails undoes itself only.
    let e = exec_in(&mut tx, "INSERT INTO t VALUES (4, 0), (1, 0)")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    assert!(tx.savepoint(1, SavepointVerb::Release).await.is_err());
    tx.commit().await.unwrap();
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2]);
}

#[tokio::test]
async fn a_read_only_transaction_sees_one_moment_and_does_not_write() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    let mut tx = begin_read(&db).await;
    assert_eq!(get_in(&mut tx, "SELECT count(*) FROM t").await, [1]);
    // The writer is free, for this very task as well.
    exec(&*db, "INSERT INTO t VALUES (2, 0)").await.unwrap();
    assert_eq!(get_in(&mut tx, "SELECT count(*) FROM t").await, [1]);
    let e = exec_in(&mut tx, "INSERT INTO t VALUES (3, 0)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ReadOnly);
    assert_eq!(get_in(&mut tx, "SELECT count(*) FROM t").await, [1]);
    tx.commit().await.unwrap();
    let memory = table(SqliteOptions::in_memory()).await;
    let mut tx = begin_read(&memory).await;
    let e = exec_in(&mut tx, "INSERT INTO t VALUES (3, 0)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ReadOnly);
    tx.rollback().await.unwrap();
    exec(&*memory, "INSERT INTO t VALUES (3, 0)").await.unwrap();
}

#[tokio::test]
async fn waiting_for_oneself_is_an_error_at_once() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    let started = Instant::now();
    let mut tx = begin(&db).await;
    exec_in(&mut tx, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    let e = exec(&*db, "INSERT INTO t VALUES (2, 0)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    assert_eq!(
        db.begin(TxMode::default()).await.err().unwrap().kind(),
        ErrorKind::TransactionState
    );
    // Another task waits its turn.
    let other = tokio::spawn({
        let db = db.clone();
        async move { exec(&*db, "INSERT INTO t VALUES (2, 0)").await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!other.is_finished());
    tx.commit().await.unwrap();
    assert_eq!(other.await.unwrap().unwrap(), 1);
    exec(&*db, "INSERT INTO t VALUES (3, 0)").await.unwrap();
    let memory = table(SqliteOptions::in_memory()).await;
    let tx = begin_read(&memory).await;
    let e = memory.run(read("SELECT 1", vec![]), ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    // A transaction that moves to another task takes its place there.
    tokio::spawn(async move { tx.rollback().await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(get(&*memory, "SELECT 1").await, [1]);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_full_database_ends_the_transaction() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    exec(&*db, "PRAGMA max_page_count = 60").await.unwrap();
    exec(&*db, "CREATE TABLE b (x BLOB) STRICT").await.unwrap();
    let mut tx = begin(&db).await;
    exec_in(&mut tx, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    let mut full = None;
    for _ in 0..200 {
        let sql = write("INSERT INTO b VALUES (?1)", vec![Value::Bytes(vec![1; 8000])]);
        if let Err(e) = tx.run(sql, ints()).await {
            full = Some(e);
            break;
        }
    }
    assert_eq!(full.unwrap().kind(), ErrorKind::StorageFull);
    // SQLite has undone the whole; without care the next statement would be committed on its own.
    let e = exec_in(&mut tx, "INSERT INTO t VALUES (2, 0)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(
        tx.savepoint(1, SavepointVerb::Set).await.unwrap_err().kind(),
        ErrorKind::TransactionAborted
    );
    assert_eq!(
        tx.commit().await.unwrap_err().kind(),
        ErrorKind::TransactionAborted
    );
    assert_eq!(get(&*db, "SELECT id FROM t").await, Vec::<i64>::new());
    exec(&*db, "PRAGMA max_page_count = 100000").await.unwrap();
    exec(&*db, "INSERT INTO t VALUES (9, 0)").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_is_noticed() {
    for verb in ["ROLLBACK", "COMMIT"] {
        let db = table(SqliteOptions::in_memory()).await;
        let mut tx = begin(&db).await;
        exec_in(&mut tx, "INSERT INTO t VALUES (1, 0)").await.unwrap();
        assert_eq!(
            exec_in(&mut tx, verb).await.unwrap_err().kind(),
            ErrorKind::TransactionState
        );
        let e = exec_in(&mut tx, "INSERT INTO t VALUES (2, 0)").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::TransactionAborted);
        assert_eq!(
            tx.commit().await.unwrap_err().kind(),
            ErrorKind::TransactionAborted
        );
        assert!(!get(&*db, "SELECT id FROM t").await.contains(&2));
    }
}

#[tokio::test]
async fn a_deferred_constraint_fails_the_commit() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    exec(
        &*db,
        "CREATE TABLE c (p INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED) STRICT",
    )
    .await
    .unwrap();
    let mut tx = begin(&db).await;
    exec_in(&mut tx, "INSERT INTO c VALUES (1)").await.unwrap();
    assert_eq!(
        tx.commit().await.unwrap_err().kind(),
        ErrorKind::ForeignKeyViolation
    );
    assert_eq!(get(&*db, "SELECT count(*) FROM c").await, [0]);
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
}

#[tokio::test]
async fn a_cursor_gives_rows_in_pieces() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 10_000).await;
    for effort in [Effort::Short, Effort::Rows, Effort::Long] {
        let mut tx = begin_read(&db).await;
        tx.open_cursor(statement("SELECT id FROM t ORDER BY id", vec![], effort, false))
            .await
            .unwrap();
        assert!(tx.open_cursor(read("SELECT 1", vec![])).await.is_err());
        let mut all = Vec::new();
        loop {
            let sink = Box::new(Ints {
                wants: Some(777),
                ..Ints::default()
            });
            let (sink, more) = tx.fetch_cursor(sink).await.unwrap();
            let got = taken(sink);
            assert!(got.len() == 777 || !more);
            all.extend(got);
            // Other statements run between.
            assert_eq!(get_in(&mut tx, "SELECT 5").await, [5]);
            if !more {
                break;
            }
        }
        assert!(all == (1..=10_000).collect::<Vec<_>>());
        assert_eq!(
            tx.fetch_cursor(ints()).await.err().unwrap().kind(),
            ErrorKind::TransactionState
        );
        tx.open_cursor(read("SELECT id FROM t", vec![])).await.unwrap();
        let sink = Box::new(Ints {
            wants: Some(1),
            ..Ints::default()
        });
        assert!(tx.fetch_cursor(sink).await.unwrap().1);
        tx.close_cursor().await.unwrap();
        tx.open_cursor(read("SELECT id FROM t", vec![])).await.unwrap();
        tx.commit().await.unwrap();
    }
    exec(&*db, "DELETE FROM t").await.unwrap();
}

#[tokio::test]
async fn run_all_in_a_transaction_leaves_the_decision_to_it() {
    let db = table(SqliteOptions::in_memory()).await;
    let mut tx = begin(&db).await;
    let batch = [1, 2, 1].map(|i| write("INSERT INTO t VALUES (?1, 0)", vec![Value::I64(i)]));
    let e = tx.run_all(batch.into(), ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    assert_eq!(get_in(&mut tx, "SELECT id FROM t").await, [1, 2]);
    tx.commit().await.unwrap();
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2]);
}

#[tokio::test]
async fn undoing_a_savepoint_ends_its_cursor() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 1000).await;
    let mut tx = begin(&db).await;
    let few = || {
        Box::new(Ints {
            wants: Some(3),
            ..Ints::default()
        })
    };
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    tx.open_cursor(read("SELECT id FROM t", vec![])).await.unwrap();
    let (sink, more) = tx.fetch_cursor(few()).await.unwrap();
    assert_eq!((taken(sink), more), (vec![1, 2, 3], true));
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    tx.open_cursor(read("SELECT id FROM t WHERE id > 10", vec![]))
        .await
        .unwrap();
    let (sink, _) = tx.fetch_cursor(few()).await.unwrap();
    assert_eq!(taken(sink), [11, 12, 13]);
    tx.close_cursor().await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_savepoint_is_undone_after_a_sink_panicked_in_a_write() {
    let db = table(SqliteOptions::in_memory()).await;
    let mut tx = begin(&db).await;
    exec_in(&mut tx, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    let sql = write("INSERT INTO t VALUES (2, 0), (3, 0) RETURNING id", vec![]);
    let mut run = tx.run(
        sql,
        Box::new(Each(|_: &dyn orm_core::value::Cells| panic!("the sink"))),
    );
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run.as_mut().poll(&mut context).is_ready()
    }));
    assert!(panicked.is_err());
    drop(run);
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    assert_eq!(get_in(&mut tx, "SELECT id FROM t").await, [1]);
    tx.commit().await.unwrap();
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
}

#[tokio::test]
async fn a_lent_connection_is_not_waited_for_by_its_borrower() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    let started = Instant::now();
    let inside = db
        .with_connection(async |_| {
            assert!(get(&*db, "SELECT id FROM t").await.is_empty());
            exec(&*db, "INSERT INTO t VALUES (1, 0)").await
        })
        .await
        .unwrap();
    assert_eq!(inside.unwrap_err().kind(), ErrorKind::TransactionState);
    assert!(started.elapsed() < Duration::from_secs(5));
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
}
