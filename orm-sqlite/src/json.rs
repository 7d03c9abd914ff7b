//! Places in JSON documents, which are stored as text.

use orm_core::ast::{Expr, JsonFn};
use orm_core::error::Result;
use orm_core::sql::{SqlWriter, function};
use orm_core::value::Value;

pub(crate) fn call(w: &mut SqlWriter<'_>, f: JsonFn, args: &[Expr]) -> Result<()> {
    let Some((doc, rest)) = args.split_first() else {
        return Err(function::arguments());
    };
    match f {
        JsonFn::Get => match path(rest)? {
            Some(at) => pair(w, "(", doc, " -> ", at, ")"),
            None => w.operand(doc),
        },
        JsonFn::Text => {
            kind(w, "CASE ", doc, rest)?;
            w.push(" WHEN 'text' THEN ");
            extract(w, doc, rest)?;
            // numbers with their digits, documents as they are stored
            pair(
                w,
                " WHEN 'null' THEN NULL ELSE ",
                doc,
                " -> ",
                root(rest)?,
                " END",
            )
        }
        JsonFn::Int => {
            kind(w, "CASE ", doc, rest)?;
            w.push(" WHEN 'integer' THEN ");
            extract(w, doc, rest)?;
            w.push(" WHEN 'real' THEN CAST(");
            extract(w, doc, rest)?;
            w.push(" AS INTEGER) END");
            Ok(())
        }
        JsonFn::Float => {
            kind(w, "CASE WHEN ", doc, rest)?;
            w.push(" IN ('integer', 'real') THEN CAST(");
            extract(w, doc, rest)?;
            w.push(" AS REAL) END");
            Ok(())
        }
        JsonFn::Bool => {
            kind(w, "CASE ", doc, rest)?;
            w.push(" WHEN 'true' THEN 1 WHEN 'false' THEN 0 END");
            Ok(())
        }
        JsonFn::Kind => {
            kind(w, "CASE ", doc, rest)?;
            w.push(" WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'text' THEN 'string'");
            kind(
                w,
                " WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' ELSE ",
                doc,
                rest,
            )?;
            w.push(" END");
            Ok(())
        }
        JsonFn::Length => {
            kind(w, "CASE ", doc, rest)?;
            pair(
                w,
                " WHEN 'array' THEN json_array_length(",
                doc,
                ", ",
                root(rest)?,
                ") END",
            )
        }
        JsonFn::Contains | JsonFn::HasAny | JsonFn::HasAll => {
            let Some((part, steps)) = rest.split_last() else {
                return Err(function::arguments());
            };
            w.push(match f {
                JsonFn::HasAny => "orm_json_has_any(",
                JsonFn::HasAll => "orm_json_has_all(",
                _ => "orm_json_contains(",
            });
            match path(steps)? {
                Some(at) => pair(w, "", doc, " -> ", at, "")?,
                None => w.expr(doc)?,
            }
            w.push(", ");
            w.expr(part)?;
            w.push(")");
            Ok(())
        }
        JsonFn::Set => {
            let Some((value, steps)) = rest.split_last() else {
                return Err(function::arguments());
            };
            // SQLite would make the objects on the way, which PostgreSQL does not
            let above = steps.split_last().map_or(&[][..], |(_, above)| above);
            if !above.is_empty() {
                kind(w, "CASE WHEN ", doc, above)?;
                w.push(" IN ('object', 'array') THEN ");
            }
            pair(w, "json_set(", doc, ", ", root(steps)?, ", json(")?;
            w.expr(value)?;
            w.push("))");
            if !above.is_empty() {
                w.push(" ELSE ");
                w.operand(doc)?;
                w.push(" END");
            }
            Ok(())
        }
        JsonFn::Remove => pair(w, "json_remove(", doc, ", ", root(rest)?, ")"),
        JsonFn::Merge => {
            let Some((_, keys)) = rest.split_first() else {
                return Err(function::arguments());
            };
            if keys.is_empty() {
                return w.operand(doc);
            }
            w.push("json_set(");
            w.expr(doc)?;
            for pair in keys.chunks(2) {
                let [key, value] = pair else {
                    return Err(function::arguments());
                };
                w.push(", ");
                w.param(Value::Text(root(std::slice::from_ref(key))?))?;
                w.push(", json(");
                w.expr(value)?;
                w.push(")");
            }
            w.push(")");
            Ok(())
        }
    }
}

fn pair(w: &mut SqlWriter<'_>, open: &str, doc: &Expr, mid: &str, at: String, close: &str) -> Result<()> {
    w.push(open);
    w.operand(doc)?;
    w.push(mid);
    w.param(Value::Text(at))?;
    w.push(close);
    Ok(())
}
fn kind(w: &mut SqlWriter<'_>, before: &str, doc: &Expr, steps: &[Expr]) -> Result<()> {
    w.push(before);
    pair(w, "json_type(", doc, ", ", root(steps)?, ")")
}
fn extract(w: &mut SqlWriter<'_>, doc: &Expr, steps: &[Expr]) -> Result<()> {
    pair(w, "json_extract(", doc, ", ", root(steps)?, ")")
}

/// The path, `$` for the document itself.
fn root(steps: &[Expr]) -> Result<String> {
    Ok(path(steps)?.unwrap_or_else(|| "$".to_owned()))
}

/// SQLite's path: keys in quotes, escaped as in JSON.
fn path(steps: &[Expr]) -> Result<Option<String>> {
    if steps.is_empty() {
        return Ok(None);
    }
    let mut path = String::from("$");
    for step in steps {
        match step {
            Expr::Value(Value::I64(n)) if *n < 0 => path.push_str(&format!("[#{n}]")),
            Expr::Value(Value::I64(n)) => path.push_str(&format!("[{n}]")),
            Expr::Value(Value::Text(key)) => label(&mut path, key),
            Expr::Value(Value::Str(key)) => label(&mut path, key),
            _ => return Err(function::arguments()),
        }
    }
    Ok(Some(path))
}

fn label(path: &mut String, key: &str) {
    path.push_str(".\"");
    for c in key.chars() {
        match c {
            '"' | '\\' => path.extend(['\\', c]),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            '\u{8}' => path.push_str("\\b"),
            '\u{c}' => path.push_str("\\f"),
            c if c < ' ' => path.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => path.push(c),
        }
    }
    path.push('"');
}
