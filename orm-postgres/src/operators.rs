//! Operators of arrays, ranges and vectors.

use orm_core::ast::{ArrayFn, DistanceFn, Expr, RangeFn};
use orm_core::error::Result;
use orm_core::sql::{SqlWriter, function, type_of};
use orm_core::value::Value;

pub(crate) fn array(w: &mut SqlWriter<'_>, f: ArrayFn, args: &[Expr]) -> Result<()> {
    match (f, args) {
        (ArrayFn::Has, [array, item]) => {
            w.push("(");
            w.operand(item)?;
            w.push(" = ANY(");
            // a sub-query would be asked for its rows
            match array {
                Expr::Subquery(_) => typed(w, array)?,
                array => w.expr(array)?,
            }
            w.push("))");
            Ok(())
        }
        (ArrayFn::HasAll, [array, items]) => between(w, array, " @> ", items),
        (ArrayFn::HasAny, [array, items]) => between(w, array, " && ", items),
        (ArrayFn::Concat, [array, items]) => between(w, array, " || ", items),
        (ArrayFn::Length, [array]) => {
            w.push("CAST(cardinality(");
            w.expr(array)?;
            w.push(") AS bigint)");
            Ok(())
        }
        (ArrayFn::At, [array, place]) => {
            subscripted(w, array)?;
            w.small_integer(place)?;
            w.push("]");
            Ok(())
        }
        (ArrayFn::Slice, [array, first, last]) => {
            subscripted(w, array)?;
            w.small_integer(first)?;
            w.push(":");
            w.small_integer(last)?;
            w.push("]");
            Ok(())
        }
        (ArrayFn::Append | ArrayFn::Remove, [array, item]) => {
            w.push(if f == ArrayFn::Append {
                "array_append("
            } else {
                "array_remove("
            });
            w.expr(array)?;
            w.push(", ");
            w.expr(item)?;
            w.push(")");
            Ok(())
        }
        _ => Err(function::arguments()),
    }
}

fn subscripted(w: &mut SqlWriter<'_>, array: &Expr) -> Result<()> {
    w.push("(");
    w.expr(array)?;
    w.push(")[");
    Ok(())
}

fn typed(w: &mut SqlWriter<'_>, e: &Expr) -> Result<()> {
    w.push("CAST(");
    w.expr(e)?;
    w.push(" AS ");
    w.type_name(type_of(e))?;
    w.push(")");
    Ok(())
}

pub(crate) fn range(w: &mut SqlWriter<'_>, f: RangeFn, args: &[Expr]) -> Result<()> {
    let (name, operator) = match f {
        RangeFn::Has | RangeFn::Contains => ("", " @> "),
        RangeFn::Overlaps => ("", " && "),
        RangeFn::Adjacent => ("", " -|- "),
        RangeFn::Before => ("", " << "),
        RangeFn::After => ("", " >> "),
        RangeFn::Intersect => ("", " * "),
        RangeFn::Merge => ("range_merge(", ", "),
        RangeFn::Lower => ("lower(", ""),
        RangeFn::Upper => ("upper(", ""),
        RangeFn::IsEmpty => ("isempty(", ""),
    };
    match args {
        [range] if operator.is_empty() => {
            w.push(name);
            w.expr(range)?;
            w.push(")");
            Ok(())
        }
        [a, b] if name.is_empty() => between(w, a, operator, b),
        [a, b] => {
            w.push(name);
            w.expr(a)?;
            w.push(operator);
            w.expr(b)?;
            w.push(")");
            Ok(())
        }
        _ => Err(function::arguments()),
    }
}

pub(crate) fn distance(w: &mut SqlWriter<'_>, f: DistanceFn, args: &[Expr]) -> Result<()> {
    let operator = match f {
        DistanceFn::Euclidean => " <-> ",
        DistanceFn::Cosine => " <=> ",
        DistanceFn::InnerProduct => " <#> ",
    };
    let [a, b] = args else {
        return Err(function::arguments());
    };
    between(w, a, operator, b)
}

/// Operators of their own bind in one way only: parentheses around them, whatever stands beside.
fn between(w: &mut SqlWriter<'_>, a: &Expr, operator: &str, b: &Expr) -> Result<()> {
    w.push("(");
    side(w, a)?;
    w.push(operator);
    side(w, b)?;
    w.push(")");
    Ok(())
}

/// A value whose type the operator would not tell from others is written with it.
fn side(w: &mut SqlWriter<'_>, e: &Expr) -> Result<()> {
    match e {
        Expr::Value(Value::Null(_)) => typed(w, e),
        e => w.operand(e),
    }
}
