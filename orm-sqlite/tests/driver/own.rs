//! A connection of one's own: whatever becomes of it, the pool stays clean.

use std::time::Duration;

use orm_core::driver::{Driver, PoolConfig, SavepointVerb, Session};
use orm_core::error::{ErrorKind, Result};
use orm_core::sql::Effort;
use orm_sqlite::SqliteOptions;

use crate::support::*;

async fn exec_on(session: &mut dyn Session, text: &str) -> Result<u64> {
    Ok(session.run(write(text, vec![]), ints()).await?.affected)
}

async fn get_on(session: &mut dyn Session, text: &str) -> Vec<i64> {
    taken(session.run(read(text, vec![]), ints()).await.unwrap().sink)
}

fn databases(folder: &Folder) -> [SqliteOptions; 2] {
    let pool = PoolConfig {
        size: 1,
        acquire_timeout: Duration::from_secs(5),
        ..PoolConfig::default()
    };
    [
        folder.options().pool(pool.clone()),
        SqliteOptions::in_memory().pool(pool),
    ]
}

const ENDLESS: &str =
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) INSERT INTO t SELECT i, i FROM r";

#[tokio::test]
async fn foreign_keys_are_off_for_it_alone() {
    for options in databases(&Folder::new()) {
        let db = table(options).await;
        exec(&*db, "CREATE TABLE c (t INTEGER REFERENCES t(id)) STRICT")
            .await
            .unwrap();
        let mut own = db.session(None).await.unwrap();
        exec_on(&mut *own, "PRAGMA foreign_keys = OFF").await.unwrap();
        own.begin().await.unwrap();
        exec_on(&mut *own, "INSERT INTO c VALUES (7)").await.unwrap();
        own.commit().await.unwrap();
        drop(own);
        assert_eq!(get(&*db, "PRAGMA foreign_keys").await, [1]);
        let e = exec(&*db, "INSERT INTO c VALUES (8)").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
        assert_eq!(get(&*db, "SELECT t FROM c").await, [7]);
    }
}

#[tokio::test]
async fn dropped_in_the_middle_of_a_statement() {
    for options in databases(&Folder::new()) {
        let db = table(options).await;
        for inside in [false, true] {
            let mut own = db.session(None).await.unwrap();
            exec_on(&mut *own, "PRAGMA foreign_keys = OFF").await.unwrap();
            if inside {
                own.begin().await.unwrap();
                exec_on(&mut *own, "INSERT INTO t VALUES (-1, 1)").await.unwrap();
            }
            let endless = own.run(statement(ENDLESS, vec![], Effort::Long, true), ints());
            assert!(
                tokio::time::timeout(Duration::from_millis(50), endless)
                    .await
                    .is_err()
            );
            let e = exec_on(&mut *own, "SELECT 1").await.unwrap_err();
            assert_eq!(e.kind(), ErrorKind::ConnectionLost);
            own.rollback().await.unwrap();
            drop(own);
            assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [0]);
            exec(&*db, "INSERT INTO t VALUES (1, 1)").await.unwrap();
            exec(&*db, "DELETE FROM t").await.unwrap();
            assert_eq!(get(&*db, "PRAGMA foreign_keys").await, [1]);
        }
    }
}

#[tokio::test]
async fn transactions_and_what_stands_outside_of_them() {
    for options in databases(&Folder::new()) {
        let db = table(options).await;
        let mut own = db.session(None).await.unwrap();
        assert!(own.keeps_state());
        own.begin().await.unwrap();
        assert_eq!(own.begin().await.unwrap_err().kind(), ErrorKind::TransactionState);
        exec_on(&mut *own, "INSERT INTO t VALUES (1, 1)").await.unwrap();
        own.commit().await.unwrap();
        assert_eq!(
            own.commit().await.unwrap_err().kind(),
            ErrorKind::TransactionState
        );
        own.begin().await.unwrap();
        exec_on(&mut *own, "INSERT INTO t VALUES (2, 2)").await.unwrap();
        assert!(
            exec_on(&mut *own, "INSERT INTO t VALUES (1, 1)")
                .await
                .unwrap_err()
                .is_unique_violation()
        );
        own.rollback().await.unwrap();
        own.rollback().await.unwrap();
        assert_eq!(get_on(&mut *own, "SELECT id FROM t").await, [1]);
        exec_on(&mut *own, "VACUUM").await.unwrap();
        // a transaction opened by text is undone at once
        let e = exec_on(&mut *own, "BEGIN").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::TransactionState);
        own.begin().await.unwrap();
        let e = exec_on(&mut *own, "COMMIT").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::TransactionState);
        own.rollback().await.unwrap();
        own.begin().await.unwrap();
        own.savepoint(1, SavepointVerb::Set).await.unwrap();
        exec_on(&mut *own, "INSERT INTO t VALUES (4, 4)").await.unwrap();
        own.savepoint(1, SavepointVerb::Undo).await.unwrap();
        own.commit().await.unwrap();
        let e = own.savepoint(1, SavepointVerb::Set).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::TransactionState);
        // left open, it is undone
        own.begin().await.unwrap();
        exec_on(&mut *own, "DELETE FROM t").await.unwrap();
        drop(own);
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
    }
}

#[tokio::test]
async fn in_memory_it_is_the_only_connection() {
    let db = table(SqliteOptions::in_memory()).await;
    let own = db.session(None).await.unwrap();
    // the task would wait for itself
    let e = exec(&*db, "SELECT 1").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    drop(own);
    exec(&*db, "INSERT INTO t VALUES (1, 1)").await.unwrap();
    db.close().await;
    assert_eq!(
        db.session(None).await.err().unwrap().kind(),
        ErrorKind::PoolClosed
    );
}

#[tokio::test]
async fn a_closed_or_read_only_database_has_none() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    db.close().await;
    assert_eq!(
        db.session(None).await.err().unwrap().kind(),
        ErrorKind::PoolClosed
    );
    let db = folder.options().read_only(true).connect().await.unwrap();
    assert_eq!(db.session(None).await.err().unwrap().kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn there_is_no_copy() {
    for options in databases(&Folder::new()) {
        let db = table(options).await;
        let mut own = db.session(None).await.unwrap();
        let e = own
            .copy_in("COPY t FROM STDIN".into(), Vec::new())
            .await
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unsupported);
    }
}
