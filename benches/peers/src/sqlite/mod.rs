//! The peers on SQLite, each with a file of its own: a write through one connection empties the page cache of
//! every other connection to the same file.

mod diesel;
mod rusqlite;
mod sqlx;

use std::path::{Path, PathBuf};

use crate::harness::{Peer, Result, Runner};
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
    Ok(peers)
}

fn create(folder: &Path, name: &str) -> Result<PathBuf> {
    let file = folder.join(name).with_extension("db");
    let connection = ::rusqlite::Connection::open(&file)?;
    connection.execute_batch(PRAGMAS)?;
    connection.execute_batch(TABLE)?;
    // one by one: SQLite copies the rest of a text for each statement in it
    for statement in statements("INTEGER", "INTEGER").split_inclusive(';') {
        connection.execute_batch(statement)?;
    }
    Ok(file)
}
