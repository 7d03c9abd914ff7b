//! What differs between databases.

use crate::ast::ddl::{RowEvent, SearchTable};
use crate::ast::{Aggregate, Column, Expr, Function, RawPart, Search, SearchCall, Table, TextOp, Window};
use crate::error::{Error, Result};
use crate::sql::plan::{ExplainOptions, Plan};
use crate::sql::{SqlWriter, function};
use crate::value::{Timestamp, Type, Value};

/// What a database can do, as plain data. Checked at render: unsupported is an error before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    /// What stands before the number of a placeholder: `$` or `?`.
    pub placeholder: char,
    /// `DISTINCT ON`; elsewhere rows are numbered by a window function.
    pub distinct_on: bool,
    /// `FOR UPDATE` and friends. Where absent, a waiting or failing lock renders nothing, because a write transaction
    /// there holds the only write lock of the database; `SKIP LOCKED` is refused.
    pub row_locks: bool,
    /// `LATERAL`.
    pub lateral: bool,
    /// INSERT, UPDATE and DELETE inside WITH.
    pub writing_cte: bool,
    /// `DELETE … USING`; elsewhere it is written with EXISTS.
    pub delete_using: bool,
    /// `GROUPING SETS`, `ROLLUP`, `CUBE`; elsewhere the groups of each set come one after the other.
    pub grouping_sets: bool,
    /// `op ANY (query)` and `op ALL (query)`.
    pub quantified: bool,
    /// Parentheses around an arm of UNION, INTERSECT, EXCEPT. INTERSECT binds tighter there; without them it does not.
    pub nested_compound: bool,
    /// A bare placeholder as LIMIT makes the planner look at the bound value, and so prepare the statement again each
    /// time it runs; a sign in front hides the value.
    pub limit_is_peeked: bool,
    /// An OFFSET may stand without LIMIT.
    pub bare_offset: bool,
    /// NULL is smaller than every value in an order; otherwise larger.
    pub nulls_low: bool,
    /// Rows looked up by many keys come from an index key by key, so that this order costs less than another; else they
    /// are sorted in any case, and by one column more if that is asked for.
    pub lookups_in_order: bool,
    /// Table functions take the names of their columns from the alias.
    pub function_columns: bool,
    /// `INSERT … SELECT … ON CONFLICT` is read wrongly unless the query has a WHERE.
    pub conflict_needs_where: bool,
    /// `lower`, `upper` and text operators without case know the letters of all scripts, as far as the database's locale
    /// does; otherwise those of ASCII only.
    pub unicode_case: bool,
    /// Regular expressions.
    pub regex: bool,
    /// Arrays, ranges, intervals and what else crosses as text are types of the database; elsewhere text is stored.
    pub arrays: bool,
    /// Native enum types.
    pub enum_types: bool,
    /// Decimals of at most 18 digits are integers scaled by their column's scale, all others text.
    pub scaled_decimals: bool,
    /// Views whose rows are stored until they are refreshed.
    pub materialized_views: bool,
    /// Schemas.
    pub schemas: bool,
    /// `COMMENT ON`.
    pub comments: bool,
    /// `INCLUDE` in indexes.
    pub covering_indexes: bool,
    /// Index methods beside B-tree.
    pub index_methods: bool,
    /// `NULLS FIRST` and `NULLS LAST` in indexes.
    pub index_nulls: bool,
    /// `ALTER TABLE … ADD CONSTRAINT`.
    pub add_constraint: bool,
    /// A generated key is written as the primary key of its own column.
    pub inline_key: bool,
    /// What stands behind the closing parenthesis of CREATE TABLE.
    pub table_options: &'static str,
    /// The system column that changes with every write of a row, as text a whole number.
    pub row_version: Option<&'static str>,
    /// The server's clock is used for shadow columns.
    pub server_clock: bool,
    /// EXPLAIN can run a statement and measure it.
    pub explain_analyze: bool,
    /// `COPY … FROM STDIN`: rows as a stream of text.
    pub copy: bool,
    /// A hand-written boolean that tells, in RETURNING of an upsert, whether the row is new. Where there is none the
    /// row is looked for first, under the writer's lock.
    pub inserted_marker: Option<&'static str>,
    /// How a trigger refuses a change.
    pub refusal: Refusal,
    /// How a trigger is written that does more.
    pub trigger: TriggerForm,
    /// The table by which triggers are told who writes, where it is one: its name, and what stands behind that in
    /// CREATE TABLE.
    pub context_table: Option<(&'static str, &'static str)>,
    /// Ordered-set aggregates.
    pub ordered_set_aggregates: bool,
    /// Where the words of a full-text search are kept.
    pub search: SearchForm,
    /// At most so many placeholders in one statement.
    pub max_params: usize,
    /// How many rows are inserted at once.
    pub bulk_insert: BulkInsert,
}

