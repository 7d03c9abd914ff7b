//! A schema in the words of a database: PostgreSQL prints expressions otherwise than they were written, so that those of
//! models and of files can only be compared after it has read and printed them.

use orm_core::driver::SavepointVerb;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::exec::Db;
use orm_core::value::Timestamp;
use serde_json::Value;
use std::sync::Arc;

use crate::Backend;
use crate::code::Inside;
use crate::diff::denied;
use crate::introspect::{self, introspect_with};
use crate::plan::plan;
use crate::schema::{Schema, add_absent};
use crate::text::{Kind, Token, tokens};
use crate::wire::Wire;

/// The schema as the database would print it after it was created there, and the objects that could not be created, which
/// are as they were.
///
/// On PostgreSQL everything is created under other names of schemas, in a transaction that is rolled back: nothing
/// stays, no table in use is locked, and no program sees it. On SQLite, which keeps texts as they were written, only blanks
/// and comments inside them are made alike.
///
/// # Errors
/// Those of the database: on PostgreSQL, the right to create schemas in it is needed.
pub async fn in_words_of(db: &Db, schema: &Schema) -> Result<(Schema, Vec<String>)> {
    let backend = Backend::of(db)?;
    if backend == Backend::Sqlite || is_empty(schema) {
        return Ok((canonical(schema.clone(), backend), Vec::new()));
    }
    let wire = Wire::new(db.driver().session(None).await?, backend).await?;
    wire.begin().await?;
    let done = printed(db, &wire, schema).await;
    let undone = wire.rollback().await;
    let done = done?;
    undone?;
    Ok(done)
}

fn is_empty(schema: &Schema) -> bool {
    *schema
        == Schema {
            schemas: schema.schemas.clone(),
            extensions: schema.extensions.clone(),
            grants: schema.grants.clone(),
            ..Schema::default()
        }
}

async fn printed(db: &Db, wire: &Wire, schema: &Schema) -> Result<(Schema, Vec<String>)> {
    let scratch = format!("orm_scratch_{}", Timestamp::now().micros().unsigned_abs());
    let map: Vec<(String, String)> = schema
        .schemas
        .iter()
        .enumerate()
        .map(|(i, name)| (name.clone(), format!("{scratch}_{i}")))
        .collect();
    let back: Vec<(String, String)> = map.iter().map(|(a, b)| (b.clone(), a.clone())).collect();
    // extensions are there, or could not be made inside a transaction that others may wait for
    let bare = Schema {
        extensions: Vec::new(),
        grants: Vec::new(),
        ..schema.clone()
    };
    let moved = moved(&bare, &map)?;
    wire.exec(&format!("CREATE SCHEMA {scratch}"), vec![]).await?;
    wire.exec(
        &format!(
            "SELECT set_config('search_path', '{scratch}, ' || current_setting('search_path'), true), \
             set_config('check_function_bodies', 'off', true)"
        ),
        vec![],
    )
    .await?;
    let nothing = Schema::default();
    let script = plan(&nothing, &moved, &denied(&nothing, &moved), Backend::Postgres)?
        .decided()?
        .up;
    let mut failed = Vec::new();
    for step in &script.steps {
        let savepoint = |verb| async move { wire.shared.lock().await.savepoint(1, verb).await };
        savepoint(SavepointVerb::Set).await?;
        let mut done = Ok(0);
        for statement in &step.statements {
            done = wire.exec(statement, vec![]).await;
            if done.is_err() {
                break;
            }
        }
        match done {
            Ok(_) => savepoint(SavepointVerb::Release).await?,
            Err(e) if e.kind() == ErrorKind::ConnectionLost => return Err(e),
            Err(_) => {
                savepoint(SavepointVerb::Undo).await?;
                failed.push(step.change.clone());
            }
        }
    }
    let inside = Db::new(Arc::new(Inside::new(&wire.shared, db.dialect())));
    let options = introspect::Options {
        schemas: std::iter::once(scratch)
            .chain(map.iter().map(|(_, to)| to.clone()))
            .collect(),
        leave_out: Vec::new(),
        grants: false,
    };
    let found = introspect_with(&inside, &options).await?;
    let mut out = self::moved(&found, &back)?;
    out.schemas = schema.schemas.clone();
    out.extensions = schema.extensions.clone();
    out.grants = schema.grants.clone();
    hints(schema, &mut out);
    missing(schema, &mut out);
    out.normalize();
    let plain = |what: &String| requalified(what, &back);
    Ok((out, failed.iter().map(plain).collect()))
}

/// What was said about renames is not in a database.
fn hints(from: &Schema, to: &mut Schema) {
    for table in &mut to.tables {
        let Some(said) = from.table(&table.name) else {
            continue;
        };
        table.renamed_from = said.renamed_from.clone();
        for column in &mut table.columns {
            if let Some(said) = said.column(&column.name) {
                column.renamed_from = said.renamed_from.clone();
            }
        }
        // what could not be created stands as it is written
        add_absent!(
            table,
            said;
            checks,
            foreign_keys,
            indexes,
            uniques,
            exclusions,
            triggers,
            policies
        );
    }
    for it in &mut to.enums {
        if let Some(said) = from.enums.iter().find(|e| e.name == it.name) {
            it.renamed_from = said.renamed_from.clone();
            it.renamed_labels = said.renamed_labels.clone();
        }
    }
}

