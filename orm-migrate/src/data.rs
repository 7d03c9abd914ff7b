//! Rows against constraints: will a constraint that is to come fail on the rows that are there, and do the rows keep those
//! that were declared? Counts only, never values.
//!
//! ```
//! use orm::prelude::*;
//! use orm_migrate::data;
//! use orm_migrate::introspect::introspect;
//! use orm_migrate::schema::{Schema, Unique};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let db = Db::connect("sqlite::memory:").await?;
//! sql!("create table users (id integer primary key, email text)").exec(&db).await?;
//! sql!("insert into users (email) values ('a@b'), ('a@b'), (null)").exec(&db).await?;
//!
//! let mut wanted = introspect(&db).await?;
//! let unique = Unique { name: Some("uq_users_email".into()), columns: vec!["email".into()], ..Unique::default() };
//! wanted.tables[0].uniques.push(unique);
//! wanted.tables[0].columns[1].nullable = false;
//! let found = data::check(&db, &wanted, &data::Options::default()).await?;
//! let broken: Vec<_> = found.iter().filter(|f| f.is_broken()).map(|f| f.to_string()).collect();
//! assert_eq!(broken, [
//!     "not null of users.email: 1 row is NULL there",
//!     "unique uq_users_email of users: 2 rows are equal to another",
//! ]);
//! # Ok::<(), orm::Error>(()) }).unwrap();
//! ```

use std::fmt;
use std::time::Duration;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Db;
use orm_core::value::Type;
use serde::Serialize;

use crate::Backend;
use crate::change::{Change, Constraint};
use crate::diff::relabelled;
use crate::introspect::{self, introspect_with};
use crate::schema::{Check, Column, Fill, ForeignKey, Index, IndexPart, Name, Schema, Table, Unique};
use crate::sql::name;
use crate::wire::{Wire, int, rows};
use crate::words::{literal, quoted, renamed};

/// How rows are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long each question may take before it is given up (PostgreSQL). 30 s.
    pub timeout: Duration,
    /// Only these tables, when there are any.
    pub tables: Vec<Name>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timeout: Duration::from_secs(30),
            tables: Vec::new(),
        }
    }
}

/// One constraint, and the rows that break it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The constraint: `unique uq_users_email of users`.
    pub about: String,
    /// The table.
    pub table: String,
    /// How many rows break it; `None` when it was not found out.
    pub rows: Option<i64>,
    /// What is wrong with them: `equal to another`.
    pub how: &'static str,
    /// Why it was not found out.
    pub unknown: Option<String>,
}

impl Checked {
    /// Whether rows break it.
    pub fn is_broken(&self) -> bool {
        self.rows.is_some_and(|n| n > 0)
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rows, &self.unknown) {
            (Some(1), _) => write!(f, "{}: 1 row is {}", self.about, self.how),
            (Some(n), _) => write!(f, "{}: {n} rows are {}", self.about, self.how),
            (None, Some(why)) => write!(f, "{}: not looked at, {why}", self.about),
            (None, None) => write!(f, "{}: not looked at", self.about),
        }
    }
}

/// A question to the database: how many rows.
struct Ask {
    about: String,
    table: Name,
    how: &'static str,
    sql: String,
}

/// Asks for every constraint of a schema whether the rows of the database keep it: keys, NOT NULL, UNIQUE, CHECK and
/// foreign keys. What the database guards itself is kept unless it was added NOT VALID or was switched off; what only the
/// given schema says, as that of models, may not be.
///
/// Tables and columns that the database has not are passed over.
///
/// # Errors
/// What [`introspect`](crate::introspect::introspect) says. A question that fails is told in [`Checked::unknown`].
pub async fn check(db: &Db, schema: &Schema, options: &Options) -> Result<Vec<Checked>> {
    let live = live(db).await?;
    let mut asks = Vec::new();
    for table in schema.tables.iter().filter(|t| live.table(&t.name).is_some()) {
        if !options.tables.is_empty() && !options.tables.contains(&table.name) {
            continue;
        }
        let there = |c: &&Column| {
            live.table(&table.name)
                .is_some_and(|t| t.column(&c.name).is_some())
        };
        for column in table.columns.iter().filter(there).filter(|c| !c.nullable) {
            asks.push(not_null(&table.name, &column.name));
        }
        asks.extend(
            table
                .constraints()
                .iter()
                .filter_map(|c| constraint(&table.name, c)),
        );
        let unique = table.indexes.iter().filter(|i| i.unique);
        asks.extend(unique.map(|index| unique_index(&table.name, index)));
    }
    ask(db, asks, options).await
}

