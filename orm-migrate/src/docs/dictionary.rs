//! The data dictionary: every table and column with what is known about it, as Markdown, HTML, JSON or CSV.

use std::fmt::Write as _;

use orm_core::error::{Error, ErrorKind, Result};
use orm_core::schema as models;
use serde::Serialize;

use crate::docs::Cardinality;
use crate::docs::erd::html;
use crate::schema::{Fill, Schema, Table, action_sql};
use crate::words::mentions;

/// What is known about all tables. Serialised as it stands, it is the JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dictionary {
    /// The tables, by name.
    pub tables: Vec<TableEntry>,
}

/// What is known about a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub comment: Option<String>,
    /// Its columns in order.
    pub columns: Vec<ColumnEntry>,
    /// Constraints over the table, in words of SQL.
    pub constraints: Vec<String>,
    /// Its foreign keys.
    pub relations: Vec<RelationEntry>,
    /// Its indexes: name, entries.
    pub indexes: Vec<String>,
    /// Validators of whole rows, which run in the program.
    pub validators: Vec<String>,
}

/// What is known about a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnEntry {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// What fills it when it is left out.
    pub default: Option<String>,
    /// `PK`, `FK`, `UK`.
    pub keys: Vec<&'static str>,
    /// Conditions on it in the database.
    pub checks: Vec<String>,
    /// The validator that runs in the program.
    pub validator: Option<String>,
    /// Whether its values are kept out of logs and trails.
    pub sensitive: bool,
    /// What it is for.
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelationEntry {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub target: String,
    /// The referenced columns.
    pub target_columns: Vec<String>,
    /// `1 — 0..*`: the referenced side, then the referring one.
    pub cardinality: String,
    /// What a delete does.
    pub on_delete: &'static str,
}

/// The form it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markdown.
    Markdown,
    /// One HTML page, without scripts.
    Html,
    /// JSON.
    Json,
    /// A row for each column; quoted as RFC 4180 says.
    Csv,
}

