use std::time::Duration;

use orm_core::driver::Runner;
use orm_core::error::{Error, ErrorKind};
use orm_core::sql::{Effort, Sql};
use orm_core::value::{
    Cells, Date, DecimalParts, EnumType, LocalTimestamp, TimeOfDay, Timestamp, Type, Value,
};
use orm_sqlite::{ReadMode, SqliteOptions};

use crate::support::*;

static COLOURS: EnumType = EnumType {
    schema: None,
    name: "colour",
    labels: &["red"],
};

async fn one<T: Send + 'static>(
    value: Value,
    get: impl Fn(&dyn Cells) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let db = SqliteOptions::in_memory().connect().await?;
    let (out, seen) = std::sync::mpsc::channel();
    let sink = Each(move |cells: &dyn Cells| {
        out.send(get(cells)?).unwrap();
        Ok(())
    });
    db.run(read("SELECT ?1", vec![value]), Box::new(sink)).await?;
    Ok(seen.recv().unwrap())
}

#[tokio::test]
async fn every_type_goes_and_comes() {
    macro_rules! same {
        ($value:expr, $getter:ident, $expect:expr) => {
            assert_eq!(one($value, |c| c.$getter(0)).await.unwrap(), Some($expect));
        };
    }
    same!(Value::Bool(true), bool, true);
    same!(Value::I16(i16::MIN), i64, i64::from(i16::MIN));
    same!(Value::I64(i64::MAX), i64, i64::MAX);
    same!(Value::F64(f64::INFINITY), f64, f64::INFINITY);
    same!(Value::F32(0.5), f64, 0.5);
    same!(Value::Uuid([7; 16]), uuid, [7; 16]);
    let instant = Timestamp::from_micros(1_700_000_000_123_456);
    same!(Value::Timestamp(instant), timestamp, instant);
    let local = LocalTimestamp::from_micros(-1);
    same!(Value::LocalTimestamp(local), local_timestamp, local);
    let date = Date::from_ymd(2024, 2, 29).unwrap();
    same!(Value::Date(date), date, date);
    let time = TimeOfDay::from_micros(86_399_999_999).unwrap();
    same!(Value::Time(time), time, time);
    let number = DecimalParts {
        mantissa: -12_345,
        scale: 2,
    };
    same!(Value::Decimal(number), decimal, number);
    for (value, text) in [
        (Value::Text("ünï".into()), "ünï"),
        (Value::Str(""), ""),
        (Value::Json("{\"a\":1}".into()), "{\"a\":1}"),
        (Value::Enum(&COLOURS, "red"), "red"),
    ] {
        let got = one(value, |c| Ok(c.text(0)?.map(str::to_owned))).await.unwrap();
        assert_eq!(got.as_deref(), Some(text));
    }
    for bytes in [vec![], vec![0, 255, 0]] {
        let got = one(Value::Bytes(bytes.clone()), |c| {
            Ok(c.bytes(0)?.map(<[u8]>::to_vec))
        })
        .await
        .unwrap();
        assert_eq!(got, Some(bytes));
    }
    assert_eq!(one(Value::Null(Type::I64), |c| c.i64(0)).await.unwrap(), None);
    assert!(one(Value::Null(Type::I64), |c| Ok(c.is_null(0))).await.unwrap());
}

