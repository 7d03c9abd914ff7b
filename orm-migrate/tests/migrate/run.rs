//! Up, down, to, redo, stamp, status, check, repair; what happens when something fails.

use orm::prelude::*;
use orm::testing::TestDb;
use orm_migrate::{Backfill, Header, Kind, Migration, Migrations, Migrator, Outcome, Phase, Repair, Status};

use crate::support::{exec, history, is_postgres, set, tables, texts};

const FILES: [(&str, &str); 6] = [
    (
        "1_users.up.sql",
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'a;b');",
    ),
    ("1_users.down.sql", "DROP TABLE users;"),
    (
        "2_posts.up.sql",
        "-- orm: why=\"people write\"\nCREATE TABLE posts (id BIGINT PRIMARY KEY);",
    ),
    ("2_posts.down.sql", "DROP TABLE posts;"),
    ("3_tags.up.sql", "CREATE TABLE tags (id BIGINT PRIMARY KEY);"),
    ("3_tags.down.sql", "DROP TABLE tags;"),
];

fn migrator(db: &Db, files: &[(&str, &str)]) -> Migrator {
    Migrator::new(db, set(files)).unwrap()
}

#[orm::test]
async fn up_and_down(db: Db) -> orm_migrate::Result<()> {
    let m = migrator(&db, &FILES);
    assert_eq!(m.check().await?.exit_code(), 2);
    assert_eq!(m.check().await?.pending, [1, 2, 3]);
    assert_eq!(tables(&db).await, [""; 0], "a check makes no table");
    let report = m.up_to("+1").await?;
    assert_eq!((report.versions(), report.outcome()), (vec![1], Outcome::Applied));
    assert_eq!(report.ran[0].statements, 2);
    let report = m.up().await?;
    assert_eq!(report.versions(), [2, 3]);
    assert_eq!(tables(&db).await, ["posts", "tags", "users"]);
    assert_eq!(texts(&db, "SELECT name FROM users").await, ["a;b"]);
    assert_eq!(m.check().await?.exit_code(), 0);
    assert_eq!(m.current().await?, [3]);
    let again = m.up().await?;
    assert_eq!((again.outcome(), again.ran.len()), (Outcome::UpToDate, 0));
    assert_eq!(m.down("-1").await?.versions(), [3]);
    assert_eq!(m.to("users").await?.versions(), [2]);
    assert_eq!(tables(&db).await, ["users"]);
    assert_eq!(
        history(&db).await,
        ["1 done 2", "2 rolled_back 1", "3 rolled_back 1"]
    );
    assert_eq!(m.to("3").await?.versions(), [2, 3]);
    let redone = m.redo().await?;
    assert_eq!(redone.versions(), [3, 3]);
    assert_eq!(m.to("base").await?.versions(), [3, 2, 1]);
    assert_eq!(tables(&db).await, [""; 0]);
    assert_eq!(m.current().await?, [0; 0]);
    assert_eq!(m.up().await?.versions(), [1, 2, 3]);
    let states = m.status().await?;
    let told: Vec<_> = states
        .iter()
        .map(|s| (s.version, s.is_applied(), s.known, s.edited))
        .collect();
    assert_eq!(
        told,
        [
            (1, true, true, false),
            (2, true, true, false),
            (3, true, true, false)
        ]
    );
    let entry = states[1].entry.as_ref().unwrap();
    assert_eq!(
        (entry.status, entry.kind.as_str(), entry.error.as_deref()),
        (Status::Done, "schema", None)
    );
    assert!(entry.started_at.is_some() && entry.ms.is_some());
    assert_eq!(m.down("nothing").await.unwrap_err().exit_code(), 1);
    Ok(())
}

#[tokio::test]
async fn in_memory() -> orm_migrate::Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    let m = migrator(&db, &FILES);
    assert_eq!(m.up().await?.versions(), [1, 2, 3]);
    assert_eq!(tables(&db).await, ["posts", "tags", "users"]);
    assert_eq!(m.up().await?.outcome(), Outcome::UpToDate);
    Ok(())
}

