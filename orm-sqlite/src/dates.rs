//! Dates and instants, stored as text of fixed width. Everything here is made of SQLite's own functions, and keeps the
//! microseconds that they would cut off.

use orm_core::ast::{DatePart, DateUnit, Expr};
use orm_core::error::Result;
use orm_core::sql::dates::{DatePattern, date_pattern};
use orm_core::sql::{SqlWriter, function, type_of};
use orm_core::value::Type;

/// Where the parts stand in the stored text; its time begins at the first character for a time of day.
pub(crate) fn date_part(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
    let time_only = type_of(of) == Type::Time;
    let digits = match part {
        DatePart::Year => ", 1, 4",
        DatePart::Month => ", 6, 2",
        DatePart::Day => ", 9, 2",
        DatePart::Hour if time_only => ", 1, 2",
        DatePart::Minute if time_only => ", 4, 2",
        DatePart::Second if time_only => ", 7, 2",
        DatePart::Hour => ", 12, 2",
        DatePart::Minute => ", 15, 2",
        DatePart::Second => ", 18, 2",
        DatePart::Microsecond if time_only => ", 10, 6",
        DatePart::Microsecond => ", 21, 6",
        DatePart::Epoch => return wrapped(w, "unixepoch(substr(", of, ", 1, 19))"),
        DatePart::Quarter => return wrapped(w, "((CAST(substr(", of, ", 6, 2) AS INTEGER) + 2) / 3)"),
        // by the date alone: the time would be rounded to milliseconds, into the next day at worst
        DatePart::Week => {
            return wrapped(
                w,
                "((strftime('%j', date(substr(",
                of,
                ", 1, 10), '-3 days', 'weekday 4')) - 1) / 7 + 1)",
            );
        }
        DatePart::Weekday => return wrapped(w, "((strftime('%w', substr(", of, ", 1, 10)) + 6) % 7 + 1)"),
        DatePart::DayOfYear => return wrapped(w, "CAST(strftime('%j', substr(", of, ", 1, 10)) AS INTEGER)"),
    };
    w.push("CAST(substr(");
    w.expr(of)?;
    w.push(digits);
    w.push(") AS INTEGER)");
    Ok(())
}

pub(crate) fn wrapped(w: &mut SqlWriter<'_>, open: &str, e: &Expr, close: &str) -> Result<()> {
    w.push(open);
    w.expr(e)?;
    w.push(close);
    Ok(())
}

/// The stored text cut off and filled up again.
pub(crate) fn date_trunc(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
    const FULL: &str = "0000-01-01T00:00:00.000000Z";
    let length = match type_of(of) {
        Type::Timestamp => 27,
        Type::LocalTimestamp => 26,
        Type::Date => 10,
        _ => return Err(w.unsupported("cutting down something that is not a date")),
    };
    let (kept, rest) = match part {
        DatePart::Year => ("1, 4)", 4),
        DatePart::Month => ("1, 7)", 7),
        DatePart::Day | DatePart::Weekday | DatePart::DayOfYear => ("1, 10)", 10),
        DatePart::Hour => ("1, 13)", 13),
        DatePart::Minute => ("1, 16)", 16),
        DatePart::Second | DatePart::Epoch => ("1, 19)", 19),
        DatePart::Microsecond => return w.operand(of),
        DatePart::Quarter => {
            w.push("(substr(");
            w.expr(of)?;
            w.push(", 1, 4) || printf('-%02d', (CAST(substr(");
            w.expr(of)?;
            w.push(", 6, 2) AS INTEGER) - 1) / 3 * 3 + 1)");
            return filled(w, &FULL[7..length]);
        }
        DatePart::Week => {
            w.push("(date(substr(");
            w.expr(of)?;
            w.push(", 1, 10), 'weekday 0', '-6 days')");
            return filled(w, &FULL[10..length]);
        }
    };
    if type_of(of) == Type::Date && rest >= 10 {
        return w.operand(of);
    }
    w.push("(substr(");
    w.expr(of)?;
    w.push(", ");
    w.push(kept);
    filled(w, &FULL[rest..length])
}

fn filled(w: &mut SqlWriter<'_>, rest: &str) -> Result<()> {
    if !rest.is_empty() {
        w.push(" || ");
        w.literal(rest)?;
    }
    w.push(")");
    Ok(())
}

