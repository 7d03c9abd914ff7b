//! What is known when an answer does not come: who is told what, and what becomes of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use orm::{Db, Tx, sql};
use orm_core::driver::{Driver, PoolConfig, PrePing, Runner, TxMode};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::Sql;
use orm_core::value::{Type, Value};
use orm_postgres::Postgres;

use crate::proxy::{Fault, Proxy};
use crate::support::{collected, connect, eventually, exec, number, options, rows, sessions, sql};

/// A connection through the proxy, and one beside it.
async fn both(name: &str) -> (Proxy, Arc<Postgres>, Arc<Postgres>) {
    let proxy = Proxy::start().await;
    let admin = connect(&format!("{name}_admin"), 1).await;
    for ddl in [
        format!("DROP TABLE IF EXISTS {name}"),
        format!("CREATE TABLE {name} (tag text)"),
    ] {
        exec(&*admin, &ddl).await.unwrap();
    }
    let db = proxy.through(options(name, 1)).connect().await.unwrap();
    // from here on the statement is prepared: its tag goes by with Bind and Execute, and nothing else does
    db.run(insert(name, "first"), rows(&[])).await.unwrap();
    exec(&*admin, &format!("TRUNCATE {name}")).await.unwrap();
    (proxy, db, admin)
}

fn insert(table: &str, tag: &str) -> Sql {
    let text = format!("INSERT INTO {table} VALUES ($1)");
    sql(&text, vec![Value::Text(tag.into())], vec![])
}

/// Whether the row is there, now or when the server has done what it still has to do.
async fn arrives(admin: &Postgres, table: &str, tag: &str) -> bool {
    let text = format!("SELECT count(*) FROM {table} WHERE tag = '{tag}'");
    eventually(Duration::from_millis(500), async || {
        number(admin, &text).await == 1
    })
    .await
}

