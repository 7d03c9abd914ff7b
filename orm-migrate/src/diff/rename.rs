//! Renames: what was told is applied to the older schema, so that the comparison sees it no more; what looks like one
//! and was not told is a question.

use crate::change::Change;
use crate::diff::{Question, Renames};
use crate::schema::{Fill, Name, Schema, Table};
use crate::words;

/// Carries out the renames that were told, on a copy of the older schema, and writes them down as changes.
pub(crate) fn apply(from: &Schema, to: &Schema, told: &Renames) -> (Schema, Vec<Change>) {
    let mut base = from.clone();
    let mut changes = Vec::new();
    for table in &to.tables {
        let hinted = table.renamed_from.as_ref().map(|old| Name {
            schema: table.name.schema.clone(),
            name: old.clone(),
        });
        let told = told.tables.iter().find(|(_, new)| *new == table.name);
        let Some(old) = told.map(|(old, _)| old.clone()).or(hinted) else {
            continue;
        };
        let free = base.table(&table.name).is_none() && to.table(&old).is_none();
        if free && base.table(&old).is_some() {
            rename_table(&mut base, &old, &table.name);
            changes.push(Change::RenameTable {
                from: old,
                to: table.name.clone(),
            });
        }
    }
    for table in &to.tables {
        for column in &table.columns {
            let told = told
                .columns
                .iter()
                .find(|(of, _, new)| *of == table.name && *new == column.name);
            let Some(old) = told.map(|(_, old, _)| old).or(column.renamed_from.as_ref()) else {
                continue;
            };
            let Some(before) = base.table(&table.name) else {
                continue;
            };
            let free = before.column(&column.name).is_none() && table.column(old).is_none();
            if free && before.column(old).is_some() {
                rename_column(&mut base, &table.name, old, &column.name);
                changes.push(Change::RenameColumn {
                    table: table.name.clone(),
                    from: old.clone(),
                    to: column.name.clone(),
                });
            }
        }
    }
    for new in &to.enums {
        let Some(old) = new.renamed_from.as_ref() else {
            continue;
        };
        let is_old = |name: &Name| name.schema == new.name.schema && name.name == *old;
        let taken = base.enums.iter().any(|e| e.name == new.name) || to.enums.iter().any(|e| is_old(&e.name));
        let found = base.enums.iter_mut().find(|e| is_old(&e.name));
        if let Some(before) = found.filter(|_| !taken) {
            let was = before.clone();
            before.name = new.name.clone();
            changes.push(Change::AlterEnum {
                from: was.clone(),
                to: before.clone(),
                uses: Vec::new(),
            });
            for column in base.tables.iter_mut().flat_map(|t| &mut t.columns) {
                column.ty = words::renamed(&column.ty, &was.name.name, &new.name.name).replace('"', "");
            }
        }
    }
    base.normalize();
    (base, changes)
}

fn rename_table(base: &mut Schema, from: &Name, to: &Name) {
    for table in &mut base.tables {
        if table.name == *from {
            table.name = to.clone();
        }
        for key in &mut table.foreign_keys {
            if key.target == *from {
                key.target = to.clone();
            }
        }
        if let Some((of, _)) = table.partition_of.as_mut().filter(|(of, _)| of == from) {
            *of = to.clone();
        }
    }
    for sequence in &mut base.sequences {
        if let Some((of, _)) = sequence.owned_by.as_mut().filter(|(of, _)| of == from) {
            *of = to.clone();
        }
    }
    for grant in base.grants.iter_mut().filter(|g| g.kind == "TABLE") {
        if grant.object == *from {
            grant.object = to.clone();
        }
    }
}

fn rename_column(base: &mut Schema, of: &Name, from: &str, to: &str) {
    let swap = |name: &mut String| {
        if name == from {
            *name = to.to_owned();
        }
    };
    let text = |sql: &mut String| {
        if words::mentions(sql, from) {
            *sql = words::renamed(sql, from, to);
        }
    };
    for table in &mut base.tables {
        for key in table.foreign_keys.iter_mut().filter(|key| key.target == *of) {
            key.target_columns.iter_mut().for_each(swap);
        }
        if table.name != *of {
            continue;
        }
        for column in &mut table.columns {
            swap(&mut column.name);
            if let Fill::Stored(sql) | Fill::Virtual(sql) = &mut column.fill {
                text(sql);
            }
        }
        table
            .primary_key
            .iter_mut()
            .for_each(|k| k.columns.iter_mut().for_each(swap));
        table
            .uniques
            .iter_mut()
            .for_each(|u| u.columns.iter_mut().for_each(swap));
        table
            .foreign_keys
            .iter_mut()
            .for_each(|k| k.columns.iter_mut().for_each(swap));
        table.checks.iter_mut().for_each(|c| text(&mut c.condition));
        table.exclusions.iter_mut().for_each(|e| text(&mut e.definition));
        for index in &mut table.indexes {
            index.include.iter_mut().for_each(swap);
            index.filter.iter_mut().for_each(text);
            for part in &mut index.parts {
                match part.expression {
                    true => text(&mut part.key),
                    false => swap(&mut part.key),
                }
            }
        }
    }
    for sequence in &mut base.sequences {
        if let Some((_, column)) = sequence.owned_by.as_mut().filter(|(table, _)| table == of) {
            swap(column);
        }
    }
}

/// Tables and columns that go while one of the same shape comes, and of which nobody said that they are others.
pub(crate) fn questions(base: &Schema, to: &Schema, told: &Renames) -> Vec<Question> {
    let mut out = Vec::new();
    let gone = base.tables.iter().filter(|t| to.table(&t.name).is_none());
    for old in gone {
        let new = to.tables.iter().filter(|t| base.table(&t.name).is_none());
        for new in new.filter(|new| alike(old, new)) {
            let question = Question::RenameTable {
                from: old.name.clone(),
                to: new.name.clone(),
            };
            out.extend((!told.denied.contains(&question)).then_some(question));
        }
    }
    for new in &to.tables {
        let Some(old) = base.table(&new.name) else {
            continue;
        };
        for gone in old.columns.iter().filter(|c| new.column(&c.name).is_none()) {
            let came = new.columns.iter().filter(|c| old.column(&c.name).is_none());
            for came in came.filter(|came| came.ty == gone.ty && !came.fill.is_generated()) {
                let question = Question::RenameColumn {
                    table: new.name.clone(),
                    from: gone.name.clone(),
                    to: came.name.clone(),
                };
                out.extend((!told.denied.contains(&question)).then_some(question));
            }
        }
    }
    out
}

/// More than half of the columns of the larger one are the same.
fn alike(a: &Table, b: &Table) -> bool {
    let same = |c: &&crate::schema::Column| b.column(&c.name).is_some_and(|d| d.ty == c.ty);
    let common = a.columns.iter().filter(same).count();
    common * 2 > a.columns.len().max(b.columns.len())
}
