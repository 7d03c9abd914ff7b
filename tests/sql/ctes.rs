//! Queries by name.

use orm::prelude::*;
use orm::query::{cte, recursive};
use orm_core::error::ErrorKind;

use crate::sources::{Post, User, per_author};
use crate::support::{refused, same};

#[test]
fn a_name_is_defined_once() {
    let counts = cte("counts", per_author());
    let most = orm::from(&counts).aggregate(|(_, posts)| posts.max());
    let q = User::query()
        .join_on(&counts, |u, (author, _)| u.id.eq(author))
        .filter(|(_, (_, posts))| posts.eq(most))
        .select(|(u, (_, posts))| (u.email, posts));
    same(
        q.ast().clone(),
        r#"WITH "counts" ("author_id", "_2") AS (SELECT t2."author_id", count(*) FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1 GROUP BY t2."author_id") SELECT t0."email", t1."_2" FROM "users" AS t0 JOIN "counts" AS t1 ON t0."id" = t1."author_id" WHERE t1."_2" = (SELECT max(t3."_2") FROM "counts" AS t3)"#,
    );
}

#[test]
fn one_may_use_another_and_stand_in_any_clause() {
    let counts = cte("counts", per_author()).materialized();
    let busy = cte(
        "busy",
        orm::from(counts)
            .filter(|(_, n)| n.gt(9))
            .select(|(author, _)| author),
    )
    .not_materialized();
    let q = User::query()
        .filter(|u| u.id.in_(orm::from(&busy).select(|author| author)))
        .select(|u| u.email);
    same(
        q.ast().clone(),
        r#"WITH "counts" ("author_id", "_2") AS MATERIALIZED (SELECT t3."author_id", count(*) FROM "posts" AS t3 WHERE t3."deleted_at" IS NULL AND t3."org_id" = $1 GROUP BY t3."author_id"), "busy" ("author_id") AS NOT MATERIALIZED (SELECT t2."author_id" FROM "counts" AS t2 WHERE t2."_2" > $2) SELECT t0."email" FROM "users" AS t0 WHERE t0."id" IN (SELECT t1."author_id" FROM "busy" AS t1)"#,
    );
}

#[test]
fn a_query_goes_on_from_its_own_rows() {
    let first = User::query().filter(|u| u.age.eq(1)).select(|u| (u.id, u.age));
    let chain = recursive("chain", first, |chain| {
        User::query()
            .join_on(chain, |u, (id, _)| u.id.gt(id))
            .select(|(u, (_, n))| (u.id, n + 1))
    });
    let all = orm::from(&chain)
        .order_by(|(_, n)| n.asc())
        .select(|(id, n)| (id, n));
    let text = r#"WITH RECURSIVE "chain" ("id", "age") AS (SELECT t1."id", t1."age" FROM "users" AS t1 WHERE t1."age" = $1 UNION ALL SELECT t2."id", t3."age" + $2 FROM "users" AS t2 JOIN "chain" AS t3 ON t2."id" > t3."id") SELECT t0."id", t0."age" FROM "chain" AS t0 ORDER BY t0."age""#;
    same(all.ast().clone(), text);
    let once = orm::from(chain.distinct())
        .order_by(|(_, n)| n.asc())
        .select(|(id, n)| (id, n));
    same(once.ast().clone(), &text.replace("UNION ALL", "UNION"));
}

#[test]
fn a_list_of_the_statement_itself_goes_on() {
    let counts = cte("counts", per_author());
    let mut statement = orm::from(&counts).select(|(author, _)| author).ast().clone();
    let inner = statement.clone();
    statement.with.push(orm_core::ast::Cte {
        name: "own",
        columns: vec![],
        body: orm_core::ast::Statement::Select(Box::new(inner)),
        recursive: false,
        materialized: None,
    });
    same(
        statement,
        r#"WITH "counts" ("author_id", "_2") AS (SELECT t1."author_id", count(*) FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $1 GROUP BY t1."author_id"), "own" AS (SELECT t0."author_id" FROM "counts" AS t0) SELECT t2."author_id" FROM "counts" AS t2"#,
    );
}

#[test]
fn names_that_mean_two_things_are_refused() {
    let (a, b) = (cte("counts", per_author()), cte("counts", per_author()));
    let q = orm::from(a)
        .join_on(b, |(a, _), (b, _)| a.eq(b))
        .select(|((a, _), _)| a);
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "two common table expressions of one statement are called `counts`",
    );
    let posts = cte(
        "Posts",
        Post::query().filter(|p| p.title.ne("x")).select(|p| p.id),
    );
    let q = orm::from(posts).select(|id| id);
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "a common table expression is called `posts`, as a table of the same statement is",
    );
}

#[test]
fn a_definition_sees_nothing_around_it() {
    let q = User::query()
        .filter(|u| {
            let own = cte(
                "own",
                Post::query()
                    .filter(|p| p.author_id.eq(u.id.outer()))
                    .select(|p| p.title),
            );
            exists(orm::from(own).select(|title| title))
        })
        .select(|u| u.id);
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "a column is used outside the closure it came from",
    );
}

#[test]
fn a_change_of_rows_has_a_name_on_postgres() {
    let renamed = User::update_where(|u| u.age.gt(9)).set(|u| u.name.to("x"));
    let renamed = cte("renamed", renamed.rows(|u| (u.id, u.email)));
    let gone = cte(
        "gone",
        Post::delete_where(|p| p.title.eq("x")).rows(|p| p.author_id),
    );
    let q = orm::from(renamed)
        .join_on(gone, |(user, _), author| user.eq(author))
        .select(|((_, email), _)| email);
    crate::support::only_postgres(
        q.ast().clone(),
        r#"WITH "renamed" ("id", "email") AS (UPDATE "users" SET "name" = $1 WHERE "users"."age" > $2 RETURNING "users"."id", "users"."email"), "gone" ("author_id") AS (UPDATE "posts" SET "deleted_at" = $3 WHERE "posts"."title" = $4 AND "posts"."deleted_at" IS NULL AND "posts"."org_id" = $5 RETURNING "posts"."author_id") SELECT t0."email" FROM "renamed" AS t0 JOIN "gone" AS t1 ON t0."id" = t1."author_id""#,
        "a write inside WITH",
    );
}