#[tokio::test]
async fn a_write_without_an_answer_counts_as_sent_and_is_not_run_again() {
    let (proxy, db, admin) = both("lost_write").await;
    for (tag, fault, happens) in [
        ("answer", Fault::CutAnswer(0), true),
        ("request", Fault::CutRequest, false),
    ] {
        proxy.on(tag, fault, 9);
        let e = db.run(insert("lost_write", tag), rows(&[])).await.err().unwrap();
        assert_eq!((e.kind(), e.was_sent()), (ErrorKind::ConnectionLost, Some(true)));
        assert!(!e.is_retryable());
        assert_eq!(proxy.times_met(), 1, "it was run again");
        assert_eq!(arrives(&admin, "lost_write", tag).await, happens, "{tag}");
        db.run(insert("lost_write", "next"), rows(&[])).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_without_an_answer_is_run_again_once() {
    let (proxy, db, _) = both("lost_read").await;
    let read = async || {
        let sql = sql("SELECT $1", vec![Value::Text("seven".into())], vec![Type::Text]);
        db.run(sql, rows(&[Type::Text]))
            .await
            .map(|done| collected(done.sink))
    };
    read().await.unwrap();
    proxy.on("seven", Fault::CutAnswer(0), 1);
    assert_eq!(read().await.unwrap(), [[Value::Text("seven".into())]]);
    assert_eq!(proxy.times_met(), 1);
    proxy.on("seven", Fault::CutAnswer(0), 9);
    assert_eq!(read().await.unwrap_err().kind(), ErrorKind::ConnectionLost);
    assert_eq!(proxy.times_met(), 2);
}

#[tokio::test]
async fn before_a_transaction_is_open_nothing_was_sent() {
    let (proxy, db, _) = both("lost_begin").await;
    proxy.on("BEGIN", Fault::CutAnswer(0), 9);
    let e = db.begin(TxMode::default()).await.err().unwrap();
    assert_eq!((e.kind(), e.was_sent()), (ErrorKind::ConnectionLost, Some(false)));
    assert!(e.is_retryable());
    assert_eq!(proxy.times_met(), 2, "a dead connection is replaced once");
    proxy.on("BEGIN", Fault::CutAnswer(0), 1);
    db.begin(TxMode::default())
        .await
        .unwrap()
        .rollback()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_commit_without_an_answer_is_unknown() {
    let (proxy, db, admin) = both("lost_commit").await;
    for (tag, fault, happens) in [
        ("answer", Fault::CutAnswer(0), true),
        ("half an answer", Fault::CutAnswer(20), true),
        ("request", Fault::CutRequest, false),
    ] {
        let mut tx = db.begin(TxMode::default()).await.unwrap();
        tx.run(insert("lost_commit", tag), rows(&[])).await.unwrap();
        proxy.on("COMMIT", fault, 1);
        let e = tx.commit().await.unwrap_err();
        assert_eq!(
            (e.kind(), e.was_sent()),
            (ErrorKind::CommitUnknown, Some(true)),
            "{tag}"
        );
        assert!(!e.is_retryable());
        assert_eq!(arrives(&admin, "lost_commit", tag).await, happens, "{tag}");
    }
}

#[tokio::test]
async fn a_transaction_that_lost_its_connection_before_commit_is_run_again() {
    let (proxy, driver, admin) = both("lost_retry").await;
    let db = Db::new(driver);
    for (tag, text, fault) in [
        ("begin", "BEGIN", Fault::CutAnswer(0)),
        ("statement", "statement 1", Fault::CutRequest),
        ("answer", "answer 1", Fault::CutAnswer(0)),
        // inside a savepoint: the whole is run again, not the savepoint alone
        ("savepoint", "savepoint 2", Fault::CutAnswer(0)),
    ] {
        let (runs, inner) = (AtomicUsize::new(0), AtomicUsize::new(0));
        proxy.on(text, fault, 1);
        let outcome: Result<()> = db
            .tx()
            .retry(3)
            .run(async |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                write(tx, format!("{tag} 1")).await?;
                tx.savepoint(async |savepoint| {
                    inner.fetch_add(1, Ordering::SeqCst);
                    write(savepoint, format!("{tag} 2")).await
                })
                .await
            })
            .await;
        outcome.unwrap_or_else(|e| panic!("{tag}: {e}"));
        assert_eq!(proxy.times_met(), 1, "{tag}");
        let twice = if tag == "begin" { 1 } else { 2 };
        assert_eq!(runs.load(Ordering::SeqCst), twice, "{tag}");
        let text = format!("SELECT count(*) FROM lost_retry WHERE tag LIKE '{tag} %'");
        assert_eq!(number(&*admin, &text).await, 2, "{tag}: once, and whole");
        let inner = inner.load(Ordering::SeqCst);
        assert_eq!(inner, if tag == "savepoint" { 2 } else { 1 }, "{tag}");
    }
}

#[tokio::test]
async fn a_transaction_whose_commit_has_no_answer_is_not_run_again() {
    let (proxy, driver, admin) = both("lost_no_retry").await;
    let db = Db::new(driver);
    for (tag, fault, happens) in [
        ("answer", Fault::CutAnswer(0), true),
        ("request", Fault::CutRequest, false),
    ] {
        let runs = AtomicUsize::new(0);
        proxy.on("COMMIT", fault, 9);
        let outcome: Result<()> = db
            .tx()
            .retry(3)
            .run(async |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                sql!("INSERT INTO lost_no_retry VALUES ({tag})")
                    .exec(tx)
                    .await
                    .map(|_| ())
            })
            .await;
        let e = outcome.unwrap_err();
        assert_eq!(
            (e.kind(), e.was_sent()),
            (ErrorKind::CommitUnknown, Some(true)),
            "{tag}"
        );
        assert_eq!((runs.load(Ordering::SeqCst), proxy.times_met()), (1, 1), "{tag}");
        assert_eq!(arrives(&admin, "lost_no_retry", tag).await, happens, "{tag}");
    }
}

async fn write(tx: &Tx, tag: String) -> Result<()> {
    sql!("INSERT INTO lost_retry VALUES ({tag})")
        .exec(tx)
        .await
        .map(|_| ())
}

/// Starts an operation whose answer is held back, drops it, and looks at what is left of its connection.
async fn dropped(name: &str, text: &str, operation: impl AsyncFn(&Postgres) -> Result<()>) {
    let (proxy, db, admin) = both(name).await;
    let before = proxy.clients_gone();
    proxy.on(text, Fault::HoldAnswer, 1);
    tokio::select! {
        done = operation(&db) => panic!("{text}: it has an answer: {done:?}"),
        () = proxy.met() => {}
    }
    let closed = async || proxy.clients_gone() > before;
    assert!(
        eventually(Duration::from_secs(1), closed).await,
        "{text}: the connection is not closed"
    );
    let ended = async || sessions(&*admin, name, "%").await == 0;
    assert!(
        eventually(Duration::from_secs(3), ended).await,
        "{text}: the server's session goes on"
    );
    let started = Instant::now();
    db.run(insert(name, "next"), rows(&[])).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{text}: the slot is not free"
    );
    assert_eq!((db.status().open, db.status().idle), (1, 1), "{text}");
    proxy.release();
    assert_eq!(
        number(&*admin, &format!("SELECT count(*) FROM {name}")).await,
        1,
        "{text}"
    );
}

