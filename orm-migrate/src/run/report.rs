//! What came of a run.

use std::fmt;
use std::time::Duration;

use orm_core::error::Error;

/// `Result` with a [`Failure`]. The library's own errors become one by `?`; the way back is [`Failure::into_error`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// How a run ended, for scripts and pipelines.
///
/// ```
/// use orm_migrate::Outcome;
/// assert_eq!(Outcome::Pending.exit_code(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had to be done.
    UpToDate,
    /// Migrations were run.
    Applied,
    /// The request or the files are not usable.
    Usage,
    /// A check found migrations that are not applied.
    Pending,
    /// Files and history do not agree: a file was changed after it was applied, is gone, or came too late.
    Drift,
    /// Something would be lost, and nobody agreed to that; or there is no way back.
    Refused,
    /// Another migrator kept the lock.
    LockTimeout,
    /// A statement failed. What was finished is noted: run it again when the cause is gone.
    Failed,
}

impl Outcome {
    /// The exit code of a program that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::UpToDate | Outcome::Applied => 0,
            Outcome::Usage => 1,
            Outcome::Pending => 2,
            Outcome::Drift => 3,
            Outcome::Refused => 4,
            Outcome::LockTimeout => 5,
            Outcome::Failed => 6,
        }
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is undone.
    Down,
}

/// A migration that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// How many statements were run now.
    pub statements: usize,
    /// How many had been finished by an earlier run, which was killed or failed.
    pub resumed_at: Option<usize>,
    /// How often a part of it was tried again because it did not get a lock.
    pub retries: u32,
    /// How long it took.
    pub took: Duration,
}

/// A run that ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was run, in order.
    pub ran: Vec<Ran>,
    /// Applied migrations that this program does not know: a newer one was here before.
    pub unknown: Vec<i64>,
    /// How long another migrator was waited for.
    pub waited: Duration,
    /// How long all of it took.
    pub took: Duration,
}

impl Report {
    /// [`UpToDate`](Outcome::UpToDate) or [`Applied`](Outcome::Applied).
    pub fn outcome(&self) -> Outcome {
        match self.ran.is_empty() {
            true => Outcome::UpToDate,
            false => Outcome::Applied,
        }
    }
    /// The versions that were run, in order.
    pub fn versions(&self) -> Vec<i64> {
        self.ran.iter().map(|r| r.version).collect()
    }
}

/// Where a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The migration's version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Which of its statements, from 1.
    pub statement: Option<usize>,
    /// The line of the file on which that starts.
    pub line: Option<usize>,
}

/// A run that failed.
pub struct Failure(Box<Inner>);

struct Inner {
    outcome: Outcome,
    error: Error,
    at: Option<At>,
    ran: Vec<Ran>,
}

impl Failure {
    pub(crate) fn new(outcome: Outcome, error: Error) -> Self {
        Failure(Box::new(Inner {
            outcome,
            error,
            at: None,
            ran: Vec::new(),
        }))
    }
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(Outcome::Usage, Error::config(message.into()))
    }
    pub(crate) fn drift(message: impl Into<String>) -> Self {
        Failure::new(Outcome::Drift, Error::config(message.into()))
    }
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Failure::new(Outcome::Refused, Error::config(message.into()))
    }
    pub(crate) fn at(mut self, at: At) -> Self {
        self.0.at.get_or_insert(at);
        self
    }
    pub(crate) fn after(mut self, ran: Vec<Ran>) -> Self {
        self.0.ran = ran;
        self
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }
    /// The exit code of a program that ends so.
    pub fn exit_code(&self) -> u8 {
        self.0.outcome.exit_code()
    }
    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.0.error
    }
    /// Where.
    pub fn place(&self) -> Option<&At> {
        self.0.at.as_ref()
    }
    /// What had been run before, and stays.
    pub fn ran(&self) -> &[Ran] {
        &self.0.ran
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use orm_core::error::ErrorKind::{Config, Unsupported};
        let outcome = match error.kind() {
            Config | Unsupported => Outcome::Usage,
            _ => Outcome::Failed,
        };
        Failure::new(outcome, error)
    }
}

impl Failure {
    /// As the library's own error, with the place in its message: for functions that return `orm::Result`.
    ///
    /// A method and no `From`: a second way into the library's error would leave closures of transactions without a
    /// type for theirs.
    pub fn into_error(self) -> Error {
        let message = format!("{}{}", self.prefix(), self.0.error.message());
        let from = self.0.error;
        let mut error = Error::new(from.kind(), message);
        if let Some(code) = from.code() {
            error = error.with_code(code.to_owned());
        }
        if let Some(constraint) = from.constraint() {
            error = error.with_constraint(constraint);
        }
        if let Some(table) = from.table() {
            error = error.with_table(table);
        }
        error.with_columns(from.columns())
    }
    fn prefix(&self) -> String {
        let Some(at) = &self.0.at else {
            return String::new();
        };
        let mut text = format!("migration {}_{}", at.version, at.name);
        if let Some(statement) = at.statement {
            text.push_str(&format!(", statement {statement}"));
        }
        if let Some(line) = at.line {
            text.push_str(&format!(" (line {line})"));
        }
        text.push_str(": ");
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix(), self.0.error)
    }
}
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.outcome)
    }
}
impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.error)
    }
}
