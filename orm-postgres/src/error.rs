//! From what sqlx and the server report to the library's own errors. The server's sentences are kept only where they
//! name identifiers; DETAIL and the sentences of classes 22 and 23 may quote values and are never kept.

use orm_core::error::{Error, ErrorKind};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition, PgSeverity};

/// A statement that did not succeed, and in what state it left its connection.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) after: After,
    /// A prepared statement no longer fits the schema: it may succeed when prepared anew.
    pub(crate) stale: bool,
    /// Rows had been handed out, so that running it again would hand them out twice.
    pub(crate) rows: bool,
}

/// The state of a connection after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// As before: nothing was sent, or the statement ran and only its rows could not be used.
    Clean,
    /// The server refused the statement; an open transaction is spoilt.
    Refused,
    /// Nobody knows: to be closed.
    Lost,
}

impl Failure {
    /// The connection and its transaction are as before.
    pub(crate) fn clean(error: Error) -> Self {
        Failure {
            error,
            after: After::Clean,
            stale: false,
            rows: false,
        }
    }
    /// The connection is to be closed.
    pub(crate) fn lost(error: Error) -> Self {
        Failure {
            error,
            after: After::Lost,
            stale: false,
            rows: false,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let after = match &error {
            sqlx::Error::Database(e) if ends_session(&**e) => After::Lost,
            sqlx::Error::Database(_) => After::Refused,
            sqlx::Error::TypeNotFound { .. } => After::Clean,
            _ => After::Lost,
        };
        let stale = postgres(&error).is_some_and(is_stale);
        Failure {
            after,
            stale,
            rows: false,
            error: statement_error(&error),
        }
    }
}

fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    match error {
        sqlx::Error::Database(e) => e.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    }
}

/// The row of a COPY that the server speaks of: `COPY table, line 3, column …`. What follows may hold values.
pub(crate) fn copied_row(error: &sqlx::Error, target: Option<&str>) -> Option<u64> {
    let context = postgres(error)?.r#where()?;
    let start = format!("COPY {}, ", target?);
    let rest = context.lines().find_map(|line| line.strip_prefix(&start))?;
    // the word before the number is that of the server's language
    let at = rest.find(|c: char| c.is_ascii_digit() || c == ',')?;
    let digits = &rest[at..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Whether the server ends the session with this error.
fn ends_session(error: &dyn DatabaseError) -> bool {
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else {
        return true;
    };
    let code = error.code();
    matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
        || code.starts_with("08")
        || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04")
}

/// Whether preparing the statement anew may help: its result type changed, or it or its type vanished.
fn is_stale(error: &PgDatabaseError) -> bool {
    match error.code() {
        "0A000" => error.routine() == Some("RevalidateCachedQuery"),
        "26000" => true,
        "XX000" => error.message().starts_with("cache lookup failed for type"),
        _ => false,
    }
}

/// Whether the server itself answered, so that the connection goes on after it.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if !ends_session(&**e))
}

/// A connection that broke while a statement was under way.
#[cold]
pub(crate) fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the connection to the server broke").with_sent(true)
}

pub(crate) fn statement_error(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(e) => match e.try_downcast_ref::<PgDatabaseError>() {
            Some(e) => from_server(e),
            None => lost(),
        },
        sqlx::Error::TypeNotFound { type_name } => Error::new(
            ErrorKind::UndefinedObject,
            format!("type {type_name} does not exist"),
        ),
        sqlx::Error::Io(e) => Error::new(
            ErrorKind::ConnectionLost,
            format!("the connection to the server broke: {}", e.kind()),
        )
        .with_sent(true),
        sqlx::Error::Protocol(_) => Error::new(
            ErrorKind::ConnectionLost,
            "the server or something between broke the protocol",
        )
        .with_sent(true),
        _ => lost(),
    }
}

