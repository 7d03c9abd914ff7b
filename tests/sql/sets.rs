//! UNION, INTERSECT, EXCEPT, VALUES, and rows as values.

use orm::prelude::*;
use orm::query::{all_rows, any_row, row, values};
use orm_core::ast::Select;
use orm_core::error::ErrorKind;
use orm_core::value::{Type, Value};

use crate::sources::{Post, User};
use crate::support::{check, refused, same};

fn emails() -> Query<User, String> {
    User::query().filter(|u| u.age.gt(30)).select(|u| u.email)
}
fn titles() -> Query<Post, String> {
    Post::query().with_deleted().select(|p| p.title)
}
fn tree<M: Model, O>(q: orm::query::Compound<M, O>) -> Select {
    *q.into_statement()
}

#[test]
fn operations_go_from_left_to_right() {
    check(
        tree(emails().union(titles()).limit(3)),
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > $1 UNION SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = $2 LIMIT $3"#,
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > ?1 UNION SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = ?2 LIMIT +?3"#,
    );
}

#[test]
fn intersect_binds_no_tighter_than_it_is_written() {
    check(
        tree(emails().union_all(titles()).intersect(emails())),
        r#"(SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > $1 UNION ALL SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = $2) INTERSECT SELECT t2."email" FROM "users" AS t2 WHERE t2."age" > $3"#,
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > ?1 UNION ALL SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = ?2 INTERSECT SELECT t2."email" FROM "users" AS t2 WHERE t2."age" > ?3"#,
    );
    check(
        tree(emails().except(titles().union(emails()))),
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > $1 EXCEPT (SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = $2 UNION SELECT t2."email" FROM "users" AS t2 WHERE t2."age" > $3)"#,
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > ?1 EXCEPT SELECT * FROM (SELECT t1."title" FROM "posts" AS t1 WHERE t1."org_id" = ?2 UNION SELECT t2."email" FROM "users" AS t2 WHERE t2."age" > ?3)"#,
    );
}

#[test]
fn every_side_has_its_own_limit() {
    let oldest = || {
        User::query()
            .order_by(|u| u.age.desc())
            .limit(1)
            .select(|u| u.email)
    };
    check(
        tree(
            oldest()
                .union_all(oldest())
                .order_by(|email| email.asc())
                .limit(5),
        ),
        r#"SELECT t0."email" FROM (SELECT t1."email" AS "email" FROM (SELECT t2."email" AS "email" FROM "users" AS t2 ORDER BY t2."age" DESC LIMIT $1) AS t1 UNION ALL (SELECT t3."email" FROM "users" AS t3 ORDER BY t3."age" DESC LIMIT $2)) AS t0 ORDER BY t0."email" LIMIT $3"#,
        r#"SELECT t0."email" FROM (SELECT t1."email" AS "email" FROM (SELECT t2."email" AS "email" FROM "users" AS t2 ORDER BY t2."age" DESC LIMIT +?1) AS t1 UNION ALL SELECT * FROM (SELECT t3."email" FROM "users" AS t3 ORDER BY t3."age" DESC LIMIT +?2)) AS t0 ORDER BY t0."email" LIMIT +?3"#,
    );
}

#[test]
fn duplicates_are_counted_where_the_database_does_not() {
    check(
        tree(titles().except_all(emails())),
        r#"SELECT t0."title" FROM "posts" AS t0 WHERE t0."org_id" = $1 EXCEPT ALL SELECT t1."email" FROM "users" AS t1 WHERE t1."age" > $2"#,
        r#"SELECT t0."_1" FROM (SELECT t1."_1" AS "_1", row_number() OVER (PARTITION BY t1."_1") AS "_2" FROM (SELECT t2."title" AS "_1" FROM "posts" AS t2 WHERE t2."org_id" = ?1) AS t1 EXCEPT SELECT t3."_1", row_number() OVER (PARTITION BY t3."_1") FROM (SELECT t4."email" AS "_1" FROM "users" AS t4 WHERE t4."age" > ?2) AS t3) AS t0"#,
    );
}

