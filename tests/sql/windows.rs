//! Window functions: typed queries beside their text.

use orm::ErrorKind;
use orm::prelude::*;
use orm::window::{cume_dist, dense_rank, ntile, percent_rank, rank, row_number};
use orm_core::sql::Dialect;

use crate::support::{postgres, sqlite};

#[derive(Model)]
#[has_many(sales: Sale, by = shop_id)]
struct Shop {
    id: Id<Shop>,
    name: String,
}

#[derive(Model)]
#[orm(soft_delete)]
struct Sale {
    id: Id<Sale>,
    #[belongs_to(shop: Shop)]
    shop_id: Id<Shop>,
    #[orm(decimal(10, 2))]
    price: rust_decimal::Decimal,
    weight: f64,
    amount: i64,
    stars: Option<i32>,
    day: chrono::NaiveDate,
}

#[track_caller]
fn check<M: Model, O>(query: &Query<M, O>, pg: &str, lite: &str) {
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    assert_eq!(query.to_sql(sqlite()).unwrap().text.as_ref(), lite);
}

#[track_caller]
fn same<M: Model, O>(query: Query<M, O>, pg: &str) {
    check(&query, pg, &pg.replace('$', "?"));
}

#[track_caller]
fn refused<M: Model, O>(query: Query<M, O>, kind: ErrorKind, message: &str) {
    for dialect in [postgres() as &dyn Dialect, sqlite()] {
        let e = query.to_sql(dialect).unwrap_err();
        assert_eq!(e.kind(), kind);
        assert!(e.message().starts_with(message), "{}", e.message());
    }
}

