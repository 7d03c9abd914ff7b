//! Into tables that are there: what the target says of its columns counts.

use orm::testing::TestDb;
use orm_migrate::introspect::introspect;
use orm_migrate::transfer::Transfer;

use crate::support::texts;
use crate::transfer::{Place, legacy, run, said, whole};

#[orm::test(requires = |f| f.schemas)]
async fn the_target_decides(new: TestDb) -> orm::Result<()> {
    run(
        &new,
        &[
            "CREATE TYPE colour AS ENUM ('red', 'green')",
            "CREATE TABLE countries (code char(2) PRIMARY KEY)",
            "INSERT INTO countries VALUES ('DE')",
            "CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(6) NOT NULL, \
             paid numeric(8,2), colour colour, country char(2) REFERENCES countries, best_friend int, seen timestamp(0), \
             age int CHECK (age > 0), shout text GENERATED ALWAYS AS (upper(email)) STORED, made timestamptz NOT NULL DEFAULT now())",
            "CREATE UNIQUE INDEX users_email ON users (lower(email))",
            "CREATE TABLE pets (id serial PRIMARY KEY, owner int NOT NULL CONSTRAINT owned REFERENCES users ON DELETE CASCADE)",
            "ALTER TABLE users ADD CONSTRAINT friend FOREIGN KEY (best_friend) REFERENCES users (id)",
            "ALTER TABLE users ADD COLUMN pet int CONSTRAINT loves REFERENCES pets",
        ],
    )
    .await;
    let before = introspect(&*new).await?;
    let old = legacy(&[
        "CREATE TABLE Users (ID INTEGER PRIMARY KEY, mail TEXT, paid INTEGER, colour TEXT, country TEXT, best_friend INTEGER, \
         seen TEXT, age INTEGER, pet INTEGER, junk TEXT)",
        "CREATE TABLE pets (id INTEGER PRIMARY KEY, owner INTEGER)",
        "INSERT INTO Users VALUES (1, 'a', 1999, 'red', 'DE', 2, '2024-01-01 00:00:00.6', 5, 1, 'x')",
        "INSERT INTO Users VALUES (2, 'b', -5, 'green', NULL, 1, NULL, 6, NULL, 'x')",
        "INSERT INTO Users VALUES (3, 'A', 1, NULL, NULL, NULL, NULL, NULL, NULL, 'same mail')",
        "INSERT INTO Users VALUES (4, 'd', 1, 'blue', NULL, NULL, NULL, NULL, NULL, 'no such colour')",
        "INSERT INTO Users VALUES (5, 'e', 1, NULL, 'XX', NULL, NULL, NULL, NULL, 'no such country')",
        "INSERT INTO Users VALUES (6, 'f', 1, NULL, NULL, NULL, NULL, 0, NULL, 'no age')",
        "INSERT INTO Users VALUES (7, 'too long', 1, NULL, NULL, NULL, NULL, NULL, NULL, '')",
        "INSERT INTO Users VALUES (8, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, '')",
        "INSERT INTO Users VALUES (9, 'i', 1, NULL, NULL, NULL, NULL, NULL, 77, 'no such pet')",
        "INSERT INTO Users VALUES (3000000000, 'j', 1, NULL, NULL, NULL, NULL, NULL, NULL, 'no int')",
        "INSERT INTO pets VALUES (1, 1), (5, 2), (6, 9)",
    ])
    .await;
    let transfer = Transfer::new(&old, &new)
        .rule("Users.mail -> email".parse()?)
        .rule("Users.paid via scaled(2)".parse()?)
        .rule("Users.junk: skip".parse()?);
    let dry = transfer.dry_run().await?;
    let users = dry.table("Users").unwrap();
    assert_eq!(users.target, "users");
    assert_eq!(introspect(&*new).await?, before);

    let file = Place::new("existing");
    let report = transfer.rejects(&file.0).run().await?;
    whole(&report);
    let mut rejected = said(&file.rejects());
    rejected.sort();
    assert_eq!(
        rejected,
        [
            r#"Users {"ID":3,"rowid":3} - duplicate"#,
            r#"Users {"ID":3000000000,"rowid":3000000000} ID range"#,
            r#"Users {"ID":4,"rowid":4} colour label"#,
            r#"Users {"ID":5,"rowid":5} country orphan"#,
            r#"Users {"ID":6,"rowid":6} - check"#,
            r#"Users {"ID":7,"rowid":7} mail length"#,
            r#"Users {"ID":8,"rowid":8} mail null"#,
            r#"Users {"ID":9} pet orphan"#,
            r#"pets {"id":6} owner orphan"#,
        ]
    );
    assert_eq!(
        texts(&new, "SELECT concat_ws(' ', id, email, paid, colour, country, best_friend, seen, pet, shout) FROM users ORDER BY id").await,
        ["1 a 19.99 red DE 2 2024-01-01 00:00:01 1 A", "2 b -0.05 green 1 B"]
    );
    assert_eq!(
        introspect(&*new).await?,
        before,
        "foreign keys are what they were"
    );
    assert_eq!(
        texts(&new, "INSERT INTO pets (owner) VALUES (1) RETURNING id::text").await,
        ["6"]
    );
    assert_eq!(
        texts(&new, "INSERT INTO users (email) VALUES ('z') RETURNING id::text").await,
        ["3"]
    );
    Ok(())
}