/// Why no connection came about. `place` names host, port, database and user.
#[cold]
pub(crate) fn connect_error(error: &sqlx::Error, place: &str) -> Error {
    let (cause, code) = match error {
        sqlx::Error::Database(e) => match e.try_downcast_ref::<PgDatabaseError>() {
            Some(e) => (short(e.message()), Some(e.code().to_owned())),
            None => ("the server refused".to_owned(), None),
        },
        sqlx::Error::Io(e) => (e.to_string(), None),
        sqlx::Error::Tls(e) => (format!("TLS: {e}"), None),
        sqlx::Error::Configuration(_) => ("an option is not usable".to_owned(), None),
        _ => (
            "the server does not speak the PostgreSQL protocol".to_owned(),
            None,
        ),
    };
    let error = Error::new(ErrorKind::Connect, format!("cannot connect to {place}: {cause}"));
    match code {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Whether the server may take a connection in a moment: it starts, or has no slot free.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    postgres(error).is_some_and(|e| matches!(e.code(), "57P03" | "53300"))
}

const APPEND_ONLY: &str = "the table is append-only: its rows are neither changed nor deleted";

fn from_server(error: &PgDatabaseError) -> Error {
    use ErrorKind::*;
    let code = error.code();
    let own = |kind, message: &'static str| Error::new(kind, message);
    let kept = |kind| Error::new(kind, short(error.message()));
    let mapped = match code {
        "23505" => own(UniqueViolation, "a row with these values exists already"),
        "23503" => own(
            ForeignKeyViolation,
            "a referenced row is missing or still referred to",
        ),
        "23502" => own(NotNullViolation, "NULL in a column that does not take it"),
        "23514" | "44000" => own(CheckViolation, "a check refuses the row"),
        "23P01" => own(ExclusionViolation, "the row conflicts with an existing one"),
        // what our triggers raise
        "ORM01" => own(AppendOnly, APPEND_ONLY),
        "23001" => own(ForeignKeyViolation, "the row is still referred to"),
        "22001" => own(OutOfRange, "the text is too long for its column"),
        "22003" | "2201E" | "2201F" => own(OutOfRange, "the number is out of range"),
        "22008" | "22007" | "22009" => own(OutOfRange, "the date or time is out of range or not valid"),
        "22012" => own(Database, "division by zero"),
        "22021" | "22P05" => own(OutOfRange, "the text holds a character the database cannot store"),
        "22P02" | "22P03" | "22018" => own(Database, "a value is not valid for its type"),
        "2201B" => own(Database, "the regular expression is not valid"),
        "22023" => own(Database, "a value is not valid for this function or setting"),
        "21000" => own(Database, "a subquery or an upsert met more than one row"),
        "40001" => own(
            Serialization,
            "the transaction could not be serialised with others",
        ),
        "40P01" => own(Deadlock, "two transactions waited for each other"),
        "55P03" => own(LockTimeout, "a lock was not granted in time"),
        "57014" => own(
            StatementTimeout,
            "the statement was cancelled or ran longer than allowed",
        ),
        "53100" | "53200" | "53400" => kept(StorageFull),
        "53300" | "57P03" => kept(Connect),
        "25006" => own(ReadOnly, "a write where only reading is allowed"),
        "25P02" => own(
            TransactionAborted,
            "the transaction failed before; only rollback is possible",
        ),
        "25001" => own(Database, "the statement cannot run inside a transaction"),
        "42501" => kept(PermissionDenied),
        "42P01" | "42703" | "42883" | "42704" | "42P02" | "3F000" | "3D000" => kept(UndefinedObject),
        "42601" => Error::new(Syntax, syntax_message(error)),
        "0A000" | "26000" if is_stale(error) => own(
            StatementCacheStale,
            "the schema changed under a prepared statement; run the transaction again",
        ),
        "XX000" if is_stale(error) => own(
            StatementCacheStale,
            "a type changed under a prepared statement; run the transaction again",
        ),
        "XX001" | "XX002" => kept(Corrupt),
        "P0001" | "P0004" => own(Database, "a function or trigger raised an exception"),
        _ if ends_session(error) => {
            Error::new(ConnectionLost, "the server ended the connection").with_sent(true)
        }
        _ => match code.as_bytes().first_chunk::<2>() {
            Some(b"42") => kept(Syntax),
            Some(b"53") => kept(StorageFull),
            Some(b"22") => own(Database, "a value is not usable"),
            Some(b"23") => own(Database, "a constraint is violated"),
            Some(b"25") => own(Database, "the statement does not fit the transaction's state"),
            Some(b"0A" | b"28" | b"2B" | b"54" | b"55" | b"57" | b"58" | b"XX" | [b'3', _]) => kept(Database),
            _ => own(Database, "the database reported an error"),
        },
    };
    with_places(mapped, error).with_code(code.to_owned())
}

/// Adds constraint, table and columns where the server names them.
fn with_places(mut mapped: Error, error: &PgDatabaseError) -> Error {
    if let Some(constraint) = error.constraint() {
        mapped = mapped.with_constraint(constraint);
    }
    if let Some(table) = error.table() {
        mapped = mapped.with_table(table);
    }
    match (error.column(), error.code()) {
        (Some(column), _) => mapped.with_columns([column]),
        (None, "23505" | "23503" | "23P01") => {
            mapped.with_columns(error.detail().map(key_columns).unwrap_or_default())
        }
        (None, _) => mapped,
    }
}

/// The column names of `Key (a, b)=(1, 2) already exists.`; what stands behind the equals sign is never touched.
fn key_columns(detail: &str) -> Vec<String> {
    let Some((_, mut rest)) = detail.split_once('(') else {
        return Vec::new();
    };
    let mut names = Vec::new();
    loop {
        let Some((name, after)) = key_column(rest) else {
            return Vec::new();
        };
        names.push(name);
        if after.starts_with(")=(") {
            return names;
        }
        let Some(next) = after.strip_prefix(", ") else {
            return Vec::new();
        };
        rest = next;
    }
}

/// One name, quoted where it needs to be, and what follows it.
fn key_column(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ')'])?;
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// The server's sentence would quote the statement.
fn syntax_message(error: &PgDatabaseError) -> String {
    match error.position() {
        Some(PgErrorPosition::Original(at)) => {
            format!("the database could not parse the statement at character {at}")
        }
        _ => "the database could not parse the statement".to_owned(),
    }
}

/// The first line, cut at a sane length.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(240).collect()
}

#[cfg(test)]
mod tests {
    use crate::error::key_columns;

    #[test]
    fn columns_without_values() {
        assert_eq!(key_columns("Key (email)=(canary) already exists."), ["email"]);
        assert_eq!(key_columns("Key (a, b)=(1, (2)=(3)) already exists."), ["a", "b"]);
        assert_eq!(
            key_columns(r#"Key ("a""b, c)=(", d)=(canary) already exists."#),
            ["a\"b, c)=(", "d"]
        );
        assert!(key_columns("Key (lower(email))=(canary) already exists.").is_empty());
        assert!(key_columns("something else (canary)").is_empty());
    }
}
