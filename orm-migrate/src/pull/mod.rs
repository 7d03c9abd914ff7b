//! Models of an existing database: Rust source that says what its tables are. Pure.
//!
//! ```
//! use orm::prelude::*;
//! use orm_migrate::{Backend, introspect::introspect, pull};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let db = Db::connect("sqlite::memory:").await?;
//! sql!("create table authors (id integer primary key autoincrement, name text not null) strict").exec(&db).await?;
//! sql!(
//!     "create table books (id integer primary key autoincrement, \"Title\" text,
//!         author_id integer not null references authors on delete cascade) strict"
//! )
//! .exec(&db)
//! .await?;
//! let pulled = pull::models(&introspect(&db).await?, Backend::Sqlite);
//! assert_eq!(
//!     pulled.source,
//!     r#"use orm::prelude::*;
//!
//! #[derive(Model, Clone, Debug)]
//! #[has_many(books: Book)]
//! pub struct Author {
//!     pub id: Id<Author>,
//!     pub name: String,
//! }
//!
//! #[derive(Model, Clone, Debug)]
//! pub struct Book {
//!     pub id: Id<Book>,
//!     #[orm(column = "Title")]
//!     pub title: Option<String>,
//!     #[belongs_to(author: Author, on_delete = cascade)]
//!     pub author_id: Id<Author>,
//! }
//!
//! /// All models.
//! pub fn schema() -> orm::schema::Schema {
//!     orm::schema![Author, Book]
//! }
//! "#
//! );
//! assert_eq!(pulled.left_out, ["books: no index begins with its foreign key (author_id), models add one"]);
//! # Ok::<(), orm::Error>(()) }).unwrap();
//! ```

mod name;
mod relate;
mod search;
mod ty;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::Backend;
use crate::pull::search::Searched;
use crate::pull::ty::ColumnType;
use crate::schema::models::extension_of;
use crate::schema::{Column, Fill, ForeignKey, Name, Schema, Table, VirtualTable};

/// What [`models`] writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The file: models, enums, and a function `schema()` that lists the models.
    pub source: String,
    /// What models cannot say, or say otherwise: the object and the reason. Made anew from the models, the database would
    /// differ in these.
    pub left_out: Vec<String>,
    /// The objects that models cannot say, as they are: sequences, domains, functions, views, triggers, tables without a key.
    /// Kept as a [snapshot](crate::snapshot) and [added](Schema::add) to the schema of the models, they make of it the
    /// schema of the database, but for what `left_out` says of the models' own tables.
    pub beside: Schema,
}

/// Rust source of models for the tables of a schema, as [`introspect`](crate::introspect) reads it.
///
/// Names follow the conventions of the derive where the database does; others are attributes. Types of columns are those
/// of the [models chapter](https://docs.rs/orm), with `Scaled` for decimals of up to 18 digits, `rust_decimal::Decimal` for
/// longer ones, `uuid::Uuid` and `serde_json::Value`. SQLite does not say of a TEXT whether it is a time, or of a BLOB
/// whether it is a UUID (a key is taken for one): give such fields their types by hand.
pub fn models(schema: &Schema, backend: Backend) -> Pulled {
    let mut draft = Draft::of(schema, backend);
    let mut source = String::new();
    draft.write(&mut source);
    draft.rest();
    let models: BTreeSet<&Name> = draft.models.iter().map(|m| &m.table.name).collect();
    let searched = |table: &Table| {
        draft
            .models
            .iter()
            .any(|m| m.table.name == table.name && m.searched.is_some())
    };
    let tables = schema
        .tables
        .iter()
        .filter_map(|table| match models.contains(&table.name) {
            true if searched(table) => {
                let mut said = table.clone();
                said.triggers.retain(|t| !search::is_trigger(table, t));
                said.beside()
            }
            true => table.beside(),
            false => Some(table.clone()),
        });
    let mut beside = Schema {
        tables: tables.collect(),
        ..schema.clone()
    };
    let said = |it: &VirtualTable| {
        schema
            .tables
            .iter()
            .any(|t| searched(t) && search::is_table(t, it))
    };
    beside.virtual_tables.retain(|it| !said(it));
    Pulled {
        source,
        left_out: draft.left_out,
        beside,
    }
}

