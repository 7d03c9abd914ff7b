//! The safe forms beside a reader that holds the table, and a program that goes on inserting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use orm::prelude::*;
use orm_migrate::diff::Renames;
use orm_migrate::introspect::introspect;
use orm_migrate::lint::{Options, lint_sql, safe};
use orm_migrate::plan::plan;
use orm_migrate::schema::{Check, ForeignKey, Index, IndexPart, Name, Schema, Unique};
use orm_migrate::{Backend, Limits, Migrator};
use tokio::sync::oneshot;

use crate::support::{exec, is_postgres, set};

/// How long the reader keeps its transaction open.
const READER: Duration = Duration::from_millis(1500);

/// An index, a foreign key, a check, NOT NULL and a unique constraint on `members`.
fn wanted(from: &Schema) -> Schema {
    let mut to = from.clone();
    let members = to.tables.iter_mut().find(|t| t.name.name == "members").unwrap();
    for column in &mut members.columns {
        column.nullable &= column.name != "name";
    }
    members.indexes.push(Index {
        name: "ix_members_team".into(),
        parts: vec![IndexPart {
            key: "team_id".into(),
            ..IndexPart::default()
        }],
        ..Index::default()
    });
    members.foreign_keys.push(ForeignKey {
        name: Some("fk_members_team".into()),
        columns: vec!["team_id".into()],
        target: Name::new("teams"),
        target_columns: vec!["id".into()],
        ..ForeignKey::default()
    });
    members.checks.push(Check {
        name: Some("ck_members_id".into()),
        condition: "id > 0".into(),
        ..Check::default()
    });
    members.uniques.push(Unique {
        name: Some("uq_members_name".into()),
        columns: vec!["name".into()],
        ..Unique::default()
    });
    to.normalize();
    to
}

/// Runs it beside a reader and a writer; the longest time that an insert took, and how many there were.
async fn longest_wait(db: &Db, work: impl Future<Output = ()>) -> (Duration, usize) {
    let (ready, held) = oneshot::channel();
    let reader = tokio::spawn({
        let db = db.clone();
        async move {
            let tx = db.begin().await.unwrap();
            sql!("LOCK TABLE members IN ACCESS SHARE MODE")
                .exec(&tx)
                .await
                .unwrap();
            ready.send(()).unwrap();
            tokio::time::sleep(READER).await;
            tx.commit().await.unwrap();
        }
    });
    held.await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (db, stop) = (db.clone(), stop.clone());
        async move {
            let (mut longest, mut count) = (Duration::ZERO, 0);
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                exec(
                    &db,
                    "INSERT INTO members (name, team_id) VALUES (gen_random_uuid()::text, 1)",
                )
                .await
                .unwrap();
                longest = longest.max(began.elapsed());
                count += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            (longest, count)
        }
    });
    work.await;
    reader.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap()
}

async fn shape(db: &Db) -> Schema {
    let mut schema = introspect(db).await.unwrap();
    schema.grants.clear();
    schema
}

#[orm::test]
async fn safe_forms_keep_nobody_waiting(db: Db) -> orm_migrate::Result<()> {
    if !is_postgres(&db) {
        return Ok(()); // one writes at a time, and there is no other form
    }
    for statement in [
        "CREATE TABLE teams (id bigint PRIMARY KEY)",
        "INSERT INTO teams VALUES (1)",
        "CREATE TABLE members (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, team_id bigint)",
        "INSERT INTO members (name, team_id) SELECT i::text, 1 FROM generate_series(1, 1000) i",
    ] {
        exec(&db, statement).await?;
    }
    let before = shape(&db).await;
    let plan = plan(&before, &wanted(&before), &Renames::default(), Backend::Postgres)?.decided()?;

    // as somebody would type it
    let (direct, _) = longest_wait(&db, async {
        for statement in plan.up.statements() {
            exec(&db, statement).await.unwrap();
        }
    })
    .await;
    let expected = shape(&db).await;
    for statement in plan.down.statements() {
        exec(&db, statement).await?;
    }
    assert_eq!(shape(&db).await, before);

    let script = safe(&plan, Backend::Postgres).up.to_sql();
    let findings = lint_sql(&script, Backend::Postgres, &Options::default())?;
    assert!(!findings.iter().any(|f| f.stops()), "{findings:#?}");
    let migrator = Migrator::new(&db, set(&[("1_members.sql", &script)]))?.limits(Limits {
        lock: Duration::from_millis(50),
        pause: Duration::from_millis(50),
        retries: 100,
        ..Limits::default()
    });
    let (careful, count) = longest_wait(&db, async {
        migrator.up().await.unwrap();
    })
    .await;
    assert_eq!(shape(&db).await, expected);

    // the direct form makes writers wait for the reader; the bound is generous for busy machines
    assert!(
        direct > READER / 2,
        "the direct form kept a writer waiting for {direct:?}"
    );
    assert!(
        careful < READER / 2,
        "the safe form kept a writer waiting for {careful:?}"
    );
    assert!(count > 10, "the writer wrote {count} rows");
    Ok(())
}
