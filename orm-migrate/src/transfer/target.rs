//! The target's one session: rows in, and the journal beside them. Rows and what the journal says of them are one commit.

use std::collections::BTreeMap;

use orm_core::driver::{Discard, SavepointVerb, Session};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Db;
use orm_core::sql::{Effort, Sql};
use orm_core::value::{Type, Value};
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::sql::name;
use crate::transfer::convert::{Cell, Datum};
use crate::transfer::map::{Plan, Way};
use crate::transfer::read::{Texts, taken};
use crate::transfer::report::{Reason, Reject, RejectCount, Report};
use crate::transfer::sums::Sums;
use crate::words::quoted;

/// The journal: its tables lie in the target until [`forget`](crate::transfer::forget).
pub(super) const JOURNAL: &str = "orm_migration_transfer";
pub(super) const TABLES: &str = "orm_migration_transfer_tables";
pub(super) const REJECTS: &str = "orm_migration_transfer_rejects";

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Rows,
    Links,
    After,
    Finished,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Rows, Phase::Links, Phase::After, Phase::Finished];
    fn name(self) -> &'static str {
        match self {
            Phase::Rows => "rows",
            Phase::Links => "links",
            Phase::After => "after",
            Phase::Finished => "finished",
        }
    }
}

/// How a table stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) rejected: u64,
    pub(super) done: bool,
    pub(super) sums: Sums,
    pub(super) found: Vec<BTreeMap<String, u64>>,
    pub(super) rejects: Vec<RejectCount>,
}

impl Standing {
    pub(super) fn of(way: &Way) -> Self {
        Standing {
            sums: Sums::of(way.columns.len()),
            found: vec![BTreeMap::new(); way.columns.len()],
            ..Standing::default()
        }
    }
    pub(super) fn reject(&mut self, reject: &Reject) {
        self.rejected += 1;
        let same = |c: &&mut RejectCount| c.reason == reject.reason && c.column == reject.column;
        match self.rejects.iter_mut().find(same) {
            Some(count) => count.rows += 1,
            None => self.rejects.push(RejectCount {
                reason: reject.reason,
                column: reject.column.clone(),
                rows: 1,
            }),
        }
    }
}

/// What the journal says.
pub(super) struct Journal {
    pub(super) plan: Plan,
    pub(super) phase: Phase,
    /// Statements behind the rows that are done.
    pub(super) step: usize,
    pub(super) report: Option<Report>,
    /// Of each table how often its line was written, and its standing.
    pub(super) tables: Vec<(i64, Standing)>,
}

pub(super) struct Target {
    session: Box<dyn Session>,
    pub(super) backend: Backend,
}

impl Target {
    pub(super) async fn open(db: &Db, backend: Backend) -> Result<Self> {
        let session = db.driver().session(None).await?;
        let mut target = Target { session, backend };
        if backend == Backend::Sqlite {
            // rows come before those they refer to, and are looked at as a whole
            target.exec("PRAGMA foreign_keys = OFF", vec![]).await?;
        }
        Ok(target)
    }

    pub(super) async fn begin(&mut self) -> Result<()> {
        self.session.begin().await
    }
    pub(super) async fn commit(&mut self) -> Result<()> {
        self.session.commit().await
    }
    pub(super) async fn rollback(&mut self) -> Result<()> {
        self.session.rollback().await
    }
    /// Undoes the transaction after an error, which is given back.
    pub(super) async fn undone(&mut self, error: Error) -> Error {
        // what fails here is made good by the end of the session
        let _ = self.session.rollback().await;
        error
    }

    pub(super) async fn exec(&mut self, text: &str, params: Vec<Value>) -> Result<u64> {
        let done = self
            .session
            .run(statement(text, params, &[]), Box::new(Discard))
            .await?;
        Ok(done.affected)
    }

    pub(super) async fn texts(
        &mut self,
        text: &str,
        params: Vec<Value>,
        width: usize,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let types = vec![Type::Text; width];
        let sink = Box::new(Texts {
            width,
            rows: Vec::new(),
        });
        let done = self.session.run(statement(text, params, &types), sink).await?;
        Ok(taken::<Texts>(done.sink)?.rows)
    }

