//! Changes in PostgreSQL's SQL.

use orm_core::error::Result;

use crate::change::{Change, Commented, Constraint, TableOptions, Use};
use crate::diff::{only_adds, relabelled};
use crate::schema::{Column, Domain, Enum, Fill, Grant, Name, RowSecurity, Sequence, Table, Trigger, View};
use crate::sql::{columns, constraint, create_index, name, named, unsupported};
use crate::words::{literal, quoted};

/// The statements that carry a change out.
pub(crate) fn statements(change: &Change) -> Result<Vec<String>> {
    let alter = |table: &Name, what: String| vec![format!("ALTER TABLE {} {what}", name(table))];
    Ok(match change {
        Change::CreateSchema(schema) => vec![format!("CREATE SCHEMA {}", quoted(schema))],
        Change::DropSchema(schema) => vec![format!("DROP SCHEMA {}", quoted(schema))],
        Change::CreateExtension(it) => {
            let place = it.schema.as_deref().map(|s| format!(" SCHEMA {}", quoted(s)));
            vec![format!(
                "CREATE EXTENSION IF NOT EXISTS {}{}",
                quoted(&it.name),
                place.unwrap_or_default()
            )]
        }
        Change::DropExtension(it) => vec![format!("DROP EXTENSION {}", quoted(&it.name))],
        Change::CreateEnum(it) => create_enum(it),
        Change::DropEnum(it) => vec![format!("DROP TYPE {}", name(&it.name))],
        Change::AlterEnum { from, to, uses } => alter_enum(from, to, uses)?,
        Change::CreateDomain(it) => create_domain(it),
        Change::DropDomain(it) => vec![format!("DROP DOMAIN {}", name(&it.name))],
        Change::AlterDomain { from, to } => alter_domain(from, to)?,
        Change::CreateComposite(it) => {
            let attributes: Vec<String> = it
                .attributes
                .iter()
                .map(|(attribute, ty)| format!("{} {ty}", quoted(attribute)))
                .collect();
            let mut out = vec![format!(
                "CREATE TYPE {} AS ({})",
                name(&it.name),
                attributes.join(", ")
            )];
            out.extend(
                it.comment
                    .as_ref()
                    .map(|c| comment(&Commented::Type(it.name.clone()), Some(c))),
            );
            out
        }
        Change::DropComposite(it) => vec![format!("DROP TYPE {}", name(&it.name))],
        Change::CreateSequence(it) => vec![format!("CREATE SEQUENCE {}{}", name(&it.name), sequence(it))],
        Change::DropSequence(it) => vec![format!("DROP SEQUENCE {}", name(&it.name))],
        Change::AlterSequence { from: _, to } => {
            vec![format!("ALTER SEQUENCE {}{}", name(&to.name), sequence(to))]
        }
        Change::OwnSequence {
            sequence,
            from: _,
            to,
        } => {
            let owner = match to {
                Some((table, column)) => format!("{}.{}", name(table), quoted(column)),
                None => "NONE".to_owned(),
            };
            vec![format!("ALTER SEQUENCE {} OWNED BY {owner}", name(sequence))]
        }
        Change::CreateTable(table) => create_table(table),
        Change::DropTable(table) => vec![format!("DROP TABLE {}", name(&table.name))],
        Change::RenameTable { from, to } => alter(from, format!("RENAME TO {}", quoted(&to.name))),
        Change::TableOptions { table, from, to } => table_options(table, from, to)?,
        Change::CreateVirtualTable(_) | Change::DropVirtualTable(_) => {
            return Err(unsupported("a virtual table", "postgres"));
        }
        Change::Partition { table, from, to } => {
            let mut out = Vec::new();
            out.extend(
                from.iter()
                    .map(|(of, _)| format!("ALTER TABLE {} DETACH PARTITION {}", name(of), name(table))),
            );
            out.extend(to.iter().map(|(of, bounds)| attach(of, table, bounds)));
            out
        }
        Change::RowSecurity { table, from: _, to } => row_security(table, *to),
        Change::AddColumn { table, column } => {
            let mut out = alter(table, format!("ADD COLUMN {}", column_def(column)));
            let on = Commented::Column(table.clone(), column.name.clone());
            out.extend(column.comment.as_ref().map(|text| comment(&on, Some(text))));
            out
        }
        Change::DropColumn { table, column } => alter(table, format!("DROP COLUMN {}", quoted(&column.name))),
        Change::RenameColumn { table, from, to } => {
            alter(table, format!("RENAME COLUMN {} TO {}", quoted(from), quoted(to)))
        }
        Change::AlterColumn { table, from, to } => {
            let parts = alter_column(from, to);
            let mut out = vec![format!("ALTER TABLE {} {}", name(table), parts.join(", "))];
            if parts.last().is_some_and(|p| p.contains(" ADD GENERATED ")) {
                out.push(past_the_last(table, &to.name));
            }
            out
        }
        Change::AddConstraint {
            table,
            constraint: it,
        } => alter(table, format!("ADD {}", constraint(it))),
        Change::DropConstraint {
            table,
            constraint: it,
        } => alter(table, format!("DROP CONSTRAINT {}", named(it, table)?)),
        Change::RenameConstraint { table, from, to } => alter(
            table,
            format!("RENAME CONSTRAINT {} TO {}", quoted(from), quoted(to)),
        ),
        Change::ValidateConstraint {
            table,
            constraint: it,
        } => alter(table, format!("VALIDATE CONSTRAINT {}", named(it, table)?)),
        Change::CreateIndex { table, index } => vec![create_index(table, index)],
        Change::DropIndex { table, index } => vec![format!("DROP INDEX {}", beside(table, &index.name))],
        Change::RenameIndex { table, from, to } => vec![format!(
            "ALTER INDEX {} RENAME TO {}",
            beside(table, &from.name),
            quoted(&to.name)
        )],
        Change::CreateFunction(it) => vec![it.definition.clone()],
        Change::DropFunction(it) => {
            let kind = if it.procedure { "PROCEDURE" } else { "FUNCTION" };
            vec![format!("DROP {kind} {}({})", name(&it.name), it.arguments)]
        }
        Change::ReplaceFunction { from: _, to } => vec![to.definition.clone()],
        Change::CreateView(view) => create_view(view),
        Change::DropView(view) => {
            let kind = if view.materialized {
                "MATERIALIZED VIEW"
            } else {
                "VIEW"
            };
            vec![format!("DROP {kind} {}", name(&view.name))]
        }
        Change::CreateTrigger { table, trigger } => create_trigger(table, trigger),
        Change::DropTrigger { table, trigger } => {
            vec![format!(
                "DROP TRIGGER {} ON {}",
                quoted(&trigger.name),
                name(table)
            )]
        }
        Change::CreatePolicy { table, policy } => vec![format!(
            "CREATE POLICY {} ON {} {}",
            quoted(&policy.name),
            name(table),
            policy.definition
        )],
        Change::DropPolicy { table, policy } => {
            vec![format!("DROP POLICY {} ON {}", quoted(&policy.name), name(table))]
        }
        Change::Grant(it) => vec![grant(it)],
        Change::Revoke(it) => vec![revoke(it)],
        Change::Comment { on, from: _, to } => vec![comment(on, to.as_deref())],
    })
}

