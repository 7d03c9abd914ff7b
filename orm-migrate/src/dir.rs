//! Migrations as files: `<version>_<name>.up.sql`, `.down.sql` and `.snap.json` in one folder, and `migrations.lock`
//! beside them. The layout is that of sqlx; a migration without a way back may be `<version>_<name>.sql`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use orm_core::error::{Error, Result};
use orm_core::schema::Schema;
use orm_core::value::Timestamp;

use crate::code::Code;
use crate::text::{digest, plain};
use crate::{Backend, Header, Statement, checksum, statements};

/// The file with the chain of digests.
const CHAIN: &str = "migrations.lock";

/// A script with its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The text, with `\n` at the ends of lines.
    pub text: String,
    /// What it says about itself.
    pub header: Header,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// `Config` for a header that is not understood.
    pub fn new(text: &str) -> Result<Self> {
        let text = plain(text);
        Ok(Script {
            header: Header::read(&text)?,
            text,
        })
    }
    /// Its statements.
    ///
    /// # Errors
    /// `Config` when a string or comment has no end.
    pub fn statements(&self, backend: Backend) -> Result<Vec<Statement>> {
        statements(&self.text, backend)
    }
    /// The digest that agrees to lose what the script says it loses: of that, and of the statements, so that it holds
    /// for no other script. `None` when nothing is lost.
    ///
    /// ```
    /// use orm_migrate::{Backend, Script};
    /// let script = Script::new("-- orm: loses=\"column users.nick\"\nALTER TABLE users DROP nick;")?;
    /// let digest = script.acknowledgement(Backend::Postgres)?.unwrap();
    /// assert_eq!(digest.len(), 12);
    /// # Ok::<(), orm_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`statements`](Self::statements).
    pub fn acknowledgement(&self, backend: Backend) -> Result<Option<String>> {
        if self.header.loses.is_empty() {
            return Ok(None);
        }
        let sum = checksum(&self.text, backend)?;
        let parts = self.header.loses.iter().map(String::as_str).chain([sum.as_str()]);
        let mut hash = digest(parts);
        hash.truncate(12);
        Ok(Some(hash))
    }
}

/// What a migration does.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Sql {
        up: Box<Script>,
        down: Option<Box<Script>>,
    },
    Code(Code),
}

/// One migration.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The number that orders it, and names it in the history: a time in UTC, `20260131120000`.
    pub version: i64,
    /// What it does, in a few words: `create_users`.
    pub name: String,
    /// The schema after it, as [`snapshot`](crate::snapshot) writes it.
    pub snapshot: Option<String>,
    pub(crate) header: Header,
    pub(crate) body: Body,
    /// The models that code was written with.
    pub(crate) frozen: Option<Schema>,
}

impl Migration {
    /// A migration of SQL.
    ///
    /// ```
    /// use orm_migrate::{Backend, Migration};
    /// let first = Migration::sql(20260131120000, "create_users", "CREATE TABLE users (id int);", Some("DROP TABLE users;"))?;
    /// assert_eq!(first.statements(Backend::Sqlite)?.len(), 1);
    /// # Ok::<(), orm_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` for a name or header that is not usable, and for a way back without a statement.
    pub fn sql(version: i64, name: &str, up: &str, down: Option<&str>) -> Result<Self> {
        check_name(version, name)?;
        let within = |e: Error, part: &str| {
            Error::config(format!("{}.{part}.sql: {}", label(version, name), e.message()))
        };
        let up = Script::new(up).map_err(|e| within(e, "up"))?;
        let down = down.map(Script::new).transpose().map_err(|e| within(e, "down"))?;
        let empty = |s: &Script| {
            s.text
                .lines()
                .all(|l| l.trim().is_empty() || l.trim().starts_with("--"))
        };
        if down.as_ref().is_some_and(empty) && up.header.irreversible.is_none() {
            return Err(Error::config(format!(
                "{}.down.sql is empty: write the way back, or say `-- orm: irreversible=\"why\"` in the up script",
                label(version, name)
            )));
        }
        Ok(Migration {
            version,
            name: name.to_owned(),
            snapshot: None,
            header: up.header.clone(),
            body: Body::Sql {
                up: Box::new(up),
                down: down.map(Box::new),
            },
            frozen: None,
        })
    }

