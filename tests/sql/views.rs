//! CREATE VIEW: the query of the view with its values as constants, because a definition has no binds.

use orm::exec::create::{create_statements, drop_statements};
use orm::prelude::*;
use orm::query::{Query, cte, now};
use orm_core::ast::ddl::{Ddl, Name};
use orm_core::error::ErrorKind;
use orm_core::sql::{Dialect, Scope, render_ddl};

use crate::support::{postgres, sqlite};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Red,
    Green,
}

#[derive(Model, Clone, Debug)]
#[orm(soft_delete)]
struct Car {
    id: Id<Car>,
    name: String,
    doors: i32,
    fast: bool,
    weight: f64,
    paint: Paint,
    built: Timestamp,
    serial: uuid::Uuid,
    #[orm(decimal(10, 2))]
    price: rust_decimal::Decimal,
    photo: Vec<u8>,
}

/// Texts of what creates the schema's views, without its tables.
fn created(schema: &orm::Schema, dialect: &dyn Dialect) -> orm::Result<Vec<String>> {
    let statements = create_statements(schema, dialect.features());
    let texts = statements
        .iter()
        .map(|ddl| Ok(render_ddl(ddl, dialect, &Scope::default())?.text.to_string()));
    texts.collect()
}

#[track_caller]
fn creates(schema: orm::Schema, on_postgres: &[&str], on_sqlite: &[&str]) {
    assert_eq!(created(&schema, postgres()).unwrap(), on_postgres);
    assert_eq!(created(&schema, sqlite()).unwrap(), on_sqlite);
}

fn by_doors() -> Query<Car, (i32, i64)> {
    Car::query()
        .filter(|c| c.name.ne("it's").and(c.fast.eq(true)))
        .group_by(|c| c.doors)
        .select(|g| (g.key(), g.count()))
}

/// How many cars.
#[derive(Model, Clone)]
#[orm(view = by_doors, table = "doors")]
struct ByDoors {
    #[orm(column = "door_count")]
    doors: i32,
    cars: i64,
}

#[test]
fn the_query_stands_in_the_definition_and_its_columns_have_the_names_of_the_view() {
    let query = "FROM \"cars\" AS t0 WHERE t0.\"name\" <> 'it''s' AND t0.\"fast\" = TRUE AND t0.\"deleted_at\" IS NULL \
                 GROUP BY t0.\"doors\"";
    let view = format!(
        "CREATE VIEW \"doors\" AS SELECT t0.\"doors\" AS \"door_count\", count(*) AS \"cars\" {query}"
    );
    creates(
        orm::schema![ByDoors],
        &[&view, "COMMENT ON VIEW \"doors\" IS 'How many cars.'"],
        &[&view],
    );
}

#[derive(Model, Clone)]
#[orm(view = "select door_count * 2 as doors from doors ; ", schema = "s")]
struct Twice {
    doors: i32,
}

#[test]
fn a_view_stands_behind_those_it_reads_and_goes_before_them() {
    let schema = orm::schema![Twice, ByDoors];
    let texts = created(&schema, postgres()).unwrap();
    assert_eq!(texts[0], "CREATE SCHEMA IF NOT EXISTS \"s\"");
    assert!(texts[1].starts_with("CREATE VIEW \"doors\""), "{texts:?}");
    assert_eq!(
        texts[3],
        "CREATE VIEW \"s\".\"twices\" AS select door_count * 2 as doors from doors"
    );
    let dropped: Vec<String> = drop_statements(&schema, postgres().features())
        .iter()
        .map(|ddl| {
            render_ddl(ddl, postgres(), &Scope::default())
                .unwrap()
                .text
                .to_string()
        })
        .collect();
    assert_eq!(
        dropped,
        [
            "DROP VIEW IF EXISTS \"s\".\"twices\"",
            "DROP VIEW IF EXISTS \"doors\""
        ]
    );
}

#[derive(Model, Clone)]
#[orm(view = constants)]
struct Constant {
    id: Id<Car>,
}

fn constants() -> Query<Car, Id<Car>> {
    let serial = uuid::Uuid::from_u128(0xabc);
    Car::query()
        .with_deleted()
        .filter(|c| {
            c.doors
                .in_([2, 4])
                .and(c.weight.gt(0.5))
                .and(c.paint.eq(Paint::Red))
        })
        .filter(|c| c.built.ge(Timestamp::from_micros(0)).and(c.serial.eq(serial)))
        .filter(|c| {
            c.price
                .lt(rust_decimal::Decimal::new(1999, 2))
                .and(c.photo.ne(vec![1, 255]))
        })
        .filter(|c| c.built.lt(now()).and(c.name.in_(["a", "b'"])))
        .select(|c| c.id)
        .limit(3)
}