#[orm::test]
async fn a_failure_leaves_no_trace_of_its_migration(db: Db) -> orm_migrate::Result<()> {
    let mut files = FILES.to_vec();
    files[2].1 = "CREATE TABLE posts (id BIGINT PRIMARY KEY);\n\nINSERT INTO nowhere VALUES (1);";
    let failure = migrator(&db, &files).up().await.unwrap_err();
    assert_eq!((failure.outcome(), failure.exit_code()), (Outcome::Failed, 6));
    assert_eq!(failure.error().kind(), ErrorKind::UndefinedObject);
    let place = failure.place().unwrap();
    assert_eq!(
        (place.version, place.statement, place.line),
        (2, Some(2), Some(3))
    );
    assert_eq!(failure.ran().len(), 1);
    let error = failure.into_error();
    assert!(
        error
            .to_string()
            .starts_with("migration 2_posts, statement 2 (line 3): "),
        "{error}"
    );
    assert_eq!(tables(&db).await, ["users"]);
    assert_eq!(history(&db).await, ["1 done 2", "2 failed 0"]);
    assert_eq!(migrator(&db, &files).check().await?.unfinished, [2]);
    // it never took effect: it may be changed
    assert_eq!(migrator(&db, &FILES).up().await?.versions(), [2, 3]);
    assert_eq!(history(&db).await, ["1 done 2", "2 done 1", "3 done 1"]);
    // back as well
    let mut files = FILES.to_vec();
    files[3].1 = "DROP TABLE posts; DROP TABLE nowhere;";
    let failure = migrator(&db, &files).to("1").await.unwrap_err();
    assert_eq!(failure.ran().len(), 1);
    assert_eq!(tables(&db).await, ["posts", "users"]);
    assert_eq!(history(&db).await, ["1 done 2", "2 done 1", "3 rolled_back 1"]);
    Ok(())
}

#[orm::test]
async fn a_failure_between_parts_goes_on_there(db: Db) -> orm_migrate::Result<()> {
    let script = "-- no-transaction\nCREATE TABLE a (id INT);\nINSERT INTO a VALUES (1);\nVACUUM;\nINSERT INTO b VALUES (1);\nINSERT INTO a VALUES (2);";
    let files = [
        ("1_parts.up.sql", script),
        (
            "1_parts.down.sql",
            "-- no-transaction\nDROP TABLE a; DROP TABLE b;",
        ),
    ];
    let m = migrator(&db, &files);
    let failure = m.up().await.unwrap_err();
    assert_eq!(failure.place().unwrap().statement, Some(4));
    assert_eq!(history(&db).await, ["1 failed 3"]);
    // what has run cannot be changed any more, nor anything else be done before
    let edited = [("1_parts.up.sql", "-- no-transaction\nCREATE TABLE a (id BIGINT);")];
    assert_eq!(
        migrator(&db, &edited).up().await.unwrap_err().outcome(),
        Outcome::Drift
    );
    assert_eq!(m.down("base").await.unwrap_err().outcome(), Outcome::Usage);
    exec(&db, "CREATE TABLE b (id INT)").await?;
    let report = m.up().await?;
    assert_eq!((report.ran[0].resumed_at, report.ran[0].statements), (Some(3), 2));
    assert_eq!(history(&db).await, ["1 done 5"]);
    assert_eq!(
        texts(&db, "SELECT CAST(id AS TEXT) FROM a ORDER BY id").await,
        ["1", "2"]
    );
    // the way back has parts as well
    exec(&db, "DROP TABLE b").await?;
    assert_eq!(
        m.down("base").await.unwrap_err().place().unwrap().statement,
        Some(2)
    );
    assert_eq!(history(&db).await, ["1 reverting 1"]);
    assert_eq!(m.up().await.unwrap_err().exit_code(), 1, "half undone");
    exec(&db, "CREATE TABLE b (id INT)").await?;
    assert_eq!(m.down("base").await?.ran[0].resumed_at, Some(1));
    assert_eq!(tables(&db).await, [""; 0]);
    Ok(())
}

