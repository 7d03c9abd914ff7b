use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::sql::render;
use orm_core::value::{Type, Value};

use crate::support::*;

#[test]
fn by_key() {
    let mut s = users();
    s.columns = vec![c(&ID), c(&EMAIL)];
    s.filter = vec![eq(c(&ID), v(7))];
    let (pg, lite) = same(
        s,
        r#"SELECT t0."id", t0."email" FROM "users" AS t0 WHERE t0."id" = $1"#,
    );
    assert_eq!(pg.params, [Value::I64(7)]);
    assert_eq!(lite.columns[..], [Type::I64, Type::Text]);
    assert_eq!(
        (lite.operation, lite.target, lite.writes),
        ("SELECT", Some("users"), false)
    );
}

#[test]
fn every_clause_in_order() {
    let mut s = users();
    s.distinct = Distinct::Yes;
    s.columns = vec![c(&AGE), agg(AggregateFn::Count, vec![])];
    s.filter = vec![compare(CompareOp::Gt, c(&AGE), v(1)), c(&ACTIVE)];
    s.group = vec![GroupBy::Expr(c(&AGE))];
    s.having = vec![compare(CompareOp::Gt, agg(AggregateFn::Count, vec![]), v(2))];
    s.order = vec![order(c(&AGE), true, Nulls::Default)];
    s.limit = Some(3);
    s.offset = Some(4);
    check(
        s,
        r#"SELECT DISTINCT t0."age", count(*) FROM "users" AS t0 WHERE t0."age" > $1 AND t0."active" GROUP BY t0."age" HAVING count(*) > $2 ORDER BY t0."age" DESC LIMIT $3 OFFSET $4"#,
        r#"SELECT DISTINCT t0."age", count(*) FROM "users" AS t0 WHERE t0."age" > ?1 AND t0."active" GROUP BY t0."age" HAVING count(*) > ?2 ORDER BY t0."age" DESC LIMIT +?3 OFFSET ?4"#,
    );
}

#[test]
fn a_grouped_expression_repeats_binds_and_aliases() {
    let (users, posts) = (Source::fresh(), Source::fresh());
    let mut count = Select::from(table(posts, &POSTS));
    count.from.as_mut().unwrap().guard = Guard {
        deleted: Deleted::Included,
        all_tenants: true,
        ..Guard::default()
    };
    count.columns = vec![agg(AggregateFn::Count, vec![])];
    count.filter = vec![eq(of(posts, &AUTHOR), of(users, &ID))];
    let key = math(MathOp::Div, Expr::Subquery(Box::new(count)), v(7));
    let mut s = Select::from(table(users, &USERS));
    s.columns = vec![key.clone(), agg(AggregateFn::Count, vec![])];
    s.group = vec![GroupBy::Expr(key.clone())];
    s.order = vec![order(key, true, Nulls::First)];
    let (sql, _) = check(
        s,
        r#"SELECT (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / $1, count(*) FROM "users" AS t0 GROUP BY (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / $1 ORDER BY ((SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / $1) DESC"#,
        r#"SELECT (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / ?1, count(*) FROM "users" AS t0 GROUP BY (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / ?1 ORDER BY ((SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") / ?1) DESC NULLS FIRST"#,
    );
    assert_eq!(sql.params, vec![Value::I64(7)]);
}

#[test]
fn offset_without_limit() {
    let mut s = users();
    s.offset = Some(u64::MAX);
    let (pg, _) = check(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 OFFSET $1"#,
        r#"SELECT t0."id" FROM "users" AS t0 LIMIT -1 OFFSET ?1"#,
    );
    assert_eq!(pg.params, [Value::I64(i64::MAX)]);
}

#[test]
fn nulls_stand_at_the_same_end_everywhere() {
    let mut s = users();
    s.order = vec![
        order(c(&NAME), false, Nulls::Default),
        order(c(&NAME), true, Nulls::Default),
        order(c(&NAME), false, Nulls::First),
        order(c(&NAME), true, Nulls::Last),
        order(c(&ID), false, Nulls::First),
    ];
    check(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 ORDER BY t0."name", t0."name" DESC, t0."name" NULLS FIRST, t0."name" DESC NULLS LAST, t0."id""#,
        r#"SELECT t0."id" FROM "users" AS t0 ORDER BY t0."name" NULLS LAST, t0."name" DESC NULLS FIRST, t0."name", t0."name" DESC, t0."id""#,
    );
}

