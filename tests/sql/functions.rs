//! Functions and operators of the typed surface, their text on both dialects.

use orm_core::error::ErrorKind;
use orm_core::query::{self, IntoExpr, Operand, Temporal, case, case_of, row, today};
use orm_core::value::{Date, Interval, SqlType, Timestamp, Type};

use crate::support::*;

type Typed<T> = query::Expr<(), T>;

fn name() -> Typed<Option<String>> {
    Typed::from_node(c(&NAME))
}
fn email() -> Typed<String> {
    Typed::from_node(c(&EMAIL))
}
fn age() -> Typed<i32> {
    Typed::from_node(c(&AGE))
}
fn score() -> Typed<f64> {
    Typed::from_node(c(&SCORE))
}
fn active() -> Typed<bool> {
    Typed::from_node(c(&ACTIVE))
}
fn price() -> Typed<rust_decimal::Decimal> {
    Typed::from_node(c(&PRICE))
}
fn at() -> Typed<Timestamp> {
    Typed::from_node(c(&AT))
}
fn day() -> Typed<Option<Date>> {
    Typed::from_node(c(&DAY))
}

/// The text of a selected expression.
#[track_caller]
fn selected<X: IntoExpr<()>>(e: X, on_postgres: &str, on_sqlite: &str) -> Type {
    let full = |text: &str| format!(r#"SELECT {text} FROM "users" AS t0"#);
    let mut s = users();
    s.columns = vec![e.into_expr().into_node()];
    check(s, &full(on_postgres), &full(on_sqlite)).0.columns[0]
}
#[track_caller]
fn the_same<X: IntoExpr<()>>(e: X, text: &str) -> Type {
    selected(e, text, &text.replace('$', "?"))
}

#[test]
fn conditions_read_as_operators_too() {
    let adult = || age().ge(18);
    the_same(
        !active() & adult() | name().is_null(),
        r#"(NOT t0."active" AND t0."age" >= $1) OR t0."name" IS NULL"#,
    );
    the_same(
        (!(active() | adult())).and(active()),
        r#"NOT (t0."active" OR t0."age" >= $1) AND t0."active""#,
    );
}

#[test]
fn null_safe_comparisons() {
    the_same(
        name().is_distinct_from(email()),
        r#"t0."name" IS DISTINCT FROM t0."email""#,
    );
    the_same(
        name().is_not_distinct_from("a"),
        r#"t0."name" IS NOT DISTINCT FROM $1"#,
    );
}

#[test]
fn rows_of_columns() {
    the_same(
        row((age(), email())).in_([(1, "a"), (2, "b")]),
        r#"(t0."age", t0."email") IN (VALUES ($1, $2), ($3, $4))"#,
    );
    the_same(row((age(), email())).in_(Vec::<(i32, String)>::new()), "FALSE");
    the_same(
        row((age(), name())).gt((1, email())),
        r#"(t0."age", t0."name") > ($1, t0."email")"#,
    );
}

#[test]
fn alternatives() {
    the_same(
        name().or_else(name()).or_else("x"),
        r#"coalesce(t0."name", t0."name", $1)"#,
    );
    the_same(email().null_if(""), r#"nullif(t0."email", $1)"#);
    selected(
        age().greatest(1).greatest(2),
        r#"greatest(t0."age", $1, $2)"#,
        r#"max(t0."age", ?1, ?2)"#,
    );
    selected(
        name().least("x"),
        r#"least(t0."name", $1)"#,
        r#"min(coalesce(t0."name", ?1), coalesce(?2, t0."name"))"#,
    );
}

#[test]
fn cases() {
    the_same(
        case(active(), name()).when(age().gt(1), email()).or_else("x"),
        r#"CASE WHEN t0."active" THEN t0."name" WHEN t0."age" > $1 THEN t0."email" ELSE $2 END"#,
    );
    the_same(
        case_of(age(), 1, "one").when(2, "two").or_null(),
        r#"CASE t0."age" WHEN $1 THEN $2 WHEN $3 THEN $4 END"#,
    );
}

#[test]
fn casts() {
    assert_eq!(
        selected(
            email().cast::<i64>(),
            r#"CAST(t0."email" AS bigint)"#,
            r#"orm_integer(t0."email")"#
        ),
        Type::I64
    );
    selected(
        email().cast::<f64>(),
        r#"CAST(t0."email" AS double precision)"#,
        r#"orm_real(t0."email")"#,
    );
    selected(
        score().cast::<String>(),
        r#"CAST(t0."score" AS text)"#,
        r#"orm_text(t0."score")"#,
    );
    selected(
        active().cast::<i64>(),
        r#"CAST(CAST(t0."active" AS integer) AS bigint)"#,
        r#"t0."active""#,
    );
    selected(age().cast::<bool>(), r#"(t0."age" <> 0)"#, r#"(t0."age" <> 0)"#);
    selected(
        active().cast::<String>(),
        r#"CAST(t0."active" AS text)"#,
        r#"CASE t0."active" WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"#,
    );
}

#[test]
fn texts() {
    the_same(email().trim_start().trim_end(), r#"rtrim(ltrim(t0."email"))"#);
    the_same(email().substr(1, 2), r#"substr(t0."email", $1, $2)"#);
    the_same(email().substr_from(2), r#"substr(t0."email", $1)"#);
    selected(
        email().substr(0, 2),
        r#"substr(t0."email", $1, $2)"#,
        r#"substr(t0."email", max(?1, 1), max(?2 + min(?3 - 1, 0), 0))"#,
    );
    selected(
        email().substr(email().position("@") + 1, email().length() - 1),
        r#"substr(t0."email", CAST(strpos(t0."email", $1) + $2 AS integer), CAST(CASE WHEN (CAST(length(t0."email") AS bigint) - $3) < 0 THEN 0 ELSE CAST(length(t0."email") AS bigint) - $4 END AS integer))"#,
        r#"substr(t0."email", max(instr(t0."email", ?1) + ?2, 1), max(max(length(t0."email") - ?3, 0) + min((instr(t0."email", ?4) + ?5) - 1, 0), 0))"#,
    );
    selected(
        email().left(2),
        r#"left(t0."email", $1)"#,
        r#"substr(t0."email", ?1, ?2)"#,
    );
    selected(
        email().right(2),
        r#"right(t0."email", $1)"#,
        r#"substr(t0."email", ?1, ?2)"#,
    );
    selected(
        email().pad_start(5, "0"),
        r#"lpad(t0."email", $1, $2)"#,
        r#"CASE WHEN length(t0."email") >= ?1 THEN substr(t0."email", 1, ?2) ELSE substr(replace(hex(zeroblob(?3)), '00', ?4), 1, ?5 - length(t0."email")) || t0."email" END"#,
    );
    the_same(
        email().replace("a", name()),
        r#"replace(t0."email", $1, t0."name")"#,
    );
    selected(
        email().split_part("@", 2),
        r#"split_part(t0."email", $1, $2)"#,
        r#"orm_split(t0."email", ?1, ?2)"#,
    );
}

#[test]
fn numbers() {
    the_same(-age() + 1, r#"(-t0."age") + $1"#);
    selected(
        price().round(1),
        r#"round(t0."price", CAST($1 AS integer))"#,
        r#"(((t0."price" + CASE WHEN t0."price" < 0 THEN -5 ELSE 5 END) / 10) * 10)"#,
    );
    selected(
        price().floor(),
        r#"floor(t0."price")"#,
        r#"(t0."price" - (t0."price" % 100 + 100) % 100)"#,
    );
    selected(
        price().ceil(),
        r#"ceil(t0."price")"#,
        r#"(t0."price" + (-(t0."price") % 100 + 100) % 100)"#,
    );
    selected(
        price().trunc(),
        r#"trunc(t0."price")"#,
        r#"(t0."price" - t0."price" % 100)"#,
    );
    selected(
        price().sqrt(),
        r#"sqrt(CAST(t0."price" AS double precision))"#,
        r#"orm_sqrt((t0."price" / 100.0))"#,
    );
    selected(
        age().power(2.0),
        r#"power(CAST(t0."age" AS double precision), CAST($1 AS double precision))"#,
        r#"orm_power(t0."age", ?1)"#,
    );
    selected(
        age().sign(),
        r#"CAST(sign(t0."age") AS bigint)"#,
        r#"sign(t0."age")"#,
    );
}

#[test]
fn dates_are_added_to() {
    selected(
        at().plus(Interval::months(1) + Interval::days(2)),
        r#"((((t0."at" AT TIME ZONE 'UTC' + make_interval(months => $1)) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(days => $2)) AT TIME ZONE 'UTC')"#,
        r#"(date(substr((min(date(substr(t0."at", 1, 10), ?1 || ' months'), date(substr(t0."at", 1, 10), 'start of month', ?2 || ' months', '+1 month', '-1 day')) || substr(t0."at", 11)), 1, 10), ?3 || ' days') || substr((min(date(substr(t0."at", 1, 10), ?4 || ' months'), date(substr(t0."at", 1, 10), 'start of month', ?5 || ' months', '+1 month', '-1 day')) || substr(t0."at", 11)), 11))"#,
    );
    selected(
        at().minus(std::time::Duration::from_secs(90)),
        r#"(t0."at" + make_interval(secs => CAST($1 AS double precision)))"#,
        r#"(strftime('%Y-%m-%dT%H:%M:%S', substr(t0."at", 1, 19), ?1 || ' seconds') || substr(t0."at", 20))"#,
    );
    selected(
        at().plus(Interval::micros(5)),
        r#"(t0."at" + (INTERVAL '1 microsecond' * CAST($1 AS double precision)))"#,
        r#"(SELECT strftime('%Y-%m-%dT%H:%M:%S', ("n" - "f") / 1000000, 'unixepoch') || printf('.%06dZ', "f") FROM (SELECT "n", ("n" % 1000000 + 1000000) % 1000000 AS "f" FROM (SELECT unixepoch(substr(t0."at", 1, 19)) * 1000000 + CAST(substr(t0."at", 21, 6) AS INTEGER) + ?1 AS "n")))"#,
    );
    selected(
        day().plus(Interval::days(7)),
        r#"(t0."day" + $1)"#,
        r#"(date(substr(t0."day", 1, 10), ?1 || ' days'))"#,
    );
    selected(
        day().plus_months(1),
        r#"CAST(t0."day" + make_interval(months => $1) AS date)"#,
        r#"(min(date(substr(t0."day", 1, 10), ?1 || ' months'), date(substr(t0."day", 1, 10), 'start of month', ?2 || ' months', '+1 month', '-1 day')))"#,
    );
    the_same(at().plus(Interval::default()), r#"t0."at""#);
    let mut s = users();
    s.columns = vec![day().plus(Interval::hours(1)).into_node()];
    let why = "a date without time has no hours, minutes and seconds";
    refused(s, ErrorKind::InvalidQuery, why);
    let mut s = users();
    s.columns = vec![day().hour().into_node()];
    refused(s, ErrorKind::InvalidQuery, why);
}

#[test]
fn dates_are_compared_and_written() {
    selected(
        at().days_since(at()),
        r#"CAST(CAST(t0."at" AT TIME ZONE 'UTC' AS date) - CAST(t0."at" AT TIME ZONE 'UTC' AS date) AS bigint)"#,
        r#"CAST(julianday(substr(t0."at", 1, 10)) - julianday(substr(t0."at", 1, 10)) AS INTEGER)"#,
    );
    selected(
        day().days_since(Date::from_days(0)),
        r#"CAST(t0."day" - $1 AS bigint)"#,
        r#"CAST(julianday(substr(t0."day", 1, 10)) - julianday(substr(?1, 1, 10)) AS INTEGER)"#,
    );
    selected(
        at().seconds_since(at()),
        r#"CAST(trunc(extract(epoch FROM t0."at" - t0."at")) AS bigint)"#,
        r#"((unixepoch(substr(t0."at", 1, 19)) * 1000000 + CAST(substr(t0."at", 21, 6) AS INTEGER) - (unixepoch(substr(t0."at", 1, 19)) * 1000000 + CAST(substr(t0."at", 21, 6) AS INTEGER))) / 1000000)"#,
    );
    selected(
        at().format("%F \"%H\" 100%%"),
        r#"to_char(t0."at" AT TIME ZONE 'UTC', 'YYYY"-"MM"-"DD" \""HH24"\" 100""%"')"#,
        r#"strftime('%Y-%m-%d "%H" 100%%', substr(t0."at", 1, 19))"#,
    );
    selected(
        today(),
        r#"CAST($1 AT TIME ZONE 'UTC' AS date)"#,
        "substr(?1, 1, 10)",
    );
    selected(
        at().epoch(),
        r#"CAST(floor(extract(epoch FROM t0."at" AT TIME ZONE 'UTC')) AS bigint)"#,
        r#"unixepoch(substr(t0."at", 1, 19))"#,
    );
    let mut s = users();
    s.columns = vec![at().format("%q").into_node()];
    let why = "the pattern of a date has a `%` that is none of `%Y %m %d %H %M %S %j %F %T %%`";
    refused(s, ErrorKind::InvalidQuery, why);
}

/// The types say what may be NULL.
#[test]
fn nullness_is_in_the_type() {
    fn is<T: SqlType>(_: Typed<T>) -> bool {
        T::NULLABLE
    }
    fn days<T: Temporal>(t: Typed<T>, n: impl Operand<(), i64>) -> bool {
        is(t.plus_days(n))
    }
    let none = || Typed::<Option<i64>>::from_node(v(1));
    assert!(!is(email().substr(1, 2)) && is(name().substr(1, 2)) && is(email().substr(none(), 2)));
    assert!(!is(age().greatest(1)) && !is(none().greatest(1_i64)) && is(none().least(none())));
    assert!(!is(at().days_since(at())) && is(day().days_since(day())));
    assert!(!days(at(), 1) && days(at(), none()) && days(day(), 1));
    assert!(is(case(active(), name()).or_else("x")) && is(case(active(), 1).when(active(), 2).or_null()));
    assert!(is(case(active(), email()).when(active(), name()).or_else("x")));
    assert!(is(email().null_if("")) && !is(name().or_else("")) && is(name().cast::<i64>()));
}