#[orm::test]
async fn repaired_by_hand(db: Db) -> orm_migrate::Result<()> {
    let files = [(
        "1_a.sql",
        "-- no-transaction\nCREATE TABLE a (id INT); INSERT INTO b VALUES (1)",
    )];
    let m = migrator(&db, &files);
    m.up().await.unwrap_err();
    assert_eq!(
        m.repair(Repair::Applied(7)).await.unwrap_err().outcome(),
        Outcome::Usage
    );
    assert_eq!(m.repair(Repair::Applied(1)).await?, [1]);
    assert_eq!(m.check().await?.outcome(), Outcome::UpToDate);
    exec(&db, "DROP TABLE a").await?;
    exec(&db, "UPDATE orm_migrations SET status = 'failed'").await?;
    assert_eq!(m.repair(Repair::RolledBack(1)).await?, [1]);
    assert_eq!(m.check().await?.pending, [1]);
    exec(&db, "CREATE TABLE b (id INT)").await?;
    assert_eq!(m.up().await?.ran[0].resumed_at, None);
    Ok(())
}

#[orm::test]
async fn files_and_history_that_do_not_agree(db: Db) -> orm_migrate::Result<()> {
    migrator(&db, &FILES).up_to("2").await?;
    // comments, blanks, line endings and a byte order mark change nothing
    let dressed: Vec<(String, String)> = FILES
        .iter()
        .map(|(name, text)| {
            (
                (*name).to_owned(),
                format!("\u{feff}-- more\r\n{}\r\n", text.replace(' ', "\r\n ")),
            )
        })
        .collect();
    let dressed = Migrations::of(dressed.iter().map(|(n, t)| (n.as_str(), t.as_str())))?;
    assert!(
        dressed.get(2).unwrap().header().why.is_none(),
        "the header was dressed up as well"
    );
    assert_eq!(Migrator::new(&db, dressed)?.check().await?.pending, [3]);
    // a change of substance does
    let mut files = FILES.to_vec();
    files[0].1 =
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'a;c');";
    let m = migrator(&db, &files);
    assert_eq!(
        (m.check().await?.edited, m.check().await?.exit_code()),
        (vec![1], 3)
    );
    let failure = m.up().await.unwrap_err();
    assert_eq!(failure.outcome(), Outcome::Drift);
    assert!(failure.to_string().contains("1_users"), "{failure}");
    assert_eq!(tables(&db).await, ["posts", "users"]);
    assert_eq!(m.repair(Repair::Checksums).await?, [1]);
    assert_eq!(m.up().await?.versions(), [3]);
    // a file that came late, below what is applied
    let mut late = files.clone();
    late.push(("2_posts_more.sql", ""));
    assert!(Migrations::of(late.iter().copied()).is_err(), "one version twice");
    let late = [
        files[0],
        files[1],
        files[2],
        files[3],
        ("3_tags.up.sql", FILES[4].1),
        ("4_d.sql", "CREATE TABLE d (id INT)"),
        ("5_e.sql", "CREATE TABLE e (id INT)"),
    ];
    let without = [late[0], late[1], late[2], late[3], late[4], late[6]];
    migrator(&db, &without).up().await?;
    let m = migrator(&db, &late);
    assert_eq!(
        (m.check().await?.out_of_order, m.check().await?.exit_code()),
        (vec![4], 3)
    );
    assert_eq!(m.up().await.unwrap_err().outcome(), Outcome::Drift);
    assert_eq!(m.allow_out_of_order(true).up().await?.versions(), [4]);
    // a file that is gone
    let m = migrator(&db, &[late[0], late[2], late[4], late[6]]);
    assert_eq!(m.check().await?.missing, [4]);
    assert_eq!(m.up().await.unwrap_err().outcome(), Outcome::Drift);
    assert_eq!(m.repair(Repair::Missing).await?, [4]);
    assert_eq!(m.up().await?.outcome(), Outcome::UpToDate);
    // an older program on a newer database works on
    let m = migrator(&db, &FILES);
    assert_eq!(
        m.up().await.unwrap_err().outcome(),
        Outcome::Drift,
        "the edit of 1"
    );
    let m = migrator(&db, &files[..4]);
    assert_eq!(m.up().await?.unknown, [3, 5]);
    assert_eq!(m.check().await?.unknown, [3, 5]);
    assert_eq!(m.status().await?.iter().filter(|s| !s.known).count(), 2);
    Ok(())
}