/// How a database is asked for the plan of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// What stands before the statement.
    pub words: String,
    /// The types of the columns that come back.
    pub columns: &'static [Type],
}

/// How many rows are inserted by one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkInsert {
    /// VALUES with so many rows a statement.
    Values(usize),
    /// One array a column, any number of rows.
    Arrays,
}

/// Where the words of a full-text search are kept.
#[derive(Clone, Copy, Debug)]
pub enum SearchForm {
    /// In a column that the database computes.
    Column {
        /// Its name.
        name: &'static str,
        /// Its type, as columns have it.
        ty: &'static [(&'static str, &'static str)],
        /// What computes it.
        sql: fn(&Search) -> String,
        /// The method of the index on it.
        method: &'static str,
    },
    /// In a table beside, which triggers keep in step.
    Table,
}

/// How a list of bound values of one type is written on the right of IN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// One placeholder a value.
    Each,
    /// `= ANY($1)` with an array.
    Array,
    /// `IN (SELECT value FROM json_each(?1))` with a JSON array; bytes and UUIDs as hexadecimal digits through `unhex`.
    Json,
}

/// The differences of one database. A default body is standard SQL.
pub trait Dialect: Send + Sync + 'static {
    /// `postgres`, `sqlite`: for errors and logs.
    fn name(&self) -> &'static str;
    /// `postgresql`, `sqlite`: the OpenTelemetry system name.
    fn system(&self) -> &'static str;
    /// What it can do.
    fn features(&self) -> &Features;
    /// A statement that moves the sequence of a generated key past a key that was given, where inserting it does not.
    /// The table may be in another schema than it was declared for.
    fn advance_identity(
        &self,
        _schema: Option<&str>,
        _table: &'static Table,
        _key: &'static Column,
        _given: i64,
    ) -> Option<Vec<RawPart>> {
        None
    }
    /// The name of a column's type in DDL and casts.
    fn type_name(&self, ty: Type) -> Result<String>;
    /// The server's clock, one value for the whole statement.
    fn clock(&self) -> &'static str {
        "CURRENT_TIMESTAMP"
    }
    /// How a list of values of this type is bound.
    fn list(&self, ty: Type) -> ListForm {
        let _ = ty;
        ListForm::Each
    }
    /// The function that makes text of an integer and its scale, the shortest of its number, on a database that stores
    /// decimals without fixed precision as such texts.
    fn decimal_text(&self) -> Option<&'static str> {
        None
    }
    /// A text predicate. Without a default: case-sensitivity differs everywhere.
    fn text(&self, w: &mut SqlWriter<'_>, op: TextOp, left: &Expr, right: &Expr) -> Result<()>;
    /// A call of a known function.
    fn function(&self, w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
        function::standard(w, f, args)
    }
    /// An aggregate, with the window it is computed over.
    fn aggregate(&self, w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()>;
    /// The items of an array as rows. Where the alias names no columns theirs is `value`.
    fn unnest(&self, w: &mut SqlWriter<'_>, array: &Expr) -> Result<()> {
        w.push("unnest(");
        w.expr(array)?;
        w.push(")");
        Ok(())
    }
    /// Something about a full-text search. The column of `Highlight` and `Headline` is one that is searched.
    fn search(&self, w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
        let _ = call;
        Err(w.unsupported("full-text search"))
    }
    /// The table that holds the words of a search, where there is one.
    fn create_search(&self, w: &mut SqlWriter<'_>, table: &SearchTable) -> Result<()> {
        let _ = table;
        Err(w.unsupported("full-text search"))
    }
    /// What a trigger does to keep it in step.
    fn follow_search(&self, w: &mut SqlWriter<'_>, event: RowEvent, table: &SearchTable) -> Result<()> {
        let _ = (event, table);
        Err(w.unsupported("full-text search"))
    }
    /// CAST.
    fn cast(&self, w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
        w.push("CAST(");
        w.expr(expr)?;
        w.push(" AS ");
        w.type_name(to)?;
        w.push(")");
        Ok(())
    }
    /// What stands before the hexadecimal digits of a literal of bytes or a UUID, the opening quote included.
    fn hex_literal(&self, ty: Type) -> &'static str {
        let _ = ty;
        "X'"
    }
    /// What makes a column a generated key.
    fn identity(&self) -> &'static str {
        " GENERATED BY DEFAULT AS IDENTITY"
    }
    /// A value of a stored column as JSON, the same text in every database; NULL is `null`. Numbers that JSON cannot
    /// hold exactly are strings, bytes are hexadecimal digits.
    fn json_text(&self, column: &str, ty: Type) -> String;
    /// What was told to triggers; NULL where nobody told them. Transaction and clock are never NULL.
    fn told(&self, what: Told) -> &'static str;
    /// A statement without rows that tells triggers of the open transaction.
    fn tell(&self, context: &Context) -> Vec<RawPart>;
    /// What takes it back, where it would outlive the transaction.
    fn untell(&self) -> Option<&'static str> {
        None
    }
    /// How many rows [`tell`](Self::tell) and [`untell`](Self::untell) change together.
    fn told_rows(&self) -> u64 {
        0
    }
    /// A query that has a row when triggers are there that want to be told.
    fn listens(&self) -> &'static str;
    /// Lets one transaction at a time go on, until it ends, for each number. `None` where there is only one writer.
    fn serialise(&self, number: i64) -> Option<Vec<RawPart>> {
        let _ = number;
        None
    }
    /// What stands before a statement to ask how it is answered.
    fn explain(&self, options: &ExplainOptions) -> Explain;
    /// The plan in the rows of that; the statement is the one that was asked about.
    fn plan(&self, rows: Vec<Vec<Value>>, statement: &str) -> Result<Plan>;
    /// A CHECK that the storage of this type needs.
    fn column_check(&self, w: &mut SqlWriter<'_>, column: &str, ty: Type) -> Result<()> {
        let _ = (w, column, ty);
        Ok(())
    }
}

