//! Every operation, dropped after each number of polls it takes: the pool of one connection goes on serving, nobody
//! finds a stranger's transaction, and the data are whole.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use orm_core::driver::{Driver, SavepointVerb, TxMode};
use orm_core::error::Result;
use orm_core::value::{Type, Value};

use crate::support::{connect, eventually, exec, exec_in, number, query, rows, sessions, sql};

/// When a future is dropped: right after so many polls, or when it would be polled again, with the answer there.
#[derive(Clone, Copy, Debug)]
enum After {
    Polls(usize),
    Answer(usize),
}

/// Drives a future for a while; `None` when it was dropped on the way.
async fn polls<T>(after: After, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let (mut left, late) = match after {
        After::Polls(n) => (n, false),
        After::Answer(n) => (n, true),
    };
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx).map(Some) {
            Poll::Pending if left == 0 && !late => Poll::Ready(None),
            poll => poll,
        }
    })
    .await
}

/// What is dropped on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Begin,
    Read,
    Write,
    Unit,
    Commit,
    Rollback,
    Savepoint,
    Cursor,
    InTransaction,
}

const OPERATIONS: [Operation; 9] = [
    Operation::Begin,
    Operation::Read,
    Operation::Write,
    Operation::Unit,
    Operation::Commit,
    Operation::Rollback,
    Operation::Savepoint,
    Operation::Cursor,
    Operation::InTransaction,
];

/// Rows come in pairs: an odd count is a torn unit.
async fn perform(db: &dyn Driver, operation: Operation, n: After) -> Option<Result<()>> {
    let insert = || sql("INSERT INTO cancel VALUES ($1)", vec![Value::I64(1)], vec![]);
    let pair = || sql("INSERT INTO cancel VALUES ($1), (2)", vec![Value::I64(1)], vec![]);
    let read = || sql("SELECT a FROM cancel LIMIT 100", vec![], vec![Type::I64]);
    match operation {
        Operation::Begin => {
            let mut tx = match polls(n, db.begin(TxMode::default())).await? {
                Ok(tx) => tx,
                Err(e) => return Some(Err(e)),
            };
            exec_in(&mut *tx, "INSERT INTO cancel VALUES (7)").await.unwrap();
            Some(tx.rollback().await)
        }
        Operation::Read => polls(n, db.run(read(), rows(&[Type::I64])))
            .await
            .map(|r| r.map(drop)),
        Operation::Write => polls(n, db.run(pair(), rows(&[]))).await.map(|r| r.map(drop)),
        Operation::Unit => polls(n, db.run_all(vec![insert(), insert()], rows(&[])))
            .await
            .map(|r| r.map(drop)),
        Operation::Commit | Operation::Rollback => {
            let mut tx = db.begin(TxMode::default()).await.unwrap();
            tx.run(insert(), rows(&[])).await.unwrap();
            tx.run(insert(), rows(&[])).await.unwrap();
            match operation {
                Operation::Commit => polls(n, tx.commit()).await,
                _ => polls(n, tx.rollback()).await,
            }
        }
        Operation::Savepoint => {
            let mut tx = db.begin(TxMode::default()).await.unwrap();
            tx.run(insert(), rows(&[])).await.unwrap();
            let set = polls(n, tx.savepoint(1, SavepointVerb::Set)).await;
            if set.is_none() {
                // Nobody knows whether it is set: only the whole can be undone.
                match n {
                    After::Polls(0) | After::Answer(0) => tx.rollback().await.unwrap(),
                    _ => drop(tx.commit().await.unwrap_err()),
                }
                return None;
            }
            tx.run(insert(), rows(&[])).await.unwrap();
            let undone = polls(n, tx.savepoint(1, SavepointVerb::Undo)).await;
            drop(tx);
            undone
        }
        Operation::Cursor => {
            let mut tx = db.begin(TxMode::default()).await.unwrap();
            let cursor = sql(
                "SELECT i FROM generate_series($1, 5000) i",
                vec![Value::I64(1)],
                vec![],
            );
            let opened = polls(n, tx.open_cursor(cursor)).await;
            if opened.is_some() {
                polls(n, tx.fetch_cursor(rows(&[Type::I64])))
                    .await?
                    .map(drop)
                    .unwrap();
                polls(n, tx.close_cursor()).await?.unwrap();
            }
            opened
        }
        Operation::InTransaction => {
            let mut tx = db.begin(TxMode::default()).await.unwrap();
            tx.savepoint(1, SavepointVerb::Set).await.unwrap();
            let done = polls(n, tx.run(insert(), rows(&[]))).await;
            tx.savepoint(1, SavepointVerb::Undo).await.unwrap();
            tx.run(pair(), rows(&[])).await.unwrap();
            tx.commit().await.unwrap();
            done.map(|r| r.map(drop))
        }
    }
}