#[orm::test]
async fn stamped_without_being_run(db: Db) -> orm_migrate::Result<()> {
    let m = migrator(&db, &FILES);
    let stamp = async |target: &str, purge| m.stamp(target, purge).await.map(|r| r.versions());
    assert_eq!(stamp("2", false).await?, [1, 2]);
    assert_eq!(tables(&db).await, [""; 0]);
    assert_eq!(m.current().await?, [2]);
    assert_eq!(stamp("2", false).await?, [0; 0]);
    assert_eq!(stamp("head", false).await?, [3]);
    assert_eq!(stamp("-2", false).await?, [0; 0]);
    assert_eq!(m.current().await?, [1]);
    assert_eq!(stamp("+1", false).await?, [2]);
    assert_eq!(stamp("1", true).await?, [1]);
    assert_eq!(history(&db).await, ["1 done 0"]);
    assert_eq!(stamp("base", false).await?, [0; 0]);
    assert_eq!(m.check().await?.pending, [1, 2, 3]);
    assert_eq!(stamp("9", false).await.unwrap_err().outcome(), Outcome::Usage);
    Ok(())
}

#[orm::test]
async fn branches_and_their_merge(db: Db) -> orm_migrate::Result<()> {
    let files = [
        ("1_root.sql", "CREATE TABLE r (id INT)"),
        ("2_left.sql", "-- orm: parent=1\nCREATE TABLE a (id INT)"),
        ("3_right.sql", "-- orm: parent=1\nCREATE TABLE b (id INT)"),
        ("4_merge.sql", "-- orm: parent=2+3\n"),
    ];
    let open = migrator(&db, &files[..3]);
    let failure = open.up().await.unwrap_err();
    assert!(
        failure.outcome() == Outcome::Usage && failure.to_string().contains("parent=2+3"),
        "{failure}"
    );
    assert_eq!(open.up_to("right").await?.versions(), [1, 3]);
    assert_eq!(open.check().await?.heads, [2, 3]);
    assert_eq!(migrator(&db, &files).up().await?.versions(), [2, 4]);
    assert_eq!(
        texts(&db, "SELECT parent FROM orm_migrations ORDER BY id").await,
        ["", "1", "1", "2+3"]
    );
    Ok(())
}

#[orm::test]
async fn nothing_is_lost_without_agreement(db: Db) -> orm_migrate::Result<()> {
    let up = "-- orm: loses=\"table users\"\n-- orm: irreversible=\"the rows are gone\"\nDROP TABLE users;";
    let mut files = FILES[..2].to_vec();
    files.push(("2_drop.up.sql", up));
    let m = migrator(&db, &files);
    let failure = m.up().await.unwrap_err();
    assert_eq!((failure.outcome(), failure.exit_code()), (Outcome::Refused, 4));
    assert!(failure.to_string().contains("table users"), "{failure}");
    assert_eq!(
        tables(&db).await,
        [""; 0],
        "nothing was run before the question was settled"
    );
    let planned = m.plan("head").await?;
    let digest = planned[1].needs_acknowledgement.clone().unwrap();
    assert_eq!(
        (planned[1].loses.as_slice(), planned[1].parts.len()),
        (&["table users".to_owned()][..], 1)
    );
    assert_eq!(
        m.clone()
            .allow_destructive("000000000000")
            .up()
            .await
            .unwrap_err()
            .outcome(),
        Outcome::Refused
    );
    let agreed = format!("-- orm: acknowledge={digest}\n{up}");
    // what was agreed to is this script, and no other
    let other = agreed.replace("DROP TABLE users;", "DROP TABLE users; DROP TABLE posts;");
    files[2].1 = &other;
    assert_eq!(
        migrator(&db, &files).up().await.unwrap_err().outcome(),
        Outcome::Refused
    );
    files[2].1 = &agreed;
    assert_eq!(migrator(&db, &files).up().await?.versions(), [1, 2]);
    let failure = m.down("-1").await.unwrap_err();
    assert!(
        failure.outcome() == Outcome::Refused && failure.to_string().contains("the rows are gone"),
        "{failure}"
    );
    exec(
        &db,
        "UPDATE orm_migrations SET status = 'rolled_back' WHERE id = 2",
    )
    .await?;
    exec(&db, "CREATE TABLE users (id INT)").await?;
    assert_eq!(m.allow_destructive(&digest).up().await?.versions(), [2]);
    Ok(())
}

