//! The handle of a test server: whose server it is, and how to reach it.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

#[cfg(unix)]
use crate::testing::server::Server;

/// A PostgreSQL server for tests.
///
/// Dropping an own cluster stops it and deletes its folder before the drop returns. If the process ends without
/// the drop (a signal, `abort`, `exit`), a watchdog process does the same within a second or two.
///
/// ```no_run
/// use orm::testing::Cluster;
///
/// let cluster = Cluster::shared()?;
/// let url = cluster.url("postgres");
/// # Ok::<(), orm::testing::ClusterError>(())
/// ```
pub struct Cluster {
    home: Home,
}

enum Home {
    #[cfg(unix)]
    Own(Server),
    External(String),
}

impl Cluster {
    /// Starts a server of its own, for tests that stop it or need it alone. Takes about a second.
    ///
    /// # Errors
    ///
    /// If no server binaries can be found or fetched, or if the server does not start; the message says what to
    /// install or quotes the server's log. Always on systems other than unix.
    ///
    /// ```no_run
    /// let cluster = orm::testing::Cluster::start()?;
    /// assert!(cluster.socket_dir().is_some_and(|dir| dir.exists()));
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    pub fn start() -> Result<Cluster, ClusterError> {
        Self::start_with(&[])
    }

    /// Starts a server of its own with further server settings (names and values as in `postgresql.conf`).
    ///
    /// The files that `ssl_cert_file`, `ssl_key_file`, `ssl_ca_file` and `ssl_crl_file` name are copied into the
    /// cluster, with the owner and the permissions that the server insists on. The port and the addresses the
    /// server listens on cannot be set.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); also if a setting has a malformed name or its file cannot be read.
    ///
    /// ```no_run
    /// let settings = [("ssl", "on"), ("ssl_cert_file", "tests/tls/server.crt"), ("ssl_key_file", "tests/tls/server.key")];
    /// let cluster = orm::testing::Cluster::start_with(&settings)?;
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    #[cfg(unix)]
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Cluster, ClusterError> {
        Ok(Cluster {
            home: Home::Own(Server::start(settings)?),
        })
    }

    /// Fails: a server can be started on unix only.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(unix))]
    pub fn start_with(_settings: &[(&str, &str)]) -> Result<Cluster, ClusterError> {
        Err(ClusterError::new(
            "a test server can be started on unix only; set ORM_TEST_POSTGRES_URL to the URL of a running PostgreSQL",
        ))
    }

    /// The server that all tests of this process share, started on first use.
    ///
    /// With `ORM_TEST_POSTGRES_URL` set it is the server at that URL. Under cargo-nextest it is shared by all test
    /// processes of the run, and ends two seconds after the last of them.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start). A failure is remembered: later calls return the same error.
    ///
    /// ```no_run
    /// let url = orm::testing::Cluster::shared()?.tcp_url("postgres");
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    pub fn shared() -> Result<&'static Cluster, ClusterError> {
        static SHARED: OnceLock<Result<Cluster, ClusterError>> = OnceLock::new();
        SHARED.get_or_init(open_shared).as_ref().map_err(Clone::clone)
    }

    /// The URL of a database of this server, over its unix socket. For the server of `ORM_TEST_POSTGRES_URL`: that
    /// URL, with the database replaced.
    ///
    /// ```no_run
    /// let url = orm::testing::Cluster::start()?.url("shop");
    /// assert!(url.starts_with("postgres://postgres@localhost:"));
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    pub fn url(&self, database: &str) -> String {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) => format!(
                "postgres://postgres@localhost:{}/{}?host={}",
                server.port(),
                percent_encode(database, ""),
                percent_encode(&server.dir().to_string_lossy(), "/"),
            ),
            Home::External(url) => with_database(url, database),
        }
    }

    /// The URL of a database of this server, over TCP. For the server of `ORM_TEST_POSTGRES_URL`: as
    /// [`url`](Self::url).
    ///
    /// ```no_run
    /// let url = orm::testing::Cluster::start()?.tcp_url("shop");
    /// assert!(url.starts_with("postgres://postgres@127.0.0.1:"));
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    pub fn tcp_url(&self, database: &str) -> String {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) => {
                format!(
                    "postgres://postgres@127.0.0.1:{}/{}",
                    server.port(),
                    percent_encode(database, "")
                )
            }
            Home::External(url) => with_database(url, database),
        }
    }

    /// The folder of the server's unix socket `.s.PGSQL.<port>`; `None` for the server of `ORM_TEST_POSTGRES_URL`.
    /// The folder is also where the server's `log` lies.
    pub fn socket_dir(&self) -> Option<&Path> {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) => Some(server.dir()),
            Home::External(_) => None,
        }
    }

    /// The TCP port, the same after a [`restart`](Self::restart); `None` for the server of `ORM_TEST_POSTGRES_URL`.
    pub fn port(&self) -> Option<u16> {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) => Some(server.port()),
            Home::External(_) => None,
        }
    }

    /// The process id of the running server (the postmaster).
    ///
    /// # Errors
    ///
    /// If the server does not run, or is the one of `ORM_TEST_POSTGRES_URL`.
    pub fn postmaster_pid(&self) -> Result<u32, ClusterError> {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) => server.postmaster_pid(),
            Home::External(_) => Err(not_own()),
        }
    }

    /// Stops the server as a crash would (`pg_ctl -m immediate stop`): connections break, committed data stays.
    /// Returns when the server is gone; does nothing if it does not run.
    ///
    /// # Errors
    ///
    /// If the server is not this process's own, as others would lose their connections too.
    ///
    /// ```no_run
    /// let cluster = orm::testing::Cluster::start()?;
    /// cluster.stop_immediate()?;
    /// cluster.restart()?;
    /// # Ok::<(), orm::testing::ClusterError>(())
    /// ```
    pub fn stop_immediate(&self) -> Result<(), ClusterError> {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) if !server.is_shared() => server.stop(),
            _ => Err(not_own()),
        }
    }

    /// Starts the server again, on the same port and with the same data, stopping it first if it runs. Returns when
    /// it accepts connections.
    ///
    /// # Errors
    ///
    /// If the server is not this process's own, or does not start.
    pub fn restart(&self) -> Result<(), ClusterError> {
        match &self.home {
            #[cfg(unix)]
            Home::Own(server) if !server.is_shared() => server.restart(),
            _ => Err(not_own()),
        }
    }
}

