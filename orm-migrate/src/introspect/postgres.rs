//! PostgreSQL's catalogue: one statement, and what its rows mean.

use std::collections::HashMap;

use orm_core::ast::RawPart;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Exec;
use orm_core::query::{RawSql, raw_list};
use orm_core::schema::Action;

use crate::introspect::Options;
use crate::introspect::catalogue::{
    ALL_SCHEMAS, Catalogue, CheckRow, ColumnRow, ConstraintRow, FunctionRow, GrantRow, HEAD, IndexRow, LISTS,
    NAMED_SCHEMAS, NAMED_SCHEMAS_END, Named, PartRow, PolicyRow, SequenceRow, TableRow, TriggerRow, ViewRow,
};
use crate::schema::{
    Check, Column, Composite, Deferrable, Domain, Enum, Exclusion, Extension, Fill, ForeignKey, Function,
    Grant, Index, IndexPart, Key, Name, Policy, RowSecurity, Schema, Sequence, Table, Trigger, Unique, View,
};

pub(crate) async fn read<E: Exec + ?Sized>(ex: &E, options: &Options) -> Result<Schema> {
    let mut parts = vec![RawPart::Text(HEAD)];
    match options.schemas.as_slice() {
        [] => parts.push(RawPart::Text(ALL_SCHEMAS)),
        named => parts.extend([
            RawPart::Text(NAMED_SCHEMAS),
            raw_list(named),
            RawPart::Text(NAMED_SCHEMAS_END),
        ]),
    }
    parts.push(RawPart::Text(LISTS));
    let found: String = RawSql::new(parts).fetch_one(ex).await?;
    let catalogue: Catalogue = serde_json::from_str(&found).map_err(unreadable)?;
    let mut schema = schema(catalogue)?;
    if !options.grants {
        schema.grants.clear();
    }
    Ok(schema)
}

fn unreadable(e: serde_json::Error) -> Error {
    // the error's text would quote what it met
    let message = format!(
        "the database's catalogue cannot be read, at column {}",
        e.column()
    );
    Error::new(ErrorKind::Database, message)
}

fn schema(catalogue: Catalogue) -> Result<Schema> {
    let Catalogue {
        schemas,
        extensions,
        enums,
        domains,
        composites,
        sequences,
        tables,
        columns,
        constraints,
        indexes,
        triggers,
        policies,
        views,
        functions,
        grants,
    } = catalogue;
    let mut relations = Relations::default();
    for row in tables {
        relations.table(row);
    }
    for row in views {
        relations.view(row);
    }
    for row in columns {
        relations.column(row);
    }
    for row in constraints {
        relations.constraint(row)?;
    }
    for row in indexes {
        relations.index(row);
    }
    for row in triggers {
        relations.trigger(row);
    }
    for row in policies {
        relations.policy(row);
    }
    Ok(Schema {
        schemas,
        extensions: extensions
            .into_iter()
            .map(|Named { schema, name }| Extension { name, schema })
            .collect(),
        enums: enums
            .into_iter()
            .map(|e| Enum {
                name: e.name.into(),
                labels: e.labels,
                comment: e.comment,
                ..Enum::default()
            })
            .collect(),
        domains: domains
            .into_iter()
            .map(|d| Domain {
                name: d.name.into(),
                ty: d.ty,
                nullable: !d.not_null,
                default: d.default.map(bare),
                checks: d.checks.into_iter().map(check).collect(),
                comment: d.comment,
            })
            .collect(),
        composites: composites
            .into_iter()
            .map(|c| Composite {
                name: c.name.into(),
                attributes: c.attributes,
                comment: c.comment,
            })
            .collect(),
        sequences: sequences.into_iter().map(sequence).collect(),
        tables: relations.tables,
        virtual_tables: Vec::new(),
        views: relations.views,
        functions: functions.into_iter().filter_map(function).collect(),
        grants: grants.into_iter().filter_map(grant).collect(),
    })
}

impl From<Named> for Name {
    fn from(Named { schema, name }: Named) -> Name {
        Name { schema, name }
    }
}

/// Where a table or view stands in its list.
#[derive(Clone, Copy)]
enum Place {
    Table(usize),
    /// A table that takes the columns of others, or is a part of one.
    Heir(usize),
    View(usize),
}

#[derive(Default)]
struct Relations {
    tables: Vec<Table>,
    views: Vec<View>,
    places: HashMap<String, Place>,
}