/// The name of the model of each table.
pub(crate) fn names(schema: &Schema, backend: Backend) -> BTreeMap<Name, String> {
    let draft = Draft::of(schema, backend);
    let names = draft.models.into_iter().map(|m| (m.table.name.clone(), m.ident));
    names.collect()
}

/// The Rust types of columns as they are read: without relations, without `Option`.
pub(crate) fn types(schema: &Schema, backend: Backend) -> BTreeMap<(Name, String), String> {
    let draft = Draft::of(schema, backend);
    let of = |m: &ModelDraft<'_>| -> Vec<_> {
        let key = |f: &FieldDraft<'_>| (m.table.name.clone(), f.column.name.clone());
        m.fields.iter().map(|f| (key(f), f.ty.rust.clone())).collect()
    };
    draft.models.iter().flat_map(of).collect()
}

/// Names that generated code, or code beside it, uses otherwise.
const TAKEN: &[&str] = &[
    "Acting",
    "Arc",
    "AuditTrail",
    "Box",
    "Clone",
    "Cond",
    "Connect",
    "Copy",
    "Db",
    "DbEnum",
    "Debug",
    "Default",
    "Embed",
    "Err",
    "Error",
    "ErrorKind",
    "Exec",
    "Expr",
    "Filter",
    "Forest",
    "HashChain",
    "History",
    "Id",
    "InsertGraph",
    "Inserts",
    "Json",
    "LoadRelations",
    "Merge",
    "Model",
    "New",
    "None",
    "Ok",
    "Option",
    "Order",
    "Part",
    "Polymorphic",
    "Query",
    "Record",
    "Result",
    "Scaled",
    "Self",
    "Serves",
    "Shape",
    "Some",
    "String",
    "Tenant",
    "Timestamp",
    "Tree",
    "Tx",
    "Upserted",
    "Vec",
    "Writes",
];

/// Methods of every model, which a relation of the same name would hide.
const METHODS: &[&str] = &[
    "attach",
    "clone",
    "delete",
    "get",
    "id",
    "insert",
    "into_parts",
    "merge",
    "move_to",
    "purge",
    "query",
    "restore",
    "update",
    "update_where",
    "walk",
];

struct Draft<'s> {
    schema: &'s Schema,
    backend: Backend,
    models: Vec<ModelDraft<'s>>,
    enums: Vec<EnumDraft>,
    /// Names of types that are given away.
    taken: BTreeSet<String>,
    left_out: Vec<String>,
}

struct EnumDraft {
    ident: String,
    name: String,
    labels: Vec<String>,
    comment: Option<String>,
    used: bool,
}

struct ModelDraft<'s> {
    table: &'s Table,
    ident: String,
    rename_all: Option<&'static str>,
    fields: Vec<FieldDraft<'s>>,
    key: Vec<String>,
    /// The key is made by the library or the database.
    generated: bool,
    foreign_keys: Vec<KeyDraft<'s>>,
    relations: Vec<String>,
    /// Attributes of the other sides.
    inverse: Vec<String>,
    /// What of it is searched by words.
    searched: Option<Searched>,
}

struct FieldDraft<'s> {
    column: &'s Column,
    ident: String,
    ty: ColumnType,
}

struct KeyDraft<'s> {
    key: &'s ForeignKey,
    target: usize,
    /// The relation's name.
    name: String,
}

impl<'s> ModelDraft<'s> {
    fn field(&self, column: &str) -> Option<&FieldDraft<'s>> {
        self.fields.iter().find(|f| f.column.name == column)
    }
    fn is_key(&self, column: &str) -> bool {
        self.key.iter().any(|k| k == column)
    }
    /// The fields of columns, as they are written.
    fn idents(&self, columns: &[String]) -> Vec<String> {
        let idents = columns.iter().filter_map(|c| self.field(c));
        idents.map(|f| name::ident(&f.ident)).collect()
    }
}

