//! SQLite's catalogue: the texts of `sqlite_schema`, and beside each table what SQLite itself made of the text.

use std::collections::HashMap;

use orm_core::ast::RawPart;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Exec;
use orm_core::query::RawSql;
use serde::Deserialize;

use crate::introspect::parse;
use crate::schema::{Index, IndexPart, Name, Schema, Table, Trigger, VirtualTable};

/// Kind, name, table, text, and the columns of a table as JSON. Only SQLite knows which tables are the storage of a
/// virtual one. A virtual table is not asked for its columns: its module may be missing here.
const CATALOGUE: &str = "\
select m.type, m.name, m.tbl_name, m.sql, \
case when m.type = 'table' and m.sql not like 'create virtual %' then \
(select json_group_array(json_object('name', x.name, 'type', x.type, 'not_null', x.\"notnull\")) \
from pragma_table_xinfo(m.name, 'main') x) end \
from main.sqlite_schema m \
where m.sql is not null and m.name not like 'sqlite\\_%' escape '\\' \
and m.name not in (select l.name from pragma_table_list l where l.schema = 'main' and l.type = 'shadow') \
order by m.rowid";

type Entry = (String, String, String, String, Option<String>);

/// A column as SQLite sees it.
#[derive(Deserialize)]
struct Seen {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    not_null: i64,
}

pub(crate) async fn read<E: Exec + ?Sized>(ex: &E) -> Result<Schema> {
    let entries: Vec<Entry> = RawSql::new(vec![RawPart::Text(CATALOGUE)]).fetch(ex).await?;
    let mut reader = Reader::default();
    // what belongs to a table follows it: the catalogue's order is not that of creation once tables were renamed
    for of_tables in [true, false] {
        for (kind, name, owner, sql, columns) in &entries {
            if (kind == "table" || kind == "view") == of_tables {
                let done = reader.entry(kind, name, owner, sql, columns.as_deref());
                done.ok_or_else(|| unreadable(name))?;
            }
        }
    }
    reader.resolve();
    Ok(reader.schema)
}

fn unreadable(name: &str) -> Error {
    Error::new(
        ErrorKind::Database,
        format!("the definition of `{name}` in the database's catalogue cannot be read"),
    )
    .with_table(name)
}

#[derive(Default)]
struct Reader {
    schema: Schema,
    /// Where a table stands, by its name in small letters.
    tables: HashMap<String, usize>,
    views: HashMap<String, usize>,
}

