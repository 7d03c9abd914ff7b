//! Before a run: everything that can be known about it without changing anything.
//!
//! [`Migrator::preflight`] asks whether files and history agree, whether somebody changed the schema by hand, what the rules
//! ([`lint`]) say of the migrations that are due, whether their constraints will fail on the rows that are there
//! ([`data`]), and what stands in the way: privileges, transactions that are open for long, standbys that lag, disk. And it
//! is the dry run: each statement with its lock, the size of its table, and how long it may take.

mod estimate;
mod server;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use orm_core::error::{Error, ErrorKind, Result as Plain};
use serde::Serialize;

use crate::data::{self, Checked};
use crate::diff::{Diff, diff};
use crate::drift::{self, Drift};
use crate::lint::{self, Folder, Lock, Work, described, lock_name, renames_in};
use crate::run::{Direction, Planned};
use crate::schema::Schema;
use crate::{Backend, Migration, Migrator, Outcome, Target, snapshot};

pub use estimate::{Estimate, Time};

/// What is looked at before a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the rules allow.
    pub lint: lint::Options,
    /// The schema of the models, for the rules about them and for drift.
    pub models: Option<Schema>,
    /// Whether the database is compared with the last snapshot, and how. Default not.
    pub drift: Option<drift::Options>,
    /// Whether new constraints are tried on the rows that are there, and how. Default yes.
    pub data: Option<data::Options>,
    /// Transactions that are open longer than this stand in the way. 10 s.
    pub long_transaction: Duration,
    /// A standby that is further behind than this is told of. 30 s.
    pub replication_lag: Duration,
    /// So many rows written by one statement are many. 10,000.
    pub many_rows: i64,
    /// Bytes that are free on the database's disk, where the caller knows: it is refused when they do not suffice.
    pub free_disk: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            lint: lint::Options::default(),
            models: None,
            drift: None,
            data: Some(data::Options::default()),
            long_transaction: Duration::from_secs(10),
            replication_lag: Duration::from_secs(30),
            many_rows: 10_000,
            free_disk: None,
        }
    }
}

/// What is known before a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Preflight {
    /// What would be run, in order, with what each statement may cost.
    pub migrations: Vec<Due>,
    /// What was looked at, and what came of it.
    pub notes: Vec<Note>,
    /// What the rules say of the migrations that are due, and of the folder.
    pub lint: Folder,
    /// New constraints, and how many rows break them.
    pub data: Vec<Checked>,
    /// How the database differs from the last snapshot, where that was asked for.
    pub drift: Option<Drift>,
    /// Bytes of disk that may be needed meanwhile, about.
    pub disk: i64,
}

/// A migration that would be run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Due {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether it would be undone.
    pub undone: bool,
    /// Its statements, those of one transaction together. None for code.
    pub parts: Vec<Vec<Estimate>>,
    /// What is lost for good.
    pub loses: Vec<String>,
    /// The digest that agrees to the loss, where nobody has yet.
    pub needs_acknowledgement: Option<String>,
}

/// How serious a [`Note`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// All is well.
    Fine,
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// The run would be refused, or fail.
    Stop,
    /// Files, history and database do not agree.
    Drift,
}

/// What came of one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What was looked at: `history`, `heads`, `lint`, `data`, `drift`, `privileges`, `open-transactions`, `replication`,
    /// `disk`, `batches`, `acknowledgement`, `invalid-indexes`, `standby`.
    pub check: &'static str,
    /// How serious it is.
    pub level: Level,
    /// In words.
    pub what: String,
}

impl Note {
    fn new(check: &'static str, level: Level, what: impl Into<String>) -> Self {
        Note {
            check,
            level,
            what: what.into(),
        }
    }
}