/// Whether the change is only seen by what comes after it when it is committed.
pub(crate) fn stands_alone(change: &Change) -> bool {
    matches!(change, Change::AlterEnum { from, to, .. } if from.name == to.name && only_adds(from, to))
}

fn create_table(table: &Table) -> Vec<String> {
    let mut lines: Vec<String> = table.columns.iter().map(column_def).collect();
    lines.extend(table.constraints().iter().map(constraint));
    let unlogged = if table.unlogged { "UNLOGGED " } else { "" };
    let (called, lines) = (name(&table.name), lines.join(",\n  "));
    let mut sql = format!("CREATE {unlogged}TABLE {called} (\n  {lines}\n)");
    if !table.inherits.is_empty() {
        let parents: Vec<String> = table.inherits.iter().map(name).collect();
        sql += &format!(" INHERITS ({})", parents.join(", "));
    }
    if let Some(by) = &table.partition_by {
        sql += &format!(" PARTITION BY {by}");
    }
    if !table.options.is_empty() {
        sql += &format!(" {}", table.options);
    }
    let mut out = vec![sql];
    if let Some((of, bounds)) = &table.partition_of {
        out.push(attach(of, &table.name, bounds));
    }
    out.extend(table.indexes.iter().map(|index| create_index(&table.name, index)));
    out.extend(
        row_security(&table.name, table.row_security)
            .into_iter()
            .filter(|_| table.row_security != RowSecurity::Off),
    );
    let on = Commented::Table(table.name.clone());
    out.extend(table.comment.as_ref().map(|text| comment(&on, Some(text))));
    for column in &table.columns {
        let on = Commented::Column(table.name.clone(), column.name.clone());
        out.extend(column.comment.as_ref().map(|text| comment(&on, Some(text))));
    }
    out
}

