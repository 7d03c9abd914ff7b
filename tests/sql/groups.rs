//! Aggregates and groups: typed queries beside their text.

use orm::ErrorKind;
use orm::prelude::*;

use crate::support::{postgres, sqlite};

#[derive(Model)]
struct Town {
    id: Id<Town>,
    name: String,
}

#[derive(Model)]
struct Order {
    id: Id<Order>,
    #[belongs_to(town: Town)]
    town_id: Id<Town>,
    buyer: String,
    amount: i64,
    stars: Option<i32>,
    paid: bool,
    at: Timestamp,
}

#[track_caller]
fn check<M: Model, O>(query: Query<M, O>, pg: &str, lite: &str) {
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    assert_eq!(query.to_sql(sqlite()).unwrap().text.as_ref(), lite);
}

#[track_caller]
fn only_postgres<M: Model, O>(query: Query<M, O>, pg: &str, feature: &str) {
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    let e = query.to_sql(sqlite()).unwrap_err();
    assert_eq!(
        (e.kind(), e.message()),
        (
            ErrorKind::Unsupported,
            format!("{feature} is not supported on sqlite").as_str()
        )
    );
}

#[test]
fn lists_and_truths() {
    check(
        Order::query().aggregate(|o| {
            (
                o.buyer
                    .string_agg(", ")
                    .order_by((o.amount.desc(), o.id.asc()))
                    .filter(o.paid),
                o.amount.json_agg().order_by(o.id.asc()),
                o.paid.bool_and(),
                o.amount.gt(5).bool_or(),
                o.amount.sum().distinct(),
            )
        }),
        r#"SELECT string_agg(t0."buyer", $1 ORDER BY t0."amount" DESC, t0."id") FILTER (WHERE t0."paid"), coalesce(jsonb_agg(t0."amount" ORDER BY t0."id"), '[]'), bool_and(t0."paid"), bool_or(t0."amount" > $2), CAST(sum(DISTINCT t0."amount") AS bigint) FROM "orders" AS t0"#,
        r#"SELECT group_concat(t0."buyer", ?1 ORDER BY t0."amount" DESC, t0."id") FILTER (WHERE t0."paid"), json_group_array(t0."amount" ORDER BY t0."id"), min(t0."paid"), max(t0."amount" > ?2), sum(DISTINCT t0."amount") FROM "orders" AS t0"#,
    );
    check(
        Order::query().aggregate(|o| o.buyer.array_agg().distinct()),
        r#"SELECT array_agg(DISTINCT t0."buyer") FROM "orders" AS t0"#,
        r#"SELECT nullif(json_group_array(DISTINCT t0."buyer"), '[]') FROM "orders" AS t0"#,
    );
    check(
        Order::query().aggregate(|o| o.at.json_agg()),
        r#"SELECT coalesce(jsonb_agg(to_char(t0."at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), '[]') FROM "orders" AS t0"#,
        r#"SELECT json_group_array(t0."at") FROM "orders" AS t0"#,
    );
}

#[test]
fn statistics() {
    only_postgres(
        Order::query().aggregate(|o| (o.amount.stddev(), o.stars.variance_pop())),
        r#"SELECT CAST(stddev_samp(t0."amount") AS double precision), CAST(var_pop(t0."stars") AS double precision) FROM "orders" AS t0"#,
        "a standard deviation or variance",
    );
    only_postgres(
        Order::query().aggregate(|o| {
            (
                o.amount.percentile_cont(0.5),
                o.buyer.percentile_disc(0.9),
                o.stars.mode(),
            )
        }),
        r#"SELECT percentile_cont($1) WITHIN GROUP (ORDER BY t0."amount"), percentile_disc($2) WITHIN GROUP (ORDER BY t0."buyer"), mode() WITHIN GROUP (ORDER BY t0."stars") FROM "orders" AS t0"#,
        "an ordered-set aggregate",
    );
    let e = Order::query()
        .aggregate(|o| o.amount.mode().order_by(o.id.asc()))
        .to_sql(postgres())
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
}

