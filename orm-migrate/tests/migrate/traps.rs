//! What each database does to migrations that nobody expects.

use std::time::{Duration, Instant};

use orm::prelude::*;
use orm::testing::{TestDb, fresh_postgres, fresh_sqlite};
use orm_migrate::{LOCK_TABLE, Limits, Migrator, Outcome};

use crate::support::{exec, history, set, tables, texts};

fn migrator(db: &Db, files: &[(&str, &str)]) -> Migrator {
    Migrator::new(db, set(files)).unwrap()
}

async fn count(db: &Db, table: &str) -> String {
    texts(db, &format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))
        .await
        .remove(0)
}

const PARENTS: &str = "CREATE TABLE parents (id INTEGER PRIMARY KEY, x TEXT);
    CREATE TABLE children (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
    INSERT INTO parents VALUES (1, 'a'), (2, 'b'); INSERT INTO children VALUES (1, 1), (2, 2);";
const REBUILD: &str = "CREATE TABLE parents_new (id INTEGER PRIMARY KEY, x TEXT NOT NULL);
    INSERT INTO parents_new SELECT * FROM parents; DROP TABLE parents; ALTER TABLE parents_new RENAME TO parents;";

/// Decision 31: only with checks off before BEGIN do the children of a rebuilt table stay.
#[tokio::test]
async fn a_rebuilt_table_keeps_its_children() -> orm_migrate::Result<()> {
    let file = fresh_sqlite().await?;
    let memory = Db::connect("sqlite::memory:").await?;
    for db in [Db::clone(&file), memory] {
        let off = format!("-- orm: foreign_keys=off\n{REBUILD}");
        let orphans = format!("{off} DELETE FROM parents WHERE id = 2;");
        let broken = migrator(&db, &[("1_a.sql", PARENTS), ("2_b.sql", &orphans)])
            .up()
            .await
            .unwrap_err();
        assert_eq!(broken.error().kind(), ErrorKind::ForeignKeyViolation);
        assert!(broken.to_string().contains("children (1)"), "{broken}");
        assert_eq!(
            (count(&db, "parents").await, count(&db, "children").await),
            ("2".into(), "2".into())
        );
        assert_eq!(
            texts(&db, "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys").await,
            ["1"]
        );
        migrator(&db, &[("1_a.sql", PARENTS), ("2_b.sql", &off)])
            .up()
            .await?;
        assert_eq!(
            (count(&db, "parents").await, count(&db, "children").await),
            ("2".into(), "2".into())
        );
        let e = exec(&db, "INSERT INTO children VALUES (3, 7)").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::ForeignKeyViolation);
        // in one that is cut into parts as well
        let parts = format!("-- orm: foreign_keys=off\nVACUUM;\n{REBUILD}");
        let files = [("1_a.sql", PARENTS), ("2_b.sql", &*off), ("3_c.sql", &*parts)];
        migrator(&db, &files).up().await?;
        assert_eq!(count(&db, "children").await, "2");
        // the trap itself, without the header
        let on = [files[0], files[1], files[2], ("4_d.sql", REBUILD)];
        migrator(&db, &on).up().await?;
        assert_eq!(count(&db, "children").await, "0");
    }
    Ok(())
}

