//! Queries over the rows of other queries.

use orm::prelude::*;
use orm_core::error::ErrorKind;

use crate::support::{check, only_postgres, postgres, refused, same, scope, sqlite};

#[derive(Model, Clone, Debug)]
#[has_many(posts: Post, by = author_id)]
#[orm(table = "users")]
pub(crate) struct User {
    pub(crate) id: Id<User>,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) age: i64,
    #[orm(decimal(10, 2))]
    pub(crate) price: rust_decimal::Decimal,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "posts", tenant(org_id), soft_delete)]
pub(crate) struct Post {
    pub(crate) id: Id<Post>,
    #[belongs_to(author: User)]
    pub(crate) author_id: Option<Id<User>>,
    pub(crate) title: String,
    pub(crate) org_id: i64,
}

pub(crate) fn per_author() -> Query<Post, (Option<Id<User>>, i64)> {
    Post::query()
        .group_by(|p| p.author_id)
        .select(|g| (g.key(), g.count()))
}

#[test]
fn a_query_over_the_rows_of_another() {
    let q = orm::from(per_author())
        .filter(|(_, posts)| posts.gt(1))
        .group_by(|(_, posts)| posts)
        .having(|g| g.count().gt(2))
        .order_by(|g| g.key().desc())
        .select(|g| (g.key(), g.count()));
    check(
        q.ast().clone(),
        r#"SELECT t0."_2", count(*) FROM (SELECT t1."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = $1 GROUP BY t1."author_id") AS t0 WHERE t0."_2" > $2 GROUP BY t0."_2" HAVING count(*) > $3 ORDER BY t0."_2" DESC"#,
        r#"SELECT t0."_2", count(*) FROM (SELECT t1."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = ?1 GROUP BY t1."author_id") AS t0 WHERE t0."_2" > ?2 GROUP BY t0."_2" HAVING count(*) > ?3 ORDER BY t0."_2" DESC"#,
    );
}

#[test]
fn a_derived_table_beside_a_table() {
    let q = User::query()
        .join_on(per_author(), |u, (author, _)| u.id.eq(author))
        .filter(|(u, (_, posts))| posts.gt(u.age))
        .select(|(u, (_, posts))| (u.email, posts));
    same(
        q.ast().clone(),
        r#"SELECT t0."email", t1."_2" FROM "users" AS t0 JOIN (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1 GROUP BY t2."author_id") AS t1 ON t0."id" = t1."author_id" WHERE t1."_2" > t0."age""#,
    );
}

#[test]
fn the_columns_of_a_left_joined_tuple_may_be_absent() {
    let q: Query<User, (String, i64)> = User::query()
        .left_join_on(per_author(), |u, (author, _)| u.id.eq(author))
        .order_by(|(_, (_, posts))| posts.asc())
        .select(|(u, (_, posts))| (u.email, posts.or_else(0)));
    let (_, lite) = check(
        q.ast().clone(),
        r#"SELECT t0."email", coalesce(t1."_2", $1) FROM "users" AS t0 LEFT JOIN (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $2 GROUP BY t2."author_id") AS t1 ON t0."id" = t1."author_id" ORDER BY t1."_2""#,
        r#"SELECT t0."email", coalesce(t1."_2", ?1) FROM "users" AS t0 LEFT JOIN (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = ?2 GROUP BY t2."author_id") AS t1 ON t0."id" = t1."author_id" ORDER BY t1."_2" NULLS LAST"#,
    );
    assert_eq!(lite.columns.len(), 2);
}

#[test]
fn a_bare_query_is_the_table_itself() {
    // its conditions stand beside it, where they mean the same
    let q = User::query()
        .left_join_on(Post::query().filter(|p| p.title.ne("x")), |u, p| {
            p.author_id.eq(u.id)
        })
        .select(|(u, p)| (u.id, p.map(|p| p.title)));
    same(
        q.ast().clone(),
        r#"SELECT t0."id", t1."title" FROM "users" AS t0 LEFT JOIN "posts" AS t1 ON t1."author_id" = t0."id" AND t1."title" <> $1 AND t1."deleted_at" IS NULL AND t1."org_id" = $2"#,
    );
    // and around it where they would not
    let q = User::query()
        .right_join_on(Post::query().filter(|p| p.title.ne("x")), |u, p| {
            p.author_id.eq(u.id)
        })
        .select(|(u, p)| (u.map(|u| u.id), p.title));
    same(
        q.ast().clone(),
        r#"SELECT t0."id", t1."title" FROM "users" AS t0 RIGHT JOIN (SELECT t2."id" AS "id", t2."author_id" AS "author_id", t2."title" AS "title", t2."org_id" AS "org_id" FROM "posts" AS t2 WHERE t2."title" <> $1 AND t2."deleted_at" IS NULL AND t2."org_id" = $2) AS t1 ON t1."author_id" = t0."id""#,
    );
    let q = Post::query()
        .with_deleted()
        .full_join(|p| p.author)
        .filter(|(p, u)| p.map(|p| p.id).is_null().or(u.map(|u| u.id).is_null()))
        .select(|(p, u)| (p.map(|p| p.title), u.map(|u| u.email)));
    same(
        q.ast().clone(),
        r#"SELECT t0."title", t1."email" FROM (SELECT * FROM "posts" AS t0 WHERE t0."org_id" = $1) AS t0 FULL JOIN "users" AS t1 ON t1."id" = t0."author_id" WHERE (t0."id" IS NULL OR t1."id" IS NULL)"#,
    );
}