#[tokio::test]
async fn wrong_storage_is_an_error_and_never_a_guess() {
    let wrong = [
        one(Value::I64(2), |c| c.bool(0).map(drop)).await,
        one(Value::Str("t"), |c| c.bool(0).map(drop)).await,
        one(Value::Str("1"), |c| c.i64(0).map(drop)).await,
        one(Value::I64(i64::MAX), |c| c.f64(0).map(drop)).await,
        one(Value::I64(1), |c| c.text(0).map(drop)).await,
        one(Value::Str("x"), |c| c.bytes(0).map(drop)).await,
        one(Value::Bytes(vec![1; 15]), |c| c.uuid(0).map(drop)).await,
        one(Value::Str("infinity"), |c| c.timestamp(0).map(drop)).await,
        one(Value::F64(1.5), |c| c.decimal(0).map(drop)).await,
        one(Value::I64(1), |c| c.i64(1).map(drop)).await,
    ];
    for (i, result) in wrong.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Decode, "case {i}");
    }
    let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    assert_eq!(
        one(Value::Str(text), |c| c.uuid(0)).await.unwrap().unwrap()[0],
        0x67
    );
    let db = SqliteOptions::in_memory().connect().await.unwrap();
    let sink = Each(|cells: &dyn Cells| cells.text(0).map(drop));
    let e = db
        .run(read("SELECT CAST(x'ff' AS TEXT)", vec![]), Box::new(sink))
        .await
        .err()
        .unwrap();
    assert_eq!(e.kind(), ErrorKind::Decode);
    // The connection is as good as before.
    assert_eq!(get(&*db, "SELECT 7").await, [7]);
}

#[tokio::test]
async fn a_scaled_integer_is_read_with_its_scale() {
    let db = SqliteOptions::in_memory().connect().await.unwrap();
    let mut sql = read("SELECT 1250", vec![]);
    sql.columns = [Type::Decimal(10, 2)].into();
    let sink = Each(|cells: &dyn Cells| {
        assert_eq!(
            cells.decimal(0)?,
            Some(DecimalParts {
                mantissa: 1250,
                scale: 2
            })
        );
        assert_eq!(cells.len(), 1);
        assert_eq!((cells.position("1250"), cells.position("x")), (Some(0), None));
        Ok(())
    });
    db.run(sql, Box::new(sink)).await.unwrap();
}

#[tokio::test]
async fn errors_have_their_kind_and_no_values() {
    let db = SqliteOptions::in_memory().connect().await.unwrap();
    exec(&*db, "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT")
        .await
        .unwrap();
    exec(
        &*db,
        "CREATE TABLE c (id INTEGER PRIMARY KEY, e TEXT NOT NULL UNIQUE, a INTEGER CONSTRAINT ck_a CHECK (a > 0), \
         p INTEGER REFERENCES p) STRICT",
    )
    .await
    .unwrap();
    exec(&*db, "INSERT INTO c VALUES (1, 'secret', 1, NULL)")
        .await
        .unwrap();
    for (text, kind) in [
        (
            "INSERT INTO c VALUES (2, 'secret', 1, NULL)",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO c VALUES (1, 'secret2', 1, NULL)",
            ErrorKind::UniqueViolation,
        ),
        (
            "INSERT INTO c VALUES (2, NULL, 1, NULL)",
            ErrorKind::NotNullViolation,
        ),
        (
            "INSERT INTO c VALUES (2, 'secret2', -1, NULL)",
            ErrorKind::CheckViolation,
        ),
        (
            "INSERT INTO c VALUES (2, 'secret2', 1, 99)",
            ErrorKind::ForeignKeyViolation,
        ),
        (
            "INSERT INTO c VALUES (2, 'secret2', 'secret3', NULL)",
            ErrorKind::OutOfRange,
        ),
        ("INSERT INTO missing VALUES (1)", ErrorKind::UndefinedObject),
        ("INSERT INTO c (missing) VALUES (1)", ErrorKind::UndefinedObject),
        ("INSRT INTO c VALUES ('secret')", ErrorKind::Syntax),
        ("INSERT INTO c VALUES ('secret", ErrorKind::Syntax),
        (
            "INSERT INTO c SELECT sum(v), 'x', 1, NULL FROM (SELECT 9223372036854775807 v UNION ALL SELECT 1)",
            ErrorKind::OutOfRange,
        ),
        ("DELETE FROM c; DELETE FROM p", ErrorKind::Syntax),
        ("DELETE FROM c WHERE e = \"secret\"", ErrorKind::UndefinedObject),
        ("DELETE FROM c -- \0", ErrorKind::Syntax),
        ("DELETE FROM c WHERE id = ?1", ErrorKind::InvalidQuery),
        ("", ErrorKind::Syntax),
        ("BEGIN", ErrorKind::TransactionState),
    ] {
        let e = exec(&*db, text).await.unwrap_err();
        assert_eq!(e.kind(), kind, "{text}: {e:?}");
        assert!(!format!("{e:?}").contains("secret"), "{e:?}");
    }
    let e = exec(&*db, "INSERT INTO c VALUES (2, 'secret', 1, NULL)")
        .await
        .unwrap_err();
    assert_eq!((e.table(), e.columns()), (Some("c"), &["e".to_owned()][..]));
    let e = exec(&*db, "INSERT INTO c VALUES (2, 'x', -1, NULL)")
        .await
        .unwrap_err();
    assert_eq!(e.constraint(), Some("ck_a"));
    assert_eq!(exec(&*db, "DELETE FROM c; -- all of them").await.unwrap(), 1);
    assert_eq!(get(&*db, "SELECT count(*) FROM c").await, [0]);
}

