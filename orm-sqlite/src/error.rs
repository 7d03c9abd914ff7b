//! SQLite's result codes as the library's errors. Messages hold identifiers, never values.

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use orm_core::error::{Error, ErrorKind};
use sqlx::error::DatabaseError;

use crate::raw::functions;

/// The error of an extended result code and SQLite's message.
#[cold]
pub(crate) fn from_code(code: c_int, message: &str) -> Error {
    let error = match code & 0xff {
        ffi::SQLITE_CONSTRAINT => constraint(code, message),
        ffi::SQLITE_ERROR => general(message),
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => {
            Error::new(ErrorKind::Busy, "the database is locked by another connection")
        }
        ffi::SQLITE_FULL => Error::new(ErrorKind::StorageFull, "the disk or the database is full"),
        ffi::SQLITE_READONLY => Error::new(ErrorKind::ReadOnly, "a write where only reading is allowed"),
        ffi::SQLITE_CORRUPT => Error::new(ErrorKind::Corrupt, "the database file is damaged"),
        ffi::SQLITE_NOTADB => Error::new(ErrorKind::Corrupt, "the file is not a database"),
        ffi::SQLITE_CANTOPEN => Error::new(ErrorKind::Connect, "the database file cannot be opened"),
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH => {
            Error::new(ErrorKind::PermissionDenied, "access to the database is denied")
        }
        ffi::SQLITE_INTERRUPT => Error::new(ErrorKind::StatementTimeout, "the statement was interrupted"),
        ffi::SQLITE_ABORT => Error::new(ErrorKind::TransactionAborted, "the transaction was rolled back"),
        ffi::SQLITE_TOOBIG => Error::new(
            ErrorKind::OutOfRange,
            "a text or blob is larger than SQLite takes",
        ),
        ffi::SQLITE_RANGE => Error::new(ErrorKind::OutOfRange, "more values than SQLite takes"),
        ffi::SQLITE_MISMATCH => Error::new(ErrorKind::OutOfRange, "the value does not fit the column's type"),
        ffi::SQLITE_IOERR => Error::new(
            ErrorKind::Database,
            "an input or output error on the database file",
        ),
        ffi::SQLITE_NOMEM => Error::new(ErrorKind::Database, "SQLite is out of memory"),
        _ => Error::new(ErrorKind::Database, harmless(message)),
    };
    error.with_code(name(code))
}

/// An error of sqlx while it opens or hands over a connection.
#[cold]
pub(crate) fn from_sqlx(e: &sqlx::Error) -> Error {
    match e {
        sqlx::Error::Database(e) => {
            let code = e
                .code()
                .and_then(|c| c.parse::<c_int>().ok())
                .unwrap_or(ffi::SQLITE_ERROR);
            from_code(code, DatabaseError::message(e.as_ref()))
        }
        sqlx::Error::Io(e) => Error::new(
            ErrorKind::Connect,
            format!("the database cannot be opened: {}", e.kind()),
        ),
        sqlx::Error::WorkerCrashed => {
            Error::new(ErrorKind::ConnectionLost, "the connection's thread has ended").with_sent(false)
        }
        _ => Error::new(ErrorKind::Connect, "the database cannot be opened"),
    }
}

fn constraint(code: c_int, message: &str) -> Error {
    let subject = message.split_once(": ").map_or("", |(_, s)| s);
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let e = Error::new(
                ErrorKind::UniqueViolation,
                "a row with these values is already there",
            );
            match subject.strip_prefix("index '").and_then(|s| s.strip_suffix('\'')) {
                Some(index) => e.with_constraint(index),
                None => with_columns(e, subject),
            }
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => with_columns(
            Error::new(
                ErrorKind::NotNullViolation,
                "NULL in a column that does not take it",
            ),
            subject,
        ),
        ffi::SQLITE_CONSTRAINT_CHECK => {
            let e = Error::new(ErrorKind::CheckViolation, "a CHECK constraint refused the row");
            // An unnamed constraint is reported by its expression.
            if is_identifier(subject) {
                e.with_constraint(subject)
            } else {
                e
            }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => foreign_key(),
        // RESTRICT is carried out by a trigger of SQLite's own
        ffi::SQLITE_CONSTRAINT_TRIGGER if message == "FOREIGN KEY constraint failed" => foreign_key(),
        // what our triggers raise
        ffi::SQLITE_CONSTRAINT_TRIGGER if message == "append-only" => Error::new(
            ErrorKind::AppendOnly,
            "the table is append-only: its rows are neither changed nor deleted",
        ),
        ffi::SQLITE_CONSTRAINT_TRIGGER => {
            Error::new(ErrorKind::CheckViolation, "a trigger refused the change")
        }
        ffi::SQLITE_CONSTRAINT_DATATYPE => {
            let e = Error::new(ErrorKind::OutOfRange, "the value does not fit the column's type");
            match message.rsplit_once(" column ") {
                Some((_, column)) => with_columns(e, column),
                None => e,
            }
        }
        _ => Error::new(ErrorKind::Database, "a constraint refused the change"),
    }
}

