//! Chains of hashes: whoever tampers with rows of an append-only model is found out.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{ChainFault, ChainHead, ChainReport, ErrorKind};

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(append_only, hash_chain, timestamps)]
pub struct Booking {
    pub id: Id<Booking>,
    pub account: String,
    pub cents: i64,
    #[orm(sensitive)]
    pub memo: Option<String>,
    #[orm(unique)]
    pub reference: Option<String>,
    #[orm(default(sql = "1 + 1"))]
    pub two: i64,
}

/// Its key is of two columns, and it has a trail beside.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(append_only, hash_chain, id(day, number), tenant(shop_id))]
pub struct Receipt {
    pub day: String,
    pub number: i32,
    pub shop_id: i64,
    pub ratio: f64,
}

pub(crate) fn schema() -> Schema {
    orm::schema![Booking, Receipt]
}

fn booking(cents: i64) -> NewBooking {
    NewBooking {
        account: "cash".into(),
        cents,
    }
}

async fn run(db: &impl Exec, text: String) -> orm::Result<u64> {
    let text = orm::ast::RawPart::Text(text.leak());
    orm::query::RawSql::new(vec![text]).exec(db).await
}

/// What somebody does who may change the definition of the tables.
async fn disarm(db: &Db) -> orm::Result<()> {
    for table in ["bookings", "bookings_chain"] {
        for word in ["update", "delete"] {
            let on = if db.dialect().features().row_locks {
                format!(" on {table}")
            } else {
                String::new()
            };
            run(db, format!("drop trigger ao_{table}_{word}{on}")).await?;
        }
    }
    Ok(())
}

async fn filled(db: &Db) -> orm::Result<Vec<Booking>> {
    let many = NewBooking::insert_all(db, (1..=9).map(booking)).await?;
    let report = Booking::verify_chain(db).await?;
    assert!(report.is_intact(), "{report:?}");
    disarm(db).await?;
    Ok(many)
}

async fn fault(db: &Db) -> orm::Result<ChainReport<Id<Booking>>> {
    Booking::verify_chain(db).await
}

fn position(report: &ChainReport<Id<Booking>>) -> Option<i64> {
    report.head.map(|head| head.position)
}

#[orm::test(schema = schema())]
async fn every_way_of_inserting_is_chained(db: Db) -> orm::Result<()> {
    assert_eq!(
        fault(&db).await?,
        ChainReport {
            head: None,
            fault: None
        }
    );
    assert_eq!(Booking::chain_head(&db).await?, None);
    booking(1).insert(&db).await?;
    booking(2).exec(&db).await?;
    NewBooking::insert_all(&db, [booking(3), booking(4)]).await?;
    let with_memo = booking(5).set(|b| b.memo.to("secret".to_owned()));
    NewBooking::exec_all(&db, [with_memo, booking(6).set(|b| b.two.to(7))]).await?;
    let named = || booking(7).set(|b| b.reference.to("r".to_owned()));
    assert!(
        named()
            .upsert(|b| b.reference)
            .do_nothing()
            .exec(&db)
            .await?
            .is_some()
    );
    assert!(
        named()
            .upsert(|b| b.reference)
            .do_nothing()
            .exec(&db)
            .await?
            .is_none()
    );
    let mut unit = db.unit_of_work();
    unit.insert(booking(8))?;
    unit.insert(booking(9))?;
    unit.commit().await?;
    let tx = db.begin().await?;
    booking(10).exec(&tx).await?;
    tx.rollback().await?;
    let mut tx = db.begin().await?;
    booking(11).exec(&tx).await?;
    let inner = tx.begin().await?;
    booking(12).exec(&inner).await?;
    inner.rollback().await?;
    booking(13).exec(&tx).await?;
    tx.commit().await?;
    let report = fault(&db).await?;
    assert_eq!(
        (report.is_intact(), position(&report)),
        (true, Some(11)),
        "{report:?}"
    );
    assert_eq!(report.head, Booking::chain_head(&db).await?);
    // the entries stay as well
    let refused = sql!("delete from bookings_chain").exec(&db).await;
    assert_eq!(refused.map_err(|e| e.kind()).err(), Some(ErrorKind::AppendOnly));
    // nothing is left behind
    db.drop_all(&schema()).await?;
    db.create_all(&schema()).await?;
    db.drop_all(&schema()).await
}

