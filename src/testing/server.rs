//! Starting and stopping a server in a folder of its own.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::testing::binaries;
use crate::testing::cluster::ClusterError;
use crate::testing::watchdog::{Arrival, Task, Watchdog};

/// Seconds a shared cluster waits for its next user: the gaps between the test processes of a run.
const GRACE: u32 = 2;
/// How long a process waits for the one that founded the shared cluster; fetching binaries takes its time.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at something another process does.
const PAUSE: Duration = Duration::from_millis(20);
/// A unix socket's path is limited to about 100 bytes; folder and file name need 60 of them.
const LONGEST_TEMP: usize = 40;
/// Settings whose value is a file that the server must be able to read, and no other user.
const FILE_SETTINGS: [&str; 4] = ["ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file"];

/// Memory that the server shares lies in files of the folder, so that even a killed server leaves none behind.
const SETTINGS: &str = "\
fsync = off
full_page_writes = off
max_connections = 200
dynamic_shared_memory_type = mmap
";

#[derive(Debug)]
pub(super) struct Server {
    dir: PathBuf,
    /// Where the binaries lie; none for a server that another process started.
    bin: Option<PathBuf>,
    port: u16,
    shared: bool,
    watchdog: Watchdog,
}

/// Whom the server runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// The user of this process.
    Own,
    /// Another one, as this process is root's and PostgreSQL refuses to run as root.
    Other {
        /// Its user id.
        uid: u32,
        /// Its group id.
        gid: u32,
    },
}

/// Further settings of a cluster, checked before anything is started.
#[derive(Debug, Default)]
struct Settings {
    lines: String,
    /// Files for the data folder, by their names there, which are those of the settings.
    files: Vec<(String, Vec<u8>)>,
}

impl Server {
    /// A server that ends with this handle.
    pub(super) fn start(settings: &[(&str, &str)]) -> Result<Self, ClusterError> {
        let further = Settings::read(settings)?;
        let account = Account::detect()?;
        let bin = binaries::locate(account)?;
        let dir = temp_root(account).join(format!("orm-pg-{}", unique()));
        let (watchdog, arrival) = Watchdog::spawn(account, &dir, 0)?;
        if arrival != Arrival::Founded {
            return Err(ClusterError::new(format!(
                "cannot create the folder {}",
                dir.display()
            )));
        }
        Server {
            dir,
            bin: Some(bin),
            port: 0,
            shared: false,
            watchdog,
        }
        .found(account, further)
    }

    /// The server that all processes of a run share: started by the first, ended after the last.
    pub(super) fn share(run: &str) -> Result<Self, ClusterError> {
        let account = Account::detect()?;
        let name: String = run
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(36)
            .collect();
        let dir = temp_root(account).join(format!("orm-pg-{name}"));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let (watchdog, arrival) = Watchdog::spawn(account, &dir, GRACE)?;
            let server = Server {
                dir: dir.clone(),
                bin: None,
                port: 0,
                shared: true,
                watchdog,
            };
            match arrival {
                Arrival::Founded => return server.found_shared(account),
                Arrival::Joined => {
                    if let Some(server) = server.await_founder(deadline)? {
                        return Ok(server);
                    }
                }
                Arrival::Refused => std::thread::sleep(PAUSE),
            }
        }
        Err(ClusterError::new(format!(
            "the shared folder {} can be neither made nor used; remove it",
            dir.display()
        )))
    }

    /// The same server, which may no longer be stopped by one of its users.
    pub(super) fn into_shared(mut self) -> Self {
        self.shared = true;
        self
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    pub(super) fn postmaster_pid(&self) -> Result<u32, ClusterError> {
        let path = self.dir.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&path).map_err(|error| ClusterError::io("read", &path, &error))?;
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
        pid.ok_or_else(|| ClusterError::new(format!("{} holds no process id", path.display())))
    }

    pub(super) fn stop(&self) -> Result<(), ClusterError> {
        match self.watchdog.ask(Task::Stop)? {
            true => Ok(()),
            false => Err(self.failure("the server does not stop", "report")),
        }
    }

    pub(super) fn restart(&self) -> Result<(), ClusterError> {
        // Backends of a killed server may hold its memory for a moment, during which a new one refuses to start.
        for _ in 0..20 {
            self.stop()?;
            if self.launch()? {
                return Ok(());
            }
            std::thread::sleep(PAUSE * 5);
        }
        Err(self.failure("the server does not start again", "log"))
    }

    fn found(mut self, account: Account, further: Settings) -> Result<Self, ClusterError> {
        let Some(bin) = self.bin.clone() else {
            return Err(ClusterError::new("no server binaries"));
        };
        if !self.watchdog.ask(Task::Init(&bin))? {
            return Err(self.failure("initdb fails", "report"));
        }
        self.configure(account, &bin, further)?;
        // The port that was free may be taken when the server binds it.
        for _ in 0..5 {
            self.port = free_port()?;
            self.append_conf(&format!("port = {}\n", self.port))?;
            if self.launch()? {
                return Ok(self);
            }
            if !tail(&self.dir.join("log")).contains("could not bind") {
                break;
            }
        }
        Err(self.failure("the server does not start", "log"))
    }

    /// Founds the cluster and tells the others, who wait for the file `state`.
    fn found_shared(mut self, account: Account) -> Result<Self, ClusterError> {
        let state = self.dir.join("state");
        self.bin = Some(binaries::locate(account)?);
        let server = self.found(account, Settings::default())?;
        let draft = state.with_extension("draft");
        std::fs::write(&draft, server.port.to_string())
            .and_then(|()| std::fs::rename(&draft, &state))
            .map_err(|error| ClusterError::io("write", &state, &error))?;
        Ok(server)
    }

    /// The joined server once it is ready; `None` if there is none after all, and the folder is gone or going.
    fn await_founder(mut self, deadline: Instant) -> Result<Option<Self>, ClusterError> {
        let state = self.dir.join("state");
        while self.dir.join("users").exists() && Instant::now() < deadline {
            let port = std::fs::read_to_string(&state)
                .ok()
                .and_then(|text| text.parse().ok());
            let Some(port) = port else {
                std::thread::sleep(PAUSE);
                continue;
            };
            self.port = port;
            if UnixStream::connect(self.dir.join(format!(".s.PGSQL.{port}"))).is_ok() {
                return Ok(Some(self));
            }
            // The server crashed or was killed: make room for a new one.
            self.watchdog.ask(Task::Raze)?;
        }
        Ok(None)
    }

    fn launch(&self) -> Result<bool, ClusterError> {
        match &self.bin {
            Some(bin) => self.watchdog.ask(Task::Start(bin)),
            None => Ok(false),
        }
    }

    fn configure(&self, account: Account, bin: &Path, further: Settings) -> Result<(), ClusterError> {
        let mut conf = String::from(SETTINGS);
        if has_statement_statistics(bin) {
            conf.push_str("shared_preload_libraries = 'pg_stat_statements'\n");
        }
        conf.push_str(&further.lines);
        conf.push_str(&conf_line("listen_addresses", "127.0.0.1")?);
        conf.push_str(&conf_line(
            "unix_socket_directories",
            &self.dir.to_string_lossy(),
        )?);
        for (name, bytes) in &further.files {
            self.add_file(account, name, bytes)?;
        }
        self.append_conf(&conf)
    }

    fn append_conf(&self, lines: &str) -> Result<(), ClusterError> {
        let path = self.dir.join("data/postgresql.conf");
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(|error| ClusterError::io("write", &path, &error))
    }

    /// Adds a file to the data folder that only the server may read.
    fn add_file(&self, account: Account, name: &str, bytes: &[u8]) -> Result<(), ClusterError> {
        let file = self.dir.join("data").join(name);
        let written = std::fs::write(&file, bytes)
            .and_then(|()| std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)))
            .and_then(|()| match account {
                Account::Own => Ok(()),
                Account::Other { uid, gid } => chown(&file, Some(uid), Some(gid)),
            });
        written.map_err(|error| ClusterError::io("write", &file, &error))
    }

    fn failure(&self, what: &str, log: &str) -> ClusterError {
        ClusterError::new(format!("{what}; its last words:\n{}", tail(&self.dir.join(log))))
    }
}

