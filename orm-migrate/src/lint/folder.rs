//! Rules about a folder of migrations as a whole: their order, their ways back, their snapshots, and the models.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use orm_core::error::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::change::Change;
use crate::diff;
use crate::lint::read::{Reader, parts};
use crate::lint::report::described;
use crate::lint::statements::kind;
use crate::lint::{Finding, Options, Severity, lint, lint_sql};
use crate::plan::plan;
use crate::schema::{Name, Schema};
use crate::text::pieces;
use crate::{Backend, Graph, Migration, Migrations, Script, snapshot};
use Severity::{Info, Warning};

/// What was found in a folder. Serialised as it stands, it is the JSON form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// What was found in each file, in their order.
    pub files: Vec<File>,
    /// What was found in all of them together: heads, the chain, the models.
    pub whole: Vec<Finding>,
}

/// What was found in one migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its version.
    pub version: i64,
    /// The beginning of its file names: `20260131120000_create_users`.
    pub file: String,
    /// What was found, in the order of its statements.
    pub findings: Vec<Finding>,
    /// Whether the program of before works after it.
    pub old_program_works: bool,
}

impl Folder {
    /// Everything that was found, with the file it was found in.
    pub fn findings(&self) -> impl Iterator<Item = (Option<&File>, &Finding)> {
        let files = self
            .files
            .iter()
            .flat_map(|file| file.findings.iter().map(move |finding| (Some(file), finding)));
        files.chain(self.whole.iter().map(|finding| (None, finding)))
    }
    /// Whether something was found that stops a migration: an error that nobody allowed.
    pub fn stops(&self) -> bool {
        self.findings().any(|(_, finding)| finding.stops())
    }
    /// The exit code of a program that ends so: 4 when it [`stops`](Self::stops).
    pub fn exit_code(&self) -> u8 {
        if self.stops() { 4 } else { 0 }
    }
    /// As JSON.
    ///
    /// # Errors
    /// `Encode` when it cannot be written, which no folder is known to cause.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Encode, format!("the findings as JSON: {e}")))
    }
    /// As Markdown: the files with findings, each with its own.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Migrations\n");
        for file in self
            .files
            .iter()
            .filter(|f| !f.findings.is_empty() || !f.old_program_works)
        {
            _ = writeln!(out, "\n## {}\n", file.file);
            if !file.old_program_works {
                _ = writeln!(out, "The program of before does **not** work after it.\n");
            }
            for finding in &file.findings {
                _ = writeln!(out, "{}", described(finding));
            }
        }
        if !self.whole.is_empty() {
            out += "\n## All together\n\n";
            for finding in &self.whole {
                _ = writeln!(out, "{}", described(finding));
            }
        }
        if !self.findings().any(|_| true) {
            out += "\nNothing was found.\n";
        }
        out
    }
}

