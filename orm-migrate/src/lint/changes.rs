//! Rules about changes.

use std::collections::BTreeSet;

use crate::Backend;
use crate::change::{Change, Constraint};
use crate::diff::{only_adds, relabelled};
use crate::lint::{Finding, Lock, Options, Severity, Work, rewrite};
use crate::plan::Plan;
use crate::schema::{Column, Fill, Name};
use crate::words::mentions;

/// Names are cut at this many bytes by PostgreSQL.
pub(crate) const LONGEST_NAME: usize = 63;
/// So many tables locked by one transaction are many.
pub(crate) const MANY_TABLES: usize = 5;

/// Looks at a plan. Tables that the plan itself creates are empty, and nobody uses them: only what would stay wrong is
/// found there. In a plan that [`safe`](crate::lint::safe) has rewritten, what it has put right is found no more.
///
/// ```
/// use orm_migrate::diff::Renames;
/// use orm_migrate::lint::{Options, lint};
/// use orm_migrate::Backend;
/// use orm_migrate::plan::{plan};
/// use orm_migrate::schema::{Column, Index, IndexPart, Name, Schema, Table};
///
/// let users = |indexes| Table {
///     name: Name::new("users"),
///     columns: vec![Column { name: "email".into(), ty: "text".into(), ..Column::default() }],
///     indexes,
///     ..Table::default()
/// };
/// let index = Index {
///     name: "ix_users_email".into(),
///     parts: vec![IndexPart { key: "email".into(), ..IndexPart::default() }],
///     ..Index::default()
/// };
/// let schema = |indexes| Schema { tables: vec![users(indexes)], ..Schema::default() };
/// let (from, to) = (schema(vec![]), schema(vec![index]));
/// let plan = plan(&from, &to, &Renames::default(), Backend::Postgres)?.decided()?;
/// let findings = lint(&plan, Backend::Postgres, &Options::default());
/// assert_eq!(findings[0].rule, "index-not-concurrent");
/// assert_eq!(findings[0].instead, ["CREATE INDEX CONCURRENTLY \"ix_users_email\" ON \"users\" (\"email\")"]);
/// # Ok::<(), orm_core::error::Error>(())
/// ```
pub fn lint(plan: &Plan, database: Backend, options: &Options) -> Vec<Finding> {
    let fresh: BTreeSet<&Name> = plan
        .changes
        .iter()
        .filter_map(|c| match c {
            Change::CreateTable(table) => Some(&table.name),
            _ => None,
        })
        .collect();
    let mut out = Vec::new();
    for change in &plan.changes {
        match database {
            Backend::Postgres => postgres(plan, change, &fresh, &mut out),
            Backend::Sqlite => sqlite(change, &fresh, &mut out),
        }
        both(change, &fresh, &mut out);
    }
    if plan.safe {
        // what was found there was put right
        out.retain(|finding| !finding.rewritten);
    }
    whole(plan, database, &fresh, &mut out);
    for finding in &mut out {
        finding.allowed = options.allowed(finding.rule, &finding.about);
    }
    out
}