    /// The version with the name: the beginning of its file names.
    pub fn label(&self) -> String {
        label(self.version, &self.name)
    }
    /// What it says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// The script that applies it; `None` for code.
    pub fn up(&self) -> Option<&Script> {
        match &self.body {
            Body::Sql { up, .. } => Some(up),
            Body::Code(_) => None,
        }
    }
    /// The script that undoes it.
    pub fn down(&self) -> Option<&Script> {
        match &self.body {
            Body::Sql { down, .. } => down.as_deref(),
            Body::Code(_) => None,
        }
    }
    /// The statements that apply it; none for code.
    ///
    /// # Errors
    /// `Config` when a string or comment has no end.
    pub fn statements(&self, backend: Backend) -> Result<Vec<Statement>> {
        self.up().map_or(Ok(Vec::new()), |up| up.statements(backend))
    }
    /// The digest that the history keeps; `code` for code.
    ///
    /// # Errors
    /// As [`statements`](Self::statements).
    pub fn checksum(&self, backend: Backend) -> Result<String> {
        match &self.body {
            Body::Sql { up, .. } => checksum(&up.text, backend)
                .map_err(|e| Error::config(format!("{}: {}", self.label(), e.message()))),
            Body::Code(_) => Ok("code".to_owned()),
        }
    }
}

pub(crate) fn label(version: i64, name: &str) -> String {
    format!("{version}_{name}")
}

fn check_name(version: i64, name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if version <= 0 || name.is_empty() || !name.chars().all(good) {
        return Err(Error::config(
            "a migration has a version above 0 and a name of letters, digits, `_` and `-`",
        ));
    }
    Ok(())
}

/// A set of migrations, ordered by version.
///
/// ```
/// use orm_migrate::Migrations;
/// let migrations = Migrations::of([
///     ("20260131120000_create_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);"),
///     ("20260131120000_create_users.down.sql", "DROP TABLE users;"),
/// ])?;
/// assert_eq!(migrations.iter().next().unwrap().label(), "20260131120000_create_users");
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Migrations {
    all: Vec<Migration>,
    chain: Option<String>,
}

#[derive(Default)]
struct Parts {
    up: Option<String>,
    down: Option<String>,
    snapshot: Option<String>,
}