/// Looks at all migrations, each by itself and all of them together; with the schema of the models, at these too.
///
/// | Rule | Found |
/// |---|---|
/// | those of [`lint_sql`] | in each script that applies a migration |
/// | `no-way-back` | a migration without a way back, and without a reason for that |
/// | `lossy-way-back` | a way back that drops or deletes, and does not say so with `loses` |
/// | `way-back-leaves` | something that is created, and is still there after the way back |
/// | `old-program-fails` | by the snapshots, the program of before does not work afterwards, and no statement shows it |
/// | `contract-unmarked` | the same, and the header does not say `phase=contract` |
/// | `snapshot-missing` | others have a snapshot, this one has none: the next one is made as if it were not there |
/// | `several-heads`, `broken-graph` | branches that are not merged, parents that are not there |
/// | `chain-differs` | `migrations.lock` lists something else |
/// | `model-not-migrated` | the models have what no migration makes |
/// | `dropped-still-in-models` | a migration has dropped what the models have |
///
/// ```
/// use orm_migrate::lint::{Options, folder};
/// use orm_migrate::{Backend, Migrations};
///
/// let migrations = Migrations::of([
///     ("1_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
///     ("1_users.down.sql", "DROP TABLE users;"),
///     ("2_names.sql", "ALTER TABLE users ADD name text;"),
/// ])?;
/// let found = folder(&migrations, None, Backend::Postgres, &Options::default())?;
/// let rules: Vec<_> = found.findings().map(|(file, f)| (file.unwrap().version, f.rule)).collect();
/// assert_eq!(rules, [(1, "lossy-way-back"), (2, "no-way-back")]);
/// assert_eq!(found.exit_code(), 0); // warnings
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` for a script or a snapshot that cannot be read.
pub fn folder(
    migrations: &Migrations,
    models: Option<&Schema>,
    backend: Backend,
    options: &Options,
) -> Result<Folder> {
    let mut out = Folder::default();
    let mut before: Option<Schema> = None;
    // of each snapshot, for what was dropped on the way
    let mut schemas: Vec<(String, Schema)> = Vec::new();
    let keeps_snapshots = migrations.iter().any(|m| m.snapshot.is_some());
    for migration in migrations.iter() {
        let after = snapshot_of(migration, backend)?;
        if options.after.is_none_or(|after| migration.version > after) {
            let mut file = look(migration, backend, options)?;
            steps(
                &mut file,
                migration,
                before.as_ref(),
                after.as_ref(),
                backend,
                keeps_snapshots,
            )?;
            allow(&mut file.findings, options);
            out.files.push(file);
        }
        if let Some(after) = after {
            schemas.push((migration.label(), after.clone()));
            before = Some(after);
        }
    }
    order(migrations, backend, &mut out.whole);
    if let Some(models) = models {
        compared(&schemas, models, &mut out.whole);
    }
    allow(&mut out.whole, options);
    Ok(out)
}

/// What the files of a branch do to those of the branch they are merged into: new migrations stand behind all that are
/// there, and those that are there stay as they are.
///
/// ```
/// use orm_migrate::lint::{Options, against};
/// use orm_migrate::{Backend, Migrations};
///
/// let theirs = Migrations::of([("1_a.sql", "SELECT 1;"), ("3_c.sql", "SELECT 3;")])?;
/// let ours = Migrations::of([("1_a.sql", "SELECT 9;"), ("2_b.sql", "SELECT 2;"), ("3_c.sql", "SELECT 3;")])?;
/// let found = against(&theirs, &ours, Backend::Sqlite, &Options::default())?;
/// let rules: Vec<_> = found.iter().map(|f| (f.rule, f.about.as_str())).collect();
/// assert_eq!(rules, [("edited", "1_a"), ("out-of-order", "2_b")]);
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` for a script that cannot be read.
pub fn against(
    theirs: &Migrations,
    ours: &Migrations,
    backend: Backend,
    options: &Options,
) -> Result<Vec<Finding>> {
    let mut out = Vec::new();
    let last = theirs.iter().next_back().map_or(0, |m| m.version);
    for migration in theirs.iter() {
        match ours.get(migration.version) {
            None => out.push(
                Finding::new(
                    "gone",
                    Severity::Error,
                    migration.label(),
                    "databases have it, and the files have it no more",
                )
                .instead("bring it back, and write a migration that undoes it"),
            ),
            Some(kept) if kept.checksum(backend)? != migration.checksum(backend)? => out.push(
                Finding::new(
                    "edited",
                    Severity::Error,
                    migration.label(),
                    "databases may have run it as it was, and refuse to go on",
                )
                .instead("change it back, and write a migration for the change"),
            ),
            Some(_) => {}
        }
    }
    for migration in ours.iter() {
        let merges = migration.header().parents.is_some();
        if migration.version < last && theirs.get(migration.version).is_none() && !merges {
            out.push(
                Finding::new(
                    "out-of-order",
                    Severity::Error,
                    migration.label(),
                    "databases have later ones already",
                )
                .instead("give it a version above the last one: `rebase`"),
            );
        }
    }
    allow(&mut out, options);
    Ok(out)
}

fn allow(findings: &mut [Finding], options: &Options) {
    for finding in findings.iter_mut().filter(|f| f.allowed.is_none()) {
        finding.allowed = options.allowed(finding.rule, &finding.about);
    }
}

fn snapshot_of(migration: &Migration, backend: Backend) -> Result<Option<Schema>> {
    let read = |text: &String| {
        snapshot::read(text, backend.name())
            .map_err(|e| Error::config(format!("{}.snap.json: {}", migration.label(), e.message())))
    };
    migration.snapshot.as_ref().map(read).transpose()
}

/// One migration by itself.
fn look(migration: &Migration, backend: Backend, options: &Options) -> Result<File> {
    let label = migration.label();
    let mut file = File {
        version: migration.version,
        file: label.clone(),
        findings: Vec::new(),
        old_program_works: true,
    };
    let Some(up) = migration.up() else { return Ok(file) };
    let within = |e: Error| Error::config(format!("{label}: {}", e.message()));
    file.findings = lint_sql(&up.text, backend, options).map_err(within)?;
    let Some(down) = migration.down() else {
        if migration.header().irreversible.is_none() && migration.header().kind != crate::Kind::Repeatable {
            file.findings.push(
                Finding::new("no-way-back", Warning, label, "it cannot be undone")
                    .instead("write the way back, or say `-- orm: irreversible=\"why\"`"),
            );
        }
        return Ok(file);
    };
    let way_back = lint_sql(&down.text, backend, options).map_err(within)?;
    let lossy = |rule: &str| {
        matches!(
            rule,
            "drop-table"
                | "drop-column"
                | "drop-schema"
                | "drop-sequence"
                | "truncate"
                | "delete-without-where"
        )
    };
    if down.header.loses.is_empty()
        && let Some(first) = way_back.iter().find(|f| lossy(f.rule) && f.allowed.is_none())
    {
        file.findings.push(
            Finding::new(
                "lossy-way-back",
                Warning,
                &label,
                format!("undoing it loses rows, {}, and nobody is asked", first.about),
            )
            .instead("say `-- orm: loses=\"…\"` above the way back: then it waits for an agreement"),
        );
    }
    let made = made(up, backend)?;
    let unmade = made_and_dropped(down, backend)?.1;
    let taken_along = |kind: &str| unmade.iter().any(|(k, _)| *k == kind);
    for (kind, name) in made.difference(&unmade) {
        if !taken_along("schema") && !taken_along("owned") {
            file.findings.push(Finding::new(
                "way-back-leaves",
                Warning,
                &label,
                format!("{kind} {name} is created, and the way back leaves it"),
            ));
        }
    }
    Ok(file)
}

