//! Tables, columns, keys and indexes. `ast::Table` and `ast::Column` are the parts of them that statements need.

use std::any::Any;

use crate::ast;
use crate::ast::Nulls;
use crate::ast::ddl::Definition;
use crate::schema::RelationDef;
use crate::value::{EnumType, Value};

/// A table or view, as the derive describes it. Const-constructible.
#[derive(Debug)]
pub struct Table {
    /// What statements need: schema, name, unique sets, guards.
    pub table: ast::Table,
    /// The name of the Rust type, for errors.
    pub model: &'static str,
    /// Table or view.
    pub kind: TableKind,
    /// What makes it, of a view.
    pub view: Option<View>,
    /// The columns: fields of the struct in order, then shadow columns.
    pub columns: &'static [Column],
    /// How many of the columns are fields of the struct.
    pub fields: usize,
    /// Positions of the primary key's columns.
    pub key: &'static [usize],
    /// Unique constraints beside the primary key.
    pub uniques: &'static [Unique],
    /// Indexes that were asked for. Indexes on foreign keys are added when the schema is created.
    pub indexes: &'static [Index],
    /// CHECK constraints of the table and its columns.
    pub checks: &'static [Check],
    /// Foreign keys.
    pub foreign_keys: &'static [ForeignKey],
    /// Columns that the library fills.
    pub managed: Managed,
    /// Validators of whole rows.
    pub validators: &'static [Validator],
    /// Whether any column or row has a validator, or a variant has validators or hooks.
    pub validated: bool,
    /// What the model does before and after writes: a `HookTable` of the execution layer.
    pub hooks: Option<fn() -> &'static (dyn Any + Send + Sync)>,
    /// Its audit trail, if it has one.
    pub trail: Option<Trail>,
    /// Whether the database refuses changes and deletes of its rows.
    pub append_only: bool,
    /// The table that holds the chain of hashes over its rows, if it has one.
    pub chain: Option<&'static ast::Table>,
    /// What is searched by words, if anything is.
    pub search: Option<&'static ast::Search>,
    /// The relations that the model declares.
    pub relations: &'static [&'static RelationDef],
    /// The model that this one is a variant of.
    pub base: Option<fn() -> &'static Table>,
    /// The models that are its variants.
    pub variants: &'static [fn() -> &'static Table],
    /// The doc comment.
    pub comment: &'static str,
}

impl Table {
    /// The table's name without its schema.
    pub fn name(&self) -> &'static str {
        self.table.name
    }
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.column.name == name)
    }
    /// Itself, or the table of the model that it is a variant of: the same rows.
    pub fn root(&'static self) -> &'static Table {
        self.base.map_or(self, |base| base())
    }
    /// The variant that a row of this table is of, and the values of the variant's fields among those of the row.
    pub fn variant_of(&self, row: &[Value]) -> Option<(&'static Table, Vec<Value>)> {
        if self.variants.is_empty() {
            return None;
        }
        let kind = self.columns.iter().position(|c| c.role == Role::Discriminator)?;
        let label = match row.get(kind)? {
            Value::Str(label) => *label,
            Value::Text(label) => label.as_str(),
            _ => return None,
        };
        let mut part = 0;
        for variant in self.variants.iter().map(|v| v()) {
            part += !variant.table.parts.is_empty() as u8;
            if variant.table.tag.is_none_or(|tag| tag.label != label) {
                continue;
            }
            let here = |c: &Column| match c.column.part {
                0 => 0,
                _ => part,
            };
            let value = |c: &Column| {
                let same = |o: &Column| o.column.name == c.column.name && o.column.part == here(c);
                row.get(self.columns.iter().position(same)?).cloned()
            };
            let values: Option<Vec<Value>> = variant.columns[..variant.fields].iter().map(value).collect();
            return Some((variant, values?));
        }
        None
    }
    /// The columns of the primary key.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        let columns = self.columns;
        self.key.iter().map(move |&i| &columns[i])
    }
    /// The log of its audit trail, where the library writes it.
    pub(crate) fn own_trail(&self) -> Option<&'static Table> {
        let trail = self.trail.filter(|t| t.engine == TrailEngine::Library)?;
        Some((trail.log)())
    }
    /// Whether triggers write down what happens to its rows.
    pub(crate) fn has_triggers(&self) -> bool {
        let by_triggers = |t: Trail| t.engine == TrailEngine::Triggers;
        self.table.history.is_some() || self.trail.is_some_and(by_triggers)
    }
    /// Whether the library needs all columns of what it writes, not only those that are fields.
    pub(crate) fn reads_all(&self) -> bool {
        self.own_trail().is_some() || self.chain.is_some()
    }
    /// Where the column stands in this table.
    pub fn position(&self, column: &ast::Column) -> Option<usize> {
        self.columns.iter().position(|c| std::ptr::eq(&c.column, column))
    }
}