#[test]
fn a_left_joined_column_may_be_null() {
    let u = Source::fresh();
    let mut s = Select::from(table(Source::fresh(), &USERS));
    s.columns = vec![of(u, &ID)];
    s.joins = vec![join(JoinKind::Left, table(u, &USERS), eq(of(u, &ID), c(&AGE)))];
    s.order = vec![order(of(u, &ID), false, Nulls::Default)];
    check(
        s,
        r#"SELECT t1."id" FROM "users" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."age" ORDER BY t1."id""#,
        r#"SELECT t1."id" FROM "users" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."age" ORDER BY t1."id" NULLS LAST"#,
    );
}

#[test]
fn equal_builds_have_equal_texts() {
    let build = || {
        let inner = Source::fresh();
        let mut q = Select::from(table(inner, &USERS));
        q.filter = vec![eq(of(inner, &ID), v(1))];
        let mut s = users();
        s.filter = vec![Expr::Exists(Box::new(q))];
        same(
            s,
            r#"SELECT t0."id" FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "users" AS t1 WHERE t1."id" = $1)"#,
        )
    };
    assert_eq!(build().0.text, build().0.text);
}

#[test]
fn root_is_the_innermost_statement() {
    let outer = Source::fresh();
    let mut q = Select::from(table(Source::fresh(), &USERS));
    q.columns = vec![c(&ID)];
    q.filter = vec![eq(c(&AGE), of(outer, &AGE))];
    let mut s = Select::from(table(outer, &USERS));
    s.columns = vec![Expr::Subquery(Box::new(q))];
    s.filter = vec![eq(c(&ID), v(1))];
    same(
        s,
        r#"SELECT (SELECT t1."id" FROM "users" AS t1 WHERE t1."age" = t0."age") FROM "users" AS t0 WHERE t0."id" = $1"#,
    );
}

#[test]
fn a_column_outside_its_closure_is_refused() {
    let mut s = users();
    s.columns = vec![of(Source::fresh(), &ID)];
    refused(
        s,
        ErrorKind::InvalidQuery,
        "a column is used outside the closure it came from",
    );
}

#[test]
fn derived_tables_name_their_columns() {
    let d = Source::fresh();
    let mut s = Select::from(TableRef {
        source: d,
        item: FromItem::Query {
            query: Box::new(users()),
            columns: vec!["x"],
            lateral: false,
        },
        guard: Guard::default(),
    });
    s.columns = vec![Expr::Field(d, "x", Type::I64)];
    same(
        s,
        r#"SELECT t0."x" FROM (SELECT t1."id" AS "x" FROM "users" AS t1) AS t0"#,
    );
}

#[test]
fn constant_rows_and_table_functions() {
    let d = Source::fresh();
    let mut s = Select::from(TableRef {
        source: d,
        item: FromItem::Values {
            rows: vec![vec![v(1), v(2)], vec![v(3), v(4)]],
            columns: vec!["a", "b"],
        },
        guard: Guard::default(),
    });
    s.columns = vec![Expr::Field(d, "b", Type::I64)];
    same(
        s,
        r#"SELECT t0."b" FROM (SELECT column1 AS "a", column2 AS "b" FROM (VALUES ($1, $2), ($3, $4)) AS v) AS t0"#,
    );
    let f = Source::fresh();
    let mut s = Select::from(TableRef {
        source: f,
        item: FromItem::Function {
            name: "json_each",
            args: vec![text("[1]")],
            columns: vec![("value", Type::I64)],
        },
        guard: Guard::default(),
    });
    s.columns = vec![Expr::Field(f, "value", Type::I64)];
    check(
        s,
        r#"SELECT t0."value" FROM json_each($1) AS t0("value")"#,
        r#"SELECT t0."value" FROM json_each(?1) AS t0"#,
    );
}