type Objects = BTreeSet<(&'static str, String)>;

/// What is there after a script, and was not before.
fn made(script: &Script, backend: Backend) -> Result<Objects> {
    Ok(made_and_dropped(script, backend)?.0)
}

/// What a script creates and keeps, and what it drops.
fn made_and_dropped(script: &Script, backend: Backend) -> Result<(Objects, Objects)> {
    let (mut made, mut dropped) = (Objects::new(), Objects::new());
    for piece in pieces(&script.text, backend)? {
        let mut r = Reader::new(&piece.tokens);
        if r.eat(&["CREATE"]) {
            if r.eat(&["OR", "REPLACE"]) || r.is("TEMP") || r.is("TEMPORARY") {
                continue;
            }
            r.pass(&["UNLOGGED", "RECURSIVE", "VIRTUAL", "FOREIGN"]);
            let what = kind(&mut r);
            r.eat(&["IF", "NOT", "EXISTS"]);
            if let (Some(kind), Some(name)) = (what.filter(stays), r.name()) {
                made.insert((kind, name));
            }
        } else if r.eat(&["DROP"]) {
            let Some(kind) = kind(&mut r) else { continue };
            r.eat(&["IF", "EXISTS"]);
            for part in parts(r.rest()) {
                if let Some(name) = Reader::new(part).name() {
                    made.remove(&(kind, name.clone()));
                    dropped.insert((kind, name));
                }
            }
        } else if r.eat(&["ALTER", "TABLE"]) {
            r.eat(&["IF", "EXISTS"]);
            let from = r.name();
            if r.eat(&["RENAME", "TO"])
                && let (Some(from), Some(to)) = (from, r.name())
                && made.remove(&("table", from))
                // a table that is written anew is none that is new
                && !dropped.remove(&("table", to.clone()))
            {
                made.insert(("table", to));
            }
        }
    }
    Ok((made, dropped))
}

/// What has to be dropped by its own name: indexes, triggers and policies go with their table.
fn stays(kind: &&'static str) -> bool {
    !matches!(
        *kind,
        "index" | "trigger" | "policy" | "rule" | "database" | "owned"
    )
}

/// One migration between the schema before and the one after it.
fn steps(
    file: &mut File,
    migration: &Migration,
    before: Option<&Schema>,
    after: Option<&Schema>,
    backend: Backend,
    keeps_snapshots: bool,
) -> Result<()> {
    let label = migration.label();
    let shown = file.findings.iter().any(|f| f.breaks_old_program);
    let mut breaks = file
        .findings
        .iter()
        .any(|f| f.breaks_old_program && f.allowed.is_none());
    if let (Some(before), Some(after)) = (before, after)
        && let Some(plan) = undecided(migration, before, after, backend)?
    {
        let found = lint(&plan, backend, &Options::default());
        let found: Vec<&Finding> = found.iter().filter(|f| f.breaks_old_program).collect();
        if !shown {
            breaks |= !found.is_empty();
            file.findings.extend(found.into_iter().map(|f| {
                Finding::new("old-program-fails", Warning, f.about.clone(), f.why.clone()).breaking()
            }));
        }
    }
    file.old_program_works = !breaks;
    if breaks && migration.up().is_some() && migration.header().phase != Some(crate::Phase::Contract) {
        file.findings.push(
            Finding::new(
                "contract-unmarked",
                Info,
                &label,
                "the program of before does not work after it, and it is applied before that program is gone",
            )
            .instead("say `-- orm: phase=contract`"),
        );
    }
    let changes_schema = migration.header().kind == crate::Kind::Schema && migration.up().is_some();
    if keeps_snapshots && after.is_none() && changes_schema && alters(migration, backend)? {
        file.findings.push(
            Finding::new(
                "snapshot-missing",
                Warning,
                label,
                "the next migration from models is made as if this one were not there",
            )
            .instead("write its snapshot: `Draft::snapshot`"),
        );
    }
    Ok(())
}

/// Whether a statement creates, alters or drops.
fn alters(migration: &Migration, backend: Backend) -> Result<bool> {
    let verbs = ["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"];
    let Some(up) = migration.up() else {
        return Ok(false);
    };
    Ok(pieces(&up.text, backend)?
        .iter()
        .any(|p| p.tokens.first().is_some_and(|t| verbs.iter().any(|v| t.is(v)))))
}

/// What a script renames, and that nothing else is: so that two snapshots can be compared where nobody can be asked.
pub(crate) fn renames_in(
    script: &Script,
    before: &Schema,
    after: &Schema,
    backend: Backend,
) -> Result<diff::Renames> {
    let mut out = diff::Renames::default();
    let named = |text: String| match text.split_once('.') {
        Some((schema, name)) => Name::within(schema, name),
        None => Name::new(&text),
    };
    for piece in pieces(&script.text, backend)? {
        let mut r = Reader::new(&piece.tokens);
        if !r.eat(&["ALTER", "TABLE"]) {
            continue;
        }
        r.eat(&["IF", "EXISTS"]);
        r.eat(&["ONLY"]);
        let Some(table) = r.name().map(named) else {
            continue;
        };
        if !r.eat(&["RENAME"]) {
            continue;
        }
        if r.eat(&["TO"]) {
            let to = r.name().map(|name| Name {
                name,
                ..table.clone()
            });
            let is_one = |to: &Name| before.table(&table).is_some() && after.table(to).is_some();
            if let Some(to) = to.filter(is_one) {
                out.tables.push((table, to));
            }
            continue;
        }
        r.eat(&["COLUMN"]);
        let from = r.name();
        if let (Some(from), true, Some(to)) = (from, r.eat(&["TO"]), r.name()) {
            // the table is called after what it is called now
            let found = out.tables.iter().find(|(old, _)| *old == table);
            let table = found.map_or(&table, |(_, new)| new).clone();
            if after.table(&table).is_some_and(|t| t.column(&to).is_some()) {
                out.columns.push((table, from, to));
            }
        }
    }
    Ok(diff::denying(before, after, out))
}

/// The plan between two schemas that are both there already.
fn undecided(
    migration: &Migration,
    before: &Schema,
    after: &Schema,
    backend: Backend,
) -> Result<Option<crate::plan::Plan>> {
    let renames = match migration.up() {
        Some(up) => renames_in(up, before, after, backend)?,
        None => diff::denied(before, after),
    };
    match plan(before, after, &renames, backend) {
        Ok(planned) => planned.decided().map(Some),
        Err(e) if e.kind() == ErrorKind::Unsupported => Ok(None),
        Err(e) => Err(e),
    }
}

/// What follows what.
fn order(migrations: &Migrations, backend: Backend, out: &mut Vec<Finding>) {
    const ALL: &str = "the folder";
    match Graph::of(migrations) {
        Err(e) => out.push(Finding::new(
            "broken-graph",
            Severity::Error,
            ALL,
            e.message().to_owned(),
        )),
        Ok(graph) => {
            let heads = graph.heads();
            if heads.len() > 1 {
                let label = |v: &i64| migrations.get(*v).map(Migration::label).unwrap_or_default();
                let names: Vec<String> = heads.iter().map(label).collect();
                let parents: Vec<String> = heads.iter().map(i64::to_string).collect();
                out.push(
                    Finding::new(
                        "several-heads",
                        Severity::Error,
                        ALL,
                        format!("nothing says which of them comes last: {}", names.join(", ")),
                    )
                    .instead(format!("a migration with `-- orm: parent={}`", parents.join("+")))
                    .instead("or `rebase`, where one of them was never applied"),
                );
            }
        }
    }
    if let Err(e) = migrations.verify_chain(backend) {
        let why = e.message().to_owned();
        out.push(Finding::new("chain-differs", Severity::Error, ALL, why));
    }
}

/// The models beside what the last migration leaves.
fn compared(schemas: &[(String, Schema)], models: &Schema, out: &mut Vec<Finding>) {
    let nothing = Schema::default();
    let last = schemas.last().map_or(&nothing, |(_, schema)| schema);
    for change in diff::changes(last, models) {
        let severity = match change {
            Change::Comment { .. } => Warning,
            _ => Severity::Error,
        };
        out.push(match dropped_by(schemas, &change) {
            Some(label) => Finding::new(
                "dropped-still-in-models",
                severity,
                change.describe(),
                format!("{label} has dropped it, and the models still have it: queries will fail"),
            )
            .instead("take it out of the models before that migration is applied")
            .breaking(),
            None => Finding::new(
                "model-not-migrated",
                severity,
                change.describe(),
                "the models say so, and no migration does it",
            )
            .instead("write a migration of the models: `generate`"),
        });
    }
}

/// The migration that dropped what this change would create.
fn dropped_by(schemas: &[(String, Schema)], change: &Change) -> Option<String> {
    let has = |schema: &Schema| match change {
        Change::CreateTable(table) => schema.table(&table.name).is_some(),
        Change::AddColumn { table, column } => schema
            .table(table)
            .is_some_and(|t| t.column(&column.name).is_some()),
        _ => false,
    };
    let gone = schemas.windows(2).rev().find(|w| has(&w[0].1) && !has(&w[1].1))?;
    Some(gone[1].0.clone())
}