impl Preflight {
    /// Whether nothing stands in the way.
    pub fn may_run(&self) -> bool {
        self.notes.iter().all(|n| n.level < Level::Stop)
    }
    /// [`Drift`](Outcome::Drift) or [`Refused`](Outcome::Refused) when something stands in the way, else
    /// [`UpToDate`](Outcome::UpToDate): exit codes 3, 4 and 0.
    pub fn outcome(&self) -> Outcome {
        match self.notes.iter().map(|n| n.level).max() {
            Some(Level::Drift) => Outcome::Drift,
            Some(Level::Stop) => Outcome::Refused,
            _ => Outcome::UpToDate,
        }
    }
    /// Its exit code.
    pub fn exit_code(&self) -> u8 {
        self.outcome().exit_code()
    }
    /// As JSON.
    ///
    /// # Errors
    /// `Encode` when it cannot be written, which none is known to cause.
    pub fn to_json(&self) -> Plain<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Encode, format!("the preflight as JSON: {e}")))
    }
    /// As Markdown: what stands in the way first, then the statements.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Before the run\n\n");
        let mut notes: Vec<&Note> = self.notes.iter().collect();
        notes.sort_by_key(|n| std::cmp::Reverse(n.level));
        for note in notes {
            let level = match note.level {
                Level::Fine => "fine",
                Level::Info => "info",
                Level::Warning => "warning",
                Level::Stop => "**stop**",
                Level::Drift => "**drift**",
            };
            _ = writeln!(out, "- {level} `{}`: {}", note.check, note.what);
        }
        for due in &self.migrations {
            let back = if due.undone { " (undone)" } else { "" };
            _ = writeln!(out, "\n## {}_{}{back}\n", due.version, due.name);
            for lost in &due.loses {
                _ = writeln!(out, "Loses {lost}.\n");
            }
            if due.parts.is_empty() {
                _ = writeln!(out, "Code.");
            }
            let several = due.parts.len() > 1;
            for (i, part) in due.parts.iter().enumerate() {
                if several {
                    _ = writeln!(out, "Transaction {}:\n", i + 1);
                }
                for one in part {
                    _ = writeln!(out, "- {}", one.in_words());
                }
            }
            let findings = self.lint.files.iter().filter(|f| f.version == due.version);
            for finding in findings.flat_map(|f| &f.findings) {
                _ = writeln!(out, "{}", described(finding));
            }
        }
        if !self.lint.whole.is_empty() {
            out += "\n## All together\n\n";
        }
        for finding in &self.lint.whole {
            _ = writeln!(out, "{}", described(finding));
        }
        if let Some(drift) = self.drift.as_ref().filter(|d| !d.is_clean()) {
            out += "\n";
            out += &drift.to_markdown();
        }
        out
    }
}

impl Migrator {
    /// Everything that can be known about a run to a [`Target`] before it: what is due, what stands in the way, what
    /// it may cost. Nothing is changed, and no lock is kept.
    ///
    /// ```
    /// use orm::prelude::*;
    /// use orm_migrate::preflight::Options;
    /// use orm_migrate::{Migrations, Migrator};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let db = Db::connect("sqlite::memory:").await?;
    /// let migrations = Migrations::of([("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);")])?;
    /// let before = Migrator::new(&db, migrations)?.preflight("head", &Options::default()).await?;
    /// assert!(before.may_run());
    /// assert_eq!(before.migrations[0].parts[0][0].sql, "CREATE TABLE users (id INTEGER PRIMARY KEY)");
    /// println!("{}", before.to_markdown());
    /// # Ok::<(), orm_migrate::Failure>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// For a target that is not there, and when the database cannot be read.
    pub async fn preflight(&self, target: &str, options: &Options) -> crate::Result<Preflight> {
        let target: Target = target.parse()?;
        let backend = Backend::of(self.db())?;
        let (mut notes, planned) = self.due(target).await?;
        let folder = lint::folder(self.migrations(), options.models.as_ref(), backend, &options.lint)?;
        let ups: BTreeSet<i64> = planned
            .iter()
            .filter(|p| p.direction == Direction::Up)
            .map(|p| p.version)
            .collect();
        let folder = Folder {
            files: folder
                .files
                .into_iter()
                .filter(|f| ups.contains(&f.version))
                .collect(),
            whole: folder.whole,
        };
        notes.push(linted(&folder));
        let sizes = server::sizes(self.db(), backend).await?;
        let mut out = Preflight::default();
        for one in planned {
            let due = estimate::due(
                self.migrations().get(one.version),
                one,
                backend,
                &sizes,
                &options.lint,
            )?;
            out.migrations.push(due);
        }
        out.lint = folder;
        costs(&mut out, options, &mut notes);
        if let Some(how) = &options.data {
            let changes = self.changes(&ups, backend).await?;
            out.data = data::check_changes(self.db(), &changes, how).await?;
            notes.extend(rows(&out.data));
        }
        if let Some(how) = &options.drift {
            let found = self.drift(options.models.as_ref(), how).await?;
            notes.push(match found.is_clean() {
                true => Note::new("drift", Level::Fine, "nobody has changed the schema by hand"),
                false => {
                    let count = found.by_hand.len() + found.unknown.len();
                    Note::new(
                        "drift",
                        Level::Drift,
                        format!("{count} changes were made by hand"),
                    )
                }
            });
            out.drift = Some(found);
        }
        server::look(self.db(), backend, options, &out, &sizes, &mut notes).await?;
        out.notes = notes;
        Ok(out)
    }

