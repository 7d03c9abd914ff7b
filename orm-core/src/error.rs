//! The one error type of the library: opaque, typed by [`ErrorKind`], free of values and secrets.

use std::borrow::Cow;
use std::fmt;

/// `Result` with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for code that decides. New kinds may be added.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A unique constraint or primary key already holds these values.
    UniqueViolation,
    /// A foreign key points to a row that does not exist, or a referenced row would go.
    ForeignKeyViolation,
    /// A CHECK constraint refused the row.
    CheckViolation,
    /// NULL for a column that does not take it.
    NotNullViolation,
    /// An EXCLUDE constraint refused the row.
    ExclusionViolation,
    /// A validator of the model refused the row; nothing was written.
    Validation,
    /// The table is append-only: its rows are neither changed nor deleted.
    AppendOnly,
    /// A row was asked for and there is none.
    NotFound,
    /// One row was asked for and there are several.
    MoreThanOne,
    /// The row would become its own ancestor.
    Cycle,
    /// The row was changed by somebody else since it was read (optimistic locking).
    Stale,
    /// The transaction could not be serialised; run it again.
    Serialization,
    /// Two transactions waited for each other; run this one again.
    Deadlock,
    /// A lock was not granted in time.
    LockTimeout,
    /// The statement ran longer than allowed.
    StatementTimeout,
    /// The database is locked by another connection or process.
    Busy,
    /// The connection broke. See [`Error::was_sent`].
    ConnectionLost,
    /// No connection became free in time. The message tells who holds them: call sites and durations.
    PoolTimeout,
    /// The pool was closed.
    PoolClosed,
    /// The server, file or credentials did not allow a connection.
    Connect,
    /// This backend cannot do what the statement asks; nothing was sent.
    Unsupported,
    /// A cell could not be read as the Rust type. The statement itself succeeded: a write outside a transaction stays.
    Decode,
    /// A Rust value cannot be stored; nothing was sent.
    Encode,
    /// A number, date or text does not fit its column.
    OutOfRange,
    /// Disk or quota exhausted.
    StorageFull,
    /// A write where only reading is allowed.
    ReadOnly,
    /// The role lacks a privilege.
    PermissionDenied,
    /// The file is not a database or is damaged.
    Corrupt,
    /// A table, column, function or type does not exist in the database.
    UndefinedObject,
    /// The database could not parse or plan the statement.
    Syntax,
    /// The schema changed under a statement this connection had prepared; run the transaction again.
    StatementCacheStale,
    /// The transaction failed before; only rollback is possible.
    TransactionAborted,
    /// The outcome of COMMIT is unknown: the connection broke while it was under way.
    CommitUnknown,
    /// The handle is used in a way its transaction does not allow.
    TransactionState,
    /// The query was put together in a way that has no meaning in SQL.
    InvalidQuery,
    /// The cursor of a page is none, or belongs to another query.
    InvalidCursor,
    /// A URL, option or name is not usable.
    Config,
    /// Anything else the database reported.
    Database,
}

/// Anything that can go wrong, with what is known about where. Never carries bound values, keys or passwords.
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: Option<ErrorKind>,
    message: Cow<'static, str>,
    model: Option<&'static str>,
    field: Option<Cow<'static, str>>,
    constraint: Option<String>,
    table: Option<String>,
    columns: Vec<String>,
    code: Option<Cow<'static, str>>,
    sent: Option<bool>,
    row: Option<u64>,
}