#[orm::test]
async fn code_in_the_transaction_of_its_row(db: Db) -> orm_migrate::Result<()> {
    let greet = |fails: bool| {
        Migration::code(4, "greet", move |tx| {
            Box::pin(async move {
                for n in 10..20_i64 {
                    orm::sql!("INSERT INTO users VALUES ({n}, 'greeted')")
                        .exec(tx)
                        .await?;
                }
                // a savepoint, and what it undoes
                let undone = tx
                    .savepoint(async |tx| {
                        orm::sql!("INSERT INTO users VALUES (10, 'twice')")
                            .exec(&*tx)
                            .await?;
                        Ok::<(), orm::Error>(())
                    })
                    .await;
                assert!(undone.is_err_and(|e| e.is_unique_violation()));
                match fails {
                    true => Err(orm::Error::config("on purpose")),
                    false => Ok(()),
                }
            })
        })
        .map(|m| {
            m.with_down(|tx| {
                Box::pin(async move {
                    orm::sql!("DELETE FROM users WHERE name = 'greeted'")
                        .exec(tx)
                        .await?;
                    Ok(())
                })
            })
        })
    };
    let failing = Migrator::new(&db, set(&FILES).with(greet(true)?)?)?;
    assert_eq!(failing.up().await.unwrap_err().place().unwrap().version, 4);
    assert_eq!(texts(&db, "SELECT name FROM users ORDER BY id").await, ["a;b"]);
    let m = Migrator::new(&db, set(&FILES).with(greet(false)?)?)?;
    assert_eq!(m.up().await?.versions(), [4]);
    assert_eq!(texts(&db, "SELECT name FROM users ORDER BY id").await.len(), 11);
    assert_eq!(
        texts(&db, "SELECT kind FROM orm_migrations WHERE id = 4").await,
        ["data"]
    );
    assert_eq!(m.redo().await?.versions(), [4, 4]);
    assert_eq!(m.down("-1").await?.versions(), [4]);
    assert_eq!(texts(&db, "SELECT name FROM users ORDER BY id").await, ["a;b"]);
    Ok(())
}