fn attach(of: &Name, table: &Name, bounds: &str) -> String {
    format!(
        "ALTER TABLE {} ATTACH PARTITION {} {bounds}",
        name(of),
        name(table)
    )
}

fn row_security(table: &Name, to: RowSecurity) -> Vec<String> {
    let words: &[&str] = match to {
        RowSecurity::Off => &["NO FORCE", "DISABLE"],
        RowSecurity::On => &["NO FORCE", "ENABLE"],
        RowSecurity::Forced => &["ENABLE", "FORCE"],
    };
    words
        .iter()
        .map(|w| format!("ALTER TABLE {} {w} ROW LEVEL SECURITY", name(table)))
        .collect()
}

fn column_def(column: &Column) -> String {
    let mut out = format!("{} {}", quoted(&column.name), column.ty);
    if let Some(collation) = &column.collation {
        out += &format!(" COLLATE {collation}");
    }
    out += &match &column.fill {
        Fill::None => String::new(),
        Fill::Default(sql) => format!(" DEFAULT {sql}"),
        Fill::Identity { always } => format!(" {}", identity(*always, column)),
        Fill::Stored(sql) => format!(" GENERATED ALWAYS AS ({sql}) STORED"),
        Fill::Virtual(sql) => format!(" GENERATED ALWAYS AS ({sql}) VIRTUAL"),
    };
    if !column.nullable {
        out += " NOT NULL";
    }
    out
}

fn identity(always: bool, column: &Column) -> String {
    let when = if always { "ALWAYS" } else { "BY DEFAULT" };
    let options = column.identity_options.as_ref().map(|o| format!(" ({o})"));
    format!("GENERATED {when} AS IDENTITY{}", options.unwrap_or_default())
}

/// Moves a new sequence past the keys that are there already.
fn past_the_last(table: &Name, column: &str) -> String {
    format!(
        "SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}) + 1, 1), false) FROM {}",
        literal(&name(table)),
        literal(column),
        quoted(column),
        name(table)
    )
}

/// The parts of one ALTER TABLE. A default of the old type is away while the type changes.
fn alter_column(from: &Column, to: &Column) -> Vec<String> {
    let alter = |what: String| format!("ALTER COLUMN {} {what}", quoted(&to.name));
    let retyped = from.ty != to.ty || from.collation != to.collation;
    let refilled = from.fill != to.fill || from.identity_options != to.identity_options;
    let mut out = Vec::new();
    match &from.fill {
        Fill::Default(_) if refilled || retyped => out.push(alter("DROP DEFAULT".into())),
        Fill::Identity { .. } if refilled => out.push(alter("DROP IDENTITY".into())),
        _ => {}
    }
    if retyped {
        let collation = to
            .collation
            .as_ref()
            .map(|c| format!(" COLLATE {c}"))
            .unwrap_or_default();
        out.push(alter(format!(
            "TYPE {}{collation} USING {}::{}",
            to.ty,
            quoted(&to.name),
            to.ty
        )));
    }
    if from.nullable != to.nullable {
        let verb = if to.nullable { "DROP" } else { "SET" };
        out.push(alter(format!("{verb} NOT NULL")));
    }
    match &to.fill {
        Fill::Default(sql) if refilled || retyped => out.push(alter(format!("SET DEFAULT {sql}"))),
        Fill::Identity { always } if refilled => out.push(alter(format!("ADD {}", identity(*always, to)))),
        _ => {}
    }
    out
}