/// So many units later. Calendar units change the first ten characters alone.
pub(crate) fn date_add(w: &mut SqlWriter<'_>, unit: DateUnit, args: &[Expr]) -> Result<()> {
    let [of, n] = args else {
        return Err(function::arguments());
    };
    match unit {
        // the last day of the target month, where SQLite's own arithmetic would run into the next one
        DateUnit::Months => {
            w.push("(min(date(substr(");
            w.expr(of)?;
            w.push(", 1, 10), ");
            w.operand(n)?;
            w.push(" || ' months'), date(substr(");
            w.expr(of)?;
            w.push(", 1, 10), 'start of month', ");
            w.operand(n)?;
            w.push(" || ' months', '+1 month', '-1 day'))");
            time_of(w, of, 11)
        }
        DateUnit::Days => {
            w.push("(date(substr(");
            w.expr(of)?;
            w.push(", 1, 10), ");
            w.operand(n)?;
            w.push(" || ' days')");
            time_of(w, of, 11)
        }
        DateUnit::Seconds => {
            w.push("(strftime('%Y-%m-%dT%H:%M:%S', substr(");
            w.expr(of)?;
            w.push(", 1, 19), ");
            w.operand(n)?;
            w.push(" || ' seconds')");
            time_of(w, of, 20)
        }
        DateUnit::Micros => {
            w.push(
                "(SELECT strftime('%Y-%m-%dT%H:%M:%S', (\"n\" - \"f\") / 1000000, 'unixepoch') || printf('.%06d",
            );
            w.push(if type_of(of) == Type::Timestamp { "Z" } else { "" });
            w.push(
                "', \"f\") FROM (SELECT \"n\", (\"n\" % 1000000 + 1000000) % 1000000 AS \"f\" FROM (SELECT ",
            );
            micros(w, of)?;
            w.push(" + ");
            w.operand(n)?;
            w.push(" AS \"n\")))");
            Ok(())
        }
    }
}

/// What stands behind the date, or behind the second.
fn time_of(w: &mut SqlWriter<'_>, of: &Expr, from: u8) -> Result<()> {
    if type_of(of) != Type::Date {
        w.push(" || substr(");
        w.expr(of)?;
        w.push(if from == 11 { ", 11)" } else { ", 20)" });
    }
    w.push(")");
    Ok(())
}

/// Microseconds since 1970.
fn micros(w: &mut SqlWriter<'_>, of: &Expr) -> Result<()> {
    wrapped(w, "unixepoch(substr(", of, ", 1, 19)) * 1000000")?;
    if type_of(of) != Type::Date {
        wrapped(w, " + CAST(substr(", of, ", 21, 6) AS INTEGER)")?;
    }
    Ok(())
}

pub(crate) fn date_diff(w: &mut SqlWriter<'_>, unit: DateUnit, args: &[Expr]) -> Result<()> {
    let [later, earlier] = args else {
        return Err(function::arguments());
    };
    if matches!(unit, DateUnit::Months | DateUnit::Days) {
        wrapped(w, "CAST(julianday(substr(", later, ", 1, 10))")?;
        return wrapped(w, " - julianday(substr(", earlier, ", 1, 10)) AS INTEGER)");
    }
    w.push("((");
    micros(w, later)?;
    w.push(" - (");
    micros(w, earlier)?;
    w.push(if unit == DateUnit::Seconds {
        ")) / 1000000)"
    } else {
        ")))"
    });
    Ok(())
}

pub(crate) fn date_format(w: &mut SqlWriter<'_>, pattern: &str, of: &Expr) -> Result<()> {
    let mut text = String::new();
    for part in date_pattern(pattern)? {
        match part {
            DatePattern::Year => text.push_str("%Y"),
            DatePattern::Month => text.push_str("%m"),
            DatePattern::Day => text.push_str("%d"),
            DatePattern::Hour => text.push_str("%H"),
            DatePattern::Minute => text.push_str("%M"),
            DatePattern::Second => text.push_str("%S"),
            DatePattern::DayOfYear => text.push_str("%j"),
            DatePattern::Text(literal) => text.push_str(&literal.replace('%', "%%")),
        }
    }
    w.push("strftime(");
    w.literal(&text)?;
    wrapped(w, ", substr(", of, ", 1, 19))")
}
