//! A legacy file with everything that goes wrong in twenty years.

use orm::prelude::*;
use orm_migrate::transfer::{Convert, Report, Rule, Transfer};

use crate::support::{tables, texts};
use crate::transfer::{Place, legacy, said, whole};

const FILE: &[&str] = &[
    "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, mail VARCHAR(40) NOT NULL UNIQUE, active BOOLEAN DEFAULT 1, \
     born DATE, joined DATETIME DEFAULT CURRENT_TIMESTAMP, settings JSON, picture BLOB, boss INTEGER REFERENCES users (id), \
     balance DECIMAL(8,2), token UUID, points INTEGER)",
    "CREATE INDEX users_joined ON users (joined DESC)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), note TEXT)",
    "CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), n INTEGER, what TEXT, PRIMARY KEY (order_id, n))",
    "CREATE TABLE log (at, what)",
    // clean
    "INSERT INTO users VALUES (1, 'ann@x', 1, '1970-01-02', '2001-02-03 04:05:06', '{\"a\": [1, 2.50]}', X'00FF', NULL, \
     10.5, '00112233-4455-6677-8899-aabbccddeeff', 5)",
    "INSERT INTO users VALUES (2, 'ben@x', 'yes', '31.12.1999', 981173106, '5', 'abc', 1, '7.25', \
     X'00112233445566778899AABBCCDDEEFF', '12')",
    "INSERT INTO users VALUES (3, 'zoë 🦀 \\ tab\there \\N', 't', '2000/02/29', '2001-02-03T04:05:06+02:00', NULL, NULL, 2, \
     0.1, NULL, 3.0)",
    // each wrong in one way
    "INSERT INTO users (id, mail, active) VALUES (10, 'a@x', 'perhaps')",
    "INSERT INTO users (id, mail, born) VALUES (11, 'b@x', '2023-02-30')",
    "INSERT INTO users (id, mail, joined) VALUES (12, 'c@x', '03/04/2005')",
    "INSERT INTO users (id, mail, settings) VALUES (13, 'd@x', '{broken')",
    "INSERT INTO users (id, mail, balance) VALUES (14, 'e@x', 1.005)",
    "INSERT INTO users (id, mail, balance) VALUES (15, 'f@x', 12345678)",
    "INSERT INTO users (id, mail, token) VALUES (16, 'g@x', 'no-uuid')",
    "INSERT INTO users (id, mail, points) VALUES (17, 'h@x', 'many')",
    "INSERT INTO users (id, mail) VALUES (18, 'nul' || char(0) || 'inside')",
    "INSERT INTO users (id, mail) VALUES (19, CAST(X'E9' AS TEXT))",
    "INSERT INTO users (id, mail, joined) VALUES (20, 'i@x', 400000000000)",
    "INSERT INTO users (id, mail, born) VALUES (21, 'j@x', '99999-01-01')",
    "INSERT INTO users (id, mail, boss) VALUES (22, 'k@x', 999)",
    // refers to one that does not go over, and is referred to
    "INSERT INTO users (id, mail, boss) VALUES (23, 'l@x', 10)",
    "INSERT INTO users (id, mail, boss) VALUES (24, 'm@x', 23)",
    "INSERT INTO users (id, mail, settings) VALUES (25, 'n@x', '{\"s\": \"\\u0000\"}')",
    "INSERT INTO users (id, mail) VALUES (40, 'gone@x')",
    "DELETE FROM users WHERE id = 40",
    "INSERT INTO orders VALUES (1, 1, 'first'), (2, 10, 'of one who stayed behind'), (3, NULL, ''), (4, 777, 'of nobody'), \
     ('5', 2, 42)",
    "INSERT INTO lines VALUES (1, 1, 'a'), (1, NULL, 'b'), (1, NULL, 'c'), (2, 1, 'd'), (NULL, 1, 'e'), (5, 1, X'01')",
    "INSERT INTO log VALUES (1, 'a'), ('1', 'a'), (NULL, 1.5), (X'00', 'x')",
];

