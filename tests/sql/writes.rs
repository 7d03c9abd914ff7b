use orm_core::ast::*;
use orm_core::error::ErrorKind;
use orm_core::sql::{Scope, render, render_owned};
use orm_core::value::{Element, Timestamp, Type, Value};

use crate::support::*;

pub(crate) fn insert(table: &'static Table, columns: Vec<&'static Column>, rows: InsertSource) -> Insert {
    Insert {
        with: vec![],
        source: Source::fresh(),
        table,
        columns,
        rows,
        overriding: false,
        conflict: None,
        returning: vec![],
    }
}

pub(crate) fn update(table: &'static Table, set: Vec<Assignment>, filter: Vec<Expr>) -> Update {
    Update {
        with: vec![],
        source: Source::fresh(),
        table,
        guard: Guard::default(),
        set,
        from: vec![],
        joins: vec![],
        filter,
        returning: vec![],
    }
}

pub(crate) fn delete(table: &'static Table, filter: Vec<Expr>) -> Delete {
    Delete {
        with: vec![],
        source: Source::fresh(),
        table,
        guard: Guard::default(),
        using: vec![],
        filter,
        returning: vec![],
    }
}

#[test]
fn rows_and_returning() {
    let mut i = insert(
        &USERS,
        vec![&EMAIL, &AGE],
        InsertSource::Rows(vec![text("a"), v(1), text("b"), v(2)]),
    );
    i.returning = vec![c(&ID), c(&SECRET)];
    let (pg, _) = same(
        i,
        r#"INSERT INTO "users" ("email", "age") VALUES ($1, $2), ($3, $4) RETURNING "users"."id", "users"."secret""#,
    );
    assert_eq!((pg.operation, pg.writes, pg.sensitive), ("INSERT", true, false));
    assert_eq!(pg.columns[..], [Type::I64, Type::Text]);
    same(
        insert(&USERS, vec![], InsertSource::Default),
        r#"INSERT INTO "users" DEFAULT VALUES"#,
    );
    refused(
        insert(&USERS, vec![&EMAIL, &AGE], InsertSource::Rows(vec![v(1)])),
        ErrorKind::InvalidQuery,
        "rows to insert need one value for every column",
    );
}

#[test]
fn owned_values_are_moved() {
    let long = "x".repeat(100);
    let at = long.as_ptr();
    let i = insert(
        &USERS,
        vec![&EMAIL],
        InsertSource::Rows(vec![Expr::Value(Value::Text(long))]),
    );
    let sql = render_owned(Statement::Insert(Box::new(i)), sqlite(), &scope()).unwrap();
    let Value::Text(moved) = &sql.params[0] else {
        panic!()
    };
    assert_eq!(moved.as_ptr(), at);
    let long = "x".repeat(100);
    let at = long.as_ptr();
    let set = vec![Assignment {
        column: &EMAIL,
        value: Expr::Value(Value::Text(long)),
    }];
    let sql = render_owned(
        Statement::Update(Box::new(update(&USERS, set, vec![]))),
        postgres(),
        &scope(),
    )
    .unwrap();
    let Value::Text(moved) = &sql.params[0] else {
        panic!()
    };
    assert_eq!(moved.as_ptr(), at);
}

#[test]
fn enums_and_sensitive_values() {
    let i = insert(
        &USERS,
        vec![&MOOD_COLUMN, &SECRET],
        InsertSource::Rows(vec![Expr::Value(Value::Enum(&MOOD, "sad")), text("s")]),
    );
    let (pg, lite) = check(
        i,
        r#"INSERT INTO "users" ("mood", "secret") VALUES (CAST($1 AS "mood"), $2)"#,
        r#"INSERT INTO "users" ("mood", "secret") VALUES (?1, ?2)"#,
    );
    assert!(pg.sensitive && lite.sensitive);
}

#[test]
fn one_clock_and_one_actor_a_statement() {
    let i = insert(
        &USERS,
        vec![&AT, &DAY, &ID],
        InsertSource::Rows(vec![Expr::Clock, Expr::Clock, Expr::Actor]),
    );
    same(
        i.clone(),
        r#"INSERT INTO "users" ("at", "day", "id") VALUES ($1, $1, $2)"#,
    );
    let statement = Statement::Insert(Box::new(i));
    let server = Scope {
        clock: None,
        ..scope()
    };
    assert_eq!(
        &*render(&statement, postgres(), &server).unwrap().text,
        r#"INSERT INTO "users" ("at", "day", "id") VALUES (statement_timestamp(), statement_timestamp(), $1)"#
    );
    let lite = render(&statement, sqlite(), &server).unwrap();
    let Value::Timestamp(now) = lite.params[0] else {
        panic!()
    };
    assert!(now > Timestamp::from_micros(1_700_000_000_000_000));
    let nobody = render(&statement, sqlite(), &Scope::default()).unwrap_err();
    assert!(nobody.message().contains("acting_as"));
}

