//! Drift: what was changed in a database by hand, and how to bring both sides together again.
//!
//! ```
//! use orm::prelude::*;
//! use orm_migrate::drift::{Options, drift};
//! use orm_migrate::introspect::introspect;
//! use orm_migrate::Outcome;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let db = Db::connect("sqlite::memory:").await?;
//! sql!("create table users (id integer primary key)").exec(&db).await?;
//! let last = introspect(&db).await?; // or the last migration's snapshot
//! sql!("alter table users add column nick text").exec(&db).await?; // somebody's quick help
//!
//! let found = drift(&db, &last, None, &Options::default()).await?;
//! assert_eq!(found.outcome(), Outcome::Drift); // exit code 3
//! assert_eq!(found.by_hand[0].describe(), "add column users.nick");
//! assert_eq!(found.adopt.statements().next(), Some("ALTER TABLE \"users\" ADD COLUMN \"nick\" TEXT"));
//! assert_eq!(found.restore.statements().next(), Some("ALTER TABLE \"users\" DROP COLUMN \"nick\""));
//! # Ok::<(), orm::Error>(()) }).unwrap();
//! ```

mod words;

use std::fmt::Write as _;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Db;
use serde::Serialize;
use serde_json::{Value, json};

use crate::change::Change;
use crate::diff::{changes, denied, known};
use crate::introspect::{self, introspect_with};
use crate::plan::{Plan, Script, plan};
use crate::schema::{Schema, add_absent};
use crate::{Backend, Migration, Migrator, Outcome, snapshot};

pub use words::in_words_of;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The schemas (name spaces) of PostgreSQL, by their names; all of them when empty.
    pub schemas: Vec<String>,
    /// Objects that are nobody's concern: `name`, `schema.name`, with `*` for any characters. The library's own tables are
    /// left out by default.
    pub leave_out: Vec<String>,
    /// Whether objects that the snapshot does not know count as drift. Default yes; where several programs share a
    /// database, say no, or name theirs in `leave_out`.
    pub unknown_counts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            schemas: Vec::new(),
            leave_out: introspect::Options::default().leave_out,
            unknown_counts: true,
        }
    }
}

/// How a database differs from what migrations have left there, and from the models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// What was done by hand to objects of the snapshot: from the snapshot to the database.
    pub by_hand: Vec<Change>,
    /// Objects in the database that the snapshot does not know.
    pub unknown: Vec<Change>,
    /// What would make of the database what the models say: migrations that are to come, or to be written.
    pub models: Vec<Change>,
    /// The statements that undo what was done by hand. Unknown objects stay.
    pub restore: Script,
    /// The statements of a migration that does elsewhere what was done here by hand; here it is
    /// [stamped](crate::Migrator::stamp).
    pub adopt: Script,
    /// Objects whose texts could not be put into the database's words, so that they are compared as they are written.
    pub as_written: Vec<String>,
    /// Applied migrations without a snapshot behind the one that is compared with: what they did counts as done by hand.
    pub without_snapshot: Vec<String>,
    /// Whether unknown objects count.
    pub unknown_counts: bool,
}

impl Drift {
    /// Whether nobody has changed anything by hand.
    pub fn is_clean(&self) -> bool {
        self.by_hand.is_empty() && (self.unknown.is_empty() || !self.unknown_counts)
    }
    /// [`Drift`](Outcome::Drift) when somebody has, [`Pending`](Outcome::Pending) when only the models say otherwise,
    /// [`UpToDate`](Outcome::UpToDate) when all agree.
    pub fn outcome(&self) -> Outcome {
        match (self.is_clean(), self.models.is_empty()) {
            (false, _) => Outcome::Drift,
            (true, false) => Outcome::Pending,
            (true, true) => Outcome::UpToDate,
        }
    }
    /// Its exit code.
    pub fn exit_code(&self) -> u8 {
        self.outcome().exit_code()
    }
    /// As JSON: changes in words, scripts as lists of statements.
    ///
    /// # Errors
    /// `Encode` when it cannot be written, which no drift is known to cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.value())
            .map_err(|e| Error::new(ErrorKind::Encode, format!("the drift as JSON: {e}")))
    }
    fn value(&self) -> Value {
        let words = |changes: &[Change]| -> Vec<Value> {
            let described = |c: &Change| json!({"change": c.describe(), "loses": c.loses()});
            changes.iter().map(described).collect()
        };
        json!({
            "clean": self.is_clean(),
            "exit_code": self.exit_code(),
            "by_hand": words(&self.by_hand),
            "unknown": words(&self.unknown),
            "models": words(&self.models),
            "restore": self.restore.statements().collect::<Vec<_>>(),
            "restore_loses": self.restore.losses(),
            "adopt": self.adopt.statements().collect::<Vec<_>>(),
            "as_written": self.as_written,
            "without_snapshot": self.without_snapshot,
        })
    }
    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Drift\n");
        if self.is_clean() {
            out += "\nNobody has changed anything by hand.\n";
        }
        let mut list = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                _ = writeln!(out, "\n## {title}\n");
            }
            for line in lines {
                _ = writeln!(out, "{line}");
            }
        };
        let words = |changes: &[Change]| changes.iter().map(|c| format!("- {}", c.describe())).collect();
        let sql = |script: &Script| {
            let text = script.to_sql();
            text.lines().map(|line| format!("    {line}")).collect()
        };
        list("Done by hand", words(&self.by_hand));
        list("Not known to any migration", words(&self.unknown));
        list("To become what the models say", words(&self.models));
        list("To undo what was done by hand", sql(&self.restore));
        list("To do it elsewhere too, as a migration", sql(&self.adopt));
        let plain = |lines: &[String]| lines.iter().map(|l| format!("- {l}")).collect();
        list("Compared as written", plain(&self.as_written));
        list("Applied without a snapshot", plain(&self.without_snapshot));
        out
    }
}