#[orm::test(schema = schema())]
async fn a_changed_value(db: Db) -> orm::Result<()> {
    let rows = filled(&db).await?;
    sql!("update bookings set cents = cents + 1 where cents = 4")
        .exec(&db)
        .await?;
    let report = fault(&db).await?;
    assert_eq!(
        report.fault,
        Some(ChainFault::Changed {
            position: 4,
            key: rows[3].id
        })
    );
    assert_eq!(position(&report), Some(3), "up to there it is as it was");
    sql!("update bookings set cents = cents - 1 where cents = 5 and id <= 4")
        .exec(&db)
        .await?;
    assert!(fault(&db).await?.is_intact(), "put back");
    // columns that are hidden, filled by the library, or NULL before
    for change in [
        "memo = 'x'",
        "two = 3",
        "account = ''",
        "created_at = '2000-01-01T00:00:00.000000Z'",
    ] {
        let tx = db.begin().await?;
        run(&tx, format!("update bookings set {change} where cents = 9")).await?;
        let report = Booking::verify_chain(&tx).await?;
        assert_eq!(
            report.fault,
            Some(ChainFault::Changed {
                position: 9,
                key: rows[8].id
            }),
            "{change}"
        );
        tx.rollback().await?;
    }
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_row_that_is_gone(db: Db) -> orm::Result<()> {
    let rows = filled(&db).await?;
    let tx = db.begin().await?;
    sql!("delete from bookings where cents = 5").exec(&tx).await?;
    let missing = ChainFault::Missing {
        position: 5,
        key: rows[4].id,
    };
    assert_eq!(Booking::verify_chain(&tx).await?.fault, Some(missing));
    // together with its entry
    sql!("delete from bookings_chain where chain_position = 5")
        .exec(&tx)
        .await?;
    assert_eq!(
        Booking::verify_chain(&tx).await?.fault,
        Some(ChainFault::Gap { position: 5 })
    );
    // and the later ones moved up
    for n in 6..=9_i64 {
        let before = n - 1;
        sql!("update bookings_chain set chain_position = {before} where chain_position = {n}")
            .exec(&tx)
            .await?;
    }
    let changed = ChainFault::Changed {
        position: 5,
        key: rows[5].id,
    };
    assert_eq!(Booking::verify_chain(&tx).await?.fault, Some(changed));
    tx.rollback().await?;
    sql!("delete from bookings where cents = 9").exec(&db).await?;
    let missing = ChainFault::Missing {
        position: 9,
        key: rows[8].id,
    };
    assert_eq!(fault(&db).await?.fault, Some(missing));
    Ok(())
}

#[orm::test(schema = schema())]
async fn an_end_that_was_cut_off(db: Db) -> orm::Result<()> {
    filled(&db).await?;
    let head = Booking::chain_head(&db).await?.expect("a head");
    let kept: ChainHead = head.to_string().parse()?;
    assert_eq!((kept, kept.position), (head, 9));
    assert!(Booking::verify_chain_from(&db, &kept).await?.is_intact());
    sql!("delete from bookings where cents = 9").exec(&db).await?;
    sql!("delete from bookings_chain where chain_position = 9")
        .exec(&db)
        .await?;
    assert!(
        fault(&db).await?.is_intact(),
        "only what was kept elsewhere tells"
    );
    let report = Booking::verify_chain_from(&db, &kept).await?;
    assert_eq!(report.fault, Some(ChainFault::Cut { position: 9 }));
    // another row in its place
    booking(99).exec(&db).await?;
    assert!(fault(&db).await?.is_intact());
    let report = Booking::verify_chain_from(&db, &kept).await?;
    assert_eq!(report.fault, Some(ChainFault::Cut { position: 9 }));
    for text in ["", "9", "9:00", "x:00"] {
        assert_eq!(
            text.parse::<ChainHead>().map_err(|e| e.kind()).err(),
            Some(ErrorKind::Decode)
        );
    }
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_forged_row(db: Db) -> orm::Result<()> {
    filled(&db).await?;
    sql!("insert into bookings (id, account, cents, created_at, updated_at) select 77, account, 1000000, created_at, updated_at from bookings where cents = 1")
        .exec(&db).await?;
    let report = fault(&db).await?;
    assert_eq!(report.fault, Some(ChainFault::Unchained { key: Id::new(77) }));
    assert_eq!(position(&report), Some(9));
    // with an entry of its own
    sql!("insert into bookings_chain select 10, 77, chain_hash from bookings_chain where chain_position = 9")
        .exec(&db)
        .await?;
    let forged = ChainFault::Changed {
        position: 10,
        key: Id::new(77),
    };
    assert_eq!(fault(&db).await?.fault, Some(forged));
    Ok(())
}

#[orm::test(schema = schema())]
async fn rows_that_changed_places(db: Db) -> orm::Result<()> {
    let rows = filled(&db).await?;
    // their values
    let tx = db.begin().await?;
    sql!("update bookings set cents = 9 - cents where cents in (4, 5)")
        .exec(&tx)
        .await?;
    let changed = ChainFault::Changed {
        position: 4,
        key: rows[3].id,
    };
    assert_eq!(Booking::verify_chain(&tx).await?.fault, Some(changed.clone()));
    tx.rollback().await?;
    // their entries
    for (from, to) in [(4_i64, 100_i64), (5, 4), (100, 5)] {
        sql!("update bookings_chain set chain_position = {to} where chain_position = {from}")
            .exec(&db)
            .await?;
    }
    let swapped = ChainFault::Changed {
        position: 4,
        key: rows[4].id,
    };
    assert_eq!(fault(&db).await?.fault, Some(swapped));
    Ok(())
}

#[orm::test(schema = schema(), flavor = "multi_thread")]
async fn many_writers_leave_one_chain(db: Db) -> orm::Result<()> {
    let write = |n: i64| {
        let db = db.clone();
        async move {
            for i in 0..5 {
                match (n + i) % 3 {
                    0 => booking(n).exec(&db).await.map(drop)?,
                    1 => NewBooking::exec_all(&db, [booking(n), booking(i)])
                        .await
                        .map(drop)?,
                    _ => {
                        let tx = db.begin().await?;
                        booking(n).exec(&tx).await?;
                        booking(i).exec(&tx).await?;
                        if i % 2 == 0 {
                            tx.commit().await?
                        } else {
                            tx.rollback().await?
                        }
                    }
                }
            }
            Ok::<_, orm::Error>(())
        }
    };
    let tasks: Vec<_> = (0..16).map(|n| tokio::spawn(write(n))).collect();
    for task in tasks {
        task.await.expect("the task")?;
    }
    let report = fault(&db).await?;
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(position(&report), Some(Booking::query().count(&db).await?));
    Ok(())
}

#[orm::test(schema = schema())]
async fn more_rows_than_are_looked_at_at_a_time(db: Db) -> orm::Result<()> {
    NewBooking::exec_all(&db, (0..1_203).map(booking)).await?;
    let report = fault(&db).await?;
    assert_eq!((report.is_intact(), position(&report)), (true, Some(1_203)));
    disarm(&db).await?;
    sql!("update bookings set cents = 0 where cents = 1100")
        .exec(&db)
        .await?;
    assert_eq!(position(&fault(&db).await?), Some(1_100));
    Ok(())
}

#[orm::test(schema = schema())]
async fn tenants_share_a_chain(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1_i64), db.tenant(2_i64));
    let receipt = |day: &str, number| NewReceipt {
        day: day.into(),
        number,
        ratio: 0.1,
    };
    receipt("mon", 1).insert(&one).await?;
    receipt("mon", 2).insert(&two).await?;
    receipt("tue", 1).insert(&one).await?;
    let report = Receipt::verify_chain(&two).await?;
    assert_eq!(
        (report.is_intact(), report.head.map(|h| h.position)),
        (true, Some(3)),
        "{report:?}"
    );
    sql!("insert into receipts (day, number, shop_id, ratio) values ('wed', 1, 1, 0.5)")
        .exec(&db)
        .await?;
    let report = Receipt::verify_chain(&one).await?;
    assert_eq!(
        report.fault,
        Some(ChainFault::Unchained {
            key: ("wed".to_owned(), 1)
        })
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_row_whose_own_hash_was_made_to_fit(db: Db) -> orm::Result<()> {
    for word in ["update", "delete"] {
        for table in ["receipts", "receipts_chain"] {
            let on = match db.dialect().features().row_locks {
                true => format!(" on {table}"),
                false => String::new(),
            };
            run(&db, format!("drop trigger ao_{table}_{word}{on}")).await?;
        }
    }
    let shop = db.tenant(1_i64);
    let receipts = async |forged: bool| -> orm::Result<Option<ChainHead>> {
        sql!("delete from receipts").exec(&db).await?;
        sql!("delete from receipts_chain").exec(&db).await?;
        let receipt = |number, ratio| NewReceipt {
            day: "mon".into(),
            number,
            ratio,
        };
        NewReceipt::exec_all(&shop, [receipt(1, 0.1), receipt(2, 0.2)]).await?;
        receipt(3, if forged { 0.9 } else { 0.3 }).exec(&shop).await?;
        let third = Receipt::chain_head(&shop).await?;
        receipt(4, 0.4).exec(&shop).await?;
        Ok(third)
    };
    let forged = receipts(true).await?.expect("a head");
    let kept = receipts(false).await?.expect("a head");
    assert_eq!(
        receipts(false).await?,
        Some(kept),
        "the same rows have the same chain"
    );
    let hash = forged.hash.to_vec();
    sql!("update receipts set ratio = 0.9 where number = 3")
        .exec(&db)
        .await?;
    sql!("update receipts_chain set chain_hash = {hash} where chain_position = 3")
        .exec(&db)
        .await?;
    // the row fits its hash, and the one after it does not
    let report = Receipt::verify_chain(&shop).await?;
    assert_eq!(report.head, Some(forged));
    let key = ("mon".to_owned(), 4);
    assert_eq!(report.fault, Some(ChainFault::Changed { position: 4, key }));
    let report = Receipt::verify_chain_from(&shop, &kept).await?;
    assert_eq!(report.fault, Some(ChainFault::Cut { position: 3 }));
    Ok(())
}