/// Fails with the feature's name unless the database has it.
pub(crate) fn require(has: bool, feature: &str, dialect: &dyn Dialect) -> Result<()> {
    if has {
        Ok(())
    } else {
        Err(Error::unsupported(feature, dialect.name()))
    }
}

/// How a trigger refuses a change of an append-only table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It calls a function: what stands behind its name in CREATE FUNCTION.
    Function(&'static str),
    /// It says so itself.
    Inline(&'static str),
}

/// How triggers are written that run statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerForm {
    /// They call a function: what stands behind its name in CREATE FUNCTION, before and after the statements.
    Function(&'static str, &'static str),
    /// They hold their statements: what stands before and after them.
    Inline(&'static str, &'static str),
}

/// Something that triggers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Who acts, as text.
    Actor,
    /// For which tenant, as text.
    Tenant,
    /// For which request, as text.
    Request,
    /// What audit trails call the transaction.
    Transaction,
    /// The clock of the write.
    Clock,
    /// The clock of the transaction.
    Begun,
}

/// All that triggers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Who acts.
    pub actor: Option<String>,
    /// For which tenant.
    pub tenant: Option<String>,
    /// For which request.
    pub request: Option<String>,
    /// What audit trails call the transaction.
    pub transaction: String,
    /// The clock of the write; `None` for that of the database.
    pub clock: Option<Timestamp>,
    /// The client's clock when the transaction began.
    pub begun: Timestamp,
}