#[tokio::test]
async fn counts_are_of_this_statement() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 10).await;
    assert_eq!(exec(&*db, "UPDATE t SET n = 0 WHERE id > 4").await.unwrap(), 6);
    assert_eq!(
        exec(&*db, "CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT")
            .await
            .unwrap(),
        0
    );
    assert_eq!(exec(&*db, "DELETE FROM t WHERE id = 99").await.unwrap(), 0);
    let done = db
        .run(
            write("INSERT INTO t (n) VALUES (1), (2) RETURNING id", vec![]),
            ints(),
        )
        .await
        .unwrap();
    assert_eq!((done.affected, taken(done.sink)), (2, vec![11, 12]));
    assert_eq!(
        db.run(read("SELECT id FROM t", vec![]), ints())
            .await
            .unwrap()
            .affected,
        0
    );
}

#[tokio::test]
async fn a_read_that_writes_is_refused() {
    let folder = Folder::new();
    for options in [folder.options(), SqliteOptions::in_memory()] {
        let db = table(options).await;
        for effort in [Effort::Short, Effort::Rows, Effort::Long] {
            let sql = statement("INSERT INTO t VALUES (1, 1)", vec![], effort, false);
            assert_eq!(
                db.run(sql, ints()).await.err().unwrap().kind(),
                ErrorKind::ReadOnly
            );
        }
        assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [0]);
    }
}

#[tokio::test]
async fn all_modes_and_efforts_give_the_same_rows() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 20_000).await;
    db_close(db).await;
    let expected: Vec<i64> = (1..=20_000).collect();
    for mode in [ReadMode::Adaptive, ReadMode::Inline, ReadMode::Offload] {
        let db = folder.options().read_mode(mode).connect().await.unwrap();
        for effort in [Effort::Short, Effort::Rows, Effort::Long] {
            let done = db
                .run(
                    statement("SELECT id FROM t ORDER BY id", vec![], effort, false),
                    ints(),
                )
                .await
                .unwrap();
            assert!(taken(done.sink) == expected, "{mode:?} {effort:?}");
            // Long without a row, then rows far apart.
            let text = "SELECT id FROM t WHERE id % 7000 = 0 ORDER BY id";
            let done = db
                .run(statement(text, vec![], effort, false), ints())
                .await
                .unwrap();
            assert_eq!(taken(done.sink), [7000, 14_000]);
            // A row at once, then long none: what was begun here is replayed there.
            let text = "SELECT id FROM t WHERE id < 3 OR id % 7000 = 0 ORDER BY id";
            let done = db
                .run(statement(text, vec![], effort, false), ints())
                .await
                .unwrap();
            assert_eq!(taken(done.sink), [1, 2, 7000, 14_000]);
            let mut tx = begin(&db).await;
            let done = tx
                .run(statement(text, vec![], effort, false), ints())
                .await
                .unwrap();
            assert_eq!(taken(done.sink), [1, 2, 7000, 14_000]);
            tx.open_cursor(statement(text, vec![], effort, false))
                .await
                .unwrap();
            assert_eq!(
                taken(tx.fetch_cursor(ints()).await.unwrap().0),
                [1, 2, 7000, 14_000]
            );
            tx.rollback().await.unwrap();
            let sink = Box::new(Ints {
                wants: Some(3),
                ..Ints::default()
            });
            let done = db
                .run(
                    statement("SELECT id FROM t ORDER BY id", vec![], effort, false),
                    sink,
                )
                .await
                .unwrap();
            assert_eq!(taken(done.sink), [1, 2, 3]);
        }
        db_close(db).await;
    }
}

