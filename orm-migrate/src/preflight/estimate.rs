//! What a statement may cost: its lock, the size of its table, how long it may take. By the statement's words.

use std::collections::BTreeMap;

use orm_core::error::Result;
use serde::Serialize;

use crate::lint::{self, Finding, Lock, Reader, Work, flat, has, has_all, lint_sql};
use crate::preflight::server::Size;
use crate::preflight::{Due, lock_words};
use crate::run::{Direction, Planned};
use crate::text::tokens;
use crate::{Backend, Migration};

/// One statement of a dry run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The statement.
    pub sql: String,
    /// The table that it works on, where it is there already.
    pub table: Option<String>,
    /// The lock that it takes on that.
    pub lock: Option<Lock>,
    /// What is done under the lock.
    pub work: Work,
    /// How many rows the table has, about.
    pub rows: Option<i64>,
    /// How many bytes, with its indexes.
    pub bytes: Option<i64>,
    /// How long it may take, once it has its lock.
    pub time: Time,
    /// Bytes of disk that it needs beside what is there, about.
    pub disk: i64,
    /// Whether it changes rows by a condition, as UPDATE and DELETE do.
    pub writes_rows: bool,
}

/// How long something may take, by the size of its table. A class, and no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Time {
    /// Less than a second.
    Moment,
    /// Less than a minute.
    Seconds,
    /// Less than an hour.
    Minutes,
    /// More.
    Hours,
}

impl Estimate {
    pub(crate) fn in_words(&self) -> String {
        let time = match self.time {
            Time::Moment => "a moment",
            Time::Seconds => "seconds",
            Time::Minutes => "minutes",
            Time::Hours => "hours",
        };
        let first = self.sql.lines().next().unwrap_or_default();
        let more = if self.sql.lines().nth(1).is_some() {
            " …"
        } else {
            ""
        };
        let mut out = format!("`{first}{more}`: {time}, {}", lock_words(self.lock, self.work));
        if let (Some(table), Some(rows), Some(size)) = (&self.table, self.rows, self.bytes) {
            out += &format!("; {table} has about {rows} rows, {}", bytes(size));
        }
        out
    }
}

/// `12.3 MB`.
pub(crate) fn bytes(n: i64) -> String {
    let mut n = n as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if n < 1000.0 {
            return match unit {
                "bytes" => format!("{n:.0} {unit}"),
                _ => format!("{n:.1} {unit}"),
            };
        }
        n /= 1000.0;
    }
    format!("{n:.1} TB")
}

/// A planned migration with what its statements cost.
pub(crate) fn due(
    migration: Option<&Migration>,
    planned: Planned,
    backend: Backend,
    sizes: &BTreeMap<String, Size>,
    options: &lint::Options,
) -> Result<Due> {
    let script = match planned.direction {
        Direction::Up => migration.and_then(Migration::up),
        Direction::Down => migration.and_then(Migration::down),
    };
    let findings = match script {
        Some(script) => lint_sql(&script.text, backend, options)?,
        None => Vec::new(),
    };
    let mut number = 0;
    let mut parts = Vec::with_capacity(planned.parts.len());
    for part in planned.parts {
        let mut out = Vec::with_capacity(part.len());
        for sql in part {
            number += 1;
            let head = format!("statement {number} (");
            let own = findings.iter().filter(|f| f.about.starts_with(&head));
            out.push(estimate(sql, own, backend, sizes)?);
        }
        parts.push(out);
    }
    Ok(Due {
        version: planned.version,
        name: planned.name,
        undone: planned.direction == Direction::Down,
        parts,
        loses: planned.loses,
        needs_acknowledgement: planned.needs_acknowledgement,
    })
}