impl Dictionary {
    /// The dictionary of a schema. The models add what only the program knows: validators and which columns are
    /// sensitive.
    pub fn of(schema: &Schema, models: Option<&models::Schema>) -> Dictionary {
        let model = |table: &Table| {
            let mut tables = models?.tables().iter();
            tables.find(|m| m.table.name == table.name.name && m.table.schema == table.name.schema.as_deref())
        };
        let tables = schema.tables.iter().map(|t| entry(t, model(t).copied()));
        Dictionary {
            tables: tables.collect(),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// `Encode` when it cannot be written as JSON, which no schema is known to cause.
    pub fn write(&self, format: Format) -> Result<String> {
        Ok(match format {
            Format::Markdown => self.markdown(),
            Format::Html => self.html(),
            Format::Json => serde_json::to_string_pretty(self)
                .map_err(|e| Error::new(ErrorKind::Encode, format!("the dictionary as JSON: {e}")))?,
            Format::Csv => self.csv(),
        })
    }

    fn markdown(&self) -> String {
        let mut out = String::from("# Data dictionary\n");
        for table in &self.tables {
            _ = writeln!(out, "\n## {}\n", cell(&table.name));
            if let Some(comment) = &table.comment {
                _ = writeln!(out, "{}\n", comment.trim());
            }
            _ = writeln!(out, "| {} |", HEAD.join(" | "));
            _ = writeln!(out, "|{}", "---|".repeat(HEAD.len()));
            for column in &table.columns {
                let cells: Vec<String> = column.cells().iter().map(|c| cell(c)).collect();
                _ = writeln!(out, "| {} |", cells.join(" | "));
            }
            for (title, lines) in table.lists() {
                _ = writeln!(out, "\n{title}:\n");
                for line in lines {
                    _ = writeln!(out, "- {}", cell(&line));
                }
            }
        }
        out
    }

    fn html(&self) -> String {
        let mut out = String::from(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Data dictionary</title></head>\n<body>\n<h1>Data dictionary</h1>\n",
        );
        for table in &self.tables {
            let name = html(&table.name);
            _ = writeln!(out, "<h2 id=\"{name}\">{name}</h2>");
            if let Some(comment) = &table.comment {
                _ = writeln!(out, "<p>{}</p>", html(comment.trim()));
            }
            let head: String = HEAD.iter().map(|h| format!("<th>{h}</th>")).collect();
            _ = writeln!(out, "<table>\n<tr>{head}</tr>");
            for column in &table.columns {
                let cells: String = column
                    .cells()
                    .iter()
                    .map(|c| format!("<td>{}</td>", html(c)))
                    .collect();
                _ = writeln!(out, "<tr>{cells}</tr>");
            }
            _ = writeln!(out, "</table>");
            for (title, lines) in table.lists() {
                let items: String = lines.iter().map(|l| format!("<li>{}</li>", html(l))).collect();
                _ = writeln!(out, "<p>{title}</p>\n<ul>{items}</ul>");
            }
        }
        out + "</body>\n</html>\n"
    }

    fn csv(&self) -> String {
        let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let mut out = format!("Table,{}\r\n", HEAD.join(","));
        for table in &self.tables {
            for column in &table.columns {
                let cells: Vec<String> = column.cells().iter().map(|c| quoted(c)).collect();
                out += &format!("{},{}\r\n", quoted(&table.name), cells.join(","));
            }
        }
        out
    }
}

const HEAD: [&str; 8] = [
    "Column",
    "Type",
    "Null",
    "Default",
    "Keys",
    "Rules",
    "Sensitive",
    "Comment",
];

impl ColumnEntry {
    /// What stands under [`HEAD`].
    fn cells(&self) -> [String; HEAD.len()] {
        let said = |is: bool| if is { "yes" } else { "" }.to_owned();
        let validator = self.validator.iter().map(|v| format!("validated by {v}"));
        let rules: Vec<String> = self.checks.iter().cloned().chain(validator).collect();
        [
            self.name.clone(),
            self.ty.clone(),
            said(self.nullable),
            self.default.clone().unwrap_or_default(),
            self.keys.join(", "),
            rules.join("; "),
            said(self.sensitive),
            self.comment.clone().unwrap_or_default(),
        ]
    }
}

impl TableEntry {
    /// The lists under the table that are not empty.
    fn lists(&self) -> Vec<(&'static str, Vec<String>)> {
        let relations = self.relations.iter().map(|r| {
            let (own, theirs) = (r.columns.join(", "), r.target_columns.join(", "));
            format!(
                "{own} refers to {} ({theirs}), {}, on delete {}",
                r.target,
                r.cardinality,
                r.on_delete.to_lowercase()
            )
        });
        let lists = [
            ("Relations", relations.collect()),
            ("Constraints", self.constraints.clone()),
            ("Indexes", self.indexes.clone()),
            ("Validators of rows", self.validators.clone()),
        ];
        lists
            .into_iter()
            .filter(|(_, list): &(_, Vec<String>)| !list.is_empty())
            .collect()
    }
}

fn entry(table: &Table, model: Option<&'static models::Table>) -> TableEntry {
    let columns = table.columns.iter().map(|column| {
        let known = model.and_then(|m| m.column(&column.name));
        let has = |columns: &[String]| columns.contains(&column.name);
        let keys = [
            (table.primary_key.as_ref().is_some_and(|k| has(&k.columns)), "PK"),
            (table.foreign_keys.iter().any(|k| has(&k.columns)), "FK"),
            (table.uniques.iter().any(|u| has(&u.columns)), "UK"),
        ];
        let checks = table
            .checks
            .iter()
            .filter(|c| mentions(&c.condition, &column.name));
        ColumnEntry {
            name: column.name.clone(),
            ty: column.ty.clone(),
            nullable: column.nullable,
            default: match &column.fill {
                Fill::None => None,
                Fill::Default(sql) => Some(sql.clone()),
                Fill::Identity { .. } => Some("generated key".into()),
                Fill::Stored(sql) => Some(format!("calculated: {sql}")),
                Fill::Virtual(sql) => Some(format!("calculated when read: {sql}")),
            },
            keys: keys
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, word)| word)
                .collect(),
            checks: checks.map(|c| c.condition.clone()).collect(),
            validator: known.and_then(|c| c.validator).map(|v| v.name.to_owned()),
            sensitive: known.is_some_and(|c| c.column.sensitive),
            comment: column.comment.clone(),
        }
    });
    let relations = table.foreign_keys.iter().map(|key| RelationEntry {
        columns: key.columns.clone(),
        target: key.target.to_string(),
        target_columns: key.target_columns.clone(),
        cardinality: Cardinality::of(table, key).says(),
        on_delete: action_sql(key.on_delete),
    });
    let named = |name: &Option<String>, what: String| match name {
        Some(name) => format!("{name}: {what}"),
        None => what,
    };
    let uniques = table
        .uniques
        .iter()
        .map(|u| named(&u.name, format!("unique ({})", u.columns.join(", "))));
    let checks = table
        .checks
        .iter()
        .map(|c| named(&c.name, format!("check ({})", c.condition)));
    let exclusions = table
        .exclusions
        .iter()
        .map(|e| format!("{}: exclude {}", e.name, e.definition));
    TableEntry {
        name: table.name.to_string(),
        comment: table.comment.clone(),
        columns: columns.collect(),
        constraints: uniques.chain(checks).chain(exclusions).collect(),
        relations: relations.collect(),
        indexes: table
            .indexes
            .iter()
            .map(|i| {
                let parts: Vec<&str> = i.parts.iter().map(|p| p.key.as_str()).collect();
                let unique = if i.unique { "unique " } else { "" };
                let filter = i
                    .filter
                    .as_ref()
                    .map(|f| format!(" where {f}"))
                    .unwrap_or_default();
                format!("{}: {unique}({}){filter}", i.name, parts.join(", "))
            })
            .collect(),
        validators: model.map_or(Vec::new(), |m| {
            m.validators.iter().map(|v| v.name.to_owned()).collect()
        }),
    }
}

/// A text that may stand in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.trim()
        .replace('|', "\\|")
        .replace(['\n', '\r'], " ")
        .replace('<', "&lt;")
}