#[tokio::test]
async fn run_all_is_one_unit() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    let batch = (1..=5)
        .map(|i| write("INSERT INTO t VALUES (?1, 0) RETURNING id", vec![Value::I64(i)]))
        .collect();
    let done = db.run_all(batch, ints()).await.unwrap();
    assert_eq!((done.affected, taken(done.sink)), (5, vec![1, 2, 3, 4, 5]));
    let batch = (6..=9)
        .chain([1])
        .map(|i| write("INSERT INTO t VALUES (?1, 0)", vec![Value::I64(i)]))
        .collect();
    let e = db.run_all(batch, ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [5]);
    let batch = vec![
        write("DELETE FROM t", vec![]),
        write("COMMIT", vec![]),
        write("DELETE FROM t", vec![]),
    ];
    assert_eq!(
        db.run_all(batch, ints()).await.err().unwrap().kind(),
        ErrorKind::TransactionState
    );
    let reads = vec![read("SELECT 1", vec![]), read("SELECT 2", vec![])];
    assert_eq!(taken(db.run_all(reads, ints()).await.unwrap().sink), [1, 2]);
    assert_eq!(db.run_all(vec![], ints()).await.unwrap().affected, 0);
}

#[tokio::test]
async fn more_texts_than_the_cache_holds() {
    let db = SqliteOptions::in_memory().connect().await.unwrap();
    for round in 0..2 {
        for i in 0..300 {
            assert_eq!(get(&*db, &format!("SELECT {i}")).await, [i], "{round}");
        }
    }
}

#[tokio::test]
async fn a_failing_or_panicking_sink_leaves_a_clean_connection() {
    let folder = Folder::new();
    for options in [folder.options(), SqliteOptions::in_memory()] {
        let db = table(options).await;
        fill(&db, 5000).await;
        for effort in [Effort::Short, Effort::Rows, Effort::Long] {
            let mut n = 0;
            let failing = Each(move |_: &dyn Cells| {
                n += 1;
                if n > 100 {
                    Err(Error::not_found("Thing"))
                } else {
                    Ok(())
                }
            });
            let sql = || statement("SELECT id FROM t", vec![], effort, false);
            let e = db.run(sql(), Box::new(failing)).await.err().unwrap();
            assert_eq!(e.kind(), ErrorKind::NotFound);
            let panicking = Each(|_: &dyn Cells| panic!("in a sink"));
            let (db2, sql) = (db.clone(), sql());
            let task = tokio::spawn(async move { db2.run(sql, Box::new(panicking)).await.map(drop) });
            assert!(task.await.unwrap_err().is_panic());
            assert_eq!(get(&*db, "SELECT count(*) FROM t").await, [5000]);
        }
    }
}

async fn db_close(db: std::sync::Arc<orm_sqlite::Sqlite>) {
    orm_core::driver::Driver::close(&*db).await;
}