fn table_options(table: &Name, from: &TableOptions, to: &TableOptions) -> Result<Vec<String>> {
    let TableOptions {
        options,
        partition_by,
        inherits,
        unlogged,
    } = to;
    if from.partition_by != *partition_by {
        return Err(unsupported("changing how a table is partitioned", "postgres"));
    }
    let alter = |what: String| format!("ALTER TABLE {} {what}", name(table));
    let mut out = Vec::new();
    for gone in from.inherits.iter().filter(|t| !inherits.contains(t)) {
        out.push(alter(format!("NO INHERIT {}", name(gone))));
    }
    for new in inherits.iter().filter(|t| !from.inherits.contains(t)) {
        out.push(alter(format!("INHERIT {}", name(new))));
    }
    if from.unlogged != *unlogged {
        out.push(alter(
            if *unlogged { "SET UNLOGGED" } else { "SET LOGGED" }.to_owned(),
        ));
    }
    let inside = |options: &str| -> Vec<String> {
        let inner = options
            .trim()
            .strip_prefix("WITH (")
            .and_then(|o| o.strip_suffix(')'));
        let parts = inner.unwrap_or_default().split(',').map(str::trim);
        parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
    };
    let key = |option: &str| option.split('=').next().unwrap_or_default().trim().to_owned();
    let (before, after) = (inside(&from.options), inside(options));
    let mut gone: Vec<String> = before.iter().map(|o| key(o)).collect();
    gone.retain(|k| !after.iter().any(|o| key(o) == *k));
    if !gone.is_empty() {
        out.push(alter(format!("RESET ({})", gone.join(", "))));
    }
    if before != after && !after.is_empty() {
        out.push(alter(format!("SET ({})", after.join(", "))));
    }
    Ok(out)
}

fn create_trigger(table: &Name, trigger: &Trigger) -> Vec<String> {
    let mut out = vec![trigger.definition.clone()];
    let (table, called) = (name(table), quoted(&trigger.name));
    out.extend(
        trigger
            .enabled
            .iter()
            .map(|how| format!("ALTER TABLE {table} {how} TRIGGER {called}")),
    );
    out
}

fn create_enum(it: &Enum) -> Vec<String> {
    let mut out = vec![format!("CREATE TYPE {} AS ENUM ({})", name(&it.name), labels(it))];
    out.extend(
        it.comment
            .as_ref()
            .map(|c| comment(&Commented::Type(it.name.clone()), Some(c))),
    );
    out
}

fn labels(it: &Enum) -> String {
    let labels: Vec<String> = it.labels.iter().map(|l| literal(l)).collect();
    labels.join(", ")
}

fn alter_enum(from: &Enum, to: &Enum, uses: &[Use]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    if from.name != to.name {
        out.push(format!(
            "ALTER TYPE {} RENAME TO {}",
            name(&from.name),
            quoted(&to.name.name)
        ));
    }
    if !only_adds(from, to) {
        rebuild_enum(from, to, uses, &mut out)?;
        return Ok(out);
    }
    let ty = name(&to.name);
    let mut there: Vec<&str> = Vec::new();
    for label in &from.labels {
        let after = relabelled(label, from, to);
        if after != label {
            out.push(format!(
                "ALTER TYPE {ty} RENAME VALUE {} TO {}",
                literal(label),
                literal(after)
            ));
        }
        there.push(after);
    }
    for (i, label) in to.labels.iter().enumerate() {
        if there.contains(&label.as_str()) {
            continue;
        }
        let next = to.labels[i + 1..].iter().find(|l| there.contains(&l.as_str()));
        let place = next
            .map(|l| format!(" BEFORE {}", literal(l)))
            .unwrap_or_default();
        out.push(format!("ALTER TYPE {ty} ADD VALUE {}{place}", literal(label)));
        there.push(label);
    }
    Ok(out)
}

