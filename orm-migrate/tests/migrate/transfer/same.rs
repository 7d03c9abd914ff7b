//! From one database to another of its kind; and what is refused.

use orm::prelude::*;
use orm::testing::{TestDb, fresh_postgres, fresh_sqlite};
use orm_migrate::introspect::introspect;
use orm_migrate::transfer::Transfer;

use crate::support::{exec, texts};
use crate::transfer::{Place, chinook, legacy, run, said, whole};

#[tokio::test]
async fn sqlite_to_sqlite() -> orm::Result<()> {
    let old = chinook::shop().await;
    run(
        &old,
        &[
            "CREATE TABLE odd (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b ANY, c REAL, d AS (c * 2), boss INTEGER REFERENCES odd (id))",
            "INSERT INTO odd (id, a, b, c, boss) VALUES (1, 1, X'00', 1.5, 2), (2, 'nul' || char(0), CAST(X'E9' AS TEXT), 1e300, 1), \
             (3, 2.0, '', NULL, 9), (9000000000000000000, NULL, -9223372036854775808, 9e999, NULL)",
            "DELETE FROM odd WHERE id = 9000000000000000000",
            "CREATE VIEW dear AS SELECT name FROM track WHERE unit_price > 1",
            "CREATE TRIGGER t AFTER INSERT ON odd BEGIN DELETE FROM genre; END",
        ],
    )
    .await;
    let new = fresh_sqlite().await?;
    let file = Place::new("same");
    let report = Transfer::new(&old, &new)
        .batch(100)
        .rejects(&file.0)
        .run()
        .await?;
    whole(&report);
    assert_eq!(said(&file.rejects()), [r#"odd {"id":3} boss orphan"#]);
    assert_eq!(report.written(), 15_609);
    assert_eq!(introspect(&*old).await?, introspect(&*new).await?);
    let odd =
        "SELECT typeof(a) || hex(a) || ' ' || typeof(b) || hex(b) || ' ' || quote(c) || ' ' || boss FROM odd";
    let those = texts(&old, &format!("{odd} WHERE id < 3")).await;
    assert_eq!(those.len(), 2);
    assert_eq!(texts(&new, odd).await, those);
    run(&new, &["DROP TRIGGER t", "INSERT INTO odd (a) VALUES (1)"]).await;
    assert_eq!(
        texts(&new, "SELECT CAST(max(id) AS TEXT) FROM odd").await,
        ["9000000000000000001"]
    );
    Ok(())
}

#[orm::test(requires = |f| f.schemas)]
async fn postgres_to_postgres(old: TestDb) -> orm::Result<()> {
    run(
        &old,
        &[
            "CREATE TYPE mood AS ENUM ('sad', 'so so')",
            "CREATE TABLE people (id bigserial PRIMARY KEY, name varchar(20) NOT NULL, mood mood, tags text[], span interval, \
             at timestamptz, day date, f real, n numeric, raw bytea, j json, boss bigint REFERENCES people (id) DEFERRABLE)",
            "CREATE TABLE notes (what text, who bigint REFERENCES people (id) ON DELETE CASCADE)",
            "CREATE INDEX notes_who ON notes (who)",
            "CREATE TABLE parts (k int, v text) PARTITION BY RANGE (k)",
            "CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10)",
            "CREATE TABLE parts_b PARTITION OF parts DEFAULT",
            "INSERT INTO people VALUES (1, 'a\tb', 'so so', '{x,\"y,z\",NULL}', '1 mon -2 days 03:04:05.6', 'infinity', '0044-03-15 BC', \
             'NaN', '1e400', '\\x00ff', '{\"b\":1, \"a\": 1e400}', 2), (2, E'\\\\N', NULL, NULL, NULL, '2024-05-06 07:08:09.123456+02', \
             NULL, 0.1, '0.10', '', '[]', 1)",
            "INSERT INTO notes VALUES ('x', 1), ('x', 1), (NULL, NULL)",
            "INSERT INTO parts SELECT g, 'p' || g FROM generate_series(1, 50) g",
        ],
    )
    .await;
    let new = fresh_postgres().await?;
    let report = Transfer::new(&old, &new).batch(7).run().await?;
    whole(&report);
    assert_eq!((report.written(), report.rejected()), (55, 0));
    assert_eq!(introspect(&*old).await?, introspect(&*new).await?);
    let all = "SELECT p::text FROM people p ORDER BY id";
    assert_eq!(texts(&new, all).await, texts(&old, all).await);
    assert_eq!(texts(&new, "SELECT count(*)::text FROM parts_a").await, ["9"]);
    let next = "INSERT INTO people (name) VALUES ('c') RETURNING id::text";
    assert_eq!(texts(&new, next).await, ["3"]);
    Ok(())
}

#[tokio::test]
async fn in_memory() -> orm::Result<()> {
    let old = Db::connect("sqlite::memory:").await?;
    run(
        &old,
        &[
            "CREATE TABLE t (a INTEGER PRIMARY KEY)",
            "INSERT INTO t VALUES (1), (2)",
        ],
    )
    .await;
    let new = Db::connect("sqlite::memory:").await?;
    let report = Transfer::new(&old, &new).run().await?;
    whole(&report);
    assert_eq!(texts(&new, "SELECT CAST(sum(a) AS TEXT) FROM t").await, ["3"]);
    Ok(())
}

#[orm::test(requires = |f| f.schemas)]
async fn what_is_refused(new: TestDb) -> orm::Result<()> {
    let old = legacy(&["CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)"]).await;
    let refused = Transfer::new(&new, &old).dry_run().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
    let refused = Transfer::new(&old, &new)
        .rule("t.b: text".parse()?)
        .run()
        .await
        .unwrap_err();
    assert!(
        refused.kind() == ErrorKind::Config && refused.to_string().contains("`t.b` meets no column"),
        "{refused}"
    );
    for (there, said) in [
        ("CREATE TABLE t (id int PRIMARY KEY)", "no column for t.a"),
        (
            "CREATE TABLE t (id int PRIMARY KEY, a text, b text NOT NULL)",
            "t.b takes no NULL",
        ),
        (
            "CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1)",
            "has rows already",
        ),
    ] {
        for text in there.split("; ") {
            exec(&new, text).await?;
        }
        let refused = Transfer::new(&old, &new).run().await.unwrap_err();
        assert!(
            refused.kind() == ErrorKind::Config && refused.to_string().contains(said),
            "{refused}"
        );
        exec(&new, "DROP TABLE t").await?;
        let left = texts(
            &new,
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
        )
        .await;
        assert_eq!(left, [""; 0], "a transfer that does not begin leaves nothing");
    }
    let here = legacy(&[]).await;
    let refused = Transfer::new(&old, &here)
        .rule("t.a: int".parse()?)
        .run()
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
    Ok(())
}
