//! Migrations as one script, for people who run SQL by hand: with transactions and the history's rows.

use std::collections::BTreeSet;

use crate::history::{self, HISTORY_TABLE};
use crate::run::{Direction, Failure, Migrator, Result};
use crate::segments::{Cut, Segment, cut};
use crate::{Backend, Graph, Limits, Migration, Migrations, Signature, Target};

impl Migrator {
    /// The SQL that brings a database from one [`Target`] to another, forwards or back, without asking a database.
    ///
    /// ```no_run
    /// # fn print(migrator: orm_migrate::Migrator) -> Result<(), orm_migrate::Failure> {
    /// println!("{}", migrator.script("base", "head")?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Usage` for code, which has no SQL, and for targets relative to a database.
    pub fn script(&self, from: &str, to: &str) -> Result<String> {
        let offline = Offline {
            migrations: &self.migrations,
            graph: &self.graph,
            backend: self.backend,
            limits: &self.limits,
            signature: &self.signature,
        };
        offline.script(from, to)
    }
}

/// The SQL that brings a database from one [`Target`] to another, forwards or back, for people who run it by hand: with
/// transactions and the history's rows. No database is needed, and none is asked.
///
/// ```
/// use orm_migrate::{Backend, Migrations, script};
/// let migrations = Migrations::of([("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);")])?;
/// let sql = script(&migrations, Backend::Sqlite, "base", "head")?;
/// assert!(sql.contains("BEGIN;\nCREATE TABLE users (id INTEGER PRIMARY KEY);\nINSERT INTO orm_migrations"));
/// # Ok::<(), orm_migrate::Failure>(())
/// ```
///
/// # Errors
/// `Usage` for code, which has no SQL, for targets relative to a database, and for files that do not agree with
/// `migrations.lock`.
pub fn script(migrations: &Migrations, backend: Backend, from: &str, to: &str) -> Result<String> {
    migrations.verify_chain(backend)?;
    let offline = Offline {
        migrations,
        graph: &Graph::of(migrations)?,
        backend,
        limits: &Limits::default(),
        signature: &Signature::here(),
    };
    offline.script(from, to)
}

/// Everything a script is made of.
struct Offline<'m> {
    migrations: &'m Migrations,
    graph: &'m Graph,
    backend: Backend,
    limits: &'m Limits,
    signature: &'m Signature,
}

impl Offline<'_> {
    fn script(&self, from: &str, to: &str) -> Result<String> {
        let (from, to) = (self.standing(from)?, self.standing(to)?);
        let up: Vec<i64> = self
            .graph
            .order()
            .iter()
            .copied()
            .filter(|v| to.contains(v) && !from.contains(v))
            .collect();
        let up = self.graph.chosen(up, &from);
        let down: Vec<i64> = self
            .graph
            .order()
            .iter()
            .rev()
            .copied()
            .filter(|v| from.contains(v) && !to.contains(v))
            .collect();
        let down = self.graph.chosen(down, &to);
        let mut text = String::new();
        if from.is_empty() && !up.is_empty() {
            text.push_str(&history::create_sql(HISTORY_TABLE, self.backend));
            text.push_str(";\n\n");
        }
        for version in down {
            self.write(&mut text, version, Direction::Down)?;
        }
        for version in up {
            self.write(&mut text, version, Direction::Up)?;
        }
        Ok(text)
    }

    /// What is applied in a database that stands at a target.
    fn standing(&self, target: &str) -> Result<BTreeSet<i64>> {
        let target: Target = target.parse()?;
        Ok(match &target {
            Target::Base => BTreeSet::new(),
            Target::Relative(_) => {
                return Err(Failure::usage(
                    "a script is from one migration to another: relative targets need a database",
                ));
            }
            Target::Head if self.graph.order().is_empty() => BTreeSet::new(),
            Target::Head | Target::Heads => self.graph.up(&BTreeSet::new(), &target)?.into_iter().collect(),
            Target::At { id, offset } => match self.graph.find(id, *offset)? {
                Some(version) => self.graph.ancestors(&[version]),
                None => BTreeSet::new(),
            },
        })
    }

    fn write(&self, text: &mut String, version: i64, direction: Direction) -> Result<()> {
        let Some(migration) = self.migrations.get(version) else {
            return Ok(());
        };
        let script = match direction {
            Direction::Up => migration.up(),
            Direction::Down => migration.down(),
        };
        let Some(script) = script else {
            return Err(Failure::usage(format!(
                "{} has no SQL for this way",
                migration.label()
            )));
        };
        let cut = cut(script, self.backend)?;
        let arrow = match direction {
            Direction::Up => "",
            Direction::Down => " (back)",
        };
        text.push_str(&format!("-- {}{arrow}\n", migration.label()));
        if cut.foreign_keys_off {
            text.push_str("PRAGMA foreign_keys = OFF;\n");
        }
        let mut noted = false;
        for (i, segment) in cut.segments.iter().enumerate() {
            let together = matches!(segment, Segment::Together(_));
            if together {
                text.push_str("BEGIN;\n");
                self.limit_lines(text, &cut, segment);
            }
            for step in &cut.steps[segment.range()] {
                text.push_str(&step.statement.text);
                text.push_str(";\n");
            }
            if together && i + 1 == cut.segments.len() {
                text.push_str(&self.note(migration, direction)?);
                noted = true;
            }
            if together {
                text.push_str("COMMIT;\n");
            }
        }
        if !noted {
            text.push_str(&self.note(migration, direction)?);
        }
        if cut.foreign_keys_off {
            text.push_str("PRAGMA foreign_key_check;\nPRAGMA foreign_keys = ON;\n");
        }
        text.push('\n');
        Ok(())
    }

    fn limit_lines(&self, text: &mut String, cut: &Cut, segment: &Segment) {
        if self.backend == Backend::Postgres
            && let Some(step) = cut.steps[segment.range()].first()
        {
            let (lock, statement) = self.limits.settings(step.work);
            text.push_str(&format!(
                "SET LOCAL lock_timeout = '{lock}';\nSET LOCAL statement_timeout = '{statement}';\n"
            ));
        }
    }

    /// The row in the history.
    fn note(&self, migration: &Migration, direction: Direction) -> Result<String> {
        let now = match self.backend {
            Backend::Postgres => "clock_timestamp()",
            Backend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z')",
        };
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        if direction == Direction::Down {
            return Ok(format!(
                "UPDATE {HISTORY_TABLE} SET status = 'rolled_back', finished_at = {now} WHERE id = {};\n",
                migration.version
            ));
        }
        let sum = migration.checksum(self.backend)?;
        let user = match self.backend {
            Backend::Postgres => "current_user".to_owned(),
            Backend::Sqlite => quoted(&self.signature.by),
        };
        Ok(format!(
            "INSERT INTO {HISTORY_TABLE} (id, parent, name, checksum, kind, status, step, started_at, finished_at, \"by\") \
             VALUES ({}, {}, {}, {}, {}, 'done', 0, {now}, {now}, {user}) ON CONFLICT (id) DO UPDATE SET \
             checksum = excluded.checksum, status = excluded.status, finished_at = excluded.finished_at;\n",
            migration.version,
            quoted(&self.graph.parents_text(migration.version)),
            quoted(&migration.name),
            quoted(&sum),
            quoted(migration.header().kind.name()),
        ))
    }
}