#[tokio::test]
async fn a_time_limit_reaches_into_one_long_operation() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 10).await;
    exec(&*db, "CREATE TABLE wide (id INTEGER PRIMARY KEY, pad BLOB)")
        .await
        .unwrap();
    // two rows a page: a count has many pages to read
    let rows = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000) \
                INSERT INTO wide SELECT i, zeroblob(1800) FROM r";
    exec(&*db, rows).await.unwrap();
    let limit = Duration::from_millis(1);
    let db = folder.options().statement_timeout(limit).connect().await.unwrap();
    // counting a whole table is one operation, in which SQLite asks nobody
    let count = statement("SELECT count(*) FROM wide", vec![], Effort::Long, false);
    let e = db.run(count, ints()).await.err().unwrap();
    assert_eq!(
        (e.kind(), e.code()),
        (ErrorKind::StatementTimeout, Some("SQLITE_INTERRUPT"))
    );
    assert!(e.message().contains("statement_timeout"), "{e}");
    assert_eq!(get(&*db, "SELECT n FROM t WHERE id = 7").await, [7]);
}

#[tokio::test]
async fn a_time_limit_holds_on_the_callers_thread_and_for_cursors() {
    let folder = Folder::new();
    let limit = Duration::from_millis(20);
    let options = folder.options().statement_timeout(limit);
    let endless =
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i FROM r WHERE i < 0";
    let db = table(options.clone().read_mode(ReadMode::Inline)).await;
    let e = db.run(read(endless, vec![]), ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::StatementTimeout);
    for mode in [ReadMode::Adaptive, ReadMode::Offload] {
        let db = options.clone().read_mode(mode).connect().await.unwrap();
        let mut tx = begin(&db).await;
        tx.open_cursor(statement(endless, vec![], Effort::Rows, false))
            .await
            .unwrap();
        let e = tx.fetch_cursor(ints()).await.err().unwrap();
        assert_eq!(e.kind(), ErrorKind::StatementTimeout);
        tx.rollback().await.unwrap();
        exec(&*db, "DELETE FROM t").await.unwrap();
    }
}

#[tokio::test]
async fn statements_of_a_batch_each_store_their_own_values() {
    let folder = Folder::new();
    let db = folder.options().connect().await.unwrap();
    let text = "CREATE TABLE v (id INTEGER PRIMARY KEY, a TEXT, b BLOB, t TEXT) STRICT";
    db.run(write(text, vec![]), ints()).await.unwrap();
    let insert = |values| write("INSERT INTO v VALUES (?1, ?2, ?3, ?4), (?5, ?6, ?7, ?8)", values);
    let row = |id: i64, length: usize, at: Option<i64>| {
        [
            Value::I64(id),
            Value::Text("é".repeat(length)),
            Value::Bytes(vec![id as u8; length]),
            at.map_or(Value::Null(Type::Timestamp), |s| {
                Value::Timestamp(Timestamp::from_micros(s * 1_000_000))
            }),
        ]
    };
    // two statements in turn and one after itself, values of all lengths, a changing number of instants
    let mut batch = Vec::new();
    for id in (1..=40).step_by(2) {
        let length = (id as usize * 37) % 200;
        let (first, second) = ((id % 4 == 1).then_some(id), (id % 3 == 0).then_some(id + 1));
        batch.push(insert(
            [row(id, length, first), row(id + 1, 200 - length, second)].concat(),
        ));
        if id % 10 == 1 {
            let a = Value::Text(format!("changed {id}"));
            batch.push(write(
                "UPDATE v SET a = ?1 WHERE id = ?2",
                vec![a, Value::I64(id)],
            ));
        }
    }
    db.run_all(batch, ints()).await.unwrap();
    for id in 1..=40i64 {
        let odd = id % 2 == 1;
        let pair = if odd { id } else { id - 1 };
        let length = (pair as usize * 37) % 200;
        let length = if odd { length } else { 200 - length };
        let at = match odd {
            true => pair % 4 == 1,
            false => pair % 3 == 0,
        };
        let sql = read("SELECT a, b, t FROM v WHERE id = ?1", vec![Value::I64(id)]);
        let seen = Each(move |cells: &dyn Cells| {
            let changed = id % 10 == 1;
            let a = match changed {
                true => format!("changed {id}"),
                false => "é".repeat(length),
            };
            assert_eq!(cells.text(0)?, Some(a.as_str()), "{id}");
            assert_eq!(cells.bytes(1)?, Some(&vec![id as u8; length][..]), "{id}");
            let instant = at.then(|| Timestamp::from_micros(id * 1_000_000));
            assert_eq!(cells.timestamp(2)?, instant, "{id}");
            Ok(())
        });
        db.run(sql, Box::new(seen)).await.unwrap();
    }

    // what cannot be bound ends the batch, and the statement serves the next one
    let refused = [
        row(41, 3, Some(41)),
        [
            Value::I64(42),
            Value::Text("a\0b".into()),
            Value::Bytes(vec![]),
            Value::Null(Type::Text),
        ],
    ];
    let whole = || [row(43, 5, None), row(44, 0, Some(44))].concat();
    let batch = vec![insert(whole()), insert(refused.concat())];
    let e = db.run_all(batch, ints()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Encode);
    assert_eq!(get(&*db, "SELECT count(*) FROM v").await, [40]);
    db.run_all(vec![insert(whole()), read("SELECT 1", vec![])], ints())
        .await
        .unwrap();
    let sum = "SELECT sum(id) + sum(length(a)) FROM v WHERE id > 40";
    assert_eq!(get(&*db, sum).await, [43 + 44 + 5]);
}

