//! Changes in SQLite's SQL. What ALTER TABLE cannot do is done by writing the table anew.
//!
//! The table is written under another name, filled, and takes the place of the old one. Foreign keys have to be off
//! meanwhile, or dropping the old table deletes the rows that refer to it; that is possible outside a transaction only,
//! so the whole script is run so. Views, triggers and foreign keys of other tables name the table by its name, which is
//! the same afterwards; under `legacy_alter_table` renaming does not look at them.

use orm_core::error::Result;

use crate::change::{Change, Constraint};
use crate::schema::{Column, Fill, Name, Schema, Table, View};
use crate::sql::{columns, constraint, create_index, name, on_conflict, unsupported};
use crate::words::{literal, mentions, quoted};

/// The statements of all changes, beside the changes they carry out. `before` is the schema when everything has its new
/// name, `after` what comes out.
pub(crate) fn statements<'c>(
    changes: &'c [Change],
    before: &Schema,
    after: &Schema,
) -> Result<Vec<(Vec<&'c Change>, Vec<String>)>> {
    let mut out = Vec::new();
    let mut rebuilt: Vec<&Name> = Vec::new();
    for change in changes {
        let table = of_table(change);
        let both = table.and_then(|table| before.table(table).zip(after.table(table)));
        let (done, statements) = match (table, both) {
            // created or dropped as a whole
            (Some(_), None) => continue,
            (Some(table), Some((old, new))) if needs_rebuild(old, new, changes) => {
                if rebuilt.contains(&table) {
                    continue;
                }
                rebuilt.push(table);
                let done = changes.iter().filter(|c| of_table(c) == Some(table)).collect();
                (done, rebuild(old, new, changes))
            }
            (_, _) => (vec![change], plain(change, before, after)?),
        };
        if !statements.is_empty() {
            out.push((done, statements));
        }
    }
    Ok(out)
}

/// Whether one of the tables is written anew.
pub(crate) fn rebuilds(changes: &[Change], before: &Schema, after: &Schema) -> bool {
    changes.iter().filter_map(of_table).any(|table| {
        let both = before.table(table).zip(after.table(table));
        both.is_some_and(|(old, new)| needs_rebuild(old, new, changes))
    })
}

