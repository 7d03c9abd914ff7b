//! Running one migration: as one transaction with its row in the history where that is possible, in journalled parts
//! where it is not.

use std::time::{Duration, Instant};

use orm_core::error::{Error, ErrorKind};
use orm_core::value::{Timestamp, Type, Value};

use crate::backfill::{Backfill, Progress};
use crate::code::{self, Code};
use crate::dir::Body;
use crate::history::{self, Entry, Record, Status};
use crate::lock::jittered;
use crate::run::{At, Direction, Failure, Inside, Migrator, Ran, Result};
use crate::segments::{Cut, Segment, Step, Trace, Work, cut};
use crate::wire::{Wire, int};
use crate::{Backend, Migration};

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One migration under way.
struct Job<'r> {
    of: &'r Migrator,
    inside: &'r Inside,
    migration: &'r Migration,
    direction: Direction,
    checksum: String,
    /// What the history has to say when the first transaction begins.
    expected: Option<(String, i64)>,
    started: Instant,
    started_at: Timestamp,
    retries: u32,
}

/// An error, and the statement it came from.
struct Fault {
    error: Error,
    statement: Option<usize>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault {
            error,
            statement: None,
        }
    }
}

impl Migrator {
    pub(in crate::run) async fn apply(
        &self,
        inside: &Inside,
        migration: &Migration,
        direction: Direction,
        entry: Option<&Entry>,
    ) -> Result<Ran> {
        let mut job = Job {
            of: self,
            inside,
            migration,
            direction,
            checksum: migration.checksum(self.backend)?,
            expected: entry.map(|e| (e.status.name().to_owned(), e.step)),
            started: Instant::now(),
            started_at: Timestamp::now(),
            retries: 0,
        };
        tracing::info!(target: "orm::migrate", migration = %migration.label(), ?direction, "migration begins");
        let (done, total) = match (&migration.body, direction) {
            (Body::Sql { up, .. }, Direction::Up) => job.script(&cut(up, self.backend)?, entry).await?,
            (Body::Sql { down: Some(down), .. }, Direction::Down) => {
                job.script(&cut(down, self.backend)?, entry).await?
            }
            (Body::Sql { down: None, .. }, Direction::Down) => {
                return Err(Failure::refused(format!("{} has no way back", migration.label())));
            }
            (Body::Code(code), _) => job.code(code, entry).await?,
        };
        let took = job.started.elapsed();
        tracing::info!(target: "orm::migrate", migration = %migration.label(), ?direction, ?took, "migration done");
        Ok(Ran {
            version: migration.version,
            name: migration.name.clone(),
            direction,
            statements: total - done,
            resumed_at: (done > 0).then_some(done),
            retries: job.retries,
            took,
        })
    }
}