#[test]
fn lateral_and_distinct_on() {
    let d = Source::fresh();
    let mut s = users();
    s.joins = vec![Join {
        kind: JoinKind::Cross,
        table: TableRef {
            source: d,
            item: FromItem::Query {
                query: Box::new(users()),
                columns: vec!["x"],
                lateral: true,
            },
            guard: Guard::default(),
        },
        on: vec![],
    }];
    only_postgres(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 CROSS JOIN LATERAL (SELECT t2."id" AS "x" FROM "users" AS t2) AS t1"#,
        "LATERAL",
    );
    let mut s = users();
    s.distinct = Distinct::On(vec![c(&AGE)]);
    s.order = vec![
        order(c(&AGE), true, Nulls::Default),
        order(c(&EMAIL), false, Nulls::Default),
    ];
    s.limit = Some(2);
    check(
        s.clone(),
        r#"SELECT DISTINCT ON (t0."age") t0."id" FROM "users" AS t0 ORDER BY t0."age" DESC, t0."email" LIMIT $1"#,
        r#"SELECT t0."_1" FROM (SELECT t1."id" AS "_1", row_number() OVER (PARTITION BY t1."age" ORDER BY t1."age" DESC, t1."email") AS "_2", t1."age" AS "_3", t1."email" AS "_4" FROM "users" AS t1) AS t0 WHERE t0."_2" = ?1 ORDER BY t0."_3" DESC NULLS FIRST, t0."_4" NULLS LAST LIMIT +?2"#,
    );
    // an order that begins elsewhere
    s.order.swap(0, 1);
    let message = "the order of a query with `distinct_on` has to begin with what it is distinct on";
    refused(s.clone(), ErrorKind::InvalidQuery, message);
    s.distinct = Distinct::On(vec![c(&AGE), c(&EMAIL)]);
    s.order.truncate(1);
    check(
        s.clone(),
        r#"SELECT DISTINCT ON (t0."age", t0."email") t0."id" FROM "users" AS t0 ORDER BY t0."email" LIMIT $1"#,
        r#"SELECT t0."_1" FROM (SELECT t1."id" AS "_1", row_number() OVER (PARTITION BY t1."age", t1."email" ORDER BY t1."email") AS "_2", t1."email" AS "_3" FROM "users" AS t1) AS t0 WHERE t0."_2" = ?1 ORDER BY t0."_3" NULLS LAST LIMIT +?2"#,
    );
    s.order.push(order(c(&ID), false, Nulls::Default));
    refused(s, ErrorKind::InvalidQuery, message);
}

fn arm(op: SetOp, all: bool, query: Select) -> SetOperation {
    SetOperation { op, all, query }
}

#[test]
fn set_operations_go_from_left_to_right() {
    let mut s = users();
    s.compound = vec![
        arm(SetOp::Union, true, users()),
        arm(SetOp::Intersect, false, users()),
    ];
    s.order = vec![order(c(&ID), true, Nulls::Default)];
    check(
        s,
        r#"(SELECT t0."id" FROM "users" AS t0 UNION ALL SELECT t1."id" FROM "users" AS t1) INTERSECT SELECT t2."id" FROM "users" AS t2 ORDER BY 1 DESC"#,
        r#"SELECT t0."id" FROM "users" AS t0 UNION ALL SELECT t1."id" FROM "users" AS t1 INTERSECT SELECT t2."id" FROM "users" AS t2 ORDER BY 1 DESC NULLS FIRST"#,
    );
}

#[test]
fn an_arm_keeps_its_own_order_and_limit() {
    let mut inner = users();
    inner.order = vec![order(c(&ID), false, Nulls::Default)];
    inner.limit = Some(1);
    let mut s = users();
    s.compound = vec![arm(SetOp::Union, false, inner)];
    check(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 UNION (SELECT t1."id" FROM "users" AS t1 ORDER BY t1."id" LIMIT $1)"#,
        r#"SELECT t0."id" FROM "users" AS t0 UNION SELECT * FROM (SELECT t1."id" FROM "users" AS t1 ORDER BY t1."id" LIMIT +?1)"#,
    );
    let mut s = users();
    s.compound = vec![arm(SetOp::Union, false, users())];
    s.order = vec![order(c(&AGE), false, Nulls::Default)];
    refused(
        s,
        ErrorKind::InvalidQuery,
        "a query with UNION, INTERSECT or EXCEPT is ordered by columns that it selects",
    );
}

#[test]
fn common_table_expressions() {
    let tree = Source::fresh();
    let next = Source::fresh();
    let mut step = Select::from(table(next, &POSTS));
    step.columns = vec![of(next, &AUTHOR)];
    step.from.as_mut().unwrap().guard = Guard {
        deleted: Deleted::Included,
        all_tenants: true,
        ..Guard::default()
    };
    let up = Source::fresh();
    step.joins = vec![join(
        JoinKind::Inner,
        TableRef {
            source: up,
            item: FromItem::Cte("tree"),
            guard: Guard::default(),
        },
        eq(of(next, &POST_ID), Expr::Field(up, "n", Type::I64)),
    )];
    let mut first = users();
    first.compound = vec![arm(SetOp::Union, true, step)];
    let mut s = Select::from(TableRef {
        source: tree,
        item: FromItem::Cte("tree"),
        guard: Guard::default(),
    });
    s.columns = vec![Expr::Field(tree, "n", Type::I64)];
    s.with = vec![Cte {
        name: "tree",
        columns: vec!["n"],
        body: Statement::Select(Box::new(first)),
        recursive: true,
        materialized: Some(true),
    }];
    same(
        s,
        r#"WITH RECURSIVE "tree" ("n") AS MATERIALIZED (SELECT t0."id" FROM "users" AS t0 UNION ALL SELECT t1."author_id" FROM "posts" AS t1 JOIN "tree" AS t2 ON t1."id" = t2."n") SELECT t3."n" FROM "tree" AS t3"#,
    );
}