fn foreign_key() -> Error {
    Error::new(
        ErrorKind::ForeignKeyViolation,
        "a referenced row is missing or still referenced",
    )
}

/// `users.email, users.tenant` → table and columns.
fn with_columns(e: Error, subject: &str) -> Error {
    let mut table = None;
    let mut columns = Vec::new();
    for part in subject.split(", ") {
        let Some((t, c)) = part.split_once('.') else {
            return e;
        };
        table.get_or_insert(t);
        columns.push(c);
    }
    match table {
        Some(table) => e.with_table(table).with_columns(columns),
        None => e,
    }
}

fn general(message: &str) -> Error {
    let undefined = ["no such ", "unknown database", "unknown function"];
    if undefined.iter().any(|p| message.starts_with(p)) || message.contains(" has no column named ") {
        return Error::new(ErrorKind::UndefinedObject, identifiers(message));
    }
    let near = message
        .strip_prefix("near \"")
        .and_then(|s| s.strip_suffix("\": syntax error"));
    if let Some(token) = near {
        return Error::new(
            ErrorKind::Syntax,
            if is_identifier(token)
                || token
                    .bytes()
                    .all(|b| b.is_ascii_punctuation() && b != b'\'' && b != b'"')
            {
                format!("syntax error near `{token}`")
            } else {
                "syntax error".to_owned()
            },
        );
    }
    if message.starts_with("unrecognized token") {
        return Error::new(
            ErrorKind::Syntax,
            "the statement holds a token that SQLite does not know",
        );
    }
    if message == "incomplete input" {
        return Error::new(ErrorKind::Syntax, "the statement is not complete");
    }
    if message == functions::OUT_OF_RANGE {
        return Error::new(ErrorKind::OutOfRange, "the number is out of range");
    }
    if message == functions::NOT_VALID {
        return Error::new(ErrorKind::Database, "a value is not valid for its type");
    }
    if message == functions::INVALID_REGEX {
        return Error::new(ErrorKind::Database, "the regular expression is not valid");
    }
    if message == "integer overflow" {
        return Error::new(ErrorKind::OutOfRange, "an integer left the range of 64 bits");
    }
    if message.starts_with("too many ") || message.contains("too large") || message.contains("too big") {
        return Error::new(ErrorKind::OutOfRange, harmless(message));
    }
    Error::new(ErrorKind::Database, harmless(message))
}

/// `no such column: "x" - should this be …` without what stands in quotes and after them, for there a literal of a
/// hand-written statement may be shown.
fn identifiers(message: &str) -> String {
    match message.split_once(" - should this be") {
        Some(_) => "no such column; a string is written in single quotes".to_owned(),
        None => harmless(message),
    }
}

/// The message up to its first quotation, which may show a value.
fn harmless(message: &str) -> String {
    let end = message.find(['\'', '"', '`']).unwrap_or(message.len());
    let kept = message[..end].trim_end_matches([' ', ':', ',', '(']);
    if kept.is_empty() {
        "SQLite reported an error".to_owned()
    } else {
        kept.to_owned()
    }
}

