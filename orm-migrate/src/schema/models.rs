//! The schema of models: what `create_all` would create, as a value. What a table needs is decided in one place, the
//! list of statements of the core; this file reads it.

use std::collections::BTreeSet;

use orm_core::ast::Nulls;
use orm_core::ast::ddl::{self, Ddl, DefaultDef};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::create::create_statements;
use orm_core::schema as models;
use orm_core::sql::{Dialect, Scope, column_sql, render_ddl, view_sql};

use crate::Backend;
use crate::introspect::parse;
use crate::schema::{
    Check, Column, Composite, Deferrable, Enum, Extension, Fill, ForeignKey, Function, Index, IndexPart, Key,
    Name, Schema, Table, Trigger, Unique, View, VirtualTable, action_of,
};

impl Schema {
    /// What `db.create_all(&models)` creates on a database of this dialect, and the extensions of PostgreSQL that the
    /// library's own types need (`citext`, `hstore`, `ltree`, `vector`), which `create_all` takes for granted. One that an
    /// [`OtherType`](orm_core::value::OtherType) needs is added to [`Schema::extensions`]; views that no model defines to
    /// [`Schema::views`].
    ///
    /// # Errors
    /// `Unsupported` for what the database has not: a `citext` column on SQLite.
    pub fn of_models(models: &models::Schema, dialect: &'static dyn Dialect) -> Result<Schema> {
        let mut reader = Reader {
            schema: Schema::default(),
            dialect,
        };
        for statement in create_statements(models, dialect.features()) {
            reader.read(statement)?;
        }
        if dialect.name() == Backend::Postgres.name() {
            reader.schema.extensions = extensions(&reader.schema.tables);
        }
        reader.schema.normalize();
        Ok(reader.schema)
    }
}

/// The extensions that the columns need.
fn extensions(tables: &[Table]) -> Vec<Extension> {
    let columns = tables.iter().flat_map(|t| &t.columns);
    let names: BTreeSet<&str> = columns.filter_map(|c| extension_of(&c.ty)).collect();
    let bare = |name: &str| Extension {
        name: name.to_owned(),
        schema: None,
    };
    names.into_iter().map(bare).collect()
}

/// The extension that has the type, for the types that the library knows: `vector(3)[]`.
pub(crate) fn extension_of(ty: &str) -> Option<&'static str> {
    match ty.split(['(', '[']).next().unwrap_or_default().trim() {
        "citext" => Some("citext"),
        "hstore" => Some("hstore"),
        "ltree" | "lquery" | "ltxtquery" => Some("ltree"),
        "vector" | "halfvec" | "sparsevec" => Some("vector"),
        _ => None,
    }
}

struct Reader {
    schema: Schema,
    dialect: &'static dyn Dialect,
}

impl Reader {
    fn read(&mut self, statement: Ddl) -> Result<()> {
        match statement {
            Ddl::CreateSchema(name) => self.schema.schemas.push(name),
            Ddl::CreateEnum { name, labels } => self.schema.enums.push(Enum {
                name: name.into(),
                labels,
                ..Enum::default()
            }),
            Ddl::CreateComposite { name, fields } => {
                let attribute = |(name, ty)| Ok((name, self.dialect.type_name(ty)?));
                let attributes = fields.into_iter().map(attribute).collect::<Result<_>>()?;
                self.schema.composites.push(Composite {
                    name: name.into(),
                    attributes,
                    ..Composite::default()
                });
            }
            Ddl::CreateTable(table) => {
                let table = self.table(table)?;
                self.schema.tables.push(table);
            }
            Ddl::CreateIndex(index) => {
                let nulls_low = self.dialect.features().nulls_low;
                let made = Index {
                    name: index.name,
                    unique: index.unique,
                    nulls_not_distinct: false,
                    method: index.method.map(str::to_owned),
                    parts: index.parts.into_iter().map(|p| part(p, nulls_low)).collect(),
                    include: index.include,
                    storage: index.storage,
                    filter: index.filter,
                    invalid: false,
                };
                let name = Name::from(index.table);
                match self.schema.views.iter_mut().find(|v| v.name == name) {
                    Some(view) => view.indexes.push(made),
                    None => self.table_named(&name)?.indexes.push(made),
                }
            }
            Ddl::AddForeignKey { table, key } => {
                let key = foreign_key(key)?;
                self.table_mut(table)?.foreign_keys.push(key);
            }
            Ddl::CreateRefusal(ref name) => self.function(name.clone(), &statement)?,
            Ddl::CreateRowFunction(ref trigger) => self.function(trigger.name.clone(), &statement)?,
            Ddl::CreateRowTrigger(ref trigger) => {
                let made = Trigger {
                    name: trigger.name.name.clone(),
                    definition: self.text(&statement)?,
                    ..Trigger::default()
                };
                self.table_mut(trigger.table.clone())?.triggers.push(made);
            }
            Ddl::CreateContext => {
                let text = self.text(&statement)?;
                self.schema.tables.push(parse::table(&text).ok_or_else(unknown)?);
            }
            Ddl::CreateSearch(table) => {
                let text = self.text(&statement)?;
                self.schema.virtual_tables.push(VirtualTable {
                    name: Name::new(table.search.name),
                    module: parse::module(&text).ok_or_else(unknown)?,
                });
            }
            Ddl::CreateSearchTrigger {
                ref name, ref search, ..
            } => {
                let trigger = Trigger {
                    name: name.clone(),
                    definition: self.text(&statement)?,
                    enabled: None,
                };
                let table = ddl::Name {
                    schema: None,
                    name: search.table.to_owned(),
                };
                self.table_mut(table)?.triggers.push(trigger);
            }
            Ddl::Refuse {
                ref name, ref table, ..
            } => {
                let trigger = Trigger {
                    name: name.clone(),
                    definition: self.text(&statement)?,
                    enabled: None,
                };
                self.table_mut(table.clone())?.triggers.push(trigger);
            }
            Ddl::CreateView(view) => {
                let query = view_sql(&view, self.dialect)?;
                self.schema.views.push(View {
                    name: view.name.into(),
                    materialized: view.materialized,
                    query,
                    ..View::default()
                });
            }
            Ddl::CommentView {
                name,
                materialized: _,
                text,
            } => {
                let name = Name::from(name);
                let view = self.schema.views.iter_mut().find(|v| v.name == name);
                view.ok_or_else(unknown)?.comment = Some(text);
            }
            Ddl::Comment { table, column, text } => {
                let table = self.table_mut(table)?;
                match column {
                    None => table.comment = Some(text),
                    Some(name) => {
                        let column = table.columns.iter_mut().find(|c| c.name == name);
                        column.ok_or_else(unknown)?.comment = Some(text);
                    }
                }
            }
            Ddl::DropEnum(_)
            | Ddl::DropTable(_)
            | Ddl::DropIndex(_)
            | Ddl::DropConstraint { .. }
            | Ddl::DropRefusal(_)
            | Ddl::DropRowFunction(_)
            | Ddl::DropView { .. }
            | Ddl::RefreshView { .. }
            | Ddl::DropSearch(_)
            | Ddl::DropContext => return Err(unknown()),
        }
        Ok(())
    }