impl<'s> Draft<'s> {
    fn new(schema: &'s Schema, backend: Backend) -> Self {
        Draft {
            schema,
            backend,
            models: Vec::new(),
            enums: Vec::new(),
            taken: TAKEN.iter().map(|t| (*t).to_owned()).collect(),
            left_out: Vec::new(),
        }
    }

    fn of(schema: &'s Schema, backend: Backend) -> Self {
        let mut draft = Draft::new(schema, backend);
        draft.structs();
        draft.fields();
        draft.foreign_keys();
        draft.relations();
        draft
    }

    fn say(&mut self, of: impl std::fmt::Display, reason: impl std::fmt::Display) {
        self.left_out.push(format!("{of}: {reason}"));
    }

    fn model_of(&self, name: &Name) -> Option<usize> {
        self.models.iter().position(|m| m.table.name == *name)
    }

    /// A type's name that nothing else has, with those that the derive makes of it.
    fn type_name(&mut self, wanted: &str, of_model: bool) -> String {
        let made = |name: &str| -> Vec<String> {
            match of_model {
                true => vec![name.to_owned(), format!("New{name}"), format!("{name}Cols")],
                false => vec![name.to_owned()],
            }
        };
        let mut name = wanted.to_owned();
        let mut n = 1;
        while made(&name).iter().any(|m| self.taken.contains(m)) {
            name = match n {
                1 => format!("{wanted}Row"),
                n => format!("{wanted}Row{n}"),
            };
            n += 1;
        }
        self.taken.extend(made(&name));
        name
    }

