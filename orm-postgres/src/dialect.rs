//! What is particular to PostgreSQL's SQL. Pure text: no client library, tested without a server.

use orm_core::ast::{
    Aggregate, AggregateFn, Column, Expr, Function, RawPart, SearchCall, Table, TextOp, Window,
};
use orm_core::error::Result;
use orm_core::sql::plan::{ExplainOptions, Plan};
use orm_core::sql::{
    BulkInsert, Context, Dialect, Explain, Features, ListForm, Refusal, SqlWriter, Told, TriggerForm,
    function, text, type_of,
};
use orm_core::value::{Element, EnumType, OtherType, RangeOf, Type, Value};

use crate::{functions, plan, search};

/// PostgreSQL 13 and later.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresDialect;

/// The one instance.
pub static DIALECT: PostgresDialect = PostgresDialect;

static FEATURES: Features = Features {
    placeholder: '$',
    distinct_on: true,
    row_locks: true,
    lateral: true,
    writing_cte: true,
    delete_using: true,
    grouping_sets: true,
    quantified: true,
    nested_compound: true,
    limit_is_peeked: false,
    bare_offset: true,
    nulls_low: false,
    lookups_in_order: false,
    function_columns: true,
    conflict_needs_where: false,
    unicode_case: true,
    regex: true,
    arrays: true,
    enum_types: true,
    scaled_decimals: false,
    materialized_views: true,
    schemas: true,
    comments: true,
    covering_indexes: true,
    index_methods: true,
    index_nulls: true,
    add_constraint: true,
    inline_key: false,
    table_options: "",
    row_version: Some("xmin"),
    server_clock: true,
    explain_analyze: true,
    copy: true,
    inserted_marker: Some("(xmax = 0)"),
    refusal: Refusal::Function(
        "() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'append-only' \
         USING ERRCODE = 'ORM01', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME; END$$",
    ),
    trigger: TriggerForm::Function(
        "() RETURNS trigger LANGUAGE plpgsql AS $orm$BEGIN ",
        "RETURN NULL; END$orm$",
    ),
    context_table: None,
    ordered_set_aggregates: true,
    search: search::FORM,
    max_params: 65_535,
    bulk_insert: BulkInsert::Arrays,
};

impl PostgresDialect {
    /// The text of a range, its bounds written as they are alone.
    fn range_text(&self, column: &str, of: RangeOf) -> String {
        let bound = |end: &str| {
            let value = match of {
                RangeOf::Decimal => format!("trim_scale({end}({column}))"),
                _ => format!("{end}({column})"),
            };
            let text = self.json_text(&value, of.ty());
            format!("replace(replace({text}, 'null', ''), '\"', '')")
        };
        format!(
            "CASE WHEN {column} IS NULL THEN NULL WHEN isempty({column}) THEN 'empty' ELSE CASE WHEN lower_inc({column}) THEN '[' ELSE '(' END || {} \
             || ',' || {} || CASE WHEN upper_inc({column}) THEN ']' ELSE ')' END END",
            bound("lower"),
            bound("upper")
        )
    }
}