fn postgres(plan: &Plan, change: &Change, fresh: &BTreeSet<&Name>, out: &mut Vec<Finding>) {
    use Severity::{Error, Warning};
    let about = change.describe();
    let finding = |rule, severity, why: &str| Finding::new(rule, severity, about.clone(), why);
    let safe = || rewrite::steps(plan, change);
    match change {
        Change::CreateIndex { table, .. } if !fresh.contains(table) => out.push(
            finding(
                "index-not-concurrent",
                Error,
                "writes to the table wait until the index is built",
            )
            .under(Lock::Share, Work::Scan)
            .by_rewriting(safe()),
        ),
        Change::DropIndex { .. } => out.push(
            finding(
                "drop-index-not-concurrent",
                Warning,
                "it waits for every transaction on the table, and everybody waits behind it",
            )
            .under(Lock::AccessExclusive, Work::Catalogue)
            .by_rewriting(safe()),
        ),
        Change::AddConstraint { table, constraint } if !fresh.contains(table) => {
            add_constraint(&about, constraint, safe, out);
        }
        Change::AlterColumn { table, from, to } if !fresh.contains(table) => {
            if from.nullable && !to.nullable {
                out.push(
                    finding(
                        "set-not-null-scan",
                        Error,
                        "every row is read while reads and writes wait",
                    )
                    .under(Lock::AccessExclusive, Work::Scan)
                    .by_rewriting(safe()),
                );
            }
            if from.ty != to.ty {
                retyped(&about, from, to, out);
            }
            if matches!(to.fill, Fill::Identity { .. }) && from.fill != to.fill {
                out.push(
                    finding(
                        "add-identity",
                        Warning,
                        "the sequence is made under the lock, and moved past the last key",
                    )
                    .under(Lock::AccessExclusive, Work::Scan),
                );
            }
        }
        Change::AddColumn { table, column } if !fresh.contains(table) => added(&about, column, out),
        Change::AlterEnum { from, to, .. } if !only_adds(from, to) => out.push(
            finding(
                "enum-rebuild",
                Error,
                "labels go or change places: every column of the type is written anew",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("keep the label and stop using it, or change to a table of labels")
            .breaking(),
        ),
        Change::AlterDomain { from, to } if to.checks.iter().any(|c| !from.checks.contains(c)) => out.push(
            finding(
                "domain-check",
                Warning,
                "every column of the domain is read, in all tables",
            )
            .under(Lock::Share, Work::Scan)
            .instead("add it NOT VALID, and validate it in a step of its own"),
        ),
        Change::CreateDomain(domain) if !domain.checks.is_empty() => out.push(finding(
            "domain-check",
            Severity::Info,
            "the conditions of a domain are hard to change later; a CHECK of the column is not",
        )),
        Change::Partition {
            from: Some(_),
            to: None,
            ..
        } => out.push(
            finding(
                "partition-detach",
                Warning,
                "reads and writes of the whole partitioned table wait",
            )
            .under(Lock::AccessExclusive, Work::Catalogue)
            .instead("ALTER TABLE … DETACH PARTITION … CONCURRENTLY"),
        ),
        Change::TableOptions { from, to, .. } if from.unlogged != to.unlogged => out.push(
            finding(
                "set-logged",
                Error,
                "the whole table is written anew while reads and writes wait",
            )
            .under(Lock::AccessExclusive, Work::Rewrite),
        ),
        _ => {}
    }
}

fn add_constraint(
    about: &str,
    constraint: &Constraint,
    safe: impl Fn() -> Option<Vec<String>>,
    out: &mut Vec<Finding>,
) {
    use Severity::{Error, Warning};
    let finding = |rule, severity, why: &str| Finding::new(rule, severity, about, why);
    out.push(match constraint {
        Constraint::ForeignKey(key) if !key.not_valid => finding(
            "add-fk-validated",
            Error,
            "writes to both tables wait while every row is looked at",
        )
        .under(Lock::ShareRowExclusive, Work::Scan)
        .by_rewriting(safe()),
        Constraint::Check(check) if !check.not_valid => finding(
            "add-check-validated",
            Error,
            "reads and writes wait while every row is looked at",
        )
        .under(Lock::AccessExclusive, Work::Scan)
        .by_rewriting(safe()),
        Constraint::Unique(_) => finding(
            "add-unique-direct",
            Error,
            "reads and writes wait while its index is built",
        )
        .under(Lock::AccessExclusive, Work::Scan)
        .by_rewriting(safe()),
        Constraint::PrimaryKey(_) => finding(
            "add-pk-direct",
            Error,
            "reads and writes wait while its index is built",
        )
        .under(Lock::AccessExclusive, Work::Scan)
        .by_rewriting(safe()),
        Constraint::Exclusion(_) => finding(
            "add-exclusion",
            Warning,
            "reads and writes wait while its index is built, and there is no other way to add one",
        )
        .under(Lock::AccessExclusive, Work::Scan)
        .instead("make a new table with it and move the rows, or choose a quiet hour"),
        Constraint::ForeignKey(_) | Constraint::Check(_) => return,
    });
}

fn added(about: &str, column: &Column, out: &mut Vec<Finding>) {
    use Severity::{Error, Warning};
    let finding = |rule, severity, why: &str| Finding::new(rule, severity, about, why);
    match &column.fill {
        Fill::None if !column.nullable => out.push(
            finding(
                "add-required-column",
                Error,
                "it fails when the table has rows, and programs that do not know it cannot insert",
            )
            .instead("give it a default, or add it nullable, fill it, and set it NOT NULL later")
            .breaking(),
        ),
        Fill::Default(sql) if is_volatile(sql) => out.push(
            finding(
                "volatile-default",
                Error,
                "every row is written anew, for each gets another value",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("add it without a default, set the default, fill rows in batches"),
        ),
        Fill::Stored(_) => out.push(
            finding(
                "stored-generated-column",
                Warning,
                "every row is written anew while reads and writes wait",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("add a plain column, keep it by a trigger, fill rows in batches"),
        ),
        Fill::Identity { .. } => out.push(
            finding(
                "add-identity",
                Warning,
                "every row is written anew while reads and writes wait",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("add a plain column, fill it in batches, attach a sequence"),
        ),
        Fill::None | Fill::Default(_) | Fill::Virtual(_) => {}
    }
}

/// `now()` is the same for the whole statement and costs nothing; these are not.
pub(crate) fn is_volatile(sql: &str) -> bool {
    const VOLATILE: [&str; 9] = [
        "clock_timestamp",
        "gen_random_bytes",
        "gen_random_uuid",
        "nextval",
        "random",
        "timeofday",
        "uuid_generate_v1",
        "uuid_generate_v4",
        "uuidv7",
    ];
    VOLATILE.iter().any(|function| mentions(sql, function))
}

fn retyped(about: &str, from: &Column, to: &Column, out: &mut Vec<Finding>) {
    if in_place(&from.ty, &to.ty) {
        return;
    }
    out.push(
        Finding::new(
            "type-change-rewrite",
            Severity::Error,
            about,
            "every row and index is written anew while reads and writes wait",
        )
        .under(Lock::AccessExclusive, Work::Rewrite)
        .instead(
            "add a column of the new type, keep it by a trigger, fill it in batches, then swap the names",
        )
        .breaking(),
    );
}

/// Type changes that PostgreSQL makes in its catalogue alone.
fn in_place(from: &str, to: &str) -> bool {
    let split = |ty: &str| -> (String, Vec<u32>) {
        let (base, rest) = ty.split_once('(').unwrap_or((ty, ""));
        let numbers = rest
            .trim_end_matches(')')
            .split(',')
            .filter_map(|n| n.trim().parse().ok());
        (base.trim().to_owned(), numbers.collect())
    };
    let ((a, n), (b, m)) = (split(from), split(to));
    match (a.as_str(), b.as_str()) {
        ("character varying", "text") => true,
        ("character varying", "character varying") => m.is_empty() || n.first() <= m.first() && !n.is_empty(),
        ("numeric", "numeric") => {
            m.is_empty() || (n.len() == 2 && m.len() == 2 && n[1] == m[1] && n[0] <= m[0])
        }
        ("citext", "text") => true,
        _ => false,
    }
}

fn sqlite(change: &Change, fresh: &BTreeSet<&Name>, out: &mut Vec<Finding>) {
    let about = change.describe();
    let finding = |rule, severity, why: &str| Finding::new(rule, severity, about.clone(), why);
    match change {
        Change::AddColumn { table, column }
            if !fresh.contains(table) && !column.nullable && column.fill == Fill::None =>
        {
            out.push(
                finding(
                    "add-required-column",
                    Severity::Error,
                    "it fails when the table has rows, and programs that do not know it cannot insert",
                )
                .instead("give it a default")
                .breaking(),
            );
        }
        Change::AlterColumn { from, to, .. } if from.nullable && !to.nullable => out.push(
            finding(
                "set-not-null-scan",
                Severity::Warning,
                "it fails when a row holds NULL there",
            )
            .under(Lock::Writer, Work::Rewrite)
            .instead("set the NULLs to a value before"),
        ),
        Change::AlterColumn { .. }
        | Change::AddConstraint { .. }
        | Change::DropConstraint { .. }
        | Change::TableOptions { .. } => {
            let table = match change {
                Change::AddConstraint { table, .. } => Some(table),
                _ => None,
            };
            if table.is_none_or(|t| !fresh.contains(t)) {
                out.push(
                    finding(
                        "table-rebuild",
                        Severity::Info,
                        "the table is written anew, and nobody else writes meanwhile",
                    )
                    .under(Lock::Writer, Work::Rewrite),
                );
            }
        }
        _ => {}
    }
}

/// Rules of both databases.
fn both(change: &Change, fresh: &BTreeSet<&Name>, out: &mut Vec<Finding>) {
    use Severity::{Error, Info, Warning};
    let about = change.describe();
    let finding = |rule, severity, why: &str| Finding::new(rule, severity, about.clone(), why);
    const TWO_STEPS: &str = "first let the program stop using it, and drop it with a later migration";
    let gone = |rule| {
        finding(
            rule,
            Error,
            "programs that still use it fail, and what it held is gone",
        )
        .instead(TWO_STEPS)
        .breaking()
    };
    match change {
        Change::DropVirtualTable(it) if it.is_index() => {}
        Change::DropTable(_) | Change::DropVirtualTable(_) => out.push(gone("drop-table")),
        Change::DropColumn { column, .. } if !column.fill.is_generated() => out.push(gone("drop-column")),
        Change::DropSchema(_) => out.push(gone("drop-schema")),
        Change::DropSequence(_) => out.push(gone("drop-sequence")),
        Change::DropExtension(_) => out.push(gone("drop-extension")),
        Change::DropDomain(_) => out.push(gone("drop-domain")),
        Change::DropEnum(_) | Change::DropComposite(_) => out.push(gone("drop-type")),
        Change::RenameTable { .. } => out.push(
            finding(
                "rename-table",
                Error,
                "programs that know the old name fail from that moment on",
            )
            .instead("leave a view under the old name until no program needs it")
            .breaking(),
        ),
        Change::RenameColumn { .. } => out.push(
            finding(
                "rename-column",
                Error,
                "programs that know the old name fail from that moment on",
            )
            .instead("add the new column, keep both alike by a trigger, fill it, drop the old one later")
            .breaking(),
        ),
        Change::AlterEnum { from, to, .. } => {
            if from.name != to.name {
                out.push(
                    finding(
                        "rename-type",
                        Warning,
                        "programs that name the type fail from that moment on",
                    )
                    .breaking(),
                );
            }
            if from.labels.iter().any(|l| relabelled(l, from, to) != l) {
                out.push(
                    finding(
                        "rename-enum-label",
                        Error,
                        "programs that know the old label fail from that moment on",
                    )
                    .instead("add the new label, write both, move rows, drop the old one later")
                    .breaking(),
                );
            }
        }
        Change::DropConstraint { constraint, .. } => {
            let rule = match constraint {
                Constraint::PrimaryKey(_) => "drop-primary-key",
                _ => "drop-constraint",
            };
            out.push(
                finding(
                    rule,
                    Warning,
                    "rows that it refused may come, and going back to it will fail then",
                )
                .breaking(),
            );
        }
        Change::DropTrigger { .. } => out.push(finding("drop-trigger", Info, "what it did is done no more")),
        Change::DropPolicy { .. } | Change::RowSecurity { .. } => out.push(
            finding(
                "row-security",
                Warning,
                "rows may be seen or written by others than before",
            )
            .breaking(),
        ),
        Change::Revoke(_) => {
            out.push(finding("revoke", Warning, "programs under that role may fail").breaking())
        }
        Change::AlterColumn { table, from, to } if !fresh.contains(table) => {
            if !from.nullable && to.nullable {
                out.push(
                    finding(
                        "drop-not-null",
                        Info,
                        "programs that do not expect NULL may meet it",
                    )
                    .breaking(),
                );
            }
            if from.fill != to.fill && matches!(from.fill, Fill::Default(_)) && to.fill == Fill::None {
                out.push(
                    finding(
                        "drop-default",
                        Warning,
                        "programs that leave the column out fail, or insert NULL",
                    )
                    .breaking(),
                );
            }
        }
        Change::AddConstraint { table, .. } if !fresh.contains(table) => out.push(finding(
            "may-refuse-rows",
            Info,
            "rows that are there may break it, and the old program may write such rows",
        )),
        Change::CreateIndex { table, index } if index.unique && !fresh.contains(table) => out.push(finding(
            "may-refuse-rows",
            Info,
            "rows that are there may be equal, and the old program may write such rows",
        )),
        _ => {}
    }
    for name in names(change) {
        if name.len() > LONGEST_NAME {
            out.push(finding(
                "identifier-too-long",
                Error,
                &format!("{name} is longer than {LONGEST_NAME} bytes, and PostgreSQL cuts it"),
            ));
        }
    }
    for column in columns(change) {
        types(&about, column, out);
    }
    let indexes = match change {
        Change::CreateIndex { index, .. } => std::slice::from_ref(index),
        Change::CreateTable(table) => &table.indexes,
        _ => &[],
    };
    for index in indexes.iter().filter(|i| !i.unique && i.parts.len() > 3) {
        out.push(finding(
            "wide-index",
            Info,
            &format!(
                "{} has more than three entries, and helps few queries for what it costs",
                index.name
            ),
        ));
    }
}

fn names(change: &Change) -> Vec<&str> {
    match change {
        Change::CreateTable(table) => {
            let columns = table.columns.iter().map(|c| c.name.as_str());
            let indexes = table.indexes.iter().map(|i| i.name.as_str());
            [table.name.name.as_str()]
                .into_iter()
                .chain(columns)
                .chain(indexes)
                .collect()
        }
        Change::RenameTable { to, .. } => vec![&to.name],
        Change::AddColumn { column, .. } => vec![&column.name],
        Change::RenameColumn { to, .. } => vec![to],
        Change::CreateIndex { index, .. } => vec![&index.name],
        Change::AddConstraint { constraint, .. } => constraint.name().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Columns that are new.
fn columns(change: &Change) -> Vec<&Column> {
    match change {
        Change::CreateTable(table) => table.columns.iter().collect(),
        Change::AddColumn { column, .. } => vec![column],
        _ => Vec::new(),
    }
}

pub(crate) fn types(about: &str, column: &Column, out: &mut Vec<Finding>) {
    let ty = column.ty.as_str();
    let advice = match ty {
        "timestamp without time zone" | "timestamp" => Some((
            "prefer-timestamptz",
            "it does not tell which moment it means; use timestamp with time zone",
        )),
        "json" => Some(("prefer-jsonb", "it cannot be compared or indexed; use jsonb")),
        "money" => Some((
            "ban-money",
            "its digits depend on the server's locale; use numeric",
        )),
        "serial" | "bigserial" | "smallserial" => Some((
            "prefer-identity",
            "its sequence has rights of its own; use an identity column",
        )),
        _ if ty.starts_with("character(") || ty == "character" || ty.starts_with("char(") => {
            Some(("ban-char", "it is filled up with blanks; use text"))
        }
        "integer" | "smallint" if matches!(column.fill, Fill::Identity { .. }) => Some((
            "prefer-bigint",
            "a generated key of this size runs out; use bigint",
        )),
        _ => None,
    };
    if let Some((rule, why)) = advice {
        let why = format!("{}: {why}", column.name);
        out.push(Finding::new(rule, Severity::Warning, about, why));
    }
}

/// Rules about the plan as a whole.
fn whole(plan: &Plan, database: Backend, fresh: &BTreeSet<&Name>, out: &mut Vec<Finding>) {
    let locked: BTreeSet<&Name> = plan
        .changes
        .iter()
        .filter(|c| !plan.safe || rewrite::steps(plan, c).is_none())
        .filter_map(|c| match c {
            Change::AddColumn { table, .. }
            | Change::DropColumn { table, .. }
            | Change::RenameColumn { table, .. }
            | Change::AlterColumn { table, .. }
            | Change::AddConstraint { table, .. }
            | Change::DropConstraint { table, .. } => Some(table),
            _ => None,
        })
        .filter(|table| !fresh.contains(table))
        .collect();
    if database == Backend::Postgres && locked.len() >= MANY_TABLES {
        out.push(
            Finding::new(
                "many-locks",
                Severity::Warning,
                "the whole migration",
                format!(
                    "one transaction locks {} tables: others wait for all of them, and may deadlock",
                    locked.len()
                ),
            )
            .instead("split it into a migration for each table"),
        );
    }
    for lost in plan.down.losses() {
        out.push(Finding::new(
            "lossy-downgrade",
            Severity::Info,
            "the way back",
            format!("it loses {lost}"),
        ));
    }
}