#[tokio::test]
async fn an_invalid_index_is_dropped_and_built_again() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let files = [
        (
            "1_a.sql",
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);",
        ),
        (
            "2_b.sql",
            "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO t VALUES (2);",
        ),
    ];
    let m = migrator(&db, &files);
    let failure = m.up().await.unwrap_err();
    assert_eq!(failure.error().kind(), ErrorKind::UniqueViolation);
    assert_eq!(failure.place().unwrap().statement, Some(1));
    let indexes = "SELECT relname::text || ' ' || indisvalid::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid \
                   WHERE relname = 't_a'";
    assert_eq!(
        texts(&db, indexes).await,
        [""; 0],
        "an invalid one costs every write"
    );
    // one that a killed migrator has left
    exec(&db, "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
        .await
        .unwrap_err();
    assert_eq!(texts(&db, indexes).await, ["t_a false"]);
    exec(&db, "DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)").await?;
    let report = m.up().await?;
    assert_eq!(report.ran[0].statements, 2);
    assert_eq!(texts(&db, indexes).await, ["t_a true"]);
    // one of this name that nobody expected is no success
    exec(&db, "CREATE INDEX t_b ON t (a)").await?;
    let more = [
        files[0],
        files[1],
        ("3_c.sql", "CREATE INDEX CONCURRENTLY t_b ON t (a)"),
    ];
    for _ in 0..2 {
        assert_eq!(
            migrator(&db, &more).up().await.unwrap_err().outcome(),
            Outcome::Failed
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_lock_that_is_not_granted_is_tried_again() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let files = [
        ("1_a.sql", "CREATE TABLE t (a int)"),
        ("2_b.sql", "INSERT INTO t VALUES (1); ALTER TABLE t ADD b int"),
    ];
    migrator(&db, &files[..1]).up().await?;
    let limits = Limits {
        lock: Duration::from_millis(60),
        pause: Duration::from_millis(40),
        retries: 0,
        ..Limits::default()
    };
    let reader = db.begin().await?;
    orm::sql!("SELECT a FROM t").exec(&reader).await?;
    let m = migrator(&db, &files).limits(limits.clone());
    let start = Instant::now();
    let failure = m.up().await.unwrap_err();
    assert_eq!(failure.error().kind(), ErrorKind::LockTimeout);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "it makes way for those behind it"
    );
    assert_eq!(count(&db, "t").await, "0");
    let m = m.limits(Limits {
        retries: 20,
        ..limits
    });
    let run = tokio::spawn(async move { m.up().await });
    tokio::time::sleep(Duration::from_millis(400)).await;
    reader.rollback().await?;
    let report = run.await.unwrap()?;
    assert!(report.ran[0].retries > 0);
    assert_eq!(
        count(&db, "t").await,
        "1",
        "the whole transaction was tried again, once with success"
    );
    Ok(())
}

#[tokio::test]
async fn limits_hold_and_are_gone_afterwards() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let limits = Limits {
        data: Some(Duration::from_millis(100)),
        schema: Some(Duration::from_secs(7)),
        ..Limits::default()
    };
    let slow = [("1_a.sql", "SELECT pg_sleep(5)")];
    let failure = migrator(&db, &slow)
        .limits(limits.clone())
        .up()
        .await
        .unwrap_err();
    assert_eq!(failure.error().kind(), ErrorKind::StatementTimeout);
    let settings = "INSERT INTO seen SELECT name || ' ' || setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')";
    let schema = format!("CREATE TABLE seen (s text); DO $$ BEGIN {settings}; END $$");
    // what stands alone, and is none of the runner's business
    let alone = format!("-- no-transaction\nDO $$ BEGIN {settings}; END $$");
    let files = [("1_a.sql", schema.as_str()), ("2_b.sql", &alone)];
    migrator(&db, &files).limits(limits).up().await?;
    let seen = texts(&db, "SELECT DISTINCT s FROM seen ORDER BY 1").await;
    assert_eq!(seen, ["lock_timeout 3000", "statement_timeout 7000"]);
    for _ in 0..8 {
        let now = texts(&db, "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'").await;
        assert_eq!(now, ["0"]);
    }
    Ok(())
}

/// The server ends the session: nothing stays, and the lock is free.
#[tokio::test]
async fn a_session_that_is_ended_by_the_server() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let ends = "CREATE TABLE a (id int); SELECT pg_terminate_backend(pg_backend_pid())";
    let failure = migrator(&db, &[("1_a.sql", ends)]).up().await.unwrap_err();
    assert_eq!((failure.outcome(), failure.exit_code()), (Outcome::Failed, 6));
    assert_eq!(tables(&db).await, [""; 0]);
    assert_eq!(
        migrator(&db, &[("1_a.sql", "CREATE TABLE a (id int)")])
            .up()
            .await?
            .ran
            .len(),
        1
    );
    Ok(())
}

/// A second schema in front of the one with the history is no second history.
#[tokio::test]
async fn the_history_stays_where_it_is() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let files = [
        ("1_a.sql", "CREATE TABLE a (id int)"),
        ("2_b.sql", "CREATE TABLE b (id int)"),
    ];
    migrator(&db, &files[..1]).up().await?;
    exec(&db, "CREATE SCHEMA front").await?;
    let name = texts(&db, "SELECT quote_ident(current_database())")
        .await
        .remove(0);
    exec(
        &db,
        &format!("ALTER DATABASE {name} SET search_path = front, public"),
    )
    .await?;
    let fresh = db.again(orm::DbOptions::default()).await?;
    assert_eq!(migrator(&fresh, &files).up().await?.versions(), [2]);
    assert_eq!(
        texts(
            &db,
            "SELECT schemaname::text FROM pg_tables WHERE tablename = 'orm_migrations'"
        )
        .await,
        ["public"]
    );
    Ok(())
}

