//! Writes of many rows as one statement: from a query, and joined with other tables.

use orm::prelude::*;
use orm_core::error::ErrorKind;

use crate::sources::{Post, User, per_author};
use crate::support::{check, only_postgres, refused, same};

/// Takes what is inserted from queries: every way a column is filled.
#[derive(Model, Clone, Debug)]
#[orm(table = "users", timestamps)]
pub(crate) struct Account {
    pub(crate) id: Id<Account>,
    #[orm(unique)]
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    #[orm(default = 18)]
    pub(crate) age: i64,
    #[orm(version)]
    pub(crate) score: i64,
    #[orm(default(sql = "1 = 1"))]
    pub(crate) active: bool,
    #[orm(decimal(8, 4))]
    pub(crate) rate: rust_decimal::Decimal,
}

#[test]
fn new_rows_from_a_query() {
    // a query that is its table and conditions
    let posts = Post::query().filter(|p| p.title.ne("x"));
    let new = User::insert_from(posts, |new, p| {
        (
            new.email.to(p.title),
            new.age.to(7),
            new.price.to(rust_decimal::Decimal::new(15, 1)),
        )
    });
    let (pg, lite) = same(
        new.rows(|u| u.id).into_statement(),
        r#"INSERT INTO "users" ("email", "age", "price") SELECT t0."title", $1, $2 FROM "posts" AS t0 WHERE t0."title" <> $3 AND t0."deleted_at" IS NULL AND t0."org_id" = $4 RETURNING "users"."id""#,
    );
    assert_eq!((pg.operation, pg.writes), ("INSERT", true));
    // in the scale of the column
    assert_ne!(pg.params[1], lite.params[1]);
}