    fn structs(&mut self) {
        for table in &self.schema.tables {
            if table
                .primary_key
                .as_ref()
                .is_none_or(|key| key.columns.is_empty())
            {
                self.say(&table.name, "a table without a primary key is no model");
                continue;
            }
            if !table.inherits.is_empty() || table.partition_of.is_some() {
                self.say(
                    &table.name,
                    "it has the columns of another table, which a model cannot say",
                );
                continue;
            }
            self.models.push(ModelDraft {
                table,
                ident: String::new(),
                rename_all: None,
                fields: Vec::new(),
                key: table.primary_key.iter().flat_map(|k| k.columns.clone()).collect(),
                generated: false,
                foreign_keys: Vec::new(),
                relations: Vec::new(),
                inverse: Vec::new(),
                searched: Searched::of(table, self.schema, self.backend),
            });
        }
        // short names first: `users` gets `User`, and `new_users` gives way to its `NewUser`
        let wanted = |model: &ModelDraft<'_>| {
            let word = name::singular_last(&name::words_of_rust(&model.table.name.name));
            match word.is_empty() {
                true => "Table".to_owned(),
                false => name::pascal(&word),
            }
        };
        let named = self.models.iter().map(wanted).enumerate();
        let mut named: Vec<(usize, String)> = named.collect();
        named.sort_by_key(|(_, name)| name.len());
        for (i, name) in named {
            self.models[i].ident = self.type_name(&name, true);
        }
        for e in &self.schema.enums {
            if e.name.schema.is_some() {
                self.say(
                    format_args!("type {}", e.name),
                    "an enum of a schema is text in models",
                );
                continue;
            }
            let mut wanted = name::pascal(&name::words_of_rust(&e.name.name));
            if wanted.is_empty() {
                wanted = "Label".to_owned();
            }
            let ident = self.type_name(&wanted, false);
            self.enums.push(EnumDraft {
                ident,
                name: e.name.name.clone(),
                labels: e.labels.clone(),
                comment: e.comment.clone(),
                used: false,
            });
        }
    }

    fn fields(&mut self) {
        for i in 0..self.models.len() {
            let table = self.models[i].table;
            let mut fields: Vec<FieldDraft<'s>> = table
                .columns
                .iter()
                .map(|column| {
                    let ty = self.column_type(table, column);
                    FieldDraft {
                        column,
                        ident: String::new(),
                        ty,
                    }
                })
                .collect();
            let texts = |s: &Searched| {
                let is_text = |f: &FieldDraft<'_>| f.ty.rust == "String";
                let of = |name: &String| fields.iter().find(|f| f.column.name == *name);
                s.columns.iter().all(|(name, _)| of(name).is_some_and(is_text))
            };
            self.models[i].searched = self.models[i].searched.take().filter(texts);
            if self.models[i].searched.is_some() {
                fields.retain(|f| !search::is_vector(&f.column.name));
            }
            self.models[i].fields = fields;
            self.field_names(i);
        }
    }

    fn column_type(&mut self, table: &'s Table, column: &'s Column) -> ColumnType {
        if self.backend == Backend::Sqlite {
            let (enums, taken) = (&mut self.enums, &mut self.taken);
            let mut labels = |column: &Column, labels: Vec<String>| {
                let word = name::pascal(&name::words_of_rust(&column.name));
                let same = enums
                    .iter()
                    .find(|e| e.labels == labels && e.ident.starts_with(&word));
                if let Some(same) = same {
                    return same.ident.clone();
                }
                let owner = name::pascal(&name::words_of_rust(&table.name.name));
                let mut ident = word.clone();
                while ident.is_empty() || taken.contains(&ident) {
                    ident = format!("{owner}{ident}");
                }
                taken.insert(ident.clone());
                enums.push(EnumDraft {
                    name: name::snake(&ident),
                    ident: ident.clone(),
                    labels,
                    comment: None,
                    used: true,
                });
                ident
            };
            return ty::sqlite(column, table, &mut labels);
        }
        let of_name = |n: &str| self.enums.iter().find(|e| e.name == n).map(|e| e.ident.clone());
        let known = self.schema.enums.iter().filter(|e| e.name.schema.is_none());
        let known: Vec<_> = known.filter_map(|e| Some((e, of_name(&e.name.name)?))).collect();
        let found = ty::postgres(&column.ty, &self.schema.domains, &known);
        if let Some(e) = self.enums.iter_mut().find(|e| e.ident == found.rust) {
            e.used = true;
        }
        found
    }

    fn field_names(&mut self, i: usize) {
        let model = &mut self.models[i];
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for field in &mut model.fields {
            let mut wanted = name::words_of_rust(&field.column.name);
            if wanted.is_empty() {
                wanted = "column".to_owned();
            }
            if ["self", "super", "crate"].contains(&wanted.as_str()) {
                wanted.push_str("_column");
            }
            let mut ident = wanted.clone();
            let mut n = 2;
            while seen.contains(&ident) {
                ident = format!("{wanted}_{n}");
                n += 1;
            }
            seen.insert(ident.clone());
            field.ident = ident;
        }
        let key = model.key.clone();
        if let [only] = key.as_slice()
            && let Some(field) = model.fields.iter().find(|f| f.column.name == *only)
        {
            let refers = model.table.foreign_keys.iter().any(|k| k.columns == key);
            let rowid = self.backend == Backend::Sqlite
                && field.column.ty == "INTEGER"
                && !model.table.options.contains("WITHOUT ROWID");
            let uuid = field.ty.rust == "uuid::Uuid"
                || (self.backend == Backend::Sqlite && field.column.ty == "BLOB");
            let counted = matches!(field.column.fill, Fill::Identity { .. });
            let serial = matches!(&field.column.fill, Fill::Default(sql) if sql.starts_with("nextval("));
            let integer = ["i16", "i32", "i64"].contains(&field.ty.rust.as_str());
            model.generated = !refers && (uuid || (integer && (counted || rowid || serial)));
        }
        let differ = |f: &&FieldDraft<'_>| f.ident != f.column.name;
        if model.fields.iter().any(|f| differ(&f)) {
            let fits =
                |case: fn(&str) -> String| model.fields.iter().all(|f| case(&f.ident) == f.column.name);
            model.rename_all = name::CASES
                .iter()
                .find(|(_, case)| fits(*case))
                .map(|(name, _)| *name);
        }
    }

    /// The type of a generated key.
    fn own_key(&self, i: usize) -> Option<String> {
        let model = &self.models[i];
        let [only] = model.key.as_slice() else { return None };
        let field = model.field(only).filter(|_| model.generated)?;
        Some(match field.ty.rust.as_str() {
            "i64" => format!("Id<{}>", model.ident),
            "Vec<u8>" => format!("Id<{}, uuid::Uuid>", model.ident),
            other => format!("Id<{}, {other}>", model.ident),
        })
    }

    /// The type of a column in Rust, without `Option`: that of the key it refers to.
    fn rust_type(&self, i: usize, column: &str, depth: usize) -> String {
        let model = &self.models[i];
        if model.is_key(column)
            && let Some(own) = self.own_key(i)
        {
            return own;
        }
        let single = |k: &&KeyDraft<'_>| k.key.columns.len() == 1 && k.key.columns[0] == column;
        let several = |k: &&KeyDraft<'_>| k.key.columns.iter().any(|c| c == column);
        let found = model.foreign_keys.iter().find(single);
        let found = found.or_else(|| model.foreign_keys.iter().find(several));
        if let Some(key) = found.filter(|_| depth < 16) {
            let at = key
                .key
                .columns
                .iter()
                .position(|c| c == column)
                .unwrap_or_default();
            if let Some(target) = key.key.target_columns.get(at) {
                return self.rust_type(key.target, target, depth + 1);
            }
        }
        model.field(column).map(|f| f.ty.rust.clone()).unwrap_or_default()
    }

    /// What the schema has beside tables.
    fn rest(&mut self) {
        let schema = self.schema;
        for name in &schema.schemas {
            if !self
                .models
                .iter()
                .any(|m| m.table.name.schema.as_ref() == Some(name))
            {
                self.say(format_args!("schema {name}"), "no model is in it");
            }
        }
        let columns = || schema.tables.iter().flat_map(|t| &t.columns);
        let of_types = |name: &str| columns().any(|c| extension_of(&c.ty) == Some(name));
        for it in schema.extensions.iter().filter(|e| !of_types(&e.name)) {
            self.say(format_args!("extension {}", it.name), "models have none");
        }
        for it in &schema.domains {
            self.say(
                format_args!("domain {}", it.name),
                "models name it, and do not create it",
            );
        }
        for it in &schema.composites {
            self.say(format_args!("type {}", it.name), "models have no composite types");
        }
        for it in &schema.sequences {
            self.say(format_args!("sequence {}", it.name), "models have none");
        }
        let searched = |it: &VirtualTable| {
            let models = self.models.iter().filter(|m| m.searched.is_some());
            models.into_iter().any(|m| search::is_table(m.table, it))
        };
        let others: Vec<_> = schema.virtual_tables.iter().filter(|it| !searched(it)).collect();
        for it in others {
            self.say(format_args!("virtual table {}", it.name), "models have none");
        }
        for it in &schema.views {
            self.say(
                format_args!("view {}", it.name),
                "the types of its columns are not in the schema: write a model with `view`",
            );
        }
        for it in &schema.functions {
            self.say(
                format_args!("function {}({})", it.name, it.arguments),
                "models have none",
            );
        }
        for it in &schema.grants {
            self.say(
                format_args!("grant to {} on {}", it.role, it.object),
                "models have none",
            );
        }
        let unused: Vec<String> = self
            .enums
            .iter()
            .filter(|e| !e.used)
            .map(|e| e.name.clone())
            .collect();
        for name in unused {
            self.say(
                format_args!("type {name}"),
                "no column has it, so models do not create it",
            );
        }
        let spoken: Vec<_> = schema.enums.iter().filter(|e| e.comment.is_some()).collect();
        for it in spoken {
            self.say(format_args!("type {}", it.name), "its comment is in Rust only");
        }
    }
}
