//! Rules about a schema as it stands.

use crate::lint::{Finding, Options, Severity};
use crate::schema::{Index, Schema, Table};

/// Looks at every table of a schema.
///
/// ```
/// use orm_migrate::lint::{Options, lint_schema};
/// use orm_migrate::schema::{Column, Name, Schema, Table};
///
/// let log = Table {
///     name: Name::new("log"),
///     columns: vec![Column { name: "line".into(), ty: "text".into(), ..Column::default() }],
///     ..Table::default()
/// };
/// let found = lint_schema(&Schema { tables: vec![log], ..Schema::default() }, &Options::default());
/// assert_eq!(found[0].rule, "no-primary-key");
/// ```
pub fn lint_schema(schema: &Schema, options: &Options) -> Vec<Finding> {
    let mut out = Vec::new();
    for table in &schema.tables {
        keys(table, &mut out);
        indexes(table, &mut out);
        columns(table, options, &mut out);
    }
    for finding in &mut out {
        finding.allowed = options.allowed(finding.rule, &finding.about);
    }
    out
}

fn keys(table: &Table, out: &mut Vec<Finding>) {
    let about = table.name.to_string();
    if table.primary_key.is_none() && table.partition_of.is_none() {
        let why = "rows cannot be told apart, changed one by one, or replicated";
        out.push(Finding::new("no-primary-key", Severity::Warning, &about, why));
    }
    for key in &table.foreign_keys {
        let led = |columns: &[String]| {
            columns.len() >= key.columns.len() && columns[..key.columns.len()] == key.columns
        };
        let by_key = table.primary_key.as_ref().is_some_and(|k| led(&k.columns));
        let by_unique = table.uniques.iter().any(|u| led(&u.columns));
        if by_key || by_unique || table.indexes.iter().any(|i| i.filter.is_none() && led(&plain(i))) {
            continue;
        }
        let columns = key.columns.join(", ");
        let why = format!(
            "a delete in {} reads the whole table to find the rows of {columns}",
            key.target
        );
        out.push(
            Finding::new("fk-without-index", Severity::Warning, &about, why)
                .instead(format!("an index on ({columns})")),
        );
    }
}

/// The columns the index is led by, up to the first expression.
fn plain(index: &Index) -> Vec<String> {
    let btree = index.method.as_deref().is_none_or(|m| m == "btree");
    let parts = index
        .parts
        .iter()
        .take_while(|p| btree && !p.expression && p.op_class.is_none());
    parts.map(|p| p.key.clone()).collect()
}

fn indexes(table: &Table, out: &mut Vec<Finding>) {
    let about = table.name.to_string();
    for (i, index) in table.indexes.iter().enumerate() {
        if index.invalid {
            let why = format!("building {} failed, and it is kept but not used", index.name);
            out.push(
                Finding::new("invalid-index", Severity::Error, &about, why)
                    .instead("drop it and build it again"),
            );
        }
        let same = |other: &Index| Index {
            name: String::new(),
            ..other.clone()
        };
        if table.indexes[..i].iter().any(|other| same(other) == same(index)) {
            let why = format!("{} is the same as another index", index.name);
            out.push(
                Finding::new("duplicate-index", Severity::Warning, &about, why).instead("drop one of them"),
            );
            continue;
        }
        let own = plain(index);
        let whole = own.len() == index.parts.len() && index.filter.is_none() && index.include.is_empty();
        if index.unique || !whole {
            continue;
        }
        let longer = |columns: &[String]| columns.len() > own.len() && columns.starts_with(&own);
        let covered = table
            .indexes
            .iter()
            .any(|o| o.name != index.name && o.filter.is_none() && longer(&plain(o)));
        let by_key = table
            .primary_key
            .as_ref()
            .is_some_and(|k| k.columns.starts_with(&own));
        let by_unique = table.uniques.iter().any(|u| u.columns.starts_with(&own));
        if covered || by_key || by_unique {
            let why = format!("another index begins with the columns of {}", index.name);
            out.push(
                Finding::new("redundant-index", Severity::Info, &about, why).instead("drop the shorter one"),
            );
        }
    }
}

fn columns(table: &Table, options: &Options, out: &mut Vec<Finding>) {
    for column in &table.columns {
        let about = format!("{}.{}", table.name, column.name);
        if matches!(column.ty.as_str(), "timestamp without time zone" | "timestamp") {
            let why = "it does not tell which moment it means";
            out.push(
                Finding::new("naive-timestamp", Severity::Warning, &about, why)
                    .instead("timestamp with time zone"),
            );
        }
        if column.name.chars().any(char::is_uppercase) || column.name.contains([' ', '"']) {
            let why = "it has to be quoted in every statement";
            out.push(Finding::new("odd-name", Severity::Info, &about, why));
        }
        // phone1, phone2
        let stem = column.name.trim_end_matches(|c: char| c.is_ascii_digit());
        let repeated = |other: &str| {
            other != column.name && other.trim_end_matches(|c: char| c.is_ascii_digit()) == stem
        };
        let first = column.name == format!("{stem}1");
        if first && !stem.is_empty() && table.columns.iter().any(|c| repeated(&c.name)) {
            let why = "numbered columns are rows of another table";
            out.push(Finding::new("repeating-columns", Severity::Info, &about, why));
        }
    }
    let key = table.primary_key.iter().flat_map(|k| &k.columns);
    let others = table.columns.len().saturating_sub(key.count());
    if others > 2 && table.columns.iter().filter(|c| c.nullable).count() == others {
        let why = "every column but the key takes NULL";
        out.push(Finding::new(
            "nullable-everything",
            Severity::Info,
            table.name.to_string(),
            why,
        ));
    }
    if options.soft_delete && table.column("deleted_at").is_none() {
        let why = "rows are deleted for good here";
        out.push(
            Finding::new("no-soft-delete", Severity::Warning, table.name.to_string(), why)
                .instead("#[orm(soft_delete)]"),
        );
    }
}
