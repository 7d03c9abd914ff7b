//! A change of many rows, in batches by key: each batch is a transaction of its own, together with the note how far it
//! came, so that a killed run goes on behind its last batch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orm_core::ast::{self, Expr, InList, Nulls, Source};
use orm_core::driver::BoxFuture;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::{Record, Serves, Tx};
use orm_core::query::{Cond, Orders};
use orm_core::schema::Column;
use orm_core::sql::Dialect;
use orm_core::value::{Type, Value};

use crate::schema::Name;
use crate::sql::name;
use crate::text::{Kind, tokens};
use crate::wire::{Wire, int, text};
use crate::words::quoted;
use crate::{Backend, HISTORY_TABLE, code};

/// How far a backfill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Batches finished in this run.
    pub batches: u64,
    /// Rows changed in this run.
    pub rows: u64,
    /// How long this run has taken.
    pub took: Duration,
    /// How many rows lay ahead when this run began: the planner's estimate on PostgreSQL, counted on SQLite. `None` where
    /// that cannot be told.
    pub ahead: Option<u64>,
    /// How long it will still take, if the batches to come take as long as those that were.
    pub left: Option<Duration>,
}

impl Progress {
    /// Before the first batch of a run.
    pub(crate) fn start(ahead: Option<u64>) -> Self {
        Progress {
            batches: 0,
            rows: 0,
            took: Duration::ZERO,
            ahead,
            left: None,
        }
    }
    /// One more batch, of so many rows at most.
    pub(crate) fn batch(&mut self, changed: u64, size: u32, took: Duration) {
        self.batches += 1;
        self.rows += changed;
        self.took = took;
        let looked_at = self.batches.saturating_mul(size.into());
        self.left = self.ahead.map(|ahead| {
            let still = ahead.saturating_sub(looked_at) as f64 / looked_at.max(1) as f64;
            Duration::try_from_secs_f64(took.as_secs_f64() * still).unwrap_or(Duration::MAX)
        });
    }
}

/// A change of a whole table, a few thousand rows at a time, in the order of its key: an UPDATE, or a function that is given
/// the [`rows`](Self::rows).
///
/// ```
/// use std::time::Duration;
/// use orm_migrate::{Backfill, Migration};
/// let fill = Backfill::new("users", "id", "nick = lower(name)")
///     .only("nick IS NULL")
///     .batch(5000)
///     .throttle(Duration::from_millis(50))
///     .progress(|p| println!("{} rows, {:?} left", p.rows, p.left));
/// let migration = Migration::backfill(20260131120000, "fill_nicknames", fill)?;
/// # let _ = migration; Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Backfill {
    table: String,
    key: String,
    work: Work,
    only: Option<String>,
    batch: u32,
    throttle: Duration,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// What is done to the rows of a batch.
#[derive(Clone)]
enum Work {
    /// SET.
    Set(String),
    /// Read by their keys.
    Rows {
        key: &'static [usize],
        columns: &'static [Column],
        model: &'static str,
        each: Each,
    },
}

