//! Which database a script is written for.

use std::fmt;

use orm_core::error::{Error, Result};
use orm_core::exec::Db;

/// A database that migrations can be run on.
///
/// ```
/// use orm_migrate::Backend;
/// assert_eq!(Backend::named("sqlite")?, Backend::Sqlite);
/// assert!(Backend::named("oracle").is_err());
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Backend {
    /// The one with the name of a dialect.
    ///
    /// # Errors
    /// `Config` for any other name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "postgres" => Ok(Backend::Postgres),
            "sqlite" => Ok(Backend::Sqlite),
            _ => Err(Error::config(format!(
                "migrations run on `postgres` and `sqlite`, not on `{name}`"
            ))),
        }
    }
    /// That of a database.
    ///
    /// # Errors
    /// `Config` for a backend that is not known here.
    pub fn of(db: &Db) -> Result<Self> {
        Backend::named(db.dialect().name())
    }
    /// The name of its dialect.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Postgres => "postgres",
            Backend::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
