//! Broken connections, stale statements, time limits, and what errors tell.

use std::time::{Duration, Instant};

use orm_core::driver::{Driver, Runner, TxMode};
use orm_core::error::{Error, ErrorKind};
use orm_core::value::{Type, Value};

use crate::support::{connect, eventually, exec, exec_in, number, options, query, rows, sessions, sql};

async fn kill(admin: &dyn Driver, name: &str) {
    let text = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    query(admin, text, vec![Value::Text(name.into())], &[Type::I64])
        .await
        .unwrap();
    let gone = async || sessions(admin, name, "%").await == 0;
    assert!(eventually(Duration::from_secs(2), gone).await);
}

#[tokio::test]
async fn a_read_survives_a_dead_connection_and_a_write_does_not() {
    let admin = connect("kill_admin", 1).await;
    let db = connect("kill", 3).await;
    exec(&*db, "DROP TABLE IF EXISTS kill").await.unwrap();
    exec(&*db, "CREATE TABLE kill (a int)").await.unwrap();
    let both = (
        db.begin(TxMode::default()).await.unwrap(),
        db.begin(TxMode::default()).await.unwrap(),
    );
    both.0.rollback().await.unwrap();
    both.1.rollback().await.unwrap();
    assert_eq!(db.status().idle, 2);
    kill(&*admin, "kill").await;
    assert_eq!(number(&*db, "SELECT 7::int8").await, 7);
    kill(&*admin, "kill").await;
    let e = exec(&*db, "INSERT INTO kill VALUES (1)").await.unwrap_err();
    assert_eq!((e.kind(), e.was_sent()), (ErrorKind::ConnectionLost, Some(true)));
    assert!(!e.is_retryable());
    exec(&*db, "INSERT INTO kill VALUES (2)").await.unwrap();
    // Nothing of the caller's was sent when BEGIN finds the connection dead.
    kill(&*admin, "kill").await;
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO kill VALUES (3)").await.unwrap();
    tx.commit().await.unwrap();
    kill(&*admin, "kill").await;
    let batch = vec![
        sql("INSERT INTO kill VALUES (4)", vec![], vec![]),
        sql("SELECT 1", vec![], vec![]),
    ];
    db.run_all(batch, rows(&[])).await.unwrap();
    kill(&*admin, "kill").await;
    db.ping().await.unwrap();
    assert_eq!(number(&*db, "SELECT sum(a) FROM kill").await, 9);
}

#[tokio::test]
async fn a_connection_that_dies_in_a_transaction() {
    let admin = connect("txkill_admin", 1).await;
    let db = connect("txkill", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS txkill").await.unwrap();
    exec(&*db, "CREATE TABLE txkill (a int)").await.unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO txkill VALUES (1)").await.unwrap();
    kill(&*admin, "txkill").await;
    let e = exec_in(&mut *tx, "INSERT INTO txkill VALUES (2)")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ConnectionLost);
    assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::ConnectionLost);

    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO txkill VALUES (3)").await.unwrap();
    kill(&*admin, "txkill").await;
    assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::CommitUnknown);

    let mut tx = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *tx, "INSERT INTO txkill VALUES (4)").await.unwrap();
    kill(&*admin, "txkill").await;
    tx.rollback().await.unwrap();
    assert_eq!(number(&*db, "SELECT count(*) FROM txkill").await, 0);
}

#[tokio::test]
async fn a_dropped_query_ends_on_the_server() {
    let admin = connect("sleep_admin", 1).await;
    let db = connect("sleep", 1).await;
    let cut = tokio::time::timeout(Duration::from_millis(100), exec(&*db, "SELECT pg_sleep(30)")).await;
    assert!(cut.is_err());
    let start = Instant::now();
    exec(&*db, "SELECT 1").await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "the slot is free at once"
    );
    let stopped = async || sessions(&*admin, "sleep", "active").await == 0;
    assert!(eventually(Duration::from_secs(2), stopped).await);
}

