//! What becomes of what: tables, columns, constraints, and the statements before and after the rows. Pure.

use std::collections::{HashMap, HashSet};

use orm_core::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::change::{Change, Constraint};
use crate::diff::Renames;
use crate::plan::plan as way;
use crate::schema::{Column, Fill, ForeignKey, Index, IndexPart, Key, Name, Schema, Table, Unique};
use crate::sql;
use crate::text::digest;
use crate::transfer::rule::{How, Rule};
use crate::transfer::types::{self, Kind};
use crate::words::{literal, quoted};

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

    /// From one database to another of its kind everything is taken as it is.
    fn copy_schema(&mut self, created: &[&Table]) -> Result<()> {
        let own = |rule: &Rule, t: &Table| {
            crate::introspect::names(&rule.table, &t.name)
                && t.columns
                    .iter()
                    .any(|c| crate::introspect::matches(&rule.column, &c.name))
        };
        let shapes = |rule: &&Rule| rule.skip || rule.ty.is_some() || rule.name.is_some();
        for rule in self.wishes.rules.iter().filter(shapes) {
            if let Some(table) = created.iter().find(|t| own(rule, t)) {
                let what = "a rule about a table that is created as it is in the source";
                return Err(Error::unsupported(what, self.sides.to.name()).with_table(table.name.to_string()));
            }
        }
        if created.is_empty() {
            return Ok(());
        }
        let mut new = self.sides.source.clone();
        new.tables.retain(|t| created.iter().any(|c| c.name == t.name));
        new.grants.clear();
        new.virtual_tables.clear();
        let target = self.sides.target;
        new.schemas.retain(|s| !target.schemas.contains(s));
        new.extensions
            .retain(|e| !target.extensions.iter().any(|t| t.name == e.name));
        new.enums.retain(|e| !target.enums.contains(e));
        new.domains.retain(|d| !target.domains.contains(d));
        new.composites.retain(|c| !target.composites.contains(c));
        new.functions.retain(|f| !target.functions.contains(f));
        new.views.retain(|v| !target.views.contains(v));
        new.sequences.retain(|s| {
            let owned = s
                .owned_by
                .as_ref()
                .is_none_or(|(t, _)| created.iter().any(|c| c.name == *t));
            owned && !target.sequences.iter().any(|t| t.name == s.name)
        });
        if new.tables.len() < self.sides.source.tables.len() && !new.views.is_empty() {
            self.left_out
                .push("views: not all tables are transferred".to_owned());
            new.views.clear();
        }
        self.new = new;
        Ok(())
    }

    /// Tables of SQLite as tables of PostgreSQL.
    fn make_schema(&mut self, created: &[&Table]) -> Result<()> {
        let mut made: Vec<Table> = Vec::new();
        for table in created {
            let named = self.name(short(&table.name.name));
            let mut columns = Vec::new();
            for (i, column) in table.columns.iter().enumerate() {
                if self.skipped(&table.name, &column.name) {
                    continue;
                }
                columns.push(Column {
                    name: self.renamed(table, column),
                    ty: self
                        .said_type(&table.name, &column.name)
                        .unwrap_or_else(|| types::from_sqlite(table, i)),
                    nullable: column.nullable,
                    ..Column::default()
                });
            }
            made.push(Table {
                name: Name::new(named),
                columns,
                ..Table::default()
            });
        }
        self.agree(created, &mut made);
        for (table, made) in created.iter().zip(&mut made) {
            self.constrain(table, made);
        }
        // foreign keys need all keys
        let keys: Vec<Vec<ForeignKey>> = (0..created.len())
            .map(|at| self.references(at, created, &made))
            .collect();
        for (table, keys) in made.iter_mut().zip(keys) {
            table.foreign_keys = keys;
        }
        self.new.tables = made;
        self.new.normalize();
        Ok(())
    }

    /// A column that refers gets the type of the one it refers to, unless a rule says otherwise.
    fn agree(&self, created: &[&Table], made: &mut [Table]) {
        for _ in 0..created.len().min(32) {
            let mut changed = false;
            for (i, table) in created.iter().enumerate() {
                for key in &table.foreign_keys {
                    for (own, theirs) in key.columns.iter().zip(&key.target_columns) {
                        if self.said_type(&table.name, own).is_some() {
                            continue;
                        }
                        let Some(ty) = self.type_in_target(&key.target, theirs, created, made) else {
                            continue;
                        };
                        let named = self.renamed_by(table, own);
                        if let Some(column) = made[i].columns.iter_mut().find(|c| c.name == named)
                            && column.ty != ty
                        {
                            column.ty = ty;
                            changed = true;
                        }
                    }
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn type_in_target(
        &self,
        table: &Name,
        column: &str,
        created: &[&Table],
        made: &[Table],
    ) -> Option<String> {
        if let Some(at) = created.iter().position(|t| t.name == *table) {
            let named = self.renamed_by(created[at], column);
            return Some(made[at].column(&named)?.ty.clone());
        }
        Some(find(&self.sides.there(table)?.columns, column)?.ty.clone())
    }

    /// Keys, unique constraints, indexes, defaults.
    fn constrain(&mut self, table: &Table, made: &mut Table) {
        let at = &table.name;
        let schema = self.sides.target;
        for column in &table.columns {
            if self.skipped(at, &column.name) {
                continue;
            }
            let named = self.renamed(table, column);
            let kind = |ty: &str| types::kind(ty, schema);
            if column
                .collation
                .as_deref()
                .is_some_and(|c| !c.eq_ignore_ascii_case("BINARY"))
            {
                self.left_out.push(format!("{at}.{}: its collation", column.name));
            }
            let is_key = table
                .primary_key
                .as_ref()
                .is_some_and(|k| k.columns == [column.name.clone()]);
            let rowid = is_key
                && column.ty.eq_ignore_ascii_case("INTEGER")
                && !table.options.contains("WITHOUT ROWID");
            let Some(new) = made.columns.iter_mut().find(|c| c.name == named) else {
                continue;
            };
            let said = match &column.fill {
                Fill::Identity { .. } => true,
                Fill::None => rowid,
                Fill::Default(sql) => {
                    match types::default(sql, &kind(&new.ty)) {
                        Some(sql) => new.fill = Fill::Default(sql),
                        None => self.left_out.push(format!("{at}.{}: its default", column.name)),
                    }
                    false
                }
                Fill::Stored(_) | Fill::Virtual(_) => {
                    let what = format!(
                        "{at}.{}: its expression; the column holds the values",
                        column.name
                    );
                    self.left_out.push(what);
                    false
                }
            };
            // what refers to another table is not numbered by itself
            let refers = table
                .foreign_keys
                .iter()
                .any(|k| k.columns == [column.name.clone()]);
            if said && !refers && matches!(kind(&new.ty), Kind::Int(_)) {
                new.fill = Fill::Identity { always: false };
            }
            if table
                .primary_key
                .as_ref()
                .is_some_and(|k| k.columns.contains(&column.name))
            {
                new.nullable = false;
            }
        }
        let bare = made.name.name.clone();
        if let Some(key) = &table.primary_key
            && let Some(columns) = self.columns(table, &key.columns)
        {
            made.primary_key = Some(Key {
                name: Some(self.name(short(&format!("pk_{bare}")))),
                columns,
                ..Key::default()
            });
        }
        for unique in &table.uniques {
            let Some(columns) = self.columns(table, &unique.columns) else {
                continue;
            };
            if unique.parts.iter().any(|p| p.collation.is_some()) {
                let said = unique.columns.join(", ");
                self.left_out
                    .push(format!("{at} ({said}): the collation of its unique constraint"));
            }
            made.uniques.push(Unique {
                name: Some(self.name(short(&format!("uq_{bare}_{}", columns.join("_"))))),
                columns,
                ..Unique::default()
            });
        }
        for check in &table.checks {
            let name = check.name.clone().unwrap_or_else(|| check.condition.clone());
            let made_boolean = made
                .columns
                .iter()
                .zip(table.columns.iter().filter(|c| !self.skipped(at, &c.name)))
                .any(|(new, old)| {
                    new.ty == "boolean" && types::is_zero_or_one(&only_check(table, check), &old.name)
                });
            if !made_boolean {
                self.left_out.push(format!("{at}: the check {name}"));
            }
        }
        for index in &table.indexes {
            match self.index(table, index) {
                Some(index) => made.indexes.push(index),
                None => self.left_out.push(format!(
                    "{at}: the index {}, which is of an expression, or of a part of the rows",
                    index.name
                )),
            }
        }
        for trigger in &table.triggers {
            self.left_out.push(format!("{at}: the trigger {}", trigger.name));
        }
    }

    fn index(&mut self, table: &Table, index: &Index) -> Option<Index> {
        if index.filter.is_some() || index.parts.iter().any(|p| p.expression) {
            return None;
        }
        let mut parts = Vec::new();
        for part in &index.parts {
            let named = self.columns(table, std::slice::from_ref(&part.key))?;
            if part
                .collation
                .as_deref()
                .is_some_and(|c| !c.eq_ignore_ascii_case("BINARY"))
            {
                self.left_out.push(format!(
                    "{}: the collation of the index {}",
                    table.name, index.name
                ));
            }
            parts.push(IndexPart {
                key: named.into_iter().next()?,
                desc: part.desc,
                ..IndexPart::default()
            });
        }
        Some(Index {
            name: self.name(short(&index.name)),
            unique: index.unique,
            parts,
            ..Index::default()
        })
    }

    fn references(&mut self, at: usize, created: &[&Table], made: &[Table]) -> Vec<ForeignKey> {
        let (table, own_made) = (created[at], &made[at]);
        let mut keys = Vec::new();
        for key in &table.foreign_keys {
            let said = format!(
                "{}: the foreign key ({}) to {}",
                table.name,
                key.columns.join(", "),
                key.target
            );
            let (parent, target_columns) = match created.iter().position(|t| t.name == key.target) {
                Some(at) => (Some(&made[at]), self.columns(created[at], &key.target_columns)),
                None => {
                    let there = self.sides.there(&key.target);
                    let columns = there.and_then(|t| names(t, &key.target_columns));
                    (there, columns)
                }
            };
            let (Some(parent), Some(target_columns), Some(columns)) =
                (parent, target_columns, self.columns(table, &key.columns))
            else {
                self.left_out.push(format!("{said}, which is not there"));
                continue;
            };
            if target_columns.is_empty() || !is_unique(parent, &target_columns) {
                self.left_out
                    .push(format!("{said}, whose columns are not unique there"));
                continue;
            }
            let kinds = |table: &Table, columns: &[String]| -> Vec<Kind> {
                let types = columns.iter().filter_map(|c| table.column(c));
                types.map(|c| types::kind(&c.ty, self.sides.target)).collect()
            };
            let mut pairs = kinds(own_made, &columns)
                .into_iter()
                .zip(kinds(parent, &target_columns));
            if !pairs.all(|(own, theirs)| types::comparable(&own, &theirs)) {
                self.left_out
                    .push(format!("{said}, whose columns have other types"));
                continue;
            }
            let own = short(&format!("fk_{}_{}", table.name.name, columns.join("_")));
            let name = key.name.as_deref().map_or(own, short);
            keys.push(ForeignKey {
                name: Some(self.name(name)),
                columns,
                target: parent.name.clone(),
                target_columns,
                on_delete: key.on_delete,
                on_update: key.on_update,
                deferrable: key.deferrable,
                ..ForeignKey::default()
            });
        }
        keys
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

    /// What creates the tables, and what comes behind the rows.
    fn statements(&self) -> Result<(Vec<String>, Vec<String>)> {
        let mut first = self.new.clone();
        first.views.clear();
        for table in &mut first.tables {
            table.triggers.clear();
            table.policies.clear();
            table.indexes.retain(|i| i.unique);
            // SQLite has no other place for them, and does not look while they are off
            if self.sides.to == Backend::Postgres {
                table.foreign_keys.clear();
            }
        }
        let renames = Renames::default();
        let way = |from: &Schema, to: &Schema| -> Result<Vec<String>> {
            let plan = way(from, to, &renames, self.sides.to)?.decided()?;
            Ok(plan.up.statements().map(str::to_owned).collect())
        };
        Ok((way(&Schema::default(), &first)?, way(&first, &self.new)?))
    }

    /// Foreign keys of new tables, and those of tables that are there: these are away until the rows are complete.
    fn link(&self, links: &mut Vec<Link>, before: &mut Vec<String>, after: &mut Vec<String>) -> Result<()> {
        let to = self.sides.to;
        for (child, way) in self.tables.iter().enumerate() {
            let new = self.new.tables.iter().find(|t| t.name == way.target);
            let Some(table) = new.or_else(|| self.sides.target.table(&way.target)) else {
                continue;
            };
            for key in &table.foreign_keys {
                let inside = self.tables.iter().any(|t| t.target == key.target);
                let parent_columns = match key.target_columns.is_empty() {
                    false => key.target_columns.clone(),
                    true => {
                        let parent = self
                            .new
                            .table(&key.target)
                            .or_else(|| self.sides.target.table(&key.target));
                        parent
                            .and_then(|p| p.primary_key.as_ref())
                            .map(|k| k.columns.clone())
                            .unwrap_or_default()
                    }
                };
                let there = inside || self.sides.target.table(&key.target).is_some();
                if !there || parent_columns.len() != key.columns.len() {
                    continue;
                }
                if new.is_none() && to == Backend::Postgres {
                    if !inside {
                        // it stays, and refuses rows by itself
                        continue;
                    }
                    let change = |constraint| Change::DropConstraint {
                        table: table.name.clone(),
                        constraint,
                    };
                    let constraint = Constraint::ForeignKey(key.clone());
                    before.extend(sql::postgres::statements(&change(constraint.clone()))?);
                    let add = Change::AddConstraint {
                        table: table.name.clone(),
                        constraint,
                    };
                    after.extend(sql::postgres::statements(&add)?);
                }
                links.push(Link {
                    child,
                    columns: key.columns.clone(),
                    parent: key.target.clone(),
                    parent_columns,
                    full: key.match_full,
                });
            }
        }
        Ok(())
    }

    /// Sequences go on behind the greatest key, and behind the last number that the source gave away.
    fn number(&self, after: &mut Vec<String>) {
        for way in &self.tables {
            let new = self.new.tables.iter().find(|t| t.name == way.target);
            let Some(table) = new.or_else(|| self.sides.target.table(&way.target)) else {
                continue;
            };
            let last = self.sides.numbers.get(&way.source.name).copied().unwrap_or(0);
            let called = sql::name(&table.name);
            if self.sides.to == Backend::Sqlite {
                if last > 0
                    && table
                        .columns
                        .iter()
                        .any(|c| matches!(c.fill, Fill::Identity { .. }))
                {
                    let it = literal(&table.name.name);
                    after.push(format!(
                        "INSERT INTO sqlite_sequence (name, seq) SELECT {it}, 0 WHERE NOT EXISTS \
                         (SELECT 1 FROM sqlite_sequence WHERE name = {it})"
                    ));
                    after.push(format!(
                        "UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = {it}"
                    ));
                }
                continue;
            }
            for column in &table.columns {
                if !way.columns.iter().any(|c| c.target == column.name) {
                    continue;
                }
                let sequence = match &column.fill {
                    Fill::Identity { .. } => {
                        format!(
                            "pg_get_serial_sequence({}, {})",
                            literal(&called),
                            literal(&column.name)
                        )
                    }
                    Fill::Default(sql) => {
                        match sql.strip_prefix("nextval(").and_then(|s| s.strip_suffix(')')) {
                            Some(sequence) => sequence.to_owned(),
                            None => continue,
                        }
                    }
                    _ => continue,
                };
                let most = match types::kind(&column.ty, self.sides.target) {
                    Kind::Int(16) => i64::from(i16::MAX),
                    Kind::Int(32) => i64::from(i32::MAX),
                    _ => i64::MAX,
                };
                let last = last.min(most);
                let key = quoted(&column.name);
                after.push(format!(
                    "SELECT setval({sequence}, greatest(coalesce(max({key}), 0), {last}, 1), \
                     greatest(coalesce(max({key}), 0), {last}) >= 1) FROM {called}"
                ));
            }
        }
    }

    fn leave_out_objects(&mut self) {
        let source = self.sides.source;
        for table in &source.virtual_tables {
            self.left_out.push(format!("{}: a virtual table", table.name));
        }
        if !self.same() {
            for view in &source.views {
                self.left_out.push(format!("{}: a view", view.name));
            }
        }
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