impl Serialize for Drift {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// Compares a database with the schema that its last migration left (the snapshot), and with that of the models.
///
/// Both are put into the words of this database first, see [`in_words_of`]: on PostgreSQL they are created in a transaction
/// that is rolled back, which needs the right to create schemas. Nothing of it stays, and no table in use is locked.
/// What roles may do is compared where the snapshot says something about it.
///
/// # Errors
/// What [`introspect`](crate::introspect::introspect) says, and errors of the database.
pub async fn drift(db: &Db, last: &Schema, models: Option<&Schema>, options: &Options) -> Result<Drift> {
    let backend = Backend::of(db)?;
    let read = introspect::Options {
        schemas: options.schemas.clone(),
        leave_out: options.leave_out.clone(),
        grants: !last.grants.is_empty(),
    };
    let live = words::canonical(introspect_with(db, &read).await?, backend);
    let (last, mut as_written) = in_words_of(db, last).await?;
    let ours = known(&live, &last);
    let mut out = Drift {
        by_hand: changes(&last, &ours),
        unknown: changes(&ours, &live),
        restore: between(&last, &ours, backend)?.down,
        adopt: between(&last, &live, backend)?.up,
        unknown_counts: options.unknown_counts,
        ..Drift::default()
    };
    if let Some(models) = models {
        let (models, more) = in_words_of(db, models).await?;
        as_written.extend(more);
        // what neither knows is nobody's to drop
        let mut both = last.clone();
        merge(&mut both, &models);
        let mut from = known(&live, &both);
        from.grants.clear();
        let mut to = models;
        to.grants.clear();
        // what models cannot say they do not deny
        keep_unsaid(&from, &mut to);
        out.models = changes(&from, &to);
    }
    as_written.sort();
    as_written.dedup();
    out.as_written = as_written;
    Ok(out)
}

impl Migrator {
    /// [`drift`] from the snapshot of the last applied migration that has one; from an empty schema when there is none.
    ///
    /// ```no_run
    /// # async fn look(migrator: orm_migrate::Migrator) -> orm_migrate::Result<()> {
    /// let found = migrator.drift(None, &Default::default()).await?;
    /// println!("{}", found.to_markdown());
    /// std::process::exit(found.exit_code().into());
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`drift`], and when the history or a snapshot cannot be read.
    pub async fn drift(&self, models: Option<&Schema>, options: &Options) -> crate::Result<Drift> {
        let (last, without_snapshot) = self.last_snapshot().await?;
        let found = drift(self.db(), &last, models, options).await?;
        Ok(Drift {
            without_snapshot,
            ..found
        })
    }

    /// The schema that the last applied migration with a snapshot has left, and those behind it without one.
    pub(crate) async fn last_snapshot(&self) -> crate::Result<(Schema, Vec<String>)> {
        let now = self.applied_now().await?;
        let applied = |m: &&Migration| now.contains(&m.version);
        let order = self.graph().order().iter().rev();
        let order = order.filter_map(|version| self.migrations().get(*version));
        let mut without_snapshot = Vec::new();
        let mut last = Schema::default();
        for migration in order.filter(applied) {
            match &migration.snapshot {
                Some(text) => {
                    last = snapshot::read(text, Backend::of(self.db())?.name())?;
                    break;
                }
                // code and scripts about rows leave the schema as it is
                None if migration.up().is_some() && migration.header().kind == crate::Kind::Schema => {
                    without_snapshot.push(migration.label());
                }
                None => {}
            }
        }
        Ok((last, without_snapshot))
    }
}

fn between(from: &Schema, to: &Schema, backend: Backend) -> Result<Plan> {
    plan(from, to, &denied(from, to), backend)?.decided()
}

/// Names of both.
fn merge(into: &mut Schema, more: &Schema) {
    add_absent!(into, more; extensions);
    words::missing(more, into);
    for schema in &more.schemas {
        if !into.schemas.contains(schema) {
            into.schemas.push(schema.clone());
        }
    }
}

/// Models say nothing of extensions, domains, functions and the like unless somebody added them: where they have none of a
/// kind, the database's stay. Views stay that no model defines.
fn keep_unsaid(from: &Schema, to: &mut Schema) {
    macro_rules! unsaid {
        ($($field:ident),*) => {$(
            if to.$field.is_empty() {
                to.$field = from.$field.clone();
            }
        )*};
    }
    for table in &mut to.tables {
        let Some(found) = from.table(&table.name) else {
            continue;
        };
        if table.triggers.is_empty() {
            table.triggers.clone_from(&found.triggers);
        }
        if table.policies.is_empty() {
            table.policies.clone_from(&found.policies);
            table.row_security = found.row_security;
        }
        if table.exclusions.is_empty() {
            table.exclusions.clone_from(&found.exclusions);
        }
    }
    // models name those of their types only
    for it in &from.extensions {
        if !to.extensions.iter().any(|t| t.name == it.name) {
            to.extensions.push(it.clone());
        }
    }
    // and define some of the views
    for it in &from.views {
        if !to.views.iter().any(|t| t.name == it.name) {
            to.views.push(it.clone());
        }
    }
    to.normalize();
    unsaid!(schemas, domains, composites, sequences, virtual_tables, functions);
}