    pub(super) async fn run<S: orm_core::driver::Sink>(
        &mut self,
        text: &str,
        types: &[Type],
        sink: S,
    ) -> Result<Box<S>> {
        let mut sql = statement(text, vec![], types);
        sql.writes = true;
        let done = self.session.run(sql, Box::new(sink)).await?;
        taken::<S>(done.sink)
    }

    /// `$1` or `?1`.
    fn sign(&self, n: usize) -> String {
        match self.backend {
            Backend::Postgres => format!("${n}"),
            Backend::Sqlite => format!("?{n}"),
        }
    }
    /// The text with `{1}` … for its parameters.
    fn said(&self, text: &str) -> String {
        (1..=4).fold(text.to_owned(), |text, n| {
            text.replace(&format!("{{{n}}}"), &self.sign(n))
        })
    }

    pub(super) async fn journal(&mut self) -> Result<Option<Journal>> {
        if !self.has(JOURNAL).await? {
            return Ok(None);
        }
        let lost = || Error::new(ErrorKind::Corrupt, "the journal of the transfer cannot be read");
        let select = format!("SELECT plan, phase, CAST(step AS TEXT), report FROM {JOURNAL}");
        let rows = self.texts(&select, vec![], 4).await?;
        let row = rows.into_iter().next().ok_or_else(lost)?;
        let [plan, phase, step, report] = <[Option<String>; 4]>::try_from(row).map_err(|_| lost())?;
        let plan: Plan = serde_json::from_str(&plan.unwrap_or_default()).map_err(|_| lost())?;
        let phase = Phase::ALL
            .into_iter()
            .find(|p| Some(p.name()) == phase.as_deref())
            .ok_or_else(lost)?;
        let step = step.and_then(|s| s.parse().ok()).ok_or_else(lost)?;
        let report = match report {
            Some(text) => Some(serde_json::from_str(&text).map_err(|_| lost())?),
            None => None,
        };
        let select = format!("SELECT CAST(beat AS TEXT), state FROM {TABLES} ORDER BY tbl");
        let mut tables = Vec::new();
        for row in self.texts(&select, vec![], 2).await? {
            let [beat, state] = <[Option<String>; 2]>::try_from(row).map_err(|_| lost())?;
            let beat = beat.and_then(|b| b.parse().ok()).ok_or_else(lost)?;
            let state = serde_json::from_str(&state.unwrap_or_default()).map_err(|_| lost())?;
            tables.push((beat, state));
        }
        if tables.len() != plan.tables.len() {
            return Err(lost());
        }
        Ok(Some(Journal {
            plan,
            phase,
            step,
            report,
            tables,
        }))
    }

    async fn has(&mut self, table: &str) -> Result<bool> {
        let query = match self.backend {
            Backend::Postgres => format!("SELECT to_regclass('{table}')::text"),
            Backend::Sqlite => {
                format!("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name = '{table}'")
            }
        };
        let rows = self.texts(&query, vec![], 1).await?;
        Ok(rows.first().is_some_and(|r| r[0].is_some()))
    }

    /// Creates the journal and what the rows need, at once.
    pub(super) async fn start(&mut self, plan: &Plan) -> Result<Journal> {
        self.begin().await?;
        match self.started(plan).await {
            Ok(journal) => self.commit().await.map(|()| journal),
            Err(e) => Err(self.undone(e).await),
        }
    }

