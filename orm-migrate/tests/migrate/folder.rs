//! Rules about a folder as a whole: order, ways back, snapshots, models.

use orm_migrate::docs::evolution::Evolution;
use orm_migrate::lint::{Folder, Options, against, folder};
use orm_migrate::schema::{Column, Name, Schema, Table};
use orm_migrate::{Backend, Migrations, snapshot};

use crate::support::set;

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
fn snap(schema: &Schema) -> String {
    snapshot::write(schema, "postgres")
}
fn look(migrations: &Migrations, models: Option<&Schema>) -> Folder {
    folder(migrations, models, Backend::Postgres, &Options::default()).unwrap()
}
/// `version rule about` of everything that was found.
fn rules(found: &Folder) -> Vec<String> {
    found
        .findings()
        .map(|(file, f)| match file {
            Some(file) => format!("{} {} {}", file.version, f.rule, f.about),
            None => format!("- {} {}", f.rule, f.about),
        })
        .collect()
}

#[test]
fn ways_back() {
    for (up, down, expected) in [
        ("SELECT 1", None, vec!["1 no-way-back 1_a"]),
        ("-- orm: irreversible=\"it is gone\"\nSELECT 1", None, vec![]),
        (
            "-- orm: kind=repeatable\nCREATE OR REPLACE VIEW v AS SELECT 1",
            None,
            vec![],
        ),
        ("SELECT 1", Some("SELECT 2"), vec![]),
        (
            "CREATE TABLE t (a bigint)",
            Some("DROP TABLE t"),
            vec!["1 lossy-way-back 1_a"],
        ),
        (
            "CREATE TABLE t (a bigint)",
            Some("-- orm: loses=\"the rows of t\"\nDROP TABLE t"),
            vec![],
        ),
        (
            "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood); CREATE INDEX i ON t (m)",
            Some("-- orm: loses=rows\nDROP TABLE t"),
            vec!["1 way-back-leaves 1_a"],
        ),
        (
            "CREATE EXTENSION IF NOT EXISTS citext; CREATE SCHEMA s",
            Some("DROP EXTENSION citext, pg_trgm; DROP SCHEMA s"),
            vec!["1 lossy-way-back 1_a"],
        ),
        // written anew, and not new
        (
            "CREATE TABLE t__new (a bigint); DROP TABLE t; ALTER TABLE t__new RENAME TO t",
            Some("SELECT 1"),
            vec![
                "1 drop-table statement 2 (line 1): drop table t",
                "1 contract-unmarked 1_a",
            ],
        ),
        ("CREATE TEMP TABLE t (a bigint)", Some("SELECT 1"), vec![]),
    ] {
        let mut files = vec![("1_a.up.sql", up)];
        files.extend(down.map(|text| ("1_a.down.sql", text)));
        assert_eq!(rules(&look(&set(&files), None)), expected, "{up}");
    }
    // what was dropped and named otherwise is said
    let found = look(
        &set(&[
            ("1_a.up.sql", "CREATE TYPE mood AS ENUM ('a')"),
            ("1_a.down.sql", "SELECT 1"),
        ]),
        None,
    );
    assert_eq!(
        found.files[0].findings[0].why,
        "type mood is created, and the way back leaves it"
    );
}

#[test]
fn order_and_chain() {
    let two = set(&[
        ("1_a.sql", "-- orm: irreversible=no\nSELECT 1"),
        ("2_b.sql", "-- orm: irreversible=no\nSELECT 1"),
        ("3_c.sql", "-- orm: irreversible=no, parent=1\nSELECT 1"),
    ]);
    let found = look(&two, None);
    assert_eq!(rules(&found), ["- several-heads the folder"]);
    assert_eq!(found.whole[0].instead[0], "a migration with `-- orm: parent=2+3`");
    assert!(found.stops() && found.exit_code() == 4);
    let lost = set(&[("2_b.sql", "-- orm: irreversible=no, parent=1\nSELECT 1")]);
    assert_eq!(rules(&look(&lost, None)), ["- broken-graph the folder"]);
    let chain = "1_a 0123456789abcdef 0123456789abcdef\n";
    let edited = set(&[
        ("1_a.sql", "-- orm: irreversible=no\nSELECT 1"),
        ("migrations.lock", chain),
    ]);
    assert_eq!(rules(&look(&edited, None)), ["- chain-differs the folder"]);
}

