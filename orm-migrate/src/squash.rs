//! Many migrations as one, and a migration in another place: what is done to the files of a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use orm_core::error::{Error, Result};

use crate::dir::label;
use crate::graph::Graph;
use crate::text::COMMIT;
use crate::{Backend, Draft, Header, Migration, Migrations, Script, snapshot};

/// One migration in the place of all from one to another, both included. Write it with [`Draft::write`].
///
/// It has the statements of all of them in their order, and its header says `replaces`. A new database runs it instead of
/// them. One that has some of them goes on with those, as long as their files are there, and needs it no more. So the old
/// files stay until every database is past them; then [`drop_replaced`] removes them.
///
/// Code and data migrations are kept out with `without`: on a database without rows most have nothing to do. What a script
/// loses is not asked for again, for a new database has nothing to lose.
///
/// ```
/// use orm_migrate::squash::squash;
/// use orm_migrate::{Backend, Migrations};
///
/// let migrations = Migrations::of([
///     ("1_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
///     ("1_users.down.sql", "DROP TABLE users;"),
///     ("2_names.up.sql", "ALTER TABLE users ADD name text;"),
///     ("2_names.down.sql", "ALTER TABLE users DROP name;"),
/// ])?;
/// let one = squash(&migrations, 1, 2, "users", &[], Backend::Sqlite)?;
/// assert_eq!(one.header.replaces, [1, 2]);
/// assert_eq!(
///     one.up,
///     "-- 1_users\nCREATE TABLE users (id bigint PRIMARY KEY);\n-- 2_names\nALTER TABLE users ADD name text;\n"
/// );
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` for migrations that are no line from the first to the last, that others follow in between, or that are code
/// and not left out.
pub fn squash(
    migrations: &Migrations,
    first: i64,
    last: i64,
    name: &str,
    without: &[i64],
    backend: Backend,
) -> Result<Draft> {
    let graph = Graph::of(migrations)?;
    let before = graph.parents(first).to_vec();
    let inside: BTreeSet<i64> = graph
        .ancestors(&[last])
        .difference(&graph.ancestors(&before))
        .copied()
        .collect();
    let ordered: Vec<&Migration> = graph
        .order()
        .iter()
        .filter(|v| inside.contains(v))
        .filter_map(|v| migrations.get(*v))
        .collect();
    check(&graph, &inside, &ordered, first, last, &before)?;
    let version = last + 1;
    if migrations.get(version).is_some() {
        return Err(Error::config(format!(
            "the version {version} is taken: one that replaces {last} has to stand behind it"
        )));
    }
    let kept: Vec<&Migration> = ordered
        .iter()
        .copied()
        .filter(|m| !without.contains(&m.version))
        .collect();
    let mut header = Header {
        parents: Some(before),
        replaces: inside.iter().copied().collect(),
        ..Header::default()
    };
    let mut up = String::new();
    for migration in &kept {
        let Some(script) = migration.up() else {
            return Err(Error::config(format!(
                "{} is code, which has no text: leave it out, if a new database does not need it",
                migration.label()
            )));
        };
        header.foreign_keys_off |= script.header.foreign_keys_off;
        let depends = script.header.depends_on.iter().filter(|v| !inside.contains(v));
        header.depends_on.extend(depends);
        append(&mut up, migration, script, backend)?;
    }
    let mut down = Header::default();
    let mut back = String::new();
    let mut one_way = None;
    for migration in kept.iter().rev() {
        let Some(script) = migration.down() else {
            one_way = Some(migration.label());
            break;
        };
        down.foreign_keys_off |= script.header.foreign_keys_off;
        down.loses.extend(script.header.loses.clone());
        append(&mut back, migration, script, backend)?;
    }
    header.irreversible = one_way.as_ref().map(|label| format!("{label} has no way back"));
    let mut draft = Draft::new(name);
    draft.version = version;
    draft.header = header;
    draft.up = up;
    draft.down = one_way.is_none().then(|| down.write() + &back);
    draft.snapshot = migrations.get(last).and_then(|m| m.snapshot.clone());
    Ok(draft)
}

fn check(
    graph: &Graph,
    inside: &BTreeSet<i64>,
    ordered: &[&Migration],
    first: i64,
    last: i64,
    before: &[i64],
) -> Result<()> {
    if !inside.contains(&first) {
        return Err(Error::config(format!("{last} does not come behind {first}")));
    }
    for migration in ordered {
        let version = migration.version;
        let parents = graph.parents(version);
        let strays = parents.iter().any(|p| !inside.contains(p) && !before.contains(p));
        if strays || parents.is_empty() && version != first {
            return Err(Error::config(format!(
                "{} comes from elsewhere: begin before the branches part",
                migration.label()
            )));
        }
    }
    let inner = inside.iter().filter(|v| **v != last);
    for version in inner {
        let mut followed = graph.descendants(&[*version]);
        followed.retain(|v| !inside.contains(v) && graph.parents(*v).contains(version));
        if let Some(outer) = followed.first() {
            return Err(Error::config(format!(
                "{outer} follows {version}, which would be gone: end before the branches part"
            )));
        }
    }
    Ok(())
}

/// The statements of one script.
fn append(out: &mut String, migration: &Migration, script: &Script, backend: Backend) -> Result<()> {
    if script.header.no_transaction && !out.is_empty() {
        *out += &format!("-- {COMMIT}\n");
    }
    *out += &format!("-- {}\n", migration.label());
    if script.header.no_transaction {
        let statements = script.statements(backend)?;
        for statement in &statements {
            *out += &format!("{};\n-- {COMMIT}\n", statement.text);
        }
        return Ok(());
    }
    // lines of the header are said once for all; what allows a rule stays with its statement
    let header = |line: &str| {
        let line = line.trim();
        let said = line.strip_prefix("--").map(str::trim);
        said.is_some_and(|said| {
            said.starts_with("orm:") && said != COMMIT && !said.contains("allow=") || said == "no-transaction"
        })
    };
    for line in script.text.lines().filter(|l| !header(l)) {
        *out += line;
        *out += "\n";
    }
    let ended = script.text.trim_end().ends_with(';');
    if !ended {
        while out.ends_with('\n') {
            out.pop();
        }
        *out += "\n;\n";
    }
    Ok(())
}

/// Removes the files that a migration replaces, and writes the chain anew: when no database stands between them any more.
/// Databases that have all of them count as having what replaces them.
///
/// # Errors
/// `Config` when the migration replaces nothing, or a file cannot be removed.
pub fn drop_replaced(folder: impl AsRef<Path>, version: i64, backend: Backend) -> Result<Vec<PathBuf>> {
    let folder = folder.as_ref();
    let migrations = Migrations::read(folder)?;
    let replaced = migrations
        .get(version)
        .map(|m| m.header().replaces.clone())
        .unwrap_or_default();
    if replaced.is_empty() {
        return Err(Error::config(format!("{version} replaces nothing")));
    }
    let mut removed = Vec::new();
    for migration in replaced.iter().filter_map(|v| migrations.get(*v)) {
        for path in files(folder, &migration.label()) {
            fs::remove_file(&path).map_err(|e| unusable(&path, "removed", &e))?;
            removed.push(path);
        }
    }
    Migrations::read(folder)?.write_chain(folder, backend)?;
    Ok(removed)
}

/// Gives a migration that was applied nowhere yet a version behind all others: what is done when somebody else's was
/// merged before it. Its files get their new names, its snapshot has what the others changed too, and the chain is written
/// anew. Gives back its new version.
///
/// ```no_run
/// use orm_migrate::{Backend, squash::rebase};
/// let version = rebase("migrations", 20260131120000, Backend::Postgres)?;
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` when others follow it, when its snapshot and theirs say different things of one object, or when a file cannot
/// be written.
pub fn rebase(folder: impl AsRef<Path>, version: i64, backend: Backend) -> Result<i64> {
    let folder = folder.as_ref();
    let migrations = Migrations::read(folder)?;
    let graph = Graph::of(&migrations)?;
    let migration = migrations
        .get(version)
        .ok_or_else(|| Error::config(format!("there is no migration {version}")))?;
    let named = |other: &Migration| {
        let header = other.header();
        let parents = header.parents.iter().flatten();
        parents.chain(&header.depends_on).any(|p| *p == version)
    };
    if let Some(other) = migrations.iter().find(|m| named(m)) {
        return Err(Error::config(format!(
            "{} follows it by name: it has to be moved first",
            other.label()
        )));
    }
    let last = migrations.iter().next_back().map_or(0, |m| m.version);
    let to = Draft::new("x").version.max(last + 1);
    let Some(up) = migration.up() else {
        return Err(Error::config(
            "code has no file: give it another version where it is written",
        ));
    };
    let snapshot = match &migration.snapshot {
        Some(own) => Some(moved_snapshot(&migrations, &graph, migration, own, backend)?),
        None => None,
    };
    let mut header = up.header.clone();
    header.parents = None;
    let text = header.write() + &without_header(&up.text);
    let (old, new) = (migration.label(), label(to, &migration.name));
    for path in files(folder, &old) {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let target = folder.join(name.replacen(&old, &new, 1));
        let is_up = name.ends_with(".up.sql") || name == format!("{old}.sql");
        let content = match (is_up, &snapshot) {
            (true, _) => Some(&text),
            (false, Some(snapshot)) if name.ends_with(".snap.json") => Some(snapshot),
            _ => None,
        };
        match content {
            Some(content) => {
                fs::write(&target, content).map_err(|e| unusable(&target, "written", &e))?;
                fs::remove_file(&path).map_err(|e| unusable(&path, "removed", &e))?;
            }
            None => fs::rename(&path, &target).map_err(|e| unusable(&path, "renamed", &e))?,
        }
    }
    Migrations::read(folder)?.write_chain(folder, backend)?;
    Ok(to)
}

/// What it changed, on top of what the others left.
fn moved_snapshot(
    migrations: &Migrations,
    graph: &Graph,
    migration: &Migration,
    own: &str,
    backend: Backend,
) -> Result<String> {
    let read = |text: &str| snapshot::read(text, backend.name());
    let found = |versions: &BTreeSet<i64>| {
        let latest = graph.order().iter().rev().filter(|v| versions.contains(v));
        latest
            .filter_map(|v| migrations.get(*v))
            .find_map(|m| m.snapshot.as_deref())
    };
    let mut below = graph.ancestors(&[migration.version]);
    below.remove(&migration.version);
    let mut others: BTreeSet<i64> = graph.order().iter().copied().collect();
    others.remove(&migration.version);
    let base = found(&below).map(read).transpose()?.unwrap_or_default();
    let theirs = found(&others).map(read).transpose()?.unwrap_or_default();
    let merged = snapshot::merge(&base, &read(own)?, &theirs)?;
    Ok(snapshot::write(&merged, backend.name()))
}

/// A migration in which all heads come together: it changes nothing, and its snapshot has what all of them changed.
///
/// ```
/// use orm_migrate::{Backend, Migrations, squash::merge_heads};
/// let two = Migrations::of([
///     ("1_a.sql", "SELECT 1"),
///     ("2_b.sql", "SELECT 1"),
///     ("3_c.sql", "-- orm: parent=1\nSELECT 1"),
/// ])?;
/// assert_eq!(merge_heads(&two, "merge", Backend::Sqlite)?.header.parents, Some(vec![2, 3]));
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` when there is one head, or when two say different things of one object.
pub fn merge_heads(migrations: &Migrations, name: &str, backend: Backend) -> Result<Draft> {
    let graph = Graph::of(migrations)?;
    let heads = graph.heads();
    if heads.len() < 2 {
        return Err(Error::config("there is one head: nothing has to come together"));
    }
    let read = |text: &str| snapshot::read(text, backend.name());
    let left = |of: &BTreeSet<i64>| {
        let latest = graph.order().iter().rev().filter(|v| of.contains(v));
        latest
            .filter_map(|v| migrations.get(*v))
            .find_map(|m| m.snapshot.as_deref())
    };
    let mut together = graph.ancestors(&heads[..1]);
    let mut merged = left(&together).map(read).transpose()?;
    for head in &heads[1..] {
        let own = graph.ancestors(&[*head]);
        let common: BTreeSet<i64> = together.intersection(&own).copied().collect();
        let base = left(&common).map(read).transpose()?.unwrap_or_default();
        let theirs = left(&own).map(read).transpose()?;
        merged = match (merged, theirs) {
            (Some(ours), Some(theirs)) => Some(snapshot::merge(&base, &ours, &theirs)?),
            (ours, theirs) => ours.or(theirs),
        };
        together.extend(own);
    }
    let mut draft = Draft::new(name);
    draft.header.parents = Some(heads);
    draft.up = "SELECT 1;\n".to_owned();
    draft.down = Some("SELECT 1;\n".to_owned());
    draft.snapshot = merged.map(|schema| snapshot::write(&schema, backend.name()));
    Ok(draft)
}

/// The script behind its header.
fn without_header(text: &str) -> String {
    let mut rest = text;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let said = line.trim().strip_prefix("--").map(str::trim);
        let own = said.is_some_and(|s| {
            s == "no-transaction" || s.starts_with("orm:") && !s.contains("allow=") && s != COMMIT
        });
        if !own && !line.trim().is_empty() {
            break;
        }
        rest = &rest[line.len()..];
    }
    rest.to_owned()
}

/// The files of a migration.
fn files(folder: &Path, label: &str) -> Vec<PathBuf> {
    let parts = ["up.sql", "down.sql", "snap.json", "sql"];
    let paths = parts.iter().map(|part| folder.join(format!("{label}.{part}")));
    paths.filter(|p| p.is_file()).collect()
}

fn unusable(path: &Path, verb: &str, e: &std::io::Error) -> Error {
    Error::config(format!("`{}` cannot be {verb}: {}", path.display(), e.kind()))
}
