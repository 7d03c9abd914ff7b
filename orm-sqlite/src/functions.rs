//! SQLite's functions and casts. What it lacks is written with what it has, or is one of our own (`raw/functions.rs`).

use orm_core::ast::{Expr, Function};
use orm_core::error::Result;
use orm_core::sql::{SqlWriter, function, type_of};
use orm_core::value::{Type, Value};

use crate::dates::{date_add, date_diff, date_format, date_part, date_trunc, wrapped};
use crate::dialect::decimal_scale;
use crate::{json, operators};

pub(crate) fn call(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    match f {
        Function::Greatest => extreme(w, "max(", args),
        Function::Least => extreme(w, "min(", args),
        Function::Position => {
            w.push("instr(");
            w.list(args)?;
            w.push(")");
            Ok(())
        }
        // SQLite knows no other letters
        Function::AsciiLower => wrapped(w, "lower(", function::one(args)?, ")"),
        Function::AsciiUpper => wrapped(w, "upper(", function::one(args)?, ")"),
        Function::Substring => substring(w, args),
        Function::Left | Function::Right => ends(w, f, args),
        Function::PadStart | Function::PadEnd => padded(w, f, args),
        Function::SplitPart => {
            w.push("orm_split(");
            w.list(args)?;
            w.push(")");
            Ok(())
        }
        Function::DatePart(part) => date_part(w, part, function::one(args)?),
        Function::DateTrunc(part) => date_trunc(w, part, function::one(args)?),
        Function::DateAdd(unit) => date_add(w, unit, args),
        Function::DateDiff(unit) => date_diff(w, unit, args),
        Function::DateFormat(pattern) => date_format(w, pattern, function::one(args)?),
        Function::Json(f) => json::call(w, f, args),
        Function::Array(f) => operators::array(w, f, args),
        Function::Range(f) => operators::range(w, f, args),
        Function::Distance(f) => operators::distance(w, f, args),
        Function::Lower => wrapped(w, "orm_lower(", function::one(args)?, ")"),
        Function::Upper => wrapped(w, "orm_upper(", function::one(args)?, ")"),
        Function::DateOf => wrapped(w, "substr(", function::one(args)?, ", 1, 10)"),
        Function::Round | Function::Floor | Function::Ceil | Function::Trunc
            if decimal_scale(args).is_some() =>
        {
            rounded_decimal(w, f, args)
        }
        Function::Floor | Function::Ceil | Function::Trunc => floor(w, f, function::one(args)?),
        Function::Round if args.first().is_some_and(|e| type_of(e).is_integer()) => {
            w.push("CAST(");
            function::standard(w, f, args)?;
            w.push(" AS INTEGER)");
            Ok(())
        }
        Function::Float(f) => {
            w.push("orm_");
            w.push(f.name());
            w.push("(");
            for (i, e) in args.iter().enumerate() {
                w.comma(i);
                match decimal_scale(std::slice::from_ref(e)) {
                    Some(_) => w.decimal_as_float(e)?,
                    None => w.expr(e)?,
                }
            }
            w.push(")");
            Ok(())
        }
        f => function::standard(w, f, args),
    }
}

