//! Looking without touching: how migrations stand, what does not agree, what a run would do, and what it must not do.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::error::Error;

use crate::code::Code;
use crate::dir::Body;
use crate::history::{self, Entry, Status};
use crate::run::{
    At, Direction, Failure, Going, Migrator, Outcome, Result, applied, is_applied, is_unfinished,
};
use crate::segments::{Segment, cut};
use crate::{Kind, Migration, Target, frozen};

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

impl Migrator {
    /// What a run would do. Nothing is changed, and no lock is taken.
    ///
    /// # Errors
    /// As [`to`](Self::to).
    pub async fn plan(&self, target: &str) -> Result<Vec<Planned>> {
        self.plan_to(target.parse()?).await
    }
    pub(crate) async fn plan_to(&self, target: Target) -> Result<Vec<Planned>> {
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
        Ok(self.graph.current(&self.graph.with_replaced(applied(&entries))))
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
        let now = applied(&entries);
        let pending = self
            .graph
            .up(&self.graph.with_replaced(now.clone()), &Target::Heads)?;
        check.pending = self.graph.chosen(pending, &now);
        check.pending.extend(self.changed_repeatable(&entries)?);
        Ok(check)
    }

    pub(in crate::run) fn is_edited(&self, migration: &Migration, entry: Option<&Entry>) -> Result<bool> {
        let sum = migration.checksum(self.backend)?;
        Ok(entry.is_some_and(|e| e.checksum != sum))
    }

    /// What of the history and the files does not agree.
    pub(in crate::run) fn compare(&self, entries: &BTreeMap<i64, Entry>) -> Result<Check> {
        let now = self.graph.with_replaced(applied(entries));
        let replaced: BTreeSet<i64> = self
            .graph
            .replaced()
            .filter(|(v, _)| now.contains(v))
            .flat_map(|(_, r)| r)
            .copied()
            .collect();
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
                // what stands for it counts as applied
                None if replaced.contains(version) => {}
                None if *version > last => check.unknown.push(*version),
                None => check.missing.push(*version),
            }
        }
        Ok(check)
    }

    /// Refuses to work on a history that does not agree with the files; gives back what a newer program applied.
    pub(in crate::run) fn survey(&self, entries: &BTreeMap<i64, Entry>, strict: bool) -> Result<Vec<i64>> {
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

    /// The versions that count as applied.
    pub(crate) async fn applied_now(&self) -> Result<BTreeSet<i64>> {
        let entries = history::read_if_there(self.db.driver(), self.backend).await?;
        Ok(self.graph.with_replaced(applied(&entries)))
    }

    /// Refuses what the rules find, where they are asked.
    pub(in crate::run) fn linted(&self, list: &[(i64, Direction)]) -> Result<()> {
        let Some(options) = &self.lint else { return Ok(()) };
        let found = crate::lint::folder(&self.migrations, None, self.backend, options)?;
        let due = |version: i64| list.contains(&(version, Direction::Up));
        let mut stops = found.findings().filter(|(file, finding)| {
            finding.stops() && file.is_none_or(|file| due(file.version)) && !list.is_empty()
        });
        let Some((file, finding)) = stops.next() else {
            return Ok(());
        };
        let more = match stops.count() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        let file = file.map_or("the folder", |f| f.file.as_str());
        Err(Failure::refused(format!(
            "{file}: {}, {}: {}{more}. Change it, or allow it with a reason above the statement: `-- orm: allow={}, \
             why=\"…\"`",
            finding.rule, finding.about, finding.why, finding.rule
        )))
    }

    /// Refuses code whose frozen models are not what the schema is by then.
    pub(in crate::run) fn thawed(&self, list: &[(i64, Direction)]) -> Result<()> {
        for (version, direction) in list {
            if let Some(migration) = self.migrations.get(*version) {
                if *direction == Direction::Down && matches!(migration.body, Body::Code(Code::Batches(_))) {
                    continue; // nothing is run then
                }
                let fits = frozen::check(migration, &self.migrations, &self.graph, self.db.dialect());
                fits.map_err(|e| {
                    Failure::new(Outcome::Refused, e).at(At {
                        version: *version,
                        name: migration.name.clone(),
                        statement: None,
                        line: None,
                    })
                })?;
            }
        }
        Ok(())
    }

    /// Refuses to lose what nobody agreed to lose, and to undo what cannot be, before anything is run.
    pub(in crate::run) fn approve(&self, list: &[(i64, Direction)]) -> Result<()> {
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

    pub(in crate::run) fn planned(&self, version: i64, direction: Direction) -> Result<Planned> {
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
