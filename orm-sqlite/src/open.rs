//! Opening one connection: sqlx opens and configures it, then its handle is taken over.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{Effort, Sql};
use orm_core::value::{Cells, Type};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};

use crate::error;
use crate::options::{Place, SqliteOptions, Synchronous};
use crate::pool::{Conn, Role};
use crate::raw::RawConnection;
use crate::task::{Open, Pace};

/// Opens a connection of this role.
pub(crate) async fn connection(options: &SqliteOptions, role: Role) -> Result<Conn> {
    let owner = connect(options, role).await?;
    let mut raw = RawConnection::attach(owner).await?;
    let (busy_ms, fast) = (options.busy_ms(), options.synchronous <= Synchronous::Normal);
    let (memory, timeout) = (options.is_memory(), options.statement_timeout);
    // The first statement reads the schema and may have to recover the log: not on the runtime's thread.
    let opened = tokio::task::spawn_blocking(move || {
        raw.configure()?;
        let mode = journal_mode(&mut raw, busy_ms)?;
        let log = mode == "wal";
        raw.watch().set_timeout(timeout);
        Ok(Conn::new(raw, log, memory || (log && fast)))
    });
    match opened.await {
        Ok(conn) => conn,
        Err(_) => Err(Error::new(ErrorKind::ConnectionLost, "the runtime was shut down").with_sent(false)),
    }
}

/// Asks sqlx, again while another process is just about to switch the file to a write-ahead log.
async fn connect(options: &SqliteOptions, role: Role) -> Result<SqliteConnection> {
    let settings = sqlx_options(options, role);
    let deadline = Instant::now() + options.busy_timeout;
    loop {
        match settings.connect().await {
            Ok(owner) => return Ok(owner),
            Err(e) => {
                let e = error::from_sqlx(&e);
                if e.kind() != ErrorKind::Busy || Instant::now() >= deadline {
                    return Err(e);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn sqlx_options(options: &SqliteOptions, role: Role) -> SqliteConnectOptions {
    let mut settings = SqliteConnectOptions::new()
        .busy_timeout(Duration::from_millis(options.busy_ms().into()))
        .foreign_keys(options.foreign_keys)
        .read_only(options.read_only)
        .pragma("synchronous", options.synchronous.as_str())
        .disable_statement_logging();
    settings = match &options.place {
        Place::Memory(None) => settings.filename(":memory:").in_memory(true),
        Place::Memory(Some(name)) => settings
            .filename(format!("file:{}?mode=memory&cache=shared", encode(name)))
            .in_memory(true)
            .shared_cache(true),
        Place::File(path) if path.to_string_lossy().starts_with("file:") || path == Path::new(":memory:") => {
            // SQLite would take these for something else than a path.
            settings.filename(Path::new(".").join(path))
        }
        Place::File(path) => settings.filename(path),
    };
    if options.is_memory() || options.read_only {
        return settings;
    }
    match role {
        Role::Writer => settings
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", "0"),
        Role::Reader => settings.pragma("query_only", "ON"),
    }
}

/// Percent-encodes what has a meaning in SQLite's URI file names.
fn encode(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let mut out = String::new();
    for b in name.bytes() {
        if plain(b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn journal_mode(raw: &mut RawConnection, busy_ms: u32) -> Result<String> {
    struct First(String);
    impl orm_core::driver::Sink for First {
        fn row(&mut self, cells: &dyn Cells) -> Result<()> {
            self.0 = cells.text(0)?.unwrap_or_default().to_owned();
            Ok(())
        }
        fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
            self
        }
    }
    let mut first = First(String::new());
    for text in ["SELECT name FROM sqlite_schema LIMIT 1", "PRAGMA journal_mode"] {
        let mut sql = control_sql(text);
        let mut open = Open::new(raw, &mut sql, false, false)?;
        let done = open.advance(raw, &[Type::Text], &mut first, None, Pace::blocking(busy_ms));
        if done.is_ok() {
            open.close(raw);
        }
        done?;
    }
    Ok(first.0)
}

/// What a statement of the driver's own is called. It has no time limit.
pub(crate) const CONTROL: &str = "CONTROL";

/// A statement of the driver's own.
pub(crate) fn control_sql(text: &str) -> Sql {
    Sql {
        text: text.into(),
        params: Vec::new(),
        columns: [].into(),
        effort: Effort::Short,
        writes: false,
        operation: CONTROL,
        target: None,
        sensitive: false,
        site: None,
    }
}

/// Looks at the file before SQLite does, for errors that say what is wrong. `true` when it had to be created, which it
/// is for its owner only.
pub(crate) fn prepare_file(options: &SqliteOptions) -> Result<bool> {
    let Place::File(path) = &options.place else {
        return Ok(false);
    };
    if path.to_str().is_none() {
        return Err(Error::config("the path of the database is not valid UTF-8"));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(refused(path, "is a folder")),
        Ok(_) => {
            let opened = fs::OpenOptions::new()
                .read(true)
                .write(!options.read_only)
                .open(path);
            opened.map(|_| false).map_err(|e| cause(path, &e))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let folder = path
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            if !folder.is_dir() {
                return Err(refused(path, "lies in a folder that does not exist"));
            }
            if options.read_only || !options.create {
                return Err(refused(path, "does not exist"));
            }
            create(path)
        }
        Err(e) => Err(cause(path, &e)),
    }
}

fn create(path: &Path) -> Result<bool> {
    let mut how = fs::OpenOptions::new();
    how.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    match how.open(path) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(cause(path, &e)),
    }
}

/// Removes what a failed first opening left.
pub(crate) fn remove_created(options: &SqliteOptions) {
    let Place::File(path) = &options.place else {
        return;
    };
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // What is not there need not be removed.
        let _ = fs::remove_file(name);
    }
}

fn refused(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::Connect,
        format!("the database `{}` {why}", path.display()),
    )
}

fn cause(path: &Path, e: &io::Error) -> Error {
    match e.kind() {
        io::ErrorKind::PermissionDenied => refused(path, "cannot be opened: permission denied"),
        io::ErrorKind::ReadOnlyFilesystem => refused(path, "lies on a file system that is read-only"),
        kind => refused(path, &format!("cannot be opened: {kind}")),
    }
}