pub(crate) fn cast(w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
    let from = type_of(expr);
    // a bound decimal is written with the scale that is asked for
    let bound = matches!(expr, Expr::Value(Value::Decimal(_) | Value::Null(_)));
    let scaled = matches!(from, Type::Decimal(p, _) if (1..=18).contains(&p));
    match (from, to) {
        (_, Type::Decimal(p, s)) if (1..=18).contains(&p) && (scaled || bound || from.is_integer()) => {
            w.decimal(expr, s)
        }
        (_, Type::I16 | Type::I32 | Type::I64) if scaled => w.decimal(expr, 0),
        (_, Type::F32 | Type::F64) if scaled => w.decimal_as_float(expr),
        (Type::Decimal(..), _) | (_, Type::Decimal(..)) => Err(w.unsupported("this cast of a decimal")),
        // SQLite's own cast makes zero of what is no number, and the nearest one of what does not fit
        (Type::F32 | Type::F64 | Type::Text, Type::I16 | Type::I32 | Type::I64) => {
            wrapped(w, "orm_integer(", expr, ")")
        }
        (Type::Text, Type::F32 | Type::F64) => wrapped(w, "orm_real(", expr, ")"),
        (Type::F32 | Type::F64, Type::Text) => wrapped(w, "orm_text(", expr, ")"),
        (Type::Bool, Type::Text) => wrapped(w, "CASE ", expr, " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
        (Type::Bool, to) if to.is_integer() => w.operand(expr),
        (from, Type::Bool) if from.is_integer() => {
            w.push("(");
            w.operand(expr)?;
            w.push(" <> 0)");
            Ok(())
        }
        (Type::Uuid, Type::Text) => {
            let parts = [", 1, 8)", ", 9, 4)", ", 13, 4)", ", 17, 4)", ", 21, 12)"];
            w.push("lower(");
            for (i, part) in parts.into_iter().enumerate() {
                w.push(if i == 0 { "" } else { " || '-' || " });
                wrapped(w, "substr(hex(", expr, ")")?;
                w.push(part);
            }
            w.push(")");
            Ok(())
        }
        (from, to) if castable(from) && castable(to) => {
            w.push("CAST(");
            w.expr(expr)?;
            w.push(" AS ");
            w.type_name(to)?;
            w.push(")");
            Ok(())
        }
        (from, to) if from == to => w.operand(expr),
        (Type::Enum(_) | Type::Json | Type::Date | Type::Time, Type::Text) => w.operand(expr),
        _ => Err(w.unsupported("this cast")),
    }
}

/// Whether it is a decimal that is stored as an integer.
pub(crate) fn is_scaled(e: &Expr) -> bool {
    decimal_scale(std::slice::from_ref(e)).is_some()
}

/// Types between which SQLite's CAST means what it says.
fn castable(ty: Type) -> bool {
    matches!(
        ty,
        Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::Text
    )
}

/// SQLite's `max(a, b)` is NULL when one of them is; here NULLs do not count.
fn extreme(w: &mut SqlWriter<'_>, open: &str, args: &[Expr]) -> Result<()> {
    if let [only] = args {
        return w.expr(only);
    }
    w.push(open);
    if !args.iter().any(|e| w.nullable(e)) {
        w.alternatives(args)?;
        w.push(")");
        return Ok(());
    }
    for i in 0..args.len() {
        w.comma(i);
        let mut rotated = args.to_vec();
        rotated.rotate_left(i);
        w.push("coalesce(");
        w.alternatives(&rotated)?;
        w.push(")");
    }
    w.push(")");
    Ok(())
}

/// SQLite is built without mathematical functions. Floats beyond 2^53 have no fraction.
fn floor(w: &mut SqlWriter<'_>, f: Function, e: &Expr) -> Result<()> {
    match type_of(e) {
        ty if ty.is_integer() => return w.operand(e),
        Type::F32 | Type::F64 => {}
        _ => return Err(w.unsupported("rounding a decimal")),
    }
    w.push("CASE WHEN abs(");
    w.expr(e)?;
    w.push(") < 9007199254740992.0 THEN CAST(CAST(");
    w.expr(e)?;
    w.push(" AS INTEGER)");
    if f != Function::Trunc {
        let down = f == Function::Floor;
        w.push(if down { " - (" } else { " + (" });
        w.operand(e)?;
        w.push(if down { " < CAST(" } else { " > CAST(" });
        w.expr(e)?;
        w.push(" AS INTEGER))");
    }
    w.push(" AS REAL) ELSE ");
    w.operand(e)?;
    w.push(" END");
    Ok(())
}

/// A scaled decimal keeps its scale; its last digits become zero.
fn rounded_decimal(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    let (Some(e), Some(scale)) = (args.first(), decimal_scale(args)) else {
        return Err(function::arguments());
    };
    let kept = match args.get(1) {
        None => 0,
        Some(Expr::Value(Value::I64(digits))) => (*digits).clamp(0, i64::from(scale)) as u8,
        Some(_) => return Err(w.unsupported("rounding a decimal to a computed number of digits")),
    };
    let unit = 10i64.pow(u32::from(scale - kept));
    if unit == 1 {
        return w.operand(e);
    }
    let unit = unit.to_string();
    w.push("(");
    match f {
        Function::Round => {
            w.decimal(e, kept)?;
            w.push(" * ");
            w.push(&unit);
        }
        Function::Trunc => {
            w.operand(e)?;
            w.push(" - ");
            w.operand(e)?;
            w.push(" % ");
            w.push(&unit);
        }
        // the remainder has the sign of the number: it is made positive
        _ => {
            let down = f == Function::Floor;
            w.operand(e)?;
            w.push(if down { " - (" } else { " + (-(" });
            w.operand(e)?;
            w.push(if down { " % " } else { ") % " });
            w.push(&unit);
            w.push(" + ");
            w.push(&unit);
            w.push(") % ");
            w.push(&unit);
        }
    }
    w.push(")");
    Ok(())
}

/// Positions before the first count, as in PostgreSQL, and a length below zero counts as zero.
fn substring(w: &mut SqlWriter<'_>, args: &[Expr]) -> Result<()> {
    let [text, start, length @ ..] = args else {
        return Err(function::arguments());
    };
    let within = matches!(start, Expr::Value(Value::I64(n)) if *n >= 1);
    w.push("substr(");
    w.expr(text)?;
    w.push(", ");
    if within {
        w.expr(start)?;
    } else {
        wrapped(w, "max(", start, ", 1)")?;
    }
    match length {
        [] => {}
        [length] => {
            w.push(", ");
            let positive = matches!(length, Expr::Value(Value::I64(n)) if *n >= 0);
            let written = |w: &mut SqlWriter<'_>| match positive {
                true => w.expr(length),
                false => wrapped(w, "max(", length, ", 0)"),
            };
            if within {
                written(w)?;
            } else {
                w.push("max(");
                written(w)?;
                w.push(" + min(");
                w.operand(start)?;
                w.push(" - 1, 0), 0)");
            }
        }
        _ => return Err(function::arguments()),
    }
    w.push(")");
    Ok(())
}

