//! The migrator: what is asked of it, what it checks first, and in which order it works. How one migration is run is in
//! `apply.rs`.

mod apply;
mod offline;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use orm_core::error::{Error, ErrorKind};
use orm_core::exec::Db;

use crate::dir::Body;
use crate::history::{self, Entry, Foreign, HISTORY_TABLE, Record, Signature, Status, has_table};
use crate::lock::Lock;
use crate::segments::{Segment, cut};
use crate::wire::Wire;
use crate::{Backend, Graph, Kind, Limits, Migration, Migrations, Phase, Target};

pub use report::{At, Direction, Failure, Outcome, Ran, Report, Result};

/// Applies and undoes migrations.
///
/// ```no_run
/// use orm_migrate::{Migrations, Migrator};
/// # async fn start(db: orm_core::exec::Db) -> orm_core::error::Result<()> {
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
}

/// A migration and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// What the history says; `None` when it was never begun.
    pub entry: Option<Entry>,
    /// Whether there is a file or code for it.
    pub known: bool,
    /// Whether its file was changed since it was applied.
    pub edited: bool,
}

impl State {
    /// Whether it is applied.
    pub fn is_applied(&self) -> bool {
        self.entry.as_ref().is_some_and(is_applied)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Not applied yet, in the order in which they will be.
    pub pending: Vec<i64>,
    /// Changed since they were applied.
    pub edited: Vec<i64>,
    /// Applied, and without a file, although later ones have one.
    pub missing: Vec<i64>,
    /// Applied by a newer program.
    pub unknown: Vec<i64>,
    /// Not applied, although some that follow them are.
    pub out_of_order: Vec<i64>,
    /// Begun and not finished, in either direction.
    pub unfinished: Vec<i64>,
    /// The last ones of the files; more than one when branches are not merged.
    pub heads: Vec<i64>,
}

impl Check {
    /// What a pipeline makes of it.
    pub fn outcome(&self) -> Outcome {
        if !self.edited.is_empty() || !self.missing.is_empty() || !self.out_of_order.is_empty() {
            Outcome::Drift
        } else if !self.unfinished.is_empty() {
            Outcome::Failed
        } else if !self.pending.is_empty() {
            Outcome::Pending
        } else {
            Outcome::UpToDate
        }
    }
    /// Its exit code.
    pub fn exit_code(&self) -> u8 {
        self.outcome().exit_code()
    }
}

/// One migration of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// The statements, those of one transaction together; empty for code.
    pub parts: Vec<Vec<String>>,
    /// What is lost for good.
    pub loses: Vec<String>,
    /// The digest that agrees to the loss, where nobody has yet.
    pub needs_acknowledgement: Option<String>,
}

/// What [`Migrator::repair`] mends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Files that were changed on purpose: their digests go to the history.
    Checksums,
    /// Rows of the history without a file: they are forgotten.
    Missing,
    /// An unfinished migration was finished by hand.
    Applied(i64),
    /// An unfinished migration was undone by hand.
    RolledBack(i64),
}

