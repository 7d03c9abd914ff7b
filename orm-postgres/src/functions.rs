//! PostgreSQL's functions, where they differ from the standard's.

use orm_core::ast::{DatePart, DateUnit, Expr, Function};
use orm_core::error::Result;
use orm_core::sql::dates::{DatePattern, date_pattern};
use orm_core::sql::{SqlWriter, function, type_of};
use orm_core::value::{Type, Value};

use crate::{json, operators};

pub(crate) fn call(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    match f {
        Function::Position => {
            w.push("strpos(");
            w.list(args)?;
            w.push(")");
            Ok(())
        }
        Function::Length | Function::Sign => {
            w.push("CAST(");
            function::standard(w, f, args)?;
            w.push(" AS bigint)");
            Ok(())
        }
        Function::Round | Function::Floor | Function::Ceil | Function::Trunc => rounded(w, f, args),
        Function::Substring => substring(w, args),
        Function::Left => counted(w, "left(", args),
        Function::Right => counted(w, "right(", args),
        Function::PadStart => counted(w, "lpad(", args),
        Function::PadEnd => counted(w, "rpad(", args),
        Function::SplitPart => counted(w, "split_part(", args),
        Function::DateTrunc(part) => date_trunc(w, part, function::one(args)?),
        Function::DateAdd(unit) => date_add(w, unit, args),
        Function::DateDiff(unit) => date_diff(w, unit, args),
        Function::DateFormat(pattern) => date_format(w, pattern, function::one(args)?),
        Function::Json(f) => json::call(w, f, args),
        Function::Array(f) => operators::array(w, f, args),
        Function::Range(f) => operators::range(w, f, args),
        Function::Distance(f) => operators::distance(w, f, args),
        Function::DateOf => {
            w.push("CAST(");
            in_utc(w, function::one(args)?)?;
            w.push(" AS date)");
            Ok(())
        }
        f => function::standard(w, f, args),
    }
}

pub(crate) fn cast(w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
    let (open, close) = match (type_of(expr), to) {
        // floats become integers half away from zero, as decimals do
        (Type::F32 | Type::F64, to) if to.is_integer() => ("round(CAST(", " AS numeric))"),
        // truth values are numbers of one size only
        (Type::Bool, Type::I16 | Type::I64 | Type::F32 | Type::F64 | Type::Decimal(..)) => {
            ("CAST(", " AS integer)")
        }
        (from, Type::Bool) if from.is_integer() => {
            w.push("(");
            w.operand(expr)?;
            w.push(" <> 0)");
            return Ok(());
        }
        _ => ("", ""),
    };
    w.push("CAST(");
    w.push(open);
    w.expr(expr)?;
    w.push(close);
    w.push(" AS ");
    w.type_name(to)?;
    w.push(")");
    Ok(())
}

/// Rounding keeps the type of its argument; floats are rounded half away from zero, through `numeric`.
fn rounded(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    let Some((first, digits)) = args.split_first() else {
        return Err(function::arguments());
    };
    let (open, close) = match type_of(first) {
        Type::Decimal(..) => ("", ""),
        Type::F64 if f != Function::Round => ("", ""),
        _ => ("CAST(", " AS numeric)"),
    };
    let plain = open.is_empty();
    w.push(if plain { "" } else { "CAST(" });
    w.push(match f {
        Function::Floor => "floor(",
        Function::Ceil => "ceil(",
        Function::Trunc => "trunc(",
        _ => "round(",
    });
    w.push(open);
    w.expr(first)?;
    w.push(close);
    for digit in digits {
        w.push(", CAST(");
        w.expr(digit)?;
        w.push(" AS integer)");
    }
    w.push(")");
    if !plain {
        w.push(" AS ");
        w.type_name(type_of(first))?;
        w.push(")");
    }
    Ok(())
}

/// `name(text, …)` where numbers are 32-bit integers.
fn counted(w: &mut SqlWriter<'_>, open: &str, args: &[Expr]) -> Result<()> {
    w.push(open);
    for (i, e) in args.iter().enumerate() {
        w.comma(i);
        if type_of(e).is_integer() {
            w.small_integer(e)?;
        } else {
            w.expr(e)?;
        }
    }
    w.push(")");
    Ok(())
}

/// A length below zero counts as zero.
fn substring(w: &mut SqlWriter<'_>, args: &[Expr]) -> Result<()> {
    let [text, start, length @ ..] = args else {
        return Err(function::arguments());
    };
    w.push("substr(");
    w.expr(text)?;
    w.push(", ");
    w.small_integer(start)?;
    match length {
        [] => {}
        [Expr::Value(Value::I64(n))] => {
            w.push(", ");
            w.small_integer(&Expr::Value(Value::I64((*n).max(0))))?;
        }
        [length] => {
            w.push(", CAST(CASE WHEN ");
            w.operand(length)?;
            w.push(" < 0 THEN 0 ELSE ");
            w.expr(length)?;
            w.push(" END AS integer)");
        }
        _ => return Err(function::arguments()),
    }
    w.push(")");
    Ok(())
}