#[test]
fn the_newest_rows_of_a_model_as_a_source() {
    let newest = Post::query().order_by(|p| p.id.desc()).limit(3);
    let q = orm::from(newest)
        .filter(|p| p.title.ne("x"))
        .join_on(User::query(), |p, u| p.author_id.eq(u.id))
        .select(|(p, u)| (p.title, u.email));
    check(
        q.ast().clone(),
        r#"SELECT t0."title", t1."email" FROM (SELECT t2."id" AS "id", t2."author_id" AS "author_id", t2."title" AS "title", t2."org_id" AS "org_id" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1 ORDER BY t2."id" DESC LIMIT $2) AS t0 JOIN "users" AS t1 ON t0."author_id" = t1."id" WHERE t0."title" <> $3"#,
        r#"SELECT t0."title", t1."email" FROM (SELECT t2."id" AS "id", t2."author_id" AS "author_id", t2."title" AS "title", t2."org_id" AS "org_id" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = ?1 ORDER BY t2."id" DESC LIMIT +?2) AS t0 JOIN "users" AS t1 ON t0."author_id" = t1."id" WHERE t0."title" <> ?3"#,
    );
}

#[test]
fn a_correlated_query_is_a_value() {
    let posts_of = |id: orm::query::Col<User, Id<User>, _>| {
        Post::query()
            .filter(|p| p.author_id.eq(id.outer()))
            .aggregate(|p| p.id.count())
    };
    let q: Query<User, (String, Option<i64>)> = User::query()
        .filter(|u| u.age.lt(posts_of(u.id)))
        .select(|u| (u.email, posts_of(u.id).expr()));
    same(
        q.ast().clone(),
        r#"SELECT t0."email", (SELECT count(t1."id") FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."deleted_at" IS NULL AND t1."org_id" = $1) FROM "users" AS t0 WHERE t0."age" < (SELECT count(t2."id") FROM "posts" AS t2 WHERE t2."author_id" = t0."id" AND t2."deleted_at" IS NULL AND t2."org_id" = $1)"#,
    );
    // a share of what the average of the others is
    let q = User::query().filter(|u| {
        let others = User::query().filter(|o| o.age.eq(u.age).and(o.id.ne(u.id)));
        u.id.lt(others.aggregate(|o| o.id.max()).expr())
    });
    same(
        q.ast().clone(),
        r#"SELECT t0."id", t0."email", t0."name", t0."age", t0."price" FROM "users" AS t0 WHERE t0."id" < (SELECT max(t1."id") FROM "users" AS t1 WHERE t1."age" = t0."age" AND t1."id" <> t0."id")"#,
    );
}

#[test]
fn any_query_may_be_asked_for_rows() {
    let q = User::query()
        .filter(|u| {
            let crowded = Post::query()
                .filter(|p| p.author_id.eq(u.id.outer()))
                .group_by(|p| p.title)
                .having(|g| g.count().gt(1))
                .select(|g| g.key());
            exists(crowded).not().and(exists(
                Post::query()
                    .order_by(|p| p.id.asc())
                    .filter(|p| p.author_id.eq(u.id.outer())),
            ))
        })
        .select(|u| u.id);
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE NOT EXISTS (SELECT t1."title" FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."deleted_at" IS NULL AND t1."org_id" = $1 GROUP BY t1."title" HAVING count(*) > $2) AND EXISTS (SELECT 1 FROM "posts" AS t2 WHERE t2."author_id" = t0."id" AND t2."deleted_at" IS NULL AND t2."org_id" = $1)"#,
    );
}

