//! What becomes of what: tables, columns, constraints, and the statements before and after the rows. Pure.

mod frame;
mod make;

use std::collections::{HashMap, HashSet};

use orm_core::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::schema::{Column, Fill, Name, Schema, Table};
use crate::sql;
use crate::text::digest;
use crate::transfer::rule::{How, Rule};
use crate::transfer::types::{self, Kind};
use crate::words::quoted;

/// Everything about a transfer that is settled before its first row. It is kept beside the rows, for the run that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Of what it was made from.
    pub(super) digest: String,
    /// In the order of their foreign keys, as far as these have one.
    pub(super) tables: Vec<Way>,
    /// What has to hold between rows once all are there.
    pub(super) links: Vec<Link>,
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) left_out: Vec<String>,
}

/// The way of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Way {
    pub(super) source: Name,
    pub(super) target: Name,
    pub(super) columns: Vec<ColumnWay>,
    /// What tells a row of the source from others: names of columns, the rowid's first.
    pub(super) key: Vec<String>,
    /// SQL that orders the rows of the source, which is `t` there.
    pub(super) order: String,
    /// The primary key of the target.
    pub(super) target_key: Vec<String>,
    /// SQL that tells a row of the target from others.
    pub(super) row_id: Vec<String>,
    /// What is unique in the target, by the columns of the source.
    pub(super) uniques: Vec<Vec<String>>,
}

/// The way of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnWay {
    pub(super) source: String,
    pub(super) source_type: String,
    pub(super) target: String,
    pub(super) target_type: String,
    pub(super) kind: Kind,
    pub(super) how: How,
    /// Whether it refuses NULL.
    pub(super) required: bool,
    /// Whether both sides print its values alike.
    pub(super) compared: bool,
}

/// A foreign key of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Link {
    /// Which of the tables refers.
    pub(super) child: usize,
    pub(super) columns: Vec<String>,
    pub(super) parent: Name,
    pub(super) parent_columns: Vec<String>,
    /// MATCH FULL.
    pub(super) full: bool,
}

/// What the plan is made from, beside the schemas.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Wishes {
    pub(super) rules: Vec<Rule>,
    /// Patterns of tables; all when empty.
    pub(super) only: Vec<String>,
    pub(super) except: Vec<String>,
}

impl Wishes {
    pub(super) fn digest(&self, source: &Schema, target: Backend) -> Result<String> {
        let wishes = json(self)?;
        let schema = json(source)?;
        Ok(digest([wishes.as_str(), schema.as_str(), target.name()]))
    }
    fn wants(&self, table: &Name) -> bool {
        let among = |list: &[String]| list.iter().any(|p| crate::introspect::names(p, table));
        (self.only.is_empty() || among(&self.only)) && !among(&self.except)
    }
    fn of<'r>(&'r self, table: &'r Name, column: &'r str) -> impl Iterator<Item = &'r Rule> {
        self.rules.iter().filter(move |rule| {
            crate::introspect::names(&rule.table, table) && crate::introspect::matches(&rule.column, column)
        })
    }
}

fn json<T: Serialize>(it: &T) -> Result<String> {
    serde_json::to_string(it).map_err(|_| Error::encode("the plan of a transfer cannot be written as JSON"))
}

/// Both sides.
pub(super) struct Sides<'a> {
    pub(super) source: &'a Schema,
    pub(super) target: &'a Schema,
    pub(super) from: Backend,
    pub(super) to: Backend,
    /// The last numbers that SQLite has given to keys, by table.
    pub(super) numbers: &'a HashMap<String, i64>,
}

/// # Errors
/// `Unsupported` for a direction or a construct that does not go over; `Config` where the target lacks a column, or a rule meets
/// none.
pub(super) fn plan(sides: &Sides<'_>, wishes: &Wishes) -> Result<Plan> {
    if (sides.from, sides.to) == (Backend::Postgres, Backend::Sqlite) {
        return Err(Error::unsupported("a transfer from PostgreSQL", "sqlite"));
    }
    let making = Making {
        sides,
        wishes,
        left_out: Vec::new(),
        taken: HashSet::new(),
        tables: Vec::new(),
        new: Schema::default(),
    };
    making.check_rules()?;
    making.all()
}

