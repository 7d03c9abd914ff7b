//! A connection of one's own: whatever becomes of it, the server lets go of its locks and the pool stays clean.

use std::time::Duration;

use orm_core::driver::{Driver, SavepointVerb, Session};
use orm_core::error::{ErrorKind, Result};
use orm_core::value::{Type, Value};
use orm_postgres::Postgres;

use crate::support::{collected, connect, eventually, exec, number, options, rows, sql};

async fn exec_on(session: &mut dyn Session, text: &str) -> Result<u64> {
    Ok(session.run(sql(text, vec![], vec![]), rows(&[])).await?.affected)
}

async fn number_on(session: &mut dyn Session, text: &str) -> i64 {
    let done = session
        .run(sql(text, vec![], vec![Type::I64]), rows(&[Type::I64]))
        .await
        .unwrap();
    match collected(done.sink)[0][0] {
        Value::I64(n) => n,
        ref other => panic!("{other:?}"),
    }
}

/// Whether somebody holds the lock of the test.
async fn locked(db: &Postgres, key: u32) -> bool {
    let text = format!("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {key}");
    number(db, &text).await > 0
}

async fn unlocks(db: &Postgres, key: u32) -> bool {
    eventually(Duration::from_secs(5), async || !locked(db, key).await).await
}

#[tokio::test]
async fn a_lock_lives_as_long_as_its_session() {
    let db = connect("own_lock", 2).await;
    let mut own = db.session(None).await.unwrap();
    assert!(own.keeps_state());
    number_on(
        &mut *own,
        "SELECT 1::int8 FROM (SELECT pg_advisory_lock(71001)) l",
    )
    .await;
    assert!(locked(&db, 71001).await);
    exec_on(&mut *own, "SET lock_timeout = '77ms'").await.unwrap();
    drop(own);
    assert!(unlocks(&db, 71001).await);
    // nobody inherits its settings
    for _ in 0..4 {
        assert_eq!(
            number(
                &*db,
                "SELECT count(*) FROM pg_settings WHERE name = 'lock_timeout' AND setting = '77'"
            )
            .await,
            0
        );
    }
}

#[tokio::test]
async fn dropped_in_the_middle_of_a_statement() {
    let db = connect("own_dropped", 2).await;
    let mut own = db.session(None).await.unwrap();
    number_on(
        &mut *own,
        "SELECT 1::int8 FROM (SELECT pg_advisory_lock(71002)) l",
    )
    .await;
    let sleep = exec_on(&mut *own, "SELECT pg_sleep(30)");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), sleep)
            .await
            .is_err()
    );
    let e = exec_on(&mut *own, "SELECT 1").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ConnectionLost);
    assert!(own.rollback().await.is_ok());
    drop(own);
    // the server notices the closed socket, stops the statement, and lets go
    assert!(unlocks(&db, 71002).await);
    assert_eq!(number(&*db, "SELECT 1::int8").await, 1);
}

