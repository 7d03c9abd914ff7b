//! Where the database is and how to talk to it. Nothing here prints a password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orm_core::driver::{BoxFuture, PoolConfig};
use orm_core::error::{Error, Result};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};

/// Called on every new connection.
pub(crate) type Hook = Arc<dyn for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<()>> + Send + Sync>;
/// Called for the password of every new connection.
pub(crate) type PasswordSource = Arc<dyn Fn() -> Result<String> + Send + Sync>;

/// How a connection is encrypted, by libpq's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain text.
    Disable,
    /// Encrypted if the server can, else plain text.
    Prefer,
    /// Encrypted, whoever answers.
    Require,
    /// Encrypted, with a certificate of a known authority.
    VerifyCa,
    /// Encrypted, with a certificate of a known authority for this host.
    VerifyFull,
}

impl TlsMode {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => TlsMode::Disable,
            "prefer" => TlsMode::Prefer,
            "require" => TlsMode::Require,
            "verify-ca" => TlsMode::VerifyCa,
            "verify-full" => TlsMode::VerifyFull,
            _ => return None,
        })
    }
}

/// Settings of a connection and its pool.
///
/// Unless said otherwise, a connection to another machine is encrypted and the server's certificate and name are
/// verified; on the loopback interface and on unix sockets it is plain.
///
/// The environment is not consulted except by [`from_env`](Self::from_env), with two exceptions that lie in the client
/// library below: `PGOPTIONS`, and `PGSSLCERT` together with `PGSSLKEY`.
///
/// ```
/// use orm_postgres::PostgresOptions;
/// let options = PostgresOptions::from_url("postgres://me:secret@localhost:5433/shop")?;
/// assert!(!format!("{options:?} {options}").contains("secret"));
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) password_source: Option<PasswordSource>,
    pub(crate) database: Option<String>,
    pub(crate) tls: Option<TlsMode>,
    pub(crate) root_cert: Option<PathBuf>,
    pub(crate) allow_insecure: bool,
    pub(crate) application_name: String,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) query_timeout: Option<Duration>,
    pub(crate) statement_cache: usize,
    pub(crate) pooler: bool,
    pub(crate) pool: PoolConfig,
    pub(crate) after_connect: Option<Hook>,
}

impl PostgresOptions {
    /// `localhost:5432` as this user, to the database of the same name.
    pub fn new(user: impl Into<String>) -> Self {
        PostgresOptions {
            host: "localhost".to_owned(),
            port: 5432,
            user: user.into(),
            password: None,
            password_source: None,
            database: None,
            tls: None,
            root_cert: None,
            allow_insecure: false,
            application_name: "orm".to_owned(),
            statement_timeout: None,
            query_timeout: Some(Duration::from_secs(60)),
            statement_cache: 512,
            pooler: false,
            pool: PoolConfig::default(),
            after_connect: None,
        }
    }

    /// Reads `postgres://user:password@host:port/database?name=value&…`. Parts may be percent-encoded.
    ///
    /// Parameters: `host` (a name, or the directory of a unix socket), `port`, `user`, `password`, `dbname`, `sslmode`,
    /// `sslrootcert`, `insecure`, `application_name`, `statement_timeout`, `query_timeout`, `statement_cache`,
    /// `pooler` (or `pgbouncer`), `pool_size`, `pool_overflow`, `pool_timeout`, `pool_recycle`, `pool_idle_timeout`,
    /// `pool_order` (`lifo` or `fifo`), `pre_ping` (`never`, `always`, or a duration). A duration is a number with `ms`, `s` (the default), `min` or `h`;
    /// `0` means none.
    ///
    /// # Errors
    /// `Config` for whatever is not understood, by the parameter's name; values are never part of the error.
    pub fn from_url(url: &str) -> Result<Self> {
        crate::url::parse(url)
    }

    /// Reads `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT` and `PGAPPNAME`.
    ///
    /// # Errors
    /// `Config` when `PGUSER` is missing or a variable is not usable.
    pub fn from_env() -> Result<Self> {
        let mut options = PostgresOptions::new("");
        for (variable, parameter) in [
            ("PGHOST", "host"),
            ("PGPORT", "port"),
            ("PGUSER", "user"),
            ("PGPASSWORD", "password"),
            ("PGDATABASE", "dbname"),
            ("PGSSLMODE", "sslmode"),
            ("PGSSLROOTCERT", "sslrootcert"),
            ("PGAPPNAME", "application_name"),
        ] {
            if let Ok(value) = std::env::var(variable) {
                crate::url::set(&mut options, parameter, &value).map_err(|_| {
                    Error::config(format!("the environment variable {variable} is not usable"))
                })?;
            }
        }
        match options.user.is_empty() {
            true => Err(Error::config("the environment variable PGUSER is not set")),
            false => Ok(options),
        }
    }

