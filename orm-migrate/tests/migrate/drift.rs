//! What somebody changed by hand, and how both sides come together again.

use orm::prelude::*;
use orm_migrate::diff::Renames;
use orm_migrate::drift::{Drift, Options, drift, in_words_of};
use orm_migrate::generate::{Generated, generate};
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Function, Name, Schema, View};
use orm_migrate::{Backend, Draft, Migrations, Migrator, Outcome};

use crate::introspect::models::{models, with_arrays};
use crate::support::{exec, is_postgres, set, texts};

fn everything(db: &Db) -> orm::schema::Schema {
    if is_postgres(db) { with_arrays() } else { models() }
}

fn draft(wanted: &Schema, db: &Db) -> Draft {
    let backend = Backend::of(db).unwrap();
    let none = Migrations::of([]).unwrap();
    match generate("first", &none, wanted, &Renames::default(), backend).unwrap() {
        Generated::Draft(made) => made.0,
        other => panic!("{other:?}"),
    }
}

/// The database as one migration of all models leaves it, and its migrator.
async fn migrated(db: &Db) -> Migrator {
    let wanted = Schema::of_models(&everything(db), db.dialect()).unwrap();
    let made = draft(&wanted, db);
    let up = made.header.write() + &made.up;
    let migrations = set(&[
        ("1_first.up.sql", &up),
        ("1_first.down.sql", made.down.as_deref().unwrap()),
        ("1_first.snap.json", made.snapshot.as_deref().unwrap()),
    ]);
    let migrator = Migrator::new(db, migrations).unwrap();
    migrator.up().await.unwrap();
    migrator
}

fn said(found: &Drift) -> Vec<String> {
    found.by_hand.iter().map(|c| c.describe()).collect()
}

#[orm::test]
async fn what_migrations_made_has_not_drifted(db: Db) -> orm_migrate::Result<()> {
    let migrator = migrated(&db).await;
    let models = Schema::of_models(&everything(&db), db.dialect())?;
    let found = migrator.drift(Some(&models), &Options::default()).await?;
    assert_eq!(said(&found), Vec::<String>::new());
    assert_eq!(found.unknown, vec![]);
    assert_eq!(found.models, vec![]);
    assert_eq!(found.as_written, Vec::<String>::new());
    assert_eq!((found.outcome(), found.exit_code()), (Outcome::UpToDate, 0));
    assert!(
        found
            .to_markdown()
            .contains("Nobody has changed anything by hand.")
    );
    if is_postgres(&db) {
        let left = texts(
            &db,
            "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'orm_scratch%'",
        )
        .await;
        assert_eq!(left, Vec::<String>::new());
    }
    Ok(())
}

#[orm::test]
async fn what_was_done_by_hand_is_found_undone_and_adopted(db: Db) -> orm_migrate::Result<()> {
    let migrator = migrated(&db).await;
    let before = introspect(&db).await?;
    for statement in [
        "ALTER TABLE hens ADD COLUMN nick TEXT DEFAULT 'x'",
        "DROP INDEX ix_hens_egg_id",
        "CREATE INDEX by_hand ON eggs (hen_id, id)",
        "CREATE TABLE notebooks (id INTEGER PRIMARY KEY)",
    ] {
        exec(&db, statement).await?;
    }
    let found = migrator.drift(None, &Options::default()).await?;
    assert_eq!(
        said(&found),
        [
            "drop index ix_hens_egg_id of hens",
            "add column hens.nick",
            "create index by_hand on eggs"
        ]
    );
    assert_eq!(found.unknown.len(), 1);
    assert_eq!(found.unknown[0].describe(), "create table notebooks");
    assert_eq!(found.exit_code(), 3);
    let markdown = found.to_markdown();
    for line in [
        "## Done by hand",
        "- add column hens.nick",
        "## Not known to any migration",
        "- create table notebooks",
        "## To undo what was done by hand",
        "    DROP INDEX \"by_hand\";",
    ] {
        assert!(markdown.contains(line), "{line}\n{markdown}");
    }
    assert!(found.to_json()?.contains("\"exit_code\": 3"));
    assert!(found.to_json()?.contains("\"loses\": null"));

    // left out by name, or all that is not ours
    let options = Options {
        leave_out: vec!["note*".into(), "orm_migration*".into()],
        ..Options::default()
    };
    assert_eq!(migrator.drift(None, &options).await?.unknown, vec![]);
    let options = Options {
        unknown_counts: false,
        ..Options::default()
    };

    // back: what nobody knows stays
    let (restore, adopt) = (found.restore, found.adopt);
    for statement in restore.statements() {
        exec(&db, statement).await?;
    }
    let found = migrator.drift(None, &options).await?;
    assert_eq!((said(&found), found.exit_code()), (vec![], 0));
    assert_eq!(found.unknown.len(), 1);
    exec(&db, "DROP TABLE notebooks").await?;
    assert_eq!(introspect(&db).await?, before);

    // and again, elsewhere
    for statement in adopt.statements() {
        exec(&db, statement).await?;
    }
    let found = migrator.drift(None, &Options::default()).await?;
    assert_eq!(said(&found).len(), 3);
    assert_eq!(found.unknown.len(), 1);
    Ok(())
}