/// An audit trail.
#[derive(Clone, Copy, Debug)]
pub struct Trail {
    /// The table that holds it.
    pub log: fn() -> &'static Table,
    /// Who writes it.
    pub engine: TrailEngine,
}

/// Who writes an audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailEngine {
    /// The library, beside each write of its own.
    Library,
    /// Triggers in the database, whoever writes.
    Triggers,
}

/// A rule in the program: of a column's value, or of a whole row.
#[derive(Clone, Copy, Debug)]
pub struct Validator {
    /// The name of the function.
    pub name: &'static str,
    /// Refuses with a reason. It gets the one value, or the values of all fields in order.
    pub check: fn(&[Value]) -> std::result::Result<(), String>,
}

/// Table or view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// A base table.
    Table,
    /// A view: read-only.
    View,
}

/// What makes a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Whether its rows are stored until they are refreshed.
    pub materialized: bool,
    /// What its rows are. Without it the view is created by somebody else.
    pub definition: Option<Definition>,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// What statements need: name, type, nullability.
    pub column: ast::Column,
    /// The name of the field in Rust.
    pub field: &'static str,
    /// Types in SQL instead of that of the logical type, each with the name of a dialect, or with none for all.
    pub types: &'static [(&'static str, &'static str)],
    /// What fills it when an insert leaves it out.
    pub default: Default,
    /// Whether the database computes it.
    pub generated: Option<Generated>,
    /// What its values have to be, as a function of the program.
    pub validator: Option<Validator>,
    /// What the column is for.
    pub role: Role,
    /// An index on this column alone, which the embedded struct it belongs to asks for.
    pub index: bool,
    /// A condition that the embedded struct it belongs to asks for.
    pub check: Option<&'static [Fragment]>,
    /// The doc comment.
    pub comment: &'static str,
}

/// A part of the condition of an embedded struct, which does not know what its columns are called in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// SQL.
    Sql(&'static str),
    /// The column of a field of the struct.
    Field(&'static str),
}

/// What a column is for, where the library treats it in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An ordinary column.
    Plain,
    /// The optimistic locking counter.
    Version,
    /// When the row was inserted.
    CreatedAt,
    /// When it was last written.
    UpdatedAt,
    /// Who inserted it.
    CreatedBy,
    /// Who wrote it last.
    UpdatedBy,
    /// When it was soft-deleted.
    DeletedAt,
    /// Who soft-deleted it.
    DeletedBy,
    /// Whose row it is.
    Tenant,
    /// Which variant the row is of.
    Discriminator,
}

/// Positions of the columns that the library fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// Position of the version counter.
    pub version: Option<usize>,
    /// Position of `created_at`.
    pub created_at: Option<usize>,
    /// Position of `updated_at`.
    pub updated_at: Option<usize>,
    /// Position of `created_by`.
    pub created_by: Option<usize>,
    /// Position of `updated_by`.
    pub updated_by: Option<usize>,
    /// Position of `deleted_at`.
    pub deleted_at: Option<usize>,
    /// Position of `deleted_by`.
    pub deleted_by: Option<usize>,
    /// Position of the tenant's column.
    pub tenant: Option<usize>,
}

impl Managed {
    /// No managed column at all.
    pub const NONE: Managed = Managed {
        version: None,
        created_at: None,
        updated_at: None,
        created_by: None,
        updated_by: None,
        deleted_at: None,
        deleted_by: None,
        tenant: None,
    };
}