impl Reader {
    fn entry(&mut self, kind: &str, name: &str, owner: &str, sql: &str, columns: Option<&str>) -> Option<()> {
        match kind {
            "table" => match parse::module(sql) {
                Some(module) => self.schema.virtual_tables.push(VirtualTable {
                    name: Name::new(name),
                    module,
                }),
                None => {
                    let seen: Vec<Seen> = serde_json::from_str(columns?).ok()?;
                    let table = self.table(name, sql, &seen)?;
                    self.tables
                        .insert(name.to_ascii_lowercase(), self.schema.tables.len());
                    self.schema.tables.push(table);
                }
            },
            "view" => {
                let mut view = parse::view(sql)?;
                view.name = Name::new(name);
                self.views
                    .insert(name.to_ascii_lowercase(), self.schema.views.len());
                self.schema.views.push(view);
            }
            "index" => {
                let table = self.table_mut(owner)?;
                let index = parse::index(sql, &|name| column_of(table, name).is_some())?;
                let index = Index {
                    name: name.to_owned(),
                    parts: index.parts.into_iter().map(|part| spelled(table, part)).collect(),
                    ..index
                };
                table.indexes.push(index);
            }
            "trigger" => {
                let trigger = Trigger {
                    name: name.to_owned(),
                    definition: parse::whole(sql)?,
                    enabled: None,
                };
                match self.views.get(&owner.to_ascii_lowercase()) {
                    Some(&i) => self.schema.views.get_mut(i)?.triggers.push(trigger),
                    None => self.table_mut(owner)?.triggers.push(trigger),
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        let i = *self.tables.get(&name.to_ascii_lowercase())?;
        self.schema.tables.get_mut(i)
    }

    /// The text must say of the columns what SQLite made of it: a table that was read wrongly would be rebuilt wrongly.
    fn table(&self, name: &str, sql: &str, seen: &[Seen]) -> Option<Table> {
        let mut table = parse::table(sql)?;
        table.name = Name::new(name);
        if table.columns.len() != seen.len() {
            return None;
        }
        for (column, seen) in table.columns.iter_mut().zip(seen) {
            if column.name != seen.name || (!column.nullable && seen.not_null == 0) {
                return None;
            }
            // SQLite has one spelling of the types it knows, and shows others without their quotes
            if column.ty.eq_ignore_ascii_case(&seen.ty) {
                column.ty.clone_from(&seen.ty);
            }
            column.nullable = seen.not_null == 0;
        }
        let own = table.clone();
        let real = |names: &mut Vec<String>| names.iter_mut().for_each(|name| *name = in_table(&own, name));
        if let Some(key) = &mut table.primary_key {
            real(&mut key.columns);
            let parts = std::mem::take(&mut key.parts);
            key.parts = parts.into_iter().map(|part| spelled(&own, part)).collect();
            let rowid = key.columns.len() == 1 && !own.options.contains("WITHOUT ROWID");
            for column in &mut table.columns {
                let alias = rowid && column.ty.eq_ignore_ascii_case("INTEGER");
                if alias && key.columns.contains(&column.name) {
                    column.nullable = false;
                }
            }
        }
        for unique in &mut table.uniques {
            real(&mut unique.columns);
            let parts = std::mem::take(&mut unique.parts);
            unique.parts = parts.into_iter().map(|part| spelled(&own, part)).collect();
        }
        for key in &mut table.foreign_keys {
            real(&mut key.columns);
        }
        Some(table)
    }

    /// Foreign keys name tables and columns in any letter case, and may leave the columns of a primary key out.
    fn resolve(&mut self) {
        for i in 0..self.schema.tables.len() {
            for k in 0..self.schema.tables[i].foreign_keys.len() {
                let key = &self.schema.tables[i].foreign_keys[k];
                let target = self.tables.get(&key.target.name.to_ascii_lowercase());
                let Some(target) = target.and_then(|&t| self.schema.tables.get(t)) else {
                    continue;
                };
                let columns = match (key.target_columns.as_slice(), &target.primary_key) {
                    ([], Some(key)) => key.columns.clone(),
                    (named, _) => named.iter().map(|name| in_table(target, name)).collect(),
                };
                let name = target.name.clone();
                let key = &mut self.schema.tables[i].foreign_keys[k];
                key.target = name;
                key.target_columns = columns;
            }
        }
    }
}

fn column_of<'t>(table: &'t Table, name: &str) -> Option<&'t str> {
    let mut columns = table.columns.iter();
    columns
        .find(|c| c.name.eq_ignore_ascii_case(name))
        .map(|c| c.name.as_str())
}

/// The name as the table spells it.
fn in_table(table: &Table, name: &str) -> String {
    column_of(table, name).unwrap_or(name).to_owned()
}

fn spelled(table: &Table, part: IndexPart) -> IndexPart {
    match part.expression {
        true => part,
        false => IndexPart {
            key: in_table(table, &part.key),
            ..part
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::introspect::sqlite::Reader;

    fn read(kind: &str, sql: &str, columns: &str) -> bool {
        let mut reader = Reader::default();
        let table = r#"[{"name":"a","type":"INT","not_null":0}]"#;
        assert!(
            reader
                .entry("table", "t", "t", "CREATE TABLE t (a int)", Some(table))
                .is_some()
        );
        reader.entry(kind, "x", "T", sql, Some(columns)).is_some()
    }

    /// Somebody wrote into the catalogue: better an error than a table that was read in part.
    #[test]
    fn what_does_not_fit_is_refused() {
        let one = r#"[{"name":"a","type":"INT","not_null":1}]"#;
        assert!(read("table", "CREATE TABLE x (a int not null)", one));
        assert!(
            !read("table", "CREATE TABLE x (A int not null)", one),
            "another name"
        );
        assert!(
            !read("table", "CREATE TABLE x (a int, b int)", one),
            "a column more"
        );
        assert!(!read("table", "CREATE TABLE x (a int not null) what", one));
        assert!(!read("table", "CREATE TABLE x (a int not null)", "null"));
        let nullable = one.replace('1', "0");
        assert!(
            !read("table", "CREATE TABLE x (a int not null)", &nullable),
            "NOT NULL that is none"
        );
        assert!(read("index", "CREATE INDEX x ON t (a)", ""));
        assert!(!read("index", "CREATE INDEX x ON t (a) what", ""));
        assert!(!read("something", "CREATE SOMETHING x", ""));
    }
}