#[test]
fn values_of_every_kind_are_constants() {
    creates(
        orm::schema![Constant],
        &[
            "CREATE VIEW \"constants\" AS SELECT t0.\"id\" AS \"id\" FROM \"cars\" AS t0 WHERE \
           t0.\"doors\" = ANY(CAST(ARRAY[2, 4] AS integer[])) AND t0.\"weight\" > CAST(0.5 AS double precision) AND \
           t0.\"paint\" = CAST('red' AS \"paint\") AND t0.\"built\" >= CAST('1970-01-01T00:00:00.000000Z' AS timestamptz) \
           AND t0.\"serial\" = CAST('00000000000000000000000000000abc' AS uuid) AND t0.\"price\" < 19.99 AND t0.\"photo\" \
           <> CAST('\\x01ff' AS bytea) AND t0.\"built\" < statement_timestamp() AND t0.\"name\" = \
           ANY(CAST(ARRAY['a', 'b'''] AS text[])) LIMIT 3",
        ],
        &[
            "CREATE VIEW \"constants\" AS SELECT t0.\"id\" AS \"id\" FROM \"cars\" AS t0 WHERE \
           t0.\"doors\" IN (SELECT value FROM json_each('[2,4]')) AND t0.\"weight\" > 0.5 AND t0.\"paint\" = 'red' AND \
           t0.\"built\" >= '1970-01-01T00:00:00.000000Z' AND t0.\"serial\" = X'00000000000000000000000000000abc' AND \
           t0.\"price\" < 1999 AND t0.\"photo\" <> X'01ff' AND t0.\"built\" < strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') \
           AND t0.\"name\" IN (SELECT value FROM json_each('[\"a\",\"b''\"]')) LIMIT +3",
        ],
    );
}

#[derive(Model, Clone)]
#[orm(view = named)]
struct Named {
    doors: i32,
    cars: i64,
}

fn named() -> Query<Car, (i32, i64)> {
    orm::from(cte("counted", by_doors())).select(|(doors, cars)| (doors, cars))
}

#[test]
fn common_table_expressions_stand_inside_the_definition() {
    for dialect in [postgres(), sqlite()] {
        let texts = created(&orm::schema![Named], dialect).unwrap();
        assert!(
            texts[0].starts_with("CREATE VIEW \"nameds\" AS WITH \"counted\""),
            "{texts:?}"
        );
    }
}

#[derive(Model, Clone)]
#[orm(view = by_doors, materialized, unique(cars), index(cars.desc(), where = "cars > 1"))]
struct Stored {
    #[orm(id)]
    doors: i32,
    cars: i64,
}

#[test]
fn a_materialized_view_has_unique_indexes_for_constraints() {
    let texts = created(&orm::schema![Stored], postgres()).unwrap();
    assert!(
        texts[0].starts_with("CREATE MATERIALIZED VIEW \"storeds\" AS SELECT"),
        "{texts:?}"
    );
    assert_eq!(
        texts[1..],
        [
            "CREATE UNIQUE INDEX \"pk_storeds\" ON \"storeds\" (\"doors\")",
            "CREATE UNIQUE INDEX \"uq_storeds_cars\" ON \"storeds\" (\"cars\")",
            "CREATE INDEX \"ix_storeds_cars\" ON \"storeds\" (\"cars\" DESC) WHERE cars > 1"
        ]
    );
    let e = created(&orm::schema![Stored], sqlite()).unwrap_err();
    assert_eq!(
        (e.kind(), e.message()),
        (
            ErrorKind::Unsupported,
            "a materialized view is not supported on sqlite"
        )
    );
    let name = || Name {
        schema: None,
        name: "storeds".into(),
    };
    for (concurrently, text) in [
        (false, "REFRESH MATERIALIZED VIEW \"storeds\""),
        (true, "REFRESH MATERIALIZED VIEW CONCURRENTLY \"storeds\""),
    ] {
        let refresh = Ddl::RefreshView {
            name: name(),
            concurrently,
        };
        let sql = render_ddl(&refresh, postgres(), &Scope::default()).unwrap();
        assert_eq!((&*sql.text, sql.writes), (text, true));
        assert!(render_ddl(&refresh, sqlite(), &Scope::default()).is_err());
    }
    let dropped = drop_statements(&orm::schema![Stored], postgres().features());
    let text = render_ddl(&dropped[0], postgres(), &Scope::default())
        .unwrap()
        .text;
    assert_eq!(&*text, "DROP MATERIALIZED VIEW IF EXISTS \"storeds\"");
}

#[derive(Model, Clone)]
#[orm(tenant(owner))]
struct Boat {
    id: Id<Boat>,
    owner: i64,
}

#[derive(Model, Clone)]
#[orm(view = || Boat::query().select(|b| b.id))]
struct Fleet {
    id: Id<Boat>,
}

#[test]
fn a_definition_knows_no_tenant() {
    for dialect in [postgres(), sqlite()] {
        let e = created(&orm::schema![Fleet], dialect).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::InvalidQuery);
        assert!(e.message().contains("knows no tenant"), "{e}");
    }
}

#[derive(Model, Clone)]
struct Crate {
    id: Id<Crate>,
    width: i64,
    #[orm(generated = "width * 2")]
    twice: i64,
    #[orm(generated(sql = "width * 3", virtual))]
    thrice: i64,
}

#[test]
fn columns_that_are_computed_are_stored_or_virtual() {
    for dialect in [postgres(), sqlite()] {
        let text = created(&orm::schema![Crate], dialect).unwrap().remove(0);
        assert!(text.contains("GENERATED ALWAYS AS (width * 2) STORED"), "{text}");
        assert!(text.contains("GENERATED ALWAYS AS (width * 3) VIRTUAL"), "{text}");
    }
}