#[orm::test]
async fn a_backfill_in_batches(db: Db) -> orm_migrate::Result<()> {
    let many: Vec<String> = (2..=100).map(|i| format!("({}, 'N{i}')", i * 3 - 199)).collect();
    let insert = format!("INSERT INTO users VALUES {}", many.join(", "));
    let files = [FILES[0], FILES[1], ("2_many.sql", insert.as_str())];
    let (told, tells) = std::sync::mpsc::channel();
    let fill = |set: &str| {
        let told = told.clone();
        Backfill::new("users", "id", set)
            .only("name LIKE 'N%'")
            .batch(30)
            .progress(move |p| {
                assert!(p.ahead.is_some_and(|rows| rows > 0) && p.left.is_some(), "{p:?}");
                told.send((p.batches, p.rows)).unwrap();
            })
    };
    let with = |set_to: &str| Migration::backfill(3, "lower", fill(set_to)).and_then(|m| set(&files).with(m));
    // dies in the third batch
    let broken = "name = CASE WHEN id > 0 THEN CAST(nowhere(id) AS TEXT) ELSE lower(name) END";
    let e = Migrator::new(&db, with(broken)?)?.up().await.unwrap_err();
    assert_eq!(e.outcome(), Outcome::Failed);
    let failing = "name = CASE WHEN id < 0 THEN lower(name) ELSE NULL END";
    exec(
        &db,
        "CREATE TABLE strict_users (id BIGINT PRIMARY KEY, name TEXT NOT NULL)",
    )
    .await?;
    exec(&db, "INSERT INTO strict_users SELECT * FROM users").await?;
    exec(&db, "DROP TABLE users").await?;
    exec(&db, "ALTER TABLE strict_users RENAME TO users").await?;
    let e = Migrator::new(&db, with(failing)?)?.up().await.unwrap_err();
    assert_eq!(e.error().kind(), ErrorKind::NotNullViolation);
    let done: Vec<_> = tells.try_iter().collect();
    assert_eq!(done, [(1, 30), (2, 60)]);
    assert_eq!(history(&db).await[2], "3 failed 2");
    let report = Migrator::new(&db, with("name = lower(name)")?)?.up().await?;
    assert_eq!((report.ran[0].resumed_at, report.ran[0].statements), (Some(2), 2));
    let done: Vec<_> = tells.try_iter().collect();
    assert_eq!(
        done,
        [(1, 29), (2, 39)],
        "id 1 is no N, and the batches before are not done again"
    );
    assert_eq!(
        texts(
            &db,
            "SELECT name FROM users WHERE name LIKE 'N%' AND name <> lower(name)"
        )
        .await,
        [""; 0]
    );
    assert_eq!(history(&db).await[2], "3 done 4");
    Ok(())
}

#[orm::test]
async fn phases_and_repeatable_ones(db: Db) -> orm_migrate::Result<()> {
    let view = |text| ("9_view.sql", text);
    let files = [
        ("1_a.sql", "CREATE TABLE a (id INT, old INT)"),
        ("2_b.sql", "-- orm: phase=expand\nCREATE TABLE b (id INT)"),
        ("3_c.sql", "-- orm: phase=contract\nALTER TABLE a DROP COLUMN old"),
        ("4_d.sql", "CREATE TABLE d (id INT)"),
        view("-- orm: kind=repeatable\nDROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1 AS one"),
    ];
    let m = migrator(&db, &files);
    assert_eq!(m.clone().phase(Phase::Expand).up().await?.versions(), [1, 2, 9]);
    assert_eq!(m.clone().phase(Phase::Contract).up().await?.versions(), [3]);
    assert_eq!(m.up().await?.versions(), [4]);
    assert_eq!(m.check().await?.outcome(), Outcome::UpToDate);
    // rows at another time than the schema
    let mut more = files.to_vec();
    more.push(("5_rows.sql", "-- orm: kind=data\nINSERT INTO d VALUES (1)"));
    more.push(("6_f.sql", "CREATE TABLE f (id INT)"));
    more.push(("7_rows.sql", "-- orm: kind=data\nINSERT INTO f VALUES (1)"));
    let all = migrator(&db, &more);
    assert_eq!(
        all.clone().kind(Kind::Schema).up().await?.ran.len(),
        0,
        "6 waits for 5"
    );
    assert_eq!(all.clone().kind(Kind::Data).up().await?.versions(), [5]);
    assert_eq!(all.clone().kind(Kind::Schema).up().await?.versions(), [6]);
    assert_eq!(all.clone().kind(Kind::Data).up().await?.versions(), [7]);
    all.down("4").await.unwrap_err();
    exec(&db, "DELETE FROM orm_migrations WHERE id IN (5, 6, 7)").await?;
    let mut files = files;
    files[4] = view("-- orm: kind=repeatable\nDROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 2 AS one");
    let m = migrator(&db, &files);
    assert_eq!(m.check().await?.pending, [9]);
    assert_eq!(m.up().await?.versions(), [9]);
    assert_eq!(texts(&db, "SELECT CAST(one AS TEXT) FROM v").await, ["2"]);
    assert_eq!(m.up().await?.outcome(), Outcome::UpToDate);
    Ok(())
}

