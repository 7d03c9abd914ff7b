//! What is known before a run.

use orm::prelude::*;
use orm_migrate::lint::{Lock, Work};
use orm_migrate::preflight::{Level, Options, Preflight, Time};
use orm_migrate::schema::{Check, Schema};
use orm_migrate::{Backend, Migrator, Outcome, drift, introspect::introspect, lint, snapshot};

use crate::support::{backend, exec, history, is_postgres, set};

fn note<'p>(found: &'p Preflight, check: &str) -> (Level, &'p str) {
    let note = found.notes.iter().find(|n| n.check == check);
    let note = note.unwrap_or_else(|| panic!("no note about {check}: {:?}", found.notes));
    (note.level, note.what.as_str())
}

/// `people` with rows of which one breaks `ck_age`, as the first migration leaves it; a second adds the check.
async fn two_migrations(db: &Db) -> (Migrator, Schema) {
    let first = "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, age INTEGER)";
    exec(db, first).await.unwrap();
    let mut one = introspect(db).await.unwrap();
    one.grants.clear();
    exec(db, "DROP TABLE people").await.unwrap();
    let mut two = one.clone();
    two.tables[0].checks.push(Check {
        name: Some("ck_age".into()),
        condition: "age > 0".into(),
        ..Check::default()
    });
    let dialect = backend(db).name();
    let second = match backend(db) {
        Backend::Postgres => {
            "-- orm: irreversible=no\nALTER TABLE people ADD CONSTRAINT ck_age CHECK (age > 0) NOT VALID;\n\
             -- orm: commit\nALTER TABLE people VALIDATE CONSTRAINT ck_age;\nUPDATE people SET age = age + 1 WHERE age > 3;"
        }
        Backend::Sqlite => {
            "-- orm: irreversible=no, foreign_keys=off\nCREATE TABLE people__new (id INTEGER NOT NULL PRIMARY KEY, age INTEGER, CONSTRAINT \
             ck_age CHECK (age > 0));\nINSERT INTO people__new SELECT id, age FROM people;\n\
             DROP TABLE people;\nALTER TABLE people__new RENAME TO people;\n\
             UPDATE people SET age = age + 1 WHERE age > 3;"
        }
    };
    let first = format!("-- orm: irreversible=no\n{first};");
    let migrations = set(&[
        ("1_people.sql", &first),
        ("1_people.snap.json", &snapshot::write(&one, dialect)),
        ("2_ages.sql", second),
        ("2_ages.snap.json", &snapshot::write(&two, dialect)),
    ]);
    let migrator = Migrator::new(db, migrations).unwrap();
    migrator.up_to("1_people").await.unwrap();
    let some = match backend(db) {
        Backend::Postgres => "INSERT INTO people SELECT i, i FROM generate_series(1, 2000) i",
        Backend::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
             INSERT INTO people SELECT i, i FROM n"
        }
    };
    exec(db, some).await.unwrap();
    (migrator, two)
}

#[orm::test]
async fn what_stands_in_the_way_is_told(db: Db) -> orm_migrate::Result<()> {
    let (migrator, models) = two_migrations(&db).await;
    exec(&db, "INSERT INTO people VALUES (2001, -1)").await?;
    if is_postgres(&db) {
        exec(&db, "ANALYZE people").await?;
    }
    let options = Options {
        many_rows: 1000,
        models: Some(models),
        drift: Some(drift::Options::default()),
        ..Options::default()
    };
    let found = migrator.preflight("head", &options).await?;
    assert_eq!(
        note(&found, "data"),
        (
            Level::Stop,
            "check ck_age of people: 1 row is against its condition"
        )
    );
    assert_eq!(note(&found, "history").0, Level::Fine);
    assert_eq!(note(&found, "drift").0, Level::Fine);
    assert_eq!(note(&found, "batches").0, Level::Warning);
    assert!(note(&found, "lint").0 <= Level::Info, "{:?}", found.lint);
    assert!(!found.may_run());
    assert_eq!((found.outcome(), found.exit_code()), (Outcome::Refused, 4));

    // the dry run
    let [due] = found.migrations.as_slice() else {
        panic!("{:?}", found.migrations)
    };
    assert_eq!((due.version, due.undone), (2, false));
    let all: Vec<_> = due.parts.iter().flatten().collect();
    let update = all.last().unwrap();
    assert_eq!(
        (update.rows, update.time, update.writes_rows),
        (Some(2001), Time::Moment, true)
    );
    assert_eq!(update.table.as_deref(), Some("people"));
    let markdown = found.to_markdown();
    assert!(
        markdown.starts_with("# Before the run\n\n- **stop** `data`"),
        "{markdown}"
    );
    assert!(markdown.contains("## 2_ages"), "{markdown}");
    match backend(&db) {
        Backend::Postgres => {
            assert_eq!(due.parts.len(), 2);
            assert_eq!(
                (all[0].lock, all[0].work),
                (Some(Lock::AccessExclusive), Work::Catalogue)
            );
            assert_eq!(
                (all[1].lock, all[1].work),
                (Some(Lock::ShareUpdateExclusive), Work::Scan)
            );
            assert!(
                markdown.contains("SHARE UPDATE EXCLUSIVE while rows are read; people has about 2001 rows")
            );
            assert_eq!(note(&found, "privileges").0, Level::Fine);
        }
        Backend::Sqlite => {
            assert_eq!(
                (all[1].work, all[1].table.as_deref()),
                (Work::Rewrite, Some("people"))
            );
            assert!(found.disk > 0);
        }
    }
    assert!(found.to_json()?.contains("\"check\": \"data\""));
    // nothing has changed, and when the row is gone nothing stands in the way
    assert_eq!(history(&db).await.len(), 1);
    exec(&db, "DELETE FROM people WHERE age < 0").await?;
    let found = migrator.preflight("head", &options).await?;
    assert_eq!(
        note(&found, "data"),
        (Level::Fine, "one new constraint, and all rows keep it")
    );
    assert!(found.may_run(), "{:?}", found.notes);
    migrator.up().await?;
    let found = migrator.preflight("head", &options).await?;
    assert!(found.migrations.is_empty() && found.may_run());

    // a disk that is too small, and a hand that was quicker
    exec(&db, "ALTER TABLE people ADD COLUMN nick TEXT").await?;
    let found = migrator.preflight("head", &options).await?;
    assert_eq!((note(&found, "drift").0, found.exit_code()), (Level::Drift, 3));
    Ok(())
}