/// `date_trunc`, in UTC for instants and without the session's zone for dates.
fn date_trunc(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
    let part = match part {
        DatePart::Weekday | DatePart::DayOfYear => "day",
        DatePart::Epoch => "second",
        part => function::part_name(part),
    };
    let (open, mid, close) = match type_of(of) {
        Type::Timestamp => ("date_trunc('", "', ", ", 'UTC')"),
        Type::Date => ("CAST(date_trunc('", "', CAST(", " AS timestamp)) AS date)"),
        _ => ("date_trunc('", "', ", ")"),
    };
    w.push(open);
    w.push(part);
    w.push(mid);
    w.expr(of)?;
    w.push(close);
    Ok(())
}

/// The date or instant, an instant as the wall clock of UTC shows it.
fn in_utc(w: &mut SqlWriter<'_>, of: &Expr) -> Result<()> {
    w.operand(of)?;
    if type_of(of) == Type::Timestamp {
        w.push(" AT TIME ZONE 'UTC'");
    }
    Ok(())
}

/// Calendar units are added to the wall clock of UTC, whatever the zone of the session.
fn date_add(w: &mut SqlWriter<'_>, unit: DateUnit, args: &[Expr]) -> Result<()> {
    let [of, n] = args else {
        return Err(function::arguments());
    };
    let ty = type_of(of);
    if (ty, unit) == (Type::Date, DateUnit::Days) {
        w.push("(");
        w.operand(of)?;
        w.push(" + ");
        w.small_integer(n)?;
        w.push(")");
        return Ok(());
    }
    let calendar = matches!(unit, DateUnit::Months | DateUnit::Days);
    let (open, close) = match ty {
        Type::Timestamp if calendar => ("((", ") AT TIME ZONE 'UTC')"),
        Type::Date => ("CAST(", " AS date)"),
        _ => ("(", ")"),
    };
    w.push(open);
    if calendar {
        in_utc(w, of)?;
    } else {
        w.operand(of)?;
    }
    match unit {
        DateUnit::Months => {
            w.push(" + make_interval(months => ");
            w.small_integer(n)?;
        }
        DateUnit::Days => {
            w.push(" + make_interval(days => ");
            w.small_integer(n)?;
        }
        DateUnit::Seconds => {
            w.push(" + make_interval(secs => CAST(");
            w.expr(n)?;
            w.push(" AS double precision)");
        }
        DateUnit::Micros => {
            w.push(" + (INTERVAL '1 microsecond' * CAST(");
            w.expr(n)?;
            w.push(" AS double precision)");
        }
    }
    w.push(")");
    w.push(close);
    Ok(())
}

fn date_diff(w: &mut SqlWriter<'_>, unit: DateUnit, args: &[Expr]) -> Result<()> {
    let [later, earlier] = args else {
        return Err(function::arguments());
    };
    let dates = type_of(later) == Type::Date;
    let (open, close) = match unit {
        DateUnit::Seconds if dates => ("(CAST(", " AS bigint) * 86400)"),
        DateUnit::Micros if dates => ("(CAST(", " AS bigint) * 86400000000)"),
        DateUnit::Seconds => ("CAST(trunc(extract(epoch FROM ", ")) AS bigint)"),
        DateUnit::Micros => ("CAST(round(extract(epoch FROM ", ") * 1000000) AS bigint)"),
        DateUnit::Months | DateUnit::Days => ("CAST(", " AS bigint)"),
    };
    w.push(open);
    if dates || unit != DateUnit::Days {
        w.operand(later)?;
        w.push(" - ");
        w.operand(earlier)?;
    } else {
        w.push("CAST(");
        in_utc(w, later)?;
        w.push(" AS date) - CAST(");
        in_utc(w, earlier)?;
        w.push(" AS date)");
    }
    w.push(close);
    Ok(())
}

fn date_format(w: &mut SqlWriter<'_>, pattern: &str, of: &Expr) -> Result<()> {
    let mut text = String::new();
    for part in date_pattern(pattern)? {
        match part {
            DatePattern::Year => text.push_str("YYYY"),
            DatePattern::Month => text.push_str("MM"),
            DatePattern::Day => text.push_str("DD"),
            DatePattern::Hour => text.push_str("HH24"),
            DatePattern::Minute => text.push_str("MI"),
            DatePattern::Second => text.push_str("SS"),
            DatePattern::DayOfYear => text.push_str("DDD"),
            DatePattern::Text(literal) => {
                text.push('"');
                text.push_str(&literal.replace('\\', "\\\\").replace('"', "\\\""));
                text.push('"');
            }
        }
    }
    w.push("to_char(");
    if type_of(of) == Type::Date {
        w.push("CAST(");
        w.expr(of)?;
        w.push(" AS timestamp)");
    } else {
        in_utc(w, of)?;
    }
    w.push(", ");
    w.literal(&text)?;
    w.push(")");
    Ok(())
}
