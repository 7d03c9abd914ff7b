//! Tables and values off the beaten track, and what only some databases have.

use std::time::Duration;

use orm::prelude::*;
use orm::testing::TestDb;

use crate::models::*;

/// Every column has a default.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Counter {
    pub id: Id<Counter>,
    #[orm(default = 3)]
    pub n: i64,
    #[orm(default(sql = "1 + 1"))]
    pub two: i64,
    #[orm(default = String::from("client"))]
    pub name: String,
    #[orm(generated = "n * 2")]
    pub twice: Option<i64>,
}

#[orm::test(schema = orm::schema![Counter])]
async fn a_row_of_nothing_but_defaults(db: Db) -> orm::Result<()> {
    let c = NewCounter {}.insert(&db).await?;
    assert_eq!((c.n, c.two, c.name.as_str(), c.twice), (3, 2, "client", Some(6)));
    let all = NewCounter::insert_all(&db, (0..3).map(|_| NewCounter {})).await?;
    assert!(all.iter().all(|c| (c.n, c.two) == (3, 2)));
    let c = c.update().set(|c| c.n.to(5)).save(&db).await?;
    assert_eq!(c.twice, Some(10), "the database computes it anew");
    assert_eq!(NewCounter {}.set(|c| c.two.to(7)).insert(&db).await?.two, 7);
    Ok(())
}

/// Types that the database has and the library does not speak of.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Ware {
    pub id: Id<Ware>,
    #[orm(unique, ty(postgres = "varchar(5)"))]
    pub code: String,
    #[orm(ty(postgres = "smallint", sqlite = "ANY"))]
    pub amount: i64,
    #[orm(ty(postgres = "timestamptz(0)"))]
    pub seen_at: Option<Timestamp>,
}

fn ware(code: &str, amount: i64) -> NewWare {
    NewWare {
        code: code.into(),
        amount,
    }
}

#[orm::test(schema = orm::schema![Ware])]
async fn columns_of_a_type_that_was_written_out(db: Db) -> orm::Result<()> {
    let seen = Timestamp::from_micros(1_700_000_000_000_000);
    let made = ware("abc", 7).set(|w| w.seen_at.to(seen)).insert(&db).await?;
    assert_eq!(Ware::get(&db, made.id).await?, made);
    assert_eq!((made.amount, made.seen_at), (7, Some(seen)));
    let many = (0..20).map(|i| ware(&format!("w{i}"), i));
    assert_eq!(NewWare::insert_all(&db, many).await?.len(), 20);
    let found = Ware::query()
        .filter(|w| w.code.eq("w3").and(w.amount.eq(3)))
        .one(&db)
        .await?;
    let row = ware("w3", 9)
        .upsert(|w| w.code)
        .update(|w, new| w.amount.to(w.amount + new.amount))
        .exec(&db)
        .await?
        .into_inner();
    assert_eq!((row.id, row.amount), (found.id, 12));
    let sum = Ware::query().aggregate(|w| w.amount.sum()).one(&db).await?;
    assert_eq!(sum, Some(7 + (0..20).sum::<i64>() + 9));
    Ok(())
}

#[orm::test(schema = orm::schema![Ware], requires = |f| f.enum_types)]
async fn the_database_keeps_the_limits_of_a_type_that_was_written_out(db: Db) {
    let e = refused(ware("abcdef", 7).insert(&db).await);
    assert_eq!(e.kind(), ErrorKind::OutOfRange);
    let e = refused(ware("abc", 70_000).insert(&db).await);
    assert_eq!(e.kind(), ErrorKind::OutOfRange);
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view, table = "busy_authors")]
pub struct BusyAuthor {
    #[orm(id)]
    pub author_id: i64,
    pub posts: i64,
}