#[test]
fn arrays() {
    let i = insert(
        &USERS,
        vec![&ID, &EMAIL, &MOOD_COLUMN, &AT, &PRICE],
        InsertSource::Arrays {
            arrays: vec![
                Value::Array(Element::I64, Box::new([Value::I64(1)])),
                Value::Array(Element::Text, Box::new([Value::Str("a")])),
                Value::Array(Element::Enum(&MOOD), Box::new([Value::Enum(&MOOD, "sad")])),
            ],
            constant: vec![Expr::Clock, dec(150, 2)],
        },
    );
    only_postgres(
        i,
        r#"INSERT INTO "users" ("id", "email", "mood", "at", "price") SELECT u.c1, u.c2, u.c3, $1, $2 FROM UNNEST(CAST($3 AS bigint[]), CAST($4 AS text[]), CAST($5 AS "mood"[])) WITH ORDINALITY AS u(c1, c2, c3, n) ORDER BY u.n"#,
        "an insert of arrays",
    );
}

#[test]
fn upsert() {
    let mut i = insert(
        &USERS,
        vec![&EMAIL, &AGE],
        InsertSource::Rows(vec![text("a"), v(1)]),
    );
    i.conflict = Some(Conflict {
        target: vec![&EMAIL],
        target_filter: vec![],
        action: ConflictAction::Nothing,
    });
    same(
        i.clone(),
        r#"INSERT INTO "users" ("email", "age") VALUES ($1, $2) ON CONFLICT ("email") DO NOTHING"#,
    );
    i.conflict = Some(Conflict {
        target: vec![&NAME],
        target_filter: vec![Expr::IsNull(Box::new(c(&DAY)), false)],
        action: ConflictAction::Update {
            set: vec![Assignment {
                column: &AGE,
                value: math(MathOp::Add, of(Source::EXCLUDED, &AGE), c(&AGE)),
            }],
            filter: vec![compare(CompareOp::Lt, c(&AGE), v(9))],
        },
    });
    i.returning = vec![c(&ID)];
    same(
        i,
        r#"INSERT INTO "users" ("email", "age") VALUES ($1, $2) ON CONFLICT ("name") WHERE "users"."day" IS NULL DO UPDATE SET "age" = excluded."age" + "users"."age" WHERE "users"."age" < $3 RETURNING "users"."id""#,
    );
}

#[test]
fn an_upsert_never_changes_another_tenants_row() {
    let mut i = insert(
        &POSTS,
        vec![&TITLE, &ORG],
        InsertSource::Rows(vec![text("a"), Expr::Tenant]),
    );
    i.conflict = Some(Conflict {
        target: vec![&POST_ID],
        target_filter: vec![],
        action: ConflictAction::Update {
            set: vec![Assignment {
                column: &TITLE,
                value: of(Source::EXCLUDED, &TITLE),
            }],
            filter: vec![],
        },
    });
    same(
        i,
        r#"INSERT INTO "posts" ("title", "org_id") VALUES ($1, $2) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title" WHERE "posts"."org_id" = $2"#,
    );
}

#[test]
fn insert_of_a_query_with_conflict() {
    let mut q = users();
    q.columns = vec![c(&EMAIL)];
    let mut i = insert(&USERS, vec![&EMAIL], InsertSource::Query(Box::new(q)));
    i.conflict = Some(Conflict {
        target: vec![],
        target_filter: vec![],
        action: ConflictAction::Nothing,
    });
    check(
        i,
        r#"INSERT INTO "users" ("email") SELECT t0."email" FROM "users" AS t0 ON CONFLICT DO NOTHING"#,
        r#"INSERT INTO "users" ("email") SELECT t0."email" FROM "users" AS t0 WHERE TRUE ON CONFLICT DO NOTHING"#,
    );
}

#[test]
fn updates() {
    let mut u = update(
        &POSTS,
        vec![
            Assignment {
                column: &TITLE,
                value: text("t"),
            },
            Assignment {
                column: &AUTHOR,
                value: math(MathOp::Add, c(&AUTHOR), v(1)),
            },
        ],
        vec![eq(c(&POST_ID), v(3))],
    );
    u.returning = vec![c(&POST_ID)];
    same(
        u,
        r#"UPDATE "posts" SET "title" = $1, "author_id" = "posts"."author_id" + $2 WHERE "posts"."id" = $3 AND "posts"."deleted_at" IS NULL AND "posts"."org_id" = $4 RETURNING "posts"."id""#,
    );
    refused(
        update(&USERS, vec![], vec![]),
        ErrorKind::InvalidQuery,
        "an update without an assignment",
    );
    let p = Source::fresh();
    let mut u = update(
        &USERS,
        vec![Assignment {
            column: &NAME,
            value: of(p, &TITLE),
        }],
        vec![eq(of(p, &AUTHOR), c(&ID))],
    );
    u.from = vec![table(p, &POSTS)];
    same(
        u,
        r#"UPDATE "users" SET "name" = t0."title" FROM "posts" AS t0 WHERE t0."author_id" = "users"."id" AND t0."deleted_at" IS NULL AND t0."org_id" = $1"#,
    );
}

