//! A database's schema as an owned value. It comes from models ([`Schema::of_models`]), from a database
//! ([`introspect`](crate::introspect)) or from a [`snapshot`](crate::snapshot) file, and knows where it came from no more.
//!
//! Types, defaults, conditions and bodies are SQL as the database prints it; nothing here parses them. All lists but
//! those whose order means something (columns, labels, entries of an index) are sorted by name, so that equal schemas
//! are equal values and give equal files.

mod beside;
pub(crate) mod models;

use serde::{Deserialize, Serialize};

pub(crate) use beside::add_absent;
pub use orm_core::ast::ddl::Name as QualifiedName;
pub use orm_core::schema::Action;

/// All that belongs to a database's schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schema {
    /// Schemas (name spaces) beside the default one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<String>,
    /// Extensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// Enum types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enums: Vec<Enum>,
    /// Domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Domain>,
    /// Composite types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composites: Vec<Composite>,
    /// Sequences that no identity column owns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<Sequence>,
    /// Tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// Virtual tables of SQLite.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub virtual_tables: Vec<VirtualTable>,
    /// Views, materialized ones too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<View>,
    /// Functions and procedures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    /// What roles may do with an object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// A name, behind its schema where that is not the default one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The schema, none for the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The schema its objects live in. None, in a schema that is wanted, takes it wherever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

impl Extension {
    /// Whether this one, which is there, is what is wanted.
    pub(crate) fn serves(&self, wanted: &Extension) -> bool {
        self.name == wanted.name && (wanted.schema.is_none() || self.schema == wanted.schema)
    }
}

/// An enum type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Its labels in their order.
    pub labels: Vec<String>,
    /// What it was called, where it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Labels that were renamed: from, to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_labels: Vec<(String, String)>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A domain: a type with conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name.
    pub name: Name,
    /// The type it is made of.
    pub ty: String,
    /// Whether it takes NULL.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub nullable: bool,
    /// DEFAULT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Its conditions on `VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A composite type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    /// Its name.
    pub name: Name,
    /// Names and types of its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its name.
    pub name: Name,
    /// `bigint`, `integer`, `smallint`.
    pub ty: String,
    /// Its first number.
    pub start: i64,
    /// From one number to the next.
    pub increment: i64,
    /// Its least number.
    pub min: i64,
    /// Its greatest number.
    pub max: i64,
    /// Numbers handed out at once.
    pub cache: i64,
    /// Whether it begins anew at its end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cycle: bool,
    /// The column that it goes with (as `serial` makes it): dropped with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<(Name, String)>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// What it was called, where it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// PRIMARY KEY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Key>,
    /// UNIQUE constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uniques: Vec<Unique>,
    /// CHECK constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// FOREIGN KEY constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// EXCLUDE constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Indexes that are not a constraint's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Triggers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Row-level security.
    #[serde(default, skip_serializing_if = "RowSecurity::is_off")]
    pub row_security: RowSecurity,
    /// Policies of row-level security.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// PARTITION BY: `RANGE (at)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<String>,
    /// The table it is a partition of, and `FOR VALUES …` or `DEFAULT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<(Name, String)>,
    /// INHERITS: tables whose columns it has too, which are not among its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<Name>,
    /// UNLOGGED.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unlogged: bool,
    /// What stands behind the closing parenthesis: `STRICT`, `WITHOUT ROWID`, `WITH (fillfactor=70)`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub options: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it was called, where it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Its type as the database prints it.
    pub ty: String,
    /// Whether it takes NULL.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// What fills it when a statement leaves it out.
    #[serde(default, skip_serializing_if = "Fill::is_none")]
    pub fill: Fill,
    /// Options of the sequence behind an identity column, where they are not the usual ones:
    /// `START WITH 1000 INCREMENT BY 5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_options: Option<String>,
    /// COLLATE: the collation as SQL has it, `"de-x-icu"`, `NOCASE`, where it is not the type's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// What happens instead of an error when NULL meets NOT NULL (SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_null: Option<OnConflict>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What fills a column that a statement leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// NULL, or an error for NOT NULL.
    #[default]
    None,
    /// DEFAULT: an SQL expression.
    Default(String),
    /// A generated key: identity, or AUTOINCREMENT.
    Identity {
        /// GENERATED ALWAYS: a statement may not give it.
        #[serde(default, skip_serializing_if = "is_false")]
        always: bool,
    },
    /// GENERATED ALWAYS AS (expression), stored with the row.
    Stored(String),
    /// GENERATED ALWAYS AS (expression), calculated when read.
    Virtual(String),
}

impl Fill {
    fn is_none(&self) -> bool {
        *self == Fill::None
    }
    /// Whether the database calculates the column from others.
    pub fn is_generated(&self) -> bool {
        matches!(self, Fill::Stored(_) | Fill::Virtual(_))
    }
}