#[orm::test]
async fn models_are_ahead_or_behind(db: Db) -> orm_migrate::Result<()> {
    let migrator = migrated(&db).await;
    let mut models = Schema::of_models(&everything(&db), db.dialect())?;
    let hens = models.tables.iter_mut().find(|t| t.name.name == "hens").unwrap();
    hens.columns.retain(|c| c.name != "egg_id");
    hens.indexes.clear();
    hens.foreign_keys.clear();
    let found = migrator.drift(Some(&models), &Options::default()).await?;
    assert!(found.is_clean());
    assert_eq!((found.outcome(), found.exit_code()), (Outcome::Pending, 2));
    let words: Vec<String> = found.models.iter().map(|c| c.describe()).collect();
    assert!(words.contains(&"drop column hens.egg_id".to_owned()), "{words:?}");
    // a table that neither knows is nobody's to drop
    exec(&db, "CREATE TABLE foreign_one (id INTEGER PRIMARY KEY)").await?;
    let again = migrator.drift(Some(&models), &Options::default()).await?;
    assert_eq!(again.models.len(), found.models.len());
    Ok(())
}

#[orm::test]
async fn a_migration_without_a_snapshot_is_named(db: Db) -> orm_migrate::Result<()> {
    let hand = ("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY)");
    let data = ("2_rows.sql", "-- orm: kind=data\nINSERT INTO users VALUES (1)");
    let migrator = Migrator::new(&db, set(&[hand, data]))?;
    migrator.up().await?;
    let found = migrator.drift(None, &Options::default()).await?;
    assert_eq!(found.without_snapshot, ["1_users"]);
    assert_eq!(found.unknown[0].describe(), "create table users");
    Ok(())
}

/// Texts that people write are compared as the database says them.
#[orm::test]
async fn texts_are_compared_in_the_words_of_the_database(db: Db) -> orm::Result<()> {
    if !is_postgres(&db) {
        exec(
            &db,
            "CREATE TABLE t (a INTEGER CHECK ( a>0 ), b TEXT DEFAULT ( 'x  y' ))",
        )
        .await?;
        let mut last = introspect(&db).await?;
        last.tables[0].checks[0].condition = "a > 0 -- positive".into();
        assert!(drift(&db, &last, None, &Options::default()).await?.is_clean());
        last.tables[0].checks[0].condition = "a > 1".into();
        assert!(!drift(&db, &last, None, &Options::default()).await?.is_clean());
        return Ok(());
    }
    for statement in [
        "CREATE SCHEMA \"Odd s\"",
        "CREATE TYPE \"Odd s\".mood AS ENUM ('a', 'b')",
        "CREATE TABLE \"Odd s\".t (a integer DEFAULT 1 + 2 CHECK (a > 0 AND a < 10), m \"Odd s\".mood DEFAULT 'a', n text)",
        "CREATE INDEX i ON \"Odd s\".t (lower(n)) WHERE a IN (1, 2)",
        "CREATE VIEW v AS SELECT a, upper('x') AS x FROM \"Odd s\".t WHERE a = 1",
        "CREATE FUNCTION f(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n + 1'",
    ] {
        exec(&db, statement).await?;
    }
    let live = introspect(&db).await?;
    let mut last = live.clone();
    last.grants.clear();
    let t = last.tables.iter_mut().find(|t| t.name.name == "t").unwrap();
    t.checks[0].condition = "a>0 and a<10".into();
    t.indexes[0].filter = Some("a in (1,2)".into());
    t.indexes[0].parts[0].key = "LOWER(CAST(n AS text))".into();
    last.views = vec![View {
        name: Name::new("v"),
        query: "select a, upper('x') as x from \"Odd s\".t where a=1".into(),
        ..View::default()
    }];
    let (printed, as_written) = in_words_of(&db, &last).await?;
    assert_eq!(as_written, Vec::<String>::new());
    assert_eq!(printed.tables, live.tables);
    assert_eq!(printed.views, live.views);
    assert!(drift(&db, &last, None, &Options::default()).await?.is_clean());

    // what cannot be created there is compared as it is written, and said
    last.functions.push(Function {
        name: Name::new("lost"),
        definition: "CREATE OR REPLACE FUNCTION lost() RETURNS nothing_known LANGUAGE sql AS ''".into(),
        ..Function::default()
    });
    let found = drift(&db, &last, None, &Options::default()).await?;
    assert_eq!(found.as_written, ["create function lost()"]);
    assert_eq!(said(&found), ["drop function lost()"]);
    Ok(())
}
