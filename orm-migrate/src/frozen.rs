//! Changes of rows in Rust, written with models that are frozen: the source of such a migration, with the tables as the
//! last one left them, and whether its models are still what the schema is when it runs. Pure.

use std::path::{Path, PathBuf};

use orm_core::error::{Error, Result};
use orm_core::sql::Dialect;

use crate::dir::{create, label};
use crate::pull::{self, Pulled};
use crate::schema::{Name, Schema, Table};
use crate::{Backend, Draft, Graph, Header, Migration, Migrations, Phase, generate, snapshot};

/// A data migration that is about to be written to a file of Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The version: the time now, unless a migration is later.
    pub version: i64,
    /// What it does, in a few words.
    pub name: String,
    /// What it says about itself; of this, `why`, `phase`, `label` and `depends_on` are written.
    pub header: Header,
    /// The models of the tables.
    pub models: Pulled,
    /// The model whose rows it walks through in batches; without one, it is one transaction.
    pub walked: Option<String>,
}

/// A data migration with the models of these tables, or of all when none is named, as the last snapshot has them. It walks
/// through the rows of the first table that is named, in batches; with none named it is one transaction.
///
/// The models are those of [`pull::models`], in a module of the file: whatever becomes of the models of
/// the program, the migration stays what it was. What has to be written is its function, which refuses to run until then.
///
/// ```
/// use orm::prelude::*;
/// use orm_migrate::schema::{Name, Schema};
/// use orm_migrate::{Backend, Migrations, frozen, snapshot};
///
/// #[derive(Model)]
/// pub struct City { pub id: Id<City>, pub name: String }
///
/// let last = snapshot::write(&Schema::of_models(&orm::schema![City], &orm::sqlite::DIALECT)?, "sqlite");
/// let migrations = Migrations::of([("1_cities.sql", "CREATE TABLE cities (..);"), ("1_cities.snap.json", &last)])?;
/// let made = frozen::generate("shout", &migrations, &[Name::new("cities")], Backend::Sqlite)?;
/// assert!(made.source().contains("async fn batch(tx: &mut Tx, rows: Vec<frozen::City>) -> orm::Result<()> {"));
/// // made.write("migrations")? writes `migrations/20260131120000_shout.rs`
/// # Ok::<(), orm::Error>(())
/// ```
///
/// # Errors
/// `Config` when no migration has a snapshot, or the last cannot be read; while there are several heads; for a table that is
/// not there, is no model, or has a key of several columns and is to be walked through.
pub fn generate(name: &str, migrations: &Migrations, tables: &[Name], backend: Backend) -> Result<Frozen> {
    let Some(last) = generate::last(migrations, backend)? else {
        return Err(Error::config(
            "no migration has a snapshot, so it is not known what the tables are: `generate` writes them",
        ));
    };
    if let Some(missing) = tables.iter().find(|t| last.table(t).is_none()) {
        return Err(
            Error::config(format!("the last snapshot has no table {missing}")).with_table(&missing.name)
        );
    }
    let schema = only(last, |t| tables.is_empty() || tables.contains(&t.name));
    let idents = pull::names(&schema, backend);
    if let Some(none) = tables.iter().find(|t| !idents.contains_key(t)) {
        let why = "it has no primary key of its own";
        return Err(Error::config(format!("the table {none} is no model: {why}")).with_table(&none.name));
    }
    let walked = tables.first();
    if let Some(table) = walked.and_then(|t| schema.table(t))
        && let Some(key) = table.primary_key.as_ref().filter(|key| key.columns.len() != 1)
    {
        let columns = key.columns.join(", ");
        return Err(Error::config(format!(
            "rows are walked through along one column, and the key of {} is ({columns}): name another table first",
            table.name
        ))
        .with_table(&table.name.name)
        .with_columns(&key.columns));
    }
    let draft = Draft::new(name);
    let after = migrations.iter().next_back().map_or(1, |m| m.version + 1);
    let version = draft.version.max(after);
    Migration::sql(version, &draft.name, "", None)?; // for the rules about names
    Ok(Frozen {
        version,
        name: draft.name,
        header: Header::default(),
        walked: walked.and_then(|t| idents.get(t).cloned()),
        models: pull::models(&schema, backend),
    })
}

impl Frozen {
    /// The text of the file.
    pub fn source(&self) -> String {
        let Frozen { version, name, .. } = self;
        let header = header(&self.header);
        let (calls, uses) = match header.is_empty() {
            true => (String::new(), ""),
            false => (format!("\n        .with_header({header})"), "Header, Kind, "),
        };
        let phase = if self.header.phase.is_some() {
            ", Phase"
        } else {
            ""
        };
        let (first, make, function) = match &self.walked {
            Some(model) => (
                "Backfill, ",
                format!(
                    "    let work = Backfill::rows(|tx, rows: Vec<frozen::{model}>| Box::pin(batch(tx, rows))).batch(5000);\n    \
                     Ok(Migration::backfill({version}, {name:?}, work)?"
                ),
                format!(
                    "/// What becomes of some rows, in a transaction of their own. It is run again if that fails.\n\
                     async fn batch(tx: &mut Tx, rows: Vec<frozen::{model}>) -> orm::Result<()> {{\n    \
                     let _ = (tx, rows); // change them here: `row.update().set(|r| ..).save(tx).await?`\n"
                ),
            ),
            None => (
                "",
                format!("    Ok(Migration::code({version}, {name:?}, |tx| Box::pin(up(tx)))?"),
                "/// What becomes of the rows, in one transaction.\n\
                 async fn up(tx: &mut Tx) -> orm::Result<()> {\n    \
                 let _ = tx; // change them here: `frozen::…::query().all(tx).await?`\n"
                    .to_owned(),
            ),
        };
        let mut out = format!(
            "//! Data migration {}: `migrations.with({name}::migration()?)?` registers it.\n\n\
             use orm::migrate::{{{first}{uses}Migration{phase}}};\nuse orm::prelude::*;\n\n\
             /// The migration.\n///\n/// # Errors\n/// `Config` for a name that is not usable.\n\
             pub fn migration() -> orm::Result<Migration> {{\n{make}{calls}\n        .frozen(frozen::schema()))\n}}\n\n\
             {function}    Err(orm::Error::config(\"the data migration {name} is not written yet\"))\n}}\n\n\
             /// The tables as they were when this was written. They stay so, whatever becomes of the models of the program.\n\
             #[allow(dead_code)]\npub mod frozen {{\n",
            label(*version, name)
        );
        for line in self.models.source.lines() {
            match line.is_empty() {
                true => out.push('\n'),
                false => out.push_str(&format!("    {line}\n")),
            }
        }
        out.push_str("}\n");
        out
    }

