//! What stands around the rows: the schema that is created before them, and the statements behind them.

use orm_core::error::{Error, Result};

use crate::Backend;
use crate::change::{Change, Constraint};
use crate::diff::Renames;
use crate::plan::plan as way;
use crate::schema::{Fill, Schema, Table};
use crate::sql;
use crate::transfer::map::{Link, Making};
use crate::transfer::rule::Rule;
use crate::transfer::types::{self, Kind};
use crate::words::{literal, quoted};

impl Making<'_> {
    /// From one database to another of its kind everything is taken as it is.
    pub(super) fn copy_schema(&mut self, created: &[&Table]) -> Result<()> {
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

    /// What creates the tables, and what comes behind the rows.
    pub(super) fn statements(&self) -> Result<(Vec<String>, Vec<String>)> {
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
    pub(super) fn link(
        &self,
        links: &mut Vec<Link>,
        before: &mut Vec<String>,
        after: &mut Vec<String>,
    ) -> Result<()> {
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
    pub(super) fn number(&self, after: &mut Vec<String>) {
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

    pub(super) fn leave_out_objects(&mut self) {
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
}
