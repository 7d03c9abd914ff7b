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
    let feature = "GROUPING SETS, ROLLUP and CUBE";
    only_postgres(
        Order::query()
            .group_by_rollup(|o| (o.town_id, o.paid))
            .order_by(|g| (g.key().0.asc().nulls_first(), g.key().1.desc()))
            .select(|g| (g.key(), g.count())),
        r#"SELECT t0."town_id", t0."paid", count(*) FROM "orders" AS t0 GROUP BY ROLLUP (t0."town_id", t0."paid") ORDER BY t0."town_id" NULLS FIRST, t0."paid" DESC"#,
        feature,
    );
    only_postgres(
        Order::query()
            .group_by_cube(|o| (o.town_id, o.amount / 10))
            .select(|g| (g.key(), g.sum(|o| o.amount))),
        r#"SELECT t0."town_id", t0."amount" / $1, CAST(sum(t0."amount") AS bigint) FROM "orders" AS t0 GROUP BY CUBE (t0."town_id", t0."amount" / $1)"#,
        feature,
    );
    only_postgres(
        Order::query()
            .join(|o| o.town)
            .group_by_sets(
                |(o, town)| (town.name, o.paid),
                |sets, (name, paid)| sets.set((name, paid)).set(paid).total(),
            )
            .having(|g| g.agg(|(o, _)| o.amount.max()).gt(3))
            .select(|g| (g.key(), g.count())),
        r#"SELECT t1."name", t0."paid", count(*) FROM "orders" AS t0 JOIN "towns" AS t1 ON t1."id" = t0."town_id" GROUP BY GROUPING SETS ((t1."name", t0."paid"), (t0."paid"), ()) HAVING max(t0."amount") > $1"#,
        feature,
    );
    only_postgres(
        Order::query()
            .group_by_rollup(|o| o.town_id)
            .select(|g| g.grouping(|town| town)),
        r#"SELECT grouping(t0."town_id") FROM "orders" AS t0 GROUP BY ROLLUP (t0."town_id")"#,
        feature,
    );
}