fn is_identifier(s: &str) -> bool {
    s.bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The symbolic name of a result code: the extended one where it is known, else the primary one.
fn name(code: c_int) -> &'static str {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_BUSY_RECOVERY => "SQLITE_BUSY_RECOVERY",
        ffi::SQLITE_BUSY_SNAPSHOT => "SQLITE_BUSY_SNAPSHOT",
        ffi::SQLITE_BUSY_TIMEOUT => "SQLITE_BUSY_TIMEOUT",
        ffi::SQLITE_LOCKED_SHAREDCACHE => "SQLITE_LOCKED_SHAREDCACHE",
        ffi::SQLITE_READONLY_DIRECTORY => "SQLITE_READONLY_DIRECTORY",
        ffi::SQLITE_READONLY_DBMOVED => "SQLITE_READONLY_DBMOVED",
        ffi::SQLITE_CANTOPEN_ISDIR => "SQLITE_CANTOPEN_ISDIR",
        ffi::SQLITE_IOERR_READ => "SQLITE_IOERR_READ",
        ffi::SQLITE_IOERR_WRITE => "SQLITE_IOERR_WRITE",
        ffi::SQLITE_IOERR_FSYNC => "SQLITE_IOERR_FSYNC",
        ffi::SQLITE_IOERR_SHORT_READ => "SQLITE_IOERR_SHORT_READ",
        ffi::SQLITE_CORRUPT_INDEX => "SQLITE_CORRUPT_INDEX",
        _ => primary(code & 0xff),
    }
}

fn primary(code: c_int) -> &'static str {
    match code {
        ffi::SQLITE_INTERNAL => "SQLITE_INTERNAL",
        ffi::SQLITE_PERM => "SQLITE_PERM",
        ffi::SQLITE_ABORT => "SQLITE_ABORT",
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
        ffi::SQLITE_IOERR => "SQLITE_IOERR",
        ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
        ffi::SQLITE_PROTOCOL => "SQLITE_PROTOCOL",
        ffi::SQLITE_SCHEMA => "SQLITE_SCHEMA",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
        ffi::SQLITE_NOLFS => "SQLITE_NOLFS",
        ffi::SQLITE_AUTH => "SQLITE_AUTH",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
        _ => "SQLITE_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use libsqlite3_sys as ffi;
    use orm_core::error::ErrorKind;

    use crate::error::from_code;

    #[test]
    fn constraints_name_what_sqlite_names() {
        let e = from_code(
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            "UNIQUE constraint failed: users.email, users.tenant",
        );
        assert_eq!((e.kind(), e.table()), (ErrorKind::UniqueViolation, Some("users")));
        assert_eq!(e.columns(), ["email", "tenant"]);
        assert_eq!(
            (e.constraint(), e.code()),
            (None, Some("SQLITE_CONSTRAINT_UNIQUE"))
        );
        let e = from_code(
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            "UNIQUE constraint failed: index 'ix_lower'",
        );
        assert_eq!(e.constraint(), Some("ix_lower"));
        let e = from_code(ffi::SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: ck_age");
        assert_eq!(
            (e.kind(), e.constraint()),
            (ErrorKind::CheckViolation, Some("ck_age"))
        );
        let e = from_code(ffi::SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: age > 17");
        assert_eq!(e.constraint(), None);
        let e = from_code(
            ffi::SQLITE_CONSTRAINT_DATATYPE,
            "cannot store TEXT value in INTEGER column t.a",
        );
        assert_eq!(
            (e.kind(), e.table(), e.columns()),
            (ErrorKind::OutOfRange, Some("t"), &["a".to_owned()][..])
        );
    }
    #[test]
    fn values_stay_out() {
        for (message, kind) in [
            ("near \"'hunter2'\": syntax error", ErrorKind::Syntax),
            ("unrecognized token: \"'hunter2\"", ErrorKind::Syntax),
            ("JSON path error near 'hunter2'", ErrorKind::Database),
            ("fts5: syntax error near \"hunter2\"", ErrorKind::Database),
            (
                "no such column: \"hunter2\" - should this be a string literal in single-quotes?",
                ErrorKind::UndefinedObject,
            ),
        ] {
            let e = from_code(ffi::SQLITE_ERROR, message);
            assert_eq!(e.kind(), kind, "{message}");
            assert!(!format!("{e:?}").contains("hunter2"), "{e:?}");
        }
        let e = from_code(ffi::SQLITE_ERROR, "no such column: t0.emial");
        assert_eq!(e.message(), "no such column: t0.emial");
        assert!(from_code(ffi::SQLITE_BUSY_SNAPSHOT, "").is_retryable());
    }
}