impl Settings {
    fn read(settings: &[(&str, &str)]) -> Result<Self, ClusterError> {
        let mut read = Settings::default();
        for (name, value) in settings {
            if FILE_SETTINGS.contains(name) && !value.is_empty() {
                let cannot = |error| ClusterError::io("read", Path::new(value), &error);
                read.files
                    .push(((*name).to_owned(), std::fs::read(value).map_err(cannot)?));
                read.lines.push_str(&conf_line(name, name)?);
            } else {
                read.lines.push_str(&conf_line(name, value)?);
            }
        }
        Ok(read)
    }
}

impl Account {
    fn detect() -> Result<Self, ClusterError> {
        if id(&["-u"]) != Some(0) {
            return Ok(Account::Own);
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id(&["-u", name]), id(&["-g", name])) {
                return Ok(Account::Other { uid, gid });
            }
        }
        Err(ClusterError::new(
            "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as; \
             create one, run the tests as an ordinary user, or set ORM_TEST_POSTGRES_URL",
        ))
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Where folders for clusters are made: the usual place, unless the server could not get there.
fn temp_root(account: Account) -> PathBuf {
    let usual = std::env::temp_dir();
    let short = usual
        .to_str()
        .is_some_and(|path| path.len() <= LONGEST_TEMP && !path.contains('\n'));
    let mode = std::fs::metadata(&usual).map_or(0, |data| data.permissions().mode());
    let open = account == Account::Own || (mode & 0o003 == 0o003 && reachable_by_all(&usual));
    if short && open && usual.is_absolute() {
        usual
    } else {
        PathBuf::from("/tmp")
    }
}

/// Whether every user may pass through all folders down to `path`.
pub(super) fn reachable_by_all(path: &Path) -> bool {
    let passable =
        |dir: &Path| std::fs::metadata(dir).is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
    path.ancestors().all(passable)
}

/// A name part that no other folder has, of this process or another.
pub(super) fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64);
    format!(
        "{}-{:x}-{}",
        std::process::id(),
        nanos & 0xff_ffff_ffff,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// PostgreSQL cannot be asked to choose a port itself.
fn free_port() -> Result<u16, ClusterError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| ClusterError::new(format!("there is no free port on 127.0.0.1: {error}")))
}

fn has_statement_statistics(bin: &Path) -> bool {
    let Some(prefix) = bin.parent() else { return false };
    let files = ["lib/pg_stat_statements", "lib/postgresql/pg_stat_statements"];
    files.iter().any(|file| {
        ["so", "dylib"]
            .iter()
            .any(|end| prefix.join(file).with_extension(end).exists())
    })
}

fn conf_line(name: &str, value: &str) -> Result<String, ClusterError> {
    let named = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if !named || value.contains(['\n', '\r', '\0']) {
        return Err(ClusterError::new(format!(
            "the setting `{}` is malformed",
            name.escape_debug()
        )));
    }
    Ok(format!(
        "{name} = '{}'\n",
        value.replace('\\', "\\\\").replace('\'', "''")
    ))
}

/// The last lines of a file, for an error message.
fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
