//! Dates and instants: what is the same for every database.

use crate::ast::{DatePart, DateUnit, Expr, Function, MathOp};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::function::arguments;
use crate::sql::type_of;
use crate::value::{Type, Value};

/// A piece of a pattern by which a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePattern<'p> {
    /// Four digits.
    Year,
    /// Two digits.
    Month,
    /// Two digits.
    Day,
    /// Two digits, 00–23.
    Hour,
    /// Two digits.
    Minute,
    /// Two digits.
    Second,
    /// Three digits, 001–366.
    DayOfYear,
    /// Itself.
    Text(&'p str),
}

/// The pieces of a pattern of `%Y %m %d %H %M %S %j %F %T %%` and text.
pub fn date_pattern(pattern: &str) -> Result<Vec<DatePattern<'_>>> {
    use DatePattern::*;
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        let (text, tail) = rest.split_at(at);
        if !text.is_empty() {
            parts.push(Text(text));
        }
        let letter = tail.get(1..2);
        match letter {
            Some("Y") => parts.push(Year),
            Some("m") => parts.push(Month),
            Some("d") => parts.push(Day),
            Some("H") => parts.push(Hour),
            Some("M") => parts.push(Minute),
            Some("S") => parts.push(Second),
            Some("j") => parts.push(DayOfYear),
            Some("F") => parts.extend([Year, Text("-"), Month, Text("-"), Day]),
            Some("T") => parts.extend([Hour, Text(":"), Minute, Text(":"), Second]),
            Some("%") => parts.push(Text("%")),
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidQuery,
                    "the pattern of a date has a `%` that is none of `%Y %m %d %H %M %S %j %F %T %%`",
                ));
            }
        }
        rest = &tail[2..];
    }
    if !rest.is_empty() {
        parts.push(Text(rest));
    }
    Ok(parts)
}

/// Refuses hours of a date without time, which databases answer with zero or with an error.
pub(crate) fn check(f: Function, args: &[Expr]) -> Result<()> {
    let of_time = matches!(
        f,
        Function::DatePart(DatePart::Hour | DatePart::Minute | DatePart::Second | DatePart::Microsecond)
            | Function::DateAdd(DateUnit::Seconds | DateUnit::Micros)
    );
    if of_time && args.first().is_some_and(|e| type_of(e) == Type::Date) {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            "a date without time has no hours, minutes and seconds",
        ));
    }
    Ok(())
}

/// `(year * 12 + month)` of one minus that of the other.
pub(crate) fn months_between(args: &[Expr]) -> Result<Expr> {
    let [later, earlier] = args else {
        return Err(arguments());
    };
    let part = |of: &Expr, part| Expr::call(Function::DatePart(part), vec![of.clone()]);
    let math = |op, a, b| Expr::Math(op, Box::new(a), Box::new(b));
    let months = |of: &Expr| {
        let years = math(MathOp::Mul, part(of, DatePart::Year), Expr::Value(Value::I64(12)));
        math(MathOp::Add, years, part(of, DatePart::Month))
    };
    let both = math(MathOp::Sub, months(later), months(earlier));
    // in parentheses: it stands where a call stood
    Ok(Expr::Tuple(vec![both]))
}

#[cfg(test)]
mod tests {
    use crate::sql::dates::{DatePattern::*, date_pattern};

    #[test]
    fn patterns_are_cut_at_their_signs() {
        assert_eq!(
            date_pattern("%F").unwrap(),
            [Year, Text("-"), Month, Text("-"), Day]
        );
        assert_eq!(
            date_pattern("ä%Y%%x").unwrap(),
            [Text("ä"), Year, Text("%"), Text("x")]
        );
        assert!(date_pattern("%q").is_err());
        assert!(date_pattern("%ä").is_err());
        assert!(date_pattern("100%").is_err());
    }
}
