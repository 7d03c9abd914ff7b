//! Ended at any point, a transfer is finished by the next run, and nothing is there twice.

use std::process::Command;

use orm::prelude::*;
use orm::testing::TestDb;
use orm_migrate::transfer::{Report, Transfer};

use crate::support::{Death, When, exec, mortal, tables, texts};
use crate::transfer::{legacy, whole};

/// Three tables, a circle of foreign keys, duplicates for the target, orphans; in pieces of four rows.
const FILE: &[&str] = &[
    "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b (id), x TEXT)",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id), ok BOOLEAN)",
    "CREATE TABLE c (k TEXT PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id))",
    "CREATE INDEX a_x ON a (x)",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11) INSERT INTO a SELECT i, i, 'x' || i FROM n",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) \
     INSERT INTO b SELECT i, i + (i > 5), CASE i WHEN 7 THEN 'what' ELSE i % 2 END FROM n",
    // 11 has no b, so that 10 of b has no a, and so on: all from 6 on go
    "INSERT INTO c SELECT 'k' || id, id FROM a UNION ALL SELECT 'k' || id || ' ', id FROM a WHERE id < 3",
];

fn transfer(old: &Db, new: &Db) -> Transfer {
    Transfer::new(old, new)
        .batch(4)
        .rule("c.k: text via trim".parse().unwrap())
}

async fn prepared() -> TestDb {
    legacy(FILE).await
}

async fn check(new: &Db, report: &Report, what: &str) {
    whole(report);
    let counts: Vec<_> = report
        .tables
        .iter()
        .map(|t| (t.source.as_str(), t.read, t.written, t.rejected))
        .collect();
    assert_eq!(
        counts,
        [("a", 11, 5, 6), ("b", 10, 5, 5), ("c", 13, 5, 8)],
        "{what}"
    );
    let rejects = "SELECT count(*)::text || ' ' || count(DISTINCT line) FROM orm_migration_transfer_rejects";
    assert_eq!(texts(new, rejects).await, ["19 19"], "{what}");
    let keys = "SELECT count(*)::text FROM pg_constraint WHERE contype = 'f' AND convalidated";
    assert_eq!(texts(new, keys).await, ["3"], "{what}");
    assert_eq!(
        texts(
            new,
            "SELECT indexname::text FROM pg_indexes WHERE indexname = 'a_x'"
        )
        .await,
        ["a_x"]
    );
}

async fn empty(new: &Db) {
    exec(new, "DROP SCHEMA public CASCADE").await.unwrap();
    exec(new, "CREATE SCHEMA public").await.unwrap();
}

#[orm::test(requires = |f| f.schemas)]
async fn dropped_at_every_call(new: TestDb) -> orm::Result<()> {
    let old = prepared().await;
    let death = Death::new(usize::MAX, When::Before, false);
    let report = transfer(&old, &mortal(&new, &death)).run().await?;
    let calls = death.calls();
    assert!(!report.resumed && calls > 150, "{calls}");
    check(&new, &report, "undisturbed").await;
    empty(&new).await;
    for at in 1..=calls {
        let when = [When::Before, When::Amid, When::After][at % 3];
        // the server takes its time to notice; a sample is enough
        if !at.is_multiple_of(4) {
            continue;
        }
        let death = Death::new(at, when, false);
        let dying = mortal(&new, &death);
        let first = transfer(&old, &dying);
        let died = tokio::select! {
            _ = first.run() => false,
            () = death.dead.notified() => true,
        };
        let what = format!("{when:?} call {at} of {calls}");
        assert!(died, "{what}");
        let report = transfer(&old, &new)
            .run()
            .await
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        check(&new, &report, &what).await;
        empty(&new).await;
    }
    Ok(())
}

/// Run by the test below in a process of its own. By itself it only makes sure that it was not asked.
#[tokio::test]
async fn what_a_child_process_does() {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(old) = variable("ORM_TRANSFER_FROM") else {
        assert_eq!(variable("ORM_TRANSFER_DIES"), None);
        return;
    };
    let old = Db::connect(&old).await.unwrap();
    let new = Db::connect(&variable("ORM_TRANSFER_INTO").unwrap())
        .await
        .unwrap();
    let at = variable("ORM_TRANSFER_DIES").unwrap().parse().unwrap();
    let death = Death::new(at, When::After, true);
    transfer(&old, &mortal(&new, &death)).run().await.unwrap();
}

#[orm::test(requires = |f| f.schemas, flavor = "multi_thread")]
async fn killed_with_its_process(new: TestDb) -> orm::Result<()> {
    let old = prepared().await;
    for at in [3, 40, 77, 110, 140] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "transfer::killed::what_a_child_process_does",
                "--nocapture",
            ])
            .env("ORM_TRANSFER_FROM", old.url())
            .env("ORM_TRANSFER_INTO", new.url())
            .env("ORM_TRANSFER_DIES", at.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let status = tokio::task::spawn_blocking(move || command.status())
            .await
            .unwrap()
            .unwrap();
        assert!(!status.success(), "it died");
        let report = transfer(&old, &new).run().await?;
        check(&new, &report, &format!("killed after call {at}")).await;
        empty(&new).await;
    }
    Ok(())
}

/// What cannot be gone on with is refused, and says so.
#[orm::test(requires = |f| f.schemas)]
async fn another_transfer_is_not_gone_on_with(new: TestDb) -> orm::Result<()> {
    let old = prepared().await;
    let death = Death::new(60, When::Before, false);
    let dying = mortal(&new, &death);
    let first = transfer(&old, &dying);
    tokio::select! {
        _ = first.run() => {}
        () = death.dead.notified() => {}
    }
    let other = Transfer::new(&old, &new).run().await.unwrap_err();
    assert!(
        other.kind() == ErrorKind::Config && other.to_string().contains("other rules"),
        "{other}"
    );
    // two at once: one of them finishes, the other says that it is not alone, and nothing is there twice
    let (one, two) = (transfer(&old, &new), transfer(&old, &new));
    let (one, two) = tokio::join!(one.run(), two.run());
    let reports: Vec<Report> = [one, two]
        .into_iter()
        .filter_map(|done| match done {
            Ok(report) => Some(report),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Stale, "{e}");
                None
            }
        })
        .collect();
    assert!(!reports.is_empty());
    check(&new, &reports[0], "two at once").await;
    assert_eq!(tables(&new).await, ["a", "b", "c"]);
    Ok(())
}