    /// Writes the file, `20260131120000_what_it_does.rs`; one that is there is not overwritten. Beside the scripts it is in
    /// nobody's way: `#[path = "../migrations/20260131120000_what_it_does.rs"] mod what_it_does;` makes it a module.
    ///
    /// # Errors
    /// `Config` when it cannot be written.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<PathBuf> {
        let path = folder
            .as_ref()
            .join(format!("{}.rs", label(self.version, &self.name)));
        create(&path, &self.source())?;
        Ok(path)
    }
}

/// The header as Rust; nothing for an empty one.
fn header(header: &Header) -> String {
    let mut fields = Vec::new();
    let text = |name: &str, value: &String| format!("{name}: Some({value:?}.into())");
    fields.extend(header.why.as_ref().map(|why| text("why", why)));
    fields.extend(header.phase.map(|phase| {
        let phase = match phase {
            Phase::Expand => "Expand",
            Phase::Contract => "Contract",
        };
        format!("phase: Some(Phase::{phase})")
    }));
    fields.extend(header.label.as_ref().map(|label| text("label", label)));
    if !header.depends_on.is_empty() {
        fields.push(format!("depends_on: vec!{:?}", header.depends_on));
    }
    if fields.is_empty() {
        return String::new();
    }
    let fields = fields.join(", ");
    format!("Header {{ kind: Kind::Data, {fields}, ..Header::default() }}")
}

/// These tables, and the types that columns may have.
fn only(schema: Schema, wanted: impl Fn(&Table) -> bool) -> Schema {
    Schema {
        tables: schema.tables.into_iter().filter(|t| wanted(t)).collect(),
        enums: schema.enums,
        domains: schema.domains,
        ..Schema::default()
    }
}

/// Whether the frozen models of a migration are what the snapshot before it says.
pub(crate) fn check(
    migration: &Migration,
    migrations: &Migrations,
    graph: &Graph,
    dialect: &'static dyn Dialect,
) -> Result<()> {
    let Some(models) = &migration.frozen else {
        return Ok(());
    };
    let before = graph.ancestors(&[migration.version]);
    let order = graph.order().iter().rev().filter(|v| before.contains(v));
    let last = order
        .filter_map(|v| migrations.get(*v))
        .find_map(|m| m.snapshot.as_deref());
    let Some(last) = last else {
        return Err(Error::config(
            "no migration before it has a snapshot, so nobody knows whether its frozen models fit the schema",
        ));
    };
    let backend = Backend::named(dialect.name())?;
    let frozen = Schema::of_models(models, dialect)?;
    let there = only(snapshot::read(last, dialect.name())?, |t| {
        frozen.table(&t.name).is_some()
    });
    let (types, of_frozen) = (pull::types(&there, backend), pull::types(&frozen, backend));
    for table in &frozen.tables {
        let refuse = |columns: &[String], what: String| {
            let error = Error::config(format!(
                "its frozen models do not fit the schema that it runs on: {what}. Write it anew for that schema"
            ));
            Err(error.with_table(&table.name.name).with_columns(columns))
        };
        let Some(found) = there.table(&table.name) else {
            return refuse(&[], format!("there is no table {}", table.name));
        };
        for column in &table.columns {
            let called = format!("{}.{}", table.name, column.name);
            let own = [column.name.clone()];
            let Some(now) = found.column(&column.name) else {
                return refuse(&own, format!("there is no column {called}"));
            };
            // other words for what is read as the same are no other type
            let key = (table.name.clone(), column.name.clone());
            if now.ty != column.ty && types.get(&key) != of_frozen.get(&key) {
                return refuse(
                    &own,
                    format!(
                        "the column {called} is {}, and {} in the models",
                        now.ty, column.ty
                    ),
                );
            }
            let keys = table.primary_key.iter().flat_map(|k| &k.columns);
            if now.nullable != column.nullable && !keys.into_iter().any(|k| *k == column.name) {
                let said = |nullable| if nullable { "may be NULL" } else { "is never NULL" };
                let (now, models) = (said(now.nullable), said(column.nullable));
                return refuse(
                    &own,
                    format!("the column {called} {now}, and {models} in the models"),
                );
            }
        }
        let columns = |t: &Table| {
            t.primary_key
                .as_ref()
                .map(|k| k.columns.clone())
                .unwrap_or_default()
        };
        if columns(found) != columns(table) {
            return refuse(
                &columns(table),
                format!(
                    "the key of {} is ({}), and ({}) in the models",
                    table.name,
                    columns(found).join(", "),
                    columns(table).join(", ")
                ),
            );
        }
    }
    Ok(())
}