#[test]
fn what_is_left_out_is_filled_in() {
    let users = User::query()
        .order_by(|u| u.age.desc())
        .limit(3)
        .select(|u| (u.email, u.price));
    let new = Account::insert_from(users, |new, (email, price)| {
        (new.email.to(email), new.rate.to(price))
    });
    let text = |created: &str, expr: &str| {
        format!(
            r#"INSERT INTO "users" ("email", "rate", "age", "score", "created_at", "updated_at") SELECT t0."email", {expr}, {created} FROM "users" AS t0 ORDER BY t0."age" DESC LIMIT "#
        )
    };
    let (pg, lite) = both(new.rows(|u| u.id).into_statement());
    let returning = r#" RETURNING "users"."id""#;
    assert_eq!(pg, text("$1, $2, $3, $3", r#"t0."price""#) + "$4" + returning);
    assert_eq!(
        lite,
        text("?1, ?2, ?3, ?3", r#"(t0."price" * 100)"#) + "+?4" + returning
    );
}

fn both(statement: orm_core::ast::Statement) -> (String, String) {
    use crate::support::{postgres, scope, sqlite};
    let text = |dialect| {
        orm_core::sql::render(&statement, dialect, &scope())
            .unwrap()
            .text
            .to_string()
    };
    (text(postgres()), text(sqlite()))
}

#[test]
fn groups_and_expressions_of_them() {
    let new = User::insert_from(per_author(), |new, (_, n)| {
        (
            new.email.to("x"),
            new.age.to(n + 1),
            new.price.to(rust_decimal::Decimal::ONE),
        )
    });
    // an expression is one over the rows
    same(
        new.rows(|u| u.id).into_statement(),
        r#"INSERT INTO "users" ("email", "age", "price") SELECT $1, t0."_2" + $2, $3 FROM (SELECT t1."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $4 GROUP BY t1."author_id") AS t0 RETURNING "users"."id""#,
    );
    let new = User::insert_from(per_author(), |new, (_, n)| {
        (
            new.email.to("x"),
            new.age.to(n),
            new.price.to(rust_decimal::Decimal::ONE),
        )
    });
    // columns of them are selected as they are
    same(
        new.rows(|u| u.id).into_statement(),
        r#"INSERT INTO "users" ("email", "age", "price") SELECT $1, count(*), $2 FROM "posts" AS t0 WHERE t0."deleted_at" IS NULL AND t0."org_id" = $3 GROUP BY t0."author_id" RETURNING "users"."id""#,
    );
}

fn small(query: Query<User, String>) -> orm::query::InsertFrom<Post, Query<User, String>> {
    Post::insert_from(query, |new, name| new.title.to(name))
}

#[test]
fn sets_memory_and_names_are_sources() {
    let names = || User::query().select(|u| u.email);
    let new = Post::insert_from(names().union(names()), |new, name| new.title.to(name));
    same(
        new.rows(|p| p.id).into_statement(),
        r#"INSERT INTO "posts" ("title", "org_id") SELECT t0."email", $1 FROM (SELECT t1."email" AS "email" FROM "users" AS t1 UNION SELECT t2."email" FROM "users" AS t2) AS t0 RETURNING "posts"."id""#,
    );
    let new = Post::insert_from(names().distinct(), |new, name| new.title.to(name));
    same(
        new.rows(|p| p.id).into_statement(),
        r#"INSERT INTO "posts" ("title", "org_id") SELECT t0."email", $1 FROM (SELECT DISTINCT t1."email" AS "email" FROM "users" AS t1) AS t0 RETURNING "posts"."id""#,
    );
    let named = orm::cte("named", names());
    let new = Post::insert_from(&named, |new, name| new.title.to(name));
    same(
        new.rows(|p| p.id).into_statement(),
        r#"WITH "named" ("email") AS (SELECT t1."email" FROM "users" AS t1) INSERT INTO "posts" ("title", "org_id") SELECT t0."email", $1 FROM "named" AS t0 RETURNING "posts"."id""#,
    );
    let new = Post::insert_from(orm::values(["a", "b"]), |new, name| new.title.to(name));
    same(
        new.rows(|p| p.id).into_statement(),
        r#"INSERT INTO "posts" ("title", "org_id") SELECT t0."_1", $1 FROM (SELECT column1 AS "_1" FROM (VALUES ($2), ($3)) AS v) AS t0 RETURNING "posts"."id""#,
    );
    // rows that are deleted there are inserted here
    let gone = orm::cte("gone", User::delete_where(|u| u.age.lt(1)).rows(|u| u.email));
    let new = Post::insert_from(&gone, |new, name| new.title.to(name));
    only_postgres(
        new.rows(|p| p.id).into_statement(),
        r#"WITH "gone" ("email") AS (DELETE FROM "users" WHERE "users"."age" < $2 RETURNING "users"."email") INSERT INTO "posts" ("title", "org_id") SELECT t0."email", $1 FROM "gone" AS t0 RETURNING "posts"."id""#,
        "a write inside WITH",
    );
    // and inside WITH themselves
    let new = orm::cte("new", small(names()).rows(|p| p.id));
    only_postgres(
        orm::from(new).select(|id| id).ast().clone(),
        r#"WITH "new" ("id") AS (INSERT INTO "posts" ("title", "org_id") SELECT t1."email", $1 FROM "users" AS t1 RETURNING "posts"."id") SELECT t0."id" FROM "new" AS t0"#,
        "a write inside WITH",
    );
}

#[test]
fn rows_that_are_there() {
    let new = || {
        Account::insert_from(User::query(), |new, u| {
            (new.email.to(u.email), new.rate.to(u.price))
        })
    };
    let nothing = new().upsert(|u| u.email).do_nothing();
    let texts = both(nothing.rows(|u| u.id).into_statement());
    assert_eq!(
        texts.0,
        r#"INSERT INTO "users" ("email", "rate", "age", "score", "created_at", "updated_at") SELECT t0."email", t0."price", $1, $2, $3, $3 FROM "users" AS t0 ON CONFLICT ("email") DO NOTHING RETURNING "users"."id""#,
    );
    assert_eq!(
        texts.1,
        r#"INSERT INTO "users" ("email", "rate", "age", "score", "created_at", "updated_at") SELECT t0."email", (t0."price" * 100), ?1, ?2, ?3, ?3 FROM "users" AS t0 WHERE TRUE ON CONFLICT ("email") DO NOTHING RETURNING "users"."id""#,
    );
    let update = new()
        .upsert(|u| u.email)
        .update(|u, new| u.age.to(u.age + new.age));
    let texts = both(update.rows(|u| u.id).into_statement());
    assert_eq!(
        texts.0,
        r#"INSERT INTO "users" ("email", "rate", "age", "score", "created_at", "updated_at") SELECT t0."email", t0."price", $1, $2, $3, $3 FROM "users" AS t0 ON CONFLICT ("email") DO UPDATE SET "age" = "users"."age" + excluded."age", "score" = "users"."score" + $4, "updated_at" = $3 RETURNING "users"."id""#,
    );
    assert_eq!(
        texts.1,
        r#"INSERT INTO "users" ("email", "rate", "age", "score", "created_at", "updated_at") SELECT t0."email", (t0."price" * 100), ?1, ?2, ?3, ?3 FROM "users" AS t0 WHERE TRUE ON CONFLICT ("email") DO UPDATE SET "age" = "users"."age" + excluded."age", "score" = "users"."score" + ?4, "updated_at" = ?3 RETURNING "users"."id""#,
    );
}

#[test]
fn what_an_insert_from_a_query_cannot_be() {
    let new = User::insert_from(Post::query(), |new, p| new.email.to(p.title));
    refused(
        new.rows(|u| u.id).into_statement(),
        ErrorKind::InvalidQuery,
        "`User::insert_from` leaves out `age`, which has no default: assign it",
    );
    let new = Post::insert_from(User::query(), |_, u| u.email.to("x"));
    refused(
        new.rows(|u| u.id).into_statement(),
        ErrorKind::InvalidQuery,
        "rows are inserted into `Post`, and `email` is a column of another table",
    );
    let new = Post::insert_from(User::query(), |new, _| new.title.to(new.title));
    refused(
        new.rows(|u| u.id).into_statement(),
        ErrorKind::InvalidQuery,
        "a column is used outside the closure it came from",
    );
}

#[test]
fn changes_that_see_other_rows() {
    let update = User::update_where(|u| u.age.gt(1))
        .join_on(per_author(), |u, (author, _)| u.id.eq(author))
        .filter(|(_, (_, n))| n.gt(2))
        .set(|(u, (_, n))| u.age.to(u.age + n));
    same(
        update.rows(|u| (u.id, u.age)).into_statement(),
        r#"UPDATE "users" SET "age" = "users"."age" + t0."_2" FROM (SELECT t1."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $1 GROUP BY t1."author_id") AS t0 WHERE "users"."age" > $2 AND t0."_2" > $3 AND "users"."id" = t0."author_id" RETURNING "users"."id", "users"."age""#,
    );
    // along relations, and through several tables
    let update = Post::update_where(|p| p.title.eq("x"))
        .join(|p| p.author)
        .join_on(User::query().filter(|u| u.age.gt(9)), |(_, a), o| {
            a.name.eq(o.name)
        })
        .set(|(p, a, o)| p.title.to(a.email.concat(o.email)));
    same(
        update.rows(|p| p.id).into_statement(),
        r#"UPDATE "posts" SET "title" = t0."email" || t1."email" FROM "users" AS t0, "users" AS t1 WHERE "posts"."title" = $1 AND t0."id" = "posts"."author_id" AND t0."name" = t1."name" AND t1."age" > $2 AND "posts"."deleted_at" IS NULL AND "posts"."org_id" = $3 RETURNING "posts"."id""#,
    );
    // the same table once more
    let update = User::update_where(|u| u.age.gt(1))
        .join_on(User::query(), |u, other| u.age.eq(other.age + 1))
        .set(|(u, other)| u.name.to(other.name));
    same(
        update.rows(|u| u.id).into_statement(),
        r#"UPDATE "users" SET "name" = t0."name" FROM "users" AS t0 WHERE "users"."age" > $1 AND "users"."age" = t0."age" + $2 RETURNING "users"."id""#,
    );
}

#[test]
fn deletes_that_see_other_rows() {
    let gone = User::delete_where(|u| u.age.gt(1))
        .join(|u| u.posts)
        .join_on(per_author(), |(u, _), (author, _)| u.id.eq(author))
        .filter(|(_, p, (_, n))| p.title.eq("x").and(n.gt(2)));
    check(
        gone.rows(|u| u.email).into_statement(),
        r#"DELETE FROM "users" USING "posts" AS t0, (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1 GROUP BY t2."author_id") AS t1 WHERE "users"."age" > $2 AND t0."title" = $3 AND t1."_2" > $4 AND t0."author_id" = "users"."id" AND "users"."id" = t1."author_id" AND t0."deleted_at" IS NULL AND t0."org_id" = $1 RETURNING "users"."email""#,
        r#"DELETE FROM "users" WHERE "users"."age" > ?1 AND EXISTS (SELECT 1 FROM "posts" AS t0, (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = ?2 GROUP BY t2."author_id") AS t1 WHERE t0."title" = ?3 AND t1."_2" > ?4 AND t0."author_id" = "users"."id" AND "users"."id" = t1."author_id" AND t0."deleted_at" IS NULL AND t0."org_id" = ?2) RETURNING "users"."email""#,
    );
    // a soft delete is a change
    let gone = Post::delete_where(|p| p.title.eq("x")).join_on(User::query(), |p, u| p.title.eq(u.email));
    same(
        gone.rows(|p| p.id).into_statement(),
        r#"UPDATE "posts" SET "deleted_at" = $1 FROM "users" AS t0 WHERE "posts"."title" = $2 AND "posts"."title" = t0."email" AND "posts"."deleted_at" IS NULL AND "posts"."org_id" = $3 RETURNING "posts"."id""#,
    );
    let all = Post::delete_everything().join_on(User::query(), |p, u| p.title.eq(u.email));
    same(
        all.rows(|p| p.id).into_statement(),
        r#"UPDATE "posts" SET "deleted_at" = $1 FROM "users" AS t0 WHERE "posts"."title" = t0."email" AND "posts"."deleted_at" IS NULL AND "posts"."org_id" = $2 RETURNING "posts"."id""#,
    );
}

#[test]
fn what_a_joined_write_cannot_be() {
    let loose = User::update_where(|u| u.age.gt(1))
        .join_on(Post::query(), |_, p| p.title.eq("x"))
        .set(|(u, _)| u.age.to(1));
    refused(
        loose.rows(|u| u.id).into_statement(),
        ErrorKind::InvalidQuery,
        "the source `posts` is joined, but no condition connects it with the rest of the query, so that every row would meet every other one: compare columns of both, or say `.cross_join(..)`",
    );
    let ranked = User::delete_where(|u| u.age.gt(1)).rows(|u| {
        let rank = orm::window::rank().over(|w| w.order_by(u.age.asc()));
        (u.id, rank)
    });
    refused(
        ranked.into_statement(),
        ErrorKind::InvalidQuery,
        "a window function over the rows of a write: give the write a name by `cte(..)`, and query its rows",
    );
    let other = Post::update_where(|p| p.title.eq("x"))
        .join(|p| p.author)
        .set(|(_, a)| a.name.to("x"));
    refused(
        other.rows(|p| p.id).into_statement(),
        ErrorKind::InvalidQuery,
        "rows of `Post` are changed, and `name` is a column of another table",
    );
}
