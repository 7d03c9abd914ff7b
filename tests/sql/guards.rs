use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::sql::{Effort, Scope, render_select};
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
            ..Guard::default()
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

fn popular(post: Source) -> Expr {
    Expr::Compare(CompareOp::Gt, Box::new(of(post, &POST_ID)), Box::new(v(9)))
}

fn written_by_somebody(post: Source) -> Expr {
    let mut s = Select::from(table(Source::fresh(), &USERS));
    s.columns = vec![Expr::one()];
    s.filter = vec![eq(of(s.root(), &ID), of(post, &AUTHOR))];
    Expr::Exists(Box::new(s))
}

static FILTERED: Table = Table {
    schema: None,
    name: "posts",
    unique: &[&[&POST_ID]],
    soft_delete: None,
    tenant: None,
    filters: &[
        NamedFilter {
            name: "popular",
            condition: popular,
        },
        NamedFilter {
            name: "written",
            condition: written_by_somebody,
        },
    ],
    history: None,
    tag: None,
    parts: &[],
};

fn filtered(unfiltered: Unfiltered) -> Select {
    let mut from = table(Source::fresh(), &FILTERED);
    from.guard.unfiltered = unfiltered;
    let mut s = Select::from(from);
    s.columns = vec![c(&POST_ID)];
    s.filter = vec![eq(c(&POST_ID), v(1))];
    s
}

#[test]
fn named_filters_are_conditions_of_every_reference() {
    same(
        filtered(Unfiltered::NONE),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."id" = $1 AND t0."id" > $2 AND EXISTS (SELECT 1 FROM "users" AS t1 WHERE t1."id" = t0."author_id")"#,
    );
    same(
        filtered(Unfiltered::one(1)),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."id" = $1 AND t0."id" > $2"#,
    );
    same(
        filtered(Unfiltered::ALL),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."id" = $1"#,
    );
}

#[test]
fn named_filters_of_a_left_join_stand_in_its_condition() {
    let mut s = Select::from(table(Source::fresh(), &USERS));
    s.columns = vec![c(&ID)];
    let mut posts = table(Source::fresh(), &FILTERED);
    posts.guard.unfiltered = Unfiltered::one(1);
    let on = eq(of(posts.source, &AUTHOR), c(&ID));
    s.joins = vec![join(JoinKind::Left, posts, on)];
    same(
        s,
        r#"SELECT t0."id" FROM "users" AS t0 LEFT JOIN "posts" AS t1 ON t1."author_id" = t0."id" AND t1."id" > $1"#,
    );
}

#[test]
fn what_a_filter_costs_counts() {
    let effort = |unfiltered| {
        render_select(&filtered(unfiltered), sqlite(), &Scope::default())
            .unwrap()
            .effort
    };
    assert_eq!(effort(Unfiltered::NONE), Effort::Long);
    assert_eq!(effort(Unfiltered::one(1)), Effort::Short);
}

fn leads_back(_: Source) -> Expr {
    let mut s = Select::from(table(Source::fresh(), &CIRCLE));
    s.columns = vec![Expr::one()];
    Expr::Exists(Box::new(s))
}

static CIRCLE: Table = Table {
    schema: None,
    name: "posts",
    unique: &[],
    soft_delete: None,
    tenant: None,
    filters: &[NamedFilter {
        name: "circle",
        condition: leads_back,
    }],
    history: None,
    tag: None,
    parts: &[],
};

#[test]
fn a_filter_that_leads_back_to_itself_is_refused() {
    let mut s = Select::from(table(Source::fresh(), &CIRCLE));
    s.columns = vec![c(&POST_ID)];
    let e = render_select(&s, postgres(), &Scope::default()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    assert_eq!(
        e.message(),
        "the filter `circle` of `posts` leads back to itself: switch it off inside the condition, with `without_filter` on the relation"
    );
}
