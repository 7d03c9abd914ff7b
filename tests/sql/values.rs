//! Functions of dates, texts and numbers, computed by a real SQLite.

use orm_core::ast::*;
use orm_core::sql::render_select;
use orm_core::value::{Timestamp, Type, Value};

use crate::support::*;

/// What SQLite makes of an expression without tables, as text.
fn computed(e: Expr) -> Option<String> {
    let mut s = users();
    s.from = None;
    s.columns = vec![e];
    let sql = render_select(&s, sqlite(), &scope()).unwrap();
    with_sqlite(async |c| {
        let text = format!("SELECT CAST(({}) AS TEXT)", sql.text);
        let mut q = sqlx::query_scalar(sqlx::AssertSqlSafe(text));
        for p in &sql.params {
            q = match p {
                Value::I64(n) => q.bind(*n),
                Value::F64(n) => q.bind(*n),
                Value::Str(s) => q.bind(*s),
                Value::Text(s) => q.bind(s.clone()),
                Value::Timestamp(t) => q.bind(t.to_fixed().unwrap()),
                Value::Null(_) => q.bind(None::<String>),
                other => panic!("{other:?}"),
            };
        }
        q.fetch_one(c).await.unwrap()
    })
}

fn at(s: &str) -> Expr {
    Expr::Value(Value::Timestamp(Timestamp::parse(s).unwrap()))
}
fn call(f: Function, args: Vec<Expr>) -> Option<String> {
    computed(Expr::call(f, args))
}

#[test]
fn parts_of_the_last_microsecond_of_a_year() {
    use DatePart::*;
    for (part, expected) in [
        (Year, "2023"),
        (Quarter, "4"),
        (Month, "12"),
        (Week, "52"),
        (Day, "31"),
        (Weekday, "7"),
        (DayOfYear, "365"),
        (Hour, "23"),
        (Minute, "59"),
        (Second, "59"),
    ] {
        let e = at("2023-12-31T23:59:59.999999Z");
        assert_eq!(
            call(Function::DatePart(part), vec![e]).as_deref(),
            Some(expected),
            "{part:?}"
        );
    }
    // weeks belong to the year of their Thursday
    for (day, week) in [("2021-01-03", "53"), ("2024-12-30", "1"), ("2026-01-01", "1")] {
        let e = at(&format!("{day}T00:00:00Z"));
        assert_eq!(
            call(Function::DatePart(Week), vec![e]).as_deref(),
            Some(week),
            "{day}"
        );
    }
}

#[test]
fn cut_down_to_the_start_of_each_part() {
    use DatePart::*;
    for (part, expected) in [
        (Year, "2024-01-01T00:00:00.000000Z"),
        (Quarter, "2024-07-01T00:00:00.000000Z"),
        (Month, "2024-08-01T00:00:00.000000Z"),
        (Week, "2024-08-26T00:00:00.000000Z"),
        (Day, "2024-08-31T00:00:00.000000Z"),
        (Hour, "2024-08-31T13:00:00.000000Z"),
        (Minute, "2024-08-31T13:45:00.000000Z"),
        (Second, "2024-08-31T13:45:59.000000Z"),
    ] {
        let e = at("2024-08-31T13:45:59.999999Z");
        assert_eq!(
            call(Function::DateTrunc(part), vec![e]).as_deref(),
            Some(expected),
            "{part:?}"
        );
    }
    let sunday = at("2024-09-01T00:00:00Z");
    assert_eq!(
        call(Function::DateTrunc(Week), vec![sunday]).as_deref(),
        Some("2024-08-26T00:00:00.000000Z")
    );
}

#[test]
fn nulls_do_not_count_in_greatest_and_least() {
    let null = || Expr::Value(Value::Null(Type::I64));
    assert_eq!(
        call(Function::Greatest, vec![v(1), null(), v(3)]).as_deref(),
        Some("3")
    );
    assert_eq!(
        call(Function::Least, vec![null(), v(1), v(3)]).as_deref(),
        Some("1")
    );
    assert_eq!(call(Function::Least, vec![null(), null()]), None);
}

#[test]
fn rounding_down_and_up() {
    let f = |n| Expr::Value(Value::F64(n));
    for (n, down, up) in [
        (1.5, "1.0", "2.0"),
        (-1.5, "-2.0", "-1.0"),
        (2.0, "2.0", "2.0"),
        (1e300, "1.0e+300", "1.0e+300"),
    ] {
        assert_eq!(call(Function::Floor, vec![f(n)]).as_deref(), Some(down));
        assert_eq!(call(Function::Ceil, vec![f(n)]).as_deref(), Some(up));
    }
}

#[test]
fn text_predicates_take_every_character_literally() {
    let holds = |op, a: &'static str, b: Expr| {
        computed(Expr::Text(op, Box::new(text(a)), Box::new(b))).as_deref() == Some("1")
    };
    let lowered = |s| Expr::call(Function::Trim, vec![text(s)]);
    for b in ["", "%", "_", "*", "[", "]", "?", "\\", "'", "é"] {
        // with other letters and with computed texts this is a function of ours, which the suite runs
        if b.is_ascii() {
            let hay: &'static str = Box::leak(format!("{b}x{b}").into_boxed_str());
            assert!(holds(TextOp::ContainsNoCase, hay, text(b)), "{b}");
        }
        for make in [&text as &dyn Fn(&'static str) -> Expr, &lowered] {
            let hay: &'static str = Box::leak(format!("{b}x{b}").into_boxed_str());
            assert!(holds(TextOp::Contains, hay, make(b)), "{b}");
            assert!(holds(TextOp::StartsWith, hay, make(b)), "{b}");
            assert!(holds(TextOp::EndsWith, hay, make(b)), "{b}");
            if !b.is_empty() {
                assert!(!holds(TextOp::Contains, "x", make(b)), "{b}");
                assert!(!holds(TextOp::StartsWith, "x", make(b)), "{b}");
                assert!(!holds(TextOp::EndsWith, "x", make(b)), "{b}");
            }
        }
    }
    assert!(holds(TextOp::Like, "abc", text("a_%")));
    assert!(!holds(TextOp::Like, "Abc", text("a_%")));
    assert!(!holds(TextOp::Like, "abc", text("a\\_%")));
    assert!(!holds(TextOp::EndsWith, "bc", lowered("abc")));
}
