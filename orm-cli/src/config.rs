//! Where things are: what was typed, then the environment, then `.env`, then `orm.toml`. All defaults are decided here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orm::migrate::{Backend, Migrations, lint};
use serde::Deserialize;

use crate::args::{Common, Kind};
use crate::reply::{Stop, unusable};
use crate::url;

/// `orm.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) database_url: Option<String>,
    /// The folder with migrations.
    pub(crate) dir: Option<PathBuf>,
    /// `postgres` or `sqlite`, where no database is named.
    pub(crate) backend: Option<String>,
    /// The path of the function that returns the models' schema, in the package's library.
    pub(crate) schema: Option<String>,
    /// That of the function that returns migrations written in Rust.
    pub(crate) migrations: Option<String>,
    /// The file with what models cannot say, which is added to their schema.
    pub(crate) beside: Option<PathBuf>,
    pub(crate) lint: LintSettings,
    pub(crate) drift: DriftSettings,
    pub(crate) run: RunSettings,
    pub(crate) new: NewSettings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LintSettings {
    /// Rules that are allowed, and why.
    pub(crate) allow: BTreeMap<String, String>,
    /// Whether tables without soft delete are reported.
    pub(crate) soft_delete: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct DriftSettings {
    /// Objects that are left out.
    pub(crate) leave_out: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewSettings {
    /// Commands that get the scripts that were written, behind their own arguments: formatters.
    pub(crate) after_write: Vec<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RunSettings {
    /// In seconds.
    pub(crate) lock_wait: Option<u64>,
    /// In milliseconds.
    pub(crate) lock_timeout: Option<u64>,
}

/// Everything that is decided before a verb begins.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The folder of the project.
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    /// The folder with migrations.
    pub(crate) dir: PathBuf,
    url: Option<String>,
    /// Where the URL was found, for `doctor`.
    pub(crate) url_from: &'static str,
    kind: Option<Backend>,
}

impl Config {
    /// Of the project in this folder, or above it.
    pub(crate) fn of(common: &Common, folder: &Path) -> Result<Self, Stop> {
        let root = root(folder);
        let settings = Settings::read(&root)?;
        let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let from_file = match common.no_env_file {
            true => None,
            false => env_file(&root, "DATABASE_URL")?,
        };
        let places = [
            ("--database-url", common.database_url.clone()),
            ("DATABASE_URL", env("DATABASE_URL")),
            (".env", from_file),
            ("orm.toml", settings.database_url.clone()),
        ];
        let found = places
            .into_iter()
            .find_map(|(from, url)| url.map(|url| (from, url)));
        let (url_from, url) = found.map_or(("nowhere", None), |(from, url)| (from, Some(url)));
        let kind = match (common.backend, &settings.backend) {
            (Some(Kind::Postgres), _) => Some(Backend::Postgres),
            (Some(Kind::Sqlite), _) => Some(Backend::Sqlite),
            (None, Some(name)) => Some(Backend::named(name)?),
            (None, None) => None,
        };
        let dir = match (&common.dir, &settings.dir) {
            (Some(typed), _) => typed.clone(),
            (None, set) => short(root.join(set.as_deref().unwrap_or(Path::new("migrations")))),
        };
        Ok(Config {
            root,
            settings,
            dir,
            url,
            url_from,
            kind,
        })
    }

    /// The database's URL.
    pub(crate) fn url(&self) -> Result<&str, Stop> {
        self.url.as_deref().ok_or_else(|| {
            Stop::usage("no database is named").help(
                "say `--database-url`, or set DATABASE_URL in the environment or in `.env`, or `database-url` in orm.toml",
            )
        })
    }
    /// The URL, if there is one.
    pub(crate) fn url_if_any(&self) -> Option<&str> {
        self.url.as_deref()
    }
    /// The database's kind: as it was said, or by the URL, or by the migrations that are there.
    pub(crate) fn backend(&self) -> Result<Backend, Stop> {
        if let Some(kind) = self.kind {
            return Ok(kind);
        }
        if let Some(url) = &self.url {
            return url::backend(url);
        }
        let chain = std::fs::read_to_string(self.dir.join("migrations.lock")).unwrap_or_default();
        let named = chain
            .strip_prefix("# migrations of ")
            .and_then(|rest| rest.split(';').next());
        match named {
            Some(name) => Ok(Backend::named(name)?),
            None => Err(Stop::usage("it is not said for which database").help(
                "say `--backend postgres` or `--backend sqlite`, or name a database by `--database-url` or DATABASE_URL",
            )),
        }
    }
    /// The migrations of the folder; none when there is no folder yet.
    pub(crate) fn files(&self) -> Result<Migrations, Stop> {
        match self.dir.is_dir() {
            true => Ok(Migrations::read(&self.dir)?),
            false => Ok(Migrations::default()),
        }
    }
    /// What linting allows, of orm.toml and of flags.
    pub(crate) fn lint_options(&self, allow: &[String], soft_delete: bool) -> Result<lint::Options, Stop> {
        let set = self.settings.lint.allow.clone().into_iter();
        let mut all: Vec<(String, String)> = set.collect();
        for said in allow {
            match said.split_once('=') {
                Some((rule, why)) if !why.trim().is_empty() => all.push((rule.to_owned(), why.to_owned())),
                _ => {
                    return Err(Stop::usage(
                        "a rule is allowed with a reason: `--allow drop-column=\"nobody reads it\"`",
                    ));
                }
            }
        }
        Ok(lint::Options {
            allow: all,
            soft_delete: soft_delete || self.settings.lint.soft_delete,
            after: None,
        })
    }
}

impl Settings {
    /// Of the project in this folder.
    pub(crate) fn read(root: &Path) -> Result<Self, Stop> {
        let path = root.join("orm.toml");
        if !path.is_file() {
            return Ok(Settings::default());
        }
        let text = std::fs::read_to_string(&path).map_err(|e| unusable(&path, &e))?;
        // `message`, not the whole error: that quotes the line, which may hold a password
        toml::from_str(&text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().lines().count().max(1);
            Stop::usage(format!("`{}`, line {line}: {}", path.display(), e.message()))
        })
    }
}

/// The folder with `orm.toml`, else that with `Cargo.toml` or `migrations`, here or above; else this one.
pub(crate) fn root(folder: &Path) -> PathBuf {
    let settings = folder.ancestors().find(|f| f.join("orm.toml").is_file());
    let project = |f: &&Path| f.join("Cargo.toml").is_file() || f.join("migrations").is_dir();
    settings
        .or_else(|| folder.ancestors().find(project))
        .unwrap_or(folder)
        .to_path_buf()
}

/// Relative to where we are, when it is below.
pub(crate) fn short(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    match here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf)) {
        Some(below) if !below.as_os_str().is_empty() => below,
        _ => path,
    }
}

/// A variable of the nearest `.env`, in this folder or above, up to that of the repository or the workspace. The
/// environment of the process stays as it is.
fn env_file(root: &Path, name: &str) -> Result<Option<String>, Stop> {
    for folder in root.ancestors() {
        let path = folder.join(".env");
        if path.is_file() {
            // the parser's errors quote the line
            let unreadable =
                || Stop::usage(format!("`{}` has a line that is not NAME=value", path.display()));
            for pair in dotenvy::from_path_iter(&path).map_err(|_| unreadable())? {
                let (key, value) = pair.map_err(|_| unreadable())?;
                if key == name && !value.is_empty() {
                    return Ok(Some(value));
                }
            }
            return Ok(None);
        }
        if folder.join(".git").exists() || folder.join("Cargo.lock").is_file() {
            break;
        }
    }
    Ok(None)
}