/// What fills a column that an insert leaves out.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Nothing: NULL, or an error for NOT NULL.
    None,
    /// A constant: sent by the client, and written into the table's definition too.
    Literal(fn() -> Value),
    /// A function called by the client once per row.
    Function(fn() -> Value),
    /// An SQL expression evaluated by the database.
    Sql(&'static str),
    /// A key generated by the database: identity on PostgreSQL, AUTOINCREMENT on SQLite.
    Identity,
}

/// A column the database computes from others of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The SQL expression.
    pub sql: &'static str,
    /// Stored with the row, or computed when read.
    pub stored: bool,
}

/// A unique constraint. With a condition it is a partial unique index.
#[derive(Debug)]
pub struct Unique {
    /// `uq_…`, by convention or given.
    pub name: &'static str,
    /// Positions of its columns.
    pub columns: &'static [usize],
    /// The SQL condition of a partial one.
    pub filter: Option<&'static str>,
}

/// An index.
#[derive(Debug)]
pub struct Index {
    /// `ix_…`, by convention or given.
    pub name: &'static str,
    /// What it is ordered by.
    pub parts: &'static [IndexPart],
    /// Whether equal entries are refused.
    pub unique: bool,
    /// B-tree unless said otherwise.
    pub method: IndexMethod,
    /// Positions of columns stored beside the key.
    pub include: &'static [usize],
    /// Storage parameters: `fillfactor = 70`.
    pub storage: Option<&'static str>,
    /// The SQL condition of a partial index.
    pub filter: Option<&'static str>,
}

/// One entry of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexPart {
    /// A column or an expression.
    pub key: IndexKey,
    /// What the method does with it, where that is not its type's default: `gin_trgm_ops`.
    pub op_class: Option<&'static str>,
    /// Descending.
    pub desc: bool,
    /// Where NULLs stand.
    pub nulls: Nulls,
}

/// What an entry of an index is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKey {
    /// A column by its position in the table.
    Column(usize),
    /// An SQL expression.
    Expression(&'static str),
}

/// How an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexMethod {
    /// The default everywhere.
    BTree,
    /// Equality only.
    Hash,
    /// Inverted, for arrays, JSON and full text.
    Gin,
    /// Search trees for ranges and geometry.
    Gist,
    /// Space-partitioned trees.
    SpGist,
    /// Graphs of near vectors (extension `vector`).
    Hnsw,
    /// Lists of near vectors (extension `vector`).
    IvfFlat,
    /// Block ranges.
    Brin,
}

/// A CHECK constraint.
#[derive(Debug)]
pub struct Check {
    /// `ck_…`, by convention or given.
    pub name: &'static str,
    /// The SQL condition.
    pub sql: &'static str,
}

/// A foreign key.
#[derive(Debug)]
pub struct ForeignKey {
    /// `fk_…`, by convention.
    pub name: &'static str,
    /// Positions of the columns in this table.
    pub columns: &'static [usize],
    /// The table it points to; a function, because tables may point at each other.
    pub target: fn() -> &'static Table,
    /// When the referenced row is deleted.
    pub on_delete: Action,
    /// When the referenced key changes.
    pub on_update: Action,
    /// Checked at commit when asked (`Some(true)`: at commit by default).
    pub deferrable: Option<bool>,
}

/// What a foreign key does when the referenced row goes or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Refuse at once.
    Restrict,
    /// Refuse at the end of the statement or, when deferred, of the transaction.
    NoAction,
    /// Do the same to the referring rows.
    Cascade,
    /// Set the foreign key to NULL.
    SetNull,
    /// Set the foreign key to its default.
    SetDefault,
}

/// Enum types used by a table's columns.
pub(crate) fn enums_of(table: &'static Table) -> impl Iterator<Item = &'static EnumType> {
    table.columns.iter().filter_map(|c| match c.column.ty {
        crate::value::Type::Enum(e) | crate::value::Type::Array(crate::value::Element::Enum(e)) => Some(e),
        _ => None,
    })
}