/// Adds the objects that are only in the first: those that could not be created stand as they are written.
pub(super) fn missing(from: &Schema, to: &mut Schema) {
    add_absent!(
        to,
        from;
        enums,
        domains,
        composites,
        sequences,
        tables,
        virtual_tables,
        views,
        functions
    );
}

/// Fields that hold SQL.
const SQL: &[&str] = &[
    "arguments",
    "attributes",
    "collation",
    "condition",
    "default",
    "definition",
    "filter",
    "key",
    "module",
    "op_class",
    "partition_by",
    "partition_of",
    "query",
    "stored",
    "ty",
    "virtual",
];

/// The schema with other names of schemas, in names and in texts.
fn moved(schema: &Schema, map: &[(String, String)]) -> Result<Schema> {
    if map.is_empty() {
        return Ok(schema.clone());
    }
    rewritten(schema, &|field, text| {
        let other = |name: &str| {
            map.iter()
                .find(|(from, _)| from == name)
                .map(|(_, to)| to.clone())
        };
        match field {
            "schema" | "schemas" => other(text).unwrap_or_else(|| text.to_owned()),
            _ if SQL.contains(&field) => requalified(text, map),
            _ => text.to_owned(),
        }
    })
}

/// The text with other schemas in front of names.
fn requalified(sql: &str, map: &[(String, String)]) -> String {
    let Ok(found) = tokens(sql, Backend::Postgres) else {
        return sql.to_owned();
    };
    let mut out = String::with_capacity(sql.len());
    let mut copied = 0;
    for (i, token) in found.iter().enumerate() {
        let dotted = found.get(i + 1).is_some_and(|t| t.is_sign("."));
        let inner = i > 0 && found[i - 1].is_sign(".");
        if !dotted || inner {
            continue;
        }
        let named = map.iter().find(|(from, _)| is_name(token, from));
        if let Some((_, to)) = named {
            out.push_str(&sql[copied..token.at]);
            out.push_str(&as_printed(to));
            copied = token.at + token.text.len();
        }
    }
    out.push_str(&sql[copied..]);
    out
}

fn is_name(token: &Token<'_>, name: &str) -> bool {
    match token.kind {
        Kind::Word => token.text.to_lowercase() == name,
        Kind::Name => crate::lint::plain_name(token).as_deref() == Some(name),
        Kind::Text | Kind::Number | Kind::Sign | Kind::Semicolon => false,
    }
}

/// A name with quotes where PostgreSQL prints them; reserved words aside, which no schema is called.
fn as_printed(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    match plain {
        true => name.to_owned(),
        false => crate::words::quoted(name),
    }
}

/// The schema with texts in which blanks and comments make no difference (SQLite); what PostgreSQL prints is alike
/// already.
pub(crate) fn canonical(schema: Schema, backend: Backend) -> Schema {
    if backend == Backend::Postgres {
        return schema;
    }
    let alike = rewritten(
        &schema,
        &|field, text| match SQL.contains(&field) && field != "ty" {
            true => match tokens(text, backend) {
                Ok(found) => spaced(&found),
                Err(_) => text.to_owned(),
            },
            false => text.to_owned(),
        },
    );
    alike.unwrap_or(schema)
}

/// Tokens with as few blanks between them as people write.
fn spaced(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for (i, token) in tokens.iter().enumerate() {
        let close = |t: &Token<'_>| [")", ",", "."].iter().any(|s| t.is_sign(s));
        let open = |t: &Token<'_>| t.is_sign("(") || t.is_sign(".");
        let word = |t: &Token<'_>| matches!(t.kind, Kind::Word | Kind::Name);
        if let Some(before) = i.checked_sub(1).map(|i| &tokens[i]) {
            let called = token.is_sign("(") && word(before) && before.at + before.text.len() == token.at;
            if !close(token) && !open(before) && !called {
                out.push(' ');
            }
        }
        out.push_str(token.text);
    }
    out
}

/// The schema with other texts in its fields; each is shown with the name of the field that holds it.
fn rewritten(schema: &Schema, text: &dyn Fn(&str, &str) -> String) -> Result<Schema> {
    let lost = |e: serde_json::Error| Error::new(ErrorKind::Encode, format!("a schema as JSON: {e}"));
    let mut value = serde_json::to_value(schema).map_err(lost)?;
    walk(&mut value, "", text);
    let mut out: Schema = serde_json::from_value(value).map_err(lost)?;
    out.normalize();
    Ok(out)
}

fn walk(value: &mut Value, field: &str, text: &dyn Fn(&str, &str) -> String) {
    match value {
        Value::String(found) => *found = text(field, found),
        Value::Array(list) => list.iter_mut().for_each(|v| walk(v, field, text)),
        Value::Object(fields) => {
            // the entry of an index is a column's name, unless it says that it is an expression
            let expression = fields.get("expression").is_some_and(|v| *v == Value::Bool(true));
            for (name, value) in fields.iter_mut().filter(|(name, _)| *name != "key" || expression) {
                walk(value, name, text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
