//! Functions and aggregates.

use crate::ast::{Aggregate, AggregateFn, DatePart, Expr, FloatFn, Function, Window};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::SqlWriter;
use crate::value::Type;

/// A function call as standard SQL has it.
pub fn standard(w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
    let name = match f {
        Function::Coalesce => "coalesce",
        Function::NullIf => "nullif",
        Function::Greatest => "greatest",
        Function::Least => "least",
        Function::Lower => "lower",
        Function::Upper => "upper",
        Function::AsciiLower => {
            return translated(
                w,
                args,
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                "abcdefghijklmnopqrstuvwxyz",
            );
        }
        Function::AsciiUpper => {
            return translated(
                w,
                args,
                "abcdefghijklmnopqrstuvwxyz",
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            );
        }
        Function::Length => "length",
        Function::Trim => "trim",
        Function::TrimStart => "ltrim",
        Function::TrimEnd => "rtrim",
        Function::Replace => "replace",
        Function::Substring => "substr",
        Function::Position => return position(w, args),
        Function::Abs => "abs",
        Function::Round => "round",
        Function::Floor => "floor",
        Function::Ceil => "ceil",
        Function::Trunc => "trunc",
        Function::Sign => "sign",
        Function::Float(f) => return float(w, f, args),
        Function::Left => "left",
        Function::Right => "right",
        Function::PadStart => "lpad",
        Function::PadEnd => "rpad",
        Function::SplitPart => return Err(w.unsupported("splitting a text")),
        Function::DatePart(part) => return date_part(w, part, one(args)?),
        Function::DateTrunc(_) => return Err(w.unsupported("cutting down a date")),
        Function::DateAdd(_) => return Err(w.unsupported("adding to a date")),
        Function::DateDiff(_) => return Err(w.unsupported("the time between two instants")),
        Function::DateFormat(_) => return Err(w.unsupported("a date as text")),
        Function::DateOf => "date",
        Function::Json(_) => return Err(w.unsupported("JSON")),
        Function::Array(_) => return Err(w.unsupported("an operator of arrays")),
        Function::Range(_) => return Err(w.unsupported("an operator of ranges")),
        Function::Distance(_) => return Err(w.unsupported("a distance of vectors")),
        Function::Named(name, _) => {
            w.name(name)?;
            return w.parenthesised(args);
        }
        Function::Declared(declared) => {
            let own = declared
                .names
                .iter()
                .find(|(dialect, _)| *dialect == w.dialect().name());
            let name = match own {
                Some((_, name)) => name,
                None if declared.names.is_empty() => declared.name,
                None => return Err(w.unsupported(&format!("the function `{}`", declared.name))),
            };
            w.name(name)?;
            return w.parenthesised(args);
        }
    };
    w.push(name);
    w.push("(");
    w.alternatives(args)?;
    w.push(")");
    Ok(())
}

/// A function of floats, whatever number it is given.
fn float(w: &mut SqlWriter<'_>, f: FloatFn, args: &[Expr]) -> Result<()> {
    w.push(f.name());
    w.push("(");
    for (i, e) in args.iter().enumerate() {
        w.comma(i);
        w.push("CAST(");
        w.expr(e)?;
        w.push(" AS ");
        w.type_name(Type::F64)?;
        w.push(")");
    }
    w.push(")");
    Ok(())
}

/// Letters replaced one by one: databases know the case of more letters than those of ASCII.
fn translated(w: &mut SqlWriter<'_>, args: &[Expr], from: &str, to: &str) -> Result<()> {
    w.push("translate(");
    w.expr(one(args)?)?;
    for letters in [from, to] {
        w.push(", ");
        w.literal(letters)?;
    }
    w.push(")");
    Ok(())
}

fn position(w: &mut SqlWriter<'_>, args: &[Expr]) -> Result<()> {
    let [text, part] = args else {
        return Err(arguments());
    };
    w.push("position(");
    w.operand(part)?;
    w.push(" IN ");
    w.operand(text)?;
    w.push(")");
    Ok(())
}

fn date_part(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
    let (open, close) = match part {
        // with its fraction otherwise
        DatePart::Second | DatePart::Epoch => ("CAST(floor(extract(", ")) AS bigint)"),
        DatePart::Microsecond => ("(CAST(extract(", ") AS bigint) % 1000000)"),
        _ => ("CAST(extract(", ") AS bigint)"),
    };
    w.push(open);
    w.push(part_name(part));
    w.push(" FROM ");
    w.operand(of)?;
    if crate::sql::type_of(of) == Type::Timestamp {
        w.push(" AT TIME ZONE 'UTC'");
    }
    w.push(close);
    Ok(())
}

