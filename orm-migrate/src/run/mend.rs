//! Changing the history without running a migration: stamps, histories of other tools, repairs.

use std::collections::BTreeSet;
use std::time::Duration;

use orm_core::value::Timestamp;

use crate::Target;
use crate::history::{self, Foreign, HISTORY_TABLE, Record, Status, has_table};
use crate::run::{Direction, Failure, Inside, Migrator, Ran, Report, Result, applied, is_unfinished};
use crate::wire::Wire;

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

    pub(in crate::run) async fn stamp_inside(
        &self,
        inside: &Inside,
        target: &Target,
        purge: bool,
    ) -> Result<Vec<Ran>> {
        let wire = &inside.wire;
        let entries = history::read(wire).await?;
        let there = if purge { BTreeSet::new() } else { applied(&entries) };
        let now = self.graph.with_replaced(there.clone());
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
            let order = self.graph.order().iter();
            let missing = order.filter(|v| wanted.contains(v) && !now.contains(v));
            for version in self.graph.chosen(missing.copied().collect(), &there) {
                ran.extend(self.stamped(wire, version).await?);
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

    /// Where a database has all that a migration replaces, and their files are gone, the history says so of that one.
    pub(in crate::run) async fn settle_replaced(&self, wire: &Wire) -> Result<()> {
        let entries = history::read(wire).await?;
        let now = applied(&entries);
        let gone = |replaced: &[i64]| replaced.iter().all(|v| self.migrations.get(*v).is_none());
        for (version, replaced) in self.graph.replaced() {
            let all = replaced.iter().all(|v| now.contains(v));
            if now.contains(&version) || !all || !gone(replaced) {
                continue;
            }
            wire.begin().await?;
            let work = async {
                for replaced in replaced {
                    history::forget(wire, *replaced).await?;
                }
                self.stamped(wire, version).await?;
                Result::Ok(())
            };
            match work.await {
                Ok(()) => wire.commit().await?,
                Err(failure) => {
                    wire.rollback().await?;
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// Writes that a migration is applied.
    pub(in crate::run) async fn stamped(&self, wire: &Wire, version: i64) -> Result<Option<Ran>> {
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
            started_at: Timestamp::now(),
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

    pub(in crate::run) async fn adopt_inside(
        &self,
        inside: &Inside,
        adopted: &mut Adopted,
    ) -> Result<Vec<Ran>> {
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
    pub(in crate::run) async fn foreign_history(
        &self,
        inside: &Inside,
    ) -> Result<Option<(Foreign, Vec<i64>)>> {
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

    pub(in crate::run) async fn repair_inside(
        &self,
        inside: &Inside,
        what: Repair,
        changed: &mut Vec<i64>,
    ) -> Result<Vec<Ran>> {
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
}
