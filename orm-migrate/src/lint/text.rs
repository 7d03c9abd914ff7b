//! Rules about SQL that somebody wrote by hand. They look at the words of each statement: nothing is parsed in full, and
//! what stands in strings and bodies of functions is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::error::Result;

use crate::header::{Allowance, allowance};
use crate::lint::changes::{LONGEST_NAME, MANY_TABLES};
use crate::lint::read::plain_name;
use crate::lint::{Finding, Options, Severity, statements};
use crate::segments::cut;
use crate::text::{Piece, pieces};
use crate::{Backend, Header, Script};

/// Looks at a script before it is run. Each finding names the statement, its line and its object: `statement 2 (line 5):
/// drop column users.age`. Tables that the script itself creates are used by nobody, and their statements are not
/// reported.
///
/// A comment above a statement, or behind it on the same line, allows it a rule, and says why. `allow` may stand several
/// times, and names an object where a statement has several: `allow="drop-column:users.age"`. It allows nothing without
/// a reason.
///
/// ```
/// use orm_migrate::Backend;
/// use orm_migrate::lint::{Options, lint_sql};
///
/// let script = "
///     -- orm: allow=drop-column, why=\"nobody reads it since March\"
///     ALTER TABLE users DROP COLUMN age;
///     CREATE INDEX users_name ON users (name);
/// ";
/// let found = lint_sql(script, Backend::Postgres, &Options::default())?;
/// assert_eq!(found[0].rule, "drop-column");
/// assert_eq!(found[0].allowed.as_deref(), Some("nobody reads it since March"));
/// assert_eq!(found[1].about, "statement 2 (line 4): create index users_name on users");
/// assert_eq!(found[1].instead, ["CREATE INDEX CONCURRENTLY users_name ON users (name)"]);
/// assert!(found[1].stops());
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` for a header that is not understood, and for a string or comment without an end.
pub fn lint_sql(script: &str, backend: Backend, options: &Options) -> Result<Vec<Finding>> {
    let script = Script::new(script)?;
    let pieces = pieces(&script.text, backend)?;
    let places = places(&script, &pieces, backend);
    let mut seen = Seen::default();
    let mut all = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut look = Look {
            backend,
            header: &script.header,
            script: &script.text,
            number: at + 1,
            count: pieces.len(),
            piece,
            later: &pieces[at + 1..],
            place: places[at],
            out: Vec::new(),
        };
        statements::look(&mut look, &mut seen);
        long_names(&mut look);
        together(&mut look, &mut seen);
        allow(&mut look, options);
        all.append(&mut look.out);
    }
    Ok(all)
}

/// How a statement runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Statements of one number run in one transaction.
    pub(crate) segment: usize,
    /// Between a BEGIN and a COMMIT of the script.
    pub(crate) begun: bool,
}

fn places(script: &Script, pieces: &[Piece<'_>], backend: Backend) -> Vec<Place> {
    let mut out = vec![Place::default(); pieces.len()];
    if let Ok(cut) = cut(script, backend) {
        for (segment, part) in cut.segments.iter().enumerate() {
            for place in out.get_mut(part.range()).unwrap_or_default() {
                place.segment = segment;
            }
        }
        return out;
    }
    // the runner refuses it: as it was meant
    let mut place = Place::default();
    for (piece, out) in pieces.iter().zip(&mut out) {
        let first = &piece.tokens[0];
        let opens = first.is("BEGIN") || first.is("START");
        let ends = ["COMMIT", "END", "ROLLBACK", "ABORT"].iter().any(|w| first.is(w));
        if opens || ends || script.header.no_transaction && !place.begun {
            place.segment += 1;
        }
        place.begun = opens || place.begun && !ends;
        *out = place;
    }
    out
}

/// What the statements up to here have done.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Tables that are new.
    pub(crate) tables: BTreeSet<String>,
    /// Other objects that are new, by kind: `index`, `view`, `type`.
    pub(crate) objects: BTreeSet<(String, String)>,
    /// Constraints that are new, by table and name, with the segment they were added in, and the column that must not be
    /// NULL by them.
    pub(crate) constraints: BTreeMap<(String, String), (usize, Option<String>)>,
    /// Columns that are known to hold no NULL.
    pub(crate) filled: BTreeSet<(String, String)>,
    /// Tables that were there before and are locked, by segment.
    pub(crate) locked: BTreeSet<(usize, String)>,
    /// Segments in which rows of many are written.
    pub(crate) written: BTreeSet<usize>,
    /// What was said of a segment already.
    said: BTreeSet<(usize, &'static str)>,
}

impl Seen {
    pub(crate) fn made(&self, kind: &str, name: &str) -> bool {
        self.objects.contains(&(kind.to_owned(), name.to_owned()))
    }
}

/// One statement and what is around it.
pub(crate) struct Look<'a> {
    pub(crate) backend: Backend,
    pub(crate) header: &'a Header,
    script: &'a str,
    number: usize,
    pub(crate) count: usize,
    pub(crate) piece: &'a Piece<'a>,
    pub(crate) later: &'a [Piece<'a>],
    pub(crate) place: Place,
    pub(crate) out: Vec<Finding>,
}

impl<'a> Look<'a> {
    pub(crate) fn is_postgres(&self) -> bool {
        self.backend == Backend::Postgres
    }
    pub(crate) fn found(&self, rule: &'static str, severity: Severity, what: &str, why: &str) -> Finding {
        Finding::new(rule, severity, self.about(what), why)
    }
    pub(crate) fn about(&self, what: &str) -> String {
        format!("statement {} (line {}): {what}", self.number, self.piece.line)
    }
    /// The statement.
    pub(crate) fn sql(&self) -> &'a str {
        let tokens = &self.piece.tokens;
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => &self.script[first.at..last.at + last.text.len()],
            _ => "",
        }
    }
    /// The statement with one more word behind the first of these.
    pub(crate) fn with(&self, word: &str, behind: &str) -> String {
        let start = self.piece.tokens.first().map_or(0, |t| t.at);
        let found = self.piece.tokens.iter().find(|t| t.is(behind));
        let end = found.map_or(0, |t| t.at + t.text.len() - start);
        let (head, tail) = self.sql().split_at(end);
        format!("{head} {word}{tail}")
    }
}

fn long_names(look: &mut Look<'_>) {
    if !look.is_postgres() {
        return;
    }
    let names = look.piece.tokens.iter().filter_map(plain_name);
    let long: BTreeSet<String> = names.filter(|n| n.len() > LONGEST_NAME).collect();
    for name in long {
        let why = format!("it is longer than {LONGEST_NAME} bytes, and PostgreSQL cuts it");
        look.out
            .push(look.found("identifier-too-long", Severity::Error, &name, &why));
    }
}

/// Rules about what stands in one transaction.
fn together(look: &mut Look<'_>, seen: &mut Seen) {
    if !look.is_postgres() {
        return;
    }
    let segment = look.place.segment;
    let locked = seen.locked.iter().filter(|(s, _)| *s == segment).count();
    if locked > 0 && seen.written.contains(&segment) && seen.said.insert((segment, "dml-with-ddl")) {
        look.out.push(
            look.found(
                "dml-with-ddl",
                Severity::Warning,
                "rows and tables are changed in one transaction",
                "others wait for the lock on the table until all rows are written",
            )
            .instead("a migration for the schema, and one for the rows: a `Backfill` writes them in batches"),
        );
    }
    if locked >= MANY_TABLES && seen.said.insert((segment, "many-locks")) {
        look.out.push(
            look.found(
                "many-locks",
                Severity::Warning,
                &format!("the table that makes {MANY_TABLES}"),
                "one transaction locks many tables: others wait for all of them, and may deadlock",
            )
            .instead("split it into a migration for each table"),
        );
    }
}

/// Sets why findings are allowed, and looks at the comments that say so.
fn allow(look: &mut Look<'_>, options: &Options) {
    let mut allowed = Options::default();
    for comment in &look.piece.comments {
        match allowance(comment) {
            Ok(None) if comment.starts_with("orm:") && look.number > 1 => look.out.push(look.found(
                "comment-not-read",
                Severity::Warning,
                "a comment",
                "a header stands above the first statement: this line is not read",
            )),
            Ok(None) => {}
            Ok(Some(Allowance { rules, why: None })) => {
                for rule in rules {
                    look.out.push(
                        look.found(
                            "allow-without-reason",
                            Severity::Error,
                            &format!("allow {rule}"),
                            "it allows nothing without a reason",
                        )
                        .instead(format!("-- orm: allow={rule}, why=\"…\"")),
                    );
                }
            }
            Ok(Some(Allowance {
                rules,
                why: Some(why),
            })) => {
                for rule in rules {
                    allowed.allow.push((rule, why.clone()));
                }
            }
            Err(e) => {
                look.out
                    .push(look.found("comment-not-read", Severity::Warning, "a comment", e.message()))
            }
        }
    }
    for finding in &mut look.out {
        let here = allowed.allowed(finding.rule, &finding.about);
        finding.allowed = here.or_else(|| options.allowed(finding.rule, &finding.about));
    }
    for said in &allowed.allow {
        let one = Options {
            allow: vec![said.clone()],
            ..Options::default()
        };
        let used = look.out.iter().any(|f| one.allowed(f.rule, &f.about).is_some());
        if !used {
            look.out.push(look.found(
                "allow-unused",
                Severity::Warning,
                &format!("allow {}", said.0),
                "nothing of this kind was found in the statement",
            ));
        }
    }
}