/// `pg_dump` begins its scripts with this.
#[tokio::test]
async fn what_a_script_sets_is_not_for_the_next_one() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let dump = "SELECT pg_catalog.set_config('search_path', '', false); SET statement_timeout = 0; CREATE TABLE public.a (id int)";
    let cut = format!("-- no-transaction\n{}", dump.replace("public.a", "public.c"));
    let files = [
        ("1_a.sql", dump),
        ("2_b.sql", "CREATE TABLE b (id int)"),
        ("3_c.sql", &cut),
        ("4_d.sql", "CREATE TABLE d (id int)"),
    ];
    assert_eq!(migrator(&db, &files).up().await?.ran.len(), 4);
    assert_eq!(tables(&db).await, ["a", "b", "c", "d"]);
    Ok(())
}

#[orm::test]
async fn a_history_changed_by_somebody_else(db: Db) -> orm_migrate::Result<()> {
    let files = [(
        "1_a.sql",
        "-- no-transaction\nCREATE TABLE a (id INT);\nUPDATE orm_migrations SET status = 'done'",
    )];
    let failure = migrator(&db, &files).up().await.unwrap_err();
    assert_eq!(failure.error().kind(), ErrorKind::Stale);
    let e = migrator(&db, &[("1_a.sql", "SELECT 1;\nCOMMIT")]);
    exec(&db, "DELETE FROM orm_migrations").await?;
    let failure = e.up().await.unwrap_err();
    assert!(
        failure.outcome() == Outcome::Usage && failure.to_string().contains("line 2"),
        "{failure}"
    );
    Ok(())
}

async fn pooled(db: &TestDb) -> Db {
    let join = if db.url().contains('?') { '&' } else { '?' };
    Db::connect(&format!("{}{join}pooler=true&pool_size=3", db.url()))
        .await
        .unwrap()
}

/// Behind a pooler no session holds a lock: a row does, with a time.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler() -> orm_migrate::Result<()> {
    let db = fresh_postgres().await?;
    let files = [
        ("1_a.sql", "CREATE TABLE t (a int); INSERT INTO t VALUES (1)"),
        (
            "2_b.sql",
            "INSERT INTO t VALUES (2); CREATE INDEX CONCURRENTLY t_a ON t (a); INSERT INTO t VALUES (3)",
        ),
    ];
    let mut runs = Vec::new();
    for _ in 0..4 {
        let m = migrator(&pooled(&db).await, &files).lock_wait(Duration::from_secs(30));
        runs.push(tokio::spawn(async move { m.up().await }));
    }
    let mut applied = 0;
    for run in runs {
        applied += run.await.unwrap()?.ran.len();
    }
    assert_eq!(applied, 2);
    assert_eq!(count(&db, "t").await, "3");
    // a migrator that died: its lease has to run out first
    exec(
        &db,
        &format!("UPDATE {LOCK_TABLE} SET owner = 'dead', expires_at = now() + interval '700 ms'"),
    )
    .await?;
    let more = [files[0], files[1], ("3_c.sql", "INSERT INTO t VALUES (4)")];
    let m = migrator(&pooled(&db).await, &more);
    let failure = m
        .clone()
        .lock_wait(Duration::from_millis(50))
        .up()
        .await
        .unwrap_err();
    assert_eq!(failure.outcome(), Outcome::LockTimeout);
    assert_eq!(m.up().await?.versions(), [3]);
    // one that was taken for dead while it worked keeps nothing
    let steals =
        format!("-- no-transaction\nUPDATE {LOCK_TABLE} SET owner = 'other';\nINSERT INTO t VALUES (5)");
    let more = [more[0], more[1], more[2], ("4_d.sql", &*steals)];
    let failure = migrator(&pooled(&db).await, &more).up().await.unwrap_err();
    assert_eq!(
        (failure.error().kind(), failure.place().unwrap().version),
        (ErrorKind::Stale, 4)
    );
    assert_eq!(count(&db, "t").await, "4");
    assert_eq!(history(&db).await[3], "4 running 1");
    Ok(())
}