const REJECTED: &[&str] = &[
    r#"log {"rowid":4} at type"#,
    r#"users {"id":10,"rowid":10} active boolean"#,
    r#"users {"id":11,"rowid":11} born format"#,
    r#"users {"id":12,"rowid":12} joined format"#,
    r#"users {"id":13,"rowid":13} settings json"#,
    r#"users {"id":14,"rowid":14} balance decimal"#,
    r#"users {"id":15,"rowid":15} balance range"#,
    r#"users {"id":16,"rowid":16} token format"#,
    r#"users {"id":17,"rowid":17} points type"#,
    r#"users {"id":18,"rowid":18} mail nul"#,
    r#"users {"id":19,"rowid":19} mail encoding"#,
    r#"users {"id":20,"rowid":20} joined range"#,
    r#"users {"id":21,"rowid":21} born format"#,
    r#"users {"id":22} boss orphan"#,
    r#"users {"id":23} boss orphan"#,
    r#"users {"id":24} boss orphan"#,
    r#"users {"id":25,"rowid":25} settings nul"#,
    r#"orders {"id":2} user_id orphan"#,
    r#"orders {"id":4} user_id orphan"#,
    r#"lines {"n":1,"order_id":2} order_id orphan"#,
    r#"lines {"n":1,"order_id":5,"rowid":6} what type"#,
    r#"lines {"n":1,"order_id":null,"rowid":5} order_id null"#,
    r#"lines {"n":null,"order_id":1,"rowid":2} n null"#,
    r#"lines {"n":null,"order_id":1,"rowid":3} n null"#,
];

#[orm::test(requires = |f| f.schemas)]
async fn each_row_is_accounted_for(new: Db) -> orm::Result<()> {
    let old = legacy(FILE).await;
    let file = Place::new("dirty");
    let report = Transfer::new(&old, &new).rejects(&file.0).run().await?;
    whole(&report);
    let mut rejected = said(&file.rejects());
    rejected.sort();
    let mut expected: Vec<&str> = REJECTED.to_vec();
    expected.sort();
    assert_eq!(rejected, expected);
    assert!(file.rejects().iter().all(|r| !r.detail.is_empty()));
    assert_eq!(report.rejected(), 24);
    let users = report.table("users").unwrap();
    assert_eq!((users.in_source, users.written, users.rejected), (19, 3, 16));
    assert_eq!(users.in_target, Some(3));

    // what went over is what it was
    let rows = texts(
        &new,
        "SELECT concat_ws(' ', id, mail, active, born, joined AT TIME ZONE 'UTC', settings, picture, boss, balance, token, \
         points) FROM users ORDER BY id",
    )
    .await;
    assert_eq!(
        rows,
        [
            "1 ann@x t 1970-01-02 2001-02-03 04:05:06 {\"a\": [1, 2.50]} \\x00ff 10.50 00112233-4455-6677-8899-aabbccddeeff 5",
            "2 ben@x t 1999-12-31 2001-02-03 04:05:06 5 \\x616263 1 7.25 00112233-4455-6677-8899-aabbccddeeff 12",
            "3 zoë 🦀 \\ tab\there \\N t 2000-02-29 2001-02-03 02:05:06 2 0.10 3",
        ]
    );
    assert_eq!(
        texts(
            &new,
            "SELECT concat_ws('|', id, user_id, note) FROM orders ORDER BY id"
        )
        .await,
        ["1|1|first", "3|", "5|2|42"]
    );
    assert_eq!(
        texts(
            &new,
            "SELECT concat_ws('|', coalesce(at, 'NULL'), what) FROM log ORDER BY at, what"
        )
        .await,
        ["1|a", "1|a", "NULL|1.5"]
    );

    // the schema came along: types, keys, indexes, foreign keys, numbers behind the last one ever given
    let types = texts(
        &new,
        "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 'users' \
         ORDER BY ordinal_position",
    )
    .await;
    assert_eq!(
        types,
        [
            "id bigint",
            "mail text",
            "active boolean",
            "born date",
            "joined timestamp with time zone",
            "settings jsonb",
            "picture bytea",
            "boss bigint",
            "balance numeric",
            "token uuid",
            "points bigint"
        ]
    );
    let constraints = "SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
                       AND conrelid::regclass::text IN ('users', 'orders', 'lines') AND contype IN ('p', 'u', 'f') ORDER BY 1";
    assert_eq!(
        texts(&new, constraints).await,
        [
            "fk_lines_order_id",
            "fk_orders_user_id",
            "fk_users_boss",
            "pk_lines",
            "pk_orders",
            "pk_users",
            "uq_users_mail"
        ]
    );
    assert_eq!(
        texts(
            &new,
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'users_joined'"
        )
        .await,
        ["CREATE INDEX users_joined ON public.users USING btree (joined DESC)"]
    );
    let next = "INSERT INTO users (mail) VALUES ('new@x') RETURNING id || ' ' || active";
    assert_eq!(texts(&new, next).await, ["41 true"], "40 was given once");
    assert_eq!(
        texts(&new, "INSERT INTO orders DEFAULT VALUES RETURNING id::text").await,
        ["6"]
    );

    // a finished transfer is not done again
    let again = Transfer::new(&old, &new).rejects(&file.0).run().await?;
    assert_eq!(
        (again.written(), again.rejected(), again.resumed),
        (report.written(), 24, true)
    );
    assert_eq!(file.rejects().len(), 24);
    orm_migrate::transfer::forget(&new).await?;
    assert_eq!(
        texts(
            &new,
            "SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'orm%'"
        )
        .await,
        [""; 0]
    );
    let refused = Transfer::new(&old, &new).run().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    assert!(refused.to_string().contains("has rows already"), "{refused}");
    Ok(())
}