/// The script for people who run SQL by hand does what the runner does.
#[orm::test]
async fn a_script_of_a_range(db: Db) -> orm_migrate::Result<()> {
    let m = migrator(&db, &FILES);
    let run = async |script: String| {
        // by a session, without the checks of the pool
        let statements = orm_migrate::statements(&script, crate::support::backend(&db)).unwrap();
        let alone = |s: &str| matches!(s, "BEGIN" | "COMMIT") || s.starts_with("SET LOCAL");
        for statement in statements.iter().filter(|s| !alone(&s.text)) {
            exec(&db, &statement.text).await.unwrap();
        }
        script
    };
    let script = run(m.script("base", "2")?).await;
    assert_eq!(script.matches("BEGIN;").count(), 2);
    assert_eq!(
        script.contains("SET LOCAL lock_timeout = '3000ms';"),
        is_postgres(&db)
    );
    assert_eq!(m.current().await?, [2]);
    assert_eq!(m.check().await?.outcome(), Outcome::Pending);
    assert_eq!(m.up().await?.versions(), [3]);
    run(m.script("head", "1")?).await;
    assert_eq!(tables(&db).await, ["users"]);
    assert_eq!(m.current().await?, [1]);
    assert!(m.script("-1", "head").is_err());
    Ok(())
}

#[orm::test]
async fn histories_of_other_tools(db: TestDb) -> orm_migrate::Result<()> {
    let files = [
        ("20240101000000_a.sql", "CREATE TABLE a (id INT)"),
        ("20240202000001_b.sql", "CREATE TABLE b (id INT)"),
        ("20240303000000_c.sql", "CREATE TABLE c (id INT)"),
    ];
    let m = migrator(&db, &files);
    let bytes = if is_postgres(&db) { "BYTEA" } else { "BLOB" };
    let time = if is_postgres(&db) {
        "TIMESTAMPTZ"
    } else {
        "TIMESTAMP"
    };
    for (foreign, rows) in [
        (
            format!(
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on {time} \
                 NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum {bytes} NOT NULL, \
                 execution_time BIGINT NOT NULL)"
            ),
            "INSERT INTO _sqlx_migrations VALUES (20240101000000, 'a', CURRENT_TIMESTAMP, true, 'x', 1), \
             (20240202000001, 'b', CURRENT_TIMESTAMP, true, 'x', 1), (20200101000000, 'old', CURRENT_TIMESTAMP, true, 'x', 1)",
        ),
        (
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL \
             DEFAULT CURRENT_TIMESTAMP)"
                .to_owned(),
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('20240101000000'), ('2024-02-02-000001'), ('20200101000000')",
        ),
        (
            "CREATE TABLE seaql_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)".to_owned(),
            "INSERT INTO seaql_migrations VALUES ('m20240101_000000_a', 1), ('m20240202_000001_b', 1), ('m20200101_000000_old', 1)",
        ),
    ] {
        assert_eq!(m.adopt().await?.from, None, "nothing to take over");
        exec(&db, &foreign).await?;
        exec(&db, rows).await?;
        // neither is anything run on top of it
        let failure = m.up().await.unwrap_err();
        assert!(failure.to_string().contains("adopt"), "{failure}");
        let adopted = m.adopt().await?;
        assert!(foreign.contains(adopted.from.unwrap().table()));
        assert_eq!(adopted.stamped, [20240101000000, 20240202000001]);
        assert_eq!(adopted.unknown, [20200101000000]);
        assert_eq!(m.adopt().await.unwrap_err().outcome(), Outcome::Usage);
        assert_eq!(m.up().await?.versions(), [20240303000000]);
        assert!(tables(&db).await.contains(&"c".to_owned()));
        exec(&db, "DROP TABLE c").await?;
        exec(&db, "DROP TABLE orm_migrations").await?;
        exec(&db, &format!("DROP TABLE {}", adopted.from.unwrap().table())).await?;
    }
    exec(
        &db,
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, success BOOLEAN NOT NULL)",
    )
    .await?;
    exec(&db, "INSERT INTO _sqlx_migrations VALUES (20240101000000, false)").await?;
    let failure = m.adopt().await.unwrap_err();
    assert!(failure.to_string().contains("20240101000000 failed"), "{failure}");
    Ok(())
}

