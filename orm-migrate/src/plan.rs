//! The way from one schema to another and back, as statements. Pure: nothing is run here.

use orm_core::error::{Error, ErrorKind, Result};

use crate::Backend;
use crate::change::Change;
use crate::diff::{Diff, Question, Renames, diff, reverse};
use crate::schema::Schema;
use crate::segments;
use crate::sql;

/// One step of a script: one change, in one statement or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does: `add column users.age`.
    pub change: String,
    /// Its statements, without semicolons.
    pub statements: Vec<String>,
    /// Whether it has to be committed before the next one, outside of the transaction of the others.
    pub alone: bool,
    /// The data that goes with it, in words.
    pub loses: Option<String>,
}

/// Steps in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether foreign keys have to be off while it runs, from before its transaction begins (SQLite), and checked as a
    /// whole before it ends.
    pub foreign_keys_off: bool,
}

/// The way there and back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes, as data.
    pub changes: Vec<Change>,
    /// There.
    pub up: Script,
    /// Back. Rows that were lost do not come back.
    pub down: Script,
    /// The schema it starts from, under the names that follow it.
    pub before: Box<Schema>,
    /// The schema it leads to.
    pub after: Box<Schema>,
    /// Whether its steps are in the form that lets others work meanwhile: what [`safe`](crate::lint::safe) gives back.
    pub safe: bool,
}

/// What [`plan`] comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// A plan; without a step when the schemas are equal.
    Plan(Plan),
    /// Nothing before these are answered.
    NeedsDecision(Vec<Question>),
}

impl Planned {
    /// The plan.
    ///
    /// # Errors
    /// `Config` while a question is open: it names what goes and what comes.
    pub fn decided(self) -> Result<Plan> {
        let questions = match self {
            Planned::Plan(plan) => return Ok(plan),
            Planned::NeedsDecision(questions) => questions,
        };
        let said: Vec<String> = questions
            .iter()
            .map(|q| match q {
                Question::RenameTable { from, to } => format!("is table {to} what {from} was?"),
                Question::RenameColumn { table, from, to } => {
                    format!("is column {table}.{to} what {table}.{from} was?")
                }
            })
            .collect();
        Err(Error::new(
            ErrorKind::Config,
            format!("say what is renamed and what is new: {}", said.join(" ")),
        ))
    }
}

/// The way from the schema `from` to the schema `to`, in the SQL of a database.
///
/// ```
/// use orm_migrate::Backend;
/// use orm_migrate::plan::{plan};
/// use orm_migrate::diff::Renames;
/// use orm_migrate::schema::{Column, Name, Schema, Table};
///
/// let users = Table {
///     name: Name::new("users"),
///     columns: vec![Column { name: "name".into(), ty: "text".into(), ..Column::default() }],
///     ..Table::default()
/// };
/// let schema = Schema { tables: vec![users], ..Schema::default() };
/// let plan = plan(&Schema::default(), &schema, &Renames::default(), Backend::Postgres)?.decided()?;
/// assert_eq!(plan.up.to_sql(), "-- create table users\nCREATE TABLE \"users\" (\n  \"name\" text NOT NULL\n);\n");
/// assert_eq!(plan.down.to_sql(), "-- drop table users\n-- loses the rows of table users\nDROP TABLE \"users\";\n");
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` when the database lacks what `to` holds.
pub fn plan(from: &Schema, to: &Schema, renames: &Renames, database: Backend) -> Result<Planned> {
    let (changes, base) = match diff(from, to, renames) {
        Diff::NeedsDecision(questions) => return Ok(Planned::NeedsDecision(questions)),
        Diff::Changes(changes) => (changes, crate::diff::renamed(from, to, renames)),
    };
    let up = script(&changes, &base, to, database)?;
    let down = script(&reverse(changes.clone()), to, &base, database)?;
    Ok(Planned::Plan(Plan {
        changes,
        up,
        down,
        before: Box::new(base),
        after: Box::new(to.clone()),
        safe: false,
    }))
}

fn script(changes: &[Change], before: &Schema, after: &Schema, database: Backend) -> Result<Script> {
    let step = |changes: &[&Change], statements| {
        let said: Vec<String> = changes.iter().map(|c| c.describe()).collect();
        let lost: Vec<String> = changes.iter().filter_map(|c| c.loses()).collect();
        Step {
            change: said.join(", "),
            statements,
            alone: database == Backend::Postgres && changes.iter().any(|c| sql::postgres::stands_alone(c)),
            loses: (!lost.is_empty()).then(|| lost.join(", ")),
        }
    };
    match database {
        Backend::Postgres => {
            let mut steps = Vec::with_capacity(changes.len());
            for change in changes {
                steps.push(step(&[change], sql::postgres::statements(change)?));
            }
            Ok(Script {
                steps,
                foreign_keys_off: false,
            })
        }
        Backend::Sqlite => {
            let done = sql::sqlite::statements(changes, before, after)?;
            let steps = done
                .into_iter()
                .map(|(changes, statements)| step(&changes, statements));
            Ok(Script {
                steps: steps.collect(),
                foreign_keys_off: sql::sqlite::rebuilds(changes, before, after),
            })
        }
    }
}

impl Script {
    /// All statements in order.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.steps
            .iter()
            .flat_map(|s| s.statements.iter().map(String::as_str))
    }
    /// The script as text, a comment above each step, and `-- orm: commit` where a step has to stand in a transaction of
    /// its own and the runner could not know it.
    pub fn to_sql(&self) -> String {
        let told = |step: &&Step| {
            let unknown = |sql: &String| !segments::is_known(sql, Backend::Postgres);
            step.alone && step.statements.iter().any(unknown)
        };
        let mut out = String::new();
        for (i, step) in self.steps.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|before| self.steps.get(before));
            if before.is_some() && (told(&step) || before.is_some_and(|b| told(&b))) {
                out += &format!("-- {}\n", crate::text::COMMIT);
            }
            out += &format!("-- {}\n", step.change);
            if let Some(lost) = &step.loses {
                out += &format!("-- loses {lost}\n");
            }
            for statement in &step.statements {
                out += statement.trim_end().trim_end_matches(';');
                out += ";\n";
            }
        }
        out
    }
    /// What would be lost, in words.
    pub fn losses(&self) -> Vec<&str> {
        self.steps.iter().filter_map(|s| s.loses.as_deref()).collect()
    }
}
