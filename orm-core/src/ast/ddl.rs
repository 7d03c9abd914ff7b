//! Statements that change the schema, as data. Owned names: they may come from a database as well as from models.

use crate::ast::{Nulls, Search, Select};
use crate::value::Type;

/// A schema statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Ddl {
    /// CREATE SCHEMA IF NOT EXISTS.
    CreateSchema(String),
    /// CREATE TYPE … AS ENUM, where the backend has enum types.
    CreateEnum {
        /// Name of the type.
        name: Name,
        /// Its labels in order.
        labels: Vec<String>,
    },
    /// CREATE TYPE … AS, of several fields.
    CreateComposite {
        /// Name of the type.
        name: Name,
        /// Names and types of its fields.
        fields: Vec<(String, Type)>,
    },
    /// DROP TYPE.
    DropEnum(Name),
    /// CREATE TABLE.
    CreateTable(CreateTable),
    /// DROP TABLE IF EXISTS.
    DropTable(Name),
    /// CREATE INDEX.
    CreateIndex(CreateIndex),
    /// DROP INDEX IF EXISTS.
    DropIndex(Name),
    /// ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY, to close cycles.
    AddForeignKey {
        /// The table.
        table: Name,
        /// The key.
        key: ForeignKey,
    },
    /// ALTER TABLE … DROP CONSTRAINT.
    DropConstraint {
        /// The table.
        table: Name,
        /// The constraint.
        name: String,
    },
    /// CREATE FUNCTION that refuses a change, for triggers to call, where they call one.
    CreateRefusal(Name),
    /// DROP FUNCTION IF EXISTS.
    DropRefusal(Name),
    /// CREATE TRIGGER that refuses a change.
    Refuse {
        /// Its name.
        name: String,
        /// The table.
        table: Name,
        /// What is refused.
        change: Refused,
        /// The function that it calls, where triggers call one.
        function: Name,
    },
    /// CREATE FUNCTION that a row trigger calls, where triggers call one.
    CreateRowFunction(RowTrigger),
    /// DROP FUNCTION IF EXISTS, of a row trigger.
    DropRowFunction(Name),
    /// CREATE TRIGGER that writes down what happens to rows.
    CreateRowTrigger(RowTrigger),
    /// CREATE TABLE IF NOT EXISTS of what triggers are told, where they are told by a table.
    CreateContext,
    /// DROP TABLE IF EXISTS of it.
    DropContext,
    /// CREATE VIEW, CREATE MATERIALIZED VIEW.
    CreateView(CreateView),
    /// DROP VIEW IF EXISTS, DROP MATERIALIZED VIEW IF EXISTS.
    DropView {
        /// The view.
        name: Name,
        /// Whether its rows are stored.
        materialized: bool,
    },
    /// REFRESH MATERIALIZED VIEW.
    RefreshView {
        /// The view.
        name: Name,
        /// Whether its rows can be read meanwhile.
        concurrently: bool,
    },
    /// COMMENT ON VIEW or MATERIALIZED VIEW.
    CommentView {
        /// The view.
        name: Name,
        /// Whether its rows are stored.
        materialized: bool,
        /// The text.
        text: String,
    },
    /// The table that holds the words of a search, where it is one beside.
    CreateSearch(SearchTable),
    /// DROP TABLE IF EXISTS of it.
    DropSearch(String),
    /// CREATE TRIGGER that keeps it in step with its table.
    CreateSearchTrigger {
        /// Its name.
        name: String,
        /// What it follows.
        event: RowEvent,
        /// What it keeps in step.
        search: SearchTable,
    },
    /// COMMENT ON TABLE or COLUMN.
    Comment {
        /// The table.
        table: Name,
        /// The column, or the table itself.
        column: Option<String>,
        /// The text.
        text: String,
    },
}

/// CREATE VIEW.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// Its name.
    pub name: Name,
    /// Whether its rows are stored.
    pub materialized: bool,
    /// Its columns: what those of the query are called.
    pub columns: Vec<(&'static str, Type)>,
    /// What its rows are.
    pub definition: Definition,
}