#[test]
fn deletes() {
    let mut d = delete(&POSTS, vec![eq(c(&POST_ID), v(3))]);
    d.guard = Guard {
        deleted: Deleted::Only,
        all_tenants: false,
        unfiltered: Unfiltered::NONE,
        as_of: None,
    };
    same(
        d,
        r#"DELETE FROM "posts" WHERE "posts"."id" = $1 AND "posts"."deleted_at" IS NOT NULL AND "posts"."org_id" = $2"#,
    );
    let u = Source::fresh();
    let mut d = delete(&USERS, vec![eq(c(&ID), of(u, &AGE))]);
    d.using = vec![table(u, &USERS)];
    check(
        d,
        r#"DELETE FROM "users" USING "users" AS t0 WHERE "users"."id" = t0."age""#,
        r#"DELETE FROM "users" WHERE EXISTS (SELECT 1 FROM "users" AS t0 WHERE "users"."id" = t0."age")"#,
    );
}

#[test]
fn a_write_inside_with() {
    let mut d = delete(&USERS, vec![]);
    d.returning = vec![c(&ID)];
    let gone = Source::fresh();
    let mut s = Select::from(TableRef {
        source: gone,
        item: FromItem::Cte("gone"),
        guard: Guard::default(),
    });
    s.columns = vec![Expr::Field(gone, "id", Type::I64)];
    s.with = vec![Cte {
        name: "gone",
        columns: vec![],
        body: Statement::Delete(Box::new(d)),
        recursive: false,
        materialized: None,
    }];
    let statement = Any::from(s.clone()).0;
    assert!(render(&statement, postgres(), &scope()).unwrap().writes);
    only_postgres(
        s,
        r#"WITH "gone" AS (DELETE FROM "users" RETURNING "users"."id") SELECT t0."id" FROM "gone" AS t0"#,
        "a write inside WITH",
    );
}

#[test]
fn an_upsert_into_a_table_called_as_the_new_row() {
    static EXCLUDED: Table = Table {
        schema: None,
        name: "Excluded",
        unique: &[&[&ID]],
        soft_delete: None,
        tenant: None,
        filters: &[],
        history: None,
        tag: None,
        parts: &[],
    };
    let mut s = insert(&EXCLUDED, vec![&ID, &AGE], InsertSource::Rows(vec![v(1), v(2)]));
    let plain = render(&Any::from(s.clone()).0, sqlite(), &scope()).unwrap();
    assert_eq!(
        &*plain.text,
        r#"INSERT INTO "Excluded" ("id", "age") VALUES (?1, ?2)"#
    );
    s.conflict = Some(Conflict {
        target: vec![&ID],
        target_filter: vec![],
        action: ConflictAction::Update {
            set: vec![Assignment {
                column: &AGE,
                value: of(Source::EXCLUDED, &AGE),
            }],
            filter: vec![],
        },
    });
    refused(
        s,
        ErrorKind::InvalidQuery,
        "an upsert into a table called `excluded`: that is SQL's name for the new row",
    );
}

#[test]
fn handwritten() {
    let raw = |parts: Vec<RawPart>| {
        let s = Statement::Raw(Raw {
            parts,
            columns: vec![],
        });
        render(&s, sqlite(), &scope()).unwrap()
    };
    let sql = raw(vec![
        RawPart::Text("select id from users where id = "),
        RawPart::Expr(v(1)),
        RawPart::Text(" or id in ("),
        RawPart::List(Type::I64, vec![Value::I64(2), Value::I64(3)]),
        RawPart::Text(") or id in ("),
        RawPart::List(Type::I64, vec![]),
        RawPart::Text(")"),
    ]);
    assert_eq!(
        &*sql.text,
        "select id from users where id = ?1 or id in (?2, ?3) or id in (SELECT CAST(NULL AS INTEGER) WHERE 1 = 0)"
    );
    assert_eq!((sql.operation, sql.writes), ("SELECT", false));
    let operation = |text| {
        let sql = raw(vec![RawPart::Text(text)]);
        (sql.operation, sql.writes)
    };
    assert_eq!(operation(" update users set x = 1"), ("UPDATE", true));
    assert_eq!(operation("with a as (select 1) select * from a"), ("WITH", false));
    assert_eq!(operation("WITH a AS (SELECT 1) DELETE FROM b"), ("WITH", true));
    assert_eq!(operation("VACUUM"), ("RAW", true));
}

#[test]
fn rows_are_copied_where_there_is_a_copy() {
    let rows = || {
        InsertSource::Values(vec![
            Value::Text("a@x.io".into()),
            Value::I32(3),
            Value::Text("b".into()),
            Value::I32(4),
        ])
    };
    let copy = |dialect| orm_core::sql::render_copy(&USERS, &[&EMAIL, &AGE], rows(), dialect, &scope());
    let sql = copy(postgres()).unwrap();
    assert_eq!(&*sql.text, r#"COPY "users" ("email", "age") FROM STDIN"#);
    assert_eq!((sql.params.len(), sql.columns.len(), sql.writes), (4, 2, true));
    let e = copy(sqlite()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    assert!(e.message().contains("COPY"), "{e}");
    let odd = InsertSource::Values(vec![Value::I32(3)]);
    let e = orm_core::sql::render_copy(&USERS, &[&EMAIL, &AGE], odd, postgres(), &scope()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
}
