//! How a script is cut: what can stand in one transaction, and what has to run alone. Pure.

use std::ops::Range;
use std::time::Duration;

use orm_core::error::{Error, Result};

use crate::text::{Kind, Token, pieces, tokens};
use crate::{Backend, Script, Statement};

/// What kind of work a statement is, for its time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It changes the schema, under locks that others wait for.
    Schema,
    /// It changes rows.
    Data,
    /// It takes its time and keeps nobody from reading or writing: `CREATE INDEX CONCURRENTLY`, `VALIDATE CONSTRAINT`,
    /// `VACUUM`.
    Online,
}

/// How it is found out whether a statement that ran alone has taken effect, when the runner was killed beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// Running it again does no harm, or fails loudly.
    None,
    /// An index of this name is there, and valid.
    IndexMade { index: String, table: String },
    /// No index of this name is there.
    IndexGone { index: String },
    /// The type has this label.
    Label { of: String, label: String },
}

/// One statement and how it is run.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) statement: Statement,
    pub(crate) work: Work,
    pub(crate) trace: Trace,
}

/// Statements that run together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// In one transaction.
    Together(Range<usize>),
    /// Outside of any.
    Alone(usize),
}

impl Segment {
    pub(crate) fn range(&self) -> Range<usize> {
        match self {
            Segment::Together(range) => range.clone(),
            Segment::Alone(at) => *at..*at + 1,
        }
    }
}

/// A script, ready to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    pub(crate) steps: Vec<Step>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) foreign_keys_off: bool,
}

impl Cut {
    /// Whether all of it is one transaction.
    pub(crate) fn is_atomic(&self) -> bool {
        matches!(self.segments.as_slice(), [] | [Segment::Together(_)])
    }
}

/// How a statement may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    Alone,
    /// What it adds can be used after the commit only.
    CommittedBefore,
}

/// Cuts a script.
///
/// # Errors
/// `Config` for statements that open or end transactions, with their line.
pub(crate) fn cut(script: &Script, backend: Backend) -> Result<Cut> {
    let statements = script.statements(backend)?;
    let header = &script.header;
    let mut all = Cut {
        foreign_keys_off: header.foreign_keys_off && backend == Backend::Sqlite,
        ..Cut::default()
    };
    let pieces = pieces(&script.text, backend)?;
    let mut places = Vec::new();
    for statement in statements {
        let (work, trace, mut place) = judge(&statement, backend)?;
        let first = tokens(&statement.text, backend)?;
        if header.no_transaction && first.first().is_some_and(|t| t.is("CALL") || t.is("DO")) {
            // they may commit by themselves, which they cannot do inside a transaction
            place = Place::Alone;
        }
        places.push(place);
        all.steps.push(Step {
            statement,
            work,
            trace,
        });
    }
    let mut start = 0;
    for (i, place) in places.iter().enumerate() {
        if start < i && pieces.get(i).is_some_and(|p| p.after_commit) {
            all.segments.push(Segment::Together(start..i));
            start = i;
        }
        let ends = header.no_transaction
            || match (place, &all.steps[i].trace) {
                (Place::CommittedBefore, Trace::Label { label, .. }) => {
                    is_used(label, &all.steps[i + 1..], backend)?
                }
                _ => false,
            };
        if *place == Place::Alone {
            if start < i {
                all.segments.push(Segment::Together(start..i));
            }
            all.segments.push(Segment::Alone(i));
            start = i + 1;
        } else if ends {
            all.segments.push(Segment::Together(start..i + 1));
            start = i + 1;
        }
    }
    if start < places.len() {
        all.segments.push(Segment::Together(start..places.len()));
    }
    Ok(all)
}

/// Whether the runner takes this statement out of the transaction without being told.
pub(crate) fn is_known(statement: &str, backend: Backend) -> bool {
    let one = Statement {
        text: statement.to_owned(),
        line: 1,
    };
    judge(&one, backend).is_ok_and(|(_, _, place)| place != Place::Anywhere)
}