#[orm::test(requires = |f| f.schemas)]
async fn rules_save_rows(new: Db) -> orm::Result<()> {
    let old = legacy(FILE).await;
    let transfer = Transfer::new(&old, &new)
        .only("users")
        .rule("users.active: boolean via or_null".parse()?)
        .rule("users.born: text".parse()?)
        .rule("users.joined: timestamp via dates(%d/%m/%Y), or_null".parse()?)
        .rule("users.settings: text via strip_nul".parse()?)
        .rule("users.balance: numeric(10,2) via round".parse()?)
        .rule("users.token -> old_token: text via latin1, strip_nul".parse()?)
        .rule(Rule::new("users", "p*").skip())
        .rule(
            Rule::new("users", "mail")
                .via(Convert::StripNul)
                .via(Convert::Latin1),
        )
        .rule(Rule::new("users", "boss").to_type("text"));
    let file = Place::new("rules");
    let report = transfer.rejects(&file.0).run().await?;
    whole(&report);
    assert_eq!(said(&file.rejects()), [""; 0]);
    // the type of `boss` no longer fits the key, and its constraint cannot be
    let bosses = "SELECT count(*)::text FROM users WHERE boss IS NOT NULL";
    assert_eq!(texts(&new, bosses).await, ["5"]);
    let rows = "SELECT concat_ws('|', id, mail, balance, active, settings, old_token) FROM users \
                WHERE id IN (2, 10, 14, 18, 19, 25) ORDER BY id";
    assert_eq!(
        texts(&new, rows).await,
        [
            "2|ben@x|7.25|t|5|\u{11}\"3DUfw\u{88}\u{99}ª»ÌÝîÿ",
            "10|a@x",
            "14|e@x|1.01|t",
            "18|nulinside|t",
            "19|é|t",
            "25|n@x|t|{\"s\": \"\\u0000\"}",
        ]
    );
    let joined =
        "SELECT id || ' ' || coalesce(joined::text, '') FROM users WHERE id IN (2, 12, 20) ORDER BY id";
    assert_eq!(
        texts(&new, joined).await,
        ["2 2001-02-03 04:05:06", "12 2005-04-03 00:00:00", "20 "]
    );
    assert!(
        report
            .left_out
            .contains(&"users: the foreign key (boss) to users, whose columns have other types".to_owned())
    );
    Ok(())
}

