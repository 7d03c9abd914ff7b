//! PostgreSQL for `orm`, over single sqlx connections in a pool of its own.
//!
//! ```text
//! Postgres ─▶ pool (deadpool) ─▶ Lease ─▶ Session ─▶ sqlx's PgConnection
//!                                  └ closed, not returned, whenever its state is in doubt
//! ```
//!
//! `encode` and `decode` speak the binary wire format; `error` turns SQLSTATEs into error kinds; `url` and `options`
//! say where the database is. What SQL looks like here is in `dialect`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod copy;
mod decode;
pub mod dialect;
mod driver;
mod encode;
mod error;
mod ext;
mod from_row;
mod functions;
mod json;
mod listen;
mod operators;
mod options;
mod other;
mod own;
mod plan;
mod pool;
mod search;
mod session;
mod transaction;
mod types;
mod url;

pub use sqlx;

pub use dialect::{DIALECT, PostgresDialect};
pub use driver::Postgres;
pub use ext::PgExt;
#[doc(hidden)]
pub use from_row::from_row;
#[doc(hidden)]
pub use listen::check_message;
pub use listen::{Listener, Message, Notice};
pub use options::{PostgresOptions, TlsMode};

use std::sync::Arc;

use orm_core::error::Result;

impl Postgres {
    /// Connects by URL; [`PostgresOptions::from_url`] says what one may hold. One connection is opened at once.
    ///
    /// ```no_run
    /// # async fn example() -> orm_core::error::Result<()> {
    /// let db = orm_postgres::Postgres::connect("postgres://me@localhost/shop").await?;
    /// # let _ = db; Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Config` for a URL that is not usable; `Connect` when the server, the credentials or the database do not allow a
    /// connection, with the cause and without the password.
    pub async fn connect(url: &str) -> Result<Arc<Postgres>> {
        Postgres::connect_with(PostgresOptions::from_url(url)?).await
    }

    /// Connects by options. One connection is opened at once.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(options: PostgresOptions) -> Result<Arc<Postgres>> {
        Postgres::open(options).await.map(Arc::new)
    }
}
