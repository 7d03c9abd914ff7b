//! From a URL to a driver: the only list of backends in the project.

use std::future::Future;

use orm_core::driver::SharedDriver;
use orm_core::error::{Error, Result};
use orm_core::exec::{Db, DbOptions};

/// Opening a database by its URL.
pub trait Connect: Sized {
    /// Connects: `sqlite:app.db`, `sqlite::memory:`, `postgres://user@host/db`. A wrong host, port, password, database
    /// or file is an error here, not at the first query.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use orm::prelude::*;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let db = Db::connect("sqlite::memory:").await?;
    /// db.ping().await?;
    /// # Ok::<(), orm::Error>(()) }).unwrap();
    /// # }
    /// ```
    fn connect(url: &str) -> impl Future<Output = Result<Self>> + Send;
    /// As [`connect`](Connect::connect), with settings for observation.
    fn connect_with(url: &str, options: DbOptions) -> impl Future<Output = Result<Self>> + Send;
}

impl Connect for Db {
    async fn connect(url: &str) -> Result<Db> {
        Db::connect_with(url, DbOptions::default()).await
    }
    async fn connect_with(url: &str, options: DbOptions) -> Result<Db> {
        Ok(Db::with_options(driver(url).await?, options))
    }
}

async fn driver(url: &str) -> Result<SharedDriver> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        Some("sqlite") => Ok(orm_sqlite::Sqlite::connect(url).await?),
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => Ok(orm_postgres::Postgres::connect(url).await?),
        // the URL may hold a password: it is not repeated
        _ => Err(Error::config(
            "the URL's scheme names no backend of this build: expected `sqlite:` or `postgres:`, with the cargo \
             feature of that name",
        )),
    }
}
