//! A change of many rows, in batches by key: each batch is a transaction of its own, together with the note how far it
//! came, so that a killed run goes on behind its last batch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::{Type, Value};

use crate::text::{Kind, tokens};
use crate::wire::{Wire, text};
use crate::{Backend, HISTORY_TABLE};

/// How far a backfill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Batches finished in this run.
    pub batches: u64,
    /// Rows changed in this run.
    pub rows: u64,
    /// How long this run has taken.
    pub took: Duration,
}

/// An UPDATE of a whole table, a few thousand rows at a time, in the order of its key.
///
/// ```
/// use std::time::Duration;
/// use orm_migrate::{Backfill, Migration};
/// let fill = Backfill::new("users", "id", "nick = lower(name)")
///     .only("nick IS NULL")
///     .batch(5000)
///     .throttle(Duration::from_millis(50))
///     .progress(|p| println!("{} rows", p.rows));
/// let migration = Migration::backfill(20260131120000, "fill_nicknames", fill)?;
/// # let _ = migration; Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Backfill {
    table: String,
    key: String,
    set: String,
    only: Option<String>,
    batch: u32,
    throttle: Duration,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("table", &self.table)
            .field("key", &self.key)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

impl Backfill {
    /// `UPDATE table SET set`, by a unique column. Names and expressions are SQL, as a file would have them.
    pub fn new(table: &str, key: &str, set: &str) -> Self {
        Backfill {
            table: table.to_owned(),
            key: key.to_owned(),
            set: set.to_owned(),
            only: None,
            batch: 5000,
            throttle: Duration::ZERO,
            progress: None,
        }
    }
    /// Only rows for which this SQL condition holds.
    pub fn only(mut self, condition: &str) -> Self {
        self.only = Some(condition.to_owned());
        self
    }
    /// How many rows a transaction looks at. 5000.
    pub fn batch(mut self, rows: u32) -> Self {
        self.batch = rows.max(1);
        self
    }
    /// A pause between batches.
    pub fn throttle(mut self, pause: Duration) -> Self {
        self.throttle = pause;
        self
    }
    /// Is told after each batch.
    pub fn progress(mut self, told: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(told));
        self
    }

    pub(crate) fn pause(&self) -> Duration {
        self.throttle
    }
    pub(crate) fn tell(&self, progress: Progress) {
        if let Some(told) = &self.progress {
            told(progress);
        }
    }

    /// One batch, inside a transaction, behind the cursor. `None` when there is nothing behind it.
    pub(crate) async fn step(
        &self,
        wire: &Wire,
        backend: Backend,
        version: i64,
        cursor: Option<&str>,
    ) -> Result<Option<(String, u64)>> {
        let Backfill { table, key, set, .. } = self;
        if let Some(cursor) = cursor {
            check_literal(cursor, backend)?;
        }
        let literal = match backend {
            Backend::Postgres => format!("quote_literal({key}::text)"),
            Backend::Sqlite => format!("quote({key})"),
        };
        let behind = cursor.map_or(String::new(), |c| format!(" WHERE {key} > {c}"));
        let query = format!(
            "SELECT {literal} FROM (SELECT {key} FROM {table}{behind} ORDER BY {key} LIMIT {}) b ORDER BY {key} DESC LIMIT 1",
            self.batch
        );
        let found = wire.rows(&query, vec![], &[Type::Text]).await?;
        let Some(last) = found.first().and_then(|r| text(&r[0])) else {
            return Ok(None);
        };
        check_literal(&last, backend)?;
        let from = cursor.map_or(String::new(), |c| format!("{key} > {c} AND "));
        let only = self
            .only
            .as_ref()
            .map_or(String::new(), |c| format!(" AND ({c})"));
        let update = format!("UPDATE {table} SET {set} WHERE {from}{key} <= {last}{only}");
        let changed = wire.exec(&update, vec![]).await?;
        let note = format!(
            "UPDATE {} SET cursor = $1, step = step + 1 WHERE id = $2 AND status = 'running'",
            wire.table(HISTORY_TABLE)
        );
        match wire
            .exec(&note, vec![Value::Text(last.clone()), Value::I64(version)])
            .await?
        {
            1 => Ok(Some((last, changed))),
            _ => Err(Error::new(
                ErrorKind::Stale,
                format!("the history of migration {version} was changed by somebody else while it ran"),
            )),
        }
    }
}

/// What the history holds as the cursor becomes part of a statement: it must be one literal.
fn check_literal(literal: &str, backend: Backend) -> Result<()> {
    let found = tokens(literal, backend)?;
    let is = |i: usize, kind: Kind| found.get(i).is_some_and(|t| t.kind == kind);
    let good = match found.len() {
        1 => is(0, Kind::Number) || is(0, Kind::Text),
        2 => is(1, Kind::Number) && found[0].text == "-" || is(1, Kind::Text) && found[0].is("X"),
        _ => false,
    };
    match good {
        true => Ok(()),
        false => Err(Error::config(
            "the cursor of the backfill in the history is no literal",
        )),
    }
}