#[test]
fn a_union_is_a_source() {
    let both = || emails().union(titles());
    let q = User::query()
        .join_on(both(), |u, text| u.email.eq(text))
        .filter(|(u, _)| u.email.in_(both()).and(exists(both())))
        .select(|(_, text)| text);
    check(
        q.ast().clone(),
        r#"SELECT t1."email" FROM "users" AS t0 JOIN (SELECT t2."email" AS "email" FROM "users" AS t2 WHERE t2."age" > $1 UNION SELECT t3."title" FROM "posts" AS t3 WHERE t3."org_id" = $2) AS t1 ON t0."email" = t1."email" WHERE t0."email" IN (SELECT t4."email" FROM "users" AS t4 WHERE t4."age" > $3 UNION SELECT t5."title" FROM "posts" AS t5 WHERE t5."org_id" = $2) AND EXISTS (SELECT t6."email" FROM "users" AS t6 WHERE t6."age" > $4 UNION SELECT t7."title" FROM "posts" AS t7 WHERE t7."org_id" = $2)"#,
        r#"SELECT t1."email" FROM "users" AS t0 JOIN (SELECT t2."email" AS "email" FROM "users" AS t2 WHERE t2."age" > ?1 UNION SELECT t3."title" FROM "posts" AS t3 WHERE t3."org_id" = ?2) AS t1 ON t0."email" = t1."email" WHERE t0."email" IN (SELECT t4."email" FROM "users" AS t4 WHERE t4."age" > ?3 UNION SELECT t5."title" FROM "posts" AS t5 WHERE t5."org_id" = ?2) AND EXISTS (SELECT t6."email" FROM "users" AS t6 WHERE t6."age" > ?4 UNION SELECT t7."title" FROM "posts" AS t7 WHERE t7."org_id" = ?2)"#,
    );
    // whole rows of a model, with everything a query on them can do
    let some = User::query()
        .filter(|u| u.age.lt(9))
        .union_all(User::query().filter(|u| u.age.gt(90)));
    let q = orm::from(some.order_by(|u| u.age.asc()).limit(2))
        .filter(|u| u.posts.exist())
        .select(|u| u.age);
    check(
        q.ast().clone(),
        r#"SELECT t0."age" FROM (SELECT t1."id" AS "id", t1."email" AS "email", t1."name" AS "name", t1."age" AS "age", t1."price" AS "price" FROM (SELECT t2."id" AS "id", t2."email" AS "email", t2."name" AS "name", t2."age" AS "age", t2."price" AS "price" FROM "users" AS t2 WHERE t2."age" < $1 UNION ALL SELECT t3."id", t3."email", t3."name", t3."age", t3."price" FROM "users" AS t3 WHERE t3."age" > $2) AS t1 ORDER BY t1."age" LIMIT $3) AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t4 WHERE t4."author_id" = t0."id" AND t4."deleted_at" IS NULL AND t4."org_id" = $4)"#,
        r#"SELECT t0."age" FROM (SELECT t1."id" AS "id", t1."email" AS "email", t1."name" AS "name", t1."age" AS "age", t1."price" AS "price" FROM (SELECT t2."id" AS "id", t2."email" AS "email", t2."name" AS "name", t2."age" AS "age", t2."price" AS "price" FROM "users" AS t2 WHERE t2."age" < ?1 UNION ALL SELECT t3."id", t3."email", t3."name", t3."age", t3."price" FROM "users" AS t3 WHERE t3."age" > ?2) AS t1 ORDER BY t1."age" LIMIT +?3) AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t4 WHERE t4."author_id" = t0."id" AND t4."deleted_at" IS NULL AND t4."org_id" = ?4)"#,
    );
}

#[test]
fn loads_are_not_those_of_several_queries() {
    let users = || User::query().with(|u| u.posts);
    refused(
        tree(users().union(users())),
        ErrorKind::InvalidQuery,
        "relations are not loaded beside the rows of several queries: load them by a query on the result",
    );
}

#[test]
fn rows_from_memory() {
    let wanted = values([("a@x.io", 2i64), ("b@x.io", 1)]);
    let q = User::query()
        .join_on(wanted, |u, (email, _)| u.email.eq(email))
        .select(|(u, (_, n))| (u.id, n));
    let (sql, _) = same(
        q.ast().clone(),
        r#"SELECT t0."id", t1."_2" FROM "users" AS t0 JOIN (SELECT column1 AS "_1", column2 AS "_2" FROM (VALUES ($1, $2), ($3, $4)) AS v) AS t1 ON t0."email" = t1."_1""#,
    );
    assert_eq!(sql.columns[..], [Type::I64, Type::I64]);
    let none: [(String, Option<i64>); 0] = [];
    let q = User::query()
        .left_join_on(values(none), |u, (email, _)| u.email.eq(email))
        .select(|(u, (_, n))| (u.id, n));
    check(
        q.ast().clone(),
        r#"SELECT t0."id", t1."_2" FROM "users" AS t0 LEFT JOIN (SELECT CAST($1 AS text) AS "_1", CAST($2 AS bigint) AS "_2" WHERE FALSE) AS t1 ON t0."email" = t1."_1""#,
        r#"SELECT t0."id", t1."_2" FROM "users" AS t0 LEFT JOIN (SELECT CAST(?1 AS TEXT) AS "_1", CAST(?2 AS INTEGER) AS "_2" WHERE FALSE) AS t1 ON t0."email" = t1."_1""#,
    );
    // decimals are stored as their columns store them
    let prices = values([
        rust_decimal::Decimal::new(15, 1),
        rust_decimal::Decimal::new(225, 2),
    ]);
    let q = User::query()
        .join_on(prices, |u, price| u.price.eq(price))
        .select(|(u, _)| u.id);
    let (_, lite) = check(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 JOIN (SELECT column1 AS "_1" FROM (VALUES (CAST($1 AS numeric(18, 2))), (CAST($2 AS numeric(18, 2)))) AS v) AS t1 ON t0."price" = t1."_1""#,
        r#"SELECT t0."id" FROM "users" AS t0 JOIN (SELECT column1 AS "_1" FROM (VALUES (?1), (?2)) AS v) AS t1 ON t0."price" = t1."_1""#,
    );
    assert_eq!(lite.params, [Value::I64(150), Value::I64(225)]);
}