impl Job<'_> {
    fn wire(&self) -> &Wire {
        &self.inside.wire
    }
    fn postgres(&self) -> bool {
        self.of.backend == Backend::Postgres
    }
    /// How the history calls it while it is under way.
    fn under_way(&self) -> Status {
        match self.direction {
            Direction::Up => Status::Running,
            Direction::Down => Status::Reverting,
        }
    }
    fn finished(&self) -> Status {
        match self.direction {
            Direction::Up => Status::Done,
            Direction::Down => Status::RolledBack,
        }
    }
    fn record(&self, status: Status, step: usize) -> Record<'_> {
        Record {
            migration: self.migration,
            checksum: &self.checksum,
            parent: self.of.parents(self.migration),
            status,
            step,
            ms: Some(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)),
            started_at: self.started_at,
            error: None,
        }
    }
    async fn put(&self, status: Status, step: usize) -> Result<(), Error> {
        history::put(self.wire(), &self.of.signature, self.record(status, step)).await
    }

    /// Runs a script; gives back how many statements an earlier run had finished, and how many there are.
    async fn script(&mut self, cut: &Cut, entry: Option<&Entry>) -> Result<(usize, usize)> {
        let total = cut.steps.len();
        let resumes = |e: &Entry| match self.direction {
            Direction::Up => matches!(e.status, Status::Running | Status::Failed),
            Direction::Down => e.status == Status::Reverting,
        };
        let entry = entry.filter(|e| resumes(e));
        let done = entry.map_or(0, |e| usize::try_from(e.step).unwrap_or(0));
        if let Some(entry) = entry
            && done > 0
            && self.direction == Direction::Up
            && entry.checksum != self.checksum
        {
            return Err(Failure::drift(format!(
                "{} was changed after its first {done} statements had run: change it back, or finish by hand and call \
                 `repair`",
                self.migration.label()
            )));
        }
        let outcome = match cut.is_atomic() && done == 0 {
            true => self.whole(cut).await,
            false => {
                // one that failed has said so; one that was killed may have done more than it could note
                let killed = entry.is_some_and(|e| e.status != Status::Failed && e.error.is_none());
                self.parts(cut, done, killed).await
            }
        };
        if self.postgres() && self.wire().keeps_state() && cut.steps.iter().any(changes_settings) {
            // what a script sets is not for the next one
            self.wire().exec("RESET ALL", vec![]).await?;
        }
        match outcome {
            Ok(()) => Ok((done, total)),
            Err(fault) => Err(self.fail(fault, cut).await),
        }
    }

    /// Everything in one transaction.
    async fn whole(&mut self, cut: &Cut) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            let done = self.whole_once(cut).await;
            match done {
                Err(fault) if self.again(&fault.error, &mut tries).await => {}
                done => return done,
            }
        }
    }

    async fn whole_once(&mut self, cut: &Cut) -> Result<(), Fault> {
        let checks = self.open(cut).await?;
        let work = async {
            self.undisturbed().await?;
            self.together(cut, 0..cut.steps.len()).await?;
            self.references(cut).await?;
            self.put(self.finished(), cut.steps.len()).await?;
            Ok(())
        };
        let done: Result<(), Fault> = work.await;
        self.close(done, checks).await
    }

    /// Part by part, each noted when it is finished.
    async fn parts(&mut self, cut: &Cut, done: usize, killed: bool) -> Result<(), Fault> {
        let mut killed = killed;
        self.wire().begin().await?;
        let begun = async {
            self.undisturbed().await?;
            self.put(self.under_way(), done).await
        };
        let begun = begun.await;
        self.end(begun.map_err(Fault::from)).await?;
        for segment in &cut.segments {
            if segment.range().end <= done {
                continue;
            }
            let mut tries = 0;
            loop {
                let result = match segment {
                    Segment::Together(range) => self.part(cut, range.start.max(done)..range.end).await,
                    Segment::Alone(at) => self.alone(&cut.steps[*at], *at, killed).await,
                };
                match result {
                    Ok(()) => break,
                    Err(fault) if self.again(&fault.error, &mut tries).await => {}
                    Err(fault) => return Err(fault),
                }
            }
            killed = false;
        }
        self.wire().begin().await?;
        let ended = async {
            self.inside.lock.confirm(self.wire()).await?;
            self.put(self.finished(), cut.steps.len()).await
        };
        let ended = ended.await;
        self.end(ended.map_err(Fault::from)).await
    }

    async fn part(&mut self, cut: &Cut, range: std::ops::Range<usize>) -> Result<(), Fault> {
        let checks = self.open(cut).await?;
        let end = range.end;
        let work = async {
            self.inside.lock.confirm(self.wire()).await?;
            self.together(cut, range).await?;
            self.references(cut).await?;
            history::advance(self.wire(), self.migration.version, end, self.under_way()).await?;
            Ok(())
        };
        let done: Result<(), Fault> = work.await;
        self.close(done, checks).await
    }

    /// Statements inside the open transaction.
    async fn together(&self, cut: &Cut, range: std::ops::Range<usize>) -> Result<(), Fault> {
        let mut work = None;
        for at in range {
            let step = &cut.steps[at];
            if work != Some(step.work) {
                self.limit(step.work, true).await?;
                work = Some(step.work);
            }
            self.wire()
                .exec(&step.statement.text, vec![])
                .await
                .map_err(|error| Fault {
                    error,
                    statement: Some(at),
                })?;
        }
        Ok(())
    }

    /// One statement outside of any transaction. `killed`: it may have taken effect in a run that was killed.
    async fn alone(&self, step: &Step, at: usize, killed: bool) -> Result<(), Fault> {
        let fault = |error| Fault {
            error,
            statement: Some(at),
        };
        let effective = killed && self.took_effect(&step.trace).await?;
        if !effective {
            self.drop_invalid(&step.trace).await?;
            let limited = self.wire().keeps_state();
            if limited {
                self.limit(step.work, false).await?;
            }
            let done = self.wire().exec(&step.statement.text, vec![]).await;
            if limited && self.postgres() {
                self.unlimit(&done).await?;
            }
            if let Err(error) = done {
                if error.kind() != ErrorKind::ConnectionLost {
                    // left there, it would cost every write and serve no read
                    self.drop_invalid(&step.trace).await.map_err(fault)?;
                }
                return Err(fault(error));
            }
        }
        history::advance(self.wire(), self.migration.version, at + 1, self.under_way()).await?;
        Ok(())
    }

    async fn unlimit(&self, done: &Result<u64, Error>) -> Result<(), Error> {
        let lost = done
            .as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::ConnectionLost);
        if lost {
            return Ok(());
        }
        self.wire().exec("RESET lock_timeout", vec![]).await?;
        self.wire().exec("RESET statement_timeout", vec![]).await?;
        Ok(())
    }

    /// Sets the limits for a kind of work, until the transaction ends or for the session.
    async fn limit(&self, work: Work, local: bool) -> Result<(), Error> {
        if !self.postgres() {
            return Ok(());
        }
        let (lock, statement) = self.of.limits.settings(work);
        let text = format!(
            "SELECT set_config('lock_timeout', '{lock}', {local}), set_config('statement_timeout', '{statement}', {local})"
        );
        self.wire().exec(&text, vec![]).await.map(drop)
    }

    /// Whether a statement took effect in a run that was killed before it could say so.
    async fn took_effect(&self, trace: &Trace) -> Result<bool, Error> {
        let (query, params) = match trace {
            Trace::None => return Ok(false),
            Trace::IndexMade { index, table } => (
                "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                 WHERE i.indrelid = to_regclass($2) AND i.indisvalid AND c.relname = (parse_ident($1))[array_length(parse_ident($1), 1)]",
                vec![index, table],
            ),
            Trace::IndexGone { index } => ("SELECT (to_regclass($1) IS NULL)::int::int8", vec![index]),
            Trace::Label { of, label } => (
                "SELECT count(*) FROM pg_enum WHERE enumtypid = to_regtype($1) AND enumlabel = $2",
                vec![of, label],
            ),
        };
        let params = params.into_iter().map(|p| Value::Text(p.clone())).collect();
        let found = self.wire().rows(query, params, &[Type::I64]).await?;
        Ok(found.first().and_then(|r| int(&r[0])).is_some_and(|n| n > 0))
    }

    /// Drops what a failed `CREATE INDEX CONCURRENTLY` has left.
    async fn drop_invalid(&self, trace: &Trace) -> Result<(), Error> {
        let Trace::IndexMade { index, table } = trace else {
            return Ok(());
        };
        let query = "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_index i \
                     JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
                     WHERE i.indrelid = to_regclass($2) AND NOT i.indisvalid \
                     AND c.relname = (parse_ident($1))[array_length(parse_ident($1), 1)]";
        let params = vec![Value::Text(index.clone()), Value::Text(table.clone())];
        for row in self.wire().rows(query, params, &[Type::Text]).await? {
            if let Some(name) = crate::wire::text(&row[0]) {
                tracing::warn!(target: "orm::migrate", index = %name, "an invalid index is dropped");
                self.wire()
                    .exec(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"), vec![])
                    .await?;
            }
        }
        Ok(())
    }

    /// Opens a transaction, without checks of references where the script says so. SQLite listens to that outside of
    /// transactions only. Gives back whether checks are to be switched on again.
    async fn open(&self, cut: &Cut) -> Result<bool, Error> {
        let mut checks = false;
        if cut.foreign_keys_off {
            let found = self
                .wire()
                .rows("PRAGMA foreign_keys", vec![], &[Type::I64])
                .await?;
            checks = found.first().and_then(|r| int(&r[0])) == Some(1);
            self.wire().exec("PRAGMA foreign_keys = OFF", vec![]).await?;
        }
        self.wire().begin().await?;
        Ok(checks)
    }

    /// Ends the transaction, and switches the checks on again.
    async fn close(&self, done: Result<(), Fault>, checks: bool) -> Result<(), Fault> {
        let done = self.end(done).await;
        let lost = done
            .as_ref()
            .is_err_and(|f| f.error.kind() == ErrorKind::ConnectionLost);
        if checks && !lost {
            self.wire().exec("PRAGMA foreign_keys = ON", vec![]).await?;
        }
        done
    }

    async fn end(&self, done: Result<(), Fault>) -> Result<(), Fault> {
        match done {
            Ok(()) => self.wire().commit().await.map_err(Fault::from),
            Err(fault) => {
                // the first error is the one to tell; a session that cannot roll back is closed
                let _ = self.wire().rollback().await;
                Err(fault)
            }
        }
    }

    /// Looks for rows without what they refer to, before they are committed.
    async fn references(&self, cut: &Cut) -> Result<(), Fault> {
        if !cut.foreign_keys_off {
            return Ok(());
        }
        let query = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1";
        let found = self.wire().rows(query, vec![], &[Type::Text, Type::I64]).await?;
        if found.is_empty() {
            return Ok(());
        }
        let tables: Vec<String> = found
            .iter()
            .map(|r| {
                let table = crate::wire::text(&r[0]).unwrap_or_default();
                format!("{table} ({})", int(&r[1]).unwrap_or_default())
            })
            .collect();
        Err(Error::new(
            ErrorKind::ForeignKeyViolation,
            format!(
                "rows would refer to nothing, in: {}; nothing was kept",
                tables.join(", ")
            ),
        )
        .into())
    }

    /// Makes sure that nobody has touched this migration since the history was read.
    async fn undisturbed(&self) -> Result<(), Error> {
        self.inside.lock.confirm(self.wire()).await?;
        let now = history::state(self.wire(), self.migration.version).await?;
        match now == self.expected {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Stale,
                "the history was changed by somebody else while this migration waited",
            )),
        }
    }

    /// Whether to try again what did not get its lock; waits before it says so.
    async fn again(&mut self, error: &Error, tries: &mut u32) -> bool {
        let worth = error.is_retryable() && error.kind() != ErrorKind::ConnectionLost;
        if !worth || *tries >= self.of.limits.retries {
            return false;
        }
        let pause = self.of.limits.pause * 2u32.saturating_pow(*tries);
        tracing::warn!(target: "orm::migrate", migration = %self.migration.label(), %error, "tried again");
        tokio::time::sleep(jittered(pause.min(LONGEST_PAUSE))).await;
        *tries += 1;
        self.retries += 1;
        true
    }

    /// Writes down what went wrong, as far as that is possible still.
    async fn fail(&self, fault: Fault, cut: &Cut) -> Failure {
        let place = At {
            version: self.migration.version,
            name: self.migration.name.clone(),
            statement: fault.statement.map(|at| at + 1),
            line: fault.statement.map(|at| cut.steps[at].statement.line),
        };
        self.blame(&fault.error).await;
        let error = fault.error;
        Failure::new(crate::Outcome::Failed, error).at(place)
    }

    async fn blame(&self, error: &Error) {
        if error.kind() == ErrorKind::Stale {
            return;
        }
        let message = error.to_string();
        let version = self.migration.version;
        let noted = async {
            // a transaction may be open still, if its end failed
            self.wire().rollback().await?;
            let changed = match self.direction {
                Direction::Up => {
                    let from = [Status::Running, Status::Failed];
                    let mut changed = 0;
                    for from in from {
                        changed +=
                            history::blame(self.wire(), version, from, Status::Failed, &message).await?;
                    }
                    changed
                }
                Direction::Down => {
                    let mut changed = 0;
                    for from in [Status::Reverting, Status::Done] {
                        changed += history::blame(self.wire(), version, from, from, &message).await?;
                    }
                    changed
                }
            };
            if changed == 0 && self.direction == Direction::Up {
                let record = Record {
                    error: Some(message.clone()),
                    ..self.record(Status::Failed, 0)
                };
                history::put(self.wire(), &self.of.signature, record).await?;
            }
            Ok::<(), Error>(())
        };
        if let Err(e) = noted.await {
            tracing::debug!(target: "orm::migrate", error = %e, "the failure could not be written to the history");
        }
    }

    /// Runs code.
    async fn code(&mut self, code: &Code, entry: Option<&Entry>) -> Result<(usize, usize)> {
        let apply = match (code, self.direction) {
            (Code::Whole { up, .. }, Direction::Up) => up,
            (Code::Whole { down: Some(down), .. }, Direction::Down) => down,
            (Code::Whole { down: None, .. }, Direction::Down) => {
                return Err(Failure::refused(format!(
                    "{} has no way back",
                    self.migration.label()
                )));
            }
            (Code::Batches(backfill), Direction::Up) => return self.batches(backfill, entry).await,
            (Code::Batches(_), Direction::Down) => {
                // the rows stay as they are: what they were before is not known
                self.put(Status::RolledBack, 0).await?;
                return Ok((0, 0));
            }
        };
        let mut tries = 0;
        loop {
            let done = self.code_once(apply).await;
            match done {
                Err(fault) if self.again(&fault.error, &mut tries).await => {}
                Ok(()) => return Ok((0, 0)),
                Err(fault) => return Err(self.fail(fault, &Cut::default()).await),
            }
        }
    }

    async fn code_once(&self, apply: &code::Apply) -> Result<(), Fault> {
        self.wire().begin().await?;
        let work = async {
            self.undisturbed().await?;
            self.limit(Work::Data, true).await?;
            code::run(&self.wire().shared, self.of.db.dialect(), apply).await?;
            self.put(self.finished(), 0).await?;
            Ok(())
        };
        let done: Result<(), Fault> = work.await;
        self.end(done).await
    }

    async fn batches(&mut self, backfill: &Backfill, entry: Option<&Entry>) -> Result<(usize, usize)> {
        let entry = entry.filter(|e| matches!(e.status, Status::Running | Status::Failed));
        let mut cursor = entry.and_then(|e| e.cursor.clone());
        let before = entry.map_or(0, |e| usize::try_from(e.step).unwrap_or(0));
        self.wire().begin().await?;
        let begun = async {
            self.undisturbed().await?;
            history::put(
                self.wire(),
                &self.of.signature,
                self.record(Status::Running, before),
            )
            .await
        };
        let begun = begun.await;
        if let Err(fault) = self.end(begun.map_err(Fault::from)).await {
            return Err(self.fail(fault, &Cut::default()).await);
        }
        let mut tries = 0;
        let ahead = backfill
            .ahead(self.wire(), self.of.backend, cursor.as_deref())
            .await;
        let mut progress = Progress::start(ahead);
        loop {
            match self.batch(backfill, cursor.as_deref()).await {
                Ok(Some((at, rows))) => {
                    cursor = Some(at);
                    tries = 0;
                    progress.batch(rows, backfill.size(), self.started.elapsed());
                    backfill.tell(progress);
                    if !backfill.pause().is_zero() {
                        tokio::time::sleep(backfill.pause()).await;
                    }
                }
                Ok(None) => break,
                Err(fault) if self.again(&fault.error, &mut tries).await => {}
                Err(fault) => return Err(self.fail(fault, &Cut::default()).await),
            }
        }
        let batches = before + usize::try_from(progress.batches).unwrap_or(0);
        self.put(Status::Done, batches).await?;
        Ok((before, batches))
    }

    async fn batch(&self, backfill: &Backfill, cursor: Option<&str>) -> Result<Option<(String, u64)>, Fault> {
        self.wire().begin().await?;
        let work = async {
            self.inside.lock.confirm(self.wire()).await?;
            self.limit(Work::Data, true).await?;
            backfill
                .step(
                    self.wire(),
                    self.of.db.dialect(),
                    self.of.backend,
                    self.migration.version,
                    cursor,
                )
                .await
        };
        match work.await {
            Ok(found) => {
                self.wire().commit().await?;
                Ok(found)
            }
            Err(e) => {
                self.end(Err(e.into())).await?;
                Ok(None)
            }
        }
    }
}

/// Whether what a statement sets may outlive it.
fn changes_settings(step: &Step) -> bool {
    let text = step.statement.text.to_ascii_uppercase();
    text.starts_with("SET ") || text.contains("SET_CONFIG")
}