    async fn started(&mut self, plan: &Plan) -> Result<Journal> {
        let number = match self.backend {
            Backend::Postgres => "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            Backend::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        };
        for text in [
            format!(
                "CREATE TABLE {JOURNAL} (id BIGINT PRIMARY KEY, plan TEXT NOT NULL, phase TEXT NOT NULL, step BIGINT NOT NULL, \
                 report TEXT)"
            ),
            format!(
                "CREATE TABLE {TABLES} (tbl BIGINT PRIMARY KEY, beat BIGINT NOT NULL, state TEXT NOT NULL)"
            ),
            format!("CREATE TABLE {REJECTS} (n {number}, tbl BIGINT NOT NULL, line TEXT NOT NULL)"),
        ] {
            self.exec(&text, vec![]).await?;
        }
        // a table that is there already has to be empty: nothing could be told apart later
        for text in &plan.before {
            self.exec(text, vec![]).await?;
        }
        for way in &plan.tables {
            let some = format!("SELECT CAST(1 AS TEXT) FROM {} LIMIT 1", name(&way.target));
            if !self.texts(&some, vec![], 1).await?.is_empty() {
                let said = format!(
                    "the table {} of the target has rows already: a transfer fills empty tables",
                    way.target
                );
                return Err(Error::config(said).with_table(way.target.to_string()));
            }
        }
        let insert = self.said(&format!(
            "INSERT INTO {JOURNAL} (id, plan, phase, step) VALUES (1, {{1}}, {{2}}, 0)"
        ));
        let params = vec![Value::Text(text_of(plan)?), Value::Str(Phase::Rows.name())];
        self.exec(&insert, params).await?;
        let mut tables = Vec::new();
        for (i, way) in plan.tables.iter().enumerate() {
            let standing = Standing::of(way);
            let insert = self.said(&format!(
                "INSERT INTO {TABLES} (tbl, beat, state) VALUES ({{1}}, 0, {{2}})"
            ));
            self.exec(
                &insert,
                vec![Value::I64(i as i64), Value::Text(text_of(&standing)?)],
            )
            .await?;
            tables.push((0, standing));
        }
        Ok(Journal {
            plan: plan.clone(),
            phase: Phase::Rows,
            step: 0,
            report: None,
            tables,
        })
    }

    /// Inside a transaction: makes sure that nobody else goes on with this table, and keeps it so until the end.
    pub(super) async fn claim(&mut self, table: usize, beat: i64) -> Result<()> {
        let text = self.said(&format!(
            "UPDATE {TABLES} SET beat = beat + 1 WHERE tbl = {{1}} AND beat = {{2}}"
        ));
        let done = self
            .exec(&text, vec![Value::I64(table as i64), Value::I64(beat)])
            .await?;
        one(done)
    }
    pub(super) async fn note(&mut self, table: usize, standing: &Standing) -> Result<()> {
        let text = self.said(&format!("UPDATE {TABLES} SET state = {{1}} WHERE tbl = {{2}}"));
        self.exec(
            &text,
            vec![Value::Text(text_of(standing)?), Value::I64(table as i64)],
        )
        .await
        .map(drop)
    }
    /// Inside a transaction: the next phase or step, unless somebody else was there.
    pub(super) async fn go_on(&mut self, from: (Phase, usize), to: (Phase, usize)) -> Result<()> {
        let text = self.said(&format!(
            "UPDATE {JOURNAL} SET phase = {{1}}, step = {{2}} WHERE phase = {{3}} AND step = {{4}}"
        ));
        let params = vec![
            Value::Str(to.0.name()),
            Value::I64(to.1 as i64),
            Value::Str(from.0.name()),
            Value::I64(from.1 as i64),
        ];
        let done = self.exec(&text, params).await?;
        one(done)
    }
    pub(super) async fn finish(&mut self, step: usize, report: &Report) -> Result<()> {
        let text = self.said(&format!(
            "UPDATE {JOURNAL} SET phase = {{1}}, report = {{2}} WHERE phase = {{3}} AND step = {{4}}"
        ));
        let params = vec![
            Value::Str(Phase::Finished.name()),
            Value::Text(text_of(report)?),
            Value::Str(Phase::After.name()),
            Value::I64(step as i64),
        ];
        let done = self.exec(&text, params).await?;
        one(done)
    }
    pub(super) async fn forget(&mut self) -> Result<()> {
        self.begin().await?;
        for table in [REJECTS, TABLES, JOURNAL] {
            if let Err(e) = self.exec(&format!("DROP TABLE IF EXISTS {table}"), vec![]).await {
                return Err(self.undone(e).await);
            }
        }
        self.commit().await
    }

    pub(super) async fn keep_rejects(&mut self, table: usize, rejects: &[Reject]) -> Result<()> {
        for some in rejects.chunks(200) {
            let mut params = Vec::with_capacity(some.len() * 2);
            let mut rows = Vec::with_capacity(some.len());
            for reject in some {
                params.push(Value::I64(table as i64));
                // no text of PostgreSQL holds NUL, and in JSON it is an escape
                params.push(Value::Text(text_of(reject)?));
                rows.push(format!(
                    "({}, {})",
                    self.sign(params.len() - 1),
                    self.sign(params.len())
                ));
            }
            let text = format!("INSERT INTO {REJECTS} (tbl, line) VALUES {}", rows.join(", "));
            self.exec(&text, params).await?;
        }
        Ok(())
    }
    /// Lines of rejects behind this one, with their numbers.
    pub(super) async fn rejects(&mut self, behind: i64) -> Result<Vec<(i64, String)>> {
        let text = self.said(&format!(
            "SELECT CAST(r.n AS TEXT), r.line FROM {REJECTS} AS r WHERE r.n > {{1}} ORDER BY r.n LIMIT 1000"
        ));
        let rows = self.texts(&text, vec![Value::I64(behind)], 2).await?;
        let one = |row: Vec<Option<String>>| {
            let mut row = row.into_iter().flatten();
            Some((row.next()?.parse().ok()?, row.next()?))
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }

    /// Writes rows inside the open transaction, all but those that the database refuses: these are found by halving, and come
    /// back with the reason. The order of rows is kept, so that the first of two equal ones stays.
    pub(super) async fn write(&mut self, way: &Way, rows: &[Vec<Datum>]) -> Result<Vec<(usize, Error)>> {
        let mut refused = Vec::new();
        // the parts that are still to be sent, the first of them last
        let mut open = vec![(0, rows.len())];
        while let Some((start, end)) = open.pop() {
            if start == end {
                continue;
            }
            self.session.savepoint(1, SavepointVerb::Set).await?;
            match self.send(way, &rows[start..end]).await {
                Ok(()) => self.session.savepoint(1, SavepointVerb::Release).await?,
                Err(error) if refuses_data(&error) => {
                    self.session.savepoint(1, SavepointVerb::Undo).await?;
                    if end - start == 1 {
                        refused.push((start, error));
                        continue;
                    }
                    let half = start + (end - start) / 2;
                    open.push((half, end));
                    open.push((start, half));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn send(&mut self, way: &Way, rows: &[Vec<Datum>]) -> Result<()> {
        let columns: Vec<String> = way.columns.iter().map(|c| quoted(&c.target)).collect();
        match self.backend {
            Backend::Postgres => {
                let text = format!("COPY {} ({}) FROM STDIN", name(&way.target), columns.join(", "));
                let mut data = Vec::new();
                for row in rows {
                    for (i, datum) in row.iter().enumerate() {
                        if i > 0 {
                            data.push(b'\t');
                        }
                        copied(datum, &mut data);
                    }
                    data.push(b'\n');
                }
                self.session.copy_in(text.into(), data).await.map(drop)
            }
            Backend::Sqlite => {
                let most = (30_000 / columns.len().max(1)).clamp(1, 500);
                for some in rows.chunks(most) {
                    let mut params = Vec::with_capacity(some.len() * columns.len());
                    let mut list = Vec::with_capacity(some.len());
                    for row in some {
                        let mut signs = Vec::with_capacity(row.len());
                        for datum in row {
                            let (value, is_text) = bound(datum);
                            params.push(value);
                            signs.push(match is_text {
                                true => format!("CAST(?{} AS TEXT)", params.len()),
                                false => format!("?{}", params.len()),
                            });
                        }
                        list.push(format!("({})", signs.join(", ")));
                    }
                    let text = format!(
                        "INSERT INTO {} ({}) VALUES {}",
                        name(&way.target),
                        columns.join(", "),
                        list.join(", ")
                    );
                    self.exec(&text, params).await?;
                }
                Ok(())
            }
        }
    }
}

fn statement(text: &str, params: Vec<Value>, columns: &[Type]) -> Sql {
    Sql {
        text: text.into(),
        params,
        columns: columns.into(),
        effort: Effort::Long,
        writes: columns.is_empty(),
        operation: "TRANSFER",
        target: None,
        sensitive: true,
        site: None,
    }
}

fn one(done: u64) -> Result<()> {
    match done {
        1 => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Stale,
            "another transfer into this database is under way; nothing of this step was kept",
        )),
    }
}

pub(super) fn text_of<T: Serialize>(it: &T) -> Result<String> {
    serde_json::to_string(it).map_err(|_| Error::encode("a part of the journal cannot be written as JSON"))
}

/// Whether the database speaks of the rows, and not of itself.
fn refuses_data(error: &Error) -> bool {
    use ErrorKind::{
        AppendOnly, CheckViolation, Encode, ExclusionViolation, ForeignKeyViolation, NotNullViolation,
        OutOfRange, UniqueViolation, Validation,
    };
    matches!(
        error.kind(),
        UniqueViolation
            | ForeignKeyViolation
            | CheckViolation
            | NotNullViolation
            | ExclusionViolation
            | OutOfRange
            | Encode
            | Validation
            | AppendOnly
    ) || error
        .code()
        .is_some_and(|c| c.len() == 5 && (c.starts_with("22") || c.starts_with("23") || c == "P0001"))
}

/// What the database's refusal comes to.
pub(super) fn reason(error: &Error) -> Reason {
    match error.kind() {
        ErrorKind::UniqueViolation => Reason::Duplicate,
        ErrorKind::ForeignKeyViolation => Reason::Orphan,
        ErrorKind::CheckViolation | ErrorKind::ExclusionViolation => Reason::Check,
        ErrorKind::NotNullViolation => Reason::Null,
        ErrorKind::OutOfRange => Reason::Range,
        _ => Reason::Refused,
    }
}

/// A value as COPY's text format has it.
fn copied(datum: &Datum, out: &mut Vec<u8>) {
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    match datum {
        Datum::Null => put("\\N"),
        Datum::Bool(v) => put(if *v { "t" } else { "f" }),
        Datum::Int(v) => put(&v.to_string()),
        Datum::Float(v) if v.is_nan() => put("NaN"),
        Datum::Float(v) if v.is_infinite() => put(if *v > 0.0 { "Infinity" } else { "-Infinity" }),
        Datum::Float(v) => put(&format!("{v:?}")),
        Datum::Decimal(digits) => put(digits),
        Datum::Text(text) | Datum::Json(text) => escaped(text, out),
        Datum::Bytes(bytes) => {
            put("\\\\x");
            hex(bytes, out);
        }
        Datum::Date(date) => put(&date.to_string()),
        Datum::Time(time) => put(&time.to_string()),
        Datum::Local(at) => put(&at.to_string()),
        Datum::Instant(at) => put(&at.to_string()),
        Datum::Uuid(bytes) => hex(bytes, out),
        // from one SQLite to another only
        Datum::Stored(_) => put("\\N"),
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// A backslash, and what would end a value or a row, have a backslash in front.
fn escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.push(byte),
        }
    }
}

/// A value for SQLite, and whether it is the bytes of a text.
fn bound(datum: &Datum) -> (Value, bool) {
    match datum {
        Datum::Stored(cell) => match cell {
            Cell::Null => (Value::Null(Type::Text), false),
            Cell::Int(v) => (Value::I64(*v), false),
            Cell::Real(v) => (Value::F64(*v), false),
            // a text that is bound ends at NUL
            Cell::Text(text) if text.contains('\0') => (Value::Bytes(text.clone().into_bytes()), true),
            Cell::Text(text) => (Value::Text(text.clone()), false),
            Cell::Mangled(bytes) => (Value::Bytes(bytes.clone()), true),
            Cell::Blob(bytes) => (Value::Bytes(bytes.clone()), false),
        },
        // nothing else goes to SQLite
        _ => (
            Value::Refused("a value of PostgreSQL has no form in SQLite yet"),
            false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::transfer::convert::Datum;
    use crate::transfer::target::copied;

    #[test]
    fn copy_text() {
        let text = |datum: Datum| {
            let mut out = Vec::new();
            copied(&datum, &mut out);
            String::from_utf8(out).unwrap()
        };
        for (datum, expected) in [
            (Datum::Null, r"\N"),
            (Datum::Text("\\N".into()), r"\\N"),
            (Datum::Text("\\.".into()), r"\\."),
            (Datum::Text("a\tb\nc\rd\\".into()), r"a\tb\nc\rd\\"),
            (Datum::Text(String::new()), ""),
            (Datum::Bytes(vec![0, 255]), r"\\x00ff"),
            (Datum::Float(0.1), "0.1"),
            (Datum::Float(f64::NEG_INFINITY), "-Infinity"),
            (Datum::Bool(true), "t"),
        ] {
            assert_eq!(text(datum), expected);
        }
    }
}
