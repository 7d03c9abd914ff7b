//! Folders with a project in them, and the program run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use orm::testing::{Cluster, TestDb, fresh_postgres, fresh_sqlite};
use serde_json::Value;

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.out, self.err))
    }
}

/// A folder that is deleted with this value, and a database.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
    _db: Option<TestDb>,
}

fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Project {
    /// With this database, which is there or not.
    pub(crate) fn at(url: &str) -> Self {
        Project::named(&format!("project-{}", unique()), url)
    }
    /// In a folder of this name, so that what is built there can be used again.
    pub(crate) fn named(name: &str, url: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        // what lies above is not looked at
        fs::write(folder.join("orm.toml"), "").unwrap();
        Project {
            folder,
            url: url.to_owned(),
            _db: None,
        }
    }
    /// A package of this name, whose library is this, in the versions of our own lock file. What is built of it is kept
    /// for the next run.
    pub(crate) fn package(name: &str, library: &str, url: &str) -> Self {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let project = Project::named(&format!("package-{name}"), url);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\norm = {{ path = {:?}, \
             default-features = false, features = [\"sqlite\", \"postgres\"] }}\n\n[profile.dev]\ndebug = \
             \"line-tables-only\"\n\n[workspace]\n",
            ours.display().to_string()
        );
        let lock = fs::read_to_string(ours.join("Cargo.lock")).unwrap();
        project
            .write("Cargo.toml", &manifest)
            .write("Cargo.lock", &lock)
            .write("src/lib.rs", library);
        project
    }
    /// On a fresh database of every backend.
    pub(crate) fn on_each() -> [Project; 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let both = [
            runtime.block_on(fresh_sqlite()).unwrap(),
            runtime.block_on(fresh_postgres()).unwrap(),
        ];
        runtime.shutdown_background();
        both.map(|db| {
            let mut project = Project::at(db.url());
            project._db = Some(db);
            project
        })
    }
    /// URLs of databases that are not there.
    pub(crate) fn without_databases() -> [Project; 2] {
        let name = format!("cli_{}", unique());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.db"));
        let cluster = Cluster::shared().unwrap();
        [
            Project::at(&format!("sqlite:{}", folder.display())),
            Project::at(&cluster.url(&name)),
        ]
    }
    pub(crate) fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: &str, text: &str) -> &Self {
        let path = self.folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    /// `cargo orm` with these arguments, with the database in the environment and nobody at the keyboard.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_cargo-orm"));
        let mut command = Command::new(program);
        command
            .arg("orm")
            .args(args)
            .current_dir(&self.folder)
            .env("DATABASE_URL", &self.url)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", target_folder())
            .env_remove("ORM_PROJECT")
            .stdin(Stdio::null());
        command
    }
    pub(crate) fn orm(&self, args: &[&str]) -> Ran {
        finished(&mut self.command(args))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        // a database that is still there was made by the test
        if let Some(file) = self.url.strip_prefix("sqlite:").filter(|_| self._db.is_none()) {
            for ending in ["", "-wal", "-shm", "-migrate.lock"] {
                let _ = fs::remove_file(format!("{file}{ending}"));
            }
        }
    }
}

/// The folder that the workspace's own programs are built in.
pub(crate) fn target_folder() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-orm"));
    program.parent().and_then(Path::parent).unwrap().to_owned()
}

pub(crate) fn finished(command: &mut Command) -> Ran {
    let done = command.output().unwrap();
    Ran {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
