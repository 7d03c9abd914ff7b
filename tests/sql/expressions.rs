use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::query::IntoExpr;
use orm_core::value::{Type, Value};
use orm_postgres::PgExt;

use crate::support::*;

/// The text of a condition behind `SELECT t0."id" FROM "users" AS t0 WHERE `.
fn filter(e: Expr, on_postgres: &str, on_sqlite: &str) -> (Vec<Value>, Vec<Value>) {
    let full = |text: &str| format!(r#"SELECT t0."id" FROM "users" AS t0 WHERE {text}"#);
    let (a, b) = check(e, &full(on_postgres), &full(on_sqlite));
    (a.params, b.params)
}
fn filter_same(e: Expr, text: &str) {
    filter(e, text, &text.replace('$', "?"));
}
fn only(e: Expr, text: &str, feature: &str) {
    only_postgres(
        e,
        &format!(r#"SELECT t0."id" FROM "users" AS t0 WHERE {text}"#),
        feature,
    );
}
/// The text of a selected expression.
fn selected(e: Expr, on_postgres: &str, on_sqlite: &str) -> Type {
    let full = |text: &str| format!(r#"SELECT {text} FROM "users" AS t0"#);
    let mut s = users();
    s.columns = vec![e];
    check(s, &full(on_postgres), &full(on_sqlite)).0.columns[0]
}

#[test]
fn parentheses_where_they_are_needed() {
    let is = |n| eq(c(&ID), v(n));
    filter_same(Expr::All(vec![is(1), is(2)]), r#"t0."id" = $1 AND t0."id" = $2"#);
    filter_same(
        Expr::Any(vec![Expr::All(vec![is(1), is(2)]), is(3)]),
        r#"((t0."id" = $1 AND t0."id" = $2) OR t0."id" = $3)"#,
    );
    filter_same(Expr::Not(Box::new(is(1))), r#"NOT (t0."id" = $1)"#);
    filter_same(Expr::All(vec![]), "TRUE");
    filter_same(Expr::Any(vec![]), "FALSE");
    filter_same(
        eq(
            math(MathOp::Mul, math(MathOp::Add, c(&AGE), v(1)), v(2)),
            math(MathOp::Sub, v(1), math(MathOp::Sub, v(2), v(3))),
        ),
        r#"(t0."age" + $1) * $2 = $3 - ($4 - $5)"#,
    );
    filter_same(
        eq(
            math(
                MathOp::Concat,
                math(MathOp::Concat, c(&NAME), text("a")),
                text("b"),
            ),
            text("c"),
        ),
        r#"t0."name" || $1 || $2 = $3"#,
    );
    filter_same(
        Expr::IsNull(Box::new(math(MathOp::Concat, c(&NAME), text("a"))), true),
        r#"(t0."name" || $1) IS NOT NULL"#,
    );
}

#[test]
fn comparisons() {
    filter_same(
        compare(CompareOp::IsDistinct, c(&NAME), text("a")),
        r#"t0."name" IS DISTINCT FROM $1"#,
    );
    filter_same(
        Expr::Between(Box::new([c(&AGE), v(1), v(2)])),
        r#"t0."age" BETWEEN $1 AND $2"#,
    );
    filter_same(
        compare(
            CompareOp::Gt,
            Expr::Tuple(vec![c(&AGE), c(&ID)]),
            Expr::Tuple(vec![v(1), v(2)]),
        ),
        r#"(t0."age", t0."id") > ($1, $2)"#,
    );
    selected(
        Expr::IsTrue(Box::new(eq(c(&NAME), text("a")))),
        r#"(t0."name" = $1) IS TRUE"#,
        r#"(t0."name" = ?1) IS TRUE"#,
    );
    filter_same(
        Expr::Quantified(
            CompareOp::Eq,
            Quantifier::Any,
            Box::new(c(&ID)),
            Box::new(users()),
        ),
        r#"t0."id" IN (SELECT t1."id" FROM "users" AS t1)"#,
    );
    filter(
        Expr::Quantified(
            CompareOp::Gt,
            Quantifier::All,
            Box::new(c(&ID)),
            Box::new(users()),
        ),
        r#"t0."id" > ALL (SELECT t1."id" FROM "users" AS t1)"#,
        r#"(SELECT CASE WHEN min("n"."c") = 0 THEN FALSE WHEN count(*) > count("n"."c") THEN NULL ELSE TRUE END FROM (SELECT t0."id" > "v"."v" AS "c" FROM (SELECT t1."id" AS "v" FROM "users" AS t1) AS "v") AS "n")"#,
    );
}

fn values(column: &'static Column, values: Vec<Value>) -> Expr {
    Expr::In(Box::new(c(column)), Box::new(InList::Values(column.ty, values)))
}

#[test]
fn lists() {
    filter_same(values(&ID, vec![]), "FALSE");
    filter_same(Expr::Not(Box::new(values(&ID, vec![]))), "NOT (FALSE)");
    filter_same(values(&ID, vec![Value::I64(1)]), r#"t0."id" = $1"#);
    let (pg, lite) = filter(
        values(&ID, vec![Value::I64(1), Value::I64(2)]),
        r#"t0."id" = ANY($1)"#,
        r#"t0."id" IN (SELECT value FROM json_each(?1))"#,
    );
    assert_eq!(pg[0].ty(), Type::Array(orm_core::value::Element::I64));
    assert_eq!(lite, [Value::Text("[1,2]".into())]);
    filter(
        values(
            &MOOD_COLUMN,
            vec![Value::Enum(&MOOD, "sad"), Value::Enum(&MOOD, "happy")],
        ),
        r#"t0."mood" IN (CAST($1 AS "mood"), CAST($2 AS "mood"))"#,
        r#"t0."mood" IN (SELECT value FROM json_each(?1))"#,
    );
    filter(
        values(&UID, vec![Value::Uuid([0; 16]), Value::Uuid([1; 16])]),
        r#"t0."uid" = ANY($1)"#,
        r#"t0."uid" IN (SELECT unhex(value) FROM json_each(?1))"#,
    );
    filter_same(
        Expr::In(
            Box::new(Expr::Tuple(vec![c(&ID), c(&AGE)])),
            Box::new(InList::Exprs(vec![
                Expr::Tuple(vec![v(1), v(2)]),
                Expr::Tuple(vec![v(3), v(4)]),
            ])),
        ),
        r#"(t0."id", t0."age") IN (VALUES ($1, $2), ($3, $4))"#,
    );
    filter_same(
        Expr::Not(Box::new(Expr::In(
            Box::new(c(&ID)),
            Box::new(InList::Query(Box::new(users()))),
        ))),
        r#"NOT (t0."id" IN (SELECT t1."id" FROM "users" AS t1))"#,
    );
    refused(
        values(&NAME, vec![Value::Refused("no"), Value::Str("a")]),
        ErrorKind::Encode,
        "no",
    );
}

fn text_op(op: TextOp, right: Expr) -> Expr {
    Expr::Text(op, Box::new(c(&NAME)), Box::new(right))
}

#[test]
fn bound_text_predicates() {
    use TextOp::*;
    for (op, pg, lite, pg_value, lite_value) in [
        (Contains, "LIKE $1", "instr", "%a\\%*%", "a%*"),
        (StartsWith, "LIKE $1", "GLOB ?1", "a\\%*%", "a%[*]*"),
        (EndsWith, "LIKE $1", "GLOB ?1", "%a\\%*", "*a%[*]"),
        (
            ContainsNoCase,
            "ILIKE $1",
            r"LIKE ?1 ESCAPE '\'",
            "%a\\%*%",
            "%a\\%*%",
        ),
        (Like, "LIKE $1", "GLOB ?1", "a%*", "a*[*]"),
    ] {
        let lite = match lite {
            "instr" => r#"instr(t0."name", ?1) > 0"#.to_owned(),
            other => format!(r#"t0."name" {other}"#),
        };
        let (a, b) = filter(text_op(op, text("a%*")), &format!(r#"t0."name" {pg}"#), &lite);
        let got = |v: &[Value]| match &v[0] {
            Value::Text(s) => s.clone(),
            Value::Str(s) => s.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (got(&a).as_str(), got(&b).as_str()),
            (pg_value, lite_value),
            "{op:?}"
        );
    }
    filter_same(text_op(EqNoCase, text("A")), r#"lower(t0."name") = lower($1)"#);
}

#[test]
fn letters_beyond_ascii() {
    use TextOp::*;
    filter(
        text_op(EqNoCase, text("Ä")),
        r#"lower(t0."name") = lower($1)"#,
        r#"orm_lower(t0."name") = orm_lower(?1)"#,
    );
    let (_, lite) = filter(
        text_op(ContainsNoCase, text("Ä%")),
        r#"t0."name" ILIKE $1"#,
        r#"orm_lower(t0."name") LIKE ?1 ESCAPE '\'"#,
    );
    assert_eq!(lite, [Value::Text(r"%ä\%%".into())]);
    filter(
        text_op(StartsWithNoCase, c(&EMAIL)),
        r#"starts_with(lower(t0."name"), lower(t0."email"))"#,
        r#"substr(orm_lower(t0."name"), 1, length(t0."email")) = orm_lower(t0."email")"#,
    );
}

#[test]
fn patterns() {
    type Typed<T> = orm_core::query::Expr<(), T>;
    let name = || Typed::<Option<String>>::from_node(c(&NAME));
    let email = || Typed::<String>::from_node(c(&EMAIL));
    filter(
        name().ilike("a%").into_node(),
        r#"t0."name" ILIKE $1"#,
        r#"t0."name" LIKE ?1 ESCAPE '\'"#,
    );
    filter(
        email().ilike(name()).into_node(),
        r#"t0."email" ILIKE t0."name""#,
        r#"orm_lower(t0."email") LIKE orm_lower(t0."name") ESCAPE '\'"#,
    );
    filter(
        name().regex("^a").into_node(),
        r#"t0."name" ~ $1"#,
        r#"orm_regex(t0."name", ?1)"#,
    );
    filter(
        name().iregex(email()).into_node(),
        r#"t0."name" ~* t0."email""#,
        r#"orm_iregex(t0."name", t0."email")"#,
    );
    let back = "a back reference in a regular expression";
    only(name().regex(r"(a)\1").into_node(), r#"t0."name" ~ $1"#, back);
}

/// The extension is there for what is generic over it.
#[test]
fn patterns_by_the_extension_of_postgres() {
    fn starts<X: IntoExpr<(), T = String>>(text: X) -> Expr {
        PgExt::regex(text, "^a").into_node()
    }
    let email = orm_core::query::Expr::<(), String>::from_node(c(&EMAIL));
    filter(
        starts(email),
        r#"t0."email" ~ $1"#,
        r#"orm_regex(t0."email", ?1)"#,
    );
}

#[test]
fn computed_text_predicates() {
    use TextOp::*;
    filter(
        text_op(Contains, c(&EMAIL)),
        r#"strpos(t0."name", t0."email") > 0"#,
        r#"instr(t0."name", t0."email") > 0"#,
    );
    filter(
        text_op(StartsWith, c(&EMAIL)),
        r#"starts_with(t0."name", t0."email")"#,
        r#"substr(t0."name", 1, length(t0."email")) = t0."email""#,
    );
    filter(
        text_op(EndsWith, c(&EMAIL)),
        r#"right(t0."name", length(t0."email")) = t0."email""#,
        r#"substr(t0."name", length(t0."name") + 1 - length(t0."email")) = t0."email""#,
    );
    filter(
        text_op(EndsWithNoCase, c(&EMAIL)),
        r#"right(lower(t0."name"), length(lower(t0."email"))) = lower(t0."email")"#,
        r#"substr(orm_lower(t0."name"), length(t0."name") + 1 - length(t0."email")) = orm_lower(t0."email")"#,
    );
    filter(
        text_op(Like, c(&EMAIL)),
        r#"t0."name" LIKE t0."email""#,
        r#"orm_like(t0."name", t0."email")"#,
    );
}

fn call(f: Function, args: Vec<Expr>) -> Expr {
    Expr::call(f, args)
}

#[test]
fn functions() {
    selected(
        call(Function::Coalesce, vec![c(&NAME), text("")]),
        r#"coalesce(t0."name", $1)"#,
        r#"coalesce(t0."name", ?1)"#,
    );
    selected(
        call(Function::Greatest, vec![c(&AGE), c(&ID)]),
        r#"greatest(t0."age", t0."id")"#,
        r#"max(t0."age", t0."id")"#,
    );
    selected(
        call(Function::Least, vec![c(&NAME), c(&EMAIL)]),
        r#"least(t0."name", t0."email")"#,
        r#"min(coalesce(t0."name", t0."email"), coalesce(t0."email", t0."name"))"#,
    );
    selected(
        call(Function::Position, vec![c(&NAME), text("a")]),
        r#"strpos(t0."name", $1)"#,
        r#"instr(t0."name", ?1)"#,
    );
    selected(
        call(Function::Round, vec![c(&SCORE), v(2)]),
        r#"CAST(round(CAST(t0."score" AS numeric), CAST($1 AS integer)) AS double precision)"#,
        r#"round(t0."score", ?1)"#,
    );
    selected(
        call(Function::Floor, vec![c(&SCORE)]),
        r#"floor(t0."score")"#,
        r#"CASE WHEN abs(t0."score") < 9007199254740992.0 THEN CAST(CAST(t0."score" AS INTEGER) - (t0."score" < CAST(t0."score" AS INTEGER)) AS REAL) ELSE t0."score" END"#,
    );
    selected(
        call(Function::Named("upper", Type::Text), vec![c(&NAME)]),
        r#"upper(t0."name")"#,
        r#"upper(t0."name")"#,
    );
    refused(
        call(Function::Named("a b", Type::Text), vec![]),
        ErrorKind::InvalidQuery,
        "a function's name has letters, digits, `_` and `.` only",
    );
}

#[test]
fn parts_of_dates() {
    selected(
        call(Function::DatePart(DatePart::Month), vec![c(&AT)]),
        r#"CAST(extract(month FROM t0."at" AT TIME ZONE 'UTC') AS bigint)"#,
        r#"CAST(substr(t0."at", 6, 2) AS INTEGER)"#,
    );
    selected(
        call(Function::DatePart(DatePart::Second), vec![c(&AT)]),
        r#"CAST(floor(extract(second FROM t0."at" AT TIME ZONE 'UTC')) AS bigint)"#,
        r#"CAST(substr(t0."at", 18, 2) AS INTEGER)"#,
    );
    selected(
        call(Function::DatePart(DatePart::Weekday), vec![c(&DAY)]),
        r#"CAST(extract(isodow FROM t0."day") AS bigint)"#,
        r#"((strftime('%w', substr(t0."day", 1, 10)) + 6) % 7 + 1)"#,
    );
    selected(
        call(Function::DateTrunc(DatePart::Month), vec![c(&AT)]),
        r#"date_trunc('month', t0."at", 'UTC')"#,
        r#"(substr(t0."at", 1, 7) || '-01T00:00:00.000000Z')"#,
    );
    selected(
        call(Function::DateTrunc(DatePart::Year), vec![c(&DAY)]),
        r#"CAST(date_trunc('year', CAST(t0."day" AS timestamp)) AS date)"#,
        r#"(substr(t0."day", 1, 4) || '-01-01')"#,
    );
}

#[test]
fn aggregates() {
    use AggregateFn::*;
    assert_eq!(
        selected(
            agg(Sum, vec![c(&ID)]),
            r#"CAST(sum(t0."id") AS bigint)"#,
            r#"sum(t0."id")"#
        ),
        Type::I64
    );
    selected(agg(Sum, vec![c(&AGE)]), r#"sum(t0."age")"#, r#"sum(t0."age")"#);
    assert_eq!(
        selected(
            agg(Avg, vec![c(&AGE)]),
            r#"CAST(avg(t0."age") AS double precision)"#,
            r#"avg(t0."age")"#
        ),
        Type::F64
    );
    selected(
        agg(BoolAnd, vec![c(&ACTIVE)]),
        r#"bool_and(t0."active")"#,
        r#"min(t0."active")"#,
    );
    let mut joined = aggregate(StringAgg, vec![c(&NAME), text(",")]);
    joined.order = vec![order(c(&ID), true, Nulls::Default)];
    joined.filter = Some(c(&ACTIVE));
    selected(
        Expr::Aggregate(Box::new(joined)),
        r#"string_agg(t0."name", $1 ORDER BY t0."id" DESC) FILTER (WHERE t0."active")"#,
        r#"group_concat(t0."name", ?1 ORDER BY t0."id" DESC) FILTER (WHERE t0."active")"#,
    );
    selected(
        agg(JsonAgg, vec![c(&AGE)]),
        r#"coalesce(jsonb_agg(t0."age"), '[]')"#,
        r#"json_group_array(t0."age")"#,
    );
    let mut distinct = aggregate(Count, vec![c(&AGE)]);
    distinct.distinct = true;
    selected(
        Expr::Aggregate(Box::new(distinct)),
        r#"count(DISTINCT t0."age")"#,
        r#"count(DISTINCT t0."age")"#,
    );
    let mut median = aggregate(PercentileCont, vec![Expr::Value(Value::F64(0.5))]);
    median.order = vec![order(c(&AGE), false, Nulls::Default)];
    let mut s = users();
    s.columns = vec![Expr::Aggregate(Box::new(median))];
    only_postgres(
        s,
        r#"SELECT percentile_cont($1) WITHIN GROUP (ORDER BY t0."age") FROM "users" AS t0"#,
        "an ordered-set aggregate",
    );
}

#[test]
fn case_and_casts() {
    selected(
        Expr::Case {
            operand: None,
            arms: vec![(compare(CompareOp::Lt, c(&AGE), v(18)), text("young"))],
            otherwise: Some(Box::new(text("old"))),
        },
        r#"CASE WHEN t0."age" < $1 THEN $2 ELSE $3 END"#,
        r#"CASE WHEN t0."age" < ?1 THEN ?2 ELSE ?3 END"#,
    );
    selected(
        Expr::Cast(Box::new(c(&AGE)), Type::Text),
        r#"CAST(t0."age" AS text)"#,
        r#"CAST(t0."age" AS TEXT)"#,
    );
    selected(
        Expr::Cast(Box::new(c(&SCORE)), Type::I64),
        r#"CAST(round(CAST(t0."score" AS numeric)) AS bigint)"#,
        r#"orm_integer(t0."score")"#,
    );
}

#[test]
fn names_are_always_quoted() {
    static WEIRD: Column = Column {
        name: "we\"ird",
        ty: Type::I64,
        nullable: false,
        sensitive: false,
        system: false,
        part: 0,
    };
    static NUL: Column = Column {
        name: "a\0b",
        ty: Type::I64,
        nullable: false,
        sensitive: false,
        system: false,
        part: 0,
    };
    let mut s = users();
    s.columns = vec![c(&WEIRD)];
    let statement = Any::from(s.clone()).0;
    for dialect in [postgres(), sqlite()] {
        let sql = orm_core::sql::render(&statement, dialect, &scope()).unwrap();
        assert_eq!(&*sql.text, r#"SELECT t0."we""ird" FROM "users" AS t0"#);
    }
    s.columns = vec![c(&NUL)];
    refused(
        s,
        ErrorKind::InvalidQuery,
        "a name in the database must not contain NUL",
    );
}