#[test]
fn the_old_program_and_the_snapshots() {
    let (both, one, three) = (
        snap(&users(&["id", "nick"])),
        snap(&users(&["id"])),
        snap(&users(&["id", "age"])),
    );
    let files = |second: &'static str, after: &str| {
        let texts = [
            (
                "1_a.sql",
                "-- orm: irreversible=no\nCREATE TABLE users (id text, nick text)",
            ),
            ("1_a.snap.json", both.as_str()),
            ("2_b.sql", second),
            ("2_b.snap.json", after),
        ];
        look(&Migrations::of(texts).unwrap(), None)
    };
    // what the statements show
    let found = files(
        "-- orm: irreversible=no\nALTER TABLE users DROP COLUMN nick",
        &one,
    );
    assert_eq!(
        rules(&found),
        [
            "2 drop-column statement 1 (line 2): drop column users.nick",
            "2 contract-unmarked 2_b"
        ]
    );
    assert!(found.files[0].old_program_works && !found.files[1].old_program_works);
    // what they hide
    let hidden = "-- orm: irreversible=no, phase=contract\nDO $$ BEGIN EXECUTE 'drop'; END $$";
    let found = files(hidden, &one);
    assert_eq!(
        rules(&found),
        [
            "2 not-looked-into statement 1 (line 2): do",
            "2 old-program-fails drop column users.nick"
        ]
    );
    assert!(!found.files[1].old_program_works && !found.stops());
    let markdown = found.to_markdown();
    assert!(
        markdown.contains("## 2_b\n\nThe program of before does **not** work after it."),
        "{markdown}"
    );
    // an agreement counts
    let agreed = "-- orm: irreversible=no\n-- orm: allow=drop-column, why=\"nobody reads it\"\nALTER TABLE users DROP COLUMN nick";
    assert!(files(agreed, &one).files[1].old_program_works);
    // nobody is asked about a rename that has happened
    let found = files(
        "-- orm: irreversible=no\nALTER TABLE users RENAME nick TO age",
        &three,
    );
    assert!(!found.files[1].old_program_works);
    // one without a snapshot among others that have one
    let found = look(
        &Migrations::of([
            ("1_a.sql", "-- orm: irreversible=no\nCREATE TABLE users (id text)"),
            ("1_a.snap.json", one.as_str()),
            (
                "2_b.sql",
                "-- orm: irreversible=no\nALTER TABLE users ADD nick text",
            ),
            (
                "3_c.sql",
                "-- orm: irreversible=no\nUPDATE users SET nick = id WHERE id > ''",
            ),
        ])
        .unwrap(),
        None,
    );
    assert_eq!(rules(&found), ["2 snapshot-missing 2_b"]);
}

#[test]
fn the_models() {
    let (both, one) = (snap(&users(&["id", "nick"])), snap(&users(&["id"])));
    let migrations = Migrations::of([
        ("1_a.sql", "-- orm: irreversible=no\nCREATE TABLE users (id text, nick text)"),
        ("1_a.snap.json", both.as_str()),
        (
            "2_b.sql",
            "-- orm: irreversible=no, phase=contract\n-- orm: allow=drop-column, why=x\nALTER TABLE users DROP nick",
        ),
        ("2_b.snap.json", one.as_str()),
    ])
    .unwrap();
    let about = |models: &[&str]| {
        let found = look(&migrations, Some(&users(models)));
        found
            .whole
            .iter()
            .map(|f| format!("{} {}", f.rule, f.about))
            .collect::<Vec<_>>()
    };
    assert_eq!(about(&["id"]), Vec::<String>::new());
    assert_eq!(about(&["id", "age"]), ["model-not-migrated add column users.age"]);
    assert_eq!(
        about(&["id", "nick"]),
        ["dropped-still-in-models add column users.nick"]
    );
    let found = look(&migrations, Some(&users(&["id", "nick"])));
    assert!(found.whole[0].why.starts_with("2_b has dropped it"), "{found:?}");
    assert!(found.whole[0].breaks_old_program && found.stops());
    // allowed for a whole program, and everything up to a version left as it is
    let options = Options {
        allow: vec![("dropped-still-in-models:users.nick".into(), "next week".into())],
        after: Some(2),
        ..Options::default()
    };
    let found = folder(
        &migrations,
        Some(&users(&["id", "nick"])),
        Backend::Postgres,
        &options,
    )
    .unwrap();
    assert!(found.files.is_empty() && !found.stops());
    assert!(found.to_json().unwrap().contains("\"allowed\": \"next week\""));
}