#[test]
fn rows_as_values() {
    let pairs = || User::query().select(|u| (u.age, u.email));
    let posts = |q: Query<Post>| q.with_deleted().select(|p| p.id);
    let q = posts(Post::query().filter(|p| row((p.org_id, p.title)).in_(pairs())));
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE (t0."org_id", t0."title") IN (SELECT t1."age", t1."email" FROM "users" AS t1) AND t0."org_id" = $1"#,
    );
    let named = User::query().select(|u| (u.name, u.email));
    let q = posts(Post::query().filter(|p| row((p.title, p.title)).not_in(named)));
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE NOT EXISTS (SELECT 1 FROM (SELECT t1."name" AS "_1", t1."email" AS "_2" FROM "users" AS t1) AS "n" WHERE "n"."_1" = t0."title" AND "n"."_2" = t0."title") AND t0."org_id" = $1"#,
    );
    // the opposite of more than the list alone
    let names = User::query().select(|u| u.name);
    let q = posts(Post::query().filter(|p| p.title.in_(names).or(p.title.eq("x")).not()));
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE NOT (t0."title" IN (SELECT "n"."v" FROM (SELECT t1."name" AS "v" FROM "users" AS t1) AS "n" WHERE "n"."v" IS NOT NULL) OR t0."title" = $1) AND t0."org_id" = $2"#,
    );
    let q = posts(Post::query().filter(|p| row((p.org_id, p.title)).in_([(1i64, "x"), (2, "y")])));
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE (t0."org_id", t0."title") IN (VALUES ($1, $2), ($3, $4)) AND t0."org_id" = $5"#,
    );
    let none: [(i64, &str); 0] = [];
    let q = posts(Post::query().filter(|p| row((p.org_id, p.title)).not_in(none)));
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE NOT (FALSE) AND t0."org_id" = $1"#,
    );
    let q = User::query()
        .filter(|u| row((u.age, u.email)).gt((u.age + 1, u.email.lower())))
        .select(|u| u.id);
    check(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE (t0."age", t0."email") > (t0."age" + $1, lower(t0."email"))"#,
        r#"SELECT t0."id" FROM "users" AS t0 WHERE (t0."age", t0."email") > (t0."age" + ?1, orm_lower(t0."email"))"#,
    );
    // a value beside one that may be NULL
    let q = User::query()
        .filter(|u| u.age.gt(30))
        .select(|u| u.email.nullable())
        .union(User::query().select(|u| u.name));
    same(
        tree(q),
        r#"SELECT t0."email" FROM "users" AS t0 WHERE t0."age" > $1 UNION SELECT t1."name" FROM "users" AS t1"#,
    );
}

#[test]
fn every_row_or_any() {
    let ages = || User::query().filter(|u| u.email.ne("x")).select(|u| u.age);
    let q = User::query()
        .filter(|u| u.age.ge(all_rows(ages())).or(u.age.lt(any_row(ages()))))
        .select(|u| u.id);
    check(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE (t0."age" >= ALL (SELECT t1."age" FROM "users" AS t1 WHERE t1."email" <> $1) OR t0."age" < ANY (SELECT t2."age" FROM "users" AS t2 WHERE t2."email" <> $2))"#,
        r#"SELECT t0."id" FROM "users" AS t0 WHERE ((SELECT CASE WHEN min("n"."c") = 0 THEN FALSE WHEN count(*) > count("n"."c") THEN NULL ELSE TRUE END FROM (SELECT t0."age" >= "v"."v" AS "c" FROM (SELECT t1."age" AS "v" FROM "users" AS t1 WHERE t1."email" <> ?1) AS "v") AS "n") OR (SELECT CASE WHEN max("n"."c") = 1 THEN TRUE WHEN count(*) > count("n"."c") THEN NULL ELSE FALSE END FROM (SELECT t0."age" < "v"."v" AS "c" FROM (SELECT t2."age" AS "v" FROM "users" AS t2 WHERE t2."email" <> ?2) AS "v") AS "n"))"#,
    );
    // equal to any row is IN, everywhere
    let q = User::query()
        .filter(|u| u.age.eq(any_row(ages())))
        .select(|u| u.id);
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE t0."age" IN (SELECT t1."age" FROM "users" AS t1 WHERE t1."email" <> $1)"#,
    );
    let q = User::query()
        .filter(|u| (u.age + any_row(ages())).gt(1))
        .select(|u| u.id);
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "the rows of a query (`any_row`, `all_rows`) stand on the right of a comparison",
    );
}
