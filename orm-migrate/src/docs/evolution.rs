//! How a schema has become what it is: for each table and column, which migration made it, changed it, renamed it, and
//! dropped it. Out of the snapshots beside the migrations; nothing is asked of a database.
//!
//! ```
//! use orm_migrate::docs::evolution::Evolution;
//! use orm_migrate::schema::{Column, Name, Schema, Table};
//! use orm_migrate::{Backend, Migrations, snapshot};
//!
//! let column = |name: &str| Column { name: name.into(), ty: "text".into(), ..Column::default() };
//! let users = |columns: &[&str]| Schema {
//!     tables: vec![Table {
//!         name: Name::new("users"),
//!         columns: columns.iter().map(|c| column(c)).collect(),
//!         ..Table::default()
//!     }],
//!     ..Schema::default()
//! };
//! let (one, two) = (snapshot::write(&users(&["nick"]), "sqlite"), snapshot::write(&users(&["name"]), "sqlite"));
//! let migrations = Migrations::of([
//!     ("1_users.sql", "CREATE TABLE users (nick text)"),
//!     ("1_users.snap.json", &one),
//!     ("2_names.sql", "-- orm: why=\"it is more than that\"\nALTER TABLE users RENAME nick TO name"),
//!     ("2_names.snap.json", &two),
//! ])?;
//! let all = Evolution::of(&migrations, Backend::Sqlite)?;
//! let name = all.table("users").unwrap().column("name");
//! let said: Vec<_> = name.iter().map(|e| (e.version, e.what.as_str())).collect();
//! assert_eq!(said, [(1, "create table users"), (2, "rename column users.nick to name")]);
//! # Ok::<(), orm_core::error::Error>(())
//! ```

use std::fmt::Write as _;

use orm_core::error::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::change::{Change, Commented, Constraint};
use crate::preflight::between;
use crate::schema::{Name, Schema};
use crate::{Backend, Graph, Migrations, snapshot};

/// The life of every table. Serialised as it stands, it is the JSON form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Evolution {
    /// The tables, those that are gone too, by their last names.
    pub tables: Vec<Life>,
    /// What happened to other objects: types, views, functions.
    pub others: Vec<Event>,
    /// Migrations without a snapshot, whose changes are those of the next one that has.
    pub without_snapshot: Vec<String>,
}

/// The life of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Life {
    /// Its name, the last one it had.
    pub table: String,
    /// What it was called before, the oldest name first.
    pub former: Vec<String>,
    /// Whether it was dropped.
    pub gone: bool,
    /// What happened to it, in order.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The version of the migration.
    pub version: i64,
    /// The migration.
    pub migration: String,
    /// What it did: `add column users.nick`.
    pub what: String,
    /// The columns that it is about, under the names they had afterwards.
    pub columns: Vec<String>,
    /// The column's name before, for a rename.
    pub renamed_from: Option<String>,
    /// The reason that the migration gives.
    pub why: Option<String>,
}

impl Evolution {
    /// Of all migrations in their order.
    ///
    /// # Errors
    /// `Config` for a snapshot or a graph that cannot be read.
    pub fn of(migrations: &Migrations, backend: Backend) -> Result<Self> {
        let graph = Graph::of(migrations)?;
        let mut out = Evolution::default();
        let mut before = Schema::default();
        // what stands for others tells what they have told
        let retold: Vec<i64> = graph
            .replaced()
            .filter(|(_, replaced)| replaced.iter().any(|v| migrations.get(*v).is_some()))
            .map(|(version, _)| version)
            .collect();
        let order = graph.order().iter().filter(|v| !retold.contains(v));
        for migration in order.filter_map(|v| migrations.get(*v)) {
            let Some(text) = &migration.snapshot else {
                if migration.up().is_some() && migration.header().kind == crate::Kind::Schema {
                    out.without_snapshot.push(migration.label());
                }
                continue;
            };
            let after = snapshot::read(text, backend.name())?;
            for change in between(&before, &after, migration, backend)? {
                let (columns, renamed_from) = columns(&change);
                let event = Event {
                    version: migration.version,
                    migration: migration.label(),
                    what: change.describe(),
                    columns,
                    renamed_from,
                    why: migration.header().why.clone(),
                };
                out.note(&change, event);
            }
            before = after;
        }
        out.tables.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(out)
    }

    fn note(&mut self, change: &Change, event: Event) {
        let Some(table) = table(change) else {
            self.others.push(event);
            return;
        };
        let called = table.to_string();
        let at = self.tables.iter().position(|t| t.table == called && !t.gone);
        let at = at.unwrap_or_else(|| {
            self.tables.push(Life {
                table: called,
                former: Vec::new(),
                gone: false,
                events: Vec::new(),
            });
            self.tables.len() - 1
        });
        let life = &mut self.tables[at];
        life.events.push(event);
        match change {
            Change::DropTable(_) | Change::DropVirtualTable(_) => life.gone = true,
            Change::RenameTable { to, .. } => {
                let old = std::mem::replace(&mut life.table, to.to_string());
                life.former.push(old);
            }
            _ => {}
        }
    }