#[tokio::test]
async fn time_limits_of_client_and_server() {
    let admin = connect("limits_admin", 1).await;
    let db = options("limits", 1)
        .query_timeout(Duration::from_millis(150))
        .connect()
        .await
        .unwrap();
    let e = exec(&*db, "SELECT pg_sleep(30)").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::StatementTimeout);
    exec(&*db, "SELECT 1").await.unwrap();
    let stopped = async || sessions(&*admin, "limits", "active").await == 0;
    assert!(eventually(Duration::from_secs(2), stopped).await);

    let db = options("limits2", 1)
        .statement_timeout(Duration::from_millis(100))
        .connect()
        .await
        .unwrap();
    let pid = number(&*db, "SELECT pg_backend_pid()").await;
    let e = exec(&*db, "SELECT pg_sleep(30)").await.unwrap_err();
    assert_eq!((e.kind(), e.code()), (ErrorKind::StatementTimeout, Some("57014")));
    assert_eq!(number(&*db, "SELECT pg_backend_pid()").await, pid);
}

#[tokio::test]
async fn a_changed_table_under_prepared_statements() {
    let db = connect("stale", 2).await;
    exec(&*db, "DROP TABLE IF EXISTS stale").await.unwrap();
    exec(&*db, "CREATE TABLE stale (a int4)").await.unwrap();
    exec(&*db, "INSERT INTO stale VALUES (1)").await.unwrap();
    let select = |ty| sql("SELECT a FROM stale", vec![], vec![ty]);
    // Both connections prepare it.
    let (mut one, mut two) = (
        db.begin(TxMode::default()).await.unwrap(),
        db.begin(TxMode::default()).await.unwrap(),
    );
    one.run(select(Type::I32), rows(&[Type::I32])).await.unwrap();
    two.run(select(Type::I32), rows(&[Type::I32])).await.unwrap();
    one.commit().await.unwrap();
    two.commit().await.unwrap();
    exec(&*db, "ALTER TABLE stale ALTER a TYPE text").await.unwrap();
    db.run(select(Type::Text), rows(&[Type::Text])).await.unwrap();

    exec(&*db, "ALTER TABLE stale ALTER a TYPE int8 USING 5")
        .await
        .unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    let e = tx.run(select(Type::I64), rows(&[Type::I64])).await.err().unwrap();
    assert_eq!(
        (e.kind(), e.code()),
        (ErrorKind::StatementCacheStale, Some("0A000"))
    );
    assert!(e.is_retryable());
    tx.rollback().await.unwrap();
    let mut tx = db.begin(TxMode::default()).await.unwrap();
    tx.run(select(Type::I64), rows(&[Type::I64])).await.unwrap();
    tx.commit().await.unwrap();

    exec(&*db, "ALTER TABLE stale ALTER a TYPE int4").await.unwrap();
    let batch = vec![
        select(Type::I32),
        sql("INSERT INTO stale VALUES (6)", vec![], vec![]),
    ];
    db.run_all(batch, rows(&[])).await.unwrap();
    exec(&*db, "DEALLOCATE ALL").await.unwrap();
    assert_eq!(number(&*db, "SELECT count(*) FROM stale").await, 2);
}

