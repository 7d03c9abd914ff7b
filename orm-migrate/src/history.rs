//! What was applied: the table `orm_migrations`, and the tables of other tools that it can be filled from.

use std::collections::BTreeMap;

use orm_core::driver::Runner;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::{Timestamp, Type, Value};

use crate::wire::{Wire, int, rows, text};
use crate::{Backend, Migration};

/// The history's table.
pub const HISTORY_TABLE: &str = "orm_migrations";

/// How a migration stands in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was begun, and may have been killed.
    Running,
    /// It is applied.
    Done,
    /// It ended in an error, behind the last of its finished steps.
    Failed,
    /// It is being undone, or its way back ended in an error.
    Reverting,
    /// It was applied once, and undone.
    RolledBack,
}

impl Status {
    const ALL: [Status; 5] = [
        Status::Running,
        Status::Done,
        Status::Failed,
        Status::Reverting,
        Status::RolledBack,
    ];
    /// As the history has it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Reverting => "reverting",
            Status::RolledBack => "rolled_back",
        }
    }
}

/// One row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The migration's version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// The digest of what was run.
    pub checksum: String,
    /// `schema`, `data` or `repeatable`.
    pub kind: String,
    /// How it stands.
    pub status: Status,
    /// How many of its statements are finished, for one that is not run in one transaction.
    pub step: i64,
    /// How far a data migration has come.
    pub cursor: Option<String>,
    /// When it was begun.
    pub started_at: Option<Timestamp>,
    /// How many milliseconds it took.
    pub ms: Option<i64>,
    /// Who ran it.
    pub by: String,
    /// The last error, without values.
    pub error: Option<String>,
}

/// Who runs migrations, for the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The user; the operating system's by default.
    pub by: String,
    /// The version of the program.
    pub app_version: Option<String>,
    /// The machine.
    pub host: Option<String>,
}

impl Signature {
    /// The user and machine of this process.
    pub fn here() -> Self {
        let variable = |names: &[&str]| names.iter().find_map(|n| std::env::var(n).ok());
        let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        Signature {
            by: variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_default(),
            app_version: None,
            host: variable(&["HOSTNAME", "COMPUTERNAME"])
                .or_else(kernel)
                .map(|h| h.trim().to_owned()),
        }
    }
}

/// The statement that makes the table.
pub(crate) fn create_sql(table: &str, backend: Backend) -> String {
    let (int, time, tail) = match backend {
        Backend::Postgres => ("bigint", "timestamptz", ""),
        Backend::Sqlite => ("INTEGER", "TEXT", " STRICT"),
    };
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (id {int} NOT NULL PRIMARY KEY, parent text NOT NULL, \
         name text NOT NULL, checksum text NOT NULL, kind text NOT NULL, status text NOT NULL, step {int} NOT NULL, \
         cursor text, started_at {time} NOT NULL, finished_at {time}, ms {int}, \"by\" text NOT NULL, \
         app_version text, host text, error text){tail}"
    )
}

/// Whether a table is there.
pub(crate) async fn has_table(runner: &dyn Runner, backend: Backend, table: &str) -> Result<bool> {
    let query = match backend {
        Backend::Postgres => "SELECT (to_regclass($1) IS NOT NULL)::int::int8",
        Backend::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
    };
    let found = rows(runner, query, vec![Value::Text(table.to_owned())], &[Type::I64]).await?;
    Ok(found.first().and_then(|r| int(&r[0])).is_some_and(|n| n > 0))
}

const COLUMNS: &str = "id, name, checksum, kind, status, step, cursor, ms, \"by\", error, started_at";
const TYPES: [Type; 11] = [
    Type::I64,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::Text,
    Type::I64,
    Type::Text,
    Type::I64,
    Type::Text,
    Type::Text,
    Type::Timestamp,
];

/// Reads the whole table; it has to be there.
pub(crate) async fn read(wire: &Wire) -> Result<BTreeMap<i64, Entry>> {
    let query = format!("SELECT {COLUMNS} FROM {} ORDER BY id", wire.table(HISTORY_TABLE));
    entries(wire.rows(&query, vec![], &TYPES).await?)
}

/// Reads one row.
pub(crate) async fn read_one(wire: &Wire, version: i64) -> Result<Option<Entry>> {
    let query = format!(
        "SELECT {COLUMNS} FROM {} WHERE id = $1",
        wire.table(HISTORY_TABLE)
    );
    let found = wire.rows(&query, vec![Value::I64(version)], &TYPES).await?;
    found.first().map(|row| entry(row)).transpose()
}

