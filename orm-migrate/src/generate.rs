//! A migration from models: the difference to the schema that the last migration left, as files to look at and commit.
//! No database is asked.

use orm_core::error::{Error, Result};

use crate::diff::{Question, Renames};
use crate::lint::safe;
use crate::plan::{Plan, Planned, Script, plan};
use crate::schema::Schema;
use crate::{Backend, Draft, Graph, Header, Migration, Migrations, snapshot};

/// What [`generate`] comes to.
#[derive(Debug)]
pub enum Generated {
    /// The models are what the last migration left.
    Nothing,
    /// Nothing before these are answered, in [`Renames`].
    NeedsDecision(Vec<Question>),
    /// The files, not yet written, and the plan they were made of: for [`lint`](crate::lint) and for people.
    Draft(Box<(Draft, Plan)>),
}

/// The migration that makes of the last migration's schema the wanted one.
///
/// It is written in the form that lets others work meanwhile ([`lint::safe`](crate::lint::safe)): on PostgreSQL, indexes of
/// tables that are there are built CONCURRENTLY, and constraints validated in a transaction of their own.
/// [`generate_with`] can be told not to.
///
/// What would be lost stands in the headers of both scripts, so that neither way is gone without an acknowledgement. The
/// snapshot of the new schema is written beside them; a migration written by hand keeps up with it by
/// [`Draft::snapshot`], or the next one is made as if it were not there.
///
/// ```
/// use orm::prelude::*;
/// use orm_migrate::diff::Renames;
/// use orm_migrate::generate::{Generated, generate};
/// use orm_migrate::schema::Schema;
/// use orm_migrate::{Backend, Migrations};
///
/// #[derive(Model)]
/// pub struct City { pub id: Id<City>, pub name: String }
///
/// let schema = Schema::of_models(&orm::schema![City], &orm::sqlite::DIALECT)?;
/// let made = generate("create cities", &Migrations::of([])?, &schema, &Renames::default(), Backend::Sqlite)?;
/// let Generated::Draft(made) = made else { panic!("there was nothing before") };
/// assert!(made.0.up.starts_with("-- create table cities\nCREATE TABLE \"cities\""));
/// assert_eq!(made.0.down.as_deref().unwrap().lines().last(), Some("DROP TABLE \"cities\";"));
/// // made.0.write("migrations", Backend::Sqlite)? writes three files and the chain
/// # Ok::<(), orm::Error>(())
/// ```
///
/// # Errors
/// `Config` when the last snapshot cannot be read, and while there are several heads; `Unsupported` when the database lacks what the schema holds.
pub fn generate(
    name: &str,
    migrations: &Migrations,
    wanted: &Schema,
    renames: &Renames,
    backend: Backend,
) -> Result<Generated> {
    let how = Options {
        renames: renames.clone(),
        ..Options::default()
    };
    generate_with(name, migrations, wanted, &how, backend)
}

/// How a migration is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What was said about renames.
    pub renames: Renames,
    /// Whether every change is written as somebody would type it, in one transaction under its locks: for a database that
    /// nobody uses meanwhile. Otherwise it has the form of [`lint::safe`](crate::lint::safe).
    pub direct: bool,
}

/// [`generate`], with a word about how.
///
/// # Errors
/// As [`generate`].
pub fn generate_with(
    name: &str,
    migrations: &Migrations,
    wanted: &Schema,
    how: &Options,
    backend: Backend,
) -> Result<Generated> {
    let last = last(migrations, backend)?.unwrap_or_default();
    let plan = match plan(&last, wanted, &how.renames, backend)? {
        Planned::NeedsDecision(questions) => return Ok(Generated::NeedsDecision(questions)),
        Planned::Plan(plan) if plan.changes.is_empty() => return Ok(Generated::Nothing),
        Planned::Plan(plan) if how.direct => plan,
        Planned::Plan(plan) => safe(&plan, backend),
    };
    let mut draft = Draft::new(name);
    draft.header = header(&plan.up);
    draft.up = plan.up.to_sql();
    draft.down = Some(header(&plan.down).write() + &plan.down.to_sql());
    draft.snapshot = Some(snapshot::write(wanted, backend.name()));
    Ok(Generated::Draft(Box::new((draft, plan))))
}

/// The schema that the last migration left, if one says.
pub(crate) fn last(migrations: &Migrations, backend: Backend) -> Result<Option<Schema>> {
    let graph = Graph::of(migrations)?;
    let heads = graph.heads();
    if heads.len() > 1 {
        let names: Vec<String> = heads
            .iter()
            .filter_map(|v| migrations.get(*v).map(Migration::label))
            .collect();
        return Err(Error::config(format!(
            "there are several heads, and none has the schema of all of them: {}. Bring them together first \
             (`squash::rebase`, `squash::merge_heads`)",
            names.join(", ")
        )));
    }
    let order = graph.order().iter().rev();
    let last = order
        .filter_map(|v| migrations.get(*v))
        .find_map(|m| m.snapshot.as_deref());
    last.map(|text| snapshot::read(text, backend.name())).transpose()
}

fn header(script: &Script) -> Header {
    Header {
        loses: script.losses().into_iter().map(str::to_owned).collect(),
        foreign_keys_off: script.foreign_keys_off,
        ..Header::default()
    }
}