#[tokio::test]
async fn many_tasks_while_connections_die() {
    let admin = connect("storm_admin", 1).await;
    let db = connect("storm", 4).await;
    let tasks: Vec<_> = (0..16)
        .map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                for n in 0..100i64 {
                    let tag = i * 1000 + n;
                    let got = query(&*db, "SELECT $1", vec![Value::I64(tag)], &[Type::I64]).await;
                    match got {
                        Ok(rows) => assert_eq!(rows, [[Value::I64(tag)]]),
                        Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionLost, "{e}"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let text = "SELECT count(pg_terminate_backend(pid)) FROM \
                    (SELECT pid FROM pg_stat_activity WHERE application_name = 'storm' LIMIT 1) one";
        number(&*admin, text).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(db.status().waiting, 0);
    assert!(db.status().open <= 4);
}

async fn fails(db: &dyn Driver, text: &str) -> Error {
    let e = exec(db, text).await.unwrap_err();
    assert!(!format!("{e} {e:?}").contains("canary"), "{e}");
    e
}

#[tokio::test]
async fn errors_are_typed_and_quote_no_values() {
    let db = connect("errors", 1).await;
    for ddl in [
        "DROP TABLE IF EXISTS err_child, err_parent",
        "CREATE TABLE err_parent (id int PRIMARY KEY, name text NOT NULL, n int2,
            tag varchar(3), CONSTRAINT err_name UNIQUE (name, n), CONSTRAINT err_n CHECK (n > 0))",
        "CREATE TABLE err_child (parent int CONSTRAINT err_fk REFERENCES err_parent)",
        "INSERT INTO err_parent VALUES (1, 'canary', 1)",
        "INSERT INTO err_child VALUES (1)",
    ] {
        exec(&*db, ddl).await.unwrap();
    }
    let e = fails(&*db, "INSERT INTO err_parent VALUES (2, 'canary', 1)").await;
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    assert_eq!(
        (e.constraint(), e.table(), e.code()),
        (Some("err_name"), Some("err_parent"), Some("23505"))
    );
    assert_eq!(e.columns(), ["name", "n"]);
    let e = fails(&*db, "INSERT INTO err_child VALUES (99)").await;
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::ForeignKeyViolation, Some("err_fk"))
    );
    let e = fails(&*db, "INSERT INTO err_parent VALUES (3, NULL, 1)").await;
    assert_eq!(
        (e.kind(), e.columns()),
        (ErrorKind::NotNullViolation, &["name".to_owned()][..])
    );
    for (text, kind) in [
        ("DELETE FROM err_parent", ErrorKind::ForeignKeyViolation),
        (
            "INSERT INTO err_parent VALUES (3, 'canary', -1)",
            ErrorKind::CheckViolation,
        ),
        (
            "INSERT INTO err_parent VALUES (3, 'x', 1, 'canary')",
            ErrorKind::OutOfRange,
        ),
        ("SELECT 100000::int2", ErrorKind::OutOfRange),
        ("SELECT 'canary'::timestamptz", ErrorKind::OutOfRange),
        ("SELECT 1 / 0", ErrorKind::Database),
        ("SELECT * FROM no_such_table", ErrorKind::UndefinedObject),
        (
            "SELECT no_such_column FROM err_parent",
            ErrorKind::UndefinedObject,
        ),
        ("SELECT no_such_function()", ErrorKind::UndefinedObject),
        ("SELECT 1::no_such_type", ErrorKind::UndefinedObject),
        ("SELECT FROM WHERE 'canary'", ErrorKind::Syntax),
        ("SELECT 1; SELECT 2", ErrorKind::Syntax),
        (
            "DO $$ BEGIN RAISE EXCEPTION 'canary'; END $$",
            ErrorKind::Database,
        ),
        ("SELECT '\\u0000'::jsonb", ErrorKind::Database),
        ("SELECT (SELECT generate_series(1, 2))", ErrorKind::Database),
    ] {
        assert_eq!(fails(&*db, text).await.kind(), kind, "{text}");
    }
    assert_eq!(db.status().open, 1);
    assert_eq!(number(&*db, "SELECT count(*) FROM err_parent").await, 1);
}

