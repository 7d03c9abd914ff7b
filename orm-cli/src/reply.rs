//! What came of a verb: a reply to print, or why it stopped.

use std::path::PathBuf;

use orm::migrate::{Failure, Outcome};
use orm::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::url::without_passwords;

/// A verb that was carried out.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// For people, on standard output.
    pub(crate) text: String,
    /// For programs, on standard output in its place.
    pub(crate) json: Value,
    /// The exit code.
    pub(crate) code: u8,
}

impl Reply {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Reply {
            text: text.into(),
            json,
            code: 0,
        }
    }
    pub(crate) fn ending(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

/// Where in which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    /// The text of the file, to show the line of.
    pub(crate) text: String,
    /// Words of which the first that stands there is underlined.
    pub(crate) words: Vec<String>,
}

/// Why a verb was not carried out.
#[derive(Debug)]
pub(crate) struct Stop(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: u8,
    kind: &'static str,
    message: String,
    help: Option<String>,
    place: Option<Place>,
    more: Value,
}

impl Stop {
    fn new(code: u8, kind: &'static str, message: impl Into<String>) -> Self {
        Stop(Box::new(Inner {
            code,
            kind,
            message: without_passwords(&message.into()),
            help: None,
            place: None,
            more: Value::Null,
        }))
    }
    /// What was asked, or found here, is not usable.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Stop::new(Outcome::Usage.exit_code(), "usage", message)
    }
    /// Somebody has to decide, and nobody can be asked.
    pub(crate) fn undecided(question: &str, flags: &str) -> Self {
        Stop::new(Outcome::Usage.exit_code(), "needs_decision", question).help(format!("answer with {flags}"))
    }
    /// Somebody was asked, and said no.
    pub(crate) fn declined() -> Self {
        Stop::new(Outcome::Usage.exit_code(), "declined", "nothing was done")
    }
    /// With what may be done about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(without_passwords(&help.into()));
        self
    }
    /// With where it happened.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }
    /// With more for programs.
    pub(crate) fn with(mut self, more: Value) -> Self {
        self.0.more = more;
        self
    }
    pub(crate) fn code(&self) -> u8 {
        self.0.code
    }
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
    pub(crate) fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
    pub(crate) fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
    pub(crate) fn json(&self) -> Value {
        let place = self
            .0
            .place
            .as_ref()
            .map(|p| json!({ "file": p.file.display().to_string(), "line": p.line }));
        json!({ "error": {
            "kind": self.0.kind,
            "code": self.0.code,
            "message": self.0.message,
            "help": self.0.help,
            "place": place,
            "details": self.0.more,
        }})
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Config | ErrorKind::Unsupported => Stop::usage(error.message()),
            ErrorKind::LockTimeout => Stop::new(
                Outcome::LockTimeout.exit_code(),
                "lock_timeout",
                error.to_string(),
            ),
            _ => Stop::new(Outcome::Failed.exit_code(), "failed", error.to_string()),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let kind = match failure.outcome() {
            Outcome::UpToDate | Outcome::Applied | Outcome::Usage => "usage",
            Outcome::Pending => "pending",
            Outcome::Drift => "drift",
            Outcome::Refused => "refused",
            Outcome::LockTimeout => "lock_timeout",
            Outcome::Failed => "failed",
        };
        let ran: Vec<i64> = failure.ran().iter().map(|r| r.version).collect();
        Stop::new(failure.exit_code(), kind, failure.to_string()).with(json!({ "ran": ran }))
    }
}

/// A file that could not be used.
pub(crate) fn unusable(path: &std::path::Path, error: &std::io::Error) -> Stop {
    Stop::usage(format!("`{}`: {}", path.display(), error.kind()))
}
