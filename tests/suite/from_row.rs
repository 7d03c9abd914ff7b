//! Models and shapes as what `sqlx::query_as` reads, on a connection that was lent out.

use orm::prelude::*;
use orm::testing::TestDb;
use sqlx::{FromRow, PgConnection, SqliteConnection};

use crate::inheritance::{Animal, Dog, zoo};
use crate::models::*;
use crate::raw::{Offer, Reduced};
use crate::types::plain;

/// The same with plain sqlx on either database, on a connection lent out by the driver.
macro_rules! lent {
    ($db:expr, |$connection:ident| $work:expr) => {
        match $db.url().starts_with("sqlite") {
            true => {
                let driver = orm::sqlite::Sqlite::connect($db.url()).await?;
                driver
                    .with_connection(async |$connection: &mut SqliteConnection| $work)
                    .await?
            }
            false => {
                let driver = orm::postgres::Postgres::connect($db.url()).await?;
                driver
                    .with_connection(async |$connection: &mut PgConnection| $work)
                    .await?
            }
        }
    };
}

/// All rows of a statement.
macro_rules! rows {
    ($db:expr, $Row:ty, $text:expr) => {
        lent!($db, |c| sqlx::query_as::<_, $Row>($text).fetch_all(c).await)
    };
}

#[orm::test(schema = orm::schema![Sample])]
async fn every_type_as_it_was_stored(db: TestDb) -> orm::Result<()> {
    let empty = plain().insert(&*db).await?;
    let full = plain()
        .set(|s| {
            (
                s.maybe_text.to("x"),
                s.maybe_int.to(5),
                s.maybe_mood.to(Mood::Sad),
                s.maybe_price.to(rust_decimal::Decimal::new(105, 2)),
            )
        })
        .insert(&*db)
        .await?;
    let rows = rows!(db, Sample, "SELECT * FROM samples ORDER BY id").unwrap();
    assert_eq!(rows, [empty, full]);
    Ok(())
}

#[orm::test(schema = orm::schema![Offer])]
async fn embedded_structs_and_shapes_by_name(db: TestDb) -> orm::Result<()> {
    let made = crate::raw::offer(&db, None).await?;
    let text = "SELECT price_currency, price_amount, 1 AS extra, off, rate, exact, count, id FROM offers";
    assert_eq!(rows!(db, Offer, text).unwrap(), [made.clone()]);
    let shapes = rows!(
        db,
        Reduced,
        "SELECT price_currency, price_amount, rate, off FROM offers"
    )
    .unwrap();
    assert_eq!(shapes, Offer::query().shape::<Reduced>().all(&*db).await?);
    Ok(())
}

#[orm::test(schema = blog())]
async fn errors_name_the_model_and_the_field(db: TestDb) -> orm::Result<()> {
    user(&*db, "ann").await;
    for (text, field) in [
        ("SELECT id, email, name, bio FROM users", "age"),
        ("SELECT id, email, NULL AS name, bio, age FROM users", "name"),
        ("SELECT id, email, name, bio, 'old' AS age FROM users", "age"),
    ] {
        let failed = rows!(db, User, text).unwrap_err();
        let sqlx::Error::Decode(inner) = failed else {
            panic!("{failed}");
        };
        let e = inner.downcast::<Error>().unwrap();
        assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some(field)), "{e}");
        assert_eq!(e.model(), Some("User"), "{e}");
    }
    Ok(())
}

#[orm::test(schema = crate::inheritance::schema())]
async fn rows_of_an_enum_of_models(db: TestDb) -> orm::Result<()> {
    let (_, dog, cat, fish) = zoo(&db).await?;
    let rows = rows!(db, Animal, "SELECT * FROM animals ORDER BY id").unwrap();
    assert_eq!(
        rows,
        [Animal::Dog(dog.clone()), Animal::Cat(cat), Animal::Fish(fish)]
    );
    assert_eq!(
        rows!(db, Dog, "SELECT * FROM animals WHERE kind = 'dog'").unwrap(),
        [dog]
    );
    Ok(())
}

/// A build with both backends has both impls, one with one has one.
fn both<T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> FromRow<'r, sqlx::postgres::PgRow>>() {}
const _: fn() = both::<User>;
const _: fn() = both::<Reduced>;
