//! One migrator at a time. Whoever waits polls, with an end; nobody waits inside the database, where it would stand in
//! the way of others.

use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Db;
use orm_core::value::{Type, Value};
use tokio::task::AbortHandle;

use crate::text::digest;
use crate::wire::{Wire, int, sql, text};
use crate::{Backend, HISTORY_TABLE};

/// The table of the lease, behind poolers.
pub const LOCK_TABLE: &str = "orm_migration_lock";

/// The lock, as long as it is held.
pub(crate) struct Lock {
    how: How,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

enum How {
    /// PostgreSQL: of the session.
    Advisory(i64),
    /// PostgreSQL behind a pooler: a row that is ours until a time, which is moved on.
    Lease { owner: String, beat: AbortHandle },
    /// SQLite: a file beside the database's.
    File(#[expect(dead_code, reason = "held for its lock")] File),
    /// SQLite in memory: the only connection is ours.
    Alone,
}

/// How long the lease holds without a sign of life.
const LEASE: Duration = Duration::from_secs(60);

impl Lock {
    /// Waits for the lock, so long at most.
    ///
    /// # Errors
    /// `LockTimeout` when somebody else kept it.
    pub(crate) async fn acquire(db: &Db, wire: &Wire, backend: Backend, wait: Duration) -> Result<Self> {
        let start = Instant::now();
        let mut how = match backend {
            Backend::Sqlite => Asking::File(sqlite_file(wire).await?),
            Backend::Postgres if wire.keeps_state() => Asking::Advisory(key(wire)),
            Backend::Postgres => {
                prepare_lease(wire).await?;
                let unique = RandomState::new().hash_one(std::process::id());
                Asking::Lease(format!("{:x}-{unique:016x}", std::process::id()))
            }
        };
        let mut pause = Duration::from_millis(20);
        loop {
            match how.ask(db, wire).await? {
                Ok(how) => {
                    return Ok(Lock {
                        how,
                        waited: start.elapsed(),
                    });
                }
                Err(again) => how = again,
            }
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorKind::LockTimeout,
                    format!("another migrator has the lock, and did not let go within {wait:?}"),
                ));
            }
            tokio::time::sleep(jittered(pause).min(left)).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    /// Makes sure, inside a transaction, that the lock is still ours, and keeps it so until the transaction ends.
    ///
    /// # Errors
    /// `Stale` when somebody else took it over.
    pub(crate) async fn confirm(&self, wire: &Wire) -> Result<()> {
        let How::Lease { owner, .. } = &self.how else {
            // the session that holds the lock is the one that works: losing it ends both
            return Ok(());
        };
        match wire
            .exec(
                &renewal(&wire.table(LOCK_TABLE)),
                vec![Value::Text(owner.clone())],
            )
            .await?
        {
            1 => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Stale,
                "the migrator's lease ran out, and another one took over; nothing of this step was kept",
            )),
        }
    }

    /// Lets go now, instead of when the server notices the closed connection.
    pub(crate) async fn release(self, wire: &Wire) {
        // what fails here is made good by the end of the session, of the process, or of the lease
        match self.how {
            How::Advisory(key) => {
                let unlock = "SELECT pg_advisory_unlock($1)::int::int8";
                let _ = wire.rows(unlock, vec![Value::I64(key)], &[Type::I64]).await;
            }
            How::Lease { ref owner, ref beat } => {
                beat.abort();
                let free = format!(
                    "UPDATE {} SET owner = '', expires_at = '-infinity' WHERE owner = $1",
                    wire.table(LOCK_TABLE)
                );
                let _ = wire.exec(&free, vec![Value::Text(owner.clone())]).await;
            }
            How::File(_) | How::Alone => {}
        }
    }
}

impl Drop for How {
    fn drop(&mut self) {
        if let How::Lease { beat, .. } = self {
            beat.abort();
        }
    }
}

enum Asking {
    Advisory(i64),
    Lease(String),
    File(Option<File>),
}