/// Whether a label stands in a later statement.
fn is_used(label: &str, later: &[Step], backend: Backend) -> Result<bool> {
    for step in later {
        let found = tokens(&step.statement.text, backend)?;
        // a body in dollar quotes may hold it as well
        if found
            .iter()
            .any(|t| t.kind == Kind::Text && t.text.contains(label))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn judge(statement: &Statement, backend: Backend) -> Result<(Work, Trace, Place)> {
    let all = tokens(&statement.text, backend)?;
    let line = statement.line;
    let refuse = |why: &str| Err(Error::config(format!("line {line}: {why}")));
    let word = |at: usize, words: &[&str]| {
        all.get(at)
            .is_some_and(|t: &Token<'_>| words.iter().any(|w| t.is(w)))
    };
    if word(
        0,
        &[
            "BEGIN",
            "START",
            "COMMIT",
            "END",
            "ROLLBACK",
            "ABORT",
            "SAVEPOINT",
            "RELEASE",
        ],
    ) || word(0, &["PREPARE"]) && word(1, &["TRANSACTION"])
    {
        return refuse(
            "a migration opens and ends no transaction itself: take the statement out; `-- no-transaction` above the \
             script runs every statement by itself",
        );
    }
    if word(
        0,
        &[
            "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "SELECT", "VALUES", "TRUNCATE", "REPLACE", "COPY",
        ],
    ) {
        return Ok((Work::Data, Trace::None, Place::Anywhere));
    }
    match backend {
        Backend::Sqlite => {
            if word(0, &["PRAGMA"]) && word(1, &["FOREIGN_KEYS"]) {
                return refuse(
                    "inside a transaction this pragma does nothing: say `-- orm: foreign_keys=off` above the script",
                );
            }
            let alone = word(0, &["VACUUM", "ATTACH", "DETACH"])
                || word(0, &["PRAGMA"])
                    && word(
                        1,
                        &[
                            "JOURNAL_MODE",
                            "AUTO_VACUUM",
                            "PAGE_SIZE",
                            "WAL_CHECKPOINT",
                            "SYNCHRONOUS",
                        ],
                    );
            let place = if alone { Place::Alone } else { Place::Anywhere };
            Ok((Work::Schema, Trace::None, place))
        }
        Backend::Postgres => Ok(judge_postgres(&all, word)),
    }
}

fn judge_postgres(all: &[Token<'_>], word: impl Fn(usize, &[&str]) -> bool) -> (Work, Trace, Place) {
    let has = |w: &str| all.iter().any(|t| t.is(w));
    let concurrently = has("CONCURRENTLY");
    if word(0, &["CREATE"])
        && (word(1, &["INDEX"]) || word(1, &["UNIQUE"]) && word(2, &["INDEX"]))
        && concurrently
    {
        return (Work::Online, index_made(all), Place::Alone);
    }
    if word(0, &["DROP"]) && word(1, &["INDEX"]) && concurrently {
        let mut rest = behind(all, "CONCURRENTLY");
        if rest.first().is_some_and(|t| t.is("IF")) {
            rest = &rest[rest.len().min(2)..];
        }
        let (index, after) = name(rest);
        let trace = match after.first() {
            Some(more) if more.text == "," => Trace::None,
            _ => Trace::IndexGone { index },
        };
        return (Work::Online, trace, Place::Alone);
    }
    if word(0, &["ALTER"]) && word(1, &["TYPE"]) && has("ADD") && has("VALUE") {
        let (of, _) = name(&all[2..]);
        let label = behind(all, "VALUE").iter().find(|t| t.kind == Kind::Text);
        let label = label
            .map(|t| t.text.trim_matches('\'').replace("''", "'"))
            .unwrap_or_default();
        return (Work::Schema, Trace::Label { of, label }, Place::CommittedBefore);
    }
    let alone = word(0, &["VACUUM"])
        || word(0, &["CREATE", "DROP"]) && word(1, &["DATABASE", "TABLESPACE", "SUBSCRIPTION"])
        || word(0, &["ALTER"]) && word(1, &["SYSTEM", "SUBSCRIPTION"])
        || word(0, &["REINDEX"]) && (concurrently || word(1, &["DATABASE", "SYSTEM", "SCHEMA"]))
        || word(0, &["ALTER"]) && has("DETACH") && concurrently;
    let online = alone || word(0, &["ANALYZE"]) || word(0, &["ALTER"]) && has("VALIDATE") || concurrently;
    let work = if online { Work::Online } else { Work::Schema };
    let place = if alone { Place::Alone } else { Place::Anywhere };
    (work, Trace::None, place)
}

fn behind<'s, 't>(all: &'s [Token<'t>], word: &str) -> &'s [Token<'t>] {
    let at = all.iter().position(|t| t.is(word)).map_or(all.len(), |at| at + 1);
    &all[at..]
}

fn index_made(all: &[Token<'_>]) -> Trace {
    let mut rest = behind(all, "CONCURRENTLY");
    if rest.first().is_some_and(|t| t.is("IF")) {
        rest = &rest[rest.len().min(3)..];
    }
    if rest.first().is_some_and(|t| t.is("ON")) {
        // PostgreSQL chooses its name
        return Trace::None;
    }
    let (index, rest) = name(rest);
    let mut rest = behind(rest, "ON");
    if rest.first().is_some_and(|t| t.is("ONLY")) {
        rest = &rest[1..];
    }
    let (table, _) = name(rest);
    Trace::IndexMade { index, table }
}

/// A name with what qualifies it, as it is written, and what follows.
fn name<'s, 't>(tokens: &'s [Token<'t>]) -> (String, &'s [Token<'t>]) {
    let mut text = String::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let dot = token.kind == Kind::Sign && token.text == ".";
        let part = matches!(token.kind, Kind::Word | Kind::Name) && (text.is_empty() || text.ends_with('.'));
        if !dot && !part {
            break;
        }
        text.push_str(token.text);
        at += 1;
    }
    (text, &tokens[at..])
}