    fn function(&mut self, name: ddl::Name, statement: &Ddl) -> Result<()> {
        let definition = self.text(statement)?;
        self.schema.functions.push(Function {
            name: name.into(),
            definition: definition.replacen("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1),
            ..Function::default()
        });
        Ok(())
    }

    fn text(&self, statement: &Ddl) -> Result<String> {
        let sql = render_ddl(statement, self.dialect, &Scope::default())?;
        Ok(sql.text.to_string())
    }

    fn table_mut(&mut self, name: ddl::Name) -> Result<&mut Table> {
        self.table_named(&Name::from(name))
    }

    fn table_named(&mut self, name: &Name) -> Result<&mut Table> {
        let mut tables = self.schema.tables.iter_mut();
        tables.find(|t| t.name == *name).ok_or_else(unknown)
    }

    fn table(&self, table: ddl::CreateTable) -> Result<Table> {
        let ddl::CreateTable {
            name,
            if_not_exists: _,
            columns,
            primary_key,
            uniques,
            checks,
            foreign_keys,
        } = table;
        let mut out = Table {
            name: name.into(),
            options: self.dialect.features().table_options.trim().to_owned(),
            ..Table::default()
        };
        for column in columns {
            let sql = column_sql(&column, self.dialect)?;
            out.checks.extend(sql.check.map(|condition| Check {
                condition,
                ..Check::default()
            }));
            out.columns.push(Column {
                name: column.name,
                ty: sql.ty,
                nullable: column.nullable,
                fill: match (column.generated, column.default, sql.default) {
                    (Some((sql, true)), ..) => Fill::Stored(sql),
                    (Some((sql, false)), ..) => Fill::Virtual(sql),
                    (None, DefaultDef::Identity, _) => Fill::Identity { always: false },
                    (None, _, Some(sql)) => Fill::Default(sql),
                    (None, _, None) => Fill::None,
                },
                ..Column::default()
            });
        }
        out.primary_key = primary_key.map(|(name, columns)| Key {
            name: Some(name),
            columns,
            ..Key::default()
        });
        out.uniques
            .extend(uniques.into_iter().map(|(name, columns)| Unique {
                name: Some(name),
                columns,
                ..Unique::default()
            }));
        out.checks
            .extend(checks.into_iter().map(|(name, condition)| Check {
                name: Some(name),
                condition,
                ..Check::default()
            }));
        for key in foreign_keys {
            out.foreign_keys.push(foreign_key(key)?);
        }
        Ok(out)
    }
}

fn foreign_key(key: ddl::ForeignKey) -> Result<ForeignKey> {
    let ddl::ForeignKey {
        name,
        columns,
        target,
        target_columns,
        on_delete,
        on_update,
        deferrable,
    } = key;
    Ok(ForeignKey {
        name: Some(name),
        columns,
        target: target.into(),
        target_columns,
        on_delete: action_of(on_delete).ok_or_else(unknown)?,
        on_update: action_of(on_update).ok_or_else(unknown)?,
        deferrable: deferrable.map(|deferred| match deferred {
            true => Deferrable::Deferred,
            false => Deferrable::Immediate,
        }),
        ..ForeignKey::default()
    })
}

/// An order of NULLs that the direction has by nature is not written down.
fn part(part: ddl::IndexPart, nulls_low: bool) -> IndexPart {
    let ddl::IndexPart {
        key,
        op_class,
        desc,
        nulls,
    } = part;
    let (key, expression) = match key {
        ddl::IndexKey::Column(name) => (name, false),
        ddl::IndexKey::Expression(sql) => (sql, true),
    };
    let first = match nulls {
        Nulls::Default => None,
        Nulls::First => Some(true),
        Nulls::Last => Some(false),
    };
    let by_nature = nulls_low != desc;
    IndexPart {
        key,
        expression,
        collation: None,
        op_class: op_class.map(str::to_owned),
        desc,
        nulls_first: first.filter(|first| *first != by_nature),
    }
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::Config,
        "the models' schema holds a statement that creates nothing",
    )
}