impl Relations {
    fn table_mut(&mut self, oid: &str) -> Option<&mut Table> {
        match *self.places.get(oid)? {
            Place::Table(i) | Place::Heir(i) => self.tables.get_mut(i),
            Place::View(_) => None,
        }
    }

    fn table(&mut self, row: TableRow) {
        let at = self.tables.len();
        let mut parents: Vec<Name> = row
            .parents
            .into_iter()
            .map(|(schema, name)| Name { schema, name })
            .collect();
        let partition_of = match row.partition {
            true => parents.pop().zip(row.bounds),
            false => None,
        };
        let place = match parents.is_empty() {
            true => Place::Table(at),
            false => Place::Heir(at),
        };
        self.places.insert(row.oid, place);
        let mut options: Vec<String> = Vec::new();
        options.extend(row.method.map(|method| format!("USING {method}")));
        let storage: Vec<String> = row.storage.into_iter().chain(row.toast).collect();
        options.extend(settings(&storage).map(|storage| format!("WITH ({storage})")));
        options.extend(
            row.tablespace
                .map(|tablespace| format!("TABLESPACE {tablespace}")),
        );
        self.tables.push(Table {
            name: row.name.into(),
            row_security: match (row.row_security, row.forced) {
                (false, _) => RowSecurity::Off,
                (true, false) => RowSecurity::On,
                (true, true) => RowSecurity::Forced,
            },
            partition_by: row.partition_by,
            partition_of,
            inherits: parents,
            unlogged: row.unlogged,
            options: options.join(" "),
            comment: row.comment,
            ..Table::default()
        });
    }

    fn view(&mut self, row: ViewRow) {
        let Some(query) = row.query else {
            return;
        };
        self.places.insert(row.oid, Place::View(self.views.len()));
        self.views.push(View {
            name: row.name.into(),
            materialized: row.materialized,
            storage: settings(&row.storage),
            query: query.trim().trim_end_matches(';').to_owned(),
            comment: row.comment,
            ..View::default()
        });
    }

    fn column(&mut self, row: ColumnRow) {
        // an heir has its parents' columns without naming them
        if !row.local && matches!(self.places.get(&row.table), Some(Place::Heir(_))) {
            return;
        }
        let Some(table) = self.table_mut(&row.table) else {
            return;
        };
        let sql = row.sql.map(bare);
        table.columns.push(Column {
            name: row.name,
            ty: row.ty,
            nullable: !row.not_null,
            fill: match (row.identity.as_str(), row.generated.as_str(), sql) {
                ("a", ..) => Fill::Identity { always: true },
                ("d", ..) => Fill::Identity { always: false },
                (_, "v", Some(sql)) => Fill::Virtual(sql),
                (_, "s", Some(sql)) => Fill::Stored(sql),
                (.., Some(sql)) => Fill::Default(sql),
                (.., None) => Fill::None,
            },
            identity_options: row.sequence.as_ref().and_then(unusual),
            collation: row.collation,
            comment: row.comment,
            ..Column::default()
        });
    }

    fn constraint(&mut self, row: ConstraintRow) -> Result<()> {
        let Some(table) = self.table_mut(&row.table) else {
            return Ok(());
        };
        let deferrable = match (row.deferrable, row.deferred) {
            (false, _) => None,
            (true, false) => Some(Deferrable::Immediate),
            (true, true) => Some(Deferrable::Deferred),
        };
        let name = Some(row.check.name.clone());
        match row.kind.as_str() {
            "p" => {
                table.primary_key = Some(Key {
                    name,
                    columns: row.columns,
                    include: row.include,
                    deferrable,
                    ..Key::default()
                });
            }
            "u" => table.uniques.push(Unique {
                name,
                columns: row.columns,
                include: row.include,
                nulls_not_distinct: row.nulls_not_distinct,
                deferrable,
                ..Unique::default()
            }),
            "c" => table.checks.push(check(row.check)),
            "x" => {
                let definition = row.definition.unwrap_or_default();
                table.exclusions.push(Exclusion {
                    name: row.check.name,
                    definition: definition
                        .strip_prefix("EXCLUDE ")
                        .unwrap_or(&definition)
                        .to_owned(),
                });
            }
            _ => table.foreign_keys.push(ForeignKey {
                name,
                columns: row.columns,
                target: Name {
                    schema: row.target_schema,
                    name: row.target.unwrap_or_default(),
                },
                target_columns: row.target_columns,
                on_delete: action(&row.on_delete)?,
                on_update: action(&row.on_update)?,
                deferrable,
                not_valid: !row.check.valid,
                match_full: row.match_full,
                on_delete_columns: row.on_delete_columns,
            }),
        }
        Ok(())
    }