/// A unit is begun on the caller's thread and ended on another one when that takes too long, when a value is large, or
/// when somebody else writes. Either way it is applied as a whole or not at all.
#[tokio::test]
async fn a_unit_that_goes_on_elsewhere_is_still_one() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    // the log has to have begun
    exec(&*db, "INSERT INTO t VALUES (-1, 0)").await.unwrap();
    let count = "SELECT count(*) FROM t";
    // from what ends here to what does not
    for (i, statements) in [1, 2, 8, 32, 33, 400].into_iter().enumerate() {
        let from = i as i64 * 100_000;
        let mut taken = rows(from, statements);
        taken.extend(rows(from, 1));
        let e = db.run_all(taken, ints()).await.err().unwrap();
        assert_eq!(e.kind(), ErrorKind::UniqueViolation);
        assert_eq!(get(&*db, count).await, [1], "{statements}");
        let done = db.run_all(rows(from, statements), ints()).await.unwrap();
        assert_eq!(done.affected as i64, statements * 64);
        assert_eq!(get(&*db, count).await, [1 + statements * 64]);
        exec(&*db, "DELETE FROM t WHERE id >= 0").await.unwrap();
    }

    exec(&*db, "CREATE TABLE b (id INTEGER PRIMARY KEY, b BLOB) STRICT")
        .await
        .unwrap();
    let insert = |id, size| {
        let values = vec![Value::I64(id), Value::Bytes(vec![7; size])];
        Sql {
            operation: "INSERT",
            ..statement("INSERT INTO b VALUES (?1, ?2)", values, Effort::Rows, true)
        }
    };
    let large = vec![insert(1, 10), insert(2, 3 << 20), insert(3, 10)];
    assert_eq!(db.run_all(large, ints()).await.unwrap().affected, 3);
    let mut tx = begin(&db).await;
    let large = vec![insert(4, 10), insert(5, 3 << 20), insert(6, 10)];
    assert_eq!(tx.run_all(large, ints()).await.unwrap().affected, 3);
    assert_eq!(tx.run(insert(7, 3 << 20), ints()).await.unwrap().affected, 1);
    tx.commit().await.unwrap();
    let sizes = "SELECT length(b) FROM b ORDER BY id";
    let (s, l) = (10, 3 << 20);
    assert_eq!(get(&*db, sizes).await, [s, l, s, s, l, s, l]);

    let other = folder.options().connect().await.unwrap();
    let held = begin(&other).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        held.rollback().await.unwrap();
    };
    let (done, ()) = tokio::join!(db.run_all(rows(0, 2), ints()), release);
    assert_eq!(done.unwrap().affected, 128);
    assert_eq!(get(&*db, count).await, [129]);
}