#[test]
fn functions_that_number_rows() {
    check(
        &Sale::query().select(|s| {
            (
                row_number().over(|w| w.partition_by(s.shop_id).order_by(s.id.asc())),
                rank().over(|w| w.order_by((s.amount.desc(), s.id.asc()))),
                dense_rank().over(|w| w.partition_by((s.shop_id, s.day)).order_by(s.stars.asc())),
            )
        }),
        r#"SELECT row_number() OVER (PARTITION BY t0."shop_id" ORDER BY t0."id"), rank() OVER (ORDER BY t0."amount" DESC, t0."id"), dense_rank() OVER (PARTITION BY t0."shop_id", t0."day" ORDER BY t0."stars") FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
        r#"SELECT row_number() OVER (PARTITION BY t0."shop_id" ORDER BY t0."id"), rank() OVER (ORDER BY t0."amount" DESC, t0."id"), dense_rank() OVER (PARTITION BY t0."shop_id", t0."day" ORDER BY t0."stars" NULLS LAST) FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn shares_and_buckets() {
    same(
        Sale::query().select(|s| {
            (
                percent_rank().over(|w| w.order_by(s.amount.asc())),
                cume_dist().over(|w| w.order_by(s.amount.asc())),
                ntile(4).over(|w| w.order_by(s.amount.asc())),
            )
        }),
        r#"SELECT percent_rank() OVER (ORDER BY t0."amount"), cume_dist() OVER (ORDER BY t0."amount"), ntile($1) OVER (ORDER BY t0."amount") FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn rows_before_and_behind() {
    same(
        Sale::query().select(|s| {
            (
                s.amount.lag(1).over(|w| w.order_by(s.id.asc())),
                s.amount.lead_or(2, 0).over(|w| w.order_by(s.id.asc())),
                s.amount
                    .lag(1)
                    .over(|w| w.order_by(s.id.asc()))
                    .map(|before| s.amount - before),
            )
        }),
        r#"SELECT lag(t0."amount", $1) OVER (ORDER BY t0."id"), lead(t0."amount", $2, $3) OVER (ORDER BY t0."id"), t0."amount" - lag(t0."amount", $4) OVER (ORDER BY t0."id") FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn values_of_a_frame() {
    same(
        Sale::query().select(|s| {
            (
                s.day.first_value().over(|w| w.order_by(s.id.asc())),
                s.day.last_value().over(|w| w.order_by(s.id.asc()).rows(..)),
                s.day.nth_value(3).over(|w| w.order_by(s.id.asc())),
            )
        }),
        r#"SELECT first_value(t0."day") OVER (ORDER BY t0."id"), last_value(t0."day") OVER (ORDER BY t0."id" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(t0."day", $1) OVER (ORDER BY t0."id") FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn aggregates_over_windows() {
    let query = Sale::query().select(|s| {
        (
            s.amount.sum().over(|w| w.partition_by(s.shop_id)),
            s.amount.avg().over(|w| w.order_by(s.id.asc()).rows(-3..=3)),
            s.id.count().filter(s.amount.gt(10)).over(|w| w),
            s.amount.sum().over(|w| w.order_by(s.id.asc()).rows(..=0)) / s.id.count().over(|w| w),
        )
    });
    check(
        &query,
        r#"SELECT CAST(sum(t0."amount") OVER (PARTITION BY t0."shop_id") AS bigint), CAST(avg(t0."amount") OVER (ORDER BY t0."id" ROWS BETWEEN $1 PRECEDING AND $2 FOLLOWING) AS double precision), count(t0."id") FILTER (WHERE t0."amount" > $3) OVER (), CAST(sum(t0."amount") OVER (ORDER BY t0."id" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bigint) / count(t0."id") OVER () FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
        r#"SELECT sum(t0."amount") OVER (PARTITION BY t0."shop_id"), avg(t0."amount") OVER (ORDER BY t0."id" ROWS BETWEEN ?1 PRECEDING AND ?2 FOLLOWING), count(t0."id") FILTER (WHERE t0."amount" > ?3) OVER (), sum(t0."amount") OVER (ORDER BY t0."id" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) / count(t0."id") OVER () FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn frames_of_values_are_counted_as_what_they_are_ordered_by() {
    let query = Sale::query().select(|s| {
        (
            s.id.count().over(|w| w.order_by(s.amount.asc()).range(-10..=10)),
            s.id.count().over(|w| w.order_by(s.weight.asc()).range(-1..)),
            s.id.count().over(|w| w.order_by(s.price.asc()).range(..=5)),
            s.id.count().over(|w| w.order_by(s.day.asc()).range(..=0)),
        )
    });
    check(
        &query,
        r#"SELECT count(t0."id") OVER (ORDER BY t0."amount" RANGE BETWEEN $1 PRECEDING AND $2 FOLLOWING), count(t0."id") OVER (ORDER BY t0."weight" RANGE BETWEEN $3 PRECEDING AND UNBOUNDED FOLLOWING), count(t0."id") OVER (ORDER BY t0."price" RANGE BETWEEN UNBOUNDED PRECEDING AND $4 FOLLOWING), count(t0."id") OVER (ORDER BY t0."day" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
        r#"SELECT count(t0."id") OVER (ORDER BY t0."amount" RANGE BETWEEN ?1 PRECEDING AND ?2 FOLLOWING), count(t0."id") OVER (ORDER BY t0."weight" RANGE BETWEEN ?3 PRECEDING AND UNBOUNDED FOLLOWING), count(t0."id") OVER (ORDER BY t0."price" RANGE BETWEEN UNBOUNDED PRECEDING AND ?4 FOLLOWING), count(t0."id") OVER (ORDER BY t0."day" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
    use orm_core::value::{DecimalParts, Value};
    let five = Value::Decimal(DecimalParts {
        mantissa: 5,
        scale: 0,
    });
    let integers = [Value::I64(10), Value::I64(10), Value::F64(1.0)];
    let pg = query.to_sql(postgres()).unwrap().params;
    assert_eq!((&pg[..3], &pg[3]), (&integers[..], &five));
    assert_eq!(query.to_sql(sqlite()).unwrap().params[3], Value::I64(500));
}

#[test]
fn groups_and_exclusions() {
    same(
        Sale::query().select(|s| {
            (
                s.amount
                    .max()
                    .over(|w| w.order_by(s.day.asc()).groups(-1..2).exclude_group()),
                s.amount
                    .max()
                    .over(|w| w.order_by(s.day.asc()).exclude_current_row()),
                s.amount
                    .max()
                    .over(|w| w.order_by(s.day.asc()).exclude_ties().rows(0..)),
            )
        }),
        r#"SELECT max(t0."amount") OVER (ORDER BY t0."day" GROUPS BETWEEN $1 PRECEDING AND $2 FOLLOWING EXCLUDE GROUP), max(t0."amount") OVER (ORDER BY t0."day" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW), max(t0."amount") OVER (ORDER BY t0."day" ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE TIES) FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL"#,
    );
}

#[test]
fn named_windows() {
    same(
        Sale::query()
            .window("shop", |s, w| w.partition_by(s.shop_id))
            .window("so far", |s, w| {
                w.partition_by(s.shop_id).order_by(s.id.asc()).rows(..=0)
            })
            .select(|s| {
                (
                    row_number().over(|w| w.named("shop").order_by(s.id.desc())),
                    s.amount.max().over(|w| w.named("so far")),
                )
            }),
        r#"SELECT row_number() OVER ("shop" ORDER BY t0."id" DESC), max(t0."amount") OVER "so far" FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL WINDOW "shop" AS (PARTITION BY t0."shop_id"), "so far" AS (PARTITION BY t0."shop_id" ORDER BY t0."id" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"#,
    );
    let named = || {
        Sale::query()
            .window("plain", |s, w| w.order_by(s.id.asc()))
            .window("framed", |s, w| w.order_by(s.id.asc()).rows(..))
    };
    refused(
        named().select(|_| row_number().over(|w| w.named("other"))),
        ErrorKind::InvalidQuery,
        "no window called `other` in this query",
    );
    refused(
        named().select(|s| row_number().over(|w| w.named("plain").partition_by(s.day))),
        ErrorKind::InvalidQuery,
        "a named window keeps its PARTITION BY",
    );
    refused(
        named().select(|s| row_number().over(|w| w.named("plain").order_by(s.day.asc()))),
        ErrorKind::InvalidQuery,
        "a named window keeps its ORDER BY",
    );
    refused(
        named().select(|_| row_number().over(|w| w.named("framed").rows(..=0))),
        ErrorKind::InvalidQuery,
        "a named window with a frame is used as it is",
    );
    refused(
        named().window("plain", |_, w| w).select(|s| s.id),
        ErrorKind::InvalidQuery,
        "two windows are called `plain`",
    );
}

#[test]
fn ordered_by_and_compared() {
    same(
        Sale::query()
            .order_by(|s| rank().over(|w| w.order_by(s.amount.desc())).asc())
            .select(|s| (s.id, rank().over(|w| w.order_by(s.amount.desc())).le(3))),
        r#"SELECT t0."id", (rank() OVER (ORDER BY t0."amount" DESC) <= $1) IS TRUE FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL ORDER BY rank() OVER (ORDER BY t0."amount" DESC)"#,
    );
}

#[test]
fn over_groups_and_joins() {
    check(
        &Sale::query().group_by(|s| s.shop_id).select(|g| {
            (
                g.key(),
                rank().over(|w| w.order_by(g.count().desc())),
                g.count().sum().over(|w| w),
            )
        }),
        r#"SELECT t0."shop_id", rank() OVER (ORDER BY count(*) DESC), CAST(sum(count(*)) OVER () AS bigint) FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL GROUP BY t0."shop_id""#,
        r#"SELECT t0."shop_id", rank() OVER (ORDER BY count(*) DESC), sum(count(*)) OVER () FROM "sales" AS t0 WHERE t0."deleted_at" IS NULL GROUP BY t0."shop_id""#,
    );
    same(
        Sale::query()
            .join(|s| s.shop)
            .window("shop", |(_, shop), w| w.partition_by(shop.name))
            .select(|(s, _)| s.amount.max().over(|w| w.named("shop"))),
        r#"SELECT max(t0."amount") OVER "shop" FROM "sales" AS t0 JOIN "shops" AS t1 ON t1."id" = t0."shop_id" WHERE t0."deleted_at" IS NULL WINDOW "shop" AS (PARTITION BY t1."name")"#,
    );
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
fn what_no_database_takes_is_refused() {
    let over = |f: fn(orm::window::Window<Sale>, SaleCols<Sale>) -> orm::window::Window<Sale>| {
        Sale::query().select(move |s| s.amount.sum().over(|w| f(w, s)))
    };
    let invalid = ErrorKind::InvalidQuery;
    refused(
        over(|w, s| w.order_by(s.id.asc()).rows(2..=-2)),
        invalid,
        "a frame that ends before it starts",
    );
    refused(
        over(|w, _| w.rows(1..=0)),
        invalid,
        "a frame that ends before it starts",
    );
    refused(
        over(|w, _| w.groups(..=0)),
        invalid,
        "a frame of groups needs an ordered window",
    );
    for window in [
        over(|w, s| w.order_by(s.day.asc()).range(-7..=0)),
        over(|w, _| w.range(-7..=0)),
        over(|w, s| w.order_by((s.amount.asc(), s.id.asc())).range(-7..=0)),
    ] {
        refused(
            window,
            invalid,
            "a frame of a range of values needs a window ordered by one number",
        );
    }
    refused(
        Sale::query().select(|_| ntile(0).over(|w| w)),
        invalid,
        "`ntile` and `nth_value` count from 1",
    );
    refused(
        Sale::query().select(|s| s.amount.nth_value(0).over(|w| w)),
        invalid,
        "`ntile` and `nth_value` count from 1",
    );
    refused(
        Sale::query().select(|s| s.amount.lag(u32::MAX).over(|w| w)),
        ErrorKind::Encode,
        "the number does not fit a 32-bit integer",
    );
    refused(
        Sale::query().select(|s| s.amount.sum().distinct().over(|w| w)),
        ErrorKind::Unsupported,
        "DISTINCT or ORDER BY in an aggregate over a window",
    );
    let nested =
        |s: SaleCols<Sale>| row_number().over(|w| w.order_by(rank().over(|w| w.order_by(s.id.asc())).asc()));
    refused(
        Sale::query().select(nested),
        invalid,
        "a window function inside the window of another",
    );
}