impl Dialect for PostgresDialect {
    fn name(&self) -> &'static str {
        "postgres"
    }
    fn system(&self) -> &'static str {
        "postgresql"
    }
    fn features(&self) -> &Features {
        &FEATURES
    }
    fn type_name(&self, ty: Type) -> Result<String> {
        Ok(match ty {
            Type::Bool => "boolean".into(),
            Type::I16 => "smallint".into(),
            Type::I32 => "integer".into(),
            Type::I64 => "bigint".into(),
            Type::F32 => "real".into(),
            Type::F64 => "double precision".into(),
            Type::Text => "text".into(),
            Type::Bytes => "bytea".into(),
            Type::Uuid => "uuid".into(),
            Type::Timestamp => "timestamptz".into(),
            Type::LocalTimestamp => "timestamp".into(),
            Type::Date => "date".into(),
            Type::Time => "time".into(),
            Type::Json => "jsonb".into(),
            Type::Decimal(0, _) => "numeric".into(),
            Type::Decimal(p, s) => format!("numeric({p}, {s})"),
            Type::Enum(e) => enum_name(e),
            Type::Interval => "interval".into(),
            Type::Range(of) => range_name(of).into(),
            Type::Other(other) => other_name(other),
            Type::Array(e) => format!("{}[]", self.type_name(e.ty())?),
        })
    }
    fn clock(&self) -> &'static str {
        "statement_timestamp()"
    }
    /// Only ever forwards: rows inserted meanwhile by others have moved the sequence themselves.
    fn advance_identity(
        &self,
        schema: Option<&str>,
        table: &'static Table,
        key: &'static Column,
        given: i64,
    ) -> Option<Vec<RawPart>> {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let name = match schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(table.name)),
            None => quoted(table.name),
        };
        let value = |v| RawPart::Expr(Expr::Value(v));
        Some(vec![
            RawPart::Text("SELECT setval(s, "),
            value(Value::I64(given)),
            RawPart::Text(") FROM (SELECT pg_get_serial_sequence("),
            value(Value::Text(name)),
            RawPart::Text(", "),
            value(Value::Str(key.name)),
            RawPart::Text(")::regclass AS s) AS q WHERE coalesce(pg_sequence_last_value(s), 0) < "),
            value(Value::I64(given)),
        ])
    }
    fn list(&self, ty: Type) -> ListForm {
        match ty {
            Type::Enum(_) | Type::Array(_) => ListForm::Each,
            _ => ListForm::Array,
        }
    }
    fn hex_literal(&self, ty: Type) -> &'static str {
        if ty == Type::Uuid { "'" } else { "'\\x" }
    }
    fn json_text(&self, column: &str, ty: Type) -> String {
        let text = match ty {
            Type::Bool | Type::I16 | Type::I32 | Type::I64 | Type::Json => format!("{column}::text"),
            Type::F32 | Type::F64 => float_text(&format!("{column}::float8")),
            Type::Text | Type::Enum(_) => format!("to_json({column}::text)::text"),
            Type::Bytes => format!("'\"' || encode({column}, 'hex') || '\"'"),
            Type::Uuid | Type::Decimal(..) => format!("'\"' || {column}::text || '\"'"),
            Type::Timestamp => format!(
                "'\"' || to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') || '\"'"
            ),
            Type::LocalTimestamp => {
                format!("'\"' || to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '\"'")
            }
            Type::Date => format!("'\"' || to_char({column}, 'YYYY-MM-DD') || '\"'"),
            Type::Time => format!("'\"' || to_char({column}::interval, 'HH24:MI:SS.US') || '\"'"),
            Type::Interval => {
                let part = |name: &str| format!("extract({name} FROM {column})");
                format!(
                    "'\"P' || ({} * 12 + {})::bigint || 'M' || {}::bigint || 'DT' || ({} * 3600 + {} * 60 + \
                     {})::numeric(30, 6) || 'S\"'",
                    part("year"),
                    part("month"),
                    part("day"),
                    part("hour"),
                    part("minute"),
                    part("second")
                )
            }
            Type::Range(of) => {
                let text = self.range_text(column, of);
                format!("'\"' || {text} || '\"'")
            }
            Type::Other(_) => format!("to_json({column}::text)::text"),
            Type::Array(element) => {
                let item = match element {
                    // the digits that its text on a database without arrays has
                    Element::F32 => format!("coalesce({}, 'null')", float_text("u.item")),
                    _ => self.json_text("u.item", element.ty()),
                };
                return format!(
                    "CASE WHEN {column} IS NULL THEN 'null' ELSE '[' || coalesce((SELECT string_agg({item}, ',' \
                     ORDER BY u.at) FROM unnest({column}) WITH ORDINALITY AS u(item, at)), '') || ']' END"
                );
            }
        };
        format!("coalesce({text}, 'null')")
    }
    fn told(&self, what: Told) -> &'static str {
        match what {
            Told::Actor => "nullif(current_setting('orm.actor', true), '')",
            Told::Tenant => "nullif(current_setting('orm.tenant', true), '')",
            Told::Request => "nullif(current_setting('orm.request', true), '')",
            Told::Transaction => {
                "coalesce(nullif(current_setting('orm.transaction', true), ''), \
                 set_config('orm.transaction', gen_random_uuid()::text, true))"
            }
            Told::Clock => {
                "coalesce(nullif(current_setting('orm.clock', true), '')::timestamptz, statement_timestamp())"
            }
            Told::Begun => "transaction_timestamp()",
        }
    }
    /// `set_config` is never NULL: the statement has no row.
    fn tell(&self, context: &Context) -> Vec<RawPart> {
        let Context {
            actor,
            tenant,
            request,
            transaction,
            clock,
            begun: _,
        } = context;
        let text = |text: &Option<String>| Value::Text(text.clone().unwrap_or_default());
        let value = |v| RawPart::Expr(Expr::Value(v));
        vec![
            RawPart::Text("SELECT 1 WHERE set_config('orm.actor', "),
            value(text(actor)),
            RawPart::Text(", true) IS NULL OR set_config('orm.tenant', "),
            value(text(tenant)),
            RawPart::Text(", true) IS NULL OR set_config('orm.request', "),
            value(text(request)),
            RawPart::Text(", true) IS NULL OR set_config('orm.clock', "),
            value(text(&clock.map(|at| at.to_string()))),
            RawPart::Text(
                ", true) IS NULL OR set_config('orm.transaction', \
                 coalesce(nullif(current_setting('orm.transaction', true), ''), ",
            ),
            value(Value::Text(transaction.clone())),
            RawPart::Text("), true) IS NULL"),
        ]
    }
    fn explain(&self, options: &ExplainOptions) -> Explain {
        plan::explain(options)
    }
    fn plan(&self, rows: Vec<Vec<Value>>, _: &str) -> Result<Plan> {
        plan::plan(rows)
    }
    fn listens(&self) -> &'static str {
        "SELECT 1 FROM pg_trigger WHERE tgname LIKE 'trail\\_%' OR tgname LIKE 'history\\_%' LIMIT 1"
    }
    fn serialise(&self, number: i64) -> Option<Vec<RawPart>> {
        Some(vec![
            RawPart::Text("SELECT pg_advisory_xact_lock("),
            RawPart::Expr(Expr::Value(Value::I64(number))),
            RawPart::Text(")"),
        ])
    }

    fn text(&self, w: &mut SqlWriter<'_>, op: TextOp, left: &Expr, right: &Expr) -> Result<()> {
        use TextOp::*;
        if let (Some(literal), Some(like)) = (text::bound(right), like_operator(op)) {
            let pattern = text::like(op, literal)?.into_owned();
            w.operand(left)?;
            w.push(like);
            return w.param(Value::Text(pattern));
        }
        let between = match op {
            Like => " LIKE ",
            LikeNoCase => " ILIKE ",
            Regex => " ~ ",
            RegexNoCase => " ~* ",
            EqNoCase => return lowered(w, "", left, " = ", right, ""),
            ContainsNoCase => return lowered(w, "strpos(", left, ", ", right, ") > 0"),
            StartsWithNoCase => return lowered(w, "starts_with(", left, ", ", right, ")"),
            Contains => return pair(w, "strpos(", left, ", ", right, ") > 0"),
            StartsWith => return pair(w, "starts_with(", left, ", ", right, ")"),
            EndsWith | EndsWithNoCase => return ends_with(w, op == EndsWithNoCase, left, right),
        };
        w.operand(left)?;
        w.push(between);
        w.operand(right)
    }

    fn function(&self, w: &mut SqlWriter<'_>, f: Function, args: &[Expr]) -> Result<()> {
        functions::call(w, f, args)
    }

    fn aggregate(&self, w: &mut SqlWriter<'_>, call: &Aggregate, over: Option<&Window>) -> Result<()> {
        let of = call.args.first().map(type_of);
        let name = function::aggregate_name(call.function);
        let mut plain = |w: &mut SqlWriter<'_>, e: &Expr| w.expr(e);
        let (open, close) = match (call.function, of) {
            // bigint sums to numeric; back to bigint, so that an overflow is an error
            (AggregateFn::Sum, Some(Type::I64)) => ("CAST(", " AS bigint)"),
            (
                AggregateFn::StddevSamp | AggregateFn::StddevPop | AggregateFn::VarSamp | AggregateFn::VarPop,
                _,
            ) => ("CAST(", " AS double precision)"),
            (AggregateFn::Avg, Some(Type::I16 | Type::I32 | Type::I64)) => ("CAST(", " AS double precision)"),
            (AggregateFn::Sum | AggregateFn::Avg, Some(Type::F32)) => {
                return w.aggregate_call(name, call, over, &mut |w, e| {
                    w.push("CAST(");
                    w.expr(e)?;
                    w.push(" AS double precision)");
                    Ok(())
                });
            }
            (AggregateFn::JsonAgg, _) => {
                // no rows are an empty array, not NULL
                w.push("coalesce(");
                let (open, close) = match of {
                    // the session's zone must not show, nor a decimal become a float on its way
                    Some(Type::Timestamp) => (
                        "to_char(",
                        " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                    ),
                    Some(Type::Decimal(..)) => ("CAST(", " AS text)"),
                    _ => ("", ""),
                };
                w.aggregate_call("jsonb_agg", call, over, &mut |w, e| {
                    w.push(open);
                    w.operand(e)?;
                    w.push(close);
                    Ok(())
                })?;
                w.push(", '[]')");
                return Ok(());
            }
            _ => ("", ""),
        };
        w.push(open);
        w.aggregate_call(name, call, over, &mut plain)?;
        w.push(close);
        Ok(())
    }

    fn search(&self, w: &mut SqlWriter<'_>, call: &SearchCall) -> Result<()> {
        search::call(w, call)
    }

    fn cast(&self, w: &mut SqlWriter<'_>, expr: &Expr, to: Type) -> Result<()> {
        functions::cast(w, expr, to)
    }
}