impl Migrations {
    /// Reads a folder. Files with other names, and hidden ones, are passed over.
    ///
    /// # Errors
    /// `Config` when the folder cannot be read, two migrations have one version, or a header is not understood.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let refuse = |e: std::io::Error| {
            Error::config(format!(
                "the folder `{}` cannot be read: {}",
                folder.display(),
                e.kind()
            ))
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(refuse)? {
            let path = entry.map_err(refuse)?.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
                continue;
            };
            if is_ours(name) && path.is_file() {
                let text = fs::read_to_string(&path)
                    .map_err(|e| Error::config(format!("`{name}` cannot be read: {}", e.kind())))?;
                files.push((name.to_owned(), text));
            }
        }
        Migrations::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// From names and texts of files, as a program has them built in.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self> {
        let mut found: BTreeMap<(i64, String), Parts> = BTreeMap::new();
        let mut chain = None;
        for (file, text) in files {
            let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
            if file == CHAIN {
                chain = Some(plain(text));
                continue;
            }
            let Some((version, name, part)) = parse_file_name(file)? else {
                continue;
            };
            let parts = found.entry((version, name)).or_default();
            let slot = match part {
                Part::Up => &mut parts.up,
                Part::Down => &mut parts.down,
                Part::Snapshot => &mut parts.snapshot,
            };
            if slot.replace(text.to_owned()).is_some() {
                return Err(Error::config(format!("`{file}` is there twice")));
            }
        }
        let mut set = Migrations {
            all: Vec::new(),
            chain,
        };
        for ((version, name), parts) in found {
            let Some(up) = parts.up else {
                return Err(Error::config(format!(
                    "{} has no up script: `{0}.up.sql` is missing",
                    label(version, &name)
                )));
            };
            let mut migration = Migration::sql(version, &name, &up, parts.down.as_deref())?;
            migration.snapshot = parts.snapshot;
            set = set.with(migration)?;
        }
        Ok(set)
    }

    /// Adds a migration, such as one of [code](Migration::code).
    ///
    /// # Errors
    /// `Config` when its version is taken.
    pub fn with(mut self, migration: Migration) -> Result<Self> {
        match self.all.binary_search_by_key(&migration.version, |m| m.version) {
            Ok(taken) => Err(Error::config(format!(
                "two migrations have the version {}: `{}` and `{}`",
                migration.version, self.all[taken].name, migration.name
            ))),
            Err(at) => {
                self.all.insert(at, migration);
                Ok(self)
            }
        }
    }

    /// All of them, by version.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Migration> + ExactSizeIterator {
        self.all.iter()
    }
    /// The one with this version.
    pub fn get(&self, version: i64) -> Option<&Migration> {
        let at = self.all.binary_search_by_key(&version, |m| m.version).ok()?;
        self.all.get(at)
    }

    /// The text of `migrations.lock`: a line for each file, with a digest of all lines above it. Two branches that both
    /// add a migration conflict there when they are merged, and whoever merges them looks at the order.
    ///
    /// # Errors
    /// As [`Migration::checksum`].
    pub fn chain(&self, backend: Backend) -> Result<String> {
        let mut text =
            format!("# migrations of {backend}; each line ends with a digest of it and those above\n");
        let mut above = String::new();
        for migration in self.all.iter().filter(|m| m.up().is_some()) {
            let (label, sum) = (migration.label(), migration.checksum(backend)?);
            above = digest([above.as_str(), &label, &sum]);
            text.push_str(&format!("{label} {} {}\n", &sum[..16], &above[..16]));
        }
        Ok(text)
    }

    /// Compares the files with `migrations.lock`, where there is one.
    ///
    /// # Errors
    /// `Config` that names the first file that does not agree.
    pub fn verify_chain(&self, backend: Backend) -> Result<()> {
        let Some(found) = &self.chain else {
            return Ok(());
        };
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim);
            lines
                .filter(|l| !l.is_empty() && !l.starts_with('#'))
                .map(str::to_owned)
                .collect()
        };
        let (found, expected) = (lines(found), lines(&self.chain(backend)?));
        let differing = (0..found.len().max(expected.len())).find(|i| found.get(*i) != expected.get(*i));
        let Some(at) = differing else {
            return Ok(());
        };
        let name = |line: Option<&String>| {
            line.and_then(|l| l.split(' ').next())
                .unwrap_or("the end of the list")
                .to_owned()
        };
        let (here, there) = (name(expected.get(at)), name(found.get(at)));
        Err(Error::config(match here == there {
            true => format!(
                "`{here}` is not the file that {CHAIN} lists: it was changed; change it back, or write {CHAIN} anew"
            ),
            false => format!(
                "{CHAIN} lists `{there}` where the folder has `{here}`: look at the order, then write {CHAIN} anew"
            ),
        }))
    }

    /// Writes `migrations.lock`.
    ///
    /// # Errors
    /// `Config` when the file cannot be written.
    pub fn write_chain(&self, folder: impl AsRef<Path>, backend: Backend) -> Result<()> {
        write_whole(&folder.as_ref().join(CHAIN), &self.chain(backend)?)
    }
}

/// A migration that is about to be written to files.
///
/// ```no_run
/// use orm_migrate::{Backend, Draft, Header};
/// let files = Draft {
///     header: Header { why: Some("people want to be found".into()), ..Header::default() },
///     up: "ALTER TABLE users ADD COLUMN nick TEXT;\n".into(),
///     down: Some("ALTER TABLE users DROP COLUMN nick;\n".into()),
///     ..Draft::new("add nicknames")
/// }
/// .write("migrations", Backend::Postgres)?;
/// assert!(files[0].ends_with("_add_nicknames.up.sql"));
/// # Ok::<(), orm_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The version: the time now, unless there is a later one in the folder.
    pub version: i64,
    /// What it does, in a few words.
    pub name: String,
    /// What it says about itself.
    pub header: Header,
    /// The statements that apply it.
    pub up: String,
    /// The statements that undo it. `None` only with a reason in [`Header::irreversible`].
    pub down: Option<String>,
    /// The schema after it.
    pub snapshot: Option<String>,
}