/// Asks whether changes will fail on the rows that are there: new constraints, NOT NULL, required columns, smaller types,
/// labels that go. Of tables and columns that the changes themselves create there are no rows.
///
/// # Errors
/// As [`check`].
pub async fn check_changes(db: &Db, changes: &[Change], options: &Options) -> Result<Vec<Checked>> {
    let live = live(db).await?;
    let mut asks = Vec::new();
    let mut names = Names::default();
    for change in changes {
        names.note(change);
        asks.extend(asked(change, &names, &live, Backend::of(db)?));
    }
    if !options.tables.is_empty() {
        asks.retain(|a| options.tables.contains(&a.table));
    }
    ask(db, asks, options).await
}

async fn live(db: &Db) -> Result<Schema> {
    let options = introspect::Options {
        grants: false,
        leave_out: Vec::new(),
        ..introspect::Options::default()
    };
    introspect_with(db, &options).await
}

/// What is called how in the database as it is now.
#[derive(Default)]
struct Names {
    /// New name, name now.
    tables: Vec<(Name, Name)>,
    /// Table under its new name, new name, name now.
    columns: Vec<(Name, String, String)>,
}

impl Names {
    fn note(&mut self, change: &Change) {
        match change {
            Change::RenameTable { from, to } => {
                let now = self.table(from).clone();
                self.tables.push((to.clone(), now));
            }
            Change::RenameColumn { table, from, to } => {
                let now = self.column(table, from).to_owned();
                self.columns.push((table.clone(), to.clone(), now));
            }
            _ => {}
        }
    }
    fn table<'n>(&'n self, new: &'n Name) -> &'n Name {
        self.tables
            .iter()
            .find(|(n, _)| n == new)
            .map_or(new, |(_, now)| now)
    }
    fn column<'n>(&'n self, table: &Name, new: &'n str) -> &'n str {
        let found = self.columns.iter().find(|(t, n, _)| t == table && n == new);
        found.map_or(new, |(_, _, now)| now)
    }
    fn columns(&self, table: &Name, new: &[String]) -> Vec<String> {
        new.iter().map(|c| self.column(table, c).to_owned()).collect()
    }
    fn text(&self, table: &Name, sql: &str) -> String {
        let own = self.columns.iter().filter(|(t, ..)| t == table);
        own.fold(sql.to_owned(), |sql, (_, new, now)| renamed(&sql, new, now))
    }
}