impl Asking {
    /// One try.
    async fn ask(self, db: &Db, wire: &Wire) -> Result<Result<How, Asking>> {
        match self {
            Asking::File(None) => Ok(Ok(How::Alone)),
            Asking::File(Some(file)) => match file.try_lock() {
                Ok(()) => Ok(Ok(How::File(file))),
                Err(TryLockError::WouldBlock) => Ok(Err(Asking::File(Some(file)))),
                Err(TryLockError::Error(e)) => Err(Error::config(format!(
                    "the migrator's lock file cannot be locked: {}",
                    e.kind()
                ))),
            },
            Asking::Advisory(key) => {
                let query = "SELECT pg_try_advisory_lock($1)::int::int8";
                let got = wire.rows(query, vec![Value::I64(key)], &[Type::I64]).await?;
                match got.first().and_then(|r| int(&r[0])) {
                    Some(1) => Ok(Ok(How::Advisory(key))),
                    _ => Ok(Err(Asking::Advisory(key))),
                }
            }
            Asking::Lease(owner) => {
                // SKIP LOCKED: whoever works has the row locked, and this one is not to wait in the database
                let table = wire.table(LOCK_TABLE);
                let take = format!(
                    "UPDATE {table} SET owner = $1, expires_at = {} WHERE id = (SELECT id FROM {table} \
                     WHERE id = 1 AND expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED)",
                    until()
                );
                match wire.exec(&take, vec![Value::Text(owner.clone())]).await? {
                    1 => Ok(Ok(How::Lease {
                        beat: heartbeat(db.clone(), table, owner.clone()),
                        owner,
                    })),
                    _ => Ok(Err(Asking::Lease(owner))),
                }
            }
        }
    }
}

/// The moment at which a lease taken now runs out.
fn until() -> String {
    format!("clock_timestamp() + interval '{} seconds'", LEASE.as_secs())
}

fn renewal(table: &str) -> String {
    format!(
        "UPDATE {table} SET expires_at = {} WHERE id = 1 AND owner = $1",
        until()
    )
}

/// Moves the lease on while statements run that take longer than it.
fn heartbeat(db: Db, table: String, owner: String) -> AbortHandle {
    let beat = async move {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let renew = sql(&renewal(&table), vec![Value::Text(owner.clone())], &[]);
            // a failed beat is followed by another one before the lease runs out
            if let Err(e) = db.driver().run(renew, Box::new(orm_core::driver::Discard)).await {
                tracing::warn!(target: "orm::migrate", error = %e, "the migrator's lease was not renewed");
            }
        }
    };
    tokio::spawn(beat).abort_handle()
}

async fn prepare_lease(wire: &Wire) -> Result<()> {
    let table = wire.table(LOCK_TABLE);
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {table} (id int NOT NULL PRIMARY KEY, owner text NOT NULL, \
         expires_at timestamptz NOT NULL)"
    );
    match wire.exec(&create, vec![]).await {
        // two at once: IF NOT EXISTS does not look at what is not committed
        Err(e) if e.is_unique_violation() || matches!(e.code(), Some("42P07" | "42710")) => {}
        other => drop(other?),
    }
    let row = format!("INSERT INTO {table} VALUES (1, '', '-infinity') ON CONFLICT (id) DO NOTHING");
    wire.exec(&row, vec![]).await.map(drop)
}

/// A key of the schema that holds the history; advisory locks of other databases are others.
fn key(wire: &Wire) -> i64 {
    let hash = digest(["orm", &wire.table(HISTORY_TABLE)]);
    i64::from_str_radix(&hash[..15], 16).unwrap_or(1)
}

/// The lock file of the database; `None` in memory.
async fn sqlite_file(wire: &Wire) -> Result<Option<File>> {
    let found = wire
        .rows(
            "SELECT file FROM pragma_database_list WHERE name = 'main'",
            vec![],
            &[Type::Text],
        )
        .await?;
    let Some(path) = found.first().and_then(|r| text(&r[0])).filter(|p| !p.is_empty()) else {
        return Ok(None);
    };
    let beside = format!("{path}-migrate.lock");
    let mut how = File::options();
    how.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    let file = how.open(&beside).map_err(|e| {
        Error::config(format!(
            "the migrator's lock file `{beside}` cannot be opened: {}",
            e.kind()
        ))
    })?;
    Ok(Some(file))
}

/// Give or take a quarter, so that those who wait do not come together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let share = RandomState::new().hash_one(0u8) % 512;
    pause * 3 / 4 + pause / 1024 * u32::try_from(share).unwrap_or(0)
}