    /// The server's name or address, or the directory of its unix socket.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }
    /// The server's port; part of the socket's file name on unix sockets.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }
    /// The role to log in as.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = user.into();
        self
    }
    /// Its password.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }
    /// Asks for the password at every new connection, for tokens that rotate. It must not block for long.
    pub fn password_with(mut self, source: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        self.password_source = Some(Arc::new(source));
        self
    }
    /// The database; the user's name when not said.
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }
    /// How connections are encrypted. Modes that may end in plain text need [`allow_insecure`](Self::allow_insecure)
    /// towards another machine.
    pub fn tls(mut self, mode: TlsMode) -> Self {
        self.tls = Some(mode);
        self
    }
    /// A PEM file with the authority that signed the server's certificate.
    pub fn root_cert(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_cert = Some(path.into());
        self
    }
    /// Permits plain text to another machine: whoever listens reads data and password.
    pub fn allow_insecure(mut self, allow: bool) -> Self {
        self.allow_insecure = allow;
        self
    }
    /// The name shown in `pg_stat_activity`.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }
    /// How long the server lets a statement run. None by default: the server's own setting.
    pub fn statement_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.statement_timeout = limit.into();
        self
    }
    /// How long to wait for the end of a statement before its connection is closed: the only thing that ends waiting
    /// for a server that is unreachable without saying so. 60 s by default; give migrations and reports more, or none.
    pub fn query_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.query_timeout = limit.into();
        self
    }
    /// How many prepared statements a connection keeps. 512 by default.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }
    /// For a pooler that gives every transaction another session (PgBouncer's transaction mode): statements stay
    /// unnamed, each runs in an explicit transaction, nothing is set for the session.
    pub fn pooler(mut self, pooler: bool) -> Self {
        self.pooler = pooler;
        self
    }
    /// The pool's settings.
    pub fn pool(mut self, pool: PoolConfig) -> Self {
        self.pool = pool;
        self
    }
    /// Runs on every new connection before it is used.
    pub fn after_connect(
        mut self,
        hook: impl for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.after_connect = Some(Arc::new(hook));
        self
    }

    /// Opens the pool; see [`Postgres::connect_with`](crate::Postgres::connect_with).
    ///
    /// # Errors
    /// `Config` or `Connect`.
    pub async fn connect(self) -> Result<Arc<crate::Postgres>> {
        crate::Postgres::connect_with(self).await
    }

    /// Whether nobody else can listen on the way.
    fn is_local(&self) -> bool {
        self.host.starts_with('/')
            || self.host == "localhost"
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// The TLS mode in force, or why there is none.
    pub(crate) fn tls_mode(&self) -> Result<TlsMode> {
        let compiled = cfg!(any(
            feature = "tls-rustls-ring-webpki",
            feature = "tls-rustls-ring-native-roots"
        ));
        let local = self.is_local();
        let mode = self.tls.unwrap_or(if local {
            TlsMode::Disable
        } else {
            TlsMode::VerifyFull
        });
        let may_be_plain = matches!(mode, TlsMode::Disable | TlsMode::Prefer);
        if may_be_plain && !local && !self.allow_insecure {
            return Err(Error::config(
                "this sslmode may send data and password in plain text to another machine; \
                 use sslmode=verify-full, or say insecure=true as well",
            ));
        }
        if !may_be_plain && !compiled {
            return Err(Error::config(
                "this build has no TLS; enable the feature tls-rustls-ring-webpki or tls-rustls-ring-native-roots, \
                 or say sslmode=disable and insecure=true",
            ));
        }
        Ok(mode)
    }

    /// Everything that can be said to be wrong without a connection.
    pub(crate) fn validate(&self) -> Result<()> {
        self.tls_mode()?;
        if self.user.is_empty() {
            return Err(Error::config("no user is named"));
        }
        if self.host.is_empty() || self.host.contains(',') {
            return Err(Error::config("one host is needed, and no more than one"));
        }
        if self.pooler && self.statement_timeout.is_some() {
            return Err(Error::config(
                "statement_timeout cannot be kept through a pooler; set it on the role: ALTER ROLE … SET",
            ));
        }
        let texts = [&self.host, &self.user, &self.application_name];
        let optional = [&self.database, &self.password];
        if texts
            .into_iter()
            .chain(optional.into_iter().flatten())
            .any(|t| t.contains('\0'))
        {
            return Err(Error::config("a connection option contains a NUL character"));
        }
        Ok(())
    }

    /// sqlx's options, which would print the password: built for each connection and dropped at once.
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions> {
        let mode = match self.tls_mode()? {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        };
        // sqlx would take what is not set here from the environment.
        let password = match (&self.password_source, &self.password) {
            (Some(source), _) => source()?,
            (None, password) => password.clone().unwrap_or_default(),
        };
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(&password)
            .database(self.database_name())
            .ssl_mode(mode)
            .application_name(&self.application_name)
            .statement_cache_capacity(self.statement_cache.max(1))
            .extra_float_digits(None)
            .disable_statement_logging();
        let options = match &self.root_cert {
            Some(path) if !path.is_file() => {
                return Err(Error::config(format!(
                    "there is no root certificate at {}",
                    path.display()
                )));
            }
            Some(path) => options.ssl_root_cert(path),
            None => options.ssl_root_cert_from_pem(Vec::new()),
        };
        if self.pooler {
            return Ok(options);
        }
        // sqlx logs every notice, and a notice may quote values.
        let options = options.options([("client_min_messages", "error")]);
        Ok(match self.statement_timeout {
            Some(limit) => options.options([("statement_timeout", limit.as_millis().max(1))]),
            None => options,
        })
    }

    fn database_name(&self) -> &str {
        self.database.as_deref().unwrap_or(&self.user)
    }

    /// Host, port, database and user, for errors.
    pub(crate) fn place(&self) -> String {
        self.to_string()
    }
}

/// `PostgreSQL at host:port, database d, user u`.
impl fmt::Display for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        write!(
            f,
            "PostgreSQL at {host}:{port}, database {}, user {}",
            self.database_name(),
            self.user
        )
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("database", &self.database_name())
            .field("tls", &self.tls)
            .field("application_name", &self.application_name)
            .field("statement_timeout", &self.statement_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("statement_cache", &self.statement_cache)
            .field("pooler", &self.pooler)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
