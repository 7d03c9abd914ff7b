//! A schema as a file: JSON, one thing a line, in one order, so that two branches that change the same table conflict
//! in version control.

use orm_core::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::Schema;

/// The format of the file; one with a higher number is refused.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File<S> {
    format: u32,
    dialect: String,
    schema: S,
}

/// Writes a schema of a database of this dialect (`postgres`, `sqlite`).
///
/// ```
/// # use orm_migrate::{schema::Schema, snapshot};
/// let text = snapshot::write(&Schema::default(), "sqlite");
/// assert_eq!(snapshot::read(&text, "sqlite")?, Schema::default());
/// # Ok::<(), orm_core::error::Error>(())
/// ```
pub fn write(schema: &Schema, dialect: &str) -> String {
    let file = File {
        format: FORMAT,
        dialect: dialect.to_owned(),
        schema,
    };
    // cannot fail: no map with keys that are no text, no type that refuses
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// `Config` when it is no such file, when a newer version wrote it, or when it belongs to another database.
pub fn read(text: &str, dialect: &str) -> Result<Schema> {
    let refuse = |why: String| Error::new(ErrorKind::Config, why);
    let file: File<Schema> =
        serde_json::from_str(text).map_err(|e| refuse(format!("the snapshot cannot be read: {e}")))?;
    if file.format > FORMAT {
        return Err(refuse(format!(
            "the snapshot has format {}, and this version reads up to {FORMAT}",
            file.format
        )));
    }
    if file.dialect != dialect {
        return Err(refuse(format!(
            "the snapshot is of {}, and this database is {dialect}",
            file.dialect
        )));
    }
    Ok(file.schema)
}

/// What two schemas have become that were one: what either changed since. For branches that come together.
///
/// ```
/// # use orm_migrate::schema::{Name, Schema, Table};
/// # use orm_migrate::snapshot;
/// let with = |names: &[&str]| Schema {
///     tables: names.iter().map(|n| Table { name: Name::new(*n), ..Table::default() }).collect(),
///     ..Schema::default()
/// };
/// let merged = snapshot::merge(&with(&["a", "b"]), &with(&["a", "b", "c"]), &with(&["a"]))?;
/// assert_eq!(merged, with(&["a", "c"]));
/// # Ok::<(), orm_core::error::Error>(())
/// ```
///
/// # Errors
/// `Config` that names what both have changed, each otherwise.
pub fn merge(base: &Schema, ours: &Schema, theirs: &Schema) -> Result<Schema> {
    let lost = |e: serde_json::Error| Error::new(ErrorKind::Encode, format!("a schema as JSON: {e}"));
    let value = |schema: &Schema| serde_json::to_value(schema).map_err(lost);
    let merged = merged(
        Some(&value(base)?),
        Some(&value(ours)?),
        Some(&value(theirs)?),
        "the schema",
    )?;
    let mut out: Schema = serde_json::from_value(merged.unwrap_or_default()).map_err(lost)?;
    out.normalize();
    Ok(out)
}

/// `None` is absent.
fn merged(
    base: Option<&Value>,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    path: &str,
) -> Result<Option<Value>> {
    if ours == theirs || theirs == base {
        return Ok(ours.cloned());
    }
    if ours == base {
        return Ok(theirs.cloned());
    }
    match (ours, theirs) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let base = base.and_then(Value::as_object);
            let mut out = serde_json::Map::new();
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let path = match key.as_str() {
                    "columns" | "name" => path.to_owned(),
                    key => format!("{path}, {key}"),
                };
                let value = merged(base.and_then(|o| o.get(key)), a.get(key), b.get(key), &path)?;
                out.extend(value.map(|v| (key.clone(), v)));
            }
            Ok(Some(Value::Object(out)))
        }
        (a, b) if [a, b, base].iter().all(|list| is_named(*list)) => {
            let list = |v: Option<&Value>| v.and_then(Value::as_array).cloned().unwrap_or_default();
            let (base, a, b) = (list(base), list(a), list(b));
            let with =
                |list: &[Value], name: &Value| list.iter().find(|v| v.get("name") == Some(name)).cloned();
            let mut out = Vec::new();
            let names = a.iter().chain(&b).filter_map(|v| v.get("name"));
            let mut seen: Vec<&Value> = Vec::new();
            for name in names {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                let called = match name.get("name").unwrap_or(name) {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let (x, y, z) = (with(&base, name), with(&a, name), with(&b, name));
                out.extend(merged(
                    x.as_ref(),
                    y.as_ref(),
                    z.as_ref(),
                    &format!("{path}, {called}"),
                )?);
            }
            Ok(Some(Value::Array(out)))
        }
        _ => Err(Error::new(
            ErrorKind::Config,
            format!("both branches have changed this, each otherwise: {path}. One of them has to give way"),
        )),
    }
}

/// A list of things with names, or none.
fn is_named(list: Option<&Value>) -> bool {
    match list {
        None => true,
        Some(Value::Array(list)) => list.iter().all(|v| v.get("name").is_some_and(|n| !n.is_null())),
        Some(_) => false,
    }
}
