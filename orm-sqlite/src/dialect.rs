//! What is particular to SQLite's SQL. Pure text: no client library, tested without a database.
//!
//! Storage: truth values INTEGER 0 and 1, instants and dates TEXT of fixed width, UUIDs BLOB(16), JSON and enums TEXT,
//! decimals of at most 18 digits INTEGER scaled by their scale, other decimals TEXT.
//!
//! Letter case: SQLite folds ASCII letters only. Where others may be meant, our own `orm_lower` is called; its `lower` serves
//! where the text that is looked for is ASCII, so that an index on it is used.

use orm_core::ast::ddl::{RowEvent, SearchTable};
use orm_core::ast::{Aggregate, AggregateFn, Expr, Function, RawPart, SearchCall, TextOp, Window};
use orm_core::error::Result;
use orm_core::sql::plan::{ExplainOptions, Plan};
use orm_core::sql::{
    BulkInsert, Context, Dialect, Explain, Features, ListForm, Refusal, SearchForm, SqlWriter, Told,
    TriggerForm, function, text, type_of,
};
use orm_core::value::{Element, Type, Value};

use crate::{calls, functions, operators, plan, regex, search};

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
    unicode_case: true,
    regex: true,
    arrays: false,
    enum_types: false,
    scaled_decimals: true,
    materialized_views: false,
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
    explain_analyze: false,
    copy: false,
    inserted_marker: None,
    refusal: Refusal::Inline("BEGIN SELECT RAISE(ABORT, 'append-only'); END"),
    trigger: TriggerForm::Inline("BEGIN ", "END"),
    context_table: Some((
        "orm_context",
        " (\"one\" INTEGER PRIMARY KEY CHECK (\"one\" = 1), \"actor\" TEXT, \"tenant\" TEXT, \"request\" TEXT, \
         \"transaction_id\" TEXT, \"clock\" TEXT, \"begun\" TEXT) STRICT",
    )),
    ordered_set_aggregates: false,
    search: SearchForm::Table,
    max_params: 32_766,
    bulk_insert: BulkInsert::Values(128),
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
            | Type::Interval
            | Type::Range(_)
            | Type::Array(_)
            | Type::Enum(_) => "TEXT",
            Type::Other(other) if other.portable => "TEXT",
            Type::Other(other) => {
                let feature = format!("a column of the type {}", other.name);
                return Err(orm_core::error::Error::unsupported(&feature, self.name()));
            }
            Type::Bytes | Type::Uuid => "BLOB",
            Type::Decimal(p, _) if (1..=18).contains(&p) => "INTEGER",
            Type::Decimal(..) => "TEXT",
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
            Type::Other(_) => ListForm::Json,
            Type::F32
            | Type::F64
            | Type::Json
            | Type::Decimal(..)
            | Type::Interval
            | Type::Range(_)
            | Type::Array(_) => ListForm::Each,
        }
    }
    fn decimal_text(&self) -> Option<&'static str> {
        Some("orm_decimal")
    }
    fn identity(&self) -> &'static str {
        " PRIMARY KEY AUTOINCREMENT"
    }
    /// For definitions that stay in the database; statements bind the client's clock.
    fn clock(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
    }
    fn explain(&self, _: &ExplainOptions) -> Explain {
        plan::explain()
    }
    fn plan(&self, rows: Vec<Vec<Value>>, statement: &str) -> Result<Plan> {
        plan::plan(rows, statement)
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
            Type::Interval | Type::Range(_) => format!("'\"' || {column} || '\"'"),
            Type::Other(_) => return format!("json_quote({column})"),
            // documents are strings in there
            Type::Array(Element::Json) => format!(
                "CASE WHEN {column} IS NOT NULL THEN '[' || coalesce((SELECT group_concat(coalesce(e.value, 'null'), \
                 ',') FROM json_each({column}) AS e), '') || ']' END"
            ),
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
            (Contains, _) => found(w, left, right, Case::Kept),
            (StartsWith | EndsWith | Like, Some(literal)) => {
                let pattern = text::glob(op, literal)?;
                w.operand(left)?;
                w.push(" GLOB ");
                w.param(Value::Text(pattern))
            }
            (ContainsNoCase | StartsWithNoCase | EndsWithNoCase | LikeNoCase, Some(literal)) => {
                let pattern = text::like(op, literal)?.into_owned();
                // LIKE knows the case of ASCII letters
                match pattern.is_ascii() {
                    true => {
                        w.operand(left)?;
                        w.push(" LIKE ");
                        w.param(Value::Text(pattern))?;
                    }
                    false => {
                        folded(w, Case::Folded, left)?;
                        w.push(" LIKE ");
                        w.param(Value::Text(pattern.chars().map(calls::lower_letter).collect()))?;
                    }
                }
                w.push(" ESCAPE '\\'");
                Ok(())
            }
            (LikeNoCase, None) => {
                folded(w, Case::Folded, left)?;
                w.push(" LIKE ");
                folded(w, Case::Folded, right)?;
                w.push(" ESCAPE '\\'");
                Ok(())
            }
            (Like, None) => pair(w, "orm_like(", left, right),
            (ContainsNoCase, None) => found(w, left, right, Case::Folded),
            (StartsWith, None) => part_equals(w, left, right, Case::Kept, true),
            (StartsWithNoCase, None) => part_equals(w, left, right, Case::Folded, true),
            (EndsWith, None) => part_equals(w, left, right, Case::Kept, false),
            (EndsWithNoCase, None) => part_equals(w, left, right, Case::Folded, false),
            (EqNoCase, literal) => {
                let ascii = literal.is_some_and(str::is_ascii);
                let case = if ascii { Case::Ascii } else { Case::Folded };
                folded(w, case, left)?;
                w.push(" = ");
                folded(w, case, right)
            }
            (Regex | RegexNoCase, pattern) => {
                let refused = pattern.and_then(|p| regex::compiled(p, false).err());
                if let Some(regex::Refused::Unsupported(feature)) = refused {
                    return Err(w.unsupported(feature));
                }
                let open = if op == Regex { "orm_regex(" } else { "orm_iregex(" };
                pair(w, open, left, right)
            }
        }
    }

    fn function(&self, w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
        functions::call(w, f, args)
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
            AggregateFn::ArrayAgg => return array_agg(w, call, over),
            AggregateFn::JsonAgg => return json_agg(w, call, over),
            AggregateFn::PercentileCont | AggregateFn::PercentileDisc | AggregateFn::Mode => {
                return Err(w.unsupported("an ordered-set aggregate"));
            }
            AggregateFn::StddevSamp | AggregateFn::StddevPop | AggregateFn::VarSamp | AggregateFn::VarPop => {
                return Err(w.unsupported("a standard deviation or variance"));
            }
            AggregateFn::Grouping => return Err(w.unsupported("GROUPING SETS, ROLLUP and CUBE")),
            AggregateFn::StringAgg => "group_concat",
            f => function::aggregate_name(f),
        };
        w.aggregate_call(name, call, over, &mut |w, e| w.expr(e))
    }

    fn unnest(&self, w: &mut SqlWriter<'_>, array: &Expr) -> Result<()> {
        operators::unnest(w, array)
    }
    fn search(&self, w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
        search::call(w, call)
    }
    fn create_search(&self, w: &mut SqlWriter<'_>, table: &SearchTable) -> Result<()> {
        search::create(w, table)
    }
    fn follow_search(&self, w: &mut SqlWriter<'_>, event: RowEvent, table: &SearchTable) -> Result<()> {
        search::follow(w, event, table)
    }

    fn cast(&self, w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
        functions::cast(w, expr, to)
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

pub(crate) fn decimal_scale(args: &[Expr]) -> Option<u8> {
    match args.first().map(type_of) {
        Some(Type::Decimal(p, s)) if (1..=18).contains(&p) => Some(s),
        _ => None,
    }
}

/// What letters are compared as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// As they are.
    Kept,
    /// In the lower case of ASCII.
    Ascii,
    /// In lower case.
    Folded,
}

