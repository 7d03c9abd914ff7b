use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::sql::{Scope, render_select};
use orm_core::value::Value;

use crate::support::*;

fn posts() -> Select {
    let mut s = Select::from(table(Source::fresh(), &POSTS));
    s.columns = vec![c(&POST_ID)];
    s
}

#[test]
fn hidden_rows_and_other_tenants_behind_any_condition() {
    let mut s = posts();
    s.filter = vec![Expr::Any(vec![eq(c(&POST_ID), v(1)), eq(c(&AUTHOR), v(2))])];
    let (pg, _) = same(
        s,
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE (t0."id" = $1 OR t0."author_id" = $2) AND t0."deleted_at" IS NULL AND t0."org_id" = $3"#,
    );
    assert_eq!(pg.params[2], Value::I64(5));
}

#[test]
fn handwritten_conditions_cannot_escape() {
    let mut s = posts();
    s.filter = vec![Expr::Raw(
        vec![RawPart::Text("1 = 1 OR 2 = 2")],
        orm_core::value::Type::Bool,
    )];
    same(
        s,
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE (1 = 1 OR 2 = 2) AND t0."deleted_at" IS NULL AND t0."org_id" = $1"#,
    );
}

#[test]
fn choices_of_a_reference() {
    let with = |deleted, all_tenants| {
        let mut s = posts();
        s.from.as_mut().unwrap().guard = Guard {
            deleted,
            all_tenants,
            as_of: None,
        };
        s
    };
    same(
        with(Deleted::Included, true),
        r#"SELECT t0."id" FROM "posts" AS t0"#,
    );
    same(
        with(Deleted::Only, true),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."deleted_at" IS NOT NULL"#,
    );
    let e = render_select(&with(Deleted::Hidden, false), postgres(), &Scope::default()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    assert_eq!(
        e.message(),
        "the table belongs to tenants, and the handle has none: use `tenant`"
    );
}

#[test]
fn the_guard_of_a_left_join_is_part_of_its_condition() {
    let p = Source::fresh();
    let mut s = users();
    s.joins = vec![join(JoinKind::Left, table(p, &POSTS), eq(of(p, &AUTHOR), c(&ID)))];
    same(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 LEFT JOIN "posts" AS t1 ON t1."author_id" = t0."id" AND t1."deleted_at" IS NULL AND t1."org_id" = $1"#,
    );
}

#[test]
fn inner_joins_and_sub_queries_are_guarded() {
    let p = Source::fresh();
    let mut s = users();
    s.joins = vec![join(
        JoinKind::Inner,
        table(p, &POSTS),
        eq(of(p, &AUTHOR), c(&ID)),
    )];
    s.filter = vec![Expr::Exists(Box::new(posts()))];
    same(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 JOIN "posts" AS t1 ON t1."author_id" = t0."id" WHERE EXISTS (SELECT t2."id" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1) AND t1."deleted_at" IS NULL AND t1."org_id" = $1"#,
    );
}

#[test]
fn joins_that_keep_the_right_side_filter_it_first() {
    let p = Source::fresh();
    for (kind, word) in [(JoinKind::Right, "RIGHT"), (JoinKind::Full, "FULL")] {
        let mut s = users();
        s.joins = vec![join(kind, table(p, &POSTS), eq(of(p, &AUTHOR), c(&ID)))];
        same(
            s,
            &format!(
                r#"SELECT t0."id" FROM "users" AS t0 {word} JOIN (SELECT * FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $1) AS t1 ON t1."author_id" = t0."id""#
            ),
        );
    }
}

#[test]
fn arms_of_a_union_are_guarded() {
    let mut s = posts();
    s.compound = vec![SetOperation {
        op: SetOp::Union,
        all: false,
        query: posts(),
    }];
    same(
        s,
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."deleted_at" IS NULL AND t0."org_id" = $1 UNION SELECT t1."id" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $1"#,
    );
}