/// PRIMARY KEY.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name; SQLite has constraints without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// Its entries, where one is more than a column's name: a collation or DESC (SQLite).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<IndexPart>,
    /// INCLUDE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// DEFERRABLE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<Deferrable>,
    /// What happens instead of an error when a row has the same values (SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
}

/// UNIQUE.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// Its name; SQLite has constraints without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// NULLS NOT DISTINCT.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    /// Its entries, where one is more than a column's name: a collation or DESC (SQLite).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<IndexPart>,
    /// INCLUDE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// DEFERRABLE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<Deferrable>,
    /// What happens instead of an error when a row has the same values (SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
}

/// What SQLite does with a row that breaks a constraint; to stop the statement needs no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The transaction is rolled back.
    Rollback,
    /// The statement stops, and what it did before stays.
    Fail,
    /// The row is left out.
    Ignore,
    /// The other row goes, and for NULL the column's default is taken.
    Replace,
}

/// When a constraint that can wait is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferrable {
    /// After each statement, unless the transaction says otherwise.
    Immediate,
    /// At the end of the transaction.
    Deferred,
}

/// CHECK.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name; SQLite has constraints without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The condition, without the parentheses around it.
    pub condition: String,
    /// NOT VALID: rows that were there before it were not looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_valid: bool,
    /// NO INHERIT: it does not hold for tables that inherit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_inherit: bool,
}

/// FOREIGN KEY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// Its name; SQLite has constraints without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Referring columns.
    pub columns: Vec<String>,
    /// Referenced table.
    pub target: Name,
    /// Referenced columns.
    pub target_columns: Vec<String>,
    /// ON DELETE.
    #[serde(default = "no_action", with = "action", skip_serializing_if = "is_no_action")]
    pub on_delete: Action,
    /// ON UPDATE.
    #[serde(default = "no_action", with = "action", skip_serializing_if = "is_no_action")]
    pub on_update: Action,
    /// DEFERRABLE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrable: Option<Deferrable>,
    /// NOT VALID: rows that were there before it were not looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_valid: bool,
    /// MATCH FULL: all its columns are NULL, or none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub match_full: bool,
    /// The columns that ON DELETE SET NULL or SET DEFAULT sets, where these are not all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_delete_columns: Vec<String>,
}

/// EXCLUDE.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Its name.
    pub name: String,
    /// What stands behind EXCLUDE: `USING gist (room WITH =, during WITH &&)`.
    pub definition: String,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether equal entries are refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    /// NULLS NOT DISTINCT.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    /// `gin`, `gist`, …; none for B-tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its entries in order.
    pub parts: Vec<IndexPart>,
    /// INCLUDE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// WITH: storage parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// WHERE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether the database does not use it, because building it failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invalid: bool,
}

/// An entry of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexPart {
    /// A column's name, or an SQL expression.
    pub key: String,
    /// Whether `key` is an expression.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expression: bool,
    /// COLLATE: the collation as SQL has it, where it is not the column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The operator class as SQL has it, with its parameters, where it is not the type's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_class: Option<String>,
    /// Descending.
    #[serde(default, skip_serializing_if = "is_false")]
    pub desc: bool,
    /// NULLS FIRST (`true`) or NULLS LAST, where that is not what the order has by nature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls_first: Option<bool>,
}

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The whole CREATE TRIGGER statement.
    pub definition: String,
    /// When it fires, where ALTER TABLE has changed that: `DISABLE`, `ENABLE ALWAYS`, `ENABLE REPLICA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<String>,
}

/// Whether row-level security is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowSecurity {
    /// It is not.
    #[default]
    Off,
    /// For all but the owner.
    On,
    /// For the owner too.
    Forced,
}
impl RowSecurity {
    fn is_off(&self) -> bool {
        *self == RowSecurity::Off
    }
}

/// A policy of row-level security.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What stands behind the table's name in CREATE POLICY: `FOR SELECT TO clerk USING (owner = CURRENT_USER)`.
    pub definition: String,
}

/// A virtual table of SQLite: a module shows its data as rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualTable {
    /// Its name.
    pub name: Name,
    /// What stands behind USING: `fts5(title, body)`.
    pub module: String,
}

