//! Killed at any point, a run is finished by the next one, and nothing is done twice; many migrators at once do it once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use orm::prelude::*;
use orm::testing::TestDb;
use orm_migrate::{Backfill, Limits, Migration, Migrations, Migrator, Outcome};

use crate::support::{Death, When, exec, history, is_postgres, mortal, set, tables, texts};

/// Every kind of migration, some thirty statements. Each leaves its number in `log`, which holds it twice if it ran twice.
fn every_kind(db: &Db) -> Migrations {
    let log = |from: i32, to: i32| -> String {
        (from..=to)
            .map(|n| format!("INSERT INTO log VALUES ({n});\n"))
            .collect()
    };
    let whole = format!(
        "CREATE TABLE log (n INT);\nCREATE TABLE t (id BIGINT PRIMARY KEY, x TEXT);\n{}",
        log(1, 3)
    );
    let alone = match is_postgres(db) {
        true => format!(
            "CREATE TYPE mood AS ENUM ('a');\n{}CREATE INDEX CONCURRENTLY t_x ON t (x);\n{}\
             CREATE INDEX CONCURRENTLY t_y ON t (id, x);\nDROP INDEX CONCURRENTLY t_x;\n\
             ALTER TYPE mood ADD VALUE 'b';\nCREATE TABLE moods (m mood DEFAULT 'b');\n{}",
            log(4, 5),
            log(6, 7),
            log(8, 8)
        ),
        false => format!("{}VACUUM;\n{}VACUUM;\n{}", log(4, 5), log(6, 7), log(8, 8)),
    };
    let each = format!("-- no-transaction\n{}CREATE TABLE last (id INT);\n", log(9, 12));
    let rows: Vec<String> = (1..=25).map(|i| format!("({i}, 'X')")).collect();
    let rows = format!("INSERT INTO t VALUES {};\n{}", rows.join(", "), log(13, 13));
    let rebuilt = format!(
        "-- orm: foreign_keys=off\nCREATE TABLE t2 (id BIGINT PRIMARY KEY, x TEXT);\nINSERT INTO t2 SELECT * FROM t;\n\
         DROP TABLE t;\nALTER TABLE t2 RENAME TO t;\n{}",
        log(14, 15)
    );
    let code = Migration::code(60, "code", |tx| {
        Box::pin(async move {
            orm::sql!("INSERT INTO log VALUES (16)").exec(&*tx).await?;
            orm::sql!("INSERT INTO log VALUES (17)").exec(&*tx).await?;
            Ok(())
        })
    });
    set(&[
        ("10_whole.sql", &whole),
        ("20_alone.sql", &alone),
        ("30_each.sql", &each),
        ("40_rows.sql", &rows),
        ("50_rebuilt.sql", &rebuilt),
    ])
    .with(code.unwrap())
    .and_then(|m| {
        m.with(Migration::backfill(
            70,
            "fill",
            Backfill::new("t", "id", "x = x || 'y'").batch(10),
        )?)
    })
    .unwrap()
}

fn migrator(db: &Db, files: Migrations) -> Migrator {
    let limits = Limits {
        pause: Duration::from_millis(20),
        ..Limits::default()
    };
    Migrator::new(db, files)
        .unwrap()
        .limits(limits)
        .lock_wait(Duration::from_secs(60))
}

/// What a finished run leaves, whatever happened on the way.
async fn check(db: &Db, what: &str) {
    let log = texts(db, "SELECT CAST(n AS TEXT) FROM log ORDER BY log.n").await;
    let expected: Vec<String> = (1..=17).map(|n| n.to_string()).collect();
    assert_eq!(log, expected, "{what}");
    assert_eq!(texts(db, "SELECT DISTINCT x FROM t").await, ["Xy"], "{what}");
    assert_eq!(
        texts(db, "SELECT CAST(count(*) AS TEXT) FROM t").await,
        ["25"],
        "{what}"
    );
    assert!(tables(db).await.contains(&"last".to_owned()), "{what}");
    let states = history(db).await;
    assert!(
        states.len() == 7 && states.iter().all(|s| s.contains(" done ")),
        "{what}: {states:?}"
    );
    if is_postgres(db) {
        let indexes = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = indexrelid \
                       WHERE indisvalid AND c.relname LIKE 't\\__' ORDER BY 1";
        // the rebuilt table has none of them any more
        assert_eq!(texts(db, indexes).await, [""; 0], "{what}");
        assert_eq!(
            texts(db, "SELECT enumlabel::text FROM pg_enum ORDER BY enumsortorder").await,
            ["a", "b"],
            "{what}"
        );
    }
}

async fn empty(db: &Db) {
    match is_postgres(db) {
        true => {
            exec(db, "DROP SCHEMA public CASCADE").await.unwrap();
            exec(db, "CREATE SCHEMA public").await.unwrap();
        }
        false => {
            for table in texts(
                db,
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )
            .await
            {
                exec(db, &format!("DROP TABLE {table}")).await.unwrap();
            }
        }
    }
}

/// How many calls a whole run makes on its session.
async fn calls(db: &Db) -> usize {
    let death = Death::new(usize::MAX, When::Before, false);
    let report = migrator(&mortal(db, &death), every_kind(db)).up().await.unwrap();
    assert_eq!(report.versions(), [10, 20, 30, 40, 50, 60, 70]);
    check(db, "undisturbed").await;
    empty(db).await;
    death.calls()
}

