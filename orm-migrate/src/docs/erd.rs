//! Entity-relationship diagrams as text: Mermaid, DOT, PlantUML, each in three levels of detail.

use std::fmt::Write as _;

use crate::docs::{Cardinality, links};
use crate::schema::{Column, Index, Name, Schema, Table};

/// The language of the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Mermaid's `erDiagram`, which code hosts show.
    Mermaid,
    /// Graphviz.
    Dot,
    /// PlantUML.
    PlantUml,
}

/// How much it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Entities and how they are related.
    Conceptual,
    /// Their attributes and keys too.
    Logical,
    /// Types, nullability, indexes and partitions too.
    Physical,
}

/// Draws the tables of a schema, or those of these names.
///
/// ```
/// use orm_migrate::docs::erd::{Detail, Format, erd};
/// use orm_migrate::schema::{Column, ForeignKey, Name, Schema, Table};
///
/// let column = |name: &str| Column { name: name.into(), ty: "bigint".into(), ..Column::default() };
/// let users = Table { name: Name::new("users"), columns: vec![column("id")], ..Table::default() };
/// let posts = Table {
///     name: Name::new("posts"),
///     columns: vec![column("user_id")],
///     foreign_keys: vec![ForeignKey {
///         columns: vec!["user_id".into()],
///         target: Name::new("users"),
///         target_columns: vec!["id".into()],
///         ..ForeignKey::default()
///     }],
///     ..Table::default()
/// };
/// let schema = Schema { tables: vec![posts, users], ..Schema::default() };
/// assert_eq!(
///     erd(&schema, &[], Format::Mermaid, Detail::Conceptual),
///     "erDiagram\n    posts\n    users\n    users ||--o{ posts : \"user_id\"\n"
/// );
/// ```
pub fn erd(schema: &Schema, only: &[Name], format: Format, detail: Detail) -> String {
    let shown = |name: &Name| only.is_empty() || only.contains(name);
    let tables = schema.tables.iter().filter(|t| shown(&t.name)).collect();
    let links = links(schema)
        .filter(|(t, k)| shown(&t.name) && shown(&k.target))
        .map(|(t, k)| Link {
            from: t.name.to_string(),
            to: k.target.to_string(),
            by: k.columns.join(", "),
            cardinality: Cardinality::of(t, k),
        })
        .collect();
    let diagram = Diagram {
        tables,
        links,
        detail,
    };
    match format {
        Format::Mermaid => diagram.mermaid(),
        Format::Dot => diagram.dot(),
        Format::PlantUml => diagram.plant_uml(),
    }
}

struct Diagram<'s> {
    tables: Vec<&'s Table>,
    links: Vec<Link>,
    detail: Detail,
}

struct Link {
    from: String,
    to: String,
    by: String,
    cardinality: Cardinality,
}

/// What a column is a part of.
struct Marks {
    primary: bool,
    foreign: bool,
    unique: bool,
}

fn marks(table: &Table, column: &Column) -> Marks {
    let has = |columns: &[String]| columns.contains(&column.name);
    Marks {
        primary: table.primary_key.as_ref().is_some_and(|k| has(&k.columns)),
        foreign: table.foreign_keys.iter().any(|k| has(&k.columns)),
        unique: table.uniques.iter().any(|u| has(&u.columns)),
    }
}

impl Marks {
    fn words(&self) -> Vec<&'static str> {
        let all = [(self.primary, "PK"), (self.foreign, "FK"), (self.unique, "UK")];
        all.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| word)
            .collect()
    }
}