#[tokio::test]
async fn transactions_and_what_stands_outside_of_them() {
    let db = connect("own_transactions", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS own").await.unwrap();
    exec(&*db, "CREATE TABLE own (a int PRIMARY KEY)").await.unwrap();
    let mut own = db.session(None).await.unwrap();
    own.begin().await.unwrap();
    assert_eq!(own.begin().await.unwrap_err().kind(), ErrorKind::TransactionState);
    exec_on(&mut *own, "INSERT INTO own VALUES (1)").await.unwrap();
    own.commit().await.unwrap();
    assert_eq!(
        own.commit().await.unwrap_err().kind(),
        ErrorKind::TransactionState
    );
    // an error spoils the transaction, not the session
    own.begin().await.unwrap();
    exec_on(&mut *own, "INSERT INTO own VALUES (2)").await.unwrap();
    assert!(
        exec_on(&mut *own, "INSERT INTO own VALUES (1)")
            .await
            .unwrap_err()
            .is_unique_violation()
    );
    let e = exec_on(&mut *own, "SELECT 1").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(
        own.commit().await.unwrap_err().kind(),
        ErrorKind::TransactionAborted
    );
    assert_eq!(number_on(&mut *own, "SELECT count(*) FROM own").await, 1);
    // an error outside of one spoils nothing
    assert!(exec_on(&mut *own, "INSERT INTO own VALUES (1)").await.is_err());
    exec_on(&mut *own, "CREATE INDEX CONCURRENTLY own_a ON own (a)")
        .await
        .unwrap();
    exec_on(&mut *own, "VACUUM own").await.unwrap();
    let e = exec_on(&mut *own, "BEGIN").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    own.begin().await.unwrap();
    own.savepoint(1, SavepointVerb::Set).await.unwrap();
    assert!(exec_on(&mut *own, "INSERT INTO own VALUES (1)").await.is_err());
    own.savepoint(1, SavepointVerb::Undo).await.unwrap();
    exec_on(&mut *own, "INSERT INTO own VALUES (3)").await.unwrap();
    own.commit().await.unwrap();
    // left open, it is undone
    own.begin().await.unwrap();
    exec_on(&mut *own, "DELETE FROM own").await.unwrap();
    drop(own);
    assert_eq!(number(&*db, "SELECT count(*) FROM own").await, 2);
}

#[tokio::test]
async fn a_statement_may_outlast_the_pools_limit() {
    let db = options("own_slow", 1)
        .query_timeout(Duration::from_millis(300))
        .connect()
        .await
        .unwrap();
    let mut own = db.session(None).await.unwrap();
    exec_on(&mut *own, "SELECT pg_sleep(0.6)").await.unwrap();
    drop(own);
    let e = exec(&*db, "SELECT pg_sleep(0.6)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::StatementTimeout);
}

#[tokio::test]
async fn behind_a_pooler_it_keeps_nothing() {
    let db = options("own_pooler", 1).pooler(true).connect().await.unwrap();
    let mut own = db.session(None).await.unwrap();
    assert!(!own.keeps_state());
    exec_on(&mut *own, "DROP TABLE IF EXISTS own_pooled")
        .await
        .unwrap();
    exec_on(&mut *own, "CREATE TABLE own_pooled (a int PRIMARY KEY)")
        .await
        .unwrap();
    exec_on(&mut *own, "VACUUM own_pooled").await.unwrap();
    exec_on(&mut *own, "INSERT INTO own_pooled VALUES (1)")
        .await
        .unwrap();
    assert!(
        exec_on(&mut *own, "INSERT INTO own_pooled VALUES (1)")
            .await
            .unwrap_err()
            .is_unique_violation()
    );
    own.begin().await.unwrap();
    exec_on(&mut *own, "INSERT INTO own_pooled VALUES (2)")
        .await
        .unwrap();
    own.commit().await.unwrap();
    assert_eq!(number_on(&mut *own, "SELECT count(*) FROM own_pooled").await, 2);
}

#[tokio::test]
async fn copy_takes_all_rows_or_none() {
    let db = connect("own_copy", 1).await;
    exec(&*db, "CREATE TABLE copied (id int PRIMARY KEY, what text)")
        .await
        .unwrap();
    let mut own = db.session(None).await.unwrap();
    let copy: std::sync::Arc<str> = "COPY copied (id, what) FROM STDIN".into();
    let taken = own.copy_in(copy.clone(), b"1\ta\\tb\n2\t\\N\n".to_vec()).await;
    assert_eq!(taken.unwrap(), 2);
    // a refused row undoes all of them, and the session goes on
    let e = own
        .copy_in(copy.clone(), b"3\tc\n1\td\n".to_vec())
        .await
        .unwrap_err();
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::UniqueViolation, Some("copied_pkey"))
    );
    assert_eq!(number_on(&mut *own, "SELECT count(*) FROM copied").await, 2);
    // inside a transaction a savepoint saves it
    own.begin().await.unwrap();
    assert_eq!(own.copy_in(copy.clone(), b"4\tx\n".to_vec()).await.unwrap(), 1);
    own.savepoint(1, SavepointVerb::Set).await.unwrap();
    let many: Vec<u8> = (0..200_000)
        .flat_map(|i| format!("{}\tlong\n", 5 + i % 199_999).into_bytes())
        .collect();
    assert!(
        own.copy_in(copy.clone(), many)
            .await
            .unwrap_err()
            .is_unique_violation()
    );
    let e = own.copy_in(copy.clone(), b"5\ty\n".to_vec()).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    own.savepoint(1, SavepointVerb::Undo).await.unwrap();
    assert_eq!(own.copy_in(copy, b"5\ty\n".to_vec()).await.unwrap(), 1);
    own.commit().await.unwrap();
    assert_eq!(number_on(&mut *own, "SELECT sum(id) FROM copied").await, 12);
    for wrong in ["SELECT 1", "COPY nothing FROM STDIN", "COPY copied TO STDOUT"] {
        assert!(own.copy_in(wrong.into(), Vec::new()).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_dropped_copy_leaves_nothing() {
    let db = connect("own_copy_dropped", 2).await;
    exec(&*db, "CREATE TABLE never_copied (id int)").await.unwrap();
    let mut own = db.session(None).await.unwrap();
    let mut locker = db.session(None).await.unwrap();
    locker.begin().await.unwrap();
    exec_on(&mut *locker, "LOCK TABLE never_copied").await.unwrap();
    let waiting = own.copy_in("COPY never_copied FROM STDIN".into(), b"1\n".to_vec());
    assert!(
        tokio::time::timeout(Duration::from_millis(100), waiting)
            .await
            .is_err()
    );
    let e = own.copy_in("COPY never_copied FROM STDIN".into(), b"2\n".to_vec());
    assert_eq!(e.await.unwrap_err().kind(), ErrorKind::ConnectionLost);
    drop(own);
    locker.rollback().await.unwrap();
    assert_eq!(number(&*db, "SELECT count(*) FROM never_copied").await, 0);
}
