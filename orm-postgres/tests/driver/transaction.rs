//! Transactions, savepoints and cursors.

use std::time::Duration;

use orm_core::driver::{Driver, Isolation, Runner, SavepointVerb, TxMode};
use orm_core::error::ErrorKind;
use orm_core::value::{Type, Value};

use crate::support::{
    Rows, collected, connect, eventually, exec, exec_in, number, query, rows, sessions, sql,
};

#[tokio::test]
async fn commit_of_a_failed_transaction_is_an_error() {
    let db = connect("aborted", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS aborted").await.unwrap();
    exec(&*db, "CREATE TABLE aborted (a int PRIMARY KEY)")
        .await
        .unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO aborted VALUES (1)").await.unwrap();
    let e = exec_in(&mut *tx, "INSERT INTO aborted VALUES (1)")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    let e = exec_in(&mut *tx, "SELECT 1").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(
        tx.commit().await.unwrap_err().kind(),
        ErrorKind::TransactionAborted
    );
    assert_eq!(number(&*db, "SELECT count(*) FROM aborted").await, 0);
    assert_eq!(db.status().open, 1);
}

#[tokio::test]
async fn a_deferred_constraint_speaks_at_commit() {
    let db = connect("deferred", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS deferred").await.unwrap();
    exec(
        &*db,
        "CREATE TABLE deferred (a int, UNIQUE (a) DEFERRABLE INITIALLY DEFERRED)",
    )
    .await
    .unwrap();
    let pid = number(&*db, "SELECT pg_backend_pid()").await;
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO deferred VALUES (1), (1)")
        .await
        .unwrap();
    let e = tx.commit().await.unwrap_err();
    assert_eq!(
        (e.kind(), e.columns()),
        (ErrorKind::UniqueViolation, &["a".to_owned()][..])
    );
    assert_eq!(number(&*db, "SELECT count(*) FROM deferred").await, 0);
    assert_eq!(number(&*db, "SELECT pg_backend_pid()").await, pid);
    // On its own, too.
    assert!(
        exec(&*db, "INSERT INTO deferred VALUES (1), (1)")
            .await
            .unwrap_err()
            .is_unique_violation()
    );
    assert_eq!(number(&*db, "SELECT pg_backend_pid()").await, pid);
}

#[tokio::test]
async fn savepoints() {
    let db = connect("savepoints", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS savepoints").await.unwrap();
    exec(&*db, "CREATE TABLE savepoints (a int PRIMARY KEY)")
        .await
        .unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO savepoints VALUES (1)")
        .await
        .unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO savepoints VALUES (2)")
        .await
        .unwrap();
    tx.savepoint(2, SavepointVerb::Set).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO savepoints VALUES (1)")
        .await
        .unwrap_err();
    let e = tx.savepoint(2, SavepointVerb::Release).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    tx.savepoint(2, SavepointVerb::Undo).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO savepoints VALUES (3)")
        .await
        .unwrap();
    tx.savepoint(1, SavepointVerb::Release).await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO savepoints VALUES (4)")
        .await
        .unwrap();
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        number(&*db, "SELECT sum(a) * 10 + count(*) FROM savepoints").await,
        63
    );
}

#[tokio::test]
async fn a_dropped_statement_is_undone_with_its_savepoint() {
    let db = connect("dropped_inner", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS dropped_inner").await.unwrap();
    exec(&*db, "CREATE TABLE dropped_inner (a int)").await.unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO dropped_inner VALUES (1)")
        .await
        .unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    let slow = "INSERT INTO dropped_inner SELECT 2 FROM pg_sleep(0.2)";
    let cut = tokio::time::timeout(Duration::from_millis(50), exec_in(&mut *tx, slow)).await;
    assert!(cut.is_err());
    let e = exec_in(&mut *tx, "INSERT INTO dropped_inner VALUES (3)")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO dropped_inner VALUES (4)")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        number(&*db, "SELECT sum(a) * 10 + count(*) FROM dropped_inner").await,
        52
    );

    // Without a savepoint only rollback is left, and commit says so.
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(50), exec_in(&mut *tx, slow)).await;
    assert_eq!(
        tx.commit().await.unwrap_err().kind(),
        ErrorKind::TransactionAborted
    );
    assert_eq!(number(&*db, "SELECT count(*) FROM dropped_inner").await, 2);
}

#[tokio::test]
async fn modes_and_refusals() {
    let db = connect("modes", 1).await;
    exec(&*db, "CREATE TABLE IF NOT EXISTS modes (a int)")
        .await
        .unwrap();
    let mode = TxMode {
        isolation: Some(Isolation::Serializable),
        read_only: true,
        deferrable: true,
        site: None,
    };
    let mut tx = db.begin(mode).await.unwrap();
    let e = exec_in(&mut *tx, "INSERT INTO modes VALUES (1)")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ReadOnly);
    tx.rollback().await.unwrap();
    for (isolation, name) in [
        (Isolation::ReadCommitted, "read committed"),
        (Isolation::RepeatableRead, "repeatable read"),
        (Isolation::Serializable, "serializable"),
    ] {
        let mut tx = db
            .begin(TxMode {
                isolation: Some(isolation),
                ..TxMode::default()
            })
            .await
            .unwrap();
        let show = sql("SELECT current_setting('transaction_isolation')", vec![], vec![]);
        let done = tx.run(show, rows(&[Type::Text])).await.unwrap();
        assert_eq!(collected(done.sink)[0][0], Value::Text(name.into()));
        for text in ["COMMIT", "rollback", "-- x\nsavepoint a", "END"] {
            let e = exec_in(&mut *tx, text).await.unwrap_err();
            assert_eq!(e.kind(), ErrorKind::TransactionState);
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let admin = connect("dropped_admin", 1).await;
    let db = connect("dropped", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS dropped").await.unwrap();
    exec(&*db, "CREATE TABLE dropped (a int)").await.unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO dropped VALUES (1)").await.unwrap();
    drop(tx);
    assert_eq!(number(&*db, "SELECT count(*) FROM dropped").await, 0);
    let gone = async || sessions(&*admin, "dropped", "idle in transaction%").await == 0;
    assert!(eventually(Duration::from_secs(1), gone).await);
}

#[tokio::test]
async fn a_unit_is_whole_or_nothing() {
    let db = connect("unit", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS unit").await.unwrap();
    exec(&*db, "CREATE TABLE unit (a int PRIMARY KEY)").await.unwrap();
    let insert = |n: i32| {
        sql(
            "INSERT INTO unit VALUES ($1) RETURNING a",
            vec![Value::I32(n)],
            vec![Type::I32],
        )
    };
    let done = db
        .run_all(vec![insert(1), insert(2)], rows(&[Type::I32]))
        .await
        .unwrap();
    assert_eq!(done.affected, 2);
    assert_eq!(collected(done.sink), [[Value::I32(1)], [Value::I32(2)]]);
    let e = db
        .run_all(vec![insert(3), insert(1)], rows(&[Type::I32]))
        .await
        .err()
        .unwrap();
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    assert_eq!(number(&*db, "SELECT count(*) FROM unit").await, 2);
    assert_eq!(db.run_all(vec![], rows(&[])).await.unwrap().affected, 0);
    assert_eq!(db.status().open, 1);
}

#[tokio::test]
async fn cursors() {
    let db = connect("cursors", 1).await;
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    for _ in 0..2 {
        let select = "SELECT i, 'row ' || i FROM generate_series($1, 25) i";
        let types = [Type::I64, Type::Text];
        tx.open_cursor(sql(select, vec![Value::I64(1)], types.to_vec()))
            .await
            .unwrap();
        let again = tx.open_cursor(sql("SELECT 1", vec![], vec![])).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::TransactionState);
        let mut sizes = Vec::new();
        loop {
            let sink = Box::new(Rows {
                types: types.to_vec(),
                wants: Some(10),
                ..Rows::default()
            });
            let (sink, more) = tx.fetch_cursor(sink).await.unwrap();
            sizes.push(collected(sink).len());
            if !more {
                break;
            }
        }
        assert_eq!(sizes, [10, 10, 5]);
        tx.close_cursor().await.unwrap();
        assert_eq!(
            tx.fetch_cursor(rows(&[])).await.err().unwrap().kind(),
            ErrorKind::TransactionState
        );
        // Another shape under the same name.
        tx.open_cursor(sql("SELECT true", vec![], vec![Type::Bool]))
            .await
            .unwrap();
        let (sink, more) = tx.fetch_cursor(rows(&[Type::Bool])).await.unwrap();
        assert_eq!((collected(sink), more), (vec![vec![Value::Bool(true)]], false));
        tx.close_cursor().await.unwrap();
    }
    // One that goes with its savepoint, and one that does not.
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    tx.open_cursor(sql("SELECT 1", vec![], vec![])).await.unwrap();
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    tx.close_cursor().await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    tx.open_cursor(sql("SELECT 1", vec![], vec![])).await.unwrap();
    tx.savepoint(1, SavepointVerb::Release).await.unwrap();
    tx.savepoint(1, SavepointVerb::Set).await.unwrap();
    tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
    tx.close_cursor().await.unwrap();
    tx.open_cursor(sql("SELECT 1", vec![], vec![])).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.status().open, 1);
}

#[tokio::test]
async fn an_error_of_the_sink_leaves_the_transaction_usable() {
    let db = connect("sink", 1).await;
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    let many = "SELECT CASE WHEN i = 10 THEN 'infinity' ELSE now() END FROM generate_series(1, 5000) i";
    let e = tx
        .run(sql(many, vec![], vec![]), rows(&[Type::Timestamp]))
        .await
        .err()
        .unwrap();
    assert_eq!(e.kind(), ErrorKind::Decode);
    exec_in(&mut *tx, "SELECT 1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        query(&*db, "SELECT 1", vec![], &[Type::I32]).await.unwrap().len(),
        1
    );
    assert_eq!(db.status().open, 1);
}

#[tokio::test]
async fn conflicts_are_retryable() {
    let db = connect("conflicts", 2).await;
    exec(&*db, "DROP TABLE IF EXISTS conflicts").await.unwrap();
    exec(&*db, "CREATE TABLE conflicts (a int)").await.unwrap();
    exec(&*db, "INSERT INTO conflicts VALUES (1), (2)").await.unwrap();
    let mode = TxMode {
        isolation: Some(Isolation::Serializable),
        ..TxMode::default()
    };
    let (mut one, mut two) = (db.begin(mode).await.unwrap(), db.begin(mode).await.unwrap());
    for tx in [&mut one, &mut two] {
        exec_in(&mut **tx, "SELECT sum(a) FROM conflicts").await.unwrap();
        exec_in(&mut **tx, "INSERT INTO conflicts VALUES (3)")
            .await
            .unwrap();
    }
    one.commit().await.unwrap();
    let e = two.commit().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Serialization);
    assert!(e.is_retryable());
    assert_eq!((db.status().open, db.status().idle), (2, 2));
}
