//! Every typed query beside the SQL of the specification.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use orm::model::Model;
use orm::prelude::*;
use orm::query::RawSql;
use orm::{Pending, Scaled};

use crate::cells::{Cell, Cells};
use crate::{postgres, queries, sqlite};

/// Rows on their way.
type Fetched<'a> = Pin<Box<dyn Future<Output = orm::Result<Vec<Vec<Cell>>>> + Send + 'a>>;

/// A query of the specification.
pub struct Question {
    pub number: u8,
    pub title: &'static str,
    /// The typed query.
    pub ask: fn(&Db) -> Fetched<'_>,
    /// The SQL of the specification.
    pub proof: fn(&Db) -> Fetched<'_>,
    /// The statement of the typed query.
    pub sql: fn(&Db) -> orm::Result<String>,
}

/// How a query went on one database.
pub struct Verdict {
    pub rows: usize,
    pub equal: bool,
    /// Whether there is anything but NULL to compare.
    pub telling: bool,
    /// What the typed query took, and the SQL of the specification.
    pub took: [Duration; 2],
}

/// Money, and sums of it.
type Money = Scaled<18, 2>;
/// A product of two decimals with two digits.
type Product = Scaled<18, 4>;
type Total = Option<Product>;

macro_rules! questions {
    ($($number:literal $name:ident $title:literal $Row:ty;)*) => {
        /// All of them, in the order of the specification.
        pub const QUESTIONS: &[Question] = &[$(Question {
            number: $number,
            title: $title,
            ask: |db| typed(db, queries::$name()),
            proof: |db| rows(spec(db, sqlite::$name, postgres::$name).fetch::<$Row, _>(db)),
            sql: |db| Ok(queries::$name().to_sql(db.dialect())?.text.to_string()),
        }),*];
    };
}
questions! {
    1 q01 "pricing summary report"
        (String, String, Money, Money, Product, Scaled<18, 6>, f64, f64, f64, i64);
    2 q02 "minimum cost supplier" (Money, String, String, i64, String, String, String, String);
    3 q03 "shipping priority" (i64, Product, NaiveDate, i32);
    4 q04 "order priority checking" (String, i64);
    5 q05 "local supplier volume" (String, Product);
    6 q06 "forecasting revenue change" (Total,);
    7 q07 "volume shipping" (String, String, i64, Product);
    8 q08 "national market share" (i64, Option<f64>);
    9 q09 "product type profit measure" (String, i64, Product);
    10 q10 "returned item reporting" (i64, String, Product, Money, String, String, String, String);
    11 q11 "important stock identification" (i64, Money);
    12 q12 "shipping modes and order priority" (String, i64, i64);
    13 q13 "customer distribution" (i64, i64);
    14 q14 "promotion effect" (Option<f64>,);
    15 q15 "top supplier" (i64, String, String, String, Product);
    16 q16 "parts and suppliers" (String, String, i32, i64);
    17 q17 "small-quantity-order revenue" (Option<f64>,);
    18 q18 "large volume customers" (String, i64, i64, NaiveDate, Money, Money);
    19 q19 "discounted revenue" (Total,);
    20 q20 "potential part promotion" (String, String);
    21 q21 "suppliers who kept orders waiting" (String, i64);
    22 q22 "global sales opportunity" (String, i64, Money);
}

/// Asks one question twice.
pub async fn compare(db: &Db, question: &Question) -> orm::Result<Verdict> {
    let start = Instant::now();
    let answer = (question.ask)(db).await?;
    let asked = start.elapsed();
    let proof = (question.proof)(db).await?;
    Ok(Verdict {
        rows: proof.len(),
        equal: answer == proof,
        telling: proof.iter().flatten().any(|cell| *cell != Cell::Null),
        took: [asked, start.elapsed() - asked],
    })
}

fn typed<'a, M, R>(db: &'a Db, query: Query<M, R>) -> Fetched<'a>
where
    M: Model,
    R: Cells,
    Db: Serves<M>,
{
    rows(query.all(db))
}

fn spec(db: &Db, sqlite: fn() -> RawSql, postgres: fn() -> RawSql) -> RawSql {
    match db.dialect().name() {
        "sqlite" => sqlite(),
        _ => postgres(),
    }
}

fn rows<R: Cells>(fetched: Pending<'_, Vec<R>>) -> Fetched<'_> {
    Box::pin(async move { Ok(fetched.await?.iter().map(R::cells).collect()) })
}