#[test]
fn locks() {
    let lock = |strength, wait| {
        let mut s = users();
        let root = s.root();
        s.lock = Some(Lock {
            strength,
            of: vec![root],
            wait,
        });
        s
    };
    check(
        lock(LockStrength::Update, LockWait::Wait),
        r#"SELECT t0."id" FROM "users" AS t0 FOR UPDATE OF t0"#,
        r#"SELECT t0."id" FROM "users" AS t0"#,
    );
    check(
        lock(LockStrength::KeyShare, LockWait::NoWait),
        r#"SELECT t0."id" FROM "users" AS t0 FOR KEY SHARE OF t0 NOWAIT"#,
        r#"SELECT t0."id" FROM "users" AS t0"#,
    );
    only_postgres(
        lock(LockStrength::NoKeyUpdate, LockWait::SkipLocked),
        r#"SELECT t0."id" FROM "users" AS t0 FOR NO KEY UPDATE OF t0 SKIP LOCKED"#,
        "SKIP LOCKED",
    );
}

#[test]
fn grouping_sets() {
    let mut s = users();
    s.columns = vec![agg(AggregateFn::Count, vec![])];
    s.group = vec![
        GroupBy::Rollup(vec![c(&AGE), c(&NAME)]),
        GroupBy::Cube(vec![c(&AGE)]),
        GroupBy::Sets(vec![vec![c(&AGE)], vec![]]),
    ];
    let several = render(&Any::from(s.clone()).0, postgres(), &scope()).unwrap();
    assert_eq!(
        &*several.text,
        r#"SELECT count(*) FROM "users" AS t0 GROUP BY ROLLUP (t0."age", t0."name"), CUBE (t0."age"), GROUPING SETS ((t0."age"), ())"#
    );
    // each set of one with each of the other
    let several = render(&Any::from(s.clone()).0, sqlite(), &scope()).unwrap();
    assert_eq!(several.text.matches(" UNION ALL ").count(), 3 * 2 * 2 - 1);
    s.columns = vec![c(&AGE), c(&NAME)];
    s.group = vec![GroupBy::Expr(c(&AGE)), GroupBy::Rollup(vec![c(&NAME)])];
    s.distinct = Distinct::Yes;
    check(
        s,
        r#"SELECT DISTINCT t0."age", t0."name" FROM "users" AS t0 GROUP BY t0."age", ROLLUP (t0."name")"#,
        r#"SELECT DISTINCT t0."_1", t0."_2" FROM (SELECT t1."age" AS "_1", t1."name" AS "_2", count(*) AS "_3" FROM "users" AS t1 GROUP BY t1."age", t1."name" UNION ALL SELECT t2."age", ?1, count(*) FROM "users" AS t2 GROUP BY t2."age") AS t0"#,
    );
}

#[test]
fn windows() {
    let window = Window {
        base: Some("w"),
        frame: Some(Frame {
            unit: FrameUnit::Rows,
            start: FrameBound::Preceding(v(1)),
            end: Some(FrameBound::CurrentRow),
            exclude: FrameExclude::Nothing,
        }),
        ..Window::default()
    };
    let call = |function, window| Expr::Window(Box::new(WindowCall { function, window }));
    let mut s = users();
    s.columns = vec![
        call(
            WindowFn::RowNumber,
            Window {
                partition: vec![c(&AGE)],
                ..Window::default()
            },
        ),
        call(
            WindowFn::Aggregate(aggregate(AggregateFn::Max, vec![c(&AGE)])),
            window,
        ),
        call(
            WindowFn::Lag(vec![c(&AGE), v(2), v(0)]),
            Window {
                base: Some("w"),
                ..Window::default()
            },
        ),
    ];
    s.windows = vec![(
        "w",
        Window {
            order: vec![order(c(&ID), false, Nulls::Default)],
            ..Window::default()
        },
    )];
    same(
        s,
        r#"SELECT row_number() OVER (PARTITION BY t0."age"), max(t0."age") OVER ("w" ROWS BETWEEN $1 PRECEDING AND CURRENT ROW), lag(t0."age", $2, $3) OVER "w" FROM "users" AS t0 WINDOW "w" AS (ORDER BY t0."id")"#,
    );
}
