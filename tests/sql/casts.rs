//! Types that statements cast from and to text.

use orm::prelude::*;
use orm::{Multirange, Range};

use orm_core::exec::create::create_statements;

use crate::create::texts;
use crate::support::{postgres, sqlite};

#[derive(Model)]
struct Shift {
    id: Id<Shift>,
    hours: Multirange<i32>,
    others: Vec<Multirange<i32>>,
}

#[track_caller]
fn check<O: orm::value::Output>(query: Query<Shift, O>, on_postgres: &str, on_sqlite: &str) {
    assert_eq!(&*query.clone().to_sql(postgres()).unwrap().text, on_postgres);
    assert_eq!(&*query.to_sql(sqlite()).unwrap().text, on_sqlite);
}

#[derive(orm::Composite)]
struct Size {
    width: i32,
    #[allow(dead_code)]
    unit: Option<String>,
}
#[derive(orm::Composite)]
#[orm(name = "a box")]
struct Carton {
    size: Size,
}
#[derive(Model)]
struct Parcel {
    id: Id<Parcel>,
    carton: Carton,
}

#[test]
fn composite_types_are_created_in_front_of_their_tables() {
    let created = |dialect: &'static dyn orm::sql::Dialect| {
        let list = create_statements(&orm::schema![Parcel], dialect.features());
        texts(&list, dialect)
    };
    let text = created(postgres());
    assert_eq!(text[0], r#"CREATE TYPE "size" AS ("width" integer, "unit" text)"#);
    assert_eq!(text[1], r#"CREATE TYPE "a box" AS ("size" "size")"#);
    assert!(text[2].contains(r#""carton" "a box" NOT NULL"#), "{}", text[2]);
    let text = created(sqlite());
    assert!(text[0].contains(r#""carton" TEXT NOT NULL"#), "{}", text[0]);
    let carton = Carton {
        size: Size {
            width: 3,
            unit: Some("c\"m".into()),
        },
    };
    let query = Parcel::query().filter(|p| p.carton.eq(carton)).select(|p| p.id);
    let sql = query.to_sql(postgres()).unwrap();
    assert_eq!(
        &*sql.text,
        r#"SELECT t0."id" FROM "parcels" AS t0 WHERE t0."carton" = CAST($1 AS "a box")"#
    );
    let row = r#"("(""3"",""c""""m"")")"#;
    assert!(matches!(&sql.params[0], orm::value::Value::Other(_, text) if &**text == row));
}

#[test]
fn values_are_cast_and_results_are_text() {
    let set: Multirange<i32> = [Range::from(1..3)].into();
    check(
        Shift::query().filter(|s| s.hours.eq(set.clone()).and(s.others.ne(vec![set.clone()]))),
        r#"SELECT t0."id", CAST(t0."hours" AS text), CAST(t0."others" AS text[]) FROM "shifts" AS t0 WHERE t0."hours" = CAST($1 AS int4multirange) AND t0."others" <> CAST($2 AS int4multirange[])"#,
        r#"SELECT t0."id", t0."hours", t0."others" FROM "shifts" AS t0 WHERE t0."hours" = ?1 AND t0."others" <> ?2"#,
    );
    // what stands inside another query keeps its type
    let inner = Shift::query().select(|s| (s.id, s.hours));
    check(
        Shift::query()
            .join_on(inner, |s, (id, hours)| s.id.eq(id).and(s.hours.eq(hours)))
            .select(|(_, (_, hours))| hours),
        r#"SELECT CAST(t1."hours" AS text) FROM "shifts" AS t0 JOIN (SELECT t2."id" AS "id", t2."hours" AS "hours" FROM "shifts" AS t2) AS t1 ON t0."id" = t1."id" AND t0."hours" = t1."hours""#,
        r#"SELECT t1."hours" FROM "shifts" AS t0 JOIN (SELECT t2."id" AS "id", t2."hours" AS "hours" FROM "shifts" AS t2) AS t1 ON t0."id" = t1."id" AND t0."hours" = t1."hours""#,
    );
    check(
        Shift::query().filter(|s| s.hours.in_([set])).select(|s| s.id),
        r#"SELECT t0."id" FROM "shifts" AS t0 WHERE t0."hours" = CAST($1 AS int4multirange)"#,
        r#"SELECT t0."id" FROM "shifts" AS t0 WHERE t0."hours" = ?1"#,
    );
}