/// Reads the rows of these keys and changes them.
type Each = Arc<dyn for<'t> Fn(&'t mut Tx, Vec<Value>) -> BoxFuture<'t, Result<()>> + Send + Sync>;

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
        Backfill::of(table.to_owned(), key.to_owned(), Work::Set(set.to_owned()))
    }

    /// A function that is given the rows of each batch, locked until its transaction ends. The model is a
    /// [frozen](crate::frozen) one: that of the program changes, and the rows here do not.
    ///
    /// The function runs in the transaction that also notes how far the backfill came. A batch that fails for a lock is run
    /// again.
    ///
    /// ```
    /// use orm::prelude::*;
    /// use orm_migrate::{Backfill, Migration};
    ///
    /// #[derive(Model, Clone, Debug)]
    /// pub struct City { pub id: Id<City>, pub name: String }
    ///
    /// async fn shout(tx: &mut Tx, cities: Vec<City>) -> orm::Result<()> {
    ///     for city in cities {
    ///         let name = city.name.to_uppercase();
    ///         city.update().set(|c| c.name.to(name)).save(tx).await?;
    ///     }
    ///     Ok(())
    /// }
    /// let work = Backfill::rows(|tx, cities: Vec<City>| Box::pin(shout(tx, cities))).batch(500);
    /// let migration = Migration::backfill(20260131120000, "shout", work)?.frozen(orm::schema![City]);
    /// # let _ = migration; Ok::<(), orm::Error>(())
    /// ```
    pub fn rows<M, F>(work: F) -> Self
    where
        M: Record + Send + 'static,
        Tx: Serves<M>,
        F: for<'t> Fn(&'t mut Tx, Vec<M>) -> BoxFuture<'t, Result<()>> + Send + Sync + 'static,
    {
        let table = M::TABLE;
        let key = table.key_columns().next().map(|c| c.column.name);
        let place = Name {
            schema: table.table.schema.map(str::to_owned),
            name: table.table.name.to_owned(),
        };
        let work = Work::Rows {
            key: table.key,
            columns: table.columns,
            model: table.model,
            each: each(Arc::new(work)),
        };
        Backfill::of(name(&place), quoted(key.unwrap_or_default()), work)
    }

    fn of(table: String, key: String, work: Work) -> Self {
        Backfill {
            table,
            key,
            work,
            only: None,
            batch: 5000,
            throttle: Duration::ZERO,
            progress: None,
        }
    }

    /// Whether there is one column to walk along, of a type that can be written down.
    pub(crate) fn check(&self) -> Result<()> {
        let Work::Rows {
            key, columns, model, ..
        } = &self.work
        else {
            return Ok(());
        };
        let [at] = key else {
            return Err(Error::config(format!(
                "a backfill walks along one column, and the key of {model} has {}",
                key.len()
            ))
            .with_model(model));
        };
        match columns[*at].column.ty {
            Type::I16 | Type::I32 | Type::I64 | Type::Text | Type::Uuid => Ok(()),
            _ => Err(
                Error::unsupported("a key that is no integer, text or UUID", "a backfill of rows")
                    .with_model(model),
            ),
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
    pub(crate) fn size(&self) -> u32 {
        self.batch
    }
    /// About how many rows lie behind the cursor, if anybody is told. Nothing depends on it: an error is no answer.
    pub(crate) async fn ahead(&self, wire: &Wire, backend: Backend, cursor: Option<&str>) -> Option<u64> {
        self.progress.as_ref()?;
        let Backfill { table, key, .. } = self;
        let behind = match cursor {
            Some(cursor) => {
                check_literal(cursor, backend).ok()?;
                format!(" WHERE {key} > {cursor}")
            }
            None => String::new(),
        };
        match backend {
            Backend::Postgres => {
                // its first line ends in (cost=.. rows=1200 width=4)
                let query = format!("EXPLAIN SELECT 1 FROM {table}{behind}");
                let found = wire.rows(&query, vec![], &[Type::Text]).await.ok()?;
                let line = text(found.first()?.first()?)?;
                let (rows, _) = line.split_once(" rows=")?.1.split_once(' ')?;
                rows.parse().ok()
            }
            Backend::Sqlite => {
                let query = format!("SELECT count(*) FROM {table}{behind}");
                let found = wire.rows(&query, vec![], &[Type::I64]).await.ok()?;
                u64::try_from(int(found.first()?.first()?)?).ok()
            }
        }
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
        dialect: &'static dyn Dialect,
        backend: Backend,
        version: i64,
        cursor: Option<&str>,
    ) -> Result<Option<(String, u64)>> {
        let Backfill { table, key, .. } = self;
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
        let these = format!("{from}{key} <= {last}{only}");
        let changed = match &self.work {
            Work::Set(set) => {
                let update = format!("UPDATE {table} SET {set} WHERE {these}");
                wire.exec(&update, vec![]).await?
            }
            Work::Rows {
                key: at,
                columns,
                each,
                ..
            } => {
                let ty = at.first().map_or(Type::I64, |at| columns[*at].column.ty);
                let query = format!("SELECT {key} FROM {table} WHERE {these} ORDER BY {key}");
                let keys = wire.rows(&query, vec![], &[ty]).await?;
                let keys: Vec<Value> = keys.into_iter().flatten().collect();
                let rows = keys.len() as u64;
                if rows > 0 {
                    code::within(&wire.shared, dialect, |tx| each(tx, keys)).await?;
                }
                rows
            }
        };
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

fn each<M, F>(work: Arc<F>) -> Each
where
    M: Record + Send + 'static,
    Tx: Serves<M>,
    F: for<'t> Fn(&'t mut Tx, Vec<M>) -> BoxFuture<'t, Result<()>> + Send + Sync + 'static,
{
    Arc::new(move |tx, keys| {
        let work = work.clone();
        Box::pin(async move {
            let query = M::query();
            let source = query.ast().root();
            let Some(key) = M::TABLE.key_columns().next().map(|c| &c.column) else {
                return Ok(());
            };
            let list = InList::Values(key.ty, keys);
            let query = query.filter(|_| Node(Expr::In(Box::new(Expr::Column(source, key)), Box::new(list))));
            let rows = query.order_by(|_| By(source, key)).for_update().all(&*tx).await?;
            work(tx, rows).await
        })
    })
}

/// A condition on the key, whose type is known at run time only.
struct Node(Expr);
impl<S> Cond<S> for Node {
    fn into_cond(self) -> Expr {
        self.0
    }
}

struct By(Source, &'static ast::Column);
impl<S> Orders<S> for By {
    fn add_to(self, out: &mut Vec<ast::Order>) {
        out.push(ast::Order {
            expr: Expr::Column(self.0, self.1),
            desc: false,
            nulls: Nulls::Default,
        });
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::backfill::Progress;

    #[test]
    fn what_is_left_follows_from_what_was() {
        let seconds = Duration::from_secs;
        let mut p = Progress::start(Some(100));
        p.batch(7, 25, seconds(1));
        assert_eq!((p.batches, p.rows, p.left), (1, 7, Some(seconds(3))));
        p.batch(3, 25, seconds(4));
        assert_eq!((p.batches, p.rows, p.left), (2, 10, Some(seconds(4))));
        // an estimate may be too small
        p.batch(0, 250, seconds(5));
        assert_eq!(p.left, Some(seconds(0)));
        let mut p = Progress::start(None);
        p.batch(1, 1, seconds(1));
        assert_eq!(p.left, None);
    }
}
