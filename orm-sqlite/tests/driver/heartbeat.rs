use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use orm_core::driver::Runner;
use orm_core::sql::{Effort, Sql};
use orm_core::value::Value;

use crate::support::*;

/// Ticks every millisecond and remembers when.
struct Heart {
    beats: Arc<Mutex<Vec<Instant>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Heart {
    fn start() -> Self {
        let beats = Arc::new(Mutex::new(Vec::new()));
        let into = beats.clone();
        let task = tokio::spawn(async move {
            loop {
                into.lock().unwrap().push(Instant::now());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Heart { beats, task }
    }

    /// Runs `work`; the heart must not stop for a good part of it.
    async fn through<F: Future>(&self, what: &str, work: F) -> F::Output {
        let started = Instant::now();
        let out = work.await;
        let ended = Instant::now();
        let beats = self.beats.lock().unwrap();
        let within = beats.iter().copied().filter(|b| *b > started && *b < ended);
        let times: Vec<Instant> = [started].into_iter().chain(within).chain([ended]).collect();
        let worst = times.windows(2).map(|w| w[1] - w[0]).max().unwrap_or_default();
        let limit = Duration::from_millis(50).max((ended - started) / 3);
        assert!(
            worst < limit,
            "{what}: no beat for {worst:?} of {:?}",
            ended - started
        );
        out
    }

    fn stop(self) {
        self.task.abort();
        let beats = self.beats.lock().unwrap();
        let mut gaps: Vec<_> = beats.windows(2).map(|w| w[1] - w[0]).collect();
        gaps.sort();
        let p99 = gaps[gaps.len() * 99 / 100];
        assert!(p99 < Duration::from_millis(50), "p99 {p99:?} of {}", gaps.len());
    }
}

async fn beats_through_everything() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    fill(&db, 80_000).await;
    let heart = Heart::start();
    let early = "SELECT id FROM t WHERE n = 3 OR (SELECT count(*) FROM t u WHERE u.id < t.id % 60) < 0";
    for (text, effort, writes) in [
        ("SELECT id FROM t", Effort::Rows, false),
        (
            "SELECT id FROM t WHERE n * 7 % 1020000 = 0 AND n % 50000 = 0",
            Effort::Rows,
            false,
        ),
        // One row early, and then none.
        (early, Effort::Rows, false),
        (
            "SELECT count(*) FROM t a, t b WHERE b.id < 30",
            Effort::Long,
            false,
        ),
        ("SELECT id FROM t ORDER BY n % 1000, id DESC", Effort::Long, false),
        ("UPDATE t SET n = n + 1", Effort::Long, true),
        // Said to be short, and is not.
        ("UPDATE t SET n = n - 1", Effort::Short, true),
    ] {
        heart
            .through(text, db.run(statement(text, vec![], effort, writes), ints()))
            .await
            .unwrap();
    }
    let small = async {
        for i in 0..20_000 {
            let sql = read("SELECT n FROM t WHERE id = ?1", vec![Value::I64(i)]);
            db.run(sql, ints()).await.unwrap();
        }
        for _ in 0..300 {
            let sql = statement("SELECT n FROM t LIMIT 200", vec![], Effort::Rows, false);
            db.run(sql, ints()).await.unwrap();
        }
    };
    heart.through("many small reads", small).await;
    // Rows of values are begun here, too, and ended elsewhere.
    for (from, statements) in [(1_000_000, 2_000), (2_000_000, 30)] {
        let done = heart
            .through("many rows", db.run_all(rows(from, statements), ints()))
            .await
            .unwrap();
        assert_eq!(done.affected as i64, 64 * statements);
    }
    heart
        .through("few rows, over and over", async {
            for i in 0..100 {
                db.run_all(rows(3_000_000 + i * 1000, 15), ints()).await.unwrap();
            }
        })
        .await;
    let mut tx = begin(&db).await;
    for from in [4_000_000, 5_000_000] {
        heart
            .through("many rows inside", tx.run_all(rows(from, 30), ints()))
            .await
            .unwrap();
    }
    heart
        .through(
            "read inside",
            tx.run(statement(early, vec![], Effort::Rows, false), ints()),
        )
        .await
        .unwrap();
    let update = statement("UPDATE t SET n = n + 1", vec![], Effort::Long, true);
    heart
        .through("write inside", tx.run(update, ints()))
        .await
        .unwrap();
    heart.through("rollback", tx.rollback()).await.unwrap();
    let delete = statement("DELETE FROM t", vec![], Effort::Long, true);
    heart
        .through("delete and checkpoint", db.run(delete, ints()))
        .await
        .unwrap();
    // A lock of somebody else.
    let other = folder.options().connect().await.unwrap();
    let held = begin(&other).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        held.rollback().await.unwrap();
    };
    let waiting = exec(&*db, "INSERT INTO t VALUES (1, 0)");
    let (inserted, ()) = heart
        .through("a lock", async { tokio::join!(waiting, release) })
        .await;
    inserted.unwrap();
    heart.stop();
}

#[tokio::test]
async fn one_thread_keeps_beating() {
    beats_through_everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_threads_keep_beating() {
    beats_through_everything().await;
}

async fn two_tables(db: &orm_sqlite::Sqlite) {
    for text in [
        "CREATE TABLE child (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t ON DELETE CASCADE) STRICT",
        "CREATE INDEX ix_child ON child (t_id)",
        "INSERT INTO t VALUES (1, 0)",
    ] {
        exec(db, text).await.unwrap();
    }
    let text = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 200000) \
                INSERT INTO child SELECT i, 1 FROM r";
    db.run(statement(text, vec![], Effort::Long, true), ints())
        .await
        .unwrap();
}

#[tokio::test]
async fn one_row_with_many_children_is_deleted_elsewhere() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    two_tables(&db).await;
    let heart = Heart::start();
    let mut tx = begin(&db).await;
    let delete = Sql {
        operation: "DELETE",
        ..write("DELETE FROM t WHERE id = 1", vec![])
    };
    let done = heart.through("cascade", tx.run(delete, ints())).await.unwrap();
    assert_eq!(done.affected, 1);
    heart.through("drop", async { drop(tx) }).await;
    assert_eq!(get(&*db, "SELECT count(*) FROM child").await, [200_000]);
    heart.stop();
}

#[tokio::test]
async fn large_values_are_written_elsewhere() {
    let folder = Folder::new();
    let db = folder.options().connect().await.unwrap();
    exec(&*db, "CREATE TABLE b (id INTEGER PRIMARY KEY, b BLOB) STRICT")
        .await
        .unwrap();
    exec(&*db, "INSERT INTO b VALUES (0, NULL)").await.unwrap();
    let heart = Heart::start();
    let bytes = Value::Bytes(vec![7; 100 << 20]);
    let insert = write("INSERT INTO b VALUES (1, ?1)", vec![bytes]);
    heart.through("large", db.run(insert, ints())).await.unwrap();
    heart.stop();
}
