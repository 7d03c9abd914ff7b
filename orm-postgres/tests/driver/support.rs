//! What the tests share: the server, a sink that collects rows, short ways to run SQL.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use orm_core::driver::{Connection, Driver, PoolConfig, Sink};
use orm_core::error::Result;
use orm_core::sql::{Effort, Sql};
use orm_core::value::{Cells, Type, Value};
use orm_postgres::{Postgres, PostgresOptions};

/// Where the server is: one for all tests, which ends with them.
pub(crate) fn url() -> String {
    let cluster = orm::testing::Cluster::shared().expect("a throw-away server");
    cluster.url("postgres")
}

pub(crate) fn options(name: &str, size: usize) -> PostgresOptions {
    let options = PostgresOptions::from_url(&url()).expect("a usable URL");
    options.application_name(name).pool(PoolConfig {
        size,
        acquire_timeout: Duration::from_secs(5),
        ..PoolConfig::default()
    })
}

pub(crate) async fn connect(name: &str, size: usize) -> Arc<Postgres> {
    options(name, size).connect().await.expect("a connection")
}

/// Collects rows, each cell read as its expected type.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) types: Vec<Type>,
    pub(crate) rows: Vec<Vec<Value>>,
    pub(crate) wants: Option<usize>,
}

impl Sink for Rows {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let row = self.types.iter().enumerate().map(|(i, ty)| read(cells, i, *ty));
        self.rows.push(row.collect::<Result<_>>()?);
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        self.wants
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

fn read(cells: &dyn Cells, i: usize, ty: Type) -> Result<Value> {
    let value = match ty {
        Type::Bool => cells.bool(i)?.map(Value::Bool),
        Type::I16 => cells.i64(i)?.map(|v| Value::I16(v as i16)),
        Type::I32 => cells.i64(i)?.map(|v| Value::I32(v as i32)),
        Type::I64 => cells.i64(i)?.map(Value::I64),
        Type::F32 => cells.f64(i)?.map(|v| Value::F32(v as f32)),
        Type::F64 => cells.f64(i)?.map(Value::F64),
        Type::Text => cells.text(i)?.map(|v| Value::Text(v.to_owned())),
        Type::Bytes => cells.bytes(i)?.map(|v| Value::Bytes(v.to_vec())),
        Type::Uuid => cells.uuid(i)?.map(Value::Uuid),
        Type::Timestamp => cells.timestamp(i)?.map(Value::Timestamp),
        Type::LocalTimestamp => cells.local_timestamp(i)?.map(Value::LocalTimestamp),
        Type::Date => cells.date(i)?.map(Value::Date),
        Type::Time => cells.time(i)?.map(Value::Time),
        Type::Json => cells.json(i)?.map(|v| Value::Json(v.to_owned())),
        Type::Decimal(..) => cells.decimal(i)?.map(Value::Decimal),
        Type::Enum(e) => cells.text(i)?.map(|v| {
            let label = e.labels.iter().find(|l| **l == v).expect("a known label");
            Value::Enum(e, label)
        }),
        Type::Interval | Type::Range(_) | Type::Other(_) => cells.value(i, ty)?,
        Type::Array(element) => cells.array(i, element)?.map(|v| Value::Array(element, v.into())),
    };
    Ok(value.unwrap_or(Value::Null(ty)))
}

pub(crate) fn sql(text: &str, params: Vec<Value>, columns: Vec<Type>) -> Sql {
    let writes = !text.trim_start().to_ascii_uppercase().starts_with("SELECT");
    Sql {
        text: text.into(),
        params,
        columns: columns.into(),
        effort: Effort::Long,
        writes,
        operation: "SQL",
        target: None,
        sensitive: false,
        site: None,
    }
}

pub(crate) fn rows(types: &[Type]) -> Box<Rows> {
    Box::new(Rows {
        types: types.to_vec(),
        ..Rows::default()
    })
}

pub(crate) fn collected(sink: Box<dyn Sink>) -> Vec<Vec<Value>> {
    sink.into_any().downcast::<Rows>().expect("our own sink").rows
}

/// Runs a query on the pool.
pub(crate) async fn query(
    db: &dyn Driver,
    text: &str,
    params: Vec<Value>,
    types: &[Type],
) -> Result<Vec<Vec<Value>>> {
    let done = db.run(sql(text, params, types.to_vec()), rows(types)).await?;
    Ok(collected(done.sink))
}

/// Runs a statement on the pool.
pub(crate) async fn exec(db: &dyn Driver, text: &str) -> Result<u64> {
    Ok(db.run(sql(text, vec![], vec![]), rows(&[])).await?.affected)
}

/// Runs a statement in a transaction.
pub(crate) async fn exec_in(tx: &mut dyn Connection, text: &str) -> Result<u64> {
    Ok(tx.run(sql(text, vec![], vec![]), rows(&[])).await?.affected)
}

/// The one number a query gives.
pub(crate) async fn number(db: &dyn Driver, text: &str) -> i64 {
    match query(db, text, vec![], &[Type::I64])
        .await
        .expect("a number")
        .as_slice()
    {
        [row] => match row.as_slice() {
            [Value::I64(n)] => *n,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// How many server sessions of this application are in a state.
pub(crate) async fn sessions(admin: &dyn Driver, name: &str, state: &str) -> i64 {
    let text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state LIKE $2";
    let params = vec![Value::Text(name.into()), Value::Text(state.into())];
    match query(admin, text, params, &[Type::I64]).await.expect("a count")[0][0] {
        Value::I64(n) => n,
        _ => panic!(),
    }
}

/// Waits until `done` says so, for so long at most.
pub(crate) async fn eventually(limit: Duration, mut done: impl AsyncFnMut() -> bool) -> bool {
    let start = std::time::Instant::now();
    while start.elapsed() < limit {
        if done().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
