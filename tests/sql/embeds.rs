//! Embedded structs, part by part and whole.

use orm::prelude::*;
use orm_core::exec::create::create_statements;

use crate::create::texts;
use crate::support::{postgres, sqlite};

#[derive(Embed)]
struct Code {
    #[orm(ty = "varchar(3)")]
    short: String,
    #[orm(ty(postgres = "citext"))]
    long: String,
}

#[derive(Model)]
struct Coded {
    id: Id<Coded>,
    #[orm(embed)]
    code: Option<Code>,
    #[orm(ty(sqlite = "ANY", postgres = "numeric(30)"), default = 0)]
    count: i64,
}

#[test]
fn types_are_written_as_they_are_given() {
    let table = |dialect: &'static dyn orm::sql::Dialect| {
        let list = create_statements(&orm::schema![Coded], dialect.features());
        texts(&list[..1], dialect).remove(0)
    };
    let (pg, lite) = (table(postgres()), table(sqlite()));
    assert!(
        pg.contains(
            r#""code_short" varchar(3),  "code_long" citext,  "count" numeric(30) NOT NULL DEFAULT 0"#
        ),
        "{pg}"
    );
    assert!(
        lite.contains(r#""code_short" varchar(3),  "code_long" TEXT,  "count" ANY NOT NULL DEFAULT 0"#),
        "{lite}"
    );
}

#[derive(Embed, Clone)]
struct Address {
    #[orm(check = "length({street}) > 0 and {street} <> {city}")]
    street: String,
    #[orm(index)]
    city: String,
    #[orm(column = "zip\"code")]
    zip: Option<String>,
}

/// Who buys.
#[derive(Model)]
#[orm(index(home.city), index(ship.city.desc(), where = "ship_zip is null"), unique(home.zip, name = "one_zip"))]
struct Customer {
    id: Id<Customer>,
    /// Where they live.
    #[orm(embed)]
    home: Address,
    #[orm(embed)]
    ship: Option<Address>,
}

fn address() -> Address {
    Address {
        street: "s".into(),
        city: "c".into(),
        zip: None,
    }
}

fn check<O>(query: Query<Customer, O>, pg: &str, lite: &str) {
    assert_eq!(query.to_sql(postgres()).unwrap().text.as_ref(), pg);
    assert_eq!(query.to_sql(sqlite()).unwrap().text.as_ref(), lite);
}

#[test]
fn parts_are_columns() {
    check(
        Customer::query()
            .filter(|c| c.home.city.eq("Oslo").and(c.ship.street.is_null()))
            .order_by(|c| c.ship.city.asc())
            .select(|c| (c.home.street, c.ship.zip)),
        r#"SELECT t0."home_street", t0."ship_zip""code" FROM "customers" AS t0 WHERE t0."home_city" = $1 AND t0."ship_street" IS NULL ORDER BY t0."ship_city""#,
        r#"SELECT t0."home_street", t0."ship_zip""code" FROM "customers" AS t0 WHERE t0."home_city" = ?1 AND t0."ship_street" IS NULL ORDER BY t0."ship_city" NULLS LAST"#,
    );
}

#[test]
fn a_whole_is_selected_and_grouped_as_its_parts() {
    check(
        Customer::query()
            .group_by(|c| c.ship)
            .select(|g| (g.key(), g.count())),
        r#"SELECT t0."ship_street", t0."ship_city", t0."ship_zip""code", count(*) FROM "customers" AS t0 GROUP BY t0."ship_street", t0."ship_city", t0."ship_zip""code""#,
        r#"SELECT t0."ship_street", t0."ship_city", t0."ship_zip""code", count(*) FROM "customers" AS t0 GROUP BY t0."ship_street", t0."ship_city", t0."ship_zip""code""#,
    );
}

#[test]
fn a_whole_is_compared_as_in_rust() {
    let id = |query: Query<Customer>| query.select(|c| c.id);
    check(
        id(Customer::query().filter(|c| c.home.eq(address()))),
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE t0."home_street" = $1 AND t0."home_city" = $2 AND t0."home_zip""code" IS NOT DISTINCT FROM $3"#,
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE t0."home_street" = ?1 AND t0."home_city" = ?2 AND t0."home_zip""code" IS NOT DISTINCT FROM ?3"#,
    );
    check(
        id(Customer::query().filter(|c| c.ship.ne(c.home))),
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE NOT (t0."ship_street" IS NOT DISTINCT FROM t0."home_street" AND t0."ship_city" IS NOT DISTINCT FROM t0."home_city" AND t0."ship_zip""code" IS NOT DISTINCT FROM t0."home_zip""code")"#,
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE NOT (t0."ship_street" IS NOT DISTINCT FROM t0."home_street" AND t0."ship_city" IS NOT DISTINCT FROM t0."home_city" AND t0."ship_zip""code" IS NOT DISTINCT FROM t0."home_zip""code")"#,
    );
    check(
        id(Customer::query().filter(|c| c.ship.is_null().or(c.ship.is_not_null()))),
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE ((t0."ship_street" IS NULL AND t0."ship_city" IS NULL AND t0."ship_zip""code" IS NULL) OR (t0."ship_street" IS NOT NULL OR t0."ship_city" IS NOT NULL OR t0."ship_zip""code" IS NOT NULL))"#,
        r#"SELECT t0."id" FROM "customers" AS t0 WHERE ((t0."ship_street" IS NULL AND t0."ship_city" IS NULL AND t0."ship_zip""code" IS NULL) OR (t0."ship_street" IS NOT NULL OR t0."ship_city" IS NOT NULL OR t0."ship_zip""code" IS NOT NULL))"#,
    );
}

#[test]
fn the_table_has_the_columns_checks_and_indexes() {
    let list = texts(
        &create_statements(&orm::schema![Customer], postgres().features()),
        postgres(),
    );
    assert_eq!(
        list,
        [
            r#"CREATE TABLE "customers" (  "id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,  "home_street" text NOT NULL,  "home_city" text NOT NULL,  "home_zip""code" text,  "ship_street" text,  "ship_city" text,  "ship_zip""code" text,  CONSTRAINT "pk_customers" PRIMARY KEY ("id"),  CONSTRAINT "one_zip" UNIQUE ("home_zip""code"),  CONSTRAINT "ck_customers_home_street" CHECK (length("home_street") > 0 and "home_street" <> "home_city"),  CONSTRAINT "ck_customers_ship_street" CHECK (length("ship_street") > 0 and "ship_street" <> "ship_city"))"#,
            r#"CREATE INDEX "ix_customers_home_city" ON "customers" ("home_city")"#,
            r#"CREATE INDEX "ix_customers_ship_city" ON "customers" ("ship_city" DESC) WHERE ship_zip is null"#,
            r#"CREATE INDEX "ix_customers_ship_city_all" ON "customers" ("ship_city")"#,
            r#"COMMENT ON TABLE "customers" IS 'Who buys.'"#,
            r#"COMMENT ON COLUMN "customers"."home_street" IS 'Where they live.'"#,
            r#"COMMENT ON COLUMN "customers"."home_city" IS 'Where they live.'"#,
            r#"COMMENT ON COLUMN "customers"."home_zip""code" IS 'Where they live.'"#,
        ]
    );
}