#[orm::test(schema = blog())]
async fn a_view_is_read_like_a_table(db: Db) -> orm::Result<()> {
    sql!("create view busy_authors as select author_id, count(*) as posts from posts group by author_id")
        .exec(&db)
        .await?;
    let ann = user(&db, "ann").await;
    post(&db, &ann, "a").await;
    post(&db, &ann, "b").await;
    let rows = BusyAuthor::query().filter(|b| b.posts.gt(1)).all(&db).await?;
    assert_eq!(
        rows,
        [BusyAuthor {
            author_id: ann.id.raw(),
            posts: 2
        }]
    );
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Lists {
    pub id: Id<Lists>,
    pub numbers: Vec<i64>,
    pub words: Vec<String>,
    pub maybe: Option<Vec<bool>>,
}

#[orm::test]
async fn arrays_come_back_as_they_went_in(db: Db) -> orm::Result<()> {
    db.create_all(&orm::schema![Lists]).await?;
    let new = |n: i64| NewLists {
        numbers: vec![n, i64::MIN, i64::MAX],
        words: vec![String::new(), "ü,{}\"\\".into(), "NULL".into()],
    };
    let l = new(1).set(|l| l.maybe.to(vec![true, false])).insert(&db).await?;
    assert_eq!(
        (l.numbers.len(), l.words[1].as_str(), l.maybe.as_deref()),
        (3, "ü,{}\"\\", Some(&[true, false][..]))
    );
    let many = NewLists::insert_all(&db, (0..30).map(new)).await?;
    assert!(many.iter().enumerate().all(|(i, l)| l.numbers[0] == i as i64));
    let none = NewLists {
        numbers: vec![],
        words: vec![],
    }
    .insert(&db)
    .await?;
    assert_eq!((none.numbers.len(), none.maybe), (0, None));
    assert_eq!(
        Lists::query()
            .filter(|l| l.numbers.eq(vec![1, i64::MIN, i64::MAX]))
            .count(&db)
            .await?,
        2
    );
    Ok(())
}

#[orm::test(requires = |f| f.row_locks)]
async fn cells_beyond_what_rust_types_hold_are_errors_and_no_panics(db: Db) -> orm::Result<()> {
    use chrono::{DateTime, NaiveDate, Utc};
    use rust_decimal::Decimal;
    type Read<T> = orm::Result<T>;
    for _ in 0..2 {
        let r: Read<DateTime<Utc>> = sql!("select 'infinity'::timestamptz").fetch_one(&db).await;
        assert_eq!(refused(r).kind(), ErrorKind::Decode);
        let r: Read<DateTime<Utc>> = sql!("select '-infinity'::timestamptz").fetch_one(&db).await;
        assert_eq!(refused(r).kind(), ErrorKind::Decode);
        let r: Read<DateTime<Utc>> = sql!("select '294276-12-31 23:59:59Z'::timestamptz")
            .fetch_one(&db)
            .await;
        assert!(r.is_err_and(|e| e.kind() == ErrorKind::Decode));
        let r: Read<DateTime<Utc>> = sql!("select '4713-01-01 00:00:00Z BC'::timestamptz")
            .fetch_one(&db)
            .await;
        assert_eq!(r?.to_rfc3339(), "-4712-01-01T00:00:00+00:00");
        let r: Read<NaiveDate> = sql!("select 'infinity'::date").fetch_one(&db).await;
        assert_eq!(refused(r).kind(), ErrorKind::Decode);
        let r: Read<NaiveDate> = sql!("select '5874897-12-31'::date").fetch_one(&db).await;
        assert_eq!(refused(r).kind(), ErrorKind::Decode);
        for text in [
            "NaN",
            "Infinity",
            "1234567890123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
        ] {
            let r: Read<Decimal> = sql!("select cast(cast({text} as text) as numeric)")
                .fetch_one(&db)
                .await;
            assert_eq!(refused(r).kind(), ErrorKind::Decode, "{text}");
        }
    }
    let fine: i64 = sql!("select 1::bigint").fetch_one(&db).await?;
    assert_eq!(fine, 1);
    Ok(())
}

#[orm::test(schema = orm::schema![Counter], requires = |f| !f.row_locks)]
async fn a_cell_cannot_have_another_type_than_its_column(db: Db) -> orm::Result<()> {
    let e = refused(
        sql!("insert into counters (n, name) values ('abc', 'x')")
            .exec(&db)
            .await,
    );
    assert!(
        matches!(e.kind(), ErrorKind::OutOfRange | ErrorKind::CheckViolation),
        "{e:?}"
    );
    assert!(!e.to_string().contains("abc"));
    Ok(())
}

#[orm::test(schema = orm::schema![Sample], requires = |f| !f.row_locks)]
async fn booleans_and_enums_take_only_their_values(db: Db) -> orm::Result<()> {
    for text in ["2", "-1"] {
        let n: i64 = text.parse().unwrap();
        let e = refused(sql!("insert into samples (flag) values ({n})").exec(&db).await);
        assert!(
            matches!(e.kind(), ErrorKind::CheckViolation | ErrorKind::NotNullViolation),
            "{e:?}"
        );
    }
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| !f.row_locks, flavor = "multi_thread")]
async fn a_busy_database_is_typed_and_retry_waits_it_out(db: TestDb) -> orm::Result<()> {
    let options = orm::sqlite::SqliteOptions::parse(db.url())?.busy_timeout(Duration::from_millis(30));
    let other = Db::new(options.connect().await?);
    let held = db.begin().await?;
    tag(&held, "held").await;
    let e = refused(NewTag { name: "x".into() }.insert(&other).await);
    assert_eq!(e.kind(), ErrorKind::Busy);
    assert!(e.is_retryable());
    assert_eq!(
        Tag::query().count(&other).await?,
        0,
        "readers are not kept waiting"
    );
    let late = tokio::spawn(async move {
        other
            .tx()
            .retry(50)
            .run(async |tx| NewTag { name: "late".into() }.insert(tx).await)
            .await
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    held.commit().await?;
    late.await.expect("no panic")?;
    assert_eq!(Tag::query().count(&*db).await?, 2);
    Ok(())
}

#[orm::test(schema = blog())]
async fn two_handles_of_one_database_see_each_other(db: TestDb) -> orm::Result<()> {
    let other = db.again(orm::DbOptions::default()).await?;
    tag(&other, "x").await;
    assert_eq!(Tag::query().count(&*db).await?, 1);
    tag(&*db, "y").await;
    assert_eq!(Tag::query().count(&other).await?, 2);
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks)]
async fn a_statement_survives_a_change_of_its_table(db: TestDb) -> orm::Result<()> {
    let other = db.again(orm::DbOptions::default()).await?;
    for i in 0..3 {
        tag(&*db, &format!("t{i}")).await;
        Tag::query().order_by(|t| t.id.asc()).all(&*db).await?;
        let _: Vec<Tag> = sql!("select * from tags").fetch(&*db).await?;
    }
    sql!("alter table tags add column extra text")
        .exec(&other)
        .await?;
    assert_eq!(Tag::query().order_by(|t| t.id.asc()).all(&*db).await?.len(), 3);
    let star: Vec<Tag> = sql!("select * from tags").fetch(&*db).await?;
    assert_eq!(star.len(), 3, "a cached plan is made anew");
    sql!("alter table tags alter column name type varchar(50)")
        .exec(&other)
        .await?;
    assert_eq!(Tag::query().order_by(|t| t.id.asc()).all(&*db).await?.len(), 3);
    Ok(())
}
