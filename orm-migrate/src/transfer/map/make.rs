//! Tables of SQLite as tables of PostgreSQL.

use orm_core::error::Result;

use crate::schema::{Column, Fill, ForeignKey, Index, IndexPart, Key, Name, Table, Unique};
use crate::transfer::map::{Making, find, is_unique, names, only_check, short};
use crate::transfer::types::{self, Kind};

impl Making<'_> {
    /// Tables of SQLite as tables of PostgreSQL.
    pub(super) fn make_schema(&mut self, created: &[&Table]) -> Result<()> {
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
}
