//! `migrate merge`: one migration after several heads, with the schema that all of them leave.

use orm::migrate::{Draft, Graph, snapshot};
use serde_json::{Map, Value, json};

use crate::cmd::Context;
use crate::config::short;
use crate::reply::{Reply, Stop};

pub(crate) fn merge(context: &Context, name: &str) -> Result<Reply, Stop> {
    let backend = context.config.backend()?;
    let migrations = context.config.files()?;
    let graph = Graph::of(&migrations)?;
    let heads = graph.heads();
    let Some((first, others)) = heads.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Ok(Reply::new(
            "nothing to do: there is one head",
            json!({ "written": [], "heads": heads }),
        ));
    };
    let snapshot_of = |versions: Vec<i64>| -> Result<Value, Stop> {
        let mut versions = versions.into_iter();
        let text = versions.find_map(|v| migrations.get(v).and_then(|m| m.snapshot.as_deref()));
        let schema = match text {
            Some(text) => snapshot::read(text, backend.name())?,
            None => Default::default(),
        };
        let text = snapshot::write(&schema, backend.name());
        serde_json::from_str(&text).map_err(|e| Stop::usage(format!("a snapshot cannot be read: {e}")))
    };
    let before = |of: i64| {
        let line = graph.ancestors(&[of]);
        let order = graph.order().iter().rev().copied();
        order.filter(|v| line.contains(v)).collect()
    };
    let mut merged = snapshot_of(before(*first))?;
    let mut below = graph.ancestors(&[*first]);
    for head in others {
        let line = graph.ancestors(&[*head]);
        let order = graph.order().iter().rev().copied();
        let common = order.filter(|v| below.contains(v) && line.contains(v));
        let base = snapshot_of(common.collect())?;
        let theirs = snapshot_of(before(*head))?;
        let mut path = Vec::new();
        merged = joined(&base, &merged, &theirs, &mut path)?;
        below.extend(line);
    }
    // read once more, so that it is written in its own order
    let schema = snapshot::read(&merged.to_string(), backend.name()).map(|mut schema| {
        schema.normalize();
        schema
    })?;
    let mut draft = Draft::new(name);
    draft.header.parents = Some(heads.clone());
    draft.header.irreversible = Some("a merge changes nothing".to_owned());
    draft.up = "-- joins branches that do not meet in any table or column\n".to_owned();
    draft.snapshot = Some(snapshot::write(&schema, backend.name()));
    let written = draft.write(&context.config.dir, backend)?;
    let names: Vec<String> = written
        .into_iter()
        .map(|f| short(f).display().to_string())
        .collect();
    let text = names.iter().map(|n| format!("wrote {n}\n")).collect::<String>();
    Ok(Reply::new(text, json!({ "written": names, "heads": heads })))
}

/// What both sides made of the base: where only one changed something, that is taken; where both did, and not the same,
/// somebody has to decide.
fn joined(base: &Value, ours: &Value, theirs: &Value, path: &mut Vec<String>) -> Result<Value, Stop> {
    if ours == theirs || theirs == base {
        return Ok(ours.clone());
    }
    if ours == base {
        return Ok(theirs.clone());
    }
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let empty = Map::new();
            let base = base.as_object().unwrap_or(&empty);
            let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            let mut out = Map::new();
            for key in keys {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                path.push(key.clone());
                let value = joined(&of(base), &of(a), &of(b), path)?;
                path.pop();
                if !value.is_null() || (a.contains_key(key) && b.contains_key(key)) {
                    out.insert(key.clone(), value);
                }
            }
            Ok(Value::Object(out))
        }
        (Value::Array(a), Value::Array(b)) if is_named(a) && is_named(b) => {
            let empty = Vec::new();
            let base = base.as_array().unwrap_or(&empty);
            let find = |list: &[Value], name: &Value| {
                list.iter()
                    .find(|v| v.get("name") == Some(name))
                    .cloned()
                    .unwrap_or(Value::Null)
            };
            let names = a.iter().chain(b).filter_map(|v| v.get("name"));
            let mut seen = Vec::new();
            let mut out = Vec::new();
            for name in names {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                path.push(
                    name.get("name")
                        .unwrap_or(name)
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                );
                let value = joined(&find(base, name), &find(a, name), &find(b, name), path)?;
                path.pop();
                out.extend((!value.is_null()).then_some(value));
            }
            Ok(Value::Array(out))
        }
        _ => Err(Stop::usage(format!(
            "two branches changed {} in different ways",
            path.iter().skip(1).cloned().collect::<Vec<_>>().join(".")
        ))
        .help("undo one of the changes by a migration on its branch, then merge")),
    }
}

fn is_named(list: &[Value]) -> bool {
    list.iter()
        .all(|v| v.get("name").is_some_and(|name| !name.is_null()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::cmd::merge::joined;

    fn table(columns: &[(&str, &str)]) -> Value {
        let columns: Vec<Value> = columns
            .iter()
            .map(|(n, t)| json!({ "name": n, "ty": t }))
            .collect();
        json!({ "schema": { "tables": [{ "name": { "name": "users" }, "columns": columns }] } })
    }

    #[test]
    fn both_sides_are_kept() {
        let base = table(&[("id", "int"), ("gone", "text"), ("same", "text")]);
        let ours = table(&[
            ("id", "int"),
            ("gone", "text"),
            ("same", "text"),
            ("ours", "text"),
        ]);
        let theirs = table(&[("id", "bigint"), ("same", "text"), ("theirs", "text")]);
        let both = joined(&base, &ours, &theirs, &mut Vec::new()).unwrap();
        let expected = table(&[
            ("id", "bigint"),
            ("same", "text"),
            ("ours", "text"),
            ("theirs", "text"),
        ]);
        assert_eq!(both, expected);
    }

    #[test]
    fn where_they_differ_it_is_said() {
        let base = table(&[("age", "int")]);
        let stop = joined(
            &base,
            &table(&[("age", "bigint")]),
            &table(&[("age", "text")]),
            &mut Vec::new(),
        )
        .unwrap_err();
        assert_eq!(
            stop.message(),
            "two branches changed tables.users.columns.age.ty in different ways"
        );
    }
}
