//! What a migration would do to a database in use, and what a schema should not look like. Pure: nothing is run here.
//!
//! Two verdicts are kept apart: whether a change is safe to run (nobody waits long, nothing is lost), and whether the
//! program that runs before the change still works after it (which is also what going back to that program needs).

mod alter;
mod changes;
mod folder;
mod read;
mod report;
mod rewrite;
mod schema;
mod statements;
mod text;

use serde::Serialize;

pub(crate) use folder::renames_in;
pub(crate) use read::{Reader, flat, has, has_all, plain_name};
pub(crate) use report::{described, lock_name};

pub use changes::lint;
pub use folder::{File, Folder, against, folder};
pub use report::Review;
pub use rewrite::safe;
pub use schema::lint_schema;
pub use text::lint_sql;

/// What is wrong with a change or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, to allow it by.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The change or the object: `create index ix_posts_title on posts`.
    pub about: String,
    /// The lock that is held meanwhile.
    pub lock: Option<Lock>,
    /// What the database does under it.
    pub work: Work,
    /// Why it matters, in a sentence.
    pub why: String,
    /// What to do instead, as SQL or in words.
    pub instead: Vec<String>,
    /// Whether [`safe`] writes it so.
    pub rewritten: bool,
    /// Whether the program of before the change works after it.
    pub breaks_old_program: bool,
    /// Why it is allowed here, if somebody said so.
    pub allowed: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// Not in a database in use.
    Error,
}

/// A table lock of PostgreSQL, by what it keeps others from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// Neither reads nor writes wait.
    ShareUpdateExclusive,
    /// Writes wait.
    Share,
    /// Writes wait, and other changes of the schema.
    ShareRowExclusive,
    /// Reads and writes wait.
    AccessExclusive,
    /// The whole database is written by nobody else (SQLite).
    Writer,
}

/// What the database does while the lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It writes into its catalogue: a moment.
    Catalogue,
    /// It reads every row.
    Scan,
    /// It writes every row anew.
    Rewrite,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Rules that are allowed, and why: `("drop-column", "nobody reads it since March")`. A rule with an object,
    /// `drop-column:users.age`, is allowed there only.
    pub allow: Vec<(String, String)>,
    /// Whether tables without soft delete are reported by [`lint_schema`].
    pub soft_delete: bool,
    /// [`folder`] looks only at migrations with a version above this one: those before were written without it.
    pub after: Option<i64>,
}

impl Options {
    fn allowed(&self, rule: &str, about: &str) -> Option<String> {
        let meant = |said: &str| match said.split_once(':') {
            Some((r, object)) => r == rule && about.split_whitespace().any(|word| word == object),
            None => said == rule,
        };
        self.allow
            .iter()
            .find(|(said, _)| meant(said))
            .map(|(_, why)| why.clone())
    }
}

impl Finding {
    fn new(rule: &'static str, severity: Severity, about: impl Into<String>, why: impl Into<String>) -> Self {
        Finding {
            rule,
            severity,
            about: about.into(),
            lock: None,
            work: Work::Catalogue,
            why: why.into(),
            instead: Vec::new(),
            rewritten: false,
            breaks_old_program: false,
            allowed: None,
        }
    }
    fn under(mut self, lock: Lock, work: Work) -> Self {
        self.lock = Some(lock);
        self.work = work;
        self
    }
    fn instead(mut self, what: impl Into<String>) -> Self {
        self.instead.push(what.into());
        self
    }
    /// [`safe`] does it, where there is such a form.
    fn by_rewriting(mut self, what: Option<Vec<String>>) -> Self {
        self.rewritten = what.is_some();
        self.instead.extend(what.unwrap_or_default());
        self
    }
    fn breaking(mut self) -> Self {
        self.breaks_old_program = true;
        self
    }
    /// Whether it stops a migration: an error that nobody allowed.
    pub fn stops(&self) -> bool {
        self.severity == Severity::Error && self.allowed.is_none()
    }
}