/// `(text, n)` with a bound number.
fn ends(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    let [text, Expr::Value(Value::I64(n))] = args else {
        return Err(w.unsupported("a computed number of characters (use `substr`)"));
    };
    w.push("substr(");
    w.expr(text)?;
    w.push(", ");
    w.param(Value::I64(if f == Function::Left {
        1
    } else {
        n.saturating_neg()
    }))?;
    w.push(", ");
    w.param(Value::I64(*n))?;
    w.push(")");
    Ok(())
}

/// `(text, length, fill)`: an empty text is repeated as `00` in hexadecimal digits of so many zero bytes.
fn padded(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    let [text, length, fill] = args else {
        return Err(function::arguments());
    };
    w.push("CASE WHEN length(");
    w.expr(text)?;
    w.push(") >= ");
    w.operand(length)?;
    w.push(" THEN substr(");
    w.expr(text)?;
    w.push(", 1, ");
    w.expr(length)?;
    w.push(") ELSE ");
    if f == Function::PadEnd {
        w.operand(text)?;
        w.push(" || ");
    }
    w.push("substr(replace(hex(zeroblob(");
    w.expr(length)?;
    w.push(")), '00', ");
    w.expr(fill)?;
    w.push("), 1, ");
    w.operand(length)?;
    w.push(" - length(");
    w.expr(text)?;
    w.push("))");
    if f == Function::PadStart {
        w.push(" || ");
        w.operand(text)?;
    }
    w.push(" END");
    Ok(())
}
