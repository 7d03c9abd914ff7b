//! A schema as documentation: diagrams ([`erd`]), a data dictionary ([`dictionary`]), and how it came about ([`evolution`]). Text out, nothing read.

pub mod dictionary;
pub mod erd;
pub mod evolution;

use crate::schema::{ForeignKey, Schema, Table};

/// How many rows stand on each side of a foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cardinality {
    /// Whether every referring row has a referenced one: the key takes no NULL.
    pub required: bool,
    /// Whether at most one row refers to each: the key is unique.
    pub unique: bool,
}

impl Cardinality {
    /// That of a foreign key of this table.
    pub fn of(table: &Table, key: &ForeignKey) -> Self {
        let is_key = |columns: &[String]| columns.iter().all(|c| key.columns.contains(c));
        let nullable = |c: &String| table.column(c).is_none_or(|c| c.nullable);
        let by_index = table.indexes.iter().filter(|i| i.unique && i.filter.is_none());
        let by_index = by_index.filter(|i| {
            i.parts
                .iter()
                .all(|p| !p.expression && key.columns.contains(&p.key))
        });
        Cardinality {
            required: !key.columns.iter().any(nullable),
            unique: table.primary_key.as_ref().is_some_and(|k| is_key(&k.columns))
                || table.uniques.iter().any(|u| is_key(&u.columns))
                || by_index.count() > 0,
        }
    }
    /// `1 — 0..*`: the referenced side, then the referring one.
    pub fn says(self) -> String {
        let referenced = if self.required { "1" } else { "0..1" };
        let referring = if self.unique { "0..1" } else { "0..*" };
        format!("{referenced} — {referring}")
    }
}

/// All foreign keys, with their tables.
fn links(schema: &Schema) -> impl Iterator<Item = (&Table, &ForeignKey)> {
    schema
        .tables
        .iter()
        .flat_map(|t| t.foreign_keys.iter().map(move |k| (t, k)))
}