fn asked(change: &Change, names: &Names, live: &Schema, backend: Backend) -> Vec<Ask> {
    let there = |table: &Name| live.table(names.table(table));
    match change {
        Change::AddColumn { table, column } if !column.nullable && column.fill == Fill::None => {
            let Some(found) = there(table) else {
                return Vec::new();
            };
            vec![Ask {
                about: format!("required column {table}.{}", column.name),
                table: found.name.clone(),
                how: "there, and none has a value for it",
                sql: format!("SELECT count(*) FROM {}", name(&found.name)),
            }]
        }
        Change::AlterColumn { table, from, to } => {
            let Some(found) = there(table) else {
                return Vec::new();
            };
            let now = names.column(table, &to.name);
            if found.column(now).is_none() {
                return Vec::new();
            }
            let mut out = Vec::new();
            if from.nullable && !to.nullable {
                out.push(not_null(&found.name, now));
            }
            if from.ty != to.ty
                && let Some((how, condition)) = too_small(&to.ty, now, backend)
            {
                out.push(Ask {
                    about: format!("type {} of {table}.{}", to.ty, to.name),
                    table: found.name.clone(),
                    how,
                    sql: format!("SELECT count(*) FROM {} WHERE {condition}", name(&found.name)),
                });
            }
            out
        }
        Change::AddConstraint { table, constraint } | Change::ValidateConstraint { table, constraint } => {
            let Some(found) = there(table) else {
                return Vec::new();
            };
            let constraint = as_named_now(constraint, table, names);
            let missing = |columns: &[String]| columns.iter().any(|c| found.column(c).is_none());
            let unknown = match &constraint {
                Constraint::ForeignKey(key) => {
                    missing(&key.columns) || live.table(&key.target).is_none_or(|t| lacks(t, key))
                }
                Constraint::Unique(unique) => missing(&unique.columns),
                Constraint::PrimaryKey(key) => missing(&key.columns),
                Constraint::Check(_) | Constraint::Exclusion(_) => false,
            };
            let of_table = |constraint| self::constraint(&found.name, constraint);
            if unknown {
                Vec::new()
            } else {
                of_table(&constraint).into_iter().collect()
            }
        }
        Change::CreateIndex { table, index } if index.unique => {
            let Some(found) = there(table) else {
                return Vec::new();
            };
            let mut index = index.clone();
            for part in &mut index.parts {
                part.key = match part.expression {
                    true => names.text(table, &part.key),
                    false => names.column(table, &part.key).to_owned(),
                };
            }
            index.filter = index.filter.map(|f| names.text(table, &f));
            let plain = index.parts.iter().filter(|p| !p.expression);
            if plain.into_iter().any(|p| found.column(&p.key).is_none()) {
                return Vec::new();
            }
            vec![unique_index(&found.name, &index)]
        }
        Change::AlterEnum { from, to, uses } => {
            let gone = from
                .labels
                .iter()
                .filter(|l| !to.labels.iter().any(|n| n == relabelled(l, from, to)));
            let gone: Vec<String> = gone.map(|l| literal(l)).collect();
            let used = uses.iter().filter_map(|u| Some((there(&u.table)?, u)));
            let used = used.filter(|(found, u)| {
                !gone.is_empty() && !u.column.ty.ends_with(']') && found.column(&u.column.name).is_some()
            });
            used.map(|(found, u)| Ask {
                about: format!("labels of {}.{}", u.table, u.column.name),
                table: found.name.clone(),
                how: "under a label that goes",
                sql: format!(
                    "SELECT count(*) FROM {} WHERE {}::text IN ({})",
                    name(&found.name),
                    quoted(&u.column.name),
                    gone.join(", ")
                ),
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

fn lacks(table: &Table, key: &ForeignKey) -> bool {
    key.target_columns.iter().any(|c| table.column(c).is_none())
}

fn as_named_now(constraint: &Constraint, table: &Name, names: &Names) -> Constraint {
    let mut out = constraint.clone();
    match &mut out {
        Constraint::PrimaryKey(key) => key.columns = names.columns(table, &key.columns),
        Constraint::Unique(unique) => unique.columns = names.columns(table, &unique.columns),
        Constraint::Check(check) => check.condition = names.text(table, &check.condition),
        Constraint::ForeignKey(key) => {
            key.columns = names.columns(table, &key.columns);
            key.target_columns = names.columns(&key.target, &key.target_columns);
            key.target = names.table(&key.target).clone();
        }
        Constraint::Exclusion(_) => {}
    }
    out
}

/// What does not fit into a type, as a condition.
fn too_small(ty: &str, column: &str, backend: Backend) -> Option<(&'static str, String)> {
    if backend != Backend::Postgres {
        return None;
    }
    let column = quoted(column);
    let length = |head: &str| -> Option<u32> {
        let inside = ty.strip_prefix(head)?.strip_suffix(')')?;
        inside.parse().ok()
    };
    let range = match ty {
        "smallint" => Some((i64::from(i16::MIN), i64::from(i16::MAX))),
        "integer" => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        _ => None,
    };
    if let Some((least, most)) = range {
        // a text is cast on the way, so that only numbers are looked at
        return Some((
            "out of its range",
            format!(
                "pg_typeof({column})::text IN ('bigint', 'integer', 'numeric') AND ({column}::text)::numeric NOT BETWEEN {least} AND {most}"
            ),
        ));
    }
    let longest = length("character varying(").or_else(|| length("character("))?;
    Some((
        "too long for it",
        format!("char_length({column}::text) > {longest}"),
    ))
}

fn not_null(table: &Name, column: &str) -> Ask {
    Ask {
        about: format!("not null of {table}.{column}"),
        table: table.clone(),
        how: "NULL there",
        sql: format!(
            "SELECT count(*) FROM {} WHERE {} IS NULL",
            name(table),
            quoted(column)
        ),
    }
}

fn constraint(table: &Name, it: &Constraint) -> Option<Ask> {
    let about = |kind: &str, called: Option<&str>| match called {
        Some(called) => format!("{kind} {called} of {table}"),
        None => format!("{kind} of {table}"),
    };
    Some(match it {
        Constraint::PrimaryKey(key) => {
            let parts = parts(&key.columns, &key.parts);
            equal(
                about("primary key", key.name.as_deref()),
                table,
                &parts,
                true,
                None,
            )
        }
        Constraint::Unique(unique) => {
            let Unique {
                name,
                columns,
                parts: said,
                nulls_not_distinct,
                ..
            } = unique;
            let parts = parts(columns, said);
            equal(
                about("unique", name.as_deref()),
                table,
                &parts,
                *nulls_not_distinct,
                None,
            )
        }
        Constraint::Check(Check {
            name: called,
            condition,
            ..
        }) => Ask {
            about: about("check", called.as_deref()),
            table: table.clone(),
            how: "against its condition",
            sql: format!("SELECT count(*) FROM {} WHERE NOT ({condition})", name(table)),
        },
        Constraint::ForeignKey(key) => orphans(about("foreign key", key.name.as_deref()), table, key)?,
        Constraint::Exclusion(_) => return None,
    })
}

fn unique_index(table: &Name, index: &Index) -> Ask {
    let about = format!("unique index {} of {table}", index.name);
    let parts = parts(&[], &index.parts);
    equal(
        about,
        table,
        &parts,
        index.nulls_not_distinct,
        index.filter.as_deref(),
    )
}

/// The entries of a key as SQL.
fn parts(columns: &[String], said: &[IndexPart]) -> Vec<String> {
    if said.is_empty() {
        return columns.iter().map(|c| quoted(c)).collect();
    }
    let entry = |part: &IndexPart| {
        let key = match part.expression {
            true => format!("({})", part.key),
            false => quoted(&part.key),
        };
        match &part.collation {
            Some(collation) => format!("{key} COLLATE {collation}"),
            None => key,
        }
    };
    said.iter().map(entry).collect()
}

/// Rows that are equal in these entries.
fn equal(about: String, table: &Name, parts: &[String], nulls: bool, filter: Option<&str>) -> Ask {
    let mut conditions: Vec<String> = Vec::new();
    if !nulls {
        conditions.extend(parts.iter().map(|p| format!("{p} IS NOT NULL")));
    }
    conditions.extend(filter.map(|f| format!("({f})")));
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    Ask {
        about,
        table: table.clone(),
        how: "equal to another",
        sql: format!(
            "SELECT CAST(coalesce(sum(n), 0) AS bigint) FROM (SELECT count(*) AS n FROM {}{filter} GROUP BY {} HAVING count(*) > 1) AS d",
            name(table),
            parts.join(", ")
        ),
    }
}

/// Rows that refer to nothing.
fn orphans(about: String, table: &Name, key: &ForeignKey) -> Option<Ask> {
    if key.columns.len() != key.target_columns.len() {
        return None;
    }
    let own = |column: &String| format!("o.{}", quoted(column));
    let pairs: Vec<String> = key
        .columns
        .iter()
        .zip(&key.target_columns)
        .map(|(a, b)| format!("t.{} = {}", quoted(b), own(a)))
        .collect();
    let there: Vec<String> = key
        .columns
        .iter()
        .map(|c| format!("{} IS NOT NULL", own(c)))
        .collect();
    let mut condition = format!(
        "({} AND NOT EXISTS (SELECT 1 FROM {} AS t WHERE {}))",
        there.join(" AND "),
        name(&key.target),
        pairs.join(" AND ")
    );
    if key.match_full && key.columns.len() > 1 {
        let any: Vec<String> = key
            .columns
            .iter()
            .map(|c| format!("{} IS NULL", own(c)))
            .collect();
        condition += &format!(" OR (({}) AND ({}))", any.join(" OR "), there.join(" OR "));
    }
    Some(Ask {
        about,
        table: table.clone(),
        how: "without the row they refer to",
        sql: format!("SELECT count(*) FROM {} AS o WHERE {condition}", name(table)),
    })
}

async fn ask(db: &Db, asks: Vec<Ask>, options: &Options) -> Result<Vec<Checked>> {
    let backend = Backend::of(db)?;
    let wire = match backend {
        Backend::Postgres if !asks.is_empty() => {
            Some(Wire::new(db.driver().session(None).await?, backend).await?)
        }
        // its readers do not wait for the writer, which a session would hold
        _ => None,
    };
    let mut out: Vec<Checked> = Vec::with_capacity(asks.len());
    for ask in asks {
        let found = match &wire {
            Some(wire) => limited(wire, &ask.sql, options.timeout).await,
            None => rows(db.driver(), &ask.sql, vec![], &[Type::I64]).await,
        };
        let (rows, unknown) = match found {
            Ok(found) => (found.first().and_then(|r| int(&r[0])), None),
            Err(e) if e.kind() == ErrorKind::ConnectionLost => return Err(e),
            Err(e) => (None, Some(why(&e))),
        };
        out.push(Checked {
            about: ask.about,
            table: ask.table.to_string(),
            rows,
            how: ask.how,
            unknown,
        });
    }
    Ok(out)
}

fn why(e: &Error) -> String {
    match e.kind() {
        ErrorKind::StatementTimeout => "it takes too long".to_owned(),
        _ => e.message().to_owned(),
    }
}

/// A read that gives up.
async fn limited(wire: &Wire, sql: &str, timeout: Duration) -> Result<Vec<Vec<orm_core::value::Value>>> {
    wire.begin().await?;
    let ms = timeout.as_millis().max(1);
    let settings = format!(
        "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', '{ms}ms', true), \
         set_config('lock_timeout', '1s', true)"
    );
    let found = match wire.exec(&settings, vec![]).await {
        Ok(_) => wire.rows(sql, vec![], &[Type::I64]).await,
        Err(e) => Err(e),
    };
    let undone = wire.rollback().await;
    let found = found?;
    undone?;
    Ok(found)
}