#[test]
fn a_folder_and_its_chain() {
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("orm-migrate-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let backend = orm_migrate::Backend::Sqlite;
    let draft = |name: &str, up: &str| orm_migrate::Draft {
        up: up.to_owned(),
        down: Some("SELECT 1;\n".to_owned()),
        snapshot: Some("{}\n".to_owned()),
        ..orm_migrate::Draft::new(name)
    };
    let first = draft("Add users, and more!", "SELECT 1;\n")
        .write(&folder, backend)
        .unwrap();
    assert_eq!(first.len(), 3);
    let name = first[0].file_name().unwrap().to_str().unwrap();
    assert!(
        name.len() > 15 && name[14..].starts_with("_add_users_and_more.up.sql"),
        "{name}"
    );
    let second = draft("b", "SELECT 2;\n").write(&folder, backend).unwrap();
    assert!(
        orm_migrate::Draft::new("c").write(&folder, backend).is_err(),
        "no way back and no reason"
    );
    let no_way_back = Header {
        irreversible: Some("gone".to_owned()),
        ..Header::default()
    };
    let third = orm_migrate::Draft {
        header: no_way_back.clone(),
        ..orm_migrate::Draft::new("c")
    };
    third.write(&folder, backend).unwrap();
    let read = Migrations::read(&folder).unwrap();
    assert_eq!(read.iter().len(), 3);
    assert_eq!(read.iter().next_back().unwrap().header(), &no_way_back);
    assert_eq!(read.iter().next().unwrap().snapshot.as_deref(), Some("{}\n"));
    read.verify_chain(backend).unwrap();
    // windows line endings change nothing, neither in the files nor in the chain
    let chain = folder.join("migrations.lock");
    for path in [&first[0], &second[0], &chain] {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    }
    Migrations::read(&folder).unwrap().verify_chain(backend).unwrap();
    // a changed file is named, and so is one that was added without the chain
    let kept = std::fs::read_to_string(&second[0]).unwrap();
    std::fs::write(&second[0], "SELECT 3;").unwrap();
    let e = Migrations::read(&folder)
        .unwrap()
        .verify_chain(backend)
        .unwrap_err();
    assert!(e.message().contains("_b` is not the file"), "{e}");
    std::fs::write(&second[0], kept).unwrap();
    std::fs::write(folder.join("5_late.sql"), "").unwrap();
    let e = Migrations::read(&folder)
        .unwrap()
        .verify_chain(backend)
        .unwrap_err();
    assert!(e.message().contains("5_late"), "{e}");
    // whoever adds a migration changes the last line only: branches that both do so conflict
    let before = Migrations::read(&folder).unwrap().chain(backend).unwrap();
    std::fs::write(folder.join("99999999999999_z.sql"), "").unwrap();
    let after = Migrations::read(&folder).unwrap().chain(backend).unwrap();
    assert!(after.starts_with(&before) && after.lines().count() == before.lines().count() + 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The files are built into the test; the chain of one database holds for it alone.
#[orm::test]
async fn built_into_the_program(db: Db) -> orm_migrate::Result<()> {
    let built_in = orm::migrate::embed!("tests/migrate/files")?;
    let read = Migrations::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migrate/files"))?;
    let names = |m: &Migrations| m.iter().map(Migration::label).collect::<Vec<_>>();
    assert_eq!(
        names(&built_in),
        ["20260131120000_create_users", "20260202090000_posts"]
    );
    assert_eq!(names(&built_in), names(&read));
    let backend = crate::support::backend(&db);
    assert_eq!(built_in.chain(backend)?, read.chain(backend)?);
    assert_eq!(Migrator::new(&db, built_in)?.up().await?.ran.len(), 2);
    assert_eq!(Migrator::new(&db, read)?.up().await?.outcome(), Outcome::UpToDate);
    Ok(())
}
