//! Settings of a SQLite database, and their form as a URL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orm_core::driver::PoolConfig;
use orm_core::error::{Error, Result};

use crate::driver::Sqlite;

/// Where reads run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMode {
    /// Short reads on the calling thread under a budget, everything else on a blocking thread.
    #[default]
    Adaptive,
    /// All reads on the calling thread, however long they take: for programs that do nothing else on it.
    Inline,
    /// All statements on a blocking thread.
    Offload,
}

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Synchronous {
    /// Never: a power cut may damage the database.
    Off,
    /// At checkpoints: a power cut may undo the last transactions, it never damages the database.
    #[default]
    Normal,
    /// At every commit: what was committed stays.
    Full,
    /// At every commit, and for the folder as well.
    Extra,
}

impl Synchronous {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Synchronous::Off => "OFF",
            Synchronous::Normal => "NORMAL",
            Synchronous::Full => "FULL",
            Synchronous::Extra => "EXTRA",
        }
    }
}

/// Where the database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    /// In memory; with a name, shared by all of this process that use the name.
    Memory(Option<String>),
}

/// Settings of a SQLite database.
///
/// A file is opened in WAL mode with foreign keys enforced, `synchronous = NORMAL` (a power cut may undo the last
/// transactions and never damages the file), a busy timeout of 5 seconds, one connection that writes and
/// [`PoolConfig::size`] that read. Double-quoted strings are errors, the schema is not trusted.
///
/// ```
/// use orm_sqlite::{SqliteOptions, Synchronous};
/// let options = SqliteOptions::path("app.db").create(false).synchronous(Synchronous::Full);
/// assert_eq!(options.to_string(), "sqlite:app.db?mode=rw");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    pub(crate) place: Place,
    pub(crate) create: bool,
    pub(crate) read_only: bool,
    pub(crate) pool: PoolConfig,
    pub(crate) busy_timeout: Duration,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) synchronous: Synchronous,
    pub(crate) read_mode: ReadMode,
    pub(crate) foreign_keys: bool,
}

impl SqliteOptions {
    fn at(place: Place) -> Self {
        SqliteOptions {
            place,
            create: true,
            read_only: false,
            pool: PoolConfig::default(),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: None,
            synchronous: Synchronous::default(),
            read_mode: ReadMode::default(),
            foreign_keys: true,
        }
    }
    /// A database file. It is created if it is missing, for its owner only.
    pub fn path(path: impl AsRef<Path>) -> Self {
        SqliteOptions::at(Place::File(path.as_ref().to_owned()))
    }
    /// A database in memory, on a single connection. It is gone with the last handle.
    pub fn in_memory() -> Self {
        SqliteOptions::at(Place::Memory(None))
    }
    /// From a URL: `sqlite:app.db`, `sqlite://app.db`, `sqlite:///var/app.db`, `sqlite:///C:/app.db`,
    /// `sqlite::memory:`. Parameters are `mode` (`ro`, `rw`, `rwc`, `memory`) and `cache` (`private`, or `shared` with
    /// `mode=memory`). `%20` and the like are decoded.
    ///
    /// # Errors
    /// `Config` when the URL or a parameter is not known.
    ///
    /// ```
    /// use orm_sqlite::SqliteOptions;
    /// assert_eq!(SqliteOptions::parse("sqlite::memory:")?, SqliteOptions::in_memory());
    /// assert!(SqliteOptions::parse("sqlite:app.db?mod=ro").is_err());
    /// # Ok::<(), orm_core::error::Error>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }
    pub(crate) fn shared_memory(name: String) -> Self {
        SqliteOptions::at(Place::Memory(Some(name)))
    }

    /// Whether a missing file is created (it is, by default).
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }
    /// Opens the file for reading only; writes are `ReadOnly` errors.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }
    /// How many connections read, and how long to wait for one. There is always one that writes.
    pub fn pool(mut self, pool: PoolConfig) -> Self {
        self.pool = pool;
        self
    }
    /// How long to wait for a lock of another process; 5 seconds by default.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }
    /// How long one statement may take, waiting for locks included; no limit by default. Then it is a
    /// `StatementTimeout` error, nothing of it stays, and a transaction it belongs to can only be rolled back. The wait for
    /// a connection of the pool does not count, and neither do COMMIT and ROLLBACK. It needs a runtime with timers.
    ///
    /// ```
    /// use std::time::Duration;
    /// let options = orm_sqlite::SqliteOptions::path("app.db").statement_timeout(Duration::from_secs(30));
    /// ```
    pub fn statement_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.statement_timeout = limit.into();
        self
    }
    /// When SQLite waits for the disk.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }
    /// Where reads run.
    pub fn read_mode(mut self, mode: ReadMode) -> Self {
        self.read_mode = mode;
        self
    }
    /// Whether foreign keys are enforced (they are, by default).
    pub fn foreign_keys(mut self, enforced: bool) -> Self {
        self.foreign_keys = enforced;
        self
    }
    /// Opens the database.
    ///
    /// # Errors
    /// `Connect` when the file cannot be opened, `Corrupt` when it is not a database. No file is left behind.
    pub async fn connect(self) -> Result<Arc<Sqlite>> {
        Sqlite::open(self).await
    }

    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }
    pub(crate) fn busy_ms(&self) -> u32 {
        u32::try_from(self.busy_timeout.as_millis())
            .unwrap_or(u32::MAX)
            .min(i32::MAX as u32)
    }
}

/// The URL, as far as a URL has words for the settings.
impl fmt::Display for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Memory(None) => f.write_str("sqlite::memory:"),
            Place::Memory(Some(name)) => {
                write!(f, "sqlite:{}?mode=memory&cache=shared", crate::url::encode(name))
            }
            Place::File(path) => {
                write!(f, "sqlite:{}", crate::url::encode(&path.to_string_lossy()))?;
                match (self.read_only, self.create) {
                    (true, _) => f.write_str("?mode=ro"),
                    (false, false) => f.write_str("?mode=rw"),
                    (false, true) => Ok(()),
                }
            }
        }
    }
}

/// For wrong settings.
pub(crate) fn check(options: &SqliteOptions) -> Result<()> {
    match &options.place {
        Place::File(path) if path.as_os_str().is_empty() => Err(Error::config(
            "the URL names no database file; `sqlite::memory:` is a database in memory",
        )),
        Place::Memory(_) if options.read_only => Err(Error::config(
            "a database in memory cannot be opened for reading only",
        )),
        _ => Ok(()),
    }
}