    /// The life of the table of this name, the one that is there before those that are gone.
    pub fn table(&self, name: &str) -> Option<&Life> {
        let mut all = self.tables.iter().filter(|t| t.table == name);
        all.clone().find(|t| !t.gone).or_else(|| all.next_back())
    }

    /// As JSON.
    ///
    /// # Errors
    /// `Encode` when it cannot be written, which none is known to cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Encode, format!("the evolution as JSON: {e}")))
    }

    /// As Markdown: a list for each table.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# How the schema came about\n");
        for life in &self.tables {
            let gone = if life.gone { " (gone)" } else { "" };
            _ = writeln!(out, "\n## {}{gone}\n", life.table);
            if !life.former.is_empty() {
                _ = writeln!(out, "Formerly {}.\n", life.former.join(", then "));
            }
            list(&mut out, &life.events);
        }
        if !self.others.is_empty() {
            out += "\n## Other objects\n\n";
            list(&mut out, &self.others);
        }
        if !self.without_snapshot.is_empty() {
            _ = writeln!(
                out,
                "\nWithout a snapshot, so that what they changed stands with the next: {}.",
                self.without_snapshot.join(", ")
            );
        }
        out
    }
}

impl Life {
    /// What happened to a column, under all the names it has had: its last name is given.
    pub fn column(&self, name: &str) -> Vec<&Event> {
        let mut name = name.to_owned();
        let mut out: Vec<&Event> = Vec::new();
        for event in self.events.iter().rev() {
            if event.columns.contains(&name) {
                out.push(event);
                if let Some(from) = &event.renamed_from {
                    name.clone_from(from);
                }
            }
        }
        out.reverse();
        out
    }
}

fn list(out: &mut String, events: &[Event]) {
    let mut last = None;
    for event in events {
        if last != Some(event.version) {
            let why = event
                .why
                .as_ref()
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            _ = writeln!(out, "- {}{why}", event.migration);
        }
        last = Some(event.version);
        _ = writeln!(out, "  - {}", event.what);
    }
}

/// The table that a change is about, under the name it has before.
fn table(change: &Change) -> Option<&Name> {
    match change {
        Change::CreateTable(table) | Change::DropTable(table) => Some(&table.name),
        Change::CreateVirtualTable(table) | Change::DropVirtualTable(table) => Some(&table.name),
        Change::RenameTable { from, .. } => Some(from),
        Change::TableOptions { table, .. }
        | Change::Partition { table, .. }
        | Change::RowSecurity { table, .. }
        | Change::AddColumn { table, .. }
        | Change::DropColumn { table, .. }
        | Change::RenameColumn { table, .. }
        | Change::AlterColumn { table, .. }
        | Change::AddConstraint { table, .. }
        | Change::DropConstraint { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::ValidateConstraint { table, .. }
        | Change::CreateIndex { table, .. }
        | Change::DropIndex { table, .. }
        | Change::RenameIndex { table, .. }
        | Change::CreateTrigger { table, .. }
        | Change::DropTrigger { table, .. }
        | Change::CreatePolicy { table, .. }
        | Change::DropPolicy { table, .. } => Some(table),
        Change::Comment {
            on: Commented::Table(table) | Commented::Column(table, _),
            ..
        } => Some(table),
        _ => None,
    }
}

/// The columns of a constraint; a condition names others.
fn of(constraint: &Constraint) -> Vec<String> {
    match constraint {
        Constraint::PrimaryKey(key) => key.columns.clone(),
        Constraint::Unique(unique) => unique.columns.clone(),
        Constraint::ForeignKey(key) => key.columns.clone(),
        Constraint::Check(_) | Constraint::Exclusion(_) => Vec::new(),
    }
}

/// The columns that a change is about, and the name before for a rename.
fn columns(change: &Change) -> (Vec<String>, Option<String>) {
    let one = |name: &String| (vec![name.clone()], None);
    match change {
        Change::CreateTable(table) | Change::DropTable(table) => {
            (table.columns.iter().map(|c| c.name.clone()).collect(), None)
        }
        Change::AddColumn { column, .. } | Change::DropColumn { column, .. } => one(&column.name),
        Change::AlterColumn { to, .. } => one(&to.name),
        Change::RenameColumn { from, to, .. } => (vec![to.clone()], Some(from.clone())),
        Change::Comment {
            on: Commented::Column(_, column),
            ..
        } => one(column),
        Change::AddConstraint { constraint, .. } | Change::DropConstraint { constraint, .. } => {
            (of(constraint), None)
        }
        Change::CreateIndex { index, .. } | Change::DropIndex { index, .. } => {
            let parts = index.parts.iter().filter(|p| !p.expression);
            (parts.map(|p| p.key.clone()).collect(), None)
        }
        _ => (Vec::new(), None),
    }
}