#[test]
fn a_lateral_join_sees_the_row_before_it() {
    let newest = |u: UserCols<User>| {
        Post::query()
            .filter(|p| p.author_id.eq(u.id.outer()))
            .order_by(|p| p.id.desc())
            .limit(3)
            .select(|p| p.title)
    };
    let q = User::query()
        .left_join_lateral(newest)
        .select(|(u, title)| (u.id, title));
    only_postgres(
        q.ast().clone(),
        r#"SELECT t0."id", t1."title" FROM "users" AS t0 LEFT JOIN LATERAL (SELECT t2."title" AS "title" FROM "posts" AS t2 WHERE t2."author_id" = t0."id" AND t2."deleted_at" IS NULL AND t2."org_id" = $1 ORDER BY t2."id" DESC LIMIT $2) AS t1 ON TRUE"#,
        "LATERAL",
    );
}

#[test]
fn a_decimal_keeps_its_scale() {
    let totals = User::query()
        .group_by(|u| u.age)
        .select(|g| (g.key(), g.sum(|u| u.price)));
    let q = orm::from(totals)
        .filter(|(_, total)| total.gt(rust_decimal::Decimal::new(15, 1)))
        .select(|(_, total)| total);
    let (_, lite) = same(
        q.ast().clone(),
        r#"SELECT t0."_2" FROM (SELECT t1."age" AS "age", sum(t1."price") AS "_2" FROM "users" AS t1 GROUP BY t1."age") AS t0 WHERE t0."_2" > $1"#,
    );
    assert_eq!(lite.columns[..], [orm_core::value::Type::Decimal(18, 2)]);
    assert_eq!(lite.params, [orm_core::value::Value::I64(150)]);
}

#[test]
fn a_source_that_nothing_connects_is_refused() {
    let q = User::query()
        .join_on(Post::query(), |u, _| u.age.gt(1))
        .select(|(u, p)| (u.id, p.id));
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "the source `posts` is joined, but no condition connects it with the rest of the query, so that every row would meet every other one: compare columns of both, or say `.cross_join(..)`",
    );
    // a later condition may do it, and whoever wants every combination says so
    let q = User::query()
        .join_on(Post::query(), |u, _| u.age.gt(1))
        .filter(|(u, p)| p.author_id.eq(u.id))
        .select(|(u, _)| u.id);
    same(
        q.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 JOIN "posts" AS t1 ON t0."age" > $1 WHERE t1."author_id" = t0."id" AND t1."deleted_at" IS NULL AND t1."org_id" = $2"#,
    );
    let q = User::query()
        .cross_join(User::query())
        .select(|(a, b)| (a.id, b.id));
    same(
        q.ast().clone(),
        r#"SELECT t0."id", t1."id" FROM "users" AS t0 CROSS JOIN "users" AS t1"#,
    );
}

#[test]
fn columns_stay_in_their_closures() {
    let mut leaked = None;
    let _ = User::query().filter(|u| {
        leaked = Some(u.id);
        u.age.gt(1)
    });
    let leaked = leaked.map(|id| id.outer());
    let q = Post::query().filter_some(leaked, |p, id| p.author_id.eq(id));
    for dialect in [postgres(), sqlite()] {
        let e = orm_core::sql::render_select(q.ast(), dialect, &scope()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::InvalidQuery);
        assert_eq!(e.message(), "a column is used outside the closure it came from");
        assert_eq!(e.field(), Some("id"));
    }
    // the model's columns are those of its table, not of the query's rows
    let q = orm::from(per_author())
        .select(|(_, posts)| posts)
        .filter(|p| p.title.eq("x"));
    let e = orm_core::sql::render_select(q.ast(), postgres(), &scope()).unwrap_err();
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("title")));
}

#[test]
fn a_clone_of_a_query_on_a_query_has_sources_of_its_own() {
    let q = orm::from(per_author());
    let twice = q
        .clone()
        .join_on(per_author(), |(a, _), (b, _)| a.eq(b))
        .select(|((a, _), _)| a);
    let both = q.filter(|(_, n)| n.gt(0)).select(|(a, _)| a);
    let nested = User::query()
        .filter(|u| u.id.in_(both.clone()).and(u.id.in_(twice)))
        .select(|u| u.id);
    same(
        nested.ast().clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE t0."id" IN (SELECT t1."author_id" FROM (SELECT t2."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t2 WHERE t2."deleted_at" IS NULL AND t2."org_id" = $1 GROUP BY t2."author_id") AS t1 WHERE t1."_2" > $2) AND t0."id" IN (SELECT t3."author_id" FROM (SELECT t5."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t5 WHERE t5."deleted_at" IS NULL AND t5."org_id" = $1 GROUP BY t5."author_id") AS t3 JOIN (SELECT t6."author_id" AS "author_id", count(*) AS "_2" FROM "posts" AS t6 WHERE t6."deleted_at" IS NULL AND t6."org_id" = $1 GROUP BY t6."author_id") AS t4 ON t3."author_id" = t4."author_id")"#,
    );
}

