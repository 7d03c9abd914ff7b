//! The schema of a database, read from its catalogue.
//!
//! ```
//! use orm::prelude::*;
//! use orm_migrate::introspect::introspect;
//! use orm_migrate::schema::{Fill, Name};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let db = Db::connect("sqlite::memory:").await?;
//! sql!("create table users (id integer primary key, name text not null default 'nobody')").exec(&db).await?;
//! let schema = introspect(&db).await?;
//! let users = schema.table(&Name::new("users")).unwrap();
//! assert_eq!(users.columns[1].fill, Fill::Default("'nobody'".into()));
//! # Ok::<(), orm::Error>(()) }).unwrap();
//! ```
//!
//! One statement reads everything, however many tables there are, so that all parts belong together. Texts are those
//! that the database prints to this connection: names of schemas are left out where its search path finds the object
//! without. The first schema of the search path that exists is the default one, and has no name.
//!
//! What is read is what [`Schema`] can say. These it cannot, and they are left out:
//!
//! - PostgreSQL, objects: foreign tables, aggregates, operators, casts, collations, range types, rules, statistics objects,
//!   text search, event triggers, publications.
//! - PostgreSQL, details: keys WITHOUT OVERLAPS and constraints that are NOT ENFORCED; names of NOT NULL constraints;
//!   storage and statistics of columns; replica identity; tablespaces of indexes; storage parameters of the indexes behind
//!   constraints; comments of anything but tables, their columns, views, types, sequences and functions.
//! - SQLite: attached databases; comments inside CREATE TABLE; MATCH, which has no effect there.

mod catalogue;
mod cursor;
pub(crate) mod parse;
mod postgres;
mod sqlite;
mod token;

use orm_core::error::{Error, Result};
use orm_core::exec::Exec;

use crate::schema::{Name, Schema};

/// What is read of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The schemas (name spaces), by their names; all but those of the system when empty. SQLite has none.
    pub schemas: Vec<String>,
    /// Objects that are left out: `name` in whatever schema, or `schema.name`; `*` stands for any characters. Default
    /// `orm_migration*`: the tables in which the library keeps its own books. What belongs to an extension, and what the
    /// database made for itself, is left out always.
    pub leave_out: Vec<String>,
    /// Whether to read what roles may do. Default on.
    pub grants: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            schemas: Vec::new(),
            leave_out: vec!["orm_migration*".to_owned()],
            grants: true,
        }
    }
}

/// Reads the schema of a database, with the default [`Options`], through any handle: inside a transaction it sees what
/// the transaction has changed.
///
/// # Errors
/// `Unsupported` on a database other than PostgreSQL and SQLite; `Database` for a definition in SQLite's catalogue that is
/// no SQL as SQLite writes it.
pub async fn introspect<E: Exec + ?Sized>(ex: &E) -> Result<Schema> {
    introspect_with(ex, &Options::default()).await
}

/// Reads of a database what the options name.
///
/// ```
/// # use orm::prelude::*;
/// # use orm_migrate::introspect::{Options, introspect_with};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let db = Db::connect("sqlite::memory:").await?;
/// sql!("create table users (id integer primary key)").exec(&db).await?;
/// sql!("create table old_users (id integer primary key)").exec(&db).await?;
/// let options = Options { leave_out: vec!["old_*".into(), "orm_migration*".into()], ..Options::default() };
/// let schema = introspect_with(&db, &options).await?;
/// assert_eq!(schema.tables.len(), 1);
/// # Ok::<(), orm::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// As [`introspect`].
pub async fn introspect_with<E: Exec + ?Sized>(ex: &E, options: &Options) -> Result<Schema> {
    let dialect = ex.raw().dialect();
    let mut schema = match dialect.name() {
        "postgres" => postgres::read(ex, options).await?,
        "sqlite" => sqlite::read(ex).await?,
        other => return Err(Error::unsupported("introspection", other)),
    };
    leave_out(&mut schema, &options.leave_out);
    schema.normalize();
    Ok(schema)
}

fn leave_out(schema: &mut Schema, patterns: &[String]) {
    let stays = |name: &Name| !patterns.iter().any(|p| names(p, name));
    let Schema {
        schemas: _,
        extensions: _,
        enums,
        domains,
        composites,
        sequences,
        tables,
        virtual_tables,
        views,
        functions,
        grants,
    } = schema;
    enums.retain(|e| stays(&e.name));
    domains.retain(|d| stays(&d.name));
    composites.retain(|c| stays(&c.name));
    sequences.retain(|s| stays(&s.name) && s.owned_by.as_ref().is_none_or(|(table, _)| stays(table)));
    tables.retain(|t| stays(&t.name));
    virtual_tables.retain(|t| stays(&t.name));
    views.retain(|v| stays(&v.name));
    functions.retain(|f| stays(&f.name));
    // a function's types of arguments are no part of its name
    let bare = |name: &Name| Name {
        schema: name.schema.clone(),
        name: name.name.split('(').next().unwrap_or_default().to_owned(),
    };
    grants.retain(|g| stays(&g.object) && stays(&bare(&g.object)));
}

/// Whether the pattern names the object.
pub(crate) fn names(pattern: &str, name: &Name) -> bool {
    matches(pattern, &name.name) || name.schema.is_some() && matches(pattern, &name.to_string())
}

pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use crate::introspect::{matches, names};
    use crate::schema::Name;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text) in [
            ("a", "a"),
            ("a*", "a"),
            ("*", ""),
            ("a*b*c", "a-bb-c"),
            ("*_old", "x_old"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("a*", "ba"),
            ("a*b*c", "acb"),
            ("a*a", "a"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        assert!(names("t*", &Name::within("s", "t1")) && names("s.*", &Name::within("s", "t1")));
        assert!(!names("s.*", &Name::new("t1")));
    }
}