/// Reads the table through the pool; empty when there is none.
pub(crate) async fn read_if_there(runner: &dyn Runner, backend: Backend) -> Result<BTreeMap<i64, Entry>> {
    if !has_table(runner, backend, HISTORY_TABLE).await? {
        return Ok(BTreeMap::new());
    }
    let query = format!("SELECT {COLUMNS} FROM {HISTORY_TABLE} ORDER BY id");
    entries(rows(runner, &query, vec![], &TYPES).await?)
}

fn entries(rows: Vec<Vec<Value>>) -> Result<BTreeMap<i64, Entry>> {
    rows.iter()
        .map(|row| entry(row).map(|e| (e.version, e)))
        .collect()
}

fn entry(row: &[Value]) -> Result<Entry> {
    let broken = || {
        Error::new(
            ErrorKind::Decode,
            format!("a row of `{HISTORY_TABLE}` cannot be read"),
        )
    };
    let [
        id,
        name,
        checksum,
        kind,
        status,
        step,
        cursor,
        ms,
        by,
        error,
        started,
    ] = row
    else {
        return Err(broken());
    };
    let status = text(status).ok_or_else(broken)?;
    Ok(Entry {
        version: int(id).ok_or_else(broken)?,
        name: text(name).ok_or_else(broken)?,
        checksum: text(checksum).ok_or_else(broken)?,
        kind: text(kind).ok_or_else(broken)?,
        status: Status::ALL
            .into_iter()
            .find(|s| s.name() == status)
            .ok_or_else(broken)?,
        step: int(step).ok_or_else(broken)?,
        cursor: text(cursor),
        started_at: match started {
            Value::Timestamp(at) => Some(*at),
            _ => None,
        },
        ms: int(ms),
        by: text(by).ok_or_else(broken)?,
        error: text(error),
    })
}

/// One row to write.
pub(crate) struct Record<'m> {
    pub(crate) migration: &'m Migration,
    pub(crate) checksum: &'m str,
    pub(crate) parent: String,
    pub(crate) status: Status,
    pub(crate) step: usize,
    pub(crate) ms: Option<i64>,
    pub(crate) started_at: Timestamp,
    pub(crate) error: Option<String>,
}

/// Writes a row over whatever is there.
pub(crate) async fn put(wire: &Wire, signature: &Signature, record: Record<'_>) -> Result<()> {
    let optional = |text: Option<String>| text.map_or(Value::Null(Type::Text), Value::Text);
    let over = matches!(record.status, Status::Done | Status::RolledBack | Status::Failed);
    let finished = match over {
        true => Value::Timestamp(Timestamp::now()),
        false => Value::Null(Type::Timestamp),
    };
    let migration = record.migration;
    let params = vec![
        Value::I64(migration.version),
        Value::Text(record.parent),
        Value::Text(migration.name.clone()),
        Value::Text(record.checksum.to_owned()),
        Value::Text(migration.header().kind.name().to_owned()),
        Value::Text(record.status.name().to_owned()),
        Value::I64(record.step as i64),
        Value::Timestamp(record.started_at),
        finished,
        record.ms.map_or(Value::Null(Type::I64), Value::I64),
        Value::Text(signature.by.clone()),
        optional(signature.app_version.clone()),
        optional(signature.host.clone()),
        optional(record.error),
    ];
    let columns = "id, parent, name, checksum, kind, status, step, started_at, finished_at, ms, \"by\", app_version, \
                   host, error";
    let set: Vec<String> = columns
        .split(", ")
        .skip(1)
        .map(|c| format!("{c} = excluded.{c}"))
        // one that starts anew does not go on where an earlier run was
        .chain([format!(
            "cursor = CASE WHEN excluded.step = 0 THEN NULL ELSE {HISTORY_TABLE}.cursor END"
        )])
        .collect();
    let places: Vec<String> = (1..=params.len()).map(|i| format!("${i}")).collect();
    let statement = format!(
        "INSERT INTO {} ({columns}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {}",
        wire.table(HISTORY_TABLE),
        places.join(", "),
        set.join(", ")
    );
    wire.exec(&statement, params).await.map(drop)
}

/// Notes how far a migration has come. Exactly one row has to be there: somebody else has changed the history
/// otherwise.
pub(crate) async fn advance(wire: &Wire, version: i64, step: usize, from: Status) -> Result<()> {
    let statement = format!(
        "UPDATE {} SET step = $1, error = NULL WHERE id = $2 AND status = $3",
        wire.table(HISTORY_TABLE)
    );
    let params = vec![
        Value::I64(step as i64),
        Value::I64(version),
        Value::Text(from.name().to_owned()),
    ];
    match wire.exec(&statement, params).await? {
        1 => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Stale,
            format!("the history of migration {version} was changed by somebody else while it ran"),
        )),
    }
}

