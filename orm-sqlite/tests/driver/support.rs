use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use orm_core::driver::{Connection, Done, Driver, Runner, Sink, TxMode};
use orm_core::error::Result;
use orm_core::sql::{Effort, Sql};
use orm_core::value::{Cells, Value};
use orm_sqlite::{Sqlite, SqliteOptions};

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let n = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("orm-sqlite-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("test.db")
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    pub(crate) fn options(&self) -> SqliteOptions {
        SqliteOptions::path(self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Integers of the first column, or what a test does with a row.
#[derive(Default)]
pub(crate) struct Ints {
    pub(crate) got: Vec<i64>,
    pub(crate) wants: Option<usize>,
}

impl Sink for Ints {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.got.push(cells.i64(0)?.unwrap_or(i64::MIN));
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        self.wants
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(&dyn Cells) -> Result<()> + Send + 'static> Sink for Each<F> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        (self.0)(cells)
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

pub(crate) fn ints() -> Box<dyn Sink> {
    Box::new(Ints::default())
}

pub(crate) fn taken(sink: Box<dyn Sink>) -> Vec<i64> {
    sink.into_any().downcast::<Ints>().unwrap().got
}

pub(crate) fn read(text: &str, params: Vec<Value>) -> Sql {
    statement(text, params, Effort::Short, false)
}

pub(crate) fn write(text: &str, params: Vec<Value>) -> Sql {
    statement(text, params, Effort::Short, true)
}

pub(crate) fn statement(text: &str, params: Vec<Value>, effort: Effort, writes: bool) -> Sql {
    Sql {
        text: text.into(),
        params,
        columns: [].into(),
        effort,
        writes,
        operation: "TEST",
        target: None,
        sensitive: false,
        site: None,
    }
}

/// Runs a write.
pub(crate) async fn exec(db: &impl Runner, text: &str) -> Result<u64> {
    db.run(write(text, vec![]), ints())
        .await
        .map(|done| done.affected)
}

/// Runs a read of integers.
pub(crate) async fn get(db: &impl Runner, text: &str) -> Vec<i64> {
    taken(db.run(read(text, vec![]), ints()).await.unwrap().sink)
}

pub(crate) async fn exec_in(tx: &mut Box<dyn Connection>, text: &str) -> Result<u64> {
    tx.run(write(text, vec![]), ints())
        .await
        .map(|done| done.affected)
}

pub(crate) async fn get_in(tx: &mut Box<dyn Connection>, text: &str) -> Vec<i64> {
    let Done { sink, .. } = tx.run(read(text, vec![]), ints()).await.unwrap();
    taken(sink)
}

/// A file database with `t(id, n)`.
pub(crate) async fn table(options: SqliteOptions) -> Arc<Sqlite> {
    let db = options.connect().await.unwrap();
    exec(&*db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER) STRICT")
        .await
        .unwrap();
    db
}

/// Rows 1 to `n`.
pub(crate) async fn fill(db: &Sqlite, n: i64) {
    let text = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < ?1) INSERT INTO t SELECT i, i FROM r";
    db.run(statement(text, vec![Value::I64(n)], Effort::Long, true), ints())
        .await
        .unwrap();
}

pub(crate) async fn begin(db: &Sqlite) -> Box<dyn Connection> {
    db.begin(TxMode::default()).await.unwrap()
}

pub(crate) async fn begin_read(db: &Sqlite) -> Box<dyn Connection> {
    db.begin(TxMode {
        read_only: true,
        ..TxMode::default()
    })
    .await
    .unwrap()
}

/// Statements of 64 rows each into the table of [`table`], with the keys from `from` on.
pub(crate) fn rows(from: i64, statements: i64) -> Vec<Sql> {
    let statement = |s: i64| {
        let values = (0..64).flat_map(|i| [Value::I64(from + s * 64 + i), Value::I64(i)]);
        let text = format!("INSERT INTO t VALUES (?, ?){}", ", (?, ?)".repeat(63));
        Sql {
            operation: "INSERT",
            ..statement(&text, values.collect(), Effort::Rows, true)
        }
    };
    (0..statements).map(statement).collect()
}
