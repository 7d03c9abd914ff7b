//! Places in `jsonb` documents.

use orm_core::ast::{Expr, JsonFn};
use orm_core::error::Result;
use orm_core::sql::{SqlWriter, function};
use orm_core::value::{Element, Value};

pub(crate) fn call(w: &mut SqlWriter<'_>, f: JsonFn, args: &[Expr]) -> Result<()> {
    let Some((doc, rest)) = args.split_first() else {
        return Err(function::arguments());
    };
    let number = |w: &mut SqlWriter<'_>, open: &str, close: &str| {
        only(w, doc, rest, "number")?;
        w.push(open);
        place(w, doc, rest)?;
        w.push(close);
        Ok(())
    };
    match f {
        JsonFn::Get => place(w, doc, rest),
        JsonFn::Text => {
            w.push("(");
            place(w, doc, rest)?;
            w.push(" #>> '{}')");
            Ok(())
        }
        JsonFn::Int => number(w, "CAST(trunc(CAST(", " AS numeric)) AS bigint) END"),
        JsonFn::Float => number(w, "CAST(", " AS double precision) END"),
        JsonFn::Bool => {
            only(w, doc, rest, "boolean")?;
            w.push("CAST(");
            place(w, doc, rest)?;
            w.push(" AS boolean) END");
            Ok(())
        }
        JsonFn::Kind => {
            w.push("jsonb_typeof(");
            place(w, doc, rest)?;
            w.push(")");
            Ok(())
        }
        JsonFn::Length => {
            only(w, doc, rest, "array")?;
            w.push("CAST(jsonb_array_length(");
            place(w, doc, rest)?;
            w.push(") AS bigint) END");
            Ok(())
        }
        JsonFn::Contains | JsonFn::HasAny | JsonFn::HasAll => {
            let Some((part, steps)) = rest.split_last() else {
                return Err(function::arguments());
            };
            w.push("(");
            place(w, doc, steps)?;
            w.push(match f {
                JsonFn::HasAny => " ?| ",
                JsonFn::HasAll => " ?& ",
                _ => " @> ",
            });
            w.operand(part)?;
            w.push(")");
            Ok(())
        }
        JsonFn::Set => {
            let Some((value, steps)) = rest.split_last() else {
                return Err(function::arguments());
            };
            w.push("jsonb_set(");
            w.expr(doc)?;
            w.push(", ");
            path(w, steps)?;
            w.push(", ");
            w.expr(value)?;
            w.push(")");
            Ok(())
        }
        JsonFn::Remove => {
            w.push("(");
            w.operand(doc)?;
            w.push(" #- ");
            path(w, rest)?;
            w.push(")");
            Ok(())
        }
        JsonFn::Merge => {
            let Some(object) = rest.first() else {
                return Err(function::arguments());
            };
            w.push("(");
            w.operand(doc)?;
            w.push(" || ");
            w.operand(object)?;
            w.push(")");
            Ok(())
        }
    }
}

fn place(w: &mut SqlWriter<'_>, doc: &Expr, steps: &[Expr]) -> Result<()> {
    if steps.is_empty() {
        return w.operand(doc);
    }
    w.push("(");
    w.operand(doc)?;
    for step in steps {
        w.push(" -> ");
        match step {
            Expr::Value(Value::I64(_)) => w.small_integer(step)?,
            step => w.operand(step)?,
        }
    }
    w.push(")");
    Ok(())
}

/// What a cast would refuse is NULL.
fn only(w: &mut SqlWriter<'_>, doc: &Expr, steps: &[Expr], kind: &str) -> Result<()> {
    w.push("CASE WHEN jsonb_typeof(");
    place(w, doc, steps)?;
    w.push(") = '");
    w.push(kind);
    w.push("' THEN ");
    Ok(())
}

/// The path as an array of texts.
fn path(w: &mut SqlWriter<'_>, steps: &[Expr]) -> Result<()> {
    let step = |e: &Expr| match e {
        Expr::Value(Value::I64(n)) => Ok(Value::Text(n.to_string())),
        Expr::Value(v @ (Value::Text(_) | Value::Str(_))) => Ok(v.clone()),
        _ => Err(function::arguments()),
    };
    let steps: Result<Box<[Value]>> = steps.iter().map(step).collect();
    w.param(Value::Array(Element::Text, steps?))
}