/// How a migration stands at this moment, and how far it has come.
pub(crate) async fn state(wire: &Wire, version: i64) -> Result<Option<(String, i64)>> {
    let query = format!(
        "SELECT status, step FROM {} WHERE id = $1",
        wire.table(HISTORY_TABLE)
    );
    let found = wire
        .rows(&query, vec![Value::I64(version)], &[Type::Text, Type::I64])
        .await?;
    Ok(found.first().and_then(|r| Some((text(&r[0])?, int(&r[1])?))))
}

/// Notes an error beside what is there.
pub(crate) async fn blame(wire: &Wire, version: i64, from: Status, to: Status, error: &str) -> Result<u64> {
    let statement = format!(
        "UPDATE {} SET error = $1, status = $2 WHERE id = $3 AND status = $4",
        wire.table(HISTORY_TABLE)
    );
    let params = vec![
        Value::Text(error.to_owned()),
        Value::Text(to.name().to_owned()),
        Value::I64(version),
        Value::Text(from.name().to_owned()),
    ];
    wire.exec(&statement, params).await
}

/// Writes what was found out about an unfinished migration.
pub(crate) async fn settle(wire: &Wire, version: i64, from: Status, to: Status) -> Result<()> {
    let statement = format!(
        "UPDATE {} SET status = $1, error = NULL, finished_at = $2 WHERE id = $3 AND status = $4",
        wire.table(HISTORY_TABLE)
    );
    let params = vec![
        Value::Text(to.name().to_owned()),
        Value::Timestamp(Timestamp::now()),
        Value::I64(version),
        Value::Text(from.name().to_owned()),
    ];
    wire.exec(&statement, params).await.map(drop)
}

/// Writes the digest of a changed file.
pub(crate) async fn set_checksum(wire: &Wire, version: i64, checksum: &str) -> Result<()> {
    let statement = format!(
        "UPDATE {} SET checksum = $1 WHERE id = $2",
        wire.table(HISTORY_TABLE)
    );
    let params = vec![Value::Text(checksum.to_owned()), Value::I64(version)];
    wire.exec(&statement, params).await.map(drop)
}

/// Forgets a row.
pub(crate) async fn forget(wire: &Wire, version: i64) -> Result<u64> {
    let statement = format!("DELETE FROM {} WHERE id = $1", wire.table(HISTORY_TABLE));
    wire.exec(&statement, vec![Value::I64(version)]).await
}

/// Another tool whose history can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// `_sqlx_migrations`.
    Sqlx,
    /// `__diesel_schema_migrations`.
    Diesel,
    /// `seaql_migrations`.
    SeaOrm,
}

impl Foreign {
    /// All of them.
    pub(crate) const ALL: [Foreign; 3] = [Foreign::Sqlx, Foreign::Diesel, Foreign::SeaOrm];

    /// The table with its history.
    pub fn table(self) -> &'static str {
        match self {
            Foreign::Sqlx => "_sqlx_migrations",
            Foreign::Diesel => "__diesel_schema_migrations",
            Foreign::SeaOrm => "seaql_migrations",
        }
    }

    /// The versions it says were applied.
    pub(crate) async fn applied(self, runner: &dyn Runner, backend: Backend) -> Result<Vec<i64>> {
        let table = self.table();
        if self == Foreign::Sqlx {
            let success = match backend {
                Backend::Postgres => "success::int::int8",
                Backend::Sqlite => "success",
            };
            let query = format!("SELECT version, {success} FROM {table} ORDER BY version");
            let found = rows(runner, &query, vec![], &[Type::I64, Type::I64]).await?;
            let mut versions = Vec::new();
            for row in found {
                match (int(&row[0]), int(&row[1])) {
                    (Some(version), Some(1)) => versions.push(version),
                    (version, _) => {
                        return Err(Error::config(format!(
                            "`{table}` says that migration {} failed: bring the schema in order and mend that row first",
                            version.unwrap_or_default()
                        )));
                    }
                }
            }
            return Ok(versions);
        }
        let query = format!("SELECT version FROM {table} ORDER BY version");
        let found = rows(runner, &query, vec![], &[Type::Text]).await?;
        let mut versions: Vec<i64> = found
            .iter()
            .map(|row| {
                let name = text(&row[0]).unwrap_or_default();
                version_of(&name).ok_or_else(|| {
                    Error::config(format!("a version in `{table}` has no digits to know it by"))
                })
            })
            .collect::<Result<_>>()?;
        versions.sort_unstable();
        Ok(versions)
    }
}

/// `20240131120000`, `2024-01-31-120000`, `m20240131_120000_create_users`: the digits before the name.
pub(crate) fn version_of(text: &str) -> Option<i64> {
    let text = text.strip_prefix('m').unwrap_or(text);
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '_' || *c == '-')
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok().filter(|v| *v > 0)
}