// By hand: the URL of an external server may hold a password.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("socket_dir", &self.socket_dir())
            .field("port", &self.port())
            .finish()
    }
}

/// Why there is no test server; the message says what to do about it.
#[derive(Clone, Debug)]
pub struct ClusterError {
    message: String,
}

impl ClusterError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ClusterError {
            message: message.into(),
        }
    }

    #[cfg(unix)]
    pub(super) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("cannot {what} {}: {error}", path.display()))
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "test server: {}", self.message)
    }
}

impl std::error::Error for ClusterError {}

fn open_shared() -> Result<Cluster, ClusterError> {
    if let Some(url) = variable("ORM_TEST_POSTGRES_URL") {
        return Ok(Cluster {
            home: Home::External(url),
        });
    }
    #[cfg(unix)]
    return Ok(Cluster {
        home: Home::Own(match variable("NEXTEST_RUN_ID") {
            Some(run) => Server::share(&run)?,
            None => Server::start(&[])?.into_shared(),
        }),
    });
    #[cfg(not(unix))]
    Cluster::start()
}

/// An environment variable, with the empty one counting as unset.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn not_own() -> ClusterError {
    ClusterError::new("this server is shared and not to be stopped or looked into; use Cluster::start")
}

/// `url` with its path, and a `dbname` in its query, replaced by `database`.
fn with_database(url: &str, database: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..]
        .find('/')
        .map_or(base.len(), |at| authority + at);
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("dbname="))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!(
        "{}/{}{mark}{}",
        &base[..end],
        percent_encode(database, ""),
        kept.join("&")
    )
}

fn percent_encode(text: &str, also_plain: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also_plain.as_bytes().contains(&byte);
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use crate::testing::cluster::{percent_encode, with_database};

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let cases = [
            (
                "postgres://u:p@h:5433/old?sslmode=disable",
                "postgres://u:p@h:5433/new?sslmode=disable",
            ),
            ("postgres://h", "postgres://h/new"),
            (
                "postgres://h/?dbname=old&host=/run/pg",
                "postgres://h/new?host=/run/pg",
            ),
            ("postgres://h?dbname=old", "postgres://h/new"),
        ];
        for (given, expected) in cases {
            assert_eq!(with_database(given, "new"), expected);
        }
    }

    #[test]
    fn names_are_percent_encoded() {
        assert_eq!(percent_encode("a b/ü+?", ""), "a%20b%2F%C3%BC%2B%3F");
        assert_eq!(percent_encode("/tmp/a b", "/"), "/tmp/a%20b");
    }
}