/// What the rows of a view are.
#[derive(Clone, Copy, Debug)]
pub enum Definition {
    /// SQL, which names the columns itself.
    Sql(&'static str),
    /// A query that selects the columns in order. Its values are written as constants.
    Query(fn() -> Box<Select>),
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Definition::Sql(a), Definition::Sql(b)) => a == b,
            (Definition::Query(a), Definition::Query(b)) => std::ptr::fn_addr_eq(*a, *b),
            (Definition::Sql(_), Definition::Query(_)) | (Definition::Query(_), Definition::Sql(_)) => false,
        }
    }
}

/// What a trigger refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE, where it is no DELETE.
    Truncate,
}

/// A trigger that writes down what happens to the rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct RowTrigger {
    /// Its name, and that of its function where triggers call one.
    pub name: Name,
    /// The table.
    pub table: Name,
    /// What it follows.
    pub event: RowEvent,
    /// What it writes.
    pub log: RowLog,
    /// The columns of the table.
    pub columns: Vec<LoggedColumn>,
    /// Positions of the primary key's columns.
    pub key: Vec<usize>,
    /// Position of `deleted_at`, in a soft-deleting table.
    pub deleted_at: Option<usize>,
    /// Position of the tenant's column.
    pub tenant: Option<usize>,
}

/// What a row trigger follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEvent {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

/// What a row trigger writes.
#[derive(Clone, Debug, PartialEq)]
pub enum RowLog {
    /// Entries of an audit trail.
    Trail {
        /// The table that holds it.
        log: Name,
        /// What it calls the table of the trigger.
        label: String,
        /// The type of the column for what was done.
        operation: Type,
    },
    /// Versions of the rows, in this table.
    History(Name),
}

/// A column as a row trigger sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedColumn {
    /// Its name.
    pub name: String,
    /// The name of the field.
    pub field: String,
    /// Its logical type.
    pub ty: Type,
    /// Whether its values are left out of audit trails.
    pub sensitive: bool,
}

/// The table that holds the words of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchTable {
    /// The table that is searched, by its name.
    pub table: &'static str,
    /// Its columns.
    pub search: &'static Search,
}

/// A name with its schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The schema.
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

/// CREATE TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Name and columns of the primary key.
    pub primary_key: Option<(String, Vec<String>)>,
    /// Names and columns of unique constraints.
    pub uniques: Vec<(String, Vec<String>)>,
    /// Names and conditions of checks.
    pub checks: Vec<(String, String)>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column of CREATE TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Its name.
    pub name: String,
    /// Its logical type.
    pub ty: Type,
    /// Types in SQL instead of it, each with the name of a dialect, or with none for all.
    pub types: &'static [(&'static str, &'static str)],
    /// Whether it takes NULL.
    pub nullable: bool,
    /// DEFAULT.
    pub default: DefaultDef,
    /// GENERATED ALWAYS AS, and whether stored.
    pub generated: Option<(String, bool)>,
}

/// DEFAULT of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultDef {
    /// None.
    None,
    /// A constant.
    Literal(crate::value::Value),
    /// An SQL expression.
    Sql(String),
    /// A generated key.
    Identity,
}

/// FOREIGN KEY.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// Referring columns.
    pub columns: Vec<String>,
    /// Referenced table.
    pub target: Name,
    /// Referenced columns.
    pub target_columns: Vec<String>,
    /// ON DELETE, as `RESTRICT`, `CASCADE`, ….
    pub on_delete: &'static str,
    /// ON UPDATE.
    pub on_update: &'static str,
    /// DEFERRABLE, and `true` for INITIALLY DEFERRED.
    pub deferrable: Option<bool>,
}

/// CREATE INDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: Name,
    /// Whether equal entries are refused.
    pub unique: bool,
    /// The method (`gin`), B-tree when absent.
    pub method: Option<&'static str>,
    /// Its entries.
    pub parts: Vec<IndexPart>,
    /// INCLUDE.
    pub include: Vec<String>,
    /// WITH: storage parameters.
    pub storage: Option<String>,
    /// WHERE.
    pub filter: Option<String>,
}

/// An entry of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexPart {
    /// A column or an expression.
    pub key: IndexKey,
    /// The operator class, the type's default when absent.
    pub op_class: Option<&'static str>,
    /// Descending.
    pub desc: bool,
    /// Where NULLs stand.
    pub nulls: Nulls,
}

/// What an entry of an index is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexKey {
    /// A column.
    Column(String),
    /// An SQL expression.
    Expression(String),
}