/// The table, if the change is one of columns, constraints, indexes or options: what writing it anew does as well.
fn of_table(change: &Change) -> Option<&Name> {
    match change {
        Change::TableOptions { table, .. }
        | Change::AddColumn { table, .. }
        | Change::DropColumn { table, .. }
        | Change::AlterColumn { table, .. }
        | Change::AddConstraint { table, .. }
        | Change::DropConstraint { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::ValidateConstraint { table, .. }
        | Change::CreateIndex { table, .. }
        | Change::DropIndex { table, .. }
        | Change::RenameIndex { table, .. } => Some(table),
        _ => None,
    }
}

fn needs_rebuild(old: &Table, new: &Table, changes: &[Change]) -> bool {
    let own = changes.iter().filter(|c| of_table(c) == Some(&new.name));
    own.into_iter().any(|change| match change {
        Change::AddColumn { column, .. } => !can_be_added(column),
        Change::DropColumn { column, .. } => !can_be_dropped(column, old),
        Change::CreateIndex { .. } | Change::DropIndex { .. } | Change::RenameIndex { .. } => false,
        _ => true,
    })
}

fn can_be_added(column: &Column) -> bool {
    match &column.fill {
        Fill::None | Fill::Virtual(_) => column.nullable,
        Fill::Default(sql) => {
            is_constant(sql) && (column.nullable || !sql.trim().eq_ignore_ascii_case("null"))
        }
        Fill::Identity { .. } | Fill::Stored(_) => false,
    }
}

/// A number or a text, as SQLite wants it for rows that are there already.
fn is_constant(sql: &str) -> bool {
    let sql = sql.trim();
    let text = sql.len() > 1 && sql.starts_with('\'') && sql.ends_with('\'');
    let text = text && !sql[1..sql.len() - 1].replace("''", "").contains('\'');
    let number = sql.trim_start_matches(['-', '+']);
    let number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    text || number
        || ["null", "true", "false"]
            .iter()
            .any(|w| sql.eq_ignore_ascii_case(w))
}

fn can_be_dropped(column: &Column, table: &Table) -> bool {
    let is = |name: &String| *name == column.name;
    let named = |sql: &str| mentions(sql, &column.name);
    let keys = table.constraints().iter().any(|c| match c {
        Constraint::PrimaryKey(key) => key.columns.iter().any(is),
        Constraint::Unique(unique) => unique.columns.iter().any(is),
        Constraint::ForeignKey(key) => key.columns.iter().any(is),
        Constraint::Check(check) => named(&check.condition),
        Constraint::Exclusion(exclusion) => named(&exclusion.definition),
    });
    let calculated = table.columns.iter().any(|c| match &c.fill {
        Fill::Stored(sql) | Fill::Virtual(sql) => named(sql),
        Fill::None | Fill::Default(_) | Fill::Identity { .. } => false,
    });
    !keys && !calculated
}

fn plain(change: &Change, before: &Schema, after: &Schema) -> Result<Vec<String>> {
    let refuse = |what: &str| Err(unsupported(what, "sqlite"));
    Ok(match change {
        Change::CreateTable(table) => {
            let table = after.table(&table.name).unwrap_or(table);
            let mut out = vec![create_table(table, &table.name)];
            out.extend(table.indexes.iter().map(|index| create_index(&table.name, index)));
            out
        }
        Change::DropTable(table) => vec![format!("DROP TABLE {}", name(&table.name))],
        Change::RenameTable { from, to } => {
            vec![format!(
                "ALTER TABLE {} RENAME TO {}",
                name(from),
                quoted(&to.name)
            )]
        }
        Change::RenameColumn { table, from, to } => vec![format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            name(table),
            quoted(from),
            quoted(to)
        )],
        Change::AddColumn { table, column } => {
            vec![format!(
                "ALTER TABLE {} ADD COLUMN {}",
                name(table),
                column_def(column, None)
            )]
        }
        Change::DropColumn { table, column } => {
            vec![format!(
                "ALTER TABLE {} DROP COLUMN {}",
                name(table),
                quoted(&column.name)
            )]
        }
        Change::CreateIndex { table, index } => vec![create_index(table, index)],
        Change::DropIndex { index, .. } => vec![format!("DROP INDEX {}", quoted(&index.name))],
        Change::RenameIndex { table, from, to } => vec![
            format!("DROP INDEX {}", quoted(&from.name)),
            create_index(table, to),
        ],
        Change::CreateView(View {
            materialized: false,
            name: view,
            columns: named,
            query,
            triggers,
            ..
        }) => {
            let named = match named.is_empty() {
                true => String::new(),
                false => format!(" {}", columns(named)),
            };
            let query = query.trim().trim_end_matches(';');
            let mut out = vec![format!("CREATE VIEW {}{named} AS {query}", name(view))];
            out.extend(triggers.iter().map(|t| t.definition.clone()));
            out
        }
        Change::CreateVirtualTable(it) => {
            let (table, own) = (name(&it.name), quoted(&it.name.name));
            let mut out = vec![format!("CREATE VIRTUAL TABLE {table} USING {}", it.module)];
            if it.is_index() {
                // a command of FTS5: it reads the rows that are there
                out.push(format!("INSERT INTO {table} ({own}) VALUES ('rebuild')"));
            }
            out
        }
        Change::DropVirtualTable(it) => vec![format!("DROP TABLE {}", name(&it.name))],
        Change::DropView(view) => vec![format!("DROP VIEW {}", name(&view.name))],
        Change::CreateTrigger { table: _, trigger } => vec![trigger.definition.clone()],
        // a trigger goes with its table
        Change::DropTrigger { table, .. } if before.table(table).is_none() => Vec::new(),
        Change::DropTrigger { table: _, trigger } => vec![format!("DROP TRIGGER {}", quoted(&trigger.name))],
        // there is no place for them
        Change::Comment { .. } => Vec::new(),
        Change::AlterColumn { .. }
        | Change::TableOptions { .. }
        | Change::AddConstraint { .. }
        | Change::DropConstraint { .. }
        | Change::RenameConstraint { .. }
        | Change::ValidateConstraint { .. } => Vec::new(),
        Change::CreateSchema(_) | Change::DropSchema(_) => return refuse("a schema"),
        Change::CreateExtension(_) | Change::DropExtension(_) => return refuse("an extension"),
        Change::CreateEnum(_) | Change::DropEnum(_) | Change::AlterEnum { .. } => {
            return refuse("an enum type");
        }
        Change::CreateDomain(_) | Change::DropDomain(_) | Change::AlterDomain { .. } => {
            return refuse("a domain");
        }
        Change::CreateComposite(_) | Change::DropComposite(_) => return refuse("a composite type"),
        Change::CreateSequence(_)
        | Change::DropSequence(_)
        | Change::AlterSequence { .. }
        | Change::OwnSequence { .. } => return refuse("a sequence"),
        Change::Partition { .. } => return refuse("a partition"),
        Change::RowSecurity { .. } | Change::CreatePolicy { .. } | Change::DropPolicy { .. } => {
            return refuse("row-level security");
        }
        Change::CreateFunction(_) | Change::DropFunction(_) | Change::ReplaceFunction { .. } => {
            return refuse("a function");
        }
        Change::CreateView(_) => return refuse("a materialized view"),
        Change::Grant(_) | Change::Revoke(_) => return refuse("a grant"),
    })
}

