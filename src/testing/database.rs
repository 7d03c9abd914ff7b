//! Fresh databases, each for one test, gone with it.

use std::ops::Deref;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use orm_core::error::Error;
use orm_core::error::Result;
use orm_core::exec::{Db, DbOptions};

use crate::connect::Connect;

/// A database of its own for one test; derefs to [`Db`]. Dropping it drops the database, whoever still uses it.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let db = orm::testing::fresh_sqlite().await?;
/// db.ping().await?;
/// # Ok::<(), orm::Error>(()) }).unwrap();
/// # }
/// ```
pub struct TestDb {
    db: Db,
    url: String,
    // after `db`: the last connection of this handle goes before the database does
    _place: Place,
}

enum Place {
    #[cfg(feature = "sqlite")]
    Folder(std::path::PathBuf),
    #[cfg(feature = "postgres")]
    Server { name: String },
}

impl TestDb {
    /// The URL of the database, for tests that connect once more.
    pub fn url(&self) -> &str {
        &self.url
    }
    /// Another handle of the same database, with connections of its own and these settings.
    pub async fn again(&self, options: DbOptions) -> Result<Db> {
        Db::connect_with(&self.url, options).await
    }
}

impl Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

/// A name that no other database of this machine has.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}_{count}", std::process::id())
}

/// A new SQLite database in a temporary folder.
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub async fn fresh_sqlite() -> Result<TestDb> {
    let folder = std::env::temp_dir().join(unique("orm-test-"));
    std::fs::create_dir_all(&folder)
        .map_err(|e| Error::config(format!("no temporary folder for a test database: {}", e.kind())))?;
    let place = Place::Folder(folder.clone());
    let url = format!("sqlite:{}", folder.join("test.db").display());
    let db = Db::connect(&url).await?;
    Ok(TestDb {
        db,
        url,
        _place: place,
    })
}

/// A new database on [`Cluster::shared`](crate::testing::Cluster::shared).
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub async fn fresh_postgres() -> Result<TestDb> {
    // starting a server takes a second or more of this thread; nothing else of the test runs yet
    let cluster = crate::testing::Cluster::shared().map_err(|e| Error::config(e.to_string()))?;
    let name = unique("t_");
    server_command(&format!("CREATE DATABASE {name}")).await?;
    let url = cluster.url(&name);
    let place = Place::Server { name };
    let db = Db::connect(&url).await?;
    Ok(TestDb {
        db,
        url,
        _place: place,
    })
}

/// Runs a command of the shared server that belongs to no database. The names in it are our own.
#[cfg(feature = "postgres")]
#[expect(
    clippy::disallowed_types,
    reason = "a command to the test server, made of names of our own"
)]
async fn server_command(text: &str) -> Result<()> {
    use orm_postgres::sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};
    let failed =
        |e: orm_postgres::sqlx::Error| Error::config(format!("the test server refused a command: {e}"));
    let cluster = crate::testing::Cluster::shared().map_err(|e| Error::config(e.to_string()))?;
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .map_err(failed)?;
    raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)
}

impl Drop for Place {
    fn drop(&mut self) {
        match *self {
            #[cfg(feature = "sqlite")]
            Place::Folder(ref folder) => {
                // what is left in the temporary folder harms nobody
                let _ = std::fs::remove_dir_all(folder);
            }
            #[cfg(feature = "postgres")]
            Place::Server { ref mut name } => drop_database(std::mem::take(name)),
        }
    }
}

/// On a thread of its own, since a drop may happen inside a runtime, which another cannot run in.
#[cfg(feature = "postgres")]
fn drop_database(name: String) {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            let text = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // the server is thrown away after the tests; a database that is left harms nobody
            let _ = runtime.block_on(server_command(&text));
        }
    };
    let _ = std::thread::spawn(work).join();
}