    fn index(&mut self, row: IndexRow) {
        let list = match self.places.get(&row.table) {
            Some(&(Place::Table(i) | Place::Heir(i))) => self.tables.get_mut(i).map(|t| &mut t.indexes),
            Some(&Place::View(i)) => self.views.get_mut(i).map(|v| &mut v.indexes),
            None => None,
        };
        if let Some(list) = list {
            list.push(Index {
                name: row.name,
                unique: row.unique,
                nulls_not_distinct: row.nulls_not_distinct,
                method: row.method,
                parts: row.parts.into_iter().map(part).collect(),
                include: row.include,
                storage: settings(&row.storage),
                filter: row.filter.map(bare),
                invalid: !row.valid,
            });
        }
    }

    fn trigger(&mut self, row: TriggerRow) {
        let list = match self.places.get(&row.table) {
            Some(&(Place::Table(i) | Place::Heir(i))) => self.tables.get_mut(i).map(|t| &mut t.triggers),
            Some(&Place::View(i)) => self.views.get_mut(i).map(|v| &mut v.triggers),
            None => None,
        };
        let enabled = match row.enabled.as_str() {
            "D" => Some("DISABLE"),
            "A" => Some("ENABLE ALWAYS"),
            "R" => Some("ENABLE REPLICA"),
            _ => None,
        };
        if let (Some(list), Some(definition)) = (list, row.definition) {
            list.push(Trigger {
                name: row.name,
                definition,
                enabled: enabled.map(str::to_owned),
            });
        }
    }

    fn policy(&mut self, row: PolicyRow) {
        let Some(table) = self.table_mut(&row.table) else {
            return;
        };
        let mut definition: Vec<String> = Vec::new();
        if !row.permissive {
            definition.push("AS RESTRICTIVE".into());
        }
        let command = match row.command.as_str() {
            "r" => Some("FOR SELECT"),
            "a" => Some("FOR INSERT"),
            "w" => Some("FOR UPDATE"),
            "d" => Some("FOR DELETE"),
            _ => None,
        };
        definition.extend(command.map(str::to_owned));
        if row.roles != ["PUBLIC"] {
            definition.push(format!("TO {}", row.roles.join(", ")));
        }
        let condition = |word: &str, sql: String| format!("{word} ({})", bare(sql));
        definition.extend(row.condition.map(|sql| condition("USING", sql)));
        definition.extend(row.checked.map(|sql| condition("WITH CHECK", sql)));
        table.policies.push(Policy {
            name: row.name,
            definition: definition.join(" "),
        });
    }
}

fn check(row: CheckRow) -> Check {
    Check {
        name: Some(row.name),
        condition: row.condition.map(bare).unwrap_or_default(),
        not_valid: !row.valid,
        no_inherit: row.no_inherit,
    }
}

fn action(letter: &str) -> Result<Action> {
    Ok(match letter {
        "a" => Action::NoAction,
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => Action::SetDefault,
        _ => {
            return Err(Error::new(
                ErrorKind::Database,
                "the database's catalogue holds an unknown action of a foreign key",
            ));
        }
    })
}

fn part(row: PartRow) -> IndexPart {
    let (desc, nulls_first) = (row.order & 1 != 0, row.order & 2 != 0);
    let expression = row.column.is_none();
    let op_class = row.op_class.map(|class| match settings(&row.options) {
        Some(options) => format!("{class} ({options})"),
        None => class,
    });
    IndexPart {
        key: match row.column {
            Some(column) => column,
            None => row.sql.map(bare).unwrap_or_default(),
        },
        expression,
        collation: row.collation,
        op_class,
        desc,
        // NULLs are greater than all else
        nulls_first: (nulls_first != desc).then_some(nulls_first),
    }
}

fn sequence(row: SequenceRow) -> Sequence {
    let table = row.owner_table.map(|name| Name {
        schema: row.owner_schema,
        name,
    });
    Sequence {
        name: row.name.into(),
        ty: row.ty,
        start: row.start,
        increment: row.increment,
        min: row.min,
        max: row.max,
        cache: row.cache,
        cycle: row.cycle,
        owned_by: table.zip(row.owner_column),
        comment: row.comment,
    }
}