struct Making<'a> {
    sides: &'a Sides<'a>,
    wishes: &'a Wishes,
    left_out: Vec<String>,
    /// Names of relations that are given away.
    taken: HashSet<String>,
    tables: Vec<Way>,
    /// What has to be created.
    new: Schema,
}

impl Making<'_> {
    fn same(&self) -> bool {
        self.sides.from == self.sides.to
    }

    fn check_rules(&self) -> Result<()> {
        for rule in &self.wishes.rules {
            let meets = self.sides.source.tables.iter().any(|t| {
                crate::introspect::names(&rule.table, &t.name)
                    && t.columns
                        .iter()
                        .any(|c| crate::introspect::matches(&rule.column, &c.name))
            });
            if !meets {
                return Err(Error::config(format!(
                    "the rule for `{}.{}` meets no column",
                    rule.table, rule.column
                )));
            }
            if self.sides.to == Backend::Sqlite && (rule.ty.is_some() || !rule.via.is_empty()) {
                return Err(Error::unsupported(
                    "a rule about types or values in a transfer",
                    "sqlite",
                ));
            }
        }
        Ok(())
    }

    fn all(mut self) -> Result<Plan> {
        let source = self.sides.source;
        let wanted: Vec<&Table> = ordered(&source.tables)
            .into_iter()
            .filter(|t| self.wishes.wants(&t.name))
            .filter(|t| t.partition_of.is_none() || !self.sides.target_has(&t.name))
            .collect();
        if let Some(table) = wanted.iter().find(|t| !t.inherits.is_empty()) {
            let error = Error::unsupported("a transfer of a table that inherits", self.sides.from.name());
            return Err(error.with_table(table.name.to_string()));
        }
        for table in &self.sides.target.tables {
            self.taken.insert(table.name.name.clone());
            self.taken.extend(table.indexes.iter().map(|i| i.name.clone()));
        }
        let created: Vec<&Table> = wanted
            .iter()
            .copied()
            .filter(|t| self.sides.there(&t.name).is_none())
            .collect();
        match self.same() {
            true => self.copy_schema(&created)?,
            false => self.make_schema(&created)?,
        }
        for table in &wanted {
            // rows of partitions go by the table they belong to
            if table.partition_of.is_none() {
                let way = self.way(table)?;
                self.tables.push(way);
            }
        }
        let (mut before, mut after) = self.statements()?;
        let mut links = Vec::new();
        self.link(&mut links, &mut before, &mut after)?;
        self.number(&mut after);
        if self.sides.to == Backend::Postgres {
            after.extend(
                self.tables
                    .iter()
                    .map(|t| format!("ANALYZE {}", sql::name(&t.target))),
            );
        }
        self.leave_out_objects();
        Ok(Plan {
            digest: self.wishes.digest(source, self.sides.to)?,
            tables: self.tables,
            links,
            before,
            after,
            left_out: self.left_out,
        })
    }

    /// The way of the rows of a table.
    fn way(&mut self, table: &Table) -> Result<Way> {
        let sides = self.sides;
        let existing = sides.there(&table.name);
        let target = match existing {
            Some(there) => there,
            None => {
                let named = match self.same() {
                    true => table.name.clone(),
                    false => Name::new(short(&table.name.name)),
                };
                let made = self.new.tables.iter().find(|t| t.name == named);
                made.ok_or_else(|| Error::config("a table has lost its name on the way"))?
            }
        };
        let mut columns = Vec::new();
        for column in &table.columns {
            let at = format!("{}.{}", table.name, column.name);
            if self.skipped(&table.name, &column.name) {
                self.left_out.push(format!("{at}: by a rule"));
                continue;
            }
            let named = self.renamed(table, column);
            let Some(there) = find(&target.columns, &named) else {
                return Err(Error::config(format!(
                    "the target has no column for {at}; name it by the rule `{at} -> name`, or leave it out by `{at}: skip`"
                ))
                .with_table(target.name.to_string()));
            };
            if there.fill.is_generated() {
                // the target works it out
                if !column.fill.is_generated() {
                    self.left_out
                        .push(format!("{at}: the target works the column out"));
                }
                continue;
            }
            let mut how = How::default();
            for convert in self.wishes.of(&table.name, &column.name).flat_map(|r| &r.via) {
                how.add(convert);
            }
            let kind = match (sides.from, sides.to) {
                (Backend::Sqlite, Backend::Sqlite) => Kind::Stored,
                (Backend::Postgres, Backend::Postgres) if there.ty == column.ty && how == How::default() => {
                    Kind::Verbatim
                }
                _ => types::kind(
                    &there.ty,
                    match existing {
                        Some(_) => sides.target,
                        None => &self.new,
                    },
                ),
            };
            columns.push(ColumnWay {
                source: column.name.clone(),
                source_type: column.ty.clone(),
                target: there.name.clone(),
                target_type: there.ty.clone(),
                compared: kind != Kind::Read,
                kind,
                how,
                required: !there.nullable,
            });
        }
        let lost = target
            .columns
            .iter()
            .find(|c| !c.nullable && c.fill == Fill::None && !columns.iter().any(|way| way.target == c.name));
        if let Some(column) = lost {
            return Err(Error::config(format!(
                "{}.{} takes no NULL and has no default, and nothing of the source goes there",
                target.name, column.name
            ))
            .with_table(target.name.to_string()));
        }
        if existing.is_some() && !target.triggers.is_empty() {
            let what = format!(
                "{}: its triggers in the target fire for the rows that are written",
                target.name
            );
            self.left_out.push(what);
        }
        let mut key = table
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        let quoted_key: Vec<String> = key.iter().map(|c| format!("t.{}", quoted(c))).collect();
        let order = match sides.from {
            Backend::Postgres if key.is_empty() => "t.tableoid, t.ctid".to_owned(),
            Backend::Postgres => quoted_key.join(", "),
            Backend::Sqlite => match rowid(table) {
                Some(rowid) => {
                    key.insert(0, rowid.to_owned());
                    format!("t.{rowid}")
                }
                None => quoted_key.join(", "),
            },
        };
        let target_key = target
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        let row_id = match (sides.to, rowid(target)) {
            (Backend::Postgres, _) => vec!["tableoid".to_owned(), "ctid".to_owned()],
            (Backend::Sqlite, Some(rowid)) => vec![rowid.to_owned()],
            (Backend::Sqlite, None) => target_key.iter().map(|c| quoted(c)).collect(),
        };
        let of_source = |names: &[String]| -> Option<Vec<String>> {
            let one = |name: &String| {
                columns
                    .iter()
                    .find(|c| c.target == *name)
                    .map(|c| c.source.clone())
            };
            names.iter().map(one).collect()
        };
        let plain = target.indexes.iter().filter(|i| i.unique && i.filter.is_none());
        let mut sets: Vec<Vec<String>> = plain
            .map(|i| i.parts.iter().map(|p| p.key.clone()).collect())
            .collect();
        sets.extend(target.uniques.iter().map(|u| u.columns.clone()));
        sets.push(target_key.clone());
        sets.retain(|set| !set.is_empty());
        let uniques = sets.iter().filter_map(|set| of_source(set)).collect();
        Ok(Way {
            source: table.name.clone(),
            target: target.name.clone(),
            columns,
            key,
            order,
            target_key,
            row_id,
            uniques,
        })
    }

    fn skipped(&self, table: &Name, column: &str) -> bool {
        self.wishes.of(table, column).any(|rule| rule.skip)
    }
    fn said_type(&self, table: &Name, column: &str) -> Option<String> {
        self.wishes.of(table, column).filter_map(|r| r.ty.clone()).last()
    }
    fn renamed(&self, table: &Table, column: &Column) -> String {
        self.renamed_by(table, &column.name)
    }
    fn renamed_by(&self, table: &Table, column: &str) -> String {
        let said = self
            .wishes
            .of(&table.name, column)
            .filter_map(|r| r.name.clone())
            .last();
        said.unwrap_or_else(|| match self.sides.to {
            Backend::Postgres => short(column),
            Backend::Sqlite => column.to_owned(),
        })
    }
    /// These columns of a table that is created; none when one of them stays behind.
    fn columns(&self, table: &Table, columns: &[String]) -> Option<Vec<String>> {
        let one = |column: &String| {
            let known = table.column(column)?;
            (!self.skipped(&table.name, column)).then(|| self.renamed(table, known))
        };
        columns.iter().map(one).collect()
    }
    /// A name that no other relation has.
    fn name(&mut self, wish: String) -> String {
        let mut name = wish.clone();
        let mut n = 1;
        while !self.taken.insert(name.clone()) {
            n += 1;
            name = short(&format!("{wish}_{n}"));
        }
        name
    }
}