/// How long statements may wait for locks, and run. PostgreSQL only: SQLite waits as long as its connection says.
///
/// ```
/// use std::time::Duration;
/// use orm_migrate::Limits;
/// let limits = Limits { lock: Duration::from_secs(1), ..Limits::default() };
/// assert_eq!(limits.retries, 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement waits for a lock before it makes way for those who wait behind it. 3 s.
    pub lock: Duration,
    /// How long a statement that changes the schema may run. 1 h.
    pub schema: Option<Duration>,
    /// How long one that changes rows may run. No limit.
    pub data: Option<Duration>,
    /// How long one that keeps nobody from working may run, and wait for locks. No limit.
    pub online: Option<Duration>,
    /// How often what did not get its lock in time, or was chosen to end a deadlock, is tried again. 10.
    pub retries: u32,
    /// The pause before the second try; each is twice as long as the one before, up to 30 s, give or take a quarter. 500 ms.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lock: Duration::from_secs(3),
            schema: Some(Duration::from_secs(3600)),
            data: None,
            online: None,
            retries: 10,
            pause: Duration::from_millis(500),
        }
    }
}

impl Limits {
    /// What `lock_timeout` and `statement_timeout` are for this work, as PostgreSQL writes them; `0` is none.
    pub(crate) fn settings(&self, work: Work) -> (String, String) {
        let ms = |limit: Option<Duration>| match limit {
            None => "0".to_owned(),
            Some(limit) => format!("{}ms", limit.as_millis().max(1)),
        };
        match work {
            Work::Schema => (ms(Some(self.lock)), ms(self.schema)),
            Work::Data => (ms(Some(self.lock)), ms(self.data)),
            Work::Online => (ms(self.online), ms(self.online)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Backend::{self, Postgres, Sqlite};
    use crate::Script;
    use crate::segments::Segment::{self, Alone, Together};
    use crate::segments::{Trace, Work, cut};

    fn segments(text: &str, backend: Backend) -> Vec<Segment> {
        cut(&Script::new(text).unwrap(), backend).unwrap().segments
    }

    #[test]
    fn where_scripts_are_cut() {
        for (text, backend, expected) in [
            ("", Postgres, vec![]),
            ("a; b; c", Postgres, vec![Together(0..3)]),
            (
                "-- no-transaction\na; VACUUM; c",
                Sqlite,
                vec![Together(0..1), Alone(1), Together(2..3)],
            ),
            (
                "-- no-transaction\nDO 'x'; SELECT 1",
                Postgres,
                vec![Alone(0), Together(1..2)],
            ),
            (
                "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a); INSERT INTO t VALUES (1); SELECT 1",
                Postgres,
                vec![Together(0..1), Alone(1), Together(2..4)],
            ),
            (
                "drop index concurrently i; VACUUM t",
                Postgres,
                vec![Alone(0), Alone(1)],
            ),
            (
                "ALTER TYPE m ADD VALUE 'b'; SELECT 1",
                Postgres,
                vec![Together(0..2)],
            ),
            (
                "SELECT 1; ALTER TYPE m ADD VALUE IF NOT EXISTS 'b'; ALTER TABLE t ALTER c SET DEFAULT 'b'; SELECT 2",
                Postgres,
                vec![Together(0..2), Together(2..4)],
            ),
            (
                "ALTER TYPE m ADD VALUE 'b'; DO $$ BEGIN INSERT INTO t VALUES ('b'); END $$",
                Postgres,
                vec![Together(0..1), Together(1..2)],
            ),
            ("PRAGMA user_version = 3; SELECT 1", Sqlite, vec![Together(0..2)]),
            (
                "-- orm: commit\na; -- orm: commit\nb; c;\n-- why\n-- orm: commit\n-- more\nd; -- orm: commit",
                Sqlite,
                vec![Together(0..1), Together(1..3), Together(3..4)],
            ),
            (
                "a;\n-- orm: commit\nVACUUM;\n-- orm: commit\nb; SELECT '\n-- orm: commit\n'; c",
                Postgres,
                vec![Together(0..1), Alone(1), Together(2..5)],
            ),
            (
                "REINDEX TABLE CONCURRENTLY t; REINDEX TABLE t",
                Postgres,
                vec![Alone(0), Together(1..2)],
            ),
        ] {
            assert_eq!(segments(text, backend), expected, "{text}");
        }
    }

    #[test]
    fn what_each_statement_is() {
        for (text, work, trace) in [
            ("CREATE TABLE t (a int)", Work::Schema, Trace::None),
            ("UPDATE t SET a = 1", Work::Data, Trace::None),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", Work::Online, Trace::None),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY s.t (a)",
                Work::Online,
                Trace::IndexMade {
                    index: "\"I x\"".to_owned(),
                    table: "s.t".to_owned(),
                },
            ),
            ("CREATE INDEX CONCURRENTLY ON t (a)", Work::Online, Trace::None),
            (
                "DROP INDEX CONCURRENTLY IF EXISTS s.i CASCADE",
                Work::Online,
                Trace::IndexGone {
                    index: "s.i".to_owned(),
                },
            ),
            ("DROP INDEX CONCURRENTLY i, j", Work::Online, Trace::None),
            (
                "ALTER TYPE s.mood ADD VALUE 'it''s' BEFORE 'a'",
                Work::Schema,
                Trace::Label {
                    of: "s.mood".to_owned(),
                    label: "it's".to_owned(),
                },
            ),
        ] {
            let cut = cut(&Script::new(text).unwrap(), Postgres).unwrap();
            assert_eq!((cut.steps[0].work, &cut.steps[0].trace), (work, &trace), "{text}");
        }
    }

    #[test]
    fn transactions_are_the_runners() {
        for (text, backend) in [
            ("SELECT 1;\nBEGIN;", Postgres),
            ("SELECT 1;\n commit", Sqlite),
            ("SELECT 1;\nPRAGMA foreign_keys = OFF", Sqlite),
        ] {
            let e = cut(&Script::new(text).unwrap(), backend).unwrap_err();
            assert!(e.message().starts_with("line 2: "), "{e}");
        }
    }
}