impl Diagram<'_> {
    fn columns<'t>(&self, table: &'t Table) -> &'t [Column] {
        match self.detail {
            Detail::Conceptual => &[],
            Detail::Logical | Detail::Physical => &table.columns,
        }
    }
    fn indexes<'t>(&self, table: &'t Table) -> &'t [Index] {
        match self.detail {
            Detail::Conceptual | Detail::Logical => &[],
            Detail::Physical => &table.indexes,
        }
    }
    fn physical(&self) -> bool {
        self.detail == Detail::Physical
    }

    fn mermaid(&self) -> String {
        let mut out = String::from("erDiagram\n");
        for table in &self.tables {
            let name = entity(&table.name.to_string());
            let columns = self.columns(table);
            if columns.is_empty() {
                _ = writeln!(out, "    {name}");
                continue;
            }
            _ = writeln!(out, "    {name} {{");
            for column in columns {
                let ty = if self.physical() {
                    word(&column.ty)
                } else {
                    kind(&column.ty).into()
                };
                let mut line = format!("{ty} {}", word(&column.name));
                let marks = marks(table, column).words();
                if !marks.is_empty() {
                    line += &format!(" {}", marks.join(", "));
                }
                let mut notes = Vec::new();
                notes.extend((self.physical() && column.nullable).then(|| "NULL".to_owned()));
                notes.extend(column.comment.as_deref().map(first_line));
                if !notes.is_empty() {
                    line += &format!(" \"{}\"", notes.join(", ").replace('"', "'"));
                }
                _ = writeln!(out, "        {line}");
            }
            _ = writeln!(out, "    }}");
            for index in self.indexes(table) {
                _ = writeln!(out, "    %% {}", described(index));
            }
            if let Some(by) = table.partition_by.as_ref().filter(|_| self.physical()) {
                _ = writeln!(out, "    %% {} is partitioned by {by}", table.name);
            }
        }
        for link in &self.links {
            let referenced = if link.cardinality.required { "||" } else { "|o" };
            let referring = if link.cardinality.unique { "o|" } else { "o{" };
            _ = writeln!(
                out,
                "    {} {referenced}--{referring} {} : \"{}\"",
                entity(&link.to),
                entity(&link.from),
                link.by.replace('"', "'")
            );
        }
        out
    }

    fn dot(&self) -> String {
        let mut out = String::from("digraph schema {\n  rankdir=LR;\n  node [shape=plain];\n");
        for table in &self.tables {
            let name = table.name.to_string();
            let mut rows = format!("<tr><td bgcolor=\"lightgrey\"><b>{}</b></td></tr>", html(&name));
            for column in self.columns(table) {
                let mut text = html(&column.name);
                if self.physical() {
                    let null = if column.nullable { " NULL" } else { "" };
                    text += &format!(": {}{null}", html(&column.ty));
                }
                let marks = marks(table, column).words();
                if !marks.is_empty() {
                    text += &format!(" [{}]", marks.join(", "));
                }
                rows += &format!("<tr><td align=\"left\">{text}</td></tr>");
            }
            for index in self.indexes(table) {
                let text = html(&described(index));
                rows += &format!("<tr><td align=\"left\"><i>{text}</i></td></tr>");
            }
            if let Some(by) = table.partition_by.as_ref().filter(|_| self.physical()) {
                rows += &format!(
                    "<tr><td align=\"left\"><i>partition by {}</i></td></tr>",
                    html(by)
                );
            }
            _ = writeln!(
                out,
                "  {} [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\">{rows}</table>>];",
                quoted(&name)
            );
        }
        for link in &self.links {
            let head = if link.cardinality.required { "tee" } else { "odot" };
            let tail = if link.cardinality.unique {
                "teeodot"
            } else {
                "crowodot"
            };
            _ = writeln!(
                out,
                "  {} -> {} [dir=both, arrowtail={tail}, arrowhead={head}, label={}];",
                quoted(&link.from),
                quoted(&link.to),
                quoted(&link.by)
            );
        }
        out + "}\n"
    }

    fn plant_uml(&self) -> String {
        let mut out = String::from("@startuml\nhide circle\n");
        for table in &self.tables {
            let name = table.name.to_string();
            _ = writeln!(out, "entity {} as {} {{", quoted(&name), word(&name));
            let columns = self.columns(table);
            let (keys, others): (Vec<&Column>, Vec<&Column>) =
                columns.iter().partition(|c| marks(table, c).primary);
            for column in &keys {
                _ = writeln!(out, "  {}", self.plant_column(table, column));
            }
            if !keys.is_empty() {
                _ = writeln!(out, "  --");
            }
            for column in &others {
                _ = writeln!(out, "  {}", self.plant_column(table, column));
            }
            let indexes = self.indexes(table);
            if !indexes.is_empty() {
                _ = writeln!(out, "  ..");
            }
            for index in indexes {
                _ = writeln!(out, "  {}", described(index));
            }
            if let Some(by) = table.partition_by.as_ref().filter(|_| self.physical()) {
                _ = writeln!(out, "  partition by {by}");
            }
            _ = writeln!(out, "}}");
        }
        for link in &self.links {
            let referenced = if link.cardinality.required { "||" } else { "|o" };
            let referring = if link.cardinality.unique { "o|" } else { "o{" };
            _ = writeln!(
                out,
                "{} {referenced}--{referring} {} : {}",
                word(&link.to),
                word(&link.from),
                link.by
            );
        }
        out + "@enduml\n"
    }

    fn plant_column(&self, table: &Table, column: &Column) -> String {
        // a star is a column that takes no NULL
        let required = if column.nullable { "" } else { "* " };
        let mut out = format!("{required}{}", column.name);
        if self.physical() {
            out += &format!(" : {}", column.ty);
        }
        for mark in marks(table, column).words() {
            out += &format!(" <<{mark}>>");
        }
        out
    }
}

/// A type without what only one database says about it.
fn kind(ty: &str) -> &'static str {
    let ty = ty.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| ty.contains(w));
    match () {
        _ if has(&["[]"]) => "list",
        _ if has(&["interval"]) => "interval",
        _ if has(&["int", "serial"]) => "integer",
        _ if has(&["bool"]) => "boolean",
        _ if has(&["numeric", "decimal", "real", "double", "float"]) => "number",
        _ if has(&["timestamp", "datetime"]) => "timestamp",
        _ if has(&["date"]) => "date",
        _ if has(&["time"]) => "time",
        _ if has(&["json"]) => "json",
        _ if has(&["uuid"]) => "uuid",
        _ if has(&["blob", "bytea"]) => "bytes",
        _ if has(&["text", "char", "clob"]) => "text",
        _ => "value",
    }
}

fn described(index: &Index) -> String {
    let parts: Vec<&str> = index.parts.iter().map(|p| p.key.as_str()).collect();
    let unique = if index.unique { "unique index" } else { "index" };
    format!("{unique} {} ({})", index.name, parts.join(", "))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// An entity's name in Mermaid: in quotes unless it is a plain word.
fn entity(name: &str) -> String {
    match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "'")),
    }
}

/// Letters, digits and what both Mermaid and PlantUML let stand in a word.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | ')' | '[' | ']');
    text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(crate) fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
