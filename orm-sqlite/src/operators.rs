//! Operators of arrays, which are stored as JSON, of ranges and of vectors, which are text.

use orm_core::ast::{ArrayFn, DistanceFn, Expr, RangeFn};
use orm_core::error::Result;
use orm_core::sql::{SqlWriter, function, type_of};
use orm_core::value::{Element, RangeOf, Type, Value};

use crate::dates::wrapped;
use crate::functions;

pub(crate) fn array(w: &mut SqlWriter<'_>, f: ArrayFn, args: &[Expr]) -> Result<()> {
    let Some(Type::Array(element)) = args.first().map(type_of) else {
        return Err(function::arguments());
    };
    let compared = !matches!(element, Element::Json | Element::Interval | Element::Other(_));
    let compares = matches!(
        f,
        ArrayFn::Has | ArrayFn::HasAll | ArrayFn::HasAny | ArrayFn::Remove
    );
    if compares && !compared {
        return Err(w.unsupported("a comparison of items of this type"));
    }
    match (f, args) {
        (ArrayFn::Has, [array, item]) => {
            called(w, "orm_array_has(", array)?;
            w.push(", ");
            as_array(w, element, item)?;
            w.push(")");
            Ok(())
        }
        (ArrayFn::HasAll, [array, items]) => pair(w, "orm_array_has_all(", array, items),
        (ArrayFn::HasAny, [array, items]) => pair(w, "orm_array_has_any(", array, items),
        (ArrayFn::Length, [array]) => wrapped(w, "json_array_length(", array, ")"),
        (ArrayFn::At, [array, Expr::Value(Value::I64(n))]) => {
            let (open, close) = match element {
                Element::Bytes => ("unhex(", ")"),
                Element::Uuid => ("unhex(", ", '-')"),
                Element::F32 | Element::F64 => ("orm_real(", ")"),
                Element::Decimal(..) => return Err(w.unsupported("an item of an array of decimals")),
                _ => ("", ""),
            };
            w.push(open);
            called(w, "json_extract(", array)?;
            w.push(", ");
            // behind its end there is nothing, as at the place 0
            let place = n.checked_sub(1).filter(|n| *n >= 0).map(|n| n.to_string());
            w.param(Value::Text(format!("$[{}]", place.as_deref().unwrap_or("#"))))?;
            w.push(")");
            w.push(close);
            Ok(())
        }
        (ArrayFn::Slice, [array, first, last]) => {
            called(w, "orm_array_slice(", array)?;
            w.push(", ");
            w.expr(first)?;
            w.push(", ");
            w.expr(last)?;
            w.push(")");
            Ok(())
        }
        (ArrayFn::Append, [array, item]) => {
            w.push("orm_array_concat(coalesce(");
            w.expr(array)?;
            w.push(", '[]'), ");
            as_array(w, element, item)?;
            w.push(")");
            Ok(())
        }
        (ArrayFn::Concat, [array, items]) => {
            let both = [array.clone(), items.clone()];
            if both.iter().any(|e| w.nullable(e)) {
                w.push("coalesce(");
                pair(w, "orm_array_concat(", array, items)?;
                w.push(", ");
                w.list(&both)?;
                w.push(")");
                return Ok(());
            }
            pair(w, "orm_array_concat(", array, items)
        }
        (ArrayFn::Remove, [array, item]) => {
            called(w, "orm_array_remove(", array)?;
            w.push(", ");
            as_array(w, element, item)?;
            w.push(")");
            Ok(())
        }
        _ => Err(function::arguments()),
    }
}

/// Items come as `json_each` has them, which is how columns of most types are stored.
pub(crate) fn unnest(w: &mut SqlWriter<'_>, array: &Expr) -> Result<()> {
    if let Type::Array(Element::Bytes | Element::Uuid | Element::Decimal(..)) = type_of(array) {
        return Err(w.unsupported("an array of this type as rows"));
    }
    wrapped(w, "json_each(", array, ")")
}