fn create_table(table: &Table, called: &Name) -> String {
    // a generated key is the primary key of its own column
    let inline = table
        .columns
        .iter()
        .find(|c| matches!(c.fill, Fill::Identity { .. }));
    let mut lines: Vec<String> = table
        .columns
        .iter()
        .map(|c| {
            let key = table
                .primary_key
                .as_ref()
                .filter(|_| inline.is_some_and(|i| i.name == c.name));
            column_def(c, key.map(|key| key.name.as_deref()))
        })
        .collect();
    let others = table.constraints();
    let others = others
        .iter()
        .filter(|c| inline.is_none() || !matches!(c, Constraint::PrimaryKey(_)));
    lines.extend(others.map(constraint));
    let options = match table.options.is_empty() {
        true => String::new(),
        false => format!(" {}", table.options),
    };
    format!(
        "CREATE TABLE {} (\n  {}\n){options}",
        name(called),
        lines.join(",\n  ")
    )
}

fn column_def(column: &Column, key: Option<Option<&str>>) -> String {
    let mut out = quoted(&column.name);
    if !column.ty.is_empty() {
        out += &format!(" {}", column.ty);
    }
    if !column.nullable {
        out += " NOT NULL";
        out += &on_conflict(column.on_null);
    }
    if let Some(key) = key {
        if let Some(key) = key {
            out += &format!(" CONSTRAINT {}", quoted(key));
        }
        out += " PRIMARY KEY AUTOINCREMENT";
    }
    if let Some(collation) = &column.collation {
        out += &format!(" COLLATE {collation}");
    }
    out + &match &column.fill {
        Fill::None | Fill::Identity { .. } => String::new(),
        Fill::Default(sql) if is_constant(sql) => format!(" DEFAULT {sql}"),
        Fill::Default(sql) => format!(" DEFAULT ({sql})"),
        Fill::Stored(sql) => format!(" GENERATED ALWAYS AS ({sql}) STORED"),
        Fill::Virtual(sql) => format!(" GENERATED ALWAYS AS ({sql}) VIRTUAL"),
    }
}

/// The table anew: its rows, indexes and triggers, and the state of its generated keys.
fn rebuild(old: &Table, new: &Table, changes: &[Change]) -> Vec<String> {
    let temporary = Name::new(format!("_new_{}", new.name.name));
    let kept: Vec<&str> = new
        .columns
        .iter()
        .filter(|c| !c.fill.is_generated())
        .filter(|c| old.column(&c.name).is_some_and(|b| !b.fill.is_generated()))
        .map(|c| c.name.as_str())
        .collect();
    let mut out = vec![
        "PRAGMA legacy_alter_table = ON".to_owned(),
        create_table(new, &temporary),
    ];
    if !kept.is_empty() {
        let list = columns(&kept);
        let selected = list.trim_matches(['(', ')']);
        out.push(format!(
            "INSERT INTO {} {list} SELECT {selected} FROM {}",
            name(&temporary),
            name(&new.name)
        ));
    }
    let counted = |t: &Table| t.columns.iter().any(|c| matches!(c.fill, Fill::Identity { .. }));
    if counted(old) && counted(new) {
        // keys of rows that were deleted are not given again
        let (from, to) = (literal(&new.name.name), literal(&temporary.name));
        out.push(format!("DELETE FROM sqlite_sequence WHERE name = {to}"));
        out.push(format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT {to}, seq FROM sqlite_sequence WHERE name = {from}"
        ));
    }
    out.push(format!("DROP TABLE {}", name(&new.name)));
    out.push(format!(
        "ALTER TABLE {} RENAME TO {}",
        name(&temporary),
        quoted(&new.name.name)
    ));
    out.extend(new.indexes.iter().map(|index| create_index(&new.name, index)));
    // those that are dropped and created by changes of their own are away already
    let away = |name: &str| {
        changes.iter().any(|c| match c {
            Change::DropTrigger { table, trigger } => *table == new.name && trigger.name == name,
            _ => false,
        })
    };
    let kept = old.triggers.iter().filter(|t| !away(&t.name));
    out.extend(kept.map(|t| t.definition.clone()));
    out.push("PRAGMA legacy_alter_table = OFF".to_owned());
    out
}