/// Labels cannot be removed or put into another order: a new type takes the place of the old one, in every column.
fn rebuild_enum(from: &Enum, to: &Enum, uses: &[Use], out: &mut Vec<String>) -> Result<()> {
    let old = Name {
        schema: to.name.schema.clone(),
        name: format!("{}__old", to.name.name),
    };
    out.push(format!(
        "ALTER TYPE {} RENAME TO {}",
        name(&to.name),
        quoted(&old.name)
    ));
    out.push(format!("CREATE TYPE {} AS ENUM ({})", name(&to.name), labels(to)));
    let changed: Vec<(&str, &str)> = from
        .labels
        .iter()
        .map(|l| (l.as_str(), relabelled(l, from, to)))
        .filter(|(a, b)| a != b)
        .collect();
    for Use { table, column } in uses {
        let (table, it) = (name(table), quoted(&column.name));
        let array = column.ty.ends_with("[]");
        let mut text = format!("{it}::text{}", if array { "[]" } else { "" });
        if array {
            // one after the other: what is called as another one was would be renamed twice
            if changed
                .iter()
                .any(|(_, after)| changed.iter().any(|(before, _)| before == after))
            {
                return Err(unsupported(
                    "renaming labels of an enum in a circle, in a column of arrays",
                    "postgres",
                ));
            }
            for (before, after) in &changed {
                text = format!("array_replace({text}, {}, {})", literal(before), literal(after));
            }
        } else if !changed.is_empty() {
            let when =
                |(before, after): &(&str, &str)| format!("WHEN {} THEN {}", literal(before), literal(after));
            let cases: Vec<String> = changed.iter().map(when).collect();
            text = format!("CASE {text} {} ELSE {text} END", cases.join(" "));
        }
        let mut parts = Vec::new();
        if let Fill::Default(_) = column.fill {
            parts.push(format!("ALTER COLUMN {it} DROP DEFAULT"));
        }
        parts.push(format!(
            "ALTER COLUMN {it} TYPE {} USING ({text})::{}",
            column.ty, column.ty
        ));
        if let Fill::Default(sql) = &column.fill {
            parts.push(format!("ALTER COLUMN {it} SET DEFAULT {sql}"));
        }
        out.push(format!("ALTER TABLE {table} {}", parts.join(", ")));
    }
    out.push(format!("DROP TYPE {}", name(&old)));
    Ok(())
}

fn create_domain(it: &Domain) -> Vec<String> {
    let mut sql = format!("CREATE DOMAIN {} AS {}", name(&it.name), it.ty);
    if let Some(default) = &it.default {
        sql += &format!(" DEFAULT {default}");
    }
    if !it.nullable {
        sql += " NOT NULL";
    }
    for check in &it.checks {
        sql += &format!(" {}", constraint(&Constraint::Check(check.clone())));
    }
    let mut out = vec![sql];
    out.extend(
        it.comment
            .as_ref()
            .map(|c| comment(&Commented::Domain(it.name.clone()), Some(c))),
    );
    out
}

fn alter_domain(from: &Domain, to: &Domain) -> Result<Vec<String>> {
    let alter = |what: String| format!("ALTER DOMAIN {} {what}", name(&to.name));
    let mut out = Vec::new();
    if from.default != to.default {
        out.push(alter(match &to.default {
            Some(sql) => format!("SET DEFAULT {sql}"),
            None => "DROP DEFAULT".into(),
        }));
    }
    if from.nullable != to.nullable {
        out.push(alter(format!(
            "{} NOT NULL",
            if to.nullable { "DROP" } else { "SET" }
        )));
    }
    for check in from.checks.iter().filter(|c| !to.checks.contains(c)) {
        let it = Constraint::Check(check.clone());
        out.push(alter(format!("DROP CONSTRAINT {}", named(&it, &to.name)?)));
    }
    for check in to.checks.iter().filter(|c| !from.checks.contains(c)) {
        out.push(alter(format!(
            "ADD {}",
            constraint(&Constraint::Check(check.clone()))
        )));
    }
    Ok(out)
}

