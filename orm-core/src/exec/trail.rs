//! The audit trail: for each row that a write changed, one row of the log, in the same transaction.
//!
//! Rows are told apart by their keys: one whose key was changed ends under the old key and begins under the new one. What
//! the database does by itself, such as ON DELETE CASCADE, and what is done by hand-written SQL is not seen here: that is
//! what trails by triggers are for (`sql/trigger.rs`), which write the same.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::ast::Expr as Node;
use crate::driver::Discard;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::edit::{changes, key_of};
use crate::exec::fetch::{Site, plain_inserts};
use crate::exec::key::Key;
use crate::exec::{Raw, WriteKind, bulk};
use crate::query::{Batch, Insert};
use crate::schema::{Column, Table};
use crate::sql::{Scope, hex, integer};
use crate::value::{DecimalParts, Element, Type, Value, quoted, range_text};

/// One changed row.
struct Entry<'a> {
    operation: &'static str,
    key: Vec<Value>,
    before: Option<&'a [Value]>,
    after: Option<&'a [Value]>,
    changed: Vec<&'static str>,
}

/// Writes down what a write did.
pub(crate) async fn record(
    raw: &Raw<'_>,
    table: &'static Table,
    log: &'static Table,
    kind: WriteKind,
    before: &[Vec<Value>],
    after: &[Vec<Value>],
    site: Site,
) -> Result<()> {
    let entries = entries(table, kind, before, after);
    if entries.is_empty() {
        return Ok(());
    }
    let (Some(tx), Some(at)) = (raw.tx, raw.scope.clock) else {
        let text = "an audit trail is written in a transaction and at an instant";
        return Err(Error::new(ErrorKind::TransactionState, text).with_model(table.model));
    };
    let Scope {
        actor,
        tenant,
        request,
        ..
    } = &raw.scope;
    let text = |text: Option<String>| text.map_or(Value::Null(Type::Text), Value::Text);
    let mut batch = Batch::of_about(log, entries.len());
    for entry in entries {
        let value = |column: &Column| match column.field {
            "transaction_id" => Some(Value::Text(tx.id().to_owned())),
            "at" => Some(Value::Timestamp(at)),
            "table_name" => Some(Value::Text(table_name(table))),
            "row_key" => Some(Value::Text(key_text(entry.key.clone()))),
            "operation" => match column.column.ty {
                Type::Enum(e) => Some(Value::Enum(e, entry.operation)),
                _ => Some(Value::Str(entry.operation)),
            },
            "actor" => Some(text(actor.as_ref().and_then(plain))),
            "tenant" => Some(text(tenant.as_ref().and_then(plain))),
            "request_id" => Some(text(request.as_ref().and_then(plain))),
            "before" => Some(text(entry.before.map(|row| object(table, row)))),
            "after" => Some(text(entry.after.map(|row| object(table, row)))),
            "changed" => Some(Value::Text(names(&entry.changed))),
            _ => None,
        };
        let row = log
            .columns
            .iter()
            .filter_map(|c| Some((c, Node::Value(value(c)?))));
        batch.push(Insert::<()>::of_row(row.collect(), false));
    }
    let (list, _) = bulk::plan(batch, log, raw.runner.dialect().features(), false)?;
    plain_inserts(raw, list, log, Box::new(Discard), site).await?;
    Ok(())
}

/// The rows that a write changed, in the order it gave them back.
fn entries<'a>(
    table: &'static Table,
    kind: WriteKind,
    before: &'a [Vec<Value>],
    after: &'a [Vec<Value>],
) -> Vec<Entry<'a>> {
    let key = |row: &[Value]| Key::new(key_of(table, row));
    let mut found: HashMap<Key, &[Value]> = before.iter().map(|row| (key(row), row.as_slice())).collect();
    let mut out = Vec::new();
    for row in after {
        let was = found.remove(&key(row));
        out.extend(entry(table, was, Some(row)));
    }
    // an upsert also reads rows that turned out not to be in its way
    if kind != WriteKind::Upsert {
        let gone = before.iter().filter_map(|row| found.remove(&key(row)));
        out.extend(gone.filter_map(|row| entry(table, Some(row), None)));
    }
    out
}

fn entry<'a>(
    table: &'static Table,
    before: Option<&'a [Value]>,
    after: Option<&'a [Value]>,
) -> Option<Entry<'a>> {
    let changed: Vec<&str> = match (before, after) {
        (Some(before), Some(after)) => {
            let changes = changes(table, before, after.to_vec());
            changes.iter().map(|c| c.field()).collect()
        }
        _ => table.columns.iter().map(|c| c.field).collect(),
    };
    let hidden = |row: &[Value]| {
        let deleted_at = table.managed.deleted_at.and_then(|i| row.get(i));
        deleted_at.is_some_and(|v| !v.is_null())
    };
    let operation = match (before, after) {
        (None, _) => "insert",
        (Some(_), None) => "delete",
        (Some(before), Some(after)) => match (hidden(before), hidden(after)) {
            (false, true) => "delete",
            (true, false) => "restore",
            _ if changed.is_empty() => return None,
            _ => "update",
        },
    };
    Some(Entry {
        operation,
        key: key_of(table, after.or(before)?),
        before,
        after,
        changed,
    })
}

/// The table as the log names it.
pub fn table_name(table: &Table) -> String {
    match table.table.schema {
        Some(schema) => format!("{schema}.{}", table.name()),
        None => table.name().to_owned(),
    }
}

/// A key as the log has it: a JSON array of its values.
pub(crate) fn key_text(key: Vec<Value>) -> String {
    list(&Key::new(key).0)
}