/// An item as an array of itself.
fn as_array(w: &mut SqlWriter<'_>, element: Element, item: &Expr) -> Result<()> {
    if let Expr::Value(value) = item {
        return w.param(Value::Array(element, [value.clone()].into()));
    }
    match type_of(item) {
        Type::Bool => wrapped(
            w,
            "json_array(json(CASE ",
            item,
            " WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END))",
        ),
        Type::Bytes | Type::Uuid => {
            w.push("json_array(");
            digits(w, item)?;
            w.push(")");
            Ok(())
        }
        Type::I16
        | Type::I32
        | Type::I64
        | Type::F64
        | Type::Text
        | Type::Timestamp
        | Type::LocalTimestamp
        | Type::Date
        | Type::Time
        | Type::Enum(_)
        | Type::Range(_) => wrapped(w, "json_array(", item, ")"),
        Type::F32 | Type::Decimal(..) | Type::Json | Type::Interval | Type::Other(_) | Type::Array(_) => {
            Err(w.unsupported("an item of this type that is not a bound value"))
        }
    }
}

/// Bytes and UUIDs as they stand in arrays: hexadecimal digits of something, NULL of NULL.
pub(crate) fn digits(w: &mut SqlWriter<'_>, e: &Expr) -> Result<()> {
    wrapped(w, "CASE WHEN ", e, " IS NOT NULL THEN ")?;
    match type_of(e) {
        Type::Uuid => functions::cast(w, e, Type::Text)?,
        _ => wrapped(w, "lower(hex(", e, "))")?,
    }
    w.push(" END");
    Ok(())
}

pub(crate) fn range(w: &mut SqlWriter<'_>, f: RangeFn, args: &[Expr]) -> Result<()> {
    let Some(Type::Range(of)) = args.first().map(type_of) else {
        return Err(function::arguments());
    };
    let (name, count) = match f {
        RangeFn::Has => ("orm_range_has(", 2),
        RangeFn::Contains => ("orm_range_contains(", 2),
        RangeFn::Overlaps => ("orm_range_overlaps(", 2),
        RangeFn::Adjacent => ("orm_range_adjacent(", 2),
        RangeFn::Before => ("orm_range_before(", 2),
        RangeFn::After => {
            return range(
                w,
                RangeFn::Before,
                &args.iter().rev().cloned().collect::<Vec<_>>(),
            );
        }
        RangeFn::Intersect => ("orm_range_intersect(", 2),
        RangeFn::Merge => ("orm_range_merge(", 2),
        RangeFn::Lower => ("orm_range_lower(", 1),
        RangeFn::Upper => ("orm_range_upper(", 1),
        RangeFn::IsEmpty => ("orm_range_is_empty(", 1),
    };
    if args.len() != count {
        return Err(function::arguments());
    }
    if f == RangeFn::Has && args.get(1).is_some_and(functions::is_scaled) {
        return Err(w.unsupported("a decimal of fixed scale in a range"));
    }
    w.push(name);
    // which values lie between the bounds
    w.push(match of {
        RangeOf::I32 => "'int4', ",
        RangeOf::I64 => "'int8', ",
        RangeOf::Decimal => "'num', ",
        RangeOf::Date => "'date', ",
        RangeOf::Timestamp => "'tstz', ",
        RangeOf::LocalTimestamp => "'ts', ",
    });
    w.list(args)?;
    w.push(")");
    Ok(())
}

pub(crate) fn distance(w: &mut SqlWriter<'_>, f: DistanceFn, args: &[Expr]) -> Result<()> {
    let [a, b] = args else {
        return Err(function::arguments());
    };
    let open = match f {
        DistanceFn::Euclidean => "orm_distance(",
        DistanceFn::Cosine => "orm_cosine_distance(",
        DistanceFn::InnerProduct => "orm_negative_inner_product(",
    };
    pair(w, open, a, b)
}

fn called(w: &mut SqlWriter<'_>, open: &str, first: &Expr) -> Result<()> {
    wrapped(w, open, first, "")
}
fn pair(w: &mut SqlWriter<'_>, open: &str, a: &Expr, b: &Expr) -> Result<()> {
    called(w, open, a)?;
    w.push(", ");
    w.expr(b)?;
    w.push(")");
    Ok(())
}