fn estimate<'f>(
    sql: String,
    findings: impl Iterator<Item = &'f Finding>,
    backend: Backend,
    sizes: &BTreeMap<String, Size>,
) -> Result<Estimate> {
    let mut class = class(&sql, backend)?;
    // a rule knows better
    if let Some(found) = findings
        .filter(|f| f.lock.is_some())
        .max_by_key(|f| (f.work, f.lock))
    {
        class.lock = found.lock;
        class.work = found.work;
    }
    let table = class.table.filter(|t| sizes.contains_key(t));
    let size = table.as_ref().and_then(|t| sizes.get(t));
    let amount = size.map_or(0, |s| match class.work {
        Work::Catalogue => 0,
        Work::Scan => s.bytes / 200,
        Work::Rewrite => (s.bytes + s.index_bytes) / 30,
    });
    // bytes over megabytes a second: microseconds
    let time = match amount / 1_000_000 {
        0 => Time::Moment,
        1..60 => Time::Seconds,
        60..3600 => Time::Minutes,
        _ => Time::Hours,
    };
    let disk = size.map_or(0, |s| match class.work {
        Work::Rewrite if !class.writes_rows => s.bytes + s.index_bytes,
        Work::Scan if class.builds_index => s.bytes / 3,
        _ => 0,
    });
    Ok(Estimate {
        sql,
        lock: class
            .lock
            .filter(|_| table.is_some() || backend == Backend::Sqlite),
        work: class.work,
        rows: size.map(|s| s.rows),
        bytes: size.map(|s| s.bytes + s.index_bytes),
        table,
        time,
        disk,
        writes_rows: class.writes_rows,
    })
}

/// What the words of a statement say.
struct Class {
    table: Option<String>,
    lock: Option<Lock>,
    work: Work,
    builds_index: bool,
    writes_rows: bool,
}

fn class(sql: &str, backend: Backend) -> Result<Class> {
    let all = tokens(sql, backend)?;
    let mut r = Reader::new(&all);
    let postgres = backend == Backend::Postgres;
    let lock = |lock| if postgres { Some(lock) } else { Some(Lock::Writer) };
    let mut out = Class {
        table: None,
        lock: (!postgres).then_some(Lock::Writer),
        work: Work::Catalogue,
        builds_index: false,
        writes_rows: false,
    };
    let online = has(&all, "CONCURRENTLY");
    if r.eat(&["CREATE"]) {
        r.eat(&["UNIQUE"]);
        if r.eat(&["INDEX"]) {
            out.table = behind(&all, "ON");
            out.work = Work::Scan;
            out.builds_index = true;
            out.lock = lock(if online {
                Lock::ShareUpdateExclusive
            } else {
                Lock::Share
            });
        }
    } else if r.eat(&["ALTER", "TABLE"]) {
        r.eat(&["IF", "EXISTS"]);
        r.eat(&["ONLY"]);
        out.table = r.name();
        out.lock = lock(match r.is("VALIDATE") {
            true => Lock::ShareUpdateExclusive,
            false if has_all(r.rest(), &["FOREIGN", "KEY"]) => Lock::ShareRowExclusive,
            false => Lock::AccessExclusive,
        });
        out.work = if r.is("VALIDATE") {
            Work::Scan
        } else {
            Work::Catalogue
        };
    } else if r.eat(&["DROP", "TABLE"]) || r.eat(&["TRUNCATE"]) {
        r.pass(&["IF", "EXISTS", "TABLE", "ONLY"]);
        out.table = r.name();
        out.lock = lock(Lock::AccessExclusive);
    } else if r.eat(&["REFRESH", "MATERIALIZED", "VIEW"]) {
        r.eat(&["CONCURRENTLY"]);
        out.table = r.name();
        out.work = Work::Rewrite;
        out.lock = lock(if online {
            Lock::ShareUpdateExclusive
        } else {
            Lock::AccessExclusive
        });
    } else if r.eat(&["UPDATE"]) || r.eat(&["DELETE", "FROM"]) {
        r.eat(&["ONLY"]);
        out.table = r.name();
        (out.work, out.writes_rows) = (Work::Rewrite, true);
    } else if r.eat(&["INSERT"]) && has(&all, "SELECT") {
        out.table = behind(&all, "FROM");
        out.work = Work::Rewrite;
    } else if r.eat(&["VACUUM"]) {
        r.pass(&["FULL", "ANALYZE", "VERBOSE", "FREEZE"]);
        out.table = r.name();
        out.work = Work::Scan;
    }
    Ok(out)
}

/// The name that follows this word, outside of parentheses.
fn behind(all: &[crate::text::Token<'_>], word: &str) -> Option<String> {
    let at = flat(all).find(|(_, t)| t.is(word)).map(|(at, _)| at)?;
    let mut r = Reader::new(&all[at + 1..]);
    r.eat(&["ONLY"]);
    r.name()
}