#[orm::test(requires = |f| f.schemas)]
async fn a_dry_run_tells_and_writes_nothing(new: Db) -> orm::Result<()> {
    let old = legacy(FILE).await;
    let file = Place::new("dry");
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let report = Transfer::new(&old, &new)
        .rejects(&file.0)
        .on_progress({
            let told = told.clone();
            move |p| {
                told.lock()
                    .unwrap()
                    .push((p.to_string(), p.rows, p.total, p.left.is_some()))
            }
        })
        .dry_run()
        .await?;
    assert_eq!(tables(&new).await, [""; 0]);
    assert!(report.dry_run && report.accounts());
    let users = report.table("users").unwrap();
    let column = |name: &str| users.columns.iter().find(|c| c.source == name).unwrap();
    let found = |name: &str| -> Vec<String> {
        column(name)
            .found
            .iter()
            .map(|(k, n)| format!("{k} {n}"))
            .collect()
    };
    assert_eq!(
        found("born"),
        [
            "DD.MM.YYYY 1",
            "YYYY-MM-DD 1",
            "YYYY/MM/DD 1",
            "null 14",
            "text 2"
        ]
    );
    assert_eq!(found("active"), ["integer 16", "text 3"]);
    assert_eq!(column("joined").target_type, "timestamp with time zone");
    let suspects: Vec<String> = users
        .suspects
        .iter()
        .map(|s| format!("{:?} {}", s.column, s.rows))
        .collect();
    assert_eq!(suspects, [r#"Some("boss") 1"#]);
    // what only shows when the rows are together is not among them
    assert_eq!(
        file.rejects().len(),
        REJECTED.iter().filter(|r| !r.ends_with("orphan")).count()
    );
    let told = told.lock().unwrap();
    assert!(
        told.iter()
            .all(|(_, rows, total, _)| rows <= total && *total == 34)
    );
    assert!(told.last().is_some_and(|(_, rows, ..)| *rows == 34), "{told:?}");
    let markdown = report.to_markdown();
    for line in [
        "# Dry run of a transfer: sqlite → postgres",
        "| users | 19 | 19 | 6 | 13 | – | – |",
        "| users | active | boolean | 1 |",
        "| users.born | DATE | born date | DD.MM.YYYY: 1, YYYY-MM-DD: 1, YYYY/MM/DD: 1, null: 14, text: 2 |",
    ] {
        assert!(markdown.contains(line), "{line}\n{markdown}");
    }
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    Ok(())
}

/// Characters that mean something to COPY, to SQL or to JSON come out as they went in.
#[orm::test(requires = |f| f.schemas)]
async fn hostile_texts(new: Db) -> orm::Result<()> {
    let mut hostile: Vec<String> = [
        "",
        " ",
        "\\",
        "\\\\",
        "\\N",
        "\\.",
        "\\.\n",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\u{8}\u{c}\u{b}",
        "'",
        "''",
        "\"",
        "$1",
        "$$",
        "{1}",
        "NULL",
        "--",
        "/*",
        ";",
        "DROP TABLE t",
        "\u{feff}",
        "\u{200b}",
        "\u{1f980}",
        "é",
        "e\u{301}",
        "\u{10ffff}",
        "\\x41",
        "\\101",
        "a\tb\\\tc",
        "%s",
        "\u{1}\u{7f}",
    ]
    .map(str::to_owned)
    .to_vec();
    // every ASCII character but NUL, behind a backslash
    hostile.push((1..128_u8).map(|b| format!("\\{}", char::from(b))).collect());
    let old =
        legacy(&["CREATE TABLE \"odd \"\"name\" (n INTEGER PRIMARY KEY, \"col \"\"umn\" TEXT, b BLOB)"])
            .await;
    for (n, text) in hostile.iter().enumerate() {
        let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
        let insert = format!("INSERT INTO \"odd \"\"name\" VALUES ({n}, CAST(X'{hex}' AS TEXT), X'{hex}')");
        crate::support::exec(&old, &insert).await?;
    }
    let report = Transfer::new(&old, &new).batch(7).run().await?;
    whole(&report);
    assert_eq!(report.rejected(), 0);
    let back = texts(&new, "SELECT \"col \"\"umn\" FROM \"odd \"\"name\" ORDER BY n").await;
    assert_eq!(back, hostile);
    let bytes = texts(
        &new,
        "SELECT encode(b, 'hex') FROM \"odd \"\"name\" WHERE convert_to(\"col \"\"umn\", 'UTF8') = b",
    )
    .await;
    assert_eq!(bytes.len(), hostile.len());
    Ok(())
}