fn folded(w: &mut SqlWriter<'_>, case: Case, e: &Expr) -> Result<()> {
    w.push(match case {
        Case::Kept => return w.operand(e),
        Case::Ascii => "lower(",
        Case::Folded => "orm_lower(",
    });
    w.expr(e)?;
    w.push(")");
    Ok(())
}

fn pair(w: &mut SqlWriter<'_>, open: &str, left: &Expr, right: &Expr) -> Result<()> {
    w.push(open);
    w.expr(left)?;
    w.push(", ");
    w.expr(right)?;
    w.push(")");
    Ok(())
}

fn found(w: &mut SqlWriter<'_>, left: &Expr, right: &Expr, case: Case) -> Result<()> {
    w.push("instr(");
    folded(w, case, left)?;
    w.push(", ");
    folded(w, case, right)?;
    w.push(") > 0");
    Ok(())
}

/// The first or last characters of `left`, as many as `right` has, are `right`.
fn part_equals(w: &mut SqlWriter<'_>, left: &Expr, right: &Expr, case: Case, start: bool) -> Result<()> {
    w.push("substr(");
    folded(w, case, left)?;
    if start {
        w.push(", 1, length(");
    } else {
        w.push(", length(");
        w.expr(left)?;
        w.push(") + 1 - length(");
    }
    w.expr(right)?;
    w.push(")) = ");
    folded(w, case, right)
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

/// Arrays are JSON; of no rows there is none.
fn array_agg(w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()> {
    let of = call.args.first().map(type_of);
    match of {
        Some(Type::Decimal(..) | Type::F32 | Type::Array(_)) | None => {
            return Err(w.unsupported("array_agg of this type"));
        }
        Some(_) => {}
    }
    w.push("nullif(");
    w.aggregate_call("json_group_array", call, over, &mut |w, e| match of {
        Some(Type::Bool) => {
            w.push("json(CASE ");
            w.expr(e)?;
            w.push(" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)");
            Ok(())
        }
        Some(Type::Bytes | Type::Uuid) => operators::digits(w, e),
        _ => w.expr(e),
    })?;
    w.push(", '[]')");
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
