//! The migrator: what is asked of it, what it checks first, and in which order it works. What it
//! finds out without changing anything is in `look.rs`, how one migration is run in `apply.rs`.

mod apply;
mod look;
mod mend;
mod offline;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use orm_core::error::ErrorKind;
use orm_core::exec::Db;

use crate::history::{self, Entry, HISTORY_TABLE, Signature, Status};
use crate::lock::Lock;
use crate::wire::Wire;
use crate::{Backend, Graph, Kind, Limits, Migration, Migrations, Phase, Target, lint};

pub use look::{Check, Planned, State};
pub use mend::{Adopted, Repair};
pub use offline::script;
pub use report::{At, Direction, Failure, Outcome, Ran, Report, Result};

/// Applies and undoes migrations.
///
/// ```no_run
/// use orm_migrate::{Migrations, Migrator};
/// # async fn start(db: orm_core::exec::Db) -> orm_migrate::Result<()> {
/// let migrator = Migrator::new(&db, Migrations::read("migrations")?)?;
/// let report = migrator.up().await?;
/// println!("{} migrations in {:?}", report.ran.len(), report.took);
/// # Ok(()) }
/// ```
///
/// Only one migrator works on a database at a time: the others wait, look again, and find nothing left to do. A
/// migration is one transaction with its row in the history, as far as its statements allow that; where they do not, each
/// finished part is noted, and a run that was killed goes on behind the last of them.
#[derive(Clone, Debug)]
pub struct Migrator {
    db: Db,
    migrations: Migrations,
    graph: Graph,
    backend: Backend,
    limits: Limits,
    lock_wait: Duration,
    signature: Signature,
    out_of_order: bool,
    acknowledged: Vec<String>,
    phase: Option<Phase>,
    kind: Option<Kind>,
    lint: Option<lint::Options>,
}