impl Error {
    /// An error of this kind with a message that holds no values and no secrets.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind: Some(kind),
            message: message.into(),
            ..Inner::default()
        }))
    }
    /// A feature this backend lacks; to be raised before anything is sent.
    #[cold]
    pub fn unsupported(feature: &str, backend: &str) -> Self {
        Error::new(
            ErrorKind::Unsupported,
            format!("{feature} is not supported on {backend}"),
        )
    }
    /// A cell that cannot be read as the asked type.
    #[cold]
    pub fn decode(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Decode, message)
    }
    /// A value that cannot be stored.
    #[cold]
    pub fn encode(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Encode, message)
    }
    /// A URL, option or name that is not usable.
    #[cold]
    pub fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::Config, message)
    }
    /// No row of `model`.
    #[cold]
    pub fn not_found(model: &'static str) -> Self {
        Error::new(ErrorKind::NotFound, "no row found").with_model(model)
    }

    /// Names the model (the Rust type's name).
    pub fn with_model(mut self, model: &'static str) -> Self {
        self.0.model.get_or_insert(model);
        self
    }
    /// Names the field or column.
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.field.get_or_insert(field.into());
        self
    }
    /// Names the constraint.
    pub fn with_constraint(mut self, name: impl Into<String>) -> Self {
        self.0.constraint = Some(name.into());
        self
    }
    /// Names the table.
    pub fn with_table(mut self, name: impl Into<String>) -> Self {
        self.0.table = Some(name.into());
        self
    }
    /// Names the columns.
    pub fn with_columns(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.columns = names.into_iter().map(Into::into).collect();
        self
    }
    /// The SQLSTATE or the SQLite result code's name.
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }
    /// Whether the statement had reached the server when the connection broke.
    pub fn with_sent(mut self, sent: bool) -> Self {
        self.0.sent = Some(sent);
        self
    }

    /// The number of the row among those that were loaded, counted from 1.
    pub fn with_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind.unwrap_or(ErrorKind::Database)
    }
    /// The sentence without model, field and constraint.
    pub fn message(&self) -> &str {
        &self.0.message
    }
    /// The model, where one is known.
    pub fn model(&self) -> Option<&str> {
        self.0.model
    }
    /// The field or column of a decode or encode error.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }
    /// The violated constraint. SQLite names no foreign key: then `None`, never a guess.
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }
    /// The table of a violated constraint.
    pub fn table(&self) -> Option<&str> {
        self.0.table.as_deref()
    }
    /// The columns of a violated constraint.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }
    /// SQLSTATE (`23505`) on PostgreSQL, the result code's name (`SQLITE_BUSY`) on SQLite.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }
    /// Which of the rows of a bulk load it was, counted from 1 in the order they were given; `None` where the database
    /// does not tell, as for a foreign key that it checks after the last row.
    pub fn row(&self) -> Option<u64> {
        self.0.row
    }
    /// For a lost connection: `Some(false)` when the statement had certainly not been sent.
    pub fn was_sent(&self) -> Option<bool> {
        self.0.sent
    }
    /// Whether running the whole transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        use ErrorKind::*;
        match self.kind() {
            Serialization | Deadlock | LockTimeout | Busy | StatementCacheStale => true,
            ConnectionLost => self.0.sent == Some(false),
            _ => false,
        }
    }
    /// A unique constraint or primary key is taken.
    pub fn is_unique_violation(&self) -> bool {
        self.kind() == ErrorKind::UniqueViolation
    }
    /// A foreign key is violated.
    pub fn is_foreign_key_violation(&self) -> bool {
        self.kind() == ErrorKind::ForeignKeyViolation
    }
    /// No row was found.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }
    /// Somebody else changed the row first.
    pub fn is_stale(&self) -> bool {
        self.kind() == ErrorKind::Stale
    }
    /// Whether the database itself refused the statement, so that its transaction is spoilt.
    pub(crate) fn fails_transaction(&self) -> bool {
        use ErrorKind::*;
        !matches!(
            self.kind(),
            NotFound
                | MoreThanOne
                | Cycle
                | Stale
                | Unsupported
                | Encode
                | Decode
                | InvalidQuery
                | InvalidCursor
                | Config
                | TransactionState
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match (self.0.model, &self.0.field) {
            (Some(m), Some(c)) => write!(f, " ({m}.{c})")?,
            (Some(m), None) => write!(f, " ({m})")?,
            (None, Some(c)) => write!(f, " ({c})")?,
            (None, None) => {}
        }
        if let Some(row) = self.0.row {
            write!(f, ", row {row}")?;
        }
        if let Some(c) = &self.0.constraint {
            write!(f, ", constraint {c}")?;
        }
        if let Some(t) = &self.0.table {
            write!(f, ", table {t}")?;
        }
        if !self.0.columns.is_empty() {
            write!(f, ", columns {}", self.0.columns.join(", "))?;
        }
        if let Some(c) = &self.0.code {
            write!(f, " [{c}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())
    }
}

impl std::error::Error for Error {}