#[test]
fn the_first_row_of_each() {
    let q = Post::query()
        .distinct_on(|p| p.author_id)
        .order_by(|p| (p.author_id.asc(), p.title.desc()))
        .select(|p| p.title);
    check(
        q.ast().clone(),
        r#"SELECT DISTINCT ON (t0."author_id") t0."title" FROM "posts" AS t0 WHERE t0."deleted_at" IS NULL AND t0."org_id" = $1 ORDER BY t0."author_id", t0."title" DESC"#,
        r#"SELECT t0."_1" FROM (SELECT t1."title" AS "_1", row_number() OVER (PARTITION BY t1."author_id" ORDER BY t1."author_id" NULLS LAST, t1."title" DESC) AS "_2", t1."author_id" AS "_3", t1."title" AS "_4" FROM "posts" AS t1 WHERE t1."deleted_at" IS NULL AND t1."org_id" = ?1) AS t0 WHERE t0."_2" = ?2 ORDER BY t0."_3" NULLS LAST, t0."_4" DESC NULLS FIRST"#,
    );
    // by an expression, which has to be the same in both places
    let q = User::query()
        .join(|u| u.posts)
        .distinct_on(|(u, _)| u.age + 1)
        .order_by(|(u, p)| ((u.age + 1).desc(), p.id.asc()))
        .limit(3)
        .select(|(u, p)| (u.email, p.title));
    check(
        q.ast().clone(),
        r#"SELECT DISTINCT ON (t0."age" + $1) t0."email", t1."title" FROM "users" AS t0 JOIN "posts" AS t1 ON t1."author_id" = t0."id" WHERE t1."deleted_at" IS NULL AND t1."org_id" = $2 ORDER BY (t0."age" + $1) DESC, t1."id" LIMIT $3"#,
        r#"SELECT t0."_1", t0."_2" FROM (SELECT t1."email" AS "_1", t2."title" AS "_2", row_number() OVER (PARTITION BY t1."age" + ?1 ORDER BY (t1."age" + ?2) DESC, t2."id") AS "_3", t1."age" + ?3 AS "_4", t2."id" AS "_5" FROM "users" AS t1 JOIN "posts" AS t2 ON t2."author_id" = t1."id" WHERE t2."deleted_at" IS NULL AND t2."org_id" = ?4) AS t0 WHERE t0."_3" = ?5 ORDER BY t0."_4" DESC NULLS FIRST, t0."_5" NULLS LAST LIMIT +?6"#,
    );
    let q = User::query().distinct_on(|u| u.age).order_by(|u| u.email.asc());
    refused(
        q.ast().clone(),
        ErrorKind::InvalidQuery,
        "the order of a query with `distinct_on` has to begin with what it is distinct on",
    );
}

#[test]
fn locks_of_chosen_tables() {
    let text = |join: &str, lock: &str| {
        format!(
            r#"SELECT t0."id" FROM "posts" AS t0 {join} "users" AS t1 ON t1."id" = t0."author_id" WHERE t0."deleted_at" IS NULL AND t0."org_id" = $1{lock}"#
        )
    };
    let left = Post::query().left_join(|p| p.author).for_update_of(|(p, _)| p);
    check(
        left.no_wait().select(|(p, _)| p.id).ast().clone(),
        &text("LEFT JOIN", " FOR UPDATE OF t0 NOWAIT"),
        &text("LEFT JOIN", "").replace('$', "?"),
    );
    let both = Post::query().join(|p| p.author).for_key_share_of(|(p, a)| (a, p));
    check(
        both.select(|(p, _)| p.id).ast().clone(),
        &text("JOIN", " FOR KEY SHARE OF t1, t0"),
        &text("JOIN", "").replace('$', "?"),
    );
    let one = Post::query().join(|p| p.author).for_no_key_update_of(|(_, a)| a);
    only_postgres(
        one.select(|(p, _)| p.id).skip_locked().ast().clone(),
        &text("JOIN", " FOR NO KEY UPDATE OF t1 SKIP LOCKED"),
        "SKIP LOCKED",
    );
}