#[orm::test]
async fn disk_heads_and_losses(db: Db) -> orm_migrate::Result<()> {
    exec(&db, "CREATE TABLE wide (id INTEGER PRIMARY KEY, a TEXT)").await?;
    let some = match backend(&db) {
        Backend::Postgres => "INSERT INTO wide SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i",
        Backend::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
             INSERT INTO wide SELECT i, hex(zeroblob(50)) FROM n"
        }
    };
    exec(&db, some).await?;
    let index = "CREATE INDEX ix ON wide (a)";
    let one = Migrator::new(&db, set(&[("1_index.sql", index)]))?;
    let tight = Options {
        free_disk: Some(10),
        ..Options::default()
    };
    let found = one.preflight("head", &tight).await?;
    assert!(found.disk > 50_000, "{}", found.disk);
    assert_eq!(note(&found, "disk").0, Level::Stop);
    let found = one.preflight("head", &Options::default()).await?;
    assert_eq!(note(&found, "disk").0, Level::Info);

    let two = set(&[
        ("1_a.sql", "SELECT 1"),
        ("2_b.sql", "SELECT 1"),
        ("3_c.sql", "-- orm: parent=1\nSELECT 1"),
    ]);
    let found = Migrator::new(&db, two)?
        .preflight("head", &Options::default())
        .await?;
    assert_eq!(note(&found, "heads"), (Level::Stop, "there are several: 2, 3"));

    let lossy = set(&[("1_a.sql", "-- orm: loses=\"table wide\"\nDROP TABLE wide")]);
    let found = Migrator::new(&db, lossy)?
        .preflight("head", &Options::default())
        .await?;
    assert_eq!(note(&found, "acknowledgement").0, Level::Stop);
    assert!(
        note(&found, "acknowledgement")
            .1
            .starts_with("1_a loses table wide: agree with")
    );
    Ok(())
}

#[orm::test]
async fn a_transaction_that_is_open_for_long_is_told(db: Db) -> orm_migrate::Result<()> {
    if !is_postgres(&db) {
        return Ok(()); // a reader keeps no writer waiting, and the writer is one
    }
    let migrator = Migrator::new(&db, set(&[("1_a.sql", "CREATE TABLE a (id INTEGER)")]))?;
    let options = Options {
        long_transaction: std::time::Duration::from_millis(20),
        ..Options::default()
    };
    let tx = db.begin().await?;
    sql!("SELECT 1").exec(&tx).await?;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let found = migrator.preflight("head", &options).await?;
    assert_eq!(note(&found, "open-transactions").0, Level::Warning);
    assert!(found.may_run());
    tx.rollback().await?;
    Ok(())
}

/// Rules can be asked before every run.
#[orm::test]
async fn a_run_is_refused_for_what_the_rules_find(db: Db) -> orm_migrate::Result<()> {
    exec(&db, "CREATE TABLE users (id INTEGER PRIMARY KEY, age INTEGER)").await?;
    let drop = "ALTER TABLE users DROP COLUMN age";
    let strict = |text: &str| {
        let migrator = Migrator::new(&db, set(&[("1_a.sql", text)])).unwrap();
        migrator.lint(lint::Options::default())
    };
    let refused = strict(drop).up().await.unwrap_err();
    assert_eq!((refused.outcome(), refused.exit_code()), (Outcome::Refused, 4));
    assert!(
        refused
            .to_string()
            .contains("1_a: drop-column, statement 1 (line 1): drop column users.age"),
        "{refused}"
    );
    let allowed = format!("-- orm: allow=drop-column, why=\"nobody reads it\"\n{drop}");
    assert_eq!(strict(&allowed).up().await?.versions(), [1]);
    // what is applied is not looked at again
    assert_eq!(strict(&allowed).up().await?.outcome(), Outcome::UpToDate);
    Ok(())
}