#[tokio::test]
async fn a_connection_with_an_answer_on_its_way_is_closed_when_nobody_waits() {
    dropped("held_read", "SELECT 7", async |db| {
        exec(db, "SELECT 7").await.map(drop)
    })
    .await;
    dropped("held_begin", "BEGIN", async |db| {
        db.begin(TxMode::default()).await.map(drop)
    })
    .await;
    dropped("held_in_tx", "tagged", async |db| {
        let mut tx = db.begin(TxMode::default()).await?;
        tx.run(insert("held_in_tx", "tagged"), rows(&[])).await.map(drop)
    })
    .await;
    dropped("held_rollback", "ROLLBACK", async |db| {
        let mut tx = db.begin(TxMode::default()).await?;
        tx.run(insert("held_rollback", "undone"), rows(&[])).await?;
        tx.rollback().await
    })
    .await;
    dropped("held_sleep", "pg_sleep", async |db| {
        exec(db, "SELECT pg_sleep(60)").await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let proxy = Proxy::start().await;
    let limited = options("black_hole", 1).query_timeout(Duration::from_millis(200));
    let db = proxy.through(limited).connect().await.unwrap();
    proxy.on("SELECT 8", Fault::HoldAnswer, 1);
    let started = Instant::now();
    let e = exec(&*db, "SELECT 8").await.unwrap_err();
    assert_eq!(
        (e.kind(), e.was_sent()),
        (ErrorKind::StatementTimeout, Some(true))
    );
    assert!(started.elapsed() < Duration::from_secs(1));
    exec(&*db, "SELECT 8").await.unwrap();

    // an idle connection that has become a hole is found by its sign of life, which has a limit of its own
    let pool = PoolConfig {
        size: 1,
        pre_ping: PrePing::Always,
        ..PoolConfig::default()
    };
    let db = proxy
        .through(options("dead_ping", 1).pool(pool))
        .connect()
        .await
        .unwrap();
    exec(&*db, "SELECT 9").await.unwrap();
    proxy.on(SYNC, Fault::HoldAnswer, 1);
    let started = Instant::now();
    exec(&*db, "SELECT 9").await.unwrap();
    assert_eq!(proxy.times_met(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

/// The message that ends every request of the extended protocol.
const SYNC: &str = "S\0\0\0\u{4}";

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_an_error_and_never_a_wrong_row() {
    let (proxy, db, _) = both("cut_bytes").await;
    let select = async |tag: i64| -> Result<Vec<Vec<Value>>> {
        // it says that it writes, and so is not run again
        let writes = Sql {
            writes: true,
            ..sql(
                "SELECT i * $1, 'row ' || i FROM generate_series(1, 3) i",
                vec![Value::I64(tag)],
                vec![Type::I64, Type::Text],
            )
        };
        db.run(writes, rows(&[Type::I64, Type::Text]))
            .await
            .map(|done| collected(done.sink))
    };
    let whole = |tag: i64| -> Vec<Vec<Value>> {
        (1..=3i64)
            .map(|i| vec![Value::I64(i * tag), Value::Text(format!("row {i}"))])
            .collect()
    };
    let mut cut = 0;
    for bytes in 0.. {
        assert!(bytes < 1000, "it never ends");
        assert_eq!(
            select(2).await.unwrap(),
            whole(2),
            "the connection after {bytes} bytes"
        );
        proxy.on(SYNC, Fault::CutAnswer(bytes), 1);
        match select(5).await {
            // more bytes than the answer has
            Ok(got) => {
                assert_eq!(got, whole(5));
                break;
            }
            Err(e) => {
                cut += 1;
                is_lost(&e, bytes);
            }
        }
    }
    assert!(cut > 50, "{cut}");
}

fn is_lost(e: &Error, bytes: usize) {
    assert_eq!(
        (e.kind(), e.was_sent()),
        (ErrorKind::ConnectionLost, Some(true)),
        "{bytes}: {e}"
    );
}
