//! Many migrations as one, on databases that have some of them, all, or none; migrations in another place.

use std::path::{Path, PathBuf};

use orm::prelude::*;
use orm_migrate::lint::{Options, folder};
use orm_migrate::schema::{Column, Name, Schema, Table};
use orm_migrate::squash::{drop_replaced, merge_heads, rebase, squash};
use orm_migrate::{Backend, Draft, Migrations, Migrator, Outcome, introspect::introspect, snapshot};

use crate::support::{backend, history, tables};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, backend: Backend) -> Self {
        let unique = format!("orm-squash-{}-{name}-{backend}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn put(&self, file: &str, text: &str) {
        std::fs::write(self.0.join(file), text).unwrap();
    }
    fn migrator(&self, db: &Db) -> Migrator {
        Migrator::new(db, Migrations::read(&self.0).unwrap()).unwrap()
    }
    fn names(&self) -> Vec<String> {
        let found = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = found
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Four migrations, of which the first three become one.
fn four(folder: &Folder, backend: Backend) {
    for (file, up, down) in [
        (
            "10_a",
            "CREATE TABLE a (id INTEGER PRIMARY KEY);",
            "DROP TABLE a;",
        ),
        (
            "20_b",
            "-- orm: why=\"b is needed\"\n-- no-transaction\nCREATE TABLE b (id INTEGER PRIMARY KEY);\nINSERT INTO b VALUES (1)",
            "DROP TABLE b;",
        ),
        (
            "30_c",
            "-- orm: allow=prefer-bigint, why=small\nCREATE TABLE c (id INTEGER PRIMARY KEY);",
            "DROP TABLE c;",
        ),
        (
            "40_d",
            "CREATE TABLE d (id INTEGER PRIMARY KEY);",
            "DROP TABLE d;",
        ),
    ] {
        folder.put(&format!("{file}.up.sql"), up);
        folder.put(&format!("{file}.down.sql"), down);
    }
    Migrations::read(&folder.0)
        .unwrap()
        .write_chain(&folder.0, backend)
        .unwrap();
}

fn squashed(folder: &Folder, backend: Backend) {
    let migrations = Migrations::read(&folder.0).unwrap();
    let one = squash(&migrations, 10, 30, "first three", &[], backend).unwrap();
    let written = one.write(&folder.0, backend).unwrap();
    assert!(written[0].ends_with("31_first_three.up.sql"), "{written:?}");
}

#[orm::test]
async fn a_new_database_runs_the_one_alone(db: Db) -> orm_migrate::Result<()> {
    let backend = backend(&db);
    let files = Folder::new("new", backend);
    four(&files, backend);
    // what the four make
    files.migrator(&db).up().await?;
    let expected = introspect(&db).await?;
    files.migrator(&db).down("base").await?;
    files.migrator(&db).stamp("base", true).await?;

    squashed(&files, backend);
    let migrator = files.migrator(&db);
    assert_eq!(migrator.check().await?.pending, [31, 40]);
    assert_eq!(migrator.up().await?.versions(), [31, 40]);
    assert_eq!(introspect(&db).await?, expected);
    assert_eq!(migrator.check().await?.exit_code(), 0);
    assert_eq!(migrator.current().await?, [40]);
    assert_eq!(migrator.up().await?.outcome(), Outcome::UpToDate);
    let found = folder(migrator.migrations(), None, backend, &Options::default())?;
    assert!(!found.whole.iter().any(|f| f.stops()), "{found:?}");
    // to the middle of it there is no way, to its front there is
    let refused = migrator.down("20").await.unwrap_err();
    assert!(
        refused.to_string().contains("20 was applied as a part of 31"),
        "{refused}"
    );
    assert_eq!(migrator.down("base").await?.versions(), [40, 31]);
    assert_eq!(tables(&db).await, Vec::<String>::new());
    // a script for people does the same
    let script = migrator.script("base", "head")?;
    assert!(
        script.contains("-- 31_first_three\n") && !script.contains("-- 20_b (back)"),
        "{script}"
    );
    assert_eq!(script.matches("CREATE TABLE a").count(), 1);
    assert_eq!(migrator.stamp("head", false).await?.versions(), [31, 40]);
    Ok(())
}

#[orm::test]
async fn a_database_that_has_some_goes_on_with_those(db: Db) -> orm_migrate::Result<()> {
    let backend = backend(&db);
    let files = Folder::new("some", backend);
    four(&files, backend);
    for (before, expected) in [
        ("10", &[20, 30, 40][..]),
        ("20", &[30, 40]),
        ("30", &[40]),
        ("40", &[]),
    ] {
        files.migrator(&db).up_to(before).await?;
        squashed(&files, backend);
        let migrator = files.migrator(&db);
        assert_eq!(migrator.check().await?.pending, expected, "{before}");
        assert_eq!(migrator.plan("head").await?.len(), expected.len());
        assert_eq!(migrator.up().await?.versions(), expected);
        assert_eq!(tables(&db).await, ["a", "b", "c", "d"]);
        assert_eq!(migrator.check().await?.exit_code(), 0);
        // and back the way it came
        assert_eq!(migrator.down("base").await?.versions(), [40, 30, 20, 10]);
        migrator.stamp("base", true).await?;
        for file in files.names().iter().filter(|f| f.starts_with("31_")) {
            std::fs::remove_file(files.0.join(file)).unwrap();
        }
        Migrations::read(&files.0)?.write_chain(&files.0, backend)?;
    }
    Ok(())
}

#[orm::test]
async fn the_old_files_go_when_nobody_needs_them(db: Db) -> orm_migrate::Result<()> {
    let backend = backend(&db);
    let files = Folder::new("gone", backend);
    four(&files, backend);
    files.migrator(&db).up_to("30").await?;
    squashed(&files, backend);
    assert_eq!(drop_replaced(&files.0, 31, backend)?.len(), 6);
    assert!(drop_replaced(&files.0, 40, backend).is_err());
    let migrator = files.migrator(&db);
    assert_eq!(migrator.check().await?.pending, [40]);
    assert_eq!(migrator.up().await?.versions(), [40]);
    assert_eq!(history(&db).await, ["31 done 0", "40 done 1"]);
    assert_eq!(migrator.check().await?.exit_code(), 0);
    assert_eq!(migrator.down("base").await?.versions(), [40, 31]);
    assert_eq!(tables(&db).await, Vec::<String>::new());

    // in the middle of what is gone there is no way on
    let middle = Folder::new("middle", backend);
    four(&middle, backend);
    migrator.stamp("base", true).await?;
    middle.migrator(&db).up_to("20").await?;
    let stuck = files.migrator(&db).up().await.unwrap_err();
    assert_eq!(stuck.outcome(), Outcome::Drift);
    assert!(
        stuck
            .to_string()
            .contains("applied, and gone from the files: 10_a, 20_b"),
        "{stuck}"
    );
    Ok(())
}

#[test]
fn what_can_be_one() {
    let files = Folder::new("pure", Backend::Sqlite);
    four(&files, Backend::Sqlite);
    let migrations = Migrations::read(&files.0).unwrap();
    let one = squash(&migrations, 10, 30, "x", &[], Backend::Sqlite).unwrap();
    assert_eq!(
        one.up,
        "-- 10_a\nCREATE TABLE a (id INTEGER PRIMARY KEY);\n-- orm: commit\n-- 20_b\nCREATE TABLE b (id INTEGER PRIMARY KEY);\n\
         -- orm: commit\nINSERT INTO b VALUES (1);\n-- orm: commit\n-- 30_c\n-- orm: allow=prefer-bigint, why=small\n\
         CREATE TABLE c (id INTEGER PRIMARY KEY);\n"
    );
    assert_eq!(
        one.down.as_deref(),
        Some("-- 30_c\nDROP TABLE c;\n-- 20_b\nDROP TABLE b;\n-- 10_a\nDROP TABLE a;\n")
    );
    assert_eq!(one.header.parents, Some(vec![]));
    let tail = squash(&migrations, 20, 40, "x", &[20], Backend::Sqlite).unwrap();
    assert_eq!(
        (tail.header.parents, tail.header.replaces),
        (Some(vec![10]), vec![20, 30, 40])
    );
    assert!(!tail.up.contains("CREATE TABLE b"));
    let branches = crate::support::set(&[
        ("1_a.sql", "SELECT 1"),
        ("2_b.sql", "SELECT 1"),
        ("3_c.sql", "-- orm: parent=1\nSELECT 1"),
        ("4_d.sql", "-- orm: parent=2\nSELECT 1"),
    ]);
    for (from, to, why) in [
        (1, 2, "3 follows 1, which would be gone"),
        (3, 2, "2 does not come behind 3"),
    ] {
        let e = squash(&branches, from, to, "x", &[], Backend::Sqlite).unwrap_err();
        assert!(e.message().contains(why), "{e}");
    }
}

fn users(columns: &[&str]) -> Schema {
    let column = |name: &&str| Column {
        name: name.to_string(),
        ty: "text".into(),
        nullable: true,
        ..Column::default()
    };
    Schema {
        tables: vec![Table {
            name: Name::new("users"),
            columns: columns.iter().map(column).collect(),
            ..Table::default()
        }],
        ..Schema::default()
    }
}

#[test]
fn a_migration_moves_behind_the_others() {
    let files = Folder::new("rebase", Backend::Sqlite);
    let snap = |columns: &[&str]| snapshot::write(&users(columns), "sqlite");
    files.put(
        "10_a.sql",
        "-- orm: irreversible=no\nCREATE TABLE users (id text);",
    );
    files.put("10_a.snap.json", &snap(&["id"]));
    files.put(
        "20_ours.up.sql",
        "-- orm: parent=10, why=x\nALTER TABLE users ADD nick text;",
    );
    files.put("20_ours.down.sql", "ALTER TABLE users DROP nick;");
    files.put("20_ours.snap.json", &snap(&["id", "nick"]));
    files.put(
        "30_theirs.sql",
        "-- orm: irreversible=no, parent=10\nALTER TABLE users ADD age text;",
    );
    files.put("30_theirs.snap.json", &snap(&["id", "age"]));
    let merged = merge_heads(&Migrations::read(&files.0).unwrap(), "merge", Backend::Sqlite).unwrap();
    let both = snapshot::read(merged.snapshot.as_deref().unwrap(), "sqlite").unwrap();
    assert_eq!(both.tables[0].columns.len(), 3);

    let version = rebase(&files.0, 20, Backend::Sqlite).unwrap();
    let names = files.names();
    assert!(!names.iter().any(|n| n.starts_with("20_")), "{names:?}");
    let moved = Migrations::read(&files.0).unwrap();
    moved.verify_chain(Backend::Sqlite).unwrap();
    let last = moved.iter().next_back().unwrap();
    assert_eq!((last.version, last.name.as_str()), (version, "ours"));
    assert_eq!(
        last.up().unwrap().text,
        "-- orm: why=x\nALTER TABLE users ADD nick text;"
    );
    assert!(last.down().is_some());
    assert_eq!(
        snapshot::read(last.snapshot.as_deref().unwrap(), "sqlite")
            .unwrap()
            .tables[0]
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        ["id", "nick", "age"]
    );
    assert!(merge_heads(&moved, "merge", Backend::Sqlite).is_err(), "one head");
    assert!(rebase(&files.0, 77, Backend::Sqlite).is_err());
    let named = Draft::new("x");
    assert!(named.version > 30);
}

#[test]
fn branches_that_say_different_things_are_told() {
    let changed = |ty: &str| {
        let mut schema = users(&["id"]);
        schema.tables[0].columns[0].ty = ty.into();
        schema
    };
    let e = snapshot::merge(&users(&["id"]), &changed("integer"), &changed("bigint")).unwrap_err();
    assert!(e.message().contains("the schema, tables, users, id, ty"), "{e}");
    // dropped here, changed there
    let e = snapshot::merge(&users(&["id"]), &Schema::default(), &changed("bigint")).unwrap_err();
    assert!(e.message().contains("users"), "{e}");
    let both = snapshot::merge(&users(&["id"]), &changed("bigint"), &changed("bigint")).unwrap();
    assert_eq!(both, changed("bigint"));
}