#[tokio::test]
async fn dropped_after_every_poll() {
    let admin = connect("cancel_admin", 1).await;
    let db = connect("cancel", 1).await;
    exec(&*db, "DROP TABLE IF EXISTS cancel").await.unwrap();
    exec(&*db, "CREATE TABLE cancel (a int8)").await.unwrap();
    let mut points = 0;
    for operation in OPERATIONS {
        // With a prepared statement in place, and on a fresh connection that has to open and prepare first.
        let late: [fn(usize) -> After; 2] = [After::Polls, After::Answer];
        for (fresh, after) in [
            (false, late[0]),
            (false, late[1]),
            (true, late[0]),
            (true, late[1]),
        ] {
            for n in 0..200 {
                if fresh {
                    db.with_connection(async |_| ()).await.unwrap();
                }
                let done = perform(&*db, operation, after(n)).await;
                points += 1;
                let serves = query(&*db, "SELECT $1", vec![Value::I64(n as i64)], &[Type::I64]);
                let served = tokio::time::timeout(Duration::from_secs(3), serves).await;
                let served = served.unwrap_or_else(|_| {
                    panic!(
                        "{operation:?} {:?} fresh {fresh}: no answer, {:?}",
                        after(n),
                        db.status()
                    )
                });
                assert_eq!(served.unwrap(), [[Value::I64(n as i64)]], "{operation:?} {n}");
                let whole = "SELECT count(*) FROM cancel";
                assert_eq!(
                    number(&*db, whole).await % 2,
                    0,
                    "{operation:?} after {n} polls: torn"
                );
                match done {
                    None => assert!(n < 199, "{operation:?} does not end"),
                    Some(done) => {
                        done.unwrap_or_else(|e| panic!("{operation:?} after {n} polls: {e}"));
                        break;
                    }
                }
            }
        }
        exec(&*db, "TRUNCATE cancel").await.unwrap();
    }
    println!("{points} points");
    let clean = async || sessions(&*admin, "cancel", "idle in transaction%").await == 0;
    assert!(eventually(Duration::from_secs(2), clean).await);
    assert_eq!(
        (db.status().open, db.status().idle, db.status().waiting),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn waiting_for_a_connection_is_given_up_cleanly() {
    let db = connect("giveup", 1).await;
    let tx = db.begin(TxMode::default()).await.unwrap();
    for n in 0..50 {
        assert!(polls(After::Polls(n % 2), exec(&*db, "SELECT 1")).await.is_none());
    }
    tx.rollback().await.unwrap();
    assert_eq!(
        (db.status().open, db.status().idle, db.status().waiting),
        (1, 1, 0)
    );
    exec(&*db, "SELECT 1").await.unwrap();
}

#[test]
fn a_runtime_may_end_before_its_transactions() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (db, tx) = first.block_on(async {
        let db = connect("ended", 2).await;
        exec(&*db, "DROP TABLE IF EXISTS ended").await.unwrap();
        exec(&*db, "CREATE TABLE ended (a int)").await.unwrap();
        let mut tx = db.begin(TxMode::default()).await.unwrap();
        exec_in(&mut *tx, "INSERT INTO ended VALUES (1)").await.unwrap();
        (db, tx)
    });
    drop(first);
    drop(tx);
    assert_eq!(runtime().block_on(number(&*db, "SELECT count(*) FROM ended")), 0);
}

#[tokio::test]
async fn a_storm_of_time_limits() {
    let admin = connect("storm2_admin", 1).await;
    let db = connect("storm2", 3).await;
    exec(&*db, "DROP TABLE IF EXISTS storm2").await.unwrap();
    exec(&*db, "CREATE TABLE storm2 (a int8)").await.unwrap();
    let tasks: Vec<_> = (0..8u64)
        .map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                for n in 0..40u64 {
                    let limit = Duration::from_micros((i * 131 + n * 977) % 3000);
                    let _ = tokio::time::timeout(limit, async {
                        let mut tx = db.begin(TxMode::default()).await?;
                        exec_in(&mut *tx, "INSERT INTO storm2 VALUES (1)").await?;
                        exec_in(&mut *tx, "INSERT INTO storm2 VALUES (2)").await?;
                        tx.commit().await
                    })
                    .await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&*db, "SELECT count(*) FROM storm2").await % 2, 0);
    assert_eq!(db.status().waiting, 0);
    let clean = async || sessions(&*admin, "storm2", "idle in transaction%").await == 0;
    assert!(eventually(Duration::from_secs(2), clean).await);
}