    /// What is due, and whether files and history agree.
    async fn due(&self, target: Target) -> crate::Result<(Vec<Note>, Vec<Planned>)> {
        let mut notes = Vec::new();
        let check = self.check().await?;
        let named = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        for (list, level, what) in [
            (&check.edited, Level::Drift, "changed after they were applied"),
            (&check.missing, Level::Drift, "applied, and gone from the files"),
            (
                &check.out_of_order,
                Level::Drift,
                "not applied, although later ones are",
            ),
            (
                &check.unfinished,
                Level::Warning,
                "begun and not finished: the run goes on there",
            ),
            (&check.unknown, Level::Info, "applied by a newer program"),
        ] {
            if !list.is_empty() {
                notes.push(Note::new("history", level, format!("{what}: {}", named(list))));
            }
        }
        if notes.is_empty() {
            notes.push(Note::new("history", Level::Fine, "files and history agree"));
        }
        if check.heads.len() > 1 && target == Target::Head {
            let what = format!("there are several: {}", named(&check.heads));
            notes.push(Note::new("heads", Level::Stop, what));
            return Ok((notes, Vec::new()));
        }
        let nothing = self.graph().order().is_empty() && self.graph().repeatable().is_empty();
        let planned = if nothing {
            Vec::new()
        } else {
            self.plan_to(target).await?
        };
        for one in &planned {
            if let Some(digest) = &one.needs_acknowledgement {
                let what = format!(
                    "{}_{} loses {}: agree with `acknowledge={digest}`",
                    one.version,
                    one.name,
                    one.loses.join("; ")
                );
                notes.push(Note::new("acknowledgement", Level::Stop, what));
            }
        }
        Ok((notes, planned))
    }

    /// What the migrations that are due change, by their snapshots.
    async fn changes(
        &self,
        due: &BTreeSet<i64>,
        backend: Backend,
    ) -> crate::Result<Vec<crate::change::Change>> {
        let (mut before, _) = self.last_snapshot().await?;
        let mut out = Vec::new();
        let order = self.graph().order().iter().filter(|v| due.contains(v));
        for migration in order.filter_map(|v| self.migrations().get(*v)) {
            let Some(text) = &migration.snapshot else { continue };
            let after = snapshot::read(text, backend.name())?;
            out.extend(between(&before, &after, migration, backend)?);
            before = after;
        }
        Ok(out)
    }
}

/// The changes of a migration; its statements tell what it renames.
pub(crate) fn between(
    before: &Schema,
    after: &Schema,
    migration: &Migration,
    backend: Backend,
) -> Plain<Vec<crate::change::Change>> {
    let renames = match migration.up() {
        Some(up) => renames_in(up, before, after, backend)?,
        None => crate::diff::denied(before, after),
    };
    Ok(match diff(before, after, &renames) {
        Diff::Changes(changes) => changes,
        Diff::NeedsDecision(_) => crate::diff::changes(before, after),
    })
}

fn linted(folder: &Folder) -> Note {
    let (all, stops) = folder.findings().fold((0, 0), |(all, stops), (_, f)| {
        (all + 1, stops + usize::from(f.stops()))
    });
    match (stops, all) {
        (0, 0) => Note::new("lint", Level::Fine, "nothing was found"),
        (0, n) => Note::new(
            "lint",
            Level::Info,
            format!("{n} findings, none of them stops the run"),
        ),
        (n, _) => Note::new("lint", Level::Stop, format!("{n} errors that nobody allowed")),
    }
}

fn rows(found: &[Checked]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for one in found {
        if one.is_broken() {
            notes.push(Note::new("data", Level::Stop, one.to_string()));
        } else if one.rows.is_none() {
            notes.push(Note::new("data", Level::Warning, one.to_string()));
        }
    }
    if notes.is_empty() {
        let what = match found.len() {
            0 => "no constraint is new".to_owned(),
            1 => "one new constraint, and all rows keep it".to_owned(),
            n => format!("{n} new constraints, and all rows keep them"),
        };
        notes.push(Note::new("data", Level::Fine, what));
    }
    notes
}

/// What the statements cost: disk, and rows that are written in one piece.
fn costs(out: &mut Preflight, options: &Options, notes: &mut Vec<Note>) {
    for one in out.migrations.iter().flat_map(|due| due.parts.iter().flatten()) {
        out.disk += one.disk;
        if one.writes_rows && one.rows.is_some_and(|n| n > options.many_rows) {
            let what = format!(
                "{} may write {} rows in one statement: a `Backfill` writes them in batches",
                one.sql,
                one.rows.unwrap_or_default()
            );
            notes.push(Note::new("batches", Level::Warning, what));
        }
    }
    let needed = estimate::bytes(out.disk);
    notes.push(match options.free_disk {
        Some(free) if u64::try_from(out.disk).unwrap_or(0) > free => Note::new(
            "disk",
            Level::Stop,
            format!("about {needed} are needed meanwhile, and {free} bytes are free"),
        ),
        _ if out.disk == 0 => Note::new("disk", Level::Fine, "no table is written anew"),
        _ => Note::new(
            "disk",
            Level::Info,
            format!("about {needed} are needed meanwhile"),
        ),
    });
}

/// A lock in words, for a line about a statement.
fn lock_words(lock: Option<Lock>, work: Work) -> String {
    let Some(lock) = lock else {
        return "no lock on a table in use".to_owned();
    };
    let work = match work {
        Work::Catalogue => "for a moment",
        Work::Scan => "while rows are read",
        Work::Rewrite => "while rows are written",
    };
    format!("{} {work}", lock_name(lock))
}
