//! The peers on SQLite, each with a file of its own: a write through one connection empties the page cache of
//! every other connection to the same file.

mod diesel;
mod rusqlite;
mod sqlx;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{Job, Peer, Result, Runner, Task, Workload};
use crate::library::statements;
use crate::orm::Orm;
use crate::sea_orm::SeaOrm;
use crate::toasty::{self, Toasty};

use self::diesel::Diesel;
use self::rusqlite::Rusqlite;
use self::sqlx::Sqlx;

/// The peers in the order of the table; the first is the driver.
pub(crate) const NAMES: &[&str] = &[Rusqlite::NAME, Orm::NAME, Diesel::NAME, SeaOrm::NAME, Sqlx::NAME];

const TABLE: &str = "
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        age INTEGER NOT NULL,
        score REAL NOT NULL,
        active BOOLEAN NOT NULL,
        bio TEXT,
        created_at TIMESTAMP NOT NULL
    )";

/// What every connection is set to, by these words or by the library's own options.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

/// Creates and fills the files in `folder`.
pub(crate) async fn open(folder: &Path) -> Result<Vec<Box<dyn Runner>>> {
    let file = |name| create(folder, name);
    let mut peers: Vec<Box<dyn Runner>> = vec![
        Box::new(Rusqlite::open(&file(Rusqlite::NAME)?)?),
        Box::new(Orm::connect(&format!("sqlite:{}", file(Orm::NAME)?.display())).await?),
        Box::new(Diesel::open(&file(Diesel::NAME)?)?),
        Box::new(SeaOrm::sqlite(&file(SeaOrm::NAME)?).await?),
        Box::new(Sqlx::open(&file(Sqlx::NAME)?).await?),
    ];
    if let Some(program) = toasty::program() {
        let url = format!("sqlite:{}", file(toasty::NAME)?.display());
        peers.push(Box::new(Toasty::start(&program, &url)?));
    }
    for peer in &mut peers {
        peer.seed().await?;
    }
    let rested = |peer: Box<dyn Runner>| -> Result<Box<dyn Runner>> {
        let log = ::rusqlite::Connection::open(path(folder, peer.name()))?;
        Ok(Box::new(Rested { peer, log }))
    };
    peers.into_iter().map(rested).collect()
}

/// A peer that begins each batch with an empty log. Somebody has to copy a log of a thousand pages into the database, which
/// takes as long as ten bulk inserts: without this it would strike whichever operation filled the log, of one peer more
/// often than of another.
struct Rested {
    peer: Box<dyn Runner>,
    log: ::rusqlite::Connection,
}

impl Runner for Rested {
    fn name(&self) -> &'static str {
        self.peer.name()
    }
    fn runs(&self, workload: Workload) -> bool {
        self.peer.runs(workload)
    }
    fn seed(&mut self) -> Job<'_, ()> {
        self.peer.seed()
    }
    fn check(&mut self) -> Job<'_, ()> {
        self.peer.check()
    }
    fn time(&mut self, task: Task, batch: usize, salt: u64) -> Job<'_, Duration> {
        Box::pin(async move {
            let elapsed = self.peer.time(task, batch, salt).await?;
            self.log.query_row("PRAGMA wal_checkpoint", [], |_| Ok(()))?;
            Ok(elapsed)
        })
    }
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension("db")
}

fn create(folder: &Path, name: &str) -> Result<PathBuf> {
    let file = path(folder, name);
    let connection = ::rusqlite::Connection::open(&file)?;
    connection.execute_batch(PRAGMAS)?;
    connection.execute_batch(TABLE)?;
    // one by one: SQLite copies the rest of a text for each statement in it
    for statement in statements("INTEGER", "INTEGER").split_inclusive(';') {
        connection.execute_batch(statement)?;
    }
    Ok(file)
}