impl Sides<'_> {
    /// The table of the target that takes the rows of this one, if it is there.
    fn there(&self, source: &Name) -> Option<&Table> {
        let tables = &self.target.tables;
        let exact = tables.iter().find(|t| t.name == *source);
        exact.or_else(|| {
            tables
                .iter()
                .find(|t| t.name.to_string().eq_ignore_ascii_case(&source.to_string()))
        })
    }
    fn target_has(&self, source: &Name) -> bool {
        self.there(source).is_some()
    }
}

/// A copy of the table with this one check.
fn only_check(table: &Table, check: &crate::schema::Check) -> Table {
    Table {
        name: table.name.clone(),
        checks: vec![check.clone()],
        ..Table::default()
    }
}

fn find<'c>(columns: &'c [Column], name: &str) -> Option<&'c Column> {
    let exact = columns.iter().find(|c| c.name == name);
    exact.or_else(|| columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)))
}

fn names(table: &Table, columns: &[String]) -> Option<Vec<String>> {
    columns
        .iter()
        .map(|c| find(&table.columns, c).map(|c| c.name.clone()))
        .collect()
}

/// Whether no two rows have the same values of these columns.
fn is_unique(table: &Table, columns: &[String]) -> bool {
    let same = |other: &[String]| other.len() == columns.len() && other.iter().all(|c| columns.contains(c));
    table.primary_key.as_ref().is_some_and(|k| same(&k.columns))
        || table.uniques.iter().any(|u| same(&u.columns))
        || table.indexes.iter().any(|i| {
            let keys: Vec<String> = i.parts.iter().map(|p| p.key.clone()).collect();
            i.unique && i.filter.is_none() && i.parts.iter().all(|p| !p.expression) && same(&keys)
        })
}