#[test]
fn beside_the_branch_they_are_merged_into() {
    let theirs = set(&[("1_a.sql", "SELECT 1"), ("3_c.sql", "SELECT 3")]);
    let rules = |ours: &[(&str, &str)]| {
        let found = against(&theirs, &set(ours), Backend::Sqlite, &Options::default()).unwrap();
        found
            .iter()
            .map(|f| format!("{} {}", f.rule, f.about))
            .collect::<Vec<_>>()
    };
    let (first, third) = (("1_a.sql", "SELECT  1;"), ("3_c.sql", "SELECT 3"));
    assert_eq!(
        rules(&[first, third, ("4_d.sql", "SELECT 4")]),
        Vec::<String>::new()
    );
    assert_eq!(
        rules(&[first, ("2_b.sql", "SELECT 4")]),
        ["gone 3_c", "out-of-order 2_b"]
    );
    assert_eq!(rules(&[("1_a.sql", "SELECT 2"), third]), ["edited 1_a"]);
    // one that says where it stands is merged by another that names both
    let merged = ("2_b.sql", "-- orm: parent=1\nSELECT 4");
    assert_eq!(rules(&[first, merged, third]), Vec::<String>::new());
}

/// The life of tables and columns, under all their names.
#[test]
fn how_a_schema_came_about() {
    let renamed = |name: &str, columns: &[&str]| {
        let mut schema = users(columns);
        schema.tables[0].name = Name::new(name);
        snap(&schema)
    };
    let nothing = snap(&Schema::default());
    let texts = [
        (
            "1_users.sql",
            "CREATE TABLE users (id text, nick text)".to_owned(),
        ),
        ("1_users.snap.json", renamed("users", &["id", "nick"])),
        (
            "2_rows.sql",
            "-- orm: kind=data\nINSERT INTO users VALUES ('a', 'b')".to_owned(),
        ),
        (
            "3_names.sql",
            "ALTER TABLE users ADD age text; ALTER TABLE users RENAME COLUMN nick TO name".to_owned(),
        ),
        ("3_names.snap.json", renamed("users", &["id", "name", "age"])),
        ("4_by_hand.sql", "SELECT 1".to_owned()),
        (
            "5_members.sql",
            "-- orm: why=\"they pay now\"\nALTER TABLE users RENAME TO members".to_owned(),
        ),
        ("5_members.snap.json", renamed("members", &["id", "name", "age"])),
        ("6_gone.sql", "DROP TABLE members".to_owned()),
        ("6_gone.snap.json", nothing),
        ("7_again.sql", "CREATE TABLE members (id text)".to_owned()),
        ("7_again.snap.json", renamed("members", &["id"])),
    ];
    let migrations = Migrations::of(texts.iter().map(|(file, text)| (*file, text.as_str()))).unwrap();
    let all = Evolution::of(&migrations, Backend::Postgres).unwrap();
    assert_eq!(all.without_snapshot, ["4_by_hand"]);
    assert_eq!(all.tables.len(), 2);
    let now = all.table("members").unwrap();
    assert_eq!((now.gone, now.events.len(), now.former.len()), (false, 1, 0));
    let old = all.tables.iter().find(|t| t.gone).unwrap();
    assert_eq!(old.former, ["users"]);
    let said = |column: &str| {
        let found = old.column(column).into_iter();
        found
            .map(|e| format!("{} {}", e.version, e.what))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said("name"),
        [
            "1 create table users",
            "3 rename column users.nick to name",
            "6 drop table members"
        ]
    );
    assert_eq!(said("age"), ["3 add column users.age", "6 drop table members"]);
    assert_eq!(said("lost"), Vec::<String>::new());
    let markdown = all.to_markdown();
    for part in [
        "## members (gone)\n\nFormerly users.\n\n- 1_users\n  - create table users\n- 3_names\n",
        "- 5_members: they pay now\n  - rename table users to members\n",
        "stands with the next: 4_by_hand.",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    assert!(all.to_json().unwrap().contains("\"renamed_from\": \"nick\""));
}