fn sequence(it: &Sequence) -> String {
    let Sequence {
        name: _,
        ty,
        start,
        increment,
        min,
        max,
        cache,
        cycle,
        owned_by: _,
        comment: _,
    } = it;
    let no = if *cycle { "" } else { "NO " };
    format!(
        " AS {ty} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} START WITH {start} CACHE {cache} {no}CYCLE"
    )
}

fn create_view(view: &View) -> Vec<String> {
    let kind = if view.materialized {
        "MATERIALIZED VIEW"
    } else {
        "VIEW"
    };
    let query = view.query.trim().trim_end_matches(';');
    let names = match view.columns.is_empty() {
        true => String::new(),
        false => format!(" {}", columns(&view.columns)),
    };
    let storage = view
        .storage
        .as_ref()
        .map(|s| format!(" WITH ({s})"))
        .unwrap_or_default();
    let mut out = vec![format!(
        "CREATE {kind} {}{names}{storage} AS {query}",
        name(&view.name)
    )];
    out.extend(view.triggers.iter().flat_map(|t| create_trigger(&view.name, t)));
    out.extend(view.indexes.iter().map(|index| create_index(&view.name, index)));
    let on = Commented::View {
        name: view.name.clone(),
        materialized: view.materialized,
    };
    out.extend(view.comment.as_ref().map(|text| comment(&on, Some(text))));
    out
}

fn comment(on: &Commented, text: Option<&str>) -> String {
    let what = match on {
        Commented::Table(table) => format!("TABLE {}", name(table)),
        Commented::Column(table, column) => format!("COLUMN {}.{}", name(table), quoted(column)),
        Commented::View {
            name: view,
            materialized,
        } => {
            let kind = if *materialized {
                "MATERIALIZED VIEW"
            } else {
                "VIEW"
            };
            format!("{kind} {}", name(view))
        }
        Commented::Sequence(sequence) => format!("SEQUENCE {}", name(sequence)),
        Commented::Function {
            name: function,
            arguments,
            procedure,
        } => {
            let kind = if *procedure { "PROCEDURE" } else { "FUNCTION" };
            format!("{kind} {}({arguments})", name(function))
        }
        Commented::Type(ty) => format!("TYPE {}", name(ty)),
        Commented::Domain(domain) => format!("DOMAIN {}", name(domain)),
    };
    let text = text.map_or("NULL".to_owned(), literal);
    format!("COMMENT ON {what} IS {text}")
}

/// What everybody may do by nature is not granted, only revoked: a grant without privileges says that it was.
fn grant(it: &Grant) -> String {
    if it.privileges.is_empty() {
        return format!("REVOKE ALL ON {} FROM {}", object(it), role(&it.role));
    }
    let option = if it.grantable { " WITH GRANT OPTION" } else { "" };
    let (what, on) = (it.privileges.join(", "), object(it));
    format!("GRANT {what} ON {on} TO {}{option}", role(&it.role))
}

fn revoke(it: &Grant) -> String {
    if it.privileges.is_empty() {
        return format!("GRANT ALL ON {} TO {}", object(it), role(&it.role));
    }
    format!(
        "REVOKE {} ON {} FROM {}",
        it.privileges.join(", "),
        object(it),
        role(&it.role)
    )
}

/// A function is named with the types of its arguments, which are no part of a quoted name.
fn object(it: &Grant) -> String {
    let called = matches!(it.kind.as_str(), "FUNCTION" | "PROCEDURE");
    let object = match it.object.name.split_once('(').filter(|_| called) {
        Some((function, arguments)) => {
            let function = Name {
                schema: it.object.schema.clone(),
                name: function.to_owned(),
            };
            format!("{}({arguments}", name(&function))
        }
        None => name(&it.object),
    };
    format!("{} {object}", it.kind)
}

fn role(role: &str) -> String {
    match role {
        "PUBLIC" => role.to_owned(),
        role => quoted(role),
    }
}

/// The index's name in the schema of its table.
fn beside(table: &Name, index: &str) -> String {
    name(&Name {
        schema: table.schema.clone(),
        name: index.to_owned(),
    })
}