/// What was taken over from another tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The tool.
    pub from: Option<Foreign>,
    /// The versions that count as applied from now on.
    pub stamped: Vec<i64>,
    /// Versions it says were applied and that have no file.
    pub unknown: Vec<i64>,
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

    /// What a run would do. Nothing is changed, and no lock is taken.
    ///
    /// # Errors
    /// As [`to`](Self::to).
    pub async fn plan(&self, target: &str) -> Result<Vec<Planned>> {
        let target: Target = target.parse()?;
        let entries = history::read_if_there(self.db.driver(), self.backend).await?;
        self.survey(&entries, false)?;
        self.list(&entries, &Going::To(target))?
            .into_iter()
            .map(|(version, direction)| self.planned(version, direction))
            .collect()
    }

    /// All migrations, of the files and of the history, with how they stand.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub async fn status(&self) -> Result<Vec<State>> {
        let mut entries = history::read_if_there(self.db.driver(), self.backend).await?;
        let mut states = Vec::new();
        for version in self.graph.order().iter().chain(self.graph.repeatable()) {
            let Some(migration) = self.migrations.get(*version) else {
                continue;
            };
            let entry = entries.remove(version);
            states.push(State {
                version: *version,
                name: migration.name.clone(),
                edited: entry.as_ref().is_some_and(is_applied)
                    && self.is_edited(migration, entry.as_ref())?,
                entry,
                known: true,
            });
        }
        states.extend(entries.into_values().map(|entry| State {
            version: entry.version,
            name: entry.name.clone(),
            entry: Some(entry),
            known: false,
            edited: false,
        }));
        Ok(states)
    }

    /// The last applied migrations: one, unless branches are not merged.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub async fn current(&self) -> Result<Vec<i64>> {
        let entries = history::read_if_there(self.db.driver(), self.backend).await?;
        Ok(self.graph.current(&applied(&entries)))
    }
    /// The last migrations of the files: one, unless branches are not merged.
    pub fn heads(&self) -> Vec<i64> {
        self.graph.heads()
    }

    /// Whether the database is where the files are. Nothing is changed, and no lock is taken.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub async fn check(&self) -> Result<Check> {
        let entries = history::read_if_there(self.db.driver(), self.backend).await?;
        let mut check = self.compare(&entries)?;
        check.pending = self.graph.up(&applied(&entries), &Target::Heads)?;
        check.pending.extend(self.changed_repeatable(&entries)?);
        Ok(check)
    }

    /// Writes to the history that everything up to a [`Target`] is applied, and nothing behind it, and runs nothing: for
    /// a database that was made in another way. With `purge`, what the history says now is forgotten first.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn stamp(&self, target: &str, purge: bool) -> Result<Report> {
        let target: Target = target.parse()?;
        let inside = self.enter().await?;
        let done = self.stamp_inside(&inside, &target, purge).await;
        self.leave(inside, done).await
    }

    async fn stamp_inside(&self, inside: &Inside, target: &Target, purge: bool) -> Result<Vec<Ran>> {
        let wire = &inside.wire;
        let entries = history::read(wire).await?;
        let now = if purge { BTreeSet::new() } else { applied(&entries) };
        let wanted: BTreeSet<i64> = match target {
            Target::Base => BTreeSet::new(),
            Target::Head | Target::Heads => self.graph.up(&BTreeSet::new(), target)?.into_iter().collect(),
            Target::Relative(n) if *n < 0 => {
                let undone = self.graph.down(&now, target)?;
                now.iter().copied().filter(|v| !undone.contains(v)).collect()
            }
            Target::Relative(_) => {
                let more = self.graph.up(&now, target)?;
                now.iter().copied().chain(more).collect()
            }
            Target::At { id, offset } => match self.graph.find(id, *offset)? {
                Some(version) => self.graph.ancestors(&[version]),
                None => BTreeSet::new(),
            },
        };
        wire.begin().await?;
        let work = async {
            inside.lock.confirm(wire).await?;
            let mut ran = Vec::new();
            for entry in entries
                .values()
                .filter(|e| purge || self.graph.order().contains(&e.version))
            {
                if purge || !wanted.contains(&entry.version) {
                    history::forget(wire, entry.version).await?;
                }
            }
            for version in self
                .graph
                .order()
                .iter()
                .filter(|v| wanted.contains(v) && !now.contains(v))
            {
                ran.extend(self.stamped(wire, *version).await?);
            }
            Result::Ok(ran)
        };
        let done = work.await;
        match &done {
            Ok(_) => wire.commit().await?,
            Err(_) => wire.rollback().await?,
        }
        done
    }

    /// Writes that a migration is applied.
    async fn stamped(&self, wire: &Wire, version: i64) -> Result<Option<Ran>> {
        let Some(migration) = self.migrations.get(version) else {
            return Ok(None);
        };
        let checksum = migration.checksum(self.backend)?;
        let record = Record {
            migration,
            checksum: &checksum,
            parent: self.parents(migration),
            status: Status::Done,
            step: 0,
            ms: None,
            started_at: orm_core::value::Timestamp::now(),
            error: None,
        };
        history::put(wire, &self.signature, record).await?;
        Ok(Some(Ran {
            version,
            name: migration.name.clone(),
            direction: Direction::Up,
            statements: 0,
            resumed_at: None,
            retries: 0,
            took: Duration::ZERO,
        }))
    }

    /// Takes over the history of sqlx, diesel or SeaORM: what it says was applied counts as applied. Its table stays as
    /// it is.
    ///
    /// # Errors
    /// `Usage` when there is a history of our own already.
    pub async fn adopt(&self) -> Result<Adopted> {
        let inside = self.enter().await?;
        let mut adopted = Adopted::default();
        let done = self.adopt_inside(&inside, &mut adopted).await;
        self.leave(inside, done).await?;
        Ok(adopted)
    }

    async fn adopt_inside(&self, inside: &Inside, adopted: &mut Adopted) -> Result<Vec<Ran>> {
        let wire = &inside.wire;
        if !history::read(wire).await?.is_empty() {
            return Err(Failure::usage(format!(
                "`{HISTORY_TABLE}` has rows already: nothing is taken over on top of them"
            )));
        }
        let Some((foreign, versions)) = self.foreign_history(inside).await? else {
            return Ok(Vec::new());
        };
        adopted.from = Some(foreign);
        wire.begin().await?;
        for version in versions {
            match self.stamped(wire, version).await? {
                Some(_) => adopted.stamped.push(version),
                None => adopted.unknown.push(version),
            }
        }
        inside.lock.confirm(wire).await?;
        wire.commit().await?;
        Ok(Vec::new())
    }

    /// The first history of another tool that has rows.
    async fn foreign_history(&self, inside: &Inside) -> Result<Option<(Foreign, Vec<i64>)>> {
        let runner = inside.wire.runner(self.db.dialect());
        for foreign in Foreign::ALL {
            if has_table(&runner, self.backend, foreign.table()).await? {
                let versions = foreign.applied(&runner, self.backend).await?;
                if !versions.is_empty() {
                    return Ok(Some((foreign, versions)));
                }
            }
        }
        Ok(None)
    }

    /// Mends the history, after somebody has looked at the database; gives back the versions that were changed.
    ///
    /// # Errors
    /// `Usage` for a version that is not unfinished.
    pub async fn repair(&self, what: Repair) -> Result<Vec<i64>> {
        let inside = self.enter().await?;
        let mut changed = Vec::new();
        let done = self.repair_inside(&inside, what, &mut changed).await;
        self.leave(inside, done).await?;
        Ok(changed)
    }

    async fn repair_inside(&self, inside: &Inside, what: Repair, changed: &mut Vec<i64>) -> Result<Vec<Ran>> {
        let wire = &inside.wire;
        let entries = history::read(wire).await?;
        let check = self.compare(&entries)?;
        wire.begin().await?;
        inside.lock.confirm(wire).await?;
        match what {
            Repair::Checksums => {
                for version in check.edited {
                    if let Some(migration) = self.migrations.get(version) {
                        history::set_checksum(wire, version, &migration.checksum(self.backend)?).await?;
                        changed.push(version);
                    }
                }
            }
            Repair::Missing => {
                for version in check.missing {
                    history::forget(wire, version).await?;
                    changed.push(version);
                }
            }
            Repair::Applied(version) | Repair::RolledBack(version) => {
                let status = match what {
                    Repair::Applied(_) => Status::Done,
                    _ => Status::RolledBack,
                };
                let Some(entry) = entries.get(&version).filter(|e| is_unfinished(e)) else {
                    wire.rollback().await?;
                    return Err(Failure::usage(format!(
                        "{version} is not unfinished: nothing to repair"
                    )));
                };
                history::settle(wire, version, entry.status, status).await?;
                changed.push(version);
            }
        }
        wire.commit().await?;
        Ok(Vec::new())
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
        let unknown = self.survey(&entries, true)?;
        let list = self.list(&entries, going)?;
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
        let now = applied(entries);
        let up = |list: Vec<i64>| list.into_iter().map(|v| (v, Direction::Up));
        let down = |list: Vec<i64>| list.into_iter().map(|v| (v, Direction::Down));
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
            _ => self.graph.up(now, target)?,
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

    fn is_edited(&self, migration: &Migration, entry: Option<&Entry>) -> Result<bool> {
        let sum = migration.checksum(self.backend)?;
        Ok(entry.is_some_and(|e| e.checksum != sum))
    }

    /// What of the history and the files does not agree.
    fn compare(&self, entries: &BTreeMap<i64, Entry>) -> Result<Check> {
        let now = applied(entries);
        let last = self.migrations.iter().next_back().map_or(0, |m| m.version);
        let mut check = Check {
            out_of_order: self.graph.out_of_order(&now),
            heads: self.graph.heads(),
            ..Check::default()
        };
        for (version, entry) in entries {
            if is_unfinished(entry) {
                check.unfinished.push(*version);
            }
            match self.migrations.get(*version) {
                Some(m) if m.header().kind == Kind::Repeatable => {}
                Some(m) if is_applied(entry) && self.is_edited(m, Some(entry))? => {
                    check.edited.push(*version)
                }
                Some(_) => {}
                None if entry.status == Status::RolledBack => {}
                None if *version > last => check.unknown.push(*version),
                None => check.missing.push(*version),
            }
        }
        Ok(check)
    }

    /// Refuses to work on a history that does not agree with the files; gives back what a newer program applied.
    fn survey(&self, entries: &BTreeMap<i64, Entry>, strict: bool) -> Result<Vec<i64>> {
        let check = self.compare(entries)?;
        let names = |list: &[i64]| {
            let name = |v: &i64| {
                entries
                    .get(v)
                    .map(|e| &e.name)
                    .or(self.migrations.get(*v).map(|m| &m.name))
            };
            let all: Vec<String> = list
                .iter()
                .map(|v| format!("{v}_{}", name(v).map_or("", String::as_str)))
                .collect();
            all.join(", ")
        };
        if !strict {
            return Ok(check.unknown);
        }
        if !check.edited.is_empty() {
            return Err(Failure::drift(format!(
                "changed after they were applied: {}. Change them back and write a new migration; if the change is \
                 meant, call `repair(Repair::Checksums)`",
                names(&check.edited)
            )));
        }
        if !check.missing.is_empty() {
            return Err(Failure::drift(format!(
                "applied, and gone from the files: {}. Bring them back, or call `repair(Repair::Missing)`",
                names(&check.missing)
            )));
        }
        if !check.out_of_order.is_empty() && !self.out_of_order {
            return Err(Failure::drift(format!(
                "not applied, although later ones are: {}. Give them a version above the last one, or allow it \
                 (`allow_out_of_order`)",
                names(&check.out_of_order)
            )));
        }
        Ok(check.unknown)
    }

    /// Refuses to lose what nobody agreed to lose, and to undo what cannot be, before anything is run.
    fn approve(&self, list: &[(i64, Direction)]) -> Result<()> {
        for (version, direction) in list {
            let Some(migration) = self.migrations.get(*version) else {
                continue;
            };
            let label = migration.label();
            if *direction == Direction::Down && !has_way_back(migration) {
                let why = migration.header().irreversible.as_deref();
                return Err(Failure::refused(format!(
                    "{label} has no way back{}",
                    why.map(|w| format!(": {w}")).unwrap_or_default()
                )));
            }
            let planned = self.planned(*version, *direction)?;
            if let Some(digest) = planned.needs_acknowledgement {
                return Err(Failure::refused(format!(
                    "{label} loses: {}. Agree with `-- orm: acknowledge={digest}` above the script, or \
                     `allow_destructive(\"{digest}\")`",
                    planned.loses.join("; ")
                )));
            }
        }
        Ok(())
    }

    fn planned(&self, version: i64, direction: Direction) -> Result<Planned> {
        let mut planned = Planned {
            version,
            name: String::new(),
            direction,
            parts: Vec::new(),
            loses: Vec::new(),
            needs_acknowledgement: None,
        };
        let Some(migration) = self.migrations.get(version) else {
            return Ok(planned);
        };
        planned.name = migration.name.clone();
        let script = match direction {
            Direction::Up => migration.up(),
            Direction::Down => migration.down(),
        };
        let Some(script) = script else {
            return Ok(planned);
        };
        let within = |e: Error| Failure::usage(format!("{}: {}", migration.label(), e.message()));
        let cut = cut(script, self.backend).map_err(within)?;
        planned.parts = cut
            .segments
            .iter()
            .map(|s: &Segment| {
                cut.steps[s.range()]
                    .iter()
                    .map(|s| s.statement.text.clone())
                    .collect()
            })
            .collect();
        planned.loses = script.header.loses.clone();
        if let Some(digest) = script.acknowledgement(self.backend)? {
            let agreed =
                script.header.acknowledge.as_deref() == Some(&digest) || self.acknowledged.contains(&digest);
            planned.needs_acknowledgement = (!agreed).then_some(digest);
        }
        Ok(planned)
    }

    fn parents(&self, migration: &Migration) -> String {
        let list = self.graph.parents(migration.version);
        list.iter().map(i64::to_string).collect::<Vec<_>>().join("+")
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
fn has_way_back(migration: &Migration) -> bool {
    match &migration.body {
        Body::Sql { down, .. } => down.as_ref().is_some_and(|d| {
            d.text
                .lines()
                .any(|l| !l.trim().is_empty() && !l.trim().starts_with("--"))
        }),
        Body::Code(code) => code.has_way_back(),
    }
}
