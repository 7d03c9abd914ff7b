//! Decimals are integers scaled by their column's scale on SQLite, and exact.

use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::value::{Type, Value};

use crate::support::*;
use crate::writes::{insert, update};

fn filter(e: Expr, text: &str) -> Vec<Value> {
    on_sqlite(e, &format!(r#"SELECT t0."id" FROM "users" AS t0 WHERE {text}"#)).params
}
fn selected(e: Expr, text: &str) -> Type {
    let mut s = users();
    s.columns = vec![e];
    on_sqlite(s, &format!(r#"SELECT {text} FROM "users" AS t0"#)).columns[0]
}

#[test]
fn comparisons_meet_at_the_larger_scale() {
    assert_eq!(
        filter(eq(c(&PRICE), dec(15, 1)), r#"t0."price" = ?1"#),
        [Value::I64(150)]
    );
    assert_eq!(
        filter(eq(c(&PRICE), dec(-15000, 4)), r#"t0."price" = ?1"#),
        [Value::I64(-150)]
    );
    assert_eq!(
        filter(
            compare(CompareOp::Lt, c(&PRICE), dec(1501, 3)),
            r#"(t0."price" * 10) < ?1"#
        ),
        [Value::I64(1501)]
    );
    let minus = |e| Expr::Negate(Box::new(e));
    filter(
        eq(c(&PRICE), minus(minus(c(&PRICE)))),
        r#"t0."price" = -(-(t0."price"))"#,
    );
    filter(
        compare(CompareOp::Lt, c(&PRICE), c(&RATE)),
        r#"(t0."price" * 100) < t0."rate""#,
    );
    assert_eq!(
        filter(eq(c(&PRICE), v(3)), r#"t0."price" = ?1"#),
        [Value::I64(300)]
    );
    assert_eq!(
        filter(
            Expr::In(
                Box::new(c(&PRICE)),
                Box::new(InList::Values(PRICE.ty, vec![decimal(1, 0), decimal(25, 1)]))
            ),
            r#"t0."price" IN (SELECT value FROM json_each(?1))"#
        ),
        [Value::Text("[100,250]".into())]
    );
    filter(
        compare(
            CompareOp::Gt,
            Expr::Tuple(vec![c(&PRICE), c(&ID)]),
            Expr::Tuple(vec![dec(1, 0), v(2)]),
        ),
        r#"(t0."price", t0."id") > (?1, ?2)"#,
    );
}

#[test]
fn arithmetic_carries_the_scale() {
    assert_eq!(
        selected(
            math(MathOp::Add, c(&PRICE), c(&RATE)),
            r#"(t0."price" * 100) + t0."rate""#
        ),
        Type::Decimal(18, 4).min_precision()
    );
    assert_eq!(
        selected(math(MathOp::Mul, c(&PRICE), dec(119, 2)), r#"t0."price" * ?1"#),
        Type::Decimal(18, 4)
    );
    assert_eq!(
        selected(math(MathOp::Mul, c(&PRICE), c(&AGE)), r#"t0."price" * t0."age""#),
        Type::Decimal(18, 2)
    );
    assert_eq!(
        selected(agg(AggregateFn::Sum, vec![c(&PRICE)]), r#"sum(t0."price")"#),
        Type::Decimal(18, 2)
    );
    assert_eq!(
        selected(
            agg(AggregateFn::Avg, vec![c(&PRICE)]),
            r#"(sum(t0."price") / count(t0."price") * 10000 + (sum(t0."price") % count(t0."price") * 20000 + CASE WHEN sum(t0."price") < 0 THEN -count(t0."price") ELSE count(t0."price") END) / (2 * count(t0."price")))"#
        ),
        Type::Decimal(18, 6)
    );
    selected(
        Expr::call(Function::Coalesce, vec![c(&PRICE), dec(0, 0)]),
        r#"coalesce(t0."price", ?1)"#,
    );
    selected(
        Expr::Cast(Box::new(c(&PRICE)), Type::F64),
        r#"(t0."price" / 100.0)"#,
    );
}

trait MinPrecision {
    fn min_precision(self) -> Type;
}
impl MinPrecision for Type {
    /// A sum of columns has the larger precision of the two.
    fn min_precision(self) -> Type {
        match self {
            Type::Decimal(_, s) => Type::Decimal(10, s),
            other => other,
        }
    }
}

#[test]
fn assignments_are_exact_or_refused() {
    let sql = on_sqlite(
        insert(&USERS, vec![&PRICE], InsertSource::Rows(vec![dec(1500, 3)])),
        r#"INSERT INTO "users" ("price") VALUES (?1)"#,
    );
    assert_eq!(sql.params, [Value::I64(150)]);
    refused(
        insert(&USERS, vec![&PRICE], InsertSource::Rows(vec![dec(1501, 3)])),
        ErrorKind::Encode,
        "the decimal has more fraction digits than the column holds",
    );
    let raised = vec![Assignment {
        column: &PRICE,
        value: math(MathOp::Mul, c(&PRICE), dec(11, 1)),
    }];
    on_sqlite(
        update(&USERS, raised, vec![]),
        r#"UPDATE "users" SET "price" = ((("users"."price" * ?1) + CASE WHEN ("users"."price" * ?2) < 0 THEN -5 ELSE 5 END) / 10)"#,
    );
}

#[test]
fn decimals_without_precision_are_text() {
    assert_eq!(
        filter(eq(c(&TOTAL), dec(150, 2)), r#"t0."total" = ?1"#),
        [decimal(15, 1)]
    );
    let unbounded =
        "arithmetic or order on a decimal without fixed precision (give the column at most 18 digits)";
    only_postgres(
        compare(CompareOp::Lt, c(&TOTAL), dec(1, 0)),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE t0."total" < $1"#,
        unbounded,
    );
    let mut s = users();
    s.order = vec![order(c(&TOTAL), false, Nulls::Default)];
    only_postgres(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 ORDER BY t0."total""#,
        unbounded,
    );
}

/// An integer of a scale beside the text of a number: as text, so that equality is that of numbers.
#[test]
fn decimals_with_and_without_precision_meet_as_text() {
    filter(
        eq(c(&TOTAL), c(&PRICE)),
        r#"t0."total" = orm_decimal(t0."price", 2)"#,
    );
    filter(
        compare(CompareOp::IsDistinct, c(&RATE), c(&TOTAL)),
        r#"orm_decimal(t0."rate", 4) IS DISTINCT FROM t0."total""#,
    );
    selected(
        Expr::call(Function::Coalesce, vec![c(&TOTAL), c(&PRICE)]),
        r#"coalesce(t0."total", orm_decimal(t0."price", 2))"#,
    );
    let set = Assignment {
        column: &TOTAL,
        value: c(&PRICE),
    };
    on_sqlite(
        update(&USERS, vec![set], vec![]),
        r#"UPDATE "users" SET "total" = orm_decimal("users"."price", 2)"#,
    );
    only_postgres(
        compare(CompareOp::Lt, c(&TOTAL), c(&PRICE)),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE t0."total" < t0."price""#,
        "arithmetic or order on a decimal without fixed precision (give the column at most 18 digits)",
    );
}

#[test]
fn sums_and_averages_are_exact() {
    let expected = [("sum", 30_76), ("avg", 1_281_667)];
    for (name, digits) in expected {
        let function = if name == "sum" {
            AggregateFn::Sum
        } else {
            AggregateFn::Avg
        };
        let mut s = users();
        s.columns = vec![agg(function, vec![c(&PRICE)])];
        let text = orm_core::sql::render_select(&s, sqlite(), &scope())
            .unwrap()
            .text
            .to_string();
        let got: i64 = with_sqlite(async |c| {
            for i in 0..24i64 {
                let price = if i < 14 {
                    99
                } else if i < 21 {
                    199
                } else {
                    99
                };
                sqlx::query("INSERT INTO users (id, email, age, score, active, mood, price, rate, at, uid) VALUES (?1, ?1 || '', 1, 1, 1, 'sad', ?2, 0, '', x'')")
                    .bind(i)
                    .bind(price)
                    .execute(&mut *c)
                    .await
                    .unwrap();
            }
            sqlx::query_scalar(sqlx::AssertSqlSafe(text))
                .fetch_one(c)
                .await
                .unwrap()
        });
        assert_eq!(got, digits, "{name}");
    }
}