#[tokio::test]
async fn locks_and_deadlocks() {
    let db = connect("locks", 2).await;
    exec(&*db, "DROP TABLE IF EXISTS locks").await.unwrap();
    exec(&*db, "CREATE TABLE locks (a int)").await.unwrap();
    exec(&*db, "INSERT INTO locks VALUES (1), (2)").await.unwrap();
    let (mut one, mut two) = (
        db.begin(TxMode::default()).await.unwrap(),
        db.begin(TxMode::default()).await.unwrap(),
    );
    exec_in(&mut *one, "UPDATE locks SET a = a WHERE a = 1")
        .await
        .unwrap();
    let e = exec_in(&mut *two, "SELECT * FROM locks FOR UPDATE NOWAIT")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::LockTimeout);
    two.rollback().await.unwrap();
    let mut two = db.begin(TxMode::default()).await.unwrap();
    exec_in(&mut *two, "SET LOCAL deadlock_timeout = '50ms'")
        .await
        .unwrap();
    exec_in(&mut *two, "UPDATE locks SET a = a WHERE a = 2")
        .await
        .unwrap();
    let (first, second) = tokio::join!(
        exec_in(&mut *one, "UPDATE locks SET a = a WHERE a = 2"),
        exec_in(&mut *two, "UPDATE locks SET a = a WHERE a = 1"),
    );
    let kinds = [first.err().map(|e| e.kind()), second.err().map(|e| e.kind())];
    assert!(kinds.contains(&Some(ErrorKind::Deadlock)), "{kinds:?}");
}

#[tokio::test]
async fn hand_written_sql_is_not_run_twice() {
    let admin = connect("once_admin", 1).await;
    for ddl in ["DROP SEQUENCE IF EXISTS once", "CREATE SEQUENCE once"] {
        exec(&*admin, ddl).await.unwrap();
    }
    let db = connect("once", 1).await;
    // it looks like a read, and what it does stays although its session ends
    let text = "SELECT pg_terminate_backend(pg_backend_pid()), nextval('once'), pg_sleep(5)";
    let e = exec(&*db, text).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::ConnectionLost);
    assert_eq!(number(&*admin, "SELECT nextval('once')").await, 2);
}

#[tokio::test]
async fn rarer_refusals_have_their_kind() {
    let db = connect("rare", 1).await;
    for ddl in [
        "DROP TABLE IF EXISTS rare",
        "CREATE TABLE rare (span int4range, CONSTRAINT rare_no_overlap EXCLUDE USING gist (span WITH &&))",
        "INSERT INTO rare VALUES ('[1313,1317)')",
    ] {
        exec(&*db, ddl).await.unwrap();
    }
    let e = exec(&*db, "INSERT INTO rare VALUES ('[1315,1319)')")
        .await
        .unwrap_err();
    assert_eq!(
        (e.kind(), e.constraint(), e.table()),
        (
            ErrorKind::ExclusionViolation,
            Some("rare_no_overlap"),
            Some("rare")
        )
    );
    assert!(!format!("{e} {e:?}").contains("131"), "{e}");
    for (settings, text, kind) in [
        (
            [
                "SET LOCAL work_mem = '64kB'",
                "SET LOCAL temp_file_limit = '100kB'",
            ],
            "SELECT count(*) FROM (SELECT i FROM generate_series(1, 200000) i ORDER BY i DESC OFFSET 0) all_of_them",
            ErrorKind::StorageFull,
        ),
        (
            ["SET LOCAL ROLE pg_monitor", "SELECT 1"],
            "SELECT count(*) FROM rare",
            ErrorKind::PermissionDenied,
        ),
        (
            ["SET TRANSACTION READ ONLY", "SELECT 1"],
            "INSERT INTO rare VALUES ('empty')",
            ErrorKind::ReadOnly,
        ),
    ] {
        let mut tx = db.begin(TxMode::default()).await.unwrap();
        for setting in settings {
            exec_in(&mut *tx, setting).await.unwrap();
        }
        let e = exec_in(&mut *tx, text).await.unwrap_err();
        assert_eq!(e.kind(), kind, "{e}");
        assert!(!e.is_retryable());
        tx.rollback().await.unwrap();
    }
    assert_eq!(number(&*db, "SELECT count(*) FROM rare").await, 1);
    assert_eq!(db.status().open, 1, "the connection stays");
}