fn list(values: &[Value]) -> String {
    let mut out = String::from("[");
    separated(&mut out, values, json);
    out.push(']');
    out
}

fn names(names: &[&'static str]) -> String {
    let mut out = String::from("[");
    separated(&mut out, names, |out, name| quoted(out, name));
    out.push(']');
    out
}

/// A row as a JSON object, without its sensitive columns.
fn object(table: &'static Table, row: &[Value]) -> String {
    let columns = table.columns.iter().zip(row);
    let open: Vec<_> = columns.filter(|(c, _)| !c.column.sensitive).collect();
    let mut out = String::from("{");
    separated(&mut out, &open, |out, (column, value)| {
        quoted(out, column.field);
        out.push(':');
        json(out, value);
    });
    out.push('}');
    out
}

fn separated<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item);
    }
}

/// A value as a person reads it. `None` for NULL.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null(_) => None,
        Value::Text(s) => Some(s.clone()),
        Value::Str(s) | Value::Enum(_, s) => Some((*s).to_owned()),
        other => {
            let mut out = String::new();
            json(&mut out, other);
            Some(out.trim_matches('"').to_owned())
        }
    }
}

/// A value in JSON. Numbers that JSON cannot hold exactly are strings, bytes are hexadecimal digits.
pub(crate) fn json(out: &mut String, value: &Value) {
    // writing to a String does not fail
    let mut shown = |text: &dyn std::fmt::Display| {
        let _ = write!(out, "\"{text}\"");
    };
    match value {
        Value::Null(_) | Value::Refused(_) => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::I16(n) => integer(out, (*n).into()),
        Value::I32(n) => integer(out, (*n).into()),
        Value::I64(n) => integer(out, *n),
        Value::F32(n) => float(out, (*n).into()),
        Value::F64(n) => float(out, *n),
        Value::Text(s) => quoted(out, s),
        Value::Str(s) | Value::Enum(_, s) => quoted(out, s),
        Value::Bytes(b) => hex(out, b),
        Value::Uuid(u) => shown(&hyphenated(u)),
        Value::Timestamp(t) => shown(t),
        Value::LocalTimestamp(t) => shown(t),
        Value::Date(d) => shown(d),
        Value::Time(t) => shown(t),
        Value::Json(text) => out.push_str(text),
        Value::Decimal(d) => shown(&decimal(d)),
        Value::Interval(v) => shown(v),
        // what has no text cannot be stored
        Value::Range(_, v) => shown(&range_text(v).unwrap_or_default()),
        Value::Other(_, s) => quoted(out, s),
        Value::Array(Element::F32, items) => {
            out.push('[');
            separated(out, items, |out, item| match item {
                // the digits that single precision needs, as the array is stored without arrays
                Value::F32(n) if n.is_finite() => out.push_str(&format!("{n:?}")),
                other => json(out, other),
            });
            out.push(']');
        }
        Value::Array(_, items) => out.push_str(&list(items)),
    }
}

fn float(out: &mut String, n: f64) {
    let _ = match n.is_finite() {
        true => write!(out, "{n:?}"),
        false => write!(out, "\"{n}\""),
    };
}

fn decimal(d: &DecimalParts) -> String {
    let (sign, scale) = (if d.mantissa < 0 { "-" } else { "" }, d.scale as usize);
    let digits = format!("{:0>1$}", d.mantissa.unsigned_abs(), scale + 1);
    match digits.split_at(digits.len() - scale) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, rest) => format!("{sign}{whole}.{rest}"),
    }
}

fn hyphenated(uuid: &[u8; 16]) -> String {
    let n = u128::from_be_bytes(*uuid);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        n >> 80 & 0xffff,
        n >> 64 & 0xffff,
        n >> 48 & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use crate::exec::trail::{key_text, list, plain};
    use crate::value::{DecimalParts, Element, Timestamp, Type, Value};

    #[test]
    fn every_value_is_json() {
        let decimal = DecimalParts {
            mantissa: -1250,
            scale: 2,
        };
        let mut uuid = [0; 16];
        (uuid[0], uuid[15]) = (0x12, 0xab);
        let values = [
            Value::Null(Type::I64),
            Value::Bool(true),
            Value::I64(i64::MAX),
            Value::F64(0.5),
            Value::F64(1e300),
            Value::F64(f64::NAN),
            Value::Str("a\"\0"),
            Value::Bytes(vec![0, 255]),
            Value::Uuid(uuid),
            Value::Timestamp(Timestamp::from_micros(0)),
            Value::Json("{\"a\":1}".into()),
            Value::Decimal(decimal),
            Value::Array(Element::I64, Box::new([Value::I64(1), Value::Null(Type::I64)])),
        ];
        assert_eq!(
            list(&values),
            concat!(
                r#"[null,true,9223372036854775807,0.5,1e300,"NaN","a\"\u0000","00ff","#,
                r#""12000000-0000-0000-0000-0000000000ab","1970-01-01T00:00:00.000000Z",{"a":1},"-12.50",[1,null]]"#
            )
        );
        assert_eq!(plain(&Value::I64(7)).as_deref(), Some("7"));
        assert_eq!(plain(&Value::Text("\"q\"".into())).as_deref(), Some("\"q\""));
        assert_eq!(plain(&Value::Null(Type::Text)), None);
        // one text for one key, whatever its width
        assert_eq!(
            key_text(vec![Value::I16(1), Value::Str("a")]),
            key_text(vec![Value::I64(1), Value::Text("a".into())])
        );
    }
}