#[orm::test]
async fn dropped_at_every_statement(db: TestDb) -> orm_migrate::Result<()> {
    let calls = calls(&db).await;
    assert!(calls > 80, "{calls}");
    for at in 1..=calls {
        for when in [When::Before, When::Amid, When::After] {
            // the server takes its time to notice; a sample is enough there
            if is_postgres(&db) && !(at + when as usize).is_multiple_of(3) {
                continue;
            }
            let death = Death::new(at, when, false);
            let dying = mortal(&db, &death);
            let run = migrator(&dying, every_kind(&db));
            let died = tokio::select! {
                _ = run.up() => false,
                () = death.dead.notified() => true,
            };
            let what = format!("{when:?} call {at} of {calls}");
            assert!(died, "{what}");
            migrator(&db, every_kind(&db))
                .up()
                .await
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            check(&db, &what).await;
            empty(&db).await;
        }
    }
    Ok(())
}

fn child(url: &str, variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "killed::what_a_child_process_does", "--nocapture"])
        .env("ORM_MIGRATE_CHILD", url)
        .envs(variables.iter().map(|(k, v)| (*k, v)))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    command
}

/// Run by the tests below in a process of its own. By itself it only makes sure that it was not asked.
#[tokio::test]
async fn what_a_child_process_does() {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(url) = variable("ORM_MIGRATE_CHILD") else {
        assert_eq!(variable("ORM_MIGRATE_DIES"), None);
        return;
    };
    let db = Db::connect(&url).await.unwrap();
    if let Some(at) = variable("ORM_MIGRATE_DIES") {
        let death = Death::new(at.parse().unwrap(), When::After, true);
        migrator(&mortal(&db, &death), every_kind(&db))
            .up()
            .await
            .unwrap();
        return;
    }
    let report = migrator(&db, every_kind(&db)).up().await.unwrap();
    if report.outcome() == Outcome::Applied {
        let place = PathBuf::from(variable("ORM_MIGRATE_TOLD").unwrap());
        std::fs::write(
            place.join(std::process::id().to_string()),
            format!("{:?}", report.versions()),
        )
        .unwrap();
    }
}

#[orm::test(flavor = "multi_thread")]
async fn killed_with_its_process(db: TestDb) -> orm_migrate::Result<()> {
    let calls = calls(&db).await;
    let each = if is_postgres(&db) { 9 } else { 4 };
    for at in (1..=calls).step_by(each) {
        let mut command = child(db.url(), &[("ORM_MIGRATE_DIES", at.to_string())]);
        let status = tokio::task::spawn_blocking(move || command.status())
            .await
            .unwrap()
            .unwrap();
        assert!(!status.success(), "it died");
        let what = format!("killed after call {at} of {calls}");
        migrator(&db, every_kind(&db))
            .up()
            .await
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        check(&db, &what).await;
        empty(&db).await;
    }
    Ok(())
}

#[orm::test(flavor = "multi_thread")]
async fn sixteen_at_once(db: TestDb) -> orm_migrate::Result<()> {
    let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "orm-migrate-told-{}-{}",
        std::process::id(),
        is_postgres(&db)
    ));
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    let told = [("ORM_MIGRATE_TOLD", place.display().to_string())];
    let children: Vec<_> = (0..16).map(|_| child(db.url(), &told).spawn().unwrap()).collect();
    let wait = move || {
        children
            .into_iter()
            .map(|mut c| c.wait().unwrap().success())
            .collect::<Vec<_>>()
    };
    let ended = tokio::task::spawn_blocking(wait).await.unwrap();
    assert_eq!(ended, [true; 16]);
    check(&db, "sixteen at once").await;
    let told: Vec<String> = std::fs::read_dir(&place)
        .unwrap()
        .map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap())
        .collect();
    assert_eq!(told, ["[10, 20, 30, 40, 50, 60, 70]"], "one did all of it");
    std::fs::remove_dir_all(&place).unwrap();
    Ok(())
}

/// Whoever waits looks again when it is its turn, and gives up when it takes too long.
#[orm::test]
async fn those_who_wait(db: TestDb) -> orm_migrate::Result<()> {
    let other = db.again(orm::DbOptions::default()).await?;
    let (inside, go_on) = (
        Arc::new(tokio::sync::Notify::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    let slow = Migration::code(1, "slow", {
        let (inside, go_on) = (inside.clone(), go_on.clone());
        move |_| {
            let (inside, go_on) = (inside.clone(), go_on.clone());
            Box::pin(async move {
                inside.notify_one();
                go_on.notified().await;
                Ok(())
            })
        }
    })?;
    let files = Migrations::default().with(slow)?;
    let first = migrator(&db, files.clone());
    let first = tokio::spawn(async move { first.up().await });
    inside.notified().await;
    let hasty = migrator(&other, files.clone())
        .lock_wait(Duration::from_millis(200))
        .up()
        .await
        .unwrap_err();
    assert_eq!((hasty.outcome(), hasty.exit_code()), (Outcome::LockTimeout, 5));
    let patient = migrator(&other, files);
    let patient = tokio::spawn(async move { patient.up().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    go_on.notify_one();
    assert_eq!(first.await.unwrap()?.versions(), [1]);
    let waited = patient.await.unwrap()?;
    assert_eq!(waited.outcome(), Outcome::UpToDate);
    assert!(waited.waited > Duration::from_millis(50), "{:?}", waited.waited);
    Ok(())
}
