//! What the database knows about itself: sizes, and what stands in the way of a run.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::error::{Error, Result};
use orm_core::exec::Db;
use orm_core::value::{Type, Value};

use crate::Backend;
use crate::preflight::{Level, Note, Options, Preflight};
use crate::wire::{int, rows, text};
use crate::words::quoted;

/// A table and how large it is, about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: i64,
    pub(crate) bytes: i64,
    pub(crate) index_bytes: i64,
    /// Whether this user may change it.
    pub(crate) ours: bool,
}

/// The tables, by the names that statements call them.
pub(crate) async fn sizes(db: &Db, backend: Backend) -> Result<BTreeMap<String, Size>> {
    match backend {
        Backend::Postgres => postgres_sizes(db).await,
        Backend::Sqlite => sqlite_sizes(db).await,
    }
}

async fn postgres_sizes(db: &Db) -> Result<BTreeMap<String, Size>> {
    // a table that nobody has analysed yet has -1 rows: then by its bytes
    const QUERY: &str = "SELECT CASE WHEN n.nspname IN (current_schema(), 'public') THEN c.relname::text \
         ELSE n.nspname || '.' || c.relname END, \
         (CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 64 ELSE c.reltuples END)::int8, \
         pg_table_size(c.oid), pg_indexes_size(c.oid), pg_has_role(c.relowner, 'USAGE')::int::int8 \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
    let types = [Type::Text, Type::I64, Type::I64, Type::I64, Type::I64];
    let found = rows(db.driver(), QUERY, vec![], &types).await?;
    let number = |v: &Value| int(v).unwrap_or_default();
    let size = |row: &Vec<Value>| {
        let size = Size {
            rows: number(&row[1]),
            bytes: number(&row[2]),
            index_bytes: number(&row[3]),
            ours: number(&row[4]) == 1,
        };
        Some((text(&row[0])?, size))
    };
    Ok(found.iter().filter_map(size).collect())
}

/// Rows by the highest rowid, which costs a look; bytes by each table's part of all rows.
async fn sqlite_sizes(db: &Db) -> Result<BTreeMap<String, Size>> {
    const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name NOT LIKE 'orm\\_migration%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%'";
    const BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let names = rows(db.driver(), TABLES, vec![], &[Type::Text]).await?;
    let total = rows(db.driver(), BYTES, vec![], &[Type::I64]).await?;
    let total = total.first().and_then(|r| int(&r[0])).unwrap_or_default();
    let mut out = BTreeMap::new();
    for table in names.iter().filter_map(|r| text(&r[0])) {
        let highest = format!("SELECT coalesce(max(rowid), 0) FROM {}", quoted(&table));
        // a table WITHOUT ROWID has none
        let count = match rows(db.driver(), &highest, vec![], &[Type::I64]).await {
            Ok(found) => found.first().and_then(|r| int(&r[0])).unwrap_or_default(),
            Err(_) => {
                let count = format!("SELECT count(*) FROM {}", quoted(&table));
                let found = rows(db.driver(), &count, vec![], &[Type::I64]).await?;
                found.first().and_then(|r| int(&r[0])).unwrap_or_default()
            }
        };
        let size = Size {
            rows: count,
            ours: true,
            ..Size::default()
        };
        // names are compared in small letters, as the reader of statements folds them
        out.insert(table.to_lowercase(), size);
    }
    let all: i64 = out.values().map(|s| s.rows).fold(0, i64::saturating_add);
    for size in out.values_mut() {
        let part = size.rows as f64 / all.max(1) as f64;
        size.bytes = (total as f64 * part) as i64;
    }
    Ok(out)
}

/// Looks for what stands in the way.
pub(crate) async fn look(
    db: &Db,
    backend: Backend,
    options: &Options,
    plan: &Preflight,
    sizes: &BTreeMap<String, Size>,
    notes: &mut Vec<Note>,
) -> Result<()> {
    if backend == Backend::Sqlite {
        return Ok(());
    }
    let touched: BTreeSet<&String> = plan
        .migrations
        .iter()
        .flat_map(|due| due.parts.iter().flatten())
        .filter(|one| one.lock.is_some())
        .filter_map(|one| one.table.as_ref())
        .collect();
    let foreign: Vec<&str> = touched
        .iter()
        .filter(|t| sizes.get(**t).is_some_and(|s| !s.ours))
        .map(|t| t.as_str())
        .collect();
    let may_create = one(
        db,
        "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)::int::int8",
    )
    .await?;
    notes.push(match (foreign.is_empty(), may_create) {
        (false, _) => Note::new(
            "privileges",
            Level::Stop,
            format!("only their owner can change {}", foreign.join(", ")),
        ),
        (true, 0) => Note::new(
            "privileges",
            Level::Stop,
            "this user must not create anything in the default schema",
        ),
        (true, _) => Note::new(
            "privileges",
            Level::Fine,
            "this user may change what is to be changed",
        ),
    });
    if one(db, "SELECT pg_is_in_recovery()::int::int8").await? == 1 {
        notes.push(Note::new(
            "standby",
            Level::Stop,
            "this is a standby: nothing can be written",
        ));
        return Ok(());
    }
    let seconds = options.long_transaction.as_secs_f64();
    let open = two(
        db,
        &format!(
            "SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::int8 \
             FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND clock_timestamp() - xact_start > make_interval(secs => {seconds})"
        ),
    )
    .await?;
    notes.push(match open {
        (0, _) => Note::new("open-transactions", Level::Fine, "none is open for long"),
        (n, oldest) => Note::new(
            "open-transactions",
            Level::Warning,
            format!("{n} open for long, the oldest since {oldest} s: statements wait for them, and others behind those"),
        ),
    });
    let lag = two(
        db,
        "SELECT count(*), coalesce(max(extract(epoch FROM replay_lag)), 0)::int8 FROM pg_stat_replication",
    )
    .await?;
    match lag {
        (0, _) => {}
        (n, behind) if behind > options.replication_lag.as_secs() as i64 => notes.push(Note::new(
            "replication",
            Level::Warning,
            format!("of {n} standbys one is {behind} s behind: what is written now comes on top"),
        )),
        (n, behind) => notes.push(Note::new(
            "replication",
            Level::Fine,
            format!("{n} standbys, at most {behind} s behind"),
        )),
    }
    let broken = rows(
        db.driver(),
        "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid ORDER BY 1",
        vec![],
        &[Type::Text],
    )
    .await?;
    let broken: Vec<String> = broken.iter().filter_map(|r| text(&r[0])).collect();
    if !broken.is_empty() {
        notes.push(Note::new(
            "invalid-indexes",
            Level::Warning,
            format!(
                "not finished and of no use: {}; drop them, or build them again",
                broken.join(", ")
            ),
        ));
    }
    Ok(())
}

async fn one(db: &Db, query: &str) -> Result<i64> {
    let found = rows(db.driver(), query, vec![], &[Type::I64]).await?;
    found.first().and_then(|r| int(&r[0])).ok_or_else(none)
}

async fn two(db: &Db, query: &str) -> Result<(i64, i64)> {
    let found = rows(db.driver(), query, vec![], &[Type::I64, Type::I64]).await?;
    let row = found.first().ok_or_else(none)?;
    Ok((int(&row[0]).ok_or_else(none)?, int(&row[1]).ok_or_else(none)?))
}

fn none() -> Error {
    Error::decode("the database's own numbers came back empty")
}
