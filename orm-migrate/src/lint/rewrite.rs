//! The same change in a form that lets others work meanwhile.

use orm_core::schema::name::short;

use crate::Backend;
use crate::change::{Change, Constraint};
use crate::diff::reverse;
use crate::plan::{Plan, Script, Step};
use crate::schema::{Check, Column, Name, Schema};
use crate::sql::{self, columns, create_index, name};
use crate::words::quoted;

/// The plan with every change in its safe form, where it has one and the table is not new: indexes are built
/// CONCURRENTLY, constraints are added NOT VALID and validated in a step of their own, NOT NULL stands on a check.
/// Nothing to do on SQLite, where one writes at a time in any case.
///
/// Both ways are rewritten. What has no such form stays as it is: indexes and foreign keys of partitioned tables, exclusion
/// constraints, types.
pub fn safe(plan: &Plan, database: Backend) -> Plan {
    let mut out = plan.clone();
    if plan.safe {
        return out;
    }
    if database == Backend::Postgres {
        out.up = rewritten(plan, &plan.up, &plan.changes);
        out.down = rewritten(plan, &plan.down, &reverse(plan.changes.clone()));
    }
    out.safe = true;
    out
}

fn created(change: &Change) -> Option<&Name> {
    match change {
        Change::CreateTable(table) => Some(&table.name),
        _ => None,
    }
}

fn rewritten(plan: &Plan, script: &Script, changes: &[Change]) -> Script {
    let fresh: Vec<&Name> = changes.iter().filter_map(created).collect();
    let mut steps = Vec::with_capacity(script.steps.len());
    // on PostgreSQL each change is one step
    for (step, change) in script.steps.iter().zip(changes) {
        let on_fresh = table(change).is_some_and(|t| fresh.contains(&t));
        match steps_of(plan, change).filter(|_| !on_fresh) {
            None => steps.push(step.clone()),
            Some(safe) => steps.extend(safe.into_iter().map(|(statement, alone)| Step {
                change: step.change.clone(),
                statements: vec![statement],
                alone,
                loses: step.loses.clone(),
            })),
        }
    }
    Script {
        steps,
        ..script.clone()
    }
}

fn table(change: &Change) -> Option<&Name> {
    match change {
        Change::CreateIndex { table, .. }
        | Change::DropIndex { table, .. }
        | Change::AddConstraint { table, .. }
        | Change::AlterColumn { table, .. } => Some(table),
        _ => None,
    }
}

/// The statements of the safe form.
pub(crate) fn steps(plan: &Plan, change: &Change) -> Option<Vec<String>> {
    Some(
        steps_of(plan, change)?
            .into_iter()
            .map(|(statement, _)| statement)
            .collect(),
    )
}

/// The statements of the safe form, and whether each stands outside of a transaction with others.
fn steps_of(plan: &Plan, change: &Change) -> Option<Vec<(String, bool)>> {
    let divided = |table: &Name| {
        let divided = |s: &Schema| s.table(table).is_some_and(|t| t.partition_by.is_some());
        divided(&plan.before) || divided(&plan.after)
    };
    let alter = |table: &Name, what: String| format!("ALTER TABLE {} {what}", name(table));
    Some(match change {
        Change::CreateIndex { table, .. } | Change::DropIndex { table, .. } if divided(table) => return None,
        Change::CreateIndex { table, index } => {
            let sql = create_index(table, index);
            vec![(sql.replacen("INDEX ", "INDEX CONCURRENTLY ", 1), true)]
        }
        Change::DropIndex { table, index } => {
            let index = Name {
                schema: table.schema.clone(),
                name: index.name.clone(),
            };
            vec![(format!("DROP INDEX CONCURRENTLY {}", name(&index)), true)]
        }
        Change::AddConstraint { table, constraint } => {
            let called = quoted(constraint.name()?);
            match constraint {
                Constraint::ForeignKey(key) if !key.not_valid && !divided(table) => {
                    let mut key = key.clone();
                    key.not_valid = true;
                    validated(table, &called, &Constraint::ForeignKey(key))
                }
                Constraint::Check(check) if !check.not_valid => {
                    let mut check = check.clone();
                    check.not_valid = true;
                    validated(table, &called, &Constraint::Check(check))
                }
                Constraint::Unique(unique)
                    if unique.parts.is_empty() && unique.deferrable.is_none() && !divided(table) =>
                {
                    let nulls = if unique.nulls_not_distinct {
                        " NULLS NOT DISTINCT"
                    } else {
                        ""
                    };
                    by_index(table, &called, "UNIQUE", &unique.columns, &unique.include, nulls)
                }
                Constraint::PrimaryKey(key)
                    if key.parts.is_empty() && key.deferrable.is_none() && !divided(table) =>
                {
                    by_index(table, &called, "PRIMARY KEY", &key.columns, &key.include, "")
                }
                _ => return None,
            }
        }
        Change::AlterColumn { table, from, to } if only_not_null(from, to) => {
            let check = free_name(plan, table, &to.name);
            let condition = format!("{} IS NOT NULL", quoted(&to.name));
            let called = quoted(&check);
            let constraint = Constraint::Check(Check {
                name: Some(check),
                condition,
                not_valid: true,
                ..Check::default()
            });
            let mut out = validated(table, &called, &constraint);
            let column = quoted(&to.name);
            // the check tells that no row has to be read
            out.push((alter(table, format!("ALTER COLUMN {column} SET NOT NULL")), false));
            out.push((alter(table, format!("DROP CONSTRAINT {called}")), false));
            out
        }
        _ => return None,
    })
}

/// A name that no constraint of the table has: for the check that stands there for a moment.
fn free_name(plan: &Plan, table: &Name, column: &str) -> String {
    let taken = |name: &str| {
        [&plan.before, &plan.after].into_iter().any(|schema| {
            let constraints = schema.table(table).map(|t| t.constraints()).unwrap_or_default();
            constraints.iter().any(|c| c.name() == Some(name))
        })
    };
    let wanted = format!("nn_{}_{column}", table.name);
    let mut name = short(&wanted);
    let mut n = 2;
    while taken(&name) {
        name = short(&format!("{wanted}_{n}"));
        n += 1;
    }
    name
}

fn only_not_null(from: &Column, to: &Column) -> bool {
    let nullable = Column {
        nullable: true,
        ..to.clone()
    };
    from.nullable && !to.nullable && *from == nullable
}

fn validated(table: &Name, called: &str, not_valid: &Constraint) -> Vec<(String, bool)> {
    let table = name(table);
    vec![
        (
            format!("ALTER TABLE {table} ADD {}", sql::constraint(not_valid)),
            true,
        ),
        (format!("ALTER TABLE {table} VALIDATE CONSTRAINT {called}"), true),
    ]
}

fn by_index(
    table: &Name,
    called: &str,
    kind: &str,
    key: &[String],
    include: &[String],
    nulls: &str,
) -> Vec<(String, bool)> {
    let table = name(table);
    let include = match include.is_empty() {
        true => String::new(),
        false => format!(" INCLUDE {}", columns(include)),
    };
    let key = columns(key);
    vec![
        (
            format!("CREATE UNIQUE INDEX CONCURRENTLY {called} ON {table} {key}{include}{nulls}"),
            true,
        ),
        (
            format!("ALTER TABLE {table} ADD CONSTRAINT {called} {kind} USING INDEX {called}"),
            false,
        ),
    ]
}
