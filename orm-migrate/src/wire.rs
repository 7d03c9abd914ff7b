//! Statements of the runner on its one session.

use std::any::Any;
use std::sync::Arc;

use orm_core::driver::{Discard, Runner, Session, Sink};
use orm_core::error::{Error, Result};
use orm_core::sql::{Dialect, Effort, Sql};
use orm_core::value::{Cells, Type, Value};
use tokio::sync::Mutex;

use crate::code::Inside;
use crate::{Backend, HISTORY_TABLE};

/// The session that holds the lock, shared with what migrations of code get.
pub(crate) type Shared = Arc<Mutex<Box<dyn Session>>>;

/// A statement made at run time.
pub(crate) fn sql(text: &str, params: Vec<Value>, columns: &[Type]) -> Sql {
    let first = text.trim_start().get(..6).unwrap_or_default();
    let reads = first.eq_ignore_ascii_case("SELECT") || first.eq_ignore_ascii_case("PRAGMA");
    Sql {
        text: text.into(),
        params,
        columns: columns.into(),
        effort: Effort::Long,
        // a migration's SELECT may call a function that writes
        writes: !reads || columns.is_empty(),
        operation: "MIGRATE",
        target: None,
        sensitive: true,
        site: None,
    }
}

/// The runner's end of the session.
pub(crate) struct Wire {
    pub(crate) shared: Shared,
    keeps_state: bool,
    /// The schema of the runner's own tables, with its dot: a script may change the search path.
    prefix: String,
}

impl Wire {
    pub(crate) async fn new(session: Box<dyn Session>, backend: Backend) -> Result<Self> {
        let mut wire = Wire {
            keeps_state: session.keeps_state(),
            shared: Arc::new(Mutex::new(session)),
            prefix: String::new(),
        };
        if backend == Backend::Postgres {
            // where the history is already, it stays, whatever the search path begins with
            let query = format!(
                "SELECT quote_ident(COALESCE((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = \
                 c.relnamespace WHERE c.oid = to_regclass('{HISTORY_TABLE}')), current_schema()))"
            );
            let found = wire.rows(&query, vec![], &[Type::Text]).await?;
            let schema = found.first().and_then(|r| text(&r[0])).ok_or_else(|| {
                Error::config("the search path names no schema that is there: migrations have no place for their history")
            })?;
            wire.prefix = format!("{schema}.");
        }
        Ok(wire)
    }
    pub(crate) fn keeps_state(&self) -> bool {
        self.keeps_state
    }
    /// For reads that are made through the pool as well.
    pub(crate) fn runner(&self, dialect: &'static dyn Dialect) -> Inside {
        Inside::new(&self.shared, dialect)
    }
    /// One of the runner's own tables.
    pub(crate) fn table(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
    /// Runs a statement; gives back how many rows it changed.
    pub(crate) async fn exec(&self, text: &str, params: Vec<Value>) -> Result<u64> {
        let sql = sql(text, params, &[]);
        Ok(self
            .shared
            .lock()
            .await
            .run(sql, Box::new(Discard))
            .await?
            .affected)
    }
    pub(crate) async fn rows(
        &self,
        text: &str,
        params: Vec<Value>,
        types: &[Type],
    ) -> Result<Vec<Vec<Value>>> {
        let done = self
            .shared
            .lock()
            .await
            .run(sql(text, params, types), Table::of(types))
            .await?;
        Table::take(done.sink)
    }
    pub(crate) async fn begin(&self) -> Result<()> {
        self.shared.lock().await.begin().await
    }
    pub(crate) async fn commit(&self) -> Result<()> {
        self.shared.lock().await.commit().await
    }
    pub(crate) async fn rollback(&self) -> Result<()> {
        self.shared.lock().await.rollback().await
    }
}

/// Rows of a read through the pool.
pub(crate) async fn rows(
    runner: &dyn Runner,
    text: &str,
    params: Vec<Value>,
    types: &[Type],
) -> Result<Vec<Vec<Value>>> {
    let done = runner.run(sql(text, params, types), Table::of(types)).await?;
    Table::take(done.sink)
}

/// Collects rows of integers, texts, times and UUIDs.
struct Table {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    fn of(types: &[Type]) -> Box<dyn Sink> {
        Box::new(Table {
            types: types.to_vec(),
            rows: Vec::new(),
        })
    }
    fn take(sink: Box<dyn Sink>) -> Result<Vec<Vec<Value>>> {
        match sink.into_any().downcast::<Table>() {
            Ok(table) => Ok(table.rows),
            Err(_) => Err(Error::decode("the rows came back in another sink")),
        }
    }
}

impl Sink for Table {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let cell = |(i, ty): (usize, &Type)| {
            let value = match ty {
                Type::I16 | Type::I32 | Type::I64 => cells.i64(i)?.map(Value::I64),
                Type::Text => cells.text(i)?.map(|t| Value::Text(t.to_owned())),
                Type::Timestamp => cells.timestamp(i)?.map(Value::Timestamp),
                Type::Uuid => cells.uuid(i)?.map(Value::Uuid),
                _ => return Err(Error::decode("the runner reads integers, texts, times and UUIDs")),
            };
            Ok(value.unwrap_or(Value::Null(*ty)))
        };
        let row = self.types.iter().enumerate().map(cell).collect::<Result<_>>()?;
        self.rows.push(row);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The integer of a cell.
pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::I64(v) => Some(*v),
        _ => None,
    }
}

/// The text of a cell.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(v) => Some(v.clone()),
        _ => None,
    }
}