/// The options of a sequence that are not those of a sequence without options.
fn unusual(row: &SequenceRow) -> Option<String> {
    let (least, greatest) = match row.ty.as_str() {
        "smallint" => (i16::MIN.into(), i16::MAX.into()),
        "integer" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    };
    let (min, max) = match row.increment > 0 {
        true => (1, greatest),
        false => (least, -1),
    };
    let start = if row.increment > 0 { row.min } else { row.max };
    let options = [
        ("START WITH", row.start, start),
        ("INCREMENT BY", row.increment, 1),
        ("MINVALUE", row.min, min),
        ("MAXVALUE", row.max, max),
        ("CACHE", row.cache, 1),
    ];
    let mut words: Vec<String> = options
        .into_iter()
        .filter(|(_, is, usual)| is != usual)
        .map(|(word, is, _)| format!("{word} {is}"))
        .collect();
    if row.cycle {
        words.push("CYCLE".into());
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn function(row: FunctionRow) -> Option<Function> {
    let mut definition = row.definition?.trim_end().to_owned();
    if row.name.schema.is_none() {
        let word = if row.procedure { "PROCEDURE" } else { "FUNCTION" };
        let (head, qualified) = (
            format!("CREATE OR REPLACE {word} "),
            format!("CREATE OR REPLACE {word} {}.", row.qualifier),
        );
        if let Some(rest) = definition.strip_prefix(&qualified) {
            definition = head + rest;
        }
    }
    Some(Function {
        name: row.name.into(),
        arguments: row.arguments,
        procedure: row.procedure,
        definition,
        comment: row.comment,
    })
}

/// Everybody may use functions and types, unless that is revoked: only the revocation is told.
fn grant(row: GrantRow) -> Option<Grant> {
    let usual: &[&str] = match row.kind.as_str() {
        "FUNCTION" | "PROCEDURE" => &["EXECUTE"],
        "TYPE" => &["USAGE"],
        _ => &[],
    };
    if row.role == "PUBLIC" && !usual.is_empty() && row.privileges == usual && !row.grantable {
        return None;
    }
    Some(Grant {
        kind: row.kind,
        object: row.name.into(),
        role: row.role,
        privileges: row.privileges,
        grantable: row.grantable,
    })
}

/// `name=value` as WITH takes them.
fn settings(list: &[String]) -> Option<String> {
    let plain = |value: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
        let digits = value.strip_prefix('-').unwrap_or(value);
        !digits.is_empty() && digits.bytes().all(word)
    };
    let one = |setting: &String| match setting.split_once('=') {
        Some((name, value)) if !plain(value) => format!("{name}='{}'", value.replace('\'', "''")),
        _ => setting.clone(),
    };
    let written: Vec<String> = list.iter().map(one).collect();
    (!written.is_empty()).then(|| written.join(", "))
}

/// Without the parentheses that stand around the whole: wherever such a text goes, there are some already.
fn bare(sql: String) -> String {
    let mut text = sql.as_str();
    while let Some(inner) = inside(text) {
        text = inner.trim();
    }
    text.to_owned()
}

/// What stands between the parentheses around the whole text, if it begins with one that only its end closes.
fn inside(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let (mut depth, mut quote) = (1i32, None);
    for b in inner.bytes() {
        match (quote, b) {
            (Some(open), b) if b == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(b),
            (None, b'(') => depth += 1,
            (None, b')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return None;
        }
    }
    Some(inner)
}

#[cfg(test)]
mod tests {
    use crate::introspect::postgres::{bare, settings};

    #[test]
    fn parentheses_around_the_whole_go() {
        for (given, left) in [
            ("(a > 0)", "a > 0"),
            ("((a))", "a"),
            ("(a) + (b)", "(a) + (b)"),
            ("(a = ')') OR (b)", "(a = ')') OR (b)"),
            ("(a = ')'')(')", "a = ')'')('"),
            ("(\"(\" = 1)", "\"(\" = 1"),
            ("f(x)", "f(x)"),
            ("(", "("),
            ("()", ""),
        ] {
            assert_eq!(bare(given.to_owned()), left);
        }
    }

    #[test]
    fn settings_are_quoted_where_they_must() {
        let list = ["fillfactor=70", "scale=-0.2", "name=a b'c", "empty="].map(str::to_owned);
        let written = settings(&list);
        assert_eq!(
            written.as_deref(),
            Some("fillfactor=70, scale=-0.2, name='a b''c', empty=''")
        );
    }
}