#[test]
fn totals() {
    check(
        Order::query()
            .group_by_rollup(|o| (o.town_id, o.paid))
            .order_by(|g| (g.key().0.asc().nulls_first(), g.key().1.desc()))
            .limit(9)
            .select(|g| (g.key(), g.count())),
        r#"SELECT t0."town_id", t0."paid", count(*) FROM "orders" AS t0 GROUP BY ROLLUP (t0."town_id", t0."paid") ORDER BY t0."town_id" NULLS FIRST, t0."paid" DESC LIMIT $1"#,
        r#"SELECT t0."_1", t0."_2", t0."_3" FROM (SELECT t1."town_id" AS "_1", t1."paid" AS "_2", count(*) AS "_3", t1."town_id" AS "_4", t1."paid" AS "_5", count(*) AS "_6" FROM "orders" AS t1 GROUP BY t1."town_id", t1."paid" UNION ALL SELECT t2."town_id", ?1, count(*), t2."town_id", ?2, count(*) FROM "orders" AS t2 GROUP BY t2."town_id" UNION ALL SELECT ?3, ?4, count(*), ?5, ?6, count(*) FROM "orders" AS t3) AS t0 ORDER BY t0."_4", t0."_5" DESC NULLS FIRST LIMIT +?7"#,
    );
    // an expression of a key is one of what the key is in its set; aggregates are over the rows as they are
    check(
        Order::query()
            .filter(|o| o.paid)
            .group_by_cube(|o| (o.town_id, o.amount / 10))
            .select(|g| (g.key().1.or_else(0), g.sum(|o| o.amount / 10))),
        r#"SELECT coalesce(t0."amount" / $1, $2), CAST(sum(t0."amount" / $1) AS bigint) FROM "orders" AS t0 WHERE t0."paid" GROUP BY CUBE (t0."town_id", t0."amount" / $1)"#,
        r#"SELECT t0."_1", t0."_2" FROM (SELECT coalesce(t1."amount" / ?1, ?2) AS "_1", sum(t1."amount" / ?1) AS "_2", count(*) AS "_3" FROM "orders" AS t1 WHERE t1."paid" GROUP BY t1."town_id", t1."amount" / ?1 UNION ALL SELECT coalesce(t2."amount" / ?1, ?2), sum(t2."amount" / ?1), count(*) FROM "orders" AS t2 WHERE t2."paid" GROUP BY t2."amount" / ?1 UNION ALL SELECT coalesce(?3, ?2), sum(t3."amount" / ?1), count(*) FROM "orders" AS t3 WHERE t3."paid" GROUP BY t3."town_id" UNION ALL SELECT coalesce(?3, ?2), sum(t4."amount" / ?1), count(*) FROM "orders" AS t4 WHERE t4."paid") AS t0"#,
    );
    check(
        Order::query()
            .join(|o| o.town)
            .group_by_sets(
                |(o, town)| (town.name, o.paid),
                |sets, (name, paid)| sets.set((name, paid)).set(paid).total(),
            )
            .having(|g| g.agg(|(o, _)| o.amount.max()).gt(3))
            .select(|g| (g.key(), g.count())),
        r#"SELECT t1."name", t0."paid", count(*) FROM "orders" AS t0 JOIN "towns" AS t1 ON t1."id" = t0."town_id" GROUP BY GROUPING SETS ((t1."name", t0."paid"), (t0."paid"), ()) HAVING max(t0."amount") > $1"#,
        r#"SELECT t0."_1", t0."_2", t0."_3" FROM (SELECT t2."name" AS "_1", t1."paid" AS "_2", count(*) AS "_3", count(*) AS "_4" FROM "orders" AS t1 JOIN "towns" AS t2 ON t2."id" = t1."town_id" GROUP BY t2."name", t1."paid" HAVING max(t1."amount") > ?1 UNION ALL SELECT ?2, t3."paid", count(*), count(*) FROM "orders" AS t3 JOIN "towns" AS t4 ON t4."id" = t3."town_id" GROUP BY t3."paid" HAVING max(t3."amount") > ?3 UNION ALL SELECT ?4, ?5, count(*), count(*) FROM "orders" AS t5 JOIN "towns" AS t6 ON t6."id" = t5."town_id" HAVING max(t5."amount") > ?6) AS t0"#,
    );
    check(
        Order::query()
            .group_by_rollup(|o| (o.town_id, o.paid))
            .select(|g| (g.grouping(|(town, _)| town), g.grouping(|keys| keys))),
        r#"SELECT grouping(t0."town_id"), grouping(t0."town_id", t0."paid") FROM "orders" AS t0 GROUP BY ROLLUP (t0."town_id", t0."paid")"#,
        r#"SELECT t0."_1", t0."_2" FROM (SELECT ?1 AS "_1", ?2 AS "_2", count(*) AS "_3" FROM "orders" AS t1 GROUP BY t1."town_id", t1."paid" UNION ALL SELECT ?3, ?4, count(*) FROM "orders" AS t2 GROUP BY t2."town_id" UNION ALL SELECT ?5, ?6, count(*) FROM "orders" AS t3) AS t0"#,
    );
    // a window looks at the groups of all sets
    only_postgres(
        Order::query()
            .group_by_rollup(|o| o.town_id)
            .select(|g| orm::window::rank().over(|w| w.order_by(g.count().desc()))),
        r#"SELECT rank() OVER (ORDER BY count(*) DESC) FROM "orders" AS t0 GROUP BY ROLLUP (t0."town_id")"#,
        "GROUPING SETS, ROLLUP and CUBE",
    );
}