impl Migrator {
    /// For this database.
    ///
    /// # Errors
    /// `Config` when the files do not agree with `migrations.lock`, or follow each other in no order.
    pub fn new(db: &Db, migrations: Migrations) -> orm_core::error::Result<Self> {
        let backend = Backend::of(db)?;
        migrations.verify_chain(backend)?;
        Ok(Migrator {
            db: db.clone(),
            graph: Graph::of(&migrations)?,
            migrations,
            backend,
            limits: Limits::default(),
            lock_wait: Duration::from_secs(300),
            signature: Signature::here(),
            out_of_order: false,
            acknowledged: Vec::new(),
            phase: None,
            kind: None,
            lint: None,
        })
    }
    /// How long statements may wait and run.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
    /// How long another migrator is waited for. 5 minutes.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }
    /// Who runs them, for the history. The user and machine of the process.
    pub fn signature(mut self, signature: Signature) -> Self {
        self.signature = signature;
        self
    }
    /// Whether a migration may be applied after one that follows it. Default no.
    pub fn allow_out_of_order(mut self, allow: bool) -> Self {
        self.out_of_order = allow;
        self
    }
    /// Agrees to what the script with this digest loses; see [`Script::acknowledgement`](crate::Script::acknowledgement).
    pub fn allow_destructive(mut self, digest: &str) -> Self {
        self.acknowledged.push(digest.to_owned());
        self
    }
    /// Applies only what stands on this side of a deployment: `Expand` stops before what has to wait for the new
    /// program. Migrations without a phase belong to `Expand`.
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = Some(phase);
        self
    }
    /// Applies only migrations of this kind, up to the first that has to wait for one of another kind: for programs that
    /// change rows at another time than the schema.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }
    /// Refuses a run before it begins when a rule finds an error in a migration that is due, or in the folder, that
    /// nobody allowed: exit code 4. Default: the rules are not asked.
    pub fn lint(mut self, options: lint::Options) -> Self {
        self.lint = Some(options);
        self
    }
    /// The migrations it works with.
    pub fn migrations(&self) -> &Migrations {
        &self.migrations
    }
    pub(crate) fn db(&self) -> &Db {
        &self.db
    }
    /// What follows what.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Applies everything up to the head.
    ///
    /// # Errors
    /// A [`Failure`], with what had been applied before it.
    pub async fn up(&self) -> Result<Report> {
        match self.graph.order().is_empty() && self.graph.repeatable().is_empty() {
            true => Ok(Report::default()),
            false if self.graph.order().is_empty() => self.up_to("heads").await,
            false => self.up_to("head").await,
        }
    }
    /// Applies everything up to a [`Target`]. With `head` and `heads`, repeatable migrations that changed are run too.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn up_to(&self, target: &str) -> Result<Report> {
        let target: Target = target.parse()?;
        self.go(Going::Up(target)).await
    }
    /// Undoes what is behind a [`Target`]: `-1`, a version, `base`.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn down(&self, target: &str) -> Result<Report> {
        let target: Target = target.parse()?;
        self.go(Going::Down(target)).await
    }
    /// Goes to a [`Target`], forwards or back.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn to(&self, target: &str) -> Result<Report> {
        let target: Target = target.parse()?;
        self.go(Going::To(target)).await
    }
    /// Undoes the last migration and applies it again.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn redo(&self) -> Result<Report> {
        self.go(Going::Redo).await
    }

    async fn go(&self, going: Going) -> Result<Report> {
        let start = Instant::now();
        // Most starts of a program find nothing to do: they take no lock, and make no table.
        let entries = history::read_if_there(self.db.driver(), self.backend).await?;
        // What is wrong is told under the lock: another migrator may be at work just now.
        if !entries.is_empty()
            && let Ok(unknown) = self.survey(&entries, true)
            && self.list(&entries, &going).is_ok_and(|list| list.is_empty())
        {
            return Ok(Report {
                unknown,
                took: start.elapsed(),
                ..Report::default()
            });
        }
        let inside = self.enter().await?;
        let mut ran = Vec::new();
        let done = self.run_all(&inside, &going, &mut ran).await;
        let done = match done {
            Ok(unknown) => Ok(unknown),
            Err(failure) => Err(failure.after(ran.clone())),
        };
        let waited = inside.lock.waited;
        inside.close().await;
        Ok(Report {
            unknown: done?,
            ran,
            waited,
            took: start.elapsed(),
        })
    }

    async fn run_all(&self, inside: &Inside, going: &Going, ran: &mut Vec<Ran>) -> Result<Vec<i64>> {
        let entries = history::read(&inside.wire).await?;
        if entries.is_empty()
            && let Some((foreign, _)) = self.foreign_history(inside).await?
        {
            return Err(Failure::usage(format!(
                "this database has a history in `{}` and none of its own: call `adopt` first, or `stamp`",
                foreign.table()
            )));
        }
        self.settle_replaced(&inside.wire).await?;
        let entries = history::read(&inside.wire).await?;
        let unknown = self.survey(&entries, true)?;
        let list = self.list(&entries, going)?;
        self.thawed(&list)?;
        self.linted(&list)?;
        self.approve(&list)?;
        for (version, direction) in list {
            let Some(migration) = self.migrations.get(version) else {
                continue;
            };
            // A redo undoes what it then applies: its row is another one by then.
            let entry = match ran.is_empty() {
                true => entries.get(&version).cloned(),
                false => history::read_one(&inside.wire, version).await?,
            };
            let done = self.apply(inside, migration, direction, entry.as_ref()).await;
            let place = At {
                version,
                name: migration.name.clone(),
                statement: None,
                line: None,
            };
            ran.push(done.map_err(|f| f.at(place))?);
        }
        Ok(unknown)
    }

    /// What is run, in order.
    fn list(&self, entries: &BTreeMap<i64, Entry>, going: &Going) -> Result<Vec<(i64, Direction)>> {
        let there = applied(entries);
        let now = self.graph.with_replaced(there.clone());
        let up = |list: Vec<i64>| list.into_iter().map(|v| (v, Direction::Up));
        let whole = |version: i64| {
            let mut all = self.graph.replaced().filter(|(v, _)| *v == version);
            all.any(|(_, replaced)| replaced.iter().all(|v| self.migrations.get(*v).is_none()))
        };
        let down = |list: Vec<i64>| {
            // what only counts as applied has nothing to undo
            let list = list.into_iter().filter(|v| there.contains(v) || whole(*v));
            list.map(|v| (v, Direction::Down)).collect::<Vec<_>>().into_iter()
        };
        let behind = |target: &Target| match target {
            Target::At { id, offset } => match self.graph.find(id, *offset)? {
                Some(version) if now.contains(&version) && !there.contains(&version) => {
                    let part = self
                        .graph
                        .replaced()
                        .find(|(v, r)| there.contains(v) && r.contains(&version));
                    match part {
                        Some((one, _)) => Err(Failure::usage(format!(
                            "{version} was applied as a part of {one}: there is no way to the middle of it"
                        ))),
                        None => Ok(()),
                    }
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        if let Going::Down(target) | Going::To(target) = going {
            behind(target)?;
        }
        let list: Vec<(i64, Direction)> = match going {
            Going::Down(target) => down(self.graph.down(&now, target)?).collect(),
            Going::Redo => {
                let last = self.graph.down(&now, &Target::Relative(-1))?;
                down(last.clone()).chain(up(last)).collect()
            }
            Going::Up(target) => up(self.ahead(entries, &now, target)?).collect(),
            Going::To(target) => match target {
                Target::Base => down(self.graph.down(&now, target)?).collect(),
                Target::Relative(n) if *n < 0 => down(self.graph.down(&now, target)?).collect(),
                Target::At { id, offset } => {
                    let behind = match self.graph.find(id, *offset)? {
                        Some(version) => now.contains(&version),
                        None => true,
                    };
                    match behind {
                        true => down(self.graph.down(&now, target)?).collect(),
                        false => up(self.ahead(entries, &now, target)?).collect(),
                    }
                }
                Target::Head | Target::Heads | Target::Relative(_) => {
                    up(self.ahead(entries, &now, target)?).collect()
                }
            },
        };
        let goes_on = |e: &Entry| {
            let way = match e.status {
                Status::Reverting => Direction::Down,
                _ => Direction::Up,
            };
            list.contains(&(e.version, way))
        };
        if let Some(entry) = entries
            .values()
            .find(|e| is_unfinished(e) && e.step > 0 && !goes_on(e))
        {
            return Err(Failure::usage(format!(
                "{}_{} was left {}, {} statements in: finish that first, or call `repair` when that was done by hand",
                entry.version,
                entry.name,
                if entry.status == Status::Reverting {
                    "half undone"
                } else {
                    "half applied"
                },
                entry.step
            )));
        }
        Ok(list)
    }

    fn ahead(
        &self,
        entries: &BTreeMap<i64, Entry>,
        now: &BTreeSet<i64>,
        target: &Target,
    ) -> Result<Vec<i64>> {
        let mut list = match (target, self.graph.order().is_empty()) {
            (Target::Head, true) => Vec::new(),
            _ => self.graph.chosen(self.graph.up(now, target)?, &applied(entries)),
        };
        let excluded = |version: &i64| {
            let header = self.migrations.get(*version).map(Migration::header);
            let phase = header.and_then(|h| h.phase).unwrap_or(Phase::Expand);
            self.phase.is_some_and(|wanted| wanted != phase)
                || self
                    .kind
                    .is_some_and(|wanted| header.is_some_and(|h| h.kind != wanted))
        };
        let others: Vec<i64> = list.iter().copied().filter(excluded).collect();
        let waiting = self.graph.descendants(&others);
        list.retain(|v| !waiting.contains(v));
        if matches!(target, Target::Head | Target::Heads) {
            list.extend(
                self.changed_repeatable(entries)?
                    .into_iter()
                    .filter(|v| !excluded(v)),
            );
        }
        Ok(list)
    }

    fn changed_repeatable(&self, entries: &BTreeMap<i64, Entry>) -> Result<Vec<i64>> {
        let mut changed = Vec::new();
        for version in self.graph.repeatable() {
            if let Some(migration) = self.migrations.get(*version) {
                let entry = entries.get(version);
                let done = entry.is_some_and(|e| e.status == Status::Done);
                if !done || self.is_edited(migration, entry)? {
                    changed.push(*version);
                }
            }
        }
        Ok(changed)
    }

    fn parents(&self, migration: &Migration) -> String {
        self.graph.parents_text(migration.version)
    }

    /// A session with the lock, and the history's table.
    async fn enter(&self) -> Result<Inside> {
        let session = self.db.driver().session(None).await?;
        let wire = Wire::new(session, self.backend).await?;
        let lock = Lock::acquire(&self.db, &wire, self.backend, self.lock_wait)
            .await
            .map_err(|e| match e.kind() {
                ErrorKind::LockTimeout => Failure::new(Outcome::LockTimeout, e),
                _ => e.into(),
            })?;
        let table = wire.table(HISTORY_TABLE);
        let inside = Inside { wire, lock };
        match inside
            .wire
            .exec(&history::create_sql(&table, self.backend), vec![])
            .await
        {
            Ok(_) => Ok(inside),
            Err(e) => {
                inside.close().await;
                Err(e.into())
            }
        }
    }

    async fn leave(&self, inside: Inside, done: Result<Vec<Ran>>) -> Result<Report> {
        let waited = inside.lock.waited;
        inside.close().await;
        Ok(Report {
            ran: done?,
            waited,
            ..Report::default()
        })
    }
}

/// The session and the lock on it.
struct Inside {
    wire: Wire,
    lock: Lock,
}

impl Inside {
    async fn close(self) {
        // whatever an error left open
        let clean = self.wire.rollback().await.is_ok();
        if clean {
            self.lock.release(&self.wire).await;
        }
    }
}

/// Where a run goes.
enum Going {
    Up(Target),
    Down(Target),
    To(Target),
    Redo,
}

fn is_applied(entry: &Entry) -> bool {
    matches!(entry.status, Status::Done | Status::Reverting)
}
fn is_unfinished(entry: &Entry) -> bool {
    matches!(entry.status, Status::Running | Status::Failed | Status::Reverting)
}
fn applied(entries: &BTreeMap<i64, Entry>) -> BTreeSet<i64> {
    entries
        .values()
        .filter(|e| is_applied(e))
        .map(|e| e.version)
        .collect()
}