/// A number as Rust writes it.
fn float_text(number: &str) -> String {
    format!(
        "CASE {number} WHEN 'NaN' THEN '\"NaN\"' WHEN 'Infinity' THEN '\"inf\"' \
         WHEN '-Infinity' THEN '\"-inf\"' ELSE regexp_replace(regexp_replace({number}::text, \
         '^(-?[0-9]+)$', '\\1.0'), 'e[+]?(-?)0*', 'e\\1') END"
    )
}

fn enum_name(e: &EnumType) -> String {
    let quoted = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
    match e.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(e.name)),
        None => quoted(e.name),
    }
}

const fn range_name(of: RangeOf) -> &'static str {
    match of {
        RangeOf::I32 => "int4range",
        RangeOf::I64 => "int8range",
        RangeOf::Decimal => "numrange",
        RangeOf::Date => "daterange",
        RangeOf::Timestamp => "tstzrange",
        RangeOf::LocalTimestamp => "tsrange",
    }
}

/// The name of a type that crosses as text: bare where that is the same, as the catalogue prints it.
fn other_name(other: &OtherType) -> String {
    let bare = |s: &str| {
        s.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    // a composite type is called as its user likes, and that may be a word of SQL
    let own = !other.fields.is_empty();
    let quoted = |s: &str| match bare(s) && !own {
        true => s.to_owned(),
        false => format!("\"{}\"", s.replace('"', "\"\"")),
    };
    // the one name that the catalogue spells out
    let name = match other.name {
        "varbit" => "bit varying".into(),
        name => quoted(name),
    };
    other.schema.map(|s| quoted(s) + ".").unwrap_or_default() + &name
}

/// The operator for a pattern that was made of a bound text.
fn like_operator(op: TextOp) -> Option<&'static str> {
    use TextOp::*;
    match op {
        Contains | StartsWith | EndsWith | Like => Some(" LIKE "),
        ContainsNoCase | StartsWithNoCase | EndsWithNoCase | LikeNoCase => Some(" ILIKE "),
        EqNoCase | Regex | RegexNoCase => None,
    }
}

fn pair(w: &mut SqlWriter<'_>, open: &str, a: &Expr, mid: &str, b: &Expr, close: &str) -> Result<()> {
    w.push(open);
    w.operand(a)?;
    w.push(mid);
    w.operand(b)?;
    w.push(close);
    Ok(())
}

fn lowered(w: &mut SqlWriter<'_>, open: &str, a: &Expr, mid: &str, b: &Expr, close: &str) -> Result<()> {
    w.push(open);
    lower(w, true, a)?;
    w.push(mid);
    lower(w, true, b)?;
    w.push(close);
    Ok(())
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

fn ends_with(w: &mut SqlWriter<'_>, no_case: bool, a: &Expr, b: &Expr) -> Result<()> {
    w.push("right(");
    lower(w, no_case, a)?;
    w.push(", length(");
    lower(w, no_case, b)?;
    w.push(")) = ");
    lower(w, no_case, b)
}