/// A name under which SQLite shows the rowid of a table, unless it has none or columns with all of them.
fn rowid(table: &Table) -> Option<&'static str> {
    if table.options.to_ascii_uppercase().contains("WITHOUT ROWID") {
        return None;
    }
    let free = |name: &&str| !table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(free)
}

/// A name that PostgreSQL does not cut: at most 63 bytes, what is longer with a digest at its end.
fn short(name: &str) -> String {
    const MOST: usize = 63;
    if name.len() <= MOST {
        return name.to_owned();
    }
    let digest = digest([name]);
    let mut end = MOST - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}", &name[..end], digest.get(..8).unwrap_or_default())
}

/// Tables behind those they refer to; within a circle as they come.
fn ordered(tables: &[Table]) -> Vec<&Table> {
    let mut out: Vec<&Table> = Vec::with_capacity(tables.len());
    let mut left: Vec<&Table> = tables.iter().collect();
    while !left.is_empty() {
        let waits = |table: &Table, left: &[&Table]| {
            let on = |name: &Name| *name != table.name && left.iter().any(|t| t.name == *name);
            table.foreign_keys.iter().any(|k| on(&k.target))
        };
        let next = left.iter().position(|t| !waits(t, &left)).unwrap_or(0);
        out.push(left.remove(next));
    }
    out
}
