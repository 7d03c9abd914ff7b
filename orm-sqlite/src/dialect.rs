//! What is particular to SQLite's SQL. Pure text: no client library, tested without a database.
//!
//! Storage: truth values INTEGER 0 and 1, instants and dates TEXT of fixed width, UUIDs BLOB(16), JSON and enums TEXT,
//! decimals of at most 18 digits INTEGER scaled by their scale, other decimals TEXT.
//!
//! Letter case: SQLite folds ASCII letters only, so `lower`, `icontains`, `ilike` and the like treat `Ä` and `ä` as
//! different.

use orm_core::ast::{Aggregate, AggregateFn, DatePart, Expr, Function, RawPart, TextOp, Window};
use orm_core::error::Result;
use orm_core::sql::{
    BulkInsert, Context, Dialect, Features, ListForm, Refusal, SqlWriter, Told, TriggerForm, function, text,
    type_of,
};
use orm_core::value::{Element, Type, Value};

/// SQLite 3.44 and later.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteDialect;

/// The one instance.
pub static DIALECT: SqliteDialect = SqliteDialect;

static FEATURES: Features = Features {
    placeholder: '?',
    distinct_on: false,
    row_locks: false,
    lateral: false,
    writing_cte: false,
    delete_using: false,
    grouping_sets: false,
    quantified: false,
    nested_compound: false,
    limit_is_peeked: true,
    bare_offset: false,
    nulls_low: true,
    lookups_in_order: true,
    function_columns: false,
    conflict_needs_where: true,
    unicode_case: false,
    regex: false,
    arrays: false,
    enum_types: false,
    scaled_decimals: true,
    schemas: false,
    comments: false,
    covering_indexes: false,
    index_methods: false,
    index_nulls: false,
    add_constraint: false,
    inline_key: true,
    table_options: " STRICT",
    row_version: None,
    server_clock: false,
    inserted_marker: None,
    refusal: Refusal::Inline("BEGIN SELECT RAISE(ABORT, 'append-only'); END"),
    trigger: TriggerForm::Inline("BEGIN ", "END"),
    context_table: Some((
        "orm_context",
        " (\"one\" INTEGER PRIMARY KEY CHECK (\"one\" = 1), \"actor\" TEXT, \"tenant\" TEXT, \"request\" TEXT, \
         \"transaction_id\" TEXT, \"clock\" TEXT, \"begun\" TEXT) STRICT",
    )),
    ordered_set_aggregates: false,
    max_params: 32_766,
    bulk_insert: BulkInsert::Values(64),
};

impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str {
        "sqlite"
    }
    fn system(&self) -> &'static str {
        "sqlite"
    }
    fn features(&self) -> &Features {
        &FEATURES
    }
    fn type_name(&self, ty: Type) -> Result<String> {
        Ok(match ty {
            Type::Bool | Type::I16 | Type::I32 | Type::I64 => "INTEGER",
            Type::F32 | Type::F64 => "REAL",
            Type::Text
            | Type::Timestamp
            | Type::LocalTimestamp
            | Type::Date
            | Type::Time
            | Type::Json
            | Type::Enum(_) => "TEXT",
            Type::Bytes | Type::Uuid => "BLOB",
            Type::Decimal(p, _) if (1..=18).contains(&p) => "INTEGER",
            Type::Decimal(..) => "TEXT",
            Type::Array(_) => {
                return Err(orm_core::error::Error::unsupported(
                    "an array column",
                    self.name(),
                ));
            }
        }
        .into())
    }
    fn list(&self, ty: Type) -> ListForm {
        match ty {
            Type::Bool
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Text
            | Type::Timestamp
            | Type::LocalTimestamp
            | Type::Date
            | Type::Time
            | Type::Bytes
            | Type::Uuid
            | Type::Enum(_) => ListForm::Json,
            Type::F32 | Type::F64 | Type::Json | Type::Decimal(..) | Type::Array(_) => ListForm::Each,
        }
    }
    fn identity(&self) -> &'static str {
        " PRIMARY KEY AUTOINCREMENT"
    }
    fn column_check(&self, w: &mut SqlWriter<'_>, column: &str, ty: Type) -> Result<()> {
        let labels = match ty {
            Type::Bool => None,
            Type::Enum(e) => Some(e.labels),
            // a scaled integer has room for more digits than the column may have
            Type::Decimal(precision @ 1..=18, _) => {
                let most = 10i64.pow(precision.into()) - 1;
                w.push(" CHECK (");
                w.ident(column)?;
                w.push(&format!(" BETWEEN -{most} AND {most})"));
                return Ok(());
            }
            _ => return Ok(()),
        };
        w.push(" CHECK (");
        w.ident(column)?;
        w.push(" IN (");
        match labels {
            None => w.push("0, 1"),
            Some(labels) => w.literals(labels)?,
        }
        w.push("))");
        Ok(())
    }
    fn json_text(&self, column: &str, ty: Type) -> String {
        let text = match ty {
            Type::Bool => format!("CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
            Type::I16 | Type::I32 | Type::I64 => format!("CAST({column} AS TEXT)"),
            Type::F32 | Type::F64 => float_text(column),
            // NULL becomes `null`
            Type::Text | Type::Enum(_) => return format!("json_quote({column})"),
            Type::Bytes => {
                format!("CASE WHEN {column} IS NOT NULL THEN '\"' || lower(hex({column})) || '\"' END")
            }
            Type::Uuid => {
                let part = |from: u8, n: u8| format!("substr(hex({column}), {from}, {n})");
                let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
                let parts = parts.join(" || '-' || ");
                format!("CASE WHEN {column} IS NOT NULL THEN '\"' || lower({parts}) || '\"' END")
            }
            Type::Timestamp | Type::LocalTimestamp | Type::Date | Type::Time => {
                format!("'\"' || {column} || '\"'")
            }
            Type::Decimal(1..=18, scale @ 1..) => {
                let one = 10i64.pow(scale.into());
                format!(
                    "'\"' || CASE WHEN {column} < 0 THEN '-' ELSE '' END || (abs({column}) / {one}) || '.' || \
                     printf('%0{scale}d', abs({column}) % {one}) || '\"'"
                )
            }
            Type::Decimal(..) => format!("'\"' || {column} || '\"'"),
            // no column has this type
            Type::Json | Type::Array(_) => column.to_owned(),
        };
        format!("coalesce({text}, 'null')")
    }
    fn told(&self, what: Told) -> &'static str {
        match what {
            Told::Actor => r#"(SELECT "actor" FROM "orm_context")"#,
            Told::Tenant => r#"(SELECT "tenant" FROM "orm_context")"#,
            Told::Request => r#"(SELECT "request" FROM "orm_context")"#,
            Told::Transaction => {
                "coalesce((SELECT \"transaction_id\" FROM \"orm_context\"), \
                 lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || \
                 '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"
            }
            Told::Clock => {
                "coalesce((SELECT \"clock\" FROM \"orm_context\"), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))"
            }
            Told::Begun => {
                "coalesce((SELECT \"begun\" FROM \"orm_context\"), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))"
            }
        }
    }
    fn tell(&self, context: &Context) -> Vec<RawPart> {
        let Context {
            actor,
            tenant,
            request,
            transaction,
            clock,
            begun,
        } = context;
        let text = |text: &Option<String>| match text {
            Some(text) => Value::Text(text.clone()),
            None => Value::Null(Type::Text),
        };
        let values = [
            text(actor),
            text(tenant),
            text(request),
            Value::Text(transaction.clone()),
            Value::Timestamp(clock.unwrap_or(*begun)),
            Value::Timestamp(*begun),
        ];
        let mut parts = vec![RawPart::Text(r#"INSERT OR REPLACE INTO "orm_context" VALUES (1"#)];
        for value in values {
            parts.push(RawPart::Text(", "));
            parts.push(RawPart::Expr(Expr::Value(value)));
        }
        parts.push(RawPart::Text(")"));
        parts
    }
    fn untell(&self) -> Option<&'static str> {
        Some(r#"DELETE FROM "orm_context""#)
    }
    fn told_rows(&self) -> u64 {
        2
    }
    fn listens(&self) -> &'static str {
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'orm_context'"
    }

    fn text(&self, w: &mut SqlWriter<'_>, op: TextOp, left: &Expr, right: &Expr) -> Result<()> {
        use TextOp::*;
        match (op, text::bound(right)) {
            (Contains, _) => found(w, left, right, false),
            (StartsWith | EndsWith | Like, Some(literal)) => {
                let pattern = text::glob(op, literal)?;
                w.operand(left)?;
                w.push(" GLOB ");
                w.param(Value::Text(pattern))
            }
            (ContainsNoCase | StartsWithNoCase | EndsWithNoCase, Some(literal)) => {
                let pattern = text::like(op, literal)?.into_owned();
                w.operand(left)?;
                w.push(" LIKE ");
                w.param(Value::Text(pattern))?;
                w.push(" ESCAPE '\\'");
                Ok(())
            }
            (ContainsNoCase, None) => found(w, left, right, true),
            (StartsWith | StartsWithNoCase, None) => {
                part_equals(w, left, right, op == StartsWithNoCase, true)
            }
            (EndsWith | EndsWithNoCase, None) => part_equals(w, left, right, op == EndsWithNoCase, false),
            (EqNoCase, _) => {
                lower(w, true, left)?;
                w.push(" = ");
                lower(w, true, right)
            }
            (Like, None) => Err(w.unsupported("a LIKE pattern that is not a bound text")),
            (LikeNoCase, _) => Err(w.unsupported("ILIKE (use `icontains` or its kind)")),
            (Regex | RegexNoCase, _) => Err(w.unsupported("a regular expression")),
        }
    }

    fn function(&self, w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
        match f {
            Function::Greatest => extreme(w, "max(", args),
            Function::Least => extreme(w, "min(", args),
            Function::Position => {
                w.push("instr(");
                w.list(args)?;
                w.push(")");
                Ok(())
            }
            Function::DatePart(part) => date_part(w, part, function::one(args)?),
            Function::DateTrunc(part) => date_trunc(w, part, function::one(args)?),
            Function::Floor => floor(w, function::one(args)?, true),
            Function::Ceil => floor(w, function::one(args)?, false),
            Function::Round if decimal_scale(args).is_some() => Err(w.unsupported("rounding a decimal")),
            Function::Round if args.first().is_some_and(|e| type_of(e).is_integer()) => {
                w.push("CAST(");
                function::standard(w, f, args)?;
                w.push(" AS INTEGER)");
                Ok(())
            }
            Function::Sqrt => Err(w.unsupported("the square root")),
            Function::Power => Err(w.unsupported("a power")),
            f => function::standard(w, f, args),
        }
    }

    fn aggregate(&self, w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()> {
        let of = call.args.first().map(type_of);
        let name = match call.function {
            AggregateFn::Sum | AggregateFn::Avg | AggregateFn::Min | AggregateFn::Max
                if matches!(of, Some(Type::Decimal(..))) && decimal_scale(&call.args).is_none() =>
            {
                return Err(w.unsupported("arithmetic or order on a decimal without fixed precision"));
            }
            AggregateFn::Avg if decimal_scale(&call.args).is_some() => return average(w, call, over),
            AggregateFn::StringAgg if call.distinct && call.args.len() > 1 => {
                return Err(w.unsupported("string_agg of distinct texts"));
            }
            AggregateFn::BoolAnd => "min",
            AggregateFn::BoolOr => "max",
            AggregateFn::ArrayAgg => return Err(w.unsupported("array_agg")),
            AggregateFn::JsonAgg => return json_agg(w, call, over),
            AggregateFn::PercentileCont | AggregateFn::PercentileDisc | AggregateFn::Mode => {
                return Err(w.unsupported("an ordered-set aggregate"));
            }
            AggregateFn::StringAgg => "group_concat",
            f => function::aggregate_name(f),
        };
        w.aggregate_call(name, call, over, &mut |w, e| w.expr(e))
    }

    fn cast(&self, w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
        let from = type_of(expr);
        let scaled = matches!(from, Type::Decimal(p, _) if (1..=18).contains(&p));
        match (from, to) {
            (_, Type::Decimal(p, s)) if (1..=18).contains(&p) && (scaled || from.is_integer()) => {
                w.decimal(expr, s)
            }
            (_, Type::I16 | Type::I32 | Type::I64) if scaled => w.decimal(expr, 0),
            (_, Type::F32 | Type::F64) if scaled => w.decimal_as_float(expr),
            (Type::Decimal(..), _) | (_, Type::Decimal(..)) => Err(w.unsupported("this cast of a decimal")),
            (Type::F32 | Type::F64, Type::I16 | Type::I32 | Type::I64) => {
                w.push("CAST(round(");
                w.expr(expr)?;
                w.push(") AS INTEGER)");
                Ok(())
            }
            (from, Type::Bool) if from.is_integer() => {
                w.push("(");
                w.operand(expr)?;
                w.push(" <> 0)");
                Ok(())
            }
            (Type::Uuid, Type::Text) => {
                w.push("lower(hex(");
                w.expr(expr)?;
                w.push("))");
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
}

/// The shortest digits that are read back as the same number, written as Rust writes it: `0.1`, `1e300`.
fn float_text(column: &str) -> String {
    let digits = |n: u8| format!("printf('%!.{n}g', {column})");
    let exact = |n: u8| format!("CAST({} AS REAL) = {column}", digits(n));
    let (a, b, c) = (digits(15), digits(16), digits(17));
    // from 1e15 on, fewer digits would mean an exponent
    let shortest = format!(
        "CASE WHEN abs({column}) < 1e15 AND {} THEN {a} WHEN {} THEN {b} ELSE {c} END",
        exact(15),
        exact(16)
    );
    let short = format!(
        "replace(replace(replace(replace({shortest}, '.0e', 'e'), 'e+', 'e'), 'e-0', 'e-'), 'e0', 'e')"
    );
    format!(
        "CASE WHEN {column} > 1.7976931348623157e308 THEN '\"inf\"' \
         WHEN {column} < -1.7976931348623157e308 THEN '\"-inf\"' WHEN {column} IS NOT NULL THEN {short} END"
    )
}

/// Types between which SQLite's CAST means what it says.
fn castable(ty: Type) -> bool {
    matches!(
        ty,
        Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::Text
    )
}

fn decimal_scale(args: &[Expr]) -> Option<u8> {
    match args.first().map(type_of) {
        Some(Type::Decimal(p, s)) if (1..=18).contains(&p) => Some(s),
        _ => None,
    }
}

fn lower(w: &mut SqlWriter<'_>, lower: bool, e: &Expr) -> Result<()> {
    if !lower {
        return w.operand(e);
    }
    w.push("lower(");
    w.expr(e)?;
    w.push(")");
    Ok(())
}

fn found(w: &mut SqlWriter<'_>, left: &Expr, right: &Expr, no_case: bool) -> Result<()> {
    w.push("instr(");
    lower(w, no_case, left)?;
    w.push(", ");
    lower(w, no_case, right)?;
    w.push(") > 0");
    Ok(())
}

/// The first or last characters of `left`, as many as `right` has, are `right`.
fn part_equals(w: &mut SqlWriter<'_>, left: &Expr, right: &Expr, no_case: bool, start: bool) -> Result<()> {
    w.push("substr(");
    lower(w, no_case, left)?;
    if start {
        w.push(", 1, length(");
    } else {
        w.push(", length(");
        w.expr(left)?;
        w.push(") + 1 - length(");
    }
    w.expr(right)?;
    w.push(")) = ");
    lower(w, no_case, right)
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
fn floor(w: &mut SqlWriter<'_>, e: &Expr, down: bool) -> Result<()> {
    match type_of(e) {
        ty if ty.is_integer() => return w.operand(e),
        Type::F32 | Type::F64 => {}
        _ => return Err(w.unsupported("rounding a decimal")),
    }
    w.push("CASE WHEN abs(");
    w.expr(e)?;
    w.push(") < 9007199254740992.0 THEN CAST(CAST(");
    w.expr(e)?;
    w.push(if down {
        " AS INTEGER) - ("
    } else {
        " AS INTEGER) + ("
    });
    w.operand(e)?;
    w.push(if down { " < CAST(" } else { " > CAST(" });
    w.expr(e)?;
    w.push(" AS INTEGER)) AS REAL) ELSE ");
    w.operand(e)?;
    w.push(" END");
    Ok(())
}

/// The average of scaled integers with four more digits, half away from zero, without leaving the integers.
fn average(w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()> {
    if decimal_scale(&call.args).is_none_or(|s| s > 14) {
        return Err(w.unsupported("the average of a decimal with more than 14 digits after the point"));
    }
    let part = |w: &mut SqlWriter<'_>, name: &str| w.aggregate_call(name, call, over, &mut |w, e| w.expr(e));
    w.push("(");
    part(w, "sum")?;
    w.push(" / ");
    part(w, "count")?;
    w.push(" * 10000 + (");
    part(w, "sum")?;
    w.push(" % ");
    part(w, "count")?;
    w.push(" * 20000 + CASE WHEN ");
    part(w, "sum")?;
    w.push(" < 0 THEN -");
    part(w, "count")?;
    w.push(" ELSE ");
    part(w, "count")?;
    w.push(" END) / (2 * ");
    part(w, "count")?;
    w.push("))");
    Ok(())
}

fn json_agg(w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()> {
    let (open, close) = match call.args.first().map(type_of) {
        Some(Type::Json) => ("json(", ")"),
        Some(Type::Bool) => (
            "json(CASE ",
            " WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)",
        ),
        Some(Type::Decimal(..) | Type::Bytes | Type::Uuid | Type::Array(Element::Bytes)) => {
            return Err(w.unsupported("json_agg of this type"));
        }
        _ => ("", ""),
    };
    w.aggregate_call("json_group_array", call, over, &mut |w, e| {
        w.push(open);
        w.expr(e)?;
        w.push(close);
        Ok(())
    })
}

/// Where the parts stand in the stored text; its time begins at the first character for a time of day.
fn date_part(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
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

fn wrapped(w: &mut SqlWriter<'_>, open: &str, e: &Expr, close: &str) -> Result<()> {
    w.push(open);
    w.expr(e)?;
    w.push(close);
    Ok(())
}

/// The stored text cut off and filled up again.
fn date_trunc(w: &mut SqlWriter<'_>, part: DatePart, of: &Expr) -> Result<()> {
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
        DatePart::Second => ("1, 19)", 19),
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