impl Draft {
    /// An empty one of now.
    pub fn new(name: &str) -> Self {
        let words: Vec<&str> = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        Draft {
            version: version_at(Timestamp::now()),
            name: words.join("_").to_ascii_lowercase(),
            header: Header::default(),
            up: String::new(),
            down: None,
            snapshot: None,
        }
    }

    /// Writes its files and the chain; gives back what was written. No file is overwritten.
    ///
    /// # Errors
    /// `Config` without a way back and without a reason for that, or when a file cannot be written.
    pub fn write(mut self, folder: impl AsRef<Path>, backend: Backend) -> Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|e| {
            Error::config(format!(
                "the folder `{}` cannot be made: {}",
                folder.display(),
                e.kind()
            ))
        })?;
        let before = Migrations::read(folder)?;
        // one that replaces others has its place behind them
        if let Some(last) = before
            .iter()
            .next_back()
            .filter(|_| self.header.replaces.is_empty())
        {
            self.version = self.version.max(last.version + 1);
        }
        if self.down.is_none() && self.header.irreversible.is_none() {
            return Err(Error::config(
                "a migration needs a way back, or a reason in its header why there is none (`irreversible`)",
            ));
        }
        let up = format!("{}{}", self.header.write(), self.up);
        // everything is checked before the first file is there
        let migration = Migration::sql(self.version, &self.name, &up, self.down.as_deref())?;
        migration.checksum(backend)?;
        let label = migration.label();
        let parts = [
            ("up.sql", Some(up)),
            ("down.sql", self.down),
            ("snap.json", self.snapshot),
        ];
        let mut written = Vec::new();
        for (part, text) in parts {
            if let Some(text) = text {
                let path = folder.join(format!("{label}.{part}"));
                create(&path, &text)?;
                written.push(path);
            }
        }
        Migrations::read(folder)?.write_chain(folder, backend)?;
        Ok(written)
    }
}

/// `20260131120000`.
pub(crate) fn version_at(time: Timestamp) -> i64 {
    let digits: String = time
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    digits.parse().unwrap_or(1)
}

pub(crate) fn create(path: &Path, text: &str) -> Result<()> {
    let refuse =
        |e: std::io::Error| Error::config(format!("`{}` cannot be written: {}", path.display(), e.kind()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(refuse)?;
    file.write_all(text.as_bytes()).map_err(refuse)
}

/// Replaces a file, so that a crash leaves the old one or the new one.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let refuse =
        |e: std::io::Error| Error::config(format!("`{}` cannot be written: {}", path.display(), e.kind()));
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text).map_err(refuse)?;
    fs::rename(&beside, path).map_err(refuse)
}

enum Part {
    Up,
    Down,
    Snapshot,
}

fn is_ours(file: &str) -> bool {
    !file.starts_with('.') && (file == CHAIN || file.ends_with(".sql") || file.ends_with(".snap.json"))
}

/// `None` for files of others.
fn parse_file_name(file: &str) -> Result<Option<(i64, String, Part)>> {
    if !is_ours(file) {
        return Ok(None);
    }
    let parts = [
        (".up.sql", Part::Up),
        (".down.sql", Part::Down),
        (".snap.json", Part::Snapshot),
        (".sql", Part::Up),
    ];
    let stem = parts
        .into_iter()
        .find_map(|(suffix, part)| Some((file.strip_suffix(suffix)?, part)));
    let Some((stem, part)) = stem else {
        return Ok(None);
    };
    let parsed = stem
        .split_once('_')
        .and_then(|(version, name)| Some((version.parse::<i64>().ok()?, name)));
    match parsed {
        Some((version, name)) => {
            check_name(version, name).map_err(|e| Error::config(format!("`{file}`: {}", e.message())))?;
            Ok(Some((version, name.to_owned(), part)))
        }
        None => Err(Error::config(format!(
            "`{file}` is no name of a migration: expected `20260131120000_what_it_does.up.sql`"
        ))),
    }
}
