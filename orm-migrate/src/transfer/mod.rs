//! A database's rows into another database: from an old SQLite file to PostgreSQL, and between databases of one kind.
//!
//! ```no_run
//! # use orm::prelude::*;
//! # async fn example() -> orm::Result<()> {
//! use orm_migrate::transfer::{Rule, Transfer};
//! let old = Db::connect("sqlite:legacy.db?mode=ro").await?;
//! let new = Db::connect("postgres://localhost/shop").await?;
//! let transfer = Transfer::new(&old, &new)
//!     .rule("orders.placed: timestamptz via dates(%d/%m/%Y), zone(+01:00)".parse()?)
//!     .rejects("rejects.jsonl")
//!     .on_progress(|p| eprintln!("{p}"));
//! println!("{}", transfer.dry_run().await?.to_markdown());
//! let report = transfer.run().await?;
//! assert!(report.accounts() && report.verified());
//! # Ok(()) }
//! ```
//!
//! The source is only read, at one moment. What the target lacks of its tables is created first, with keys and unique
//! constraints; rows go in piece by piece (COPY on PostgreSQL), each with the note how far it came in one commit; then rows
//! that refer to nothing are taken out, and indexes and foreign keys are added. A row that cannot go over is left behind, with its reason.
//! At the end both sides are counted and compared by checksums.
//!
//! Killed at any point, the same call goes on where the last commit was. The journal lies in the target, in tables called
//! `orm_migration_transfer*`; [`forget`] drops them.

mod convert;
mod dates;
mod links;
mod load;
mod map;
mod read;
mod report;
mod rule;
mod sums;
mod target;
mod types;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use orm_core::error::Result;
use orm_core::exec::Db;

use crate::Backend;
use crate::transfer::map::Wishes;
use crate::transfer::target::Target;

pub use report::{
    Checksum, Checksums, ColumnReport, Progress, Reason, Reject, RejectCount, Report, TableReport,
};
pub use rule::{Convert, Rule, Unit};

/// Who is told how far it is.
type Told = Arc<dyn for<'p> Fn(&Progress<'p>) + Send + Sync>;

/// A transfer of all rows of one database into another. See the [module](self).
///
/// Directions: SQLite to PostgreSQL, SQLite to SQLite, PostgreSQL to PostgreSQL.
#[derive(Clone)]
pub struct Transfer {
    source: Db,
    target: Db,
    wishes: Wishes,
    batch: usize,
    rejects: Option<PathBuf>,
    told: Option<Told>,
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer")
            .field("wishes", &self.wishes)
            .field("batch", &self.batch)
            .field("rejects", &self.rejects)
            .finish_non_exhaustive()
    }
}

impl Transfer {
    /// From the one to the other, all tables.
    pub fn new(source: &Db, target: &Db) -> Self {
        Transfer {
            source: source.clone(),
            target: target.clone(),
            wishes: Wishes::default(),
            batch: 5000,
            rejects: None,
            told: None,
        }
    }
    /// Adds what is known about some columns. Rules are read from text as well: `"users.active: boolean".parse()?`.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.wishes.rules.push(rule);
        self
    }
    /// Only tables of this name, in which `*` stands for any characters; called again, those of several names.
    pub fn only(mut self, tables: impl Into<String>) -> Self {
        self.wishes.only.push(tables.into());
        self
    }
    /// Not the tables of this name, in which `*` stands for any characters.
    pub fn except(mut self, tables: impl Into<String>) -> Self {
        self.wishes.except.push(tables.into());
        self
    }
    /// How many rows a piece has at most; one with long rows has less. 5000.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = rows.max(1);
        self
    }
    /// The file that takes the rows which cannot go over: a line of JSON for each, a [`Reject`]. It is written anew by every
    /// run, at its end, and holds those of earlier runs too.
    pub fn rejects(mut self, file: impl Into<PathBuf>) -> Self {
        self.rejects = Some(file.into());
        self
    }
    /// Is told after each piece how far it is.
    pub fn on_progress(mut self, told: impl for<'p> Fn(&Progress<'p>) + Send + Sync + 'static) -> Self {
        self.told = Some(Arc::new(told));
        self
    }

    /// Reads everything and writes nothing: which type each column would get, in which forms its values were found, which
    /// rows would be rejected. Of keys that occur twice and rows that refer to nothing it says what the source can tell,
    /// in [`TableReport::suspects`].
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn dry_run(&self) -> Result<Report> {
        load::dry_run(self).await
    }

    /// Transfers the rows, or goes on with a run that was ended before its time. When it is finished already, its report comes
    /// back, and nothing is done.
    ///
    /// # Errors
    /// `Unsupported` for a direction that is not there; `Config` where the target's tables have rows already or lack a column,
    /// where a rule meets no column, or where the journal belongs to other rules or another source; `Stale` while another
    /// transfer works on the same target; else what the databases say. What was committed stays, and the next run goes on.
    pub async fn run(&self) -> Result<Report> {
        load::run(self).await
    }

    fn backends(&self) -> Result<(Backend, Backend)> {
        Ok((Backend::of(&self.source)?, Backend::of(&self.target)?))
    }
}

/// Drops the journal that a transfer has left in its target. Without one nothing happens. A transfer that was not finished
/// cannot be gone on with then.
///
/// # Errors
/// What the database says.
pub async fn forget(target: &Db) -> Result<()> {
    let backend = Backend::of(target)?;
    Target::open(target, backend).await?.forget().await
}

/// The last numbers that SQLite has given to keys.
type Numbers = HashMap<String, i64>;
