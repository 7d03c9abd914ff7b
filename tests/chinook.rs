//! The music shop of `examples/chinook` on every backend: typed answers against SQL written by hand.
// printing is the example's alone
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "../examples/chinook/check.rs"]
mod check;
#[path = "../examples/chinook/load.rs"]
mod load;
#[path = "../examples/chinook/models.rs"]
mod models;
#[path = "../examples/chinook/progress.rs"]
mod progress;
#[path = "../examples/chinook/questions.rs"]
mod questions;
#[path = "../examples/chinook/table.rs"]
mod table;
#[path = "../examples/chinook/tour.rs"]
mod tour;

use orm::prelude::*;

use crate::load::{Error, load};
use crate::models::*;

/// All rows are there, under the keys of the files, and every answer is that of the hand-written SQL.
async fn holds(db: &Db) -> Result<(), Error> {
    assert_eq!(load(db).await?, 15_607);
    assert_eq!(PlaylistTrack::query().count(db).await?, 8_715);
    assert_eq!(InvoiceLine::query().count(db).await?, 2_240);
    let track = Track::get(db, Id::new(3_503)).await?;
    assert_eq!(track.name, "Koyaanisqatsi");
    assert_eq!(track.unit_price.to_string(), "0.99");
    let next = NewGenre {
        name: "Skiffle".into(),
    }
    .insert(db)
    .await?;
    assert!(
        next.id > Id::new(25),
        "the generated keys go on after the given ones"
    );
    next.delete(db).await?;
    let verdicts = check::check(db).await?;
    let different: Vec<&str> = verdicts.iter().filter(|v| !v.matches).map(|v| v.title).collect();
    assert_eq!(different, Vec::<&str>::new());
    assert!(verdicts.len() == 23 && verdicts.iter().all(|v| v.rows > 0));
    assert_eq!(Invoice::query().count(db).await?, 412, "the order was taken back");
    Ok(())
}

#[tokio::test]
async fn answers_match_on_sqlite() -> Result<(), Error> {
    holds(&Db::connect("sqlite::memory:").await?).await
}

#[tokio::test]
async fn answers_match_on_postgres() -> Result<(), Error> {
    holds(&*orm::testing::fresh_postgres().await?).await
}
