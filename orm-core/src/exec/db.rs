//! The database handle.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::driver::{Driver, PoolStatus, Runner, SharedDriver};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Listens;
use crate::exec::insert::InsertForm;
use crate::exec::texts::Texts;
use crate::exec::{Exec, Raw, Writer};
use crate::sql::{Dialect, SchemaMap, Scope};

/// A database: cheap to clone, shared by all tasks.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
}

/// What all handles of one database share.
pub(crate) struct Shared {
    pub(crate) driver: SharedDriver,
    pub(crate) options: DbOptions,
    pub(crate) statements: Arc<AtomicU64>,
    /// Reads of one row, by the address of its table.
    pub(crate) keyed: Texts<usize>,
    pub(crate) inserts: Texts<InsertForm>,
    pub(crate) listens: Listens,
    schemas: SchemaMap,
}

impl Shared {
    fn new(driver: SharedDriver, options: DbOptions) -> Self {
        Shared {
            driver,
            options,
            statements: Arc::default(),
            keyed: Texts::default(),
            inserts: Texts::default(),
            listens: Listens::default(),
            schemas: SchemaMap::default(),
        }
    }
    /// What a plain handle adds to its statements.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            schemas: self.schemas.clone(),
            ..Scope::default()
        }
    }
}

/// How statements are observed, the same for every backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbOptions {
    /// A statement that takes longer is reported as a warning. Default 1 s.
    pub slow_statement: Duration,
    /// Whether statements go to the log at `INFO` instead of `DEBUG`. Default off.
    pub echo: Echo,
    /// Whether the call site is appended to the text as an SQL comment (`/*src='file.rs:12'*/`). Default off.
    pub comments: bool,
}

impl Default for DbOptions {
    fn default() -> Self {
        DbOptions {
            slow_statement: Duration::from_secs(1),
            echo: Echo::Off,
            comments: false,
        }
    }
}

/// Whether statements are printed to the log while developing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Only at `DEBUG`.
    #[default]
    Off,
    /// The text, at `INFO`.
    Statements,
    /// The text and the bound values, at `INFO`; statements that touch a sensitive column show no value.
    Values,
}

impl Db {
    /// A handle over a driver. Users write `Db::connect(url)` with the facade's prelude.
    pub fn new(driver: SharedDriver) -> Self {
        Db::with_options(driver, DbOptions::default())
    }
    /// As [`new`](Db::new), with settings for observation.
    pub fn with_options(driver: SharedDriver, options: DbOptions) -> Self {
        Db {
            shared: Arc::new(Shared::new(driver, options)),
        }
    }
    /// The same database with tables in other schemas: a handle for one tenant of a database with a schema for each. It
    /// shares the pool and the counter of statements, and remembers texts of its own: keep it. `None` is the schema of models declared without one.
    ///
    /// Everything that the library writes is translated: statements, [`create_all`](Self::create_all), triggers. Not
    /// translated are hand-written SQL and the types of the database (enums, domains), which are shared by all schemas.
    /// A second map replaces the first. On a database without schemas each statement on a translated table is an
    /// `Unsupported` error.
    ///
    /// With `db.schema_map([(None, "acme")])`:
    ///
    /// ```sql
    /// SELECT t0."id", t0."name" FROM "acme"."users" AS t0 WHERE t0."id" = $1
    /// ```
    #[must_use]
    pub fn schema_map<'a>(&self, pairs: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> Db {
        let Shared {
            driver,
            options,
            statements,
            ..
        } = &*self.shared;
        // texts of statements name tables, and so are not shared
        let mut shared = Shared::new(driver.clone(), options.clone());
        shared.statements = statements.clone();
        shared.schemas = SchemaMap::new(pairs);
        Db {
            shared: Arc::new(shared),
        }
    }
    /// The driver, for backend crates.
    pub fn driver(&self) -> &dyn Driver {
        &*self.shared.driver
    }
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
    /// The dialect of the database.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.shared.driver.dialect()
    }
    /// How the pool stands.
    pub fn status(&self) -> PoolStatus {
        self.shared.driver.status()
    }
    /// How many statements this handle and its clones and transactions have sent. For tests of statement counts.
    pub fn statements_sent(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
    }
    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<()> {
        self.shared.driver.ping().await
    }
    /// Closes idle connections; later statements are `PoolClosed` errors.
    pub async fn close(&self) {
        self.shared.driver.close().await;
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        f.debug_struct("Db")
            .field("dialect", &self.dialect().name())
            .field("pool", &status)
            .finish()
    }
}

#[diagnostic::do_not_recommend]
impl Writer for Db {}
#[diagnostic::do_not_recommend]
impl Exec for Db {
    fn raw(&self) -> Raw<'_> {
        let runner: &dyn Runner = &*self.shared.driver;
        Raw {
            runner,
            shared: &self.shared,
            scope: self.shared.scope(),
            tx: None,
            relation: None,
        }
    }
}

/// A statement came back without the row it must return.
#[cold]
pub(crate) fn no_row(model: &'static str) -> Error {
    Error::new(ErrorKind::Database, "the database returned no row for a write").with_model(model)
}
