//! Rows against constraints, before the constraints are there.

use orm::prelude::*;
use orm_migrate::Backend;
use orm_migrate::change::Change;
use orm_migrate::data::{Options, check, check_changes};
use orm_migrate::diff::{Diff, Renames, diff};
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Check, Column, ForeignKey, Index, IndexPart, Key, Name, Schema, Unique};

use crate::support::{exec, is_postgres};

async fn found(db: &Db, changes: &[Change]) -> Vec<String> {
    let found = check_changes(db, changes, &Options::default()).await.unwrap();
    found.iter().map(|f| f.to_string()).collect()
}

fn changes(from: &Schema, to: &Schema, renames: &Renames) -> Vec<Change> {
    match diff(from, to, renames) {
        Diff::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

async fn people(db: &Db) -> Schema {
    for statement in [
        "CREATE TABLE teams (id INTEGER NOT NULL, code INTEGER)",
        "INSERT INTO teams VALUES (1, 1), (2, 1), (2, NULL)",
        "CREATE TABLE people (id INTEGER NOT NULL, team_id INTEGER, email VARCHAR(50), age INTEGER)",
        "INSERT INTO people VALUES (1, 1, 'a@b', 5), (2, 3, 'A@B', -1), (3, 4, 'a@b', NULL), (4, NULL, NULL, 7)",
    ] {
        exec(db, statement).await.unwrap();
    }
    let mut schema = introspect(db).await.unwrap();
    schema.grants.clear();
    schema
}

#[orm::test]
async fn what_will_fail_is_counted(db: Db) -> orm::Result<()> {
    let before = people(&db).await;
    let mut after = before.clone();
    let [people, teams] = after.tables.as_mut_slice() else {
        panic!()
    };
    teams.primary_key = Some(Key {
        name: Some("pk_teams".into()),
        columns: vec!["id".into()],
        ..Key::default()
    });
    let part = |key: &str, expression| IndexPart {
        key: key.into(),
        expression,
        ..IndexPart::default()
    };
    people.indexes.push(Index {
        name: "uq_lower".into(),
        unique: true,
        parts: vec![part("lower(email)", true)],
        filter: Some("id < 3".into()),
        ..Index::default()
    });
    people.uniques.push(Unique {
        name: Some("uq_email".into()),
        columns: vec!["email".into()],
        ..Unique::default()
    });
    people.checks.push(Check {
        name: Some("ck_age".into()),
        condition: "age > 0".into(),
        ..Check::default()
    });
    people.foreign_keys.push(ForeignKey {
        name: Some("fk_team".into()),
        columns: vec!["team_id".into()],
        target: Name::new("teams"),
        target_columns: vec!["id".into()],
        ..ForeignKey::default()
    });
    people.columns[3].nullable = false;
    people.columns.push(Column {
        name: "must".into(),
        ty: "text".into(),
        ..Column::default()
    });
    let mut said = found(&db, &changes(&before, &after, &Renames::default())).await;
    said.sort();
    assert_eq!(
        said,
        [
            "check ck_age of people: 1 row is against its condition",
            "foreign key fk_team of people: 2 rows are without the row they refer to",
            "not null of people.age: 1 row is NULL there",
            "primary key pk_teams of teams: 2 rows are equal to another",
            "required column people.must: 4 rows are there, and none has a value for it",
            "unique index uq_lower of people: 2 rows are equal to another",
            "unique uq_email of people: 2 rows are equal to another",
        ]
    );
    // the same, asked of everything that is declared
    let all = check(&db, &after, &Options::default()).await?;
    let broken: Vec<&str> = all
        .iter()
        .filter(|f| f.is_broken())
        .map(|f| f.about.as_str())
        .collect();
    assert_eq!(
        broken,
        [
            "not null of people.age",
            "unique uq_email of people",
            "check ck_age of people",
            "foreign key fk_team of people",
            "unique index uq_lower of people",
            "primary key pk_teams of teams",
        ]
    );
    let only = Options {
        tables: vec![Name::new("teams")],
        ..Options::default()
    };
    assert!(
        check(&db, &after, &only)
            .await?
            .iter()
            .all(|f| f.table == "teams")
    );
    assert!(serde_json::to_string(&all).unwrap().contains("\"rows\":2"));
    Ok(())
}

#[orm::test]
async fn names_are_those_of_now(db: Db) -> orm::Result<()> {
    let before = people(&db).await;
    let mut after = before.clone();
    after.tables[0].name = Name::new("members");
    let members = &mut after.tables[0];
    members.columns[3].name = "years".into();
    members.columns[3].nullable = false;
    members.checks.push(Check {
        name: Some("ck".into()),
        condition: "years > 0".into(),
        ..Check::default()
    });
    let renames = Renames {
        tables: vec![(Name::new("people"), Name::new("members"))],
        columns: vec![(Name::new("members"), "age".into(), "years".into())],
        ..Renames::default()
    };
    let mut said = found(&db, &changes(&before, &after, &renames)).await;
    said.sort();
    assert_eq!(
        said,
        [
            "check ck of people: 1 row is against its condition",
            "not null of people.age: 1 row is NULL there"
        ]
    );
    // a table that is new has no rows, and a question that cannot be asked says so
    let mut new = before.clone();
    new.tables[1].checks.push(Check {
        name: Some("ck".into()),
        condition: "lost > 0".into(),
        ..Check::default()
    });
    new.tables.push(orm_migrate::schema::Table {
        name: Name::new("zebras"),
        columns: vec![Column {
            name: "id".into(),
            ty: "INTEGER".into(),
            ..Column::default()
        }],
        ..Default::default()
    });
    let found = check_changes(
        &db,
        &changes(&before, &new, &Renames::default()),
        &Options::default(),
    )
    .await?;
    assert_eq!(found.len(), 1);
    assert!(found[0].rows.is_none() && found[0].unknown.is_some(), "{found:?}");
    Ok(())
}

#[orm::test]
async fn smaller_types_and_labels_that_go(db: Db) -> orm::Result<()> {
    if !is_postgres(&db) {
        return Ok(()); // its types have no bounds, and its labels are checks
    }
    for statement in [
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE t (a bigint, b text, m mood)",
        "INSERT INTO t VALUES (70000, 'long', 'bad'), (1, 'a', 'good'), (NULL, NULL, NULL)",
    ] {
        exec(&db, statement).await?;
    }
    let mut before = introspect(&db).await?;
    before.grants.clear();
    let mut after = before.clone();
    after.enums[0].labels = vec!["good".into()];
    after.tables[0].columns[0].ty = "smallint".into();
    after.tables[0].columns[1].ty = "character varying(3)".into();
    let said = found(&db, &changes(&before, &after, &Renames::default())).await;
    assert_eq!(
        said,
        [
            "labels of t.m: 1 row is under a label that goes",
            "type smallint of t.a: 1 row is out of its range",
            "type character varying(3) of t.b: 1 row is too long for it",
        ]
    );
    assert_eq!(Backend::of(&db)?, Backend::Postgres);
    // one that takes too long is given up
    exec(&db, "CREATE VIEW slow AS SELECT pg_sleep(5)::text AS a").await?;
    let mut slow = before.clone();
    slow.tables[0].checks.push(Check {
        name: Some("ck".into()),
        condition: "(SELECT count(*) FROM slow) > 0".into(),
        ..Check::default()
    });
    let options = Options {
        timeout: std::time::Duration::from_millis(50),
        ..Options::default()
    };
    let found = check_changes(&db, &changes(&before, &slow, &Renames::default()), &options).await?;
    assert_eq!(
        found[0].to_string(),
        "check ck of t: not looked at, it takes too long"
    );
    Ok(())
}