impl VirtualTable {
    /// Whether it holds nothing but the words of rows that are elsewhere, and can be made of them at any time.
    pub(crate) fn is_index(&self) -> bool {
        let module = self.module.to_ascii_lowercase();
        let content = module.split("content").skip(1).map(str::trim_start);
        let outside = |rest: &str| {
            let value = rest.strip_prefix('=').map(str::trim_start);
            value.is_some_and(|v| !v.starts_with("''") && !v.starts_with("\"\""))
        };
        module.trim_start().starts_with("fts5") && content.into_iter().any(outside)
    }
}

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Its name.
    pub name: Name,
    /// Whether its rows are stored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub materialized: bool,
    /// The names of its columns, where they stand behind its name and not in the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// WITH: `security_barrier=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// The query, without a semicolon.
    pub query: String,
    /// Indexes of a materialized one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Triggers, which stand in for a change of the view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A function or procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// The types of its arguments, as DROP FUNCTION wants them: `integer, text`.
    pub arguments: String,
    /// Whether it is a procedure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub procedure: bool,
    /// The whole CREATE OR REPLACE statement.
    pub definition: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What a role may do with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// `TABLE` (a view too), `SEQUENCE`, `SCHEMA`, `FUNCTION`, `PROCEDURE` or `TYPE`.
    pub kind: String,
    /// The object: its name, with the types of the arguments for a function.
    pub object: Name,
    /// Who may; `PUBLIC` for everybody.
    pub role: String,
    /// `SELECT`, `INSERT`, `UPDATE (name)`, …. None at all: everybody may use a function or a type by nature, and here
    /// that was revoked.
    pub privileges: Vec<String>,
    /// WITH GRANT OPTION.
    #[serde(default, skip_serializing_if = "is_false")]
    pub grantable: bool,
}

impl Default for ForeignKey {
    fn default() -> Self {
        ForeignKey {
            name: None,
            columns: Vec::new(),
            target: Name::default(),
            target_columns: Vec::new(),
            on_delete: Action::NoAction,
            on_update: Action::NoAction,
            deferrable: None,
            not_valid: false,
            match_full: false,
            on_delete_columns: Vec::new(),
        }
    }
}

impl Schema {
    /// The table of this name.
    pub fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == *name)
    }
    /// Brings everything whose order means nothing into the order of names. What makes a schema calls it last.
    pub fn normalize(&mut self) {
        self.schemas.sort();
        self.extensions.sort();
        self.enums.sort_by(|a, b| a.name.cmp(&b.name));
        self.domains.sort_by(|a, b| a.name.cmp(&b.name));
        self.composites.sort_by(|a, b| a.name.cmp(&b.name));
        self.sequences.sort_by(|a, b| a.name.cmp(&b.name));
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
        self.virtual_tables.sort();
        self.views.sort_by(|a, b| a.name.cmp(&b.name));
        self.functions.sort();
        self.grants.sort();
        for domain in &mut self.domains {
            domain.checks.sort();
        }
        for view in &mut self.views {
            view.indexes.sort();
            view.triggers.sort();
        }
        for grant in &mut self.grants {
            grant.privileges.sort();
        }
        for table in &mut self.tables {
            table.normalize();
        }
    }
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    fn normalize(&mut self) {
        self.uniques.sort();
        self.checks.sort();
        let key = |k: &ForeignKey| (k.name.clone(), k.columns.clone(), k.target.clone());
        self.foreign_keys.sort_by_key(key);
        self.exclusions.sort();
        self.indexes.sort();
        self.triggers.sort();
        self.policies.sort();
    }
}

impl Name {
    /// A name in the default schema.
    pub fn new(name: impl Into<String>) -> Self {
        Name {
            schema: None,
            name: name.into(),
        }
    }
    /// A name in a schema.
    pub fn within(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Name {
            schema: Some(schema.into()),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl From<QualifiedName> for Name {
    fn from(name: QualifiedName) -> Self {
        Name {
            schema: name.schema,
            name: name.name,
        }
    }
}

fn yes() -> bool {
    true
}
fn is_true(b: &bool) -> bool {
    *b
}
fn is_false(b: &bool) -> bool {
    !*b
}
fn no_action() -> Action {
    Action::NoAction
}
fn is_no_action(action: &Action) -> bool {
    *action == Action::NoAction
}

/// Actions in a file, in the words of SQL.
mod action {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::schema::Action;

    pub(super) fn serialize<S: Serializer>(action: &Action, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(super::action_sql(*action))
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Action, D::Error> {
        let word = String::deserialize(d)?;
        super::action_of(&word).ok_or_else(|| D::Error::custom("no action of a foreign key"))
    }
}

/// The action in SQL.
pub(crate) fn action_sql(action: Action) -> &'static str {
    match action {
        Action::Restrict => "RESTRICT",
        Action::NoAction => "NO ACTION",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}

/// The action of these words of SQL.
pub(crate) fn action_of(sql: &str) -> Option<Action> {
    Some(match sql {
        "RESTRICT" => Action::Restrict,
        "NO ACTION" => Action::NoAction,
        "CASCADE" => Action::Cascade,
        "SET NULL" => Action::SetNull,
        "SET DEFAULT" => Action::SetDefault,
        _ => return None,
    })
}