/// The name of a part as EXTRACT has it.
pub fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Quarter => "quarter",
        DatePart::Month => "month",
        DatePart::Week => "week",
        DatePart::Day => "day",
        DatePart::Weekday => "isodow",
        DatePart::DayOfYear => "doy",
        DatePart::Hour => "hour",
        DatePart::Minute => "minute",
        DatePart::Second => "second",
        DatePart::Microsecond => "microseconds",
        DatePart::Epoch => "epoch",
    }
}

/// The only argument of a function.
pub fn one(args: &[Expr]) -> Result<&Expr> {
    match args {
        [e] => Ok(e),
        _ => Err(arguments()),
    }
}

/// The error for a wrong number of arguments.
pub fn arguments() -> Error {
    Error::new(
        ErrorKind::InvalidQuery,
        "the function is called with a wrong number of arguments",
    )
}

/// The name of an aggregate that most databases share.
pub fn aggregate_name(f: AggregateFn) -> &'static str {
    match f {
        AggregateFn::Count => "count",
        AggregateFn::Sum => "sum",
        AggregateFn::Avg => "avg",
        AggregateFn::Min => "min",
        AggregateFn::Max => "max",
        AggregateFn::StringAgg => "string_agg",
        AggregateFn::BoolAnd => "bool_and",
        AggregateFn::BoolOr => "bool_or",
        AggregateFn::ArrayAgg => "array_agg",
        AggregateFn::JsonAgg => "json_agg",
        AggregateFn::PercentileCont => "percentile_cont",
        AggregateFn::PercentileDisc => "percentile_disc",
        AggregateFn::Mode => "mode",
        AggregateFn::StddevSamp => "stddev_samp",
        AggregateFn::StddevPop => "stddev_pop",
        AggregateFn::VarSamp => "var_samp",
        AggregateFn::VarPop => "var_pop",
        AggregateFn::Grouping => "grouping",
        AggregateFn::Named(name, _) => name,
    }
}

impl SqlWriter<'_> {
    /// `name([DISTINCT] arguments [ORDER BY …]) [FILTER (WHERE …)] [OVER (…)]`; `argument` writes each argument.
    pub fn aggregate_call(
        &mut self,
        name: &str,
        call: &Aggregate,
        over: Option<&Window>,
        argument: &mut dyn FnMut(&mut Self, &Expr) -> Result<()>,
    ) -> Result<()> {
        let Aggregate {
            function,
            args,
            distinct,
            filter,
            order,
        } = call;
        let ordered_set = matches!(
            function,
            AggregateFn::PercentileCont | AggregateFn::PercentileDisc | AggregateFn::Mode
        );
        if ordered_set && order.len() != 1 {
            let message = "an aggregate that orders its values by itself takes no other order";
            return Err(Error::new(ErrorKind::InvalidQuery, message));
        }
        self.name(name)?;
        self.push(if *distinct { "(DISTINCT " } else { "(" });
        for (i, e) in args.iter().enumerate() {
            self.comma(i);
            argument(self, e)?;
        }
        if args.is_empty() && *function == AggregateFn::Count {
            self.push("*");
        }
        if ordered_set {
            self.push(") WITHIN GROUP (ORDER BY ");
            self.order_items(order, None)?;
        } else if !order.is_empty() {
            self.push(" ORDER BY ");
            self.order_items(order, None)?;
        }
        self.push(")");
        if let Some(filter) = filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        match over {
            Some(window) => self.over(window),
            None => Ok(()),
        }
    }

    /// A number that databases want as a 32-bit integer although ours are wider, cast where it is not bound.
    pub fn small_integer(&mut self, e: &Expr) -> Result<()> {
        if let Expr::Value(_) = e {
            return self.integer_argument(e);
        }
        self.push("CAST(");
        self.expr(e)?;
        self.push(" AS ");
        self.type_name(Type::I32)?;
        self.push(")");
        Ok(())
    }

    /// Counts that databases want as a 32-bit integer although ours are wider.
    pub(crate) fn integer_argument(&mut self, e: &Expr) -> Result<()> {
        use crate::value::Value;
        match e {
            Expr::Value(Value::I64(n)) => match i32::try_from(*n) {
                Ok(n) => self.param(Value::I32(n)),
                Err(_) => Err(Error::encode("the number does not fit a 32-bit integer")),
            },
            e => self.expr(e),
        }
    }
}
