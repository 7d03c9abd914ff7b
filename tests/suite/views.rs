//! Views: created from queries and from SQL, read like tables, refreshed where their rows are stored.

use orm::prelude::*;
use orm::query::Query;

use crate::models::refused;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    Cash,
    Card,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(sales: Sale)]
#[has_one(turnover: Turnover)]
#[has_many(big_sales: BigSale)]
pub struct Shop {
    pub id: Id<Shop>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
pub struct Sale {
    pub id: Id<Sale>,
    #[belongs_to(shop: Shop)]
    pub shop_id: Id<Shop>,
    pub amount: i64,
    pub paid: Payment,
    pub at: Timestamp,
}

fn turnovers() -> Query<Sale, (Id<Shop>, i64, Option<i64>)> {
    Sale::query()
        .filter(|s| {
            s.shop
                .any(|s| s.name.ne("it's closed"))
                .and(s.at.gt(Timestamp::from_micros(0)))
        })
        .filter(|s| {
            s.paid
                .in_([Payment::Cash, Payment::Card])
                .and(s.amount.in_([1, 2, 30]))
        })
        .group_by(|s| s.shop_id)
        .select(|g| (g.key(), g.count(), g.max(|s| s.amount)))
}

/// What each shop sold.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view = turnovers)]
pub struct Turnover {
    #[orm(id)]
    #[belongs_to(shop: Shop)]
    pub shop_id: Id<Shop>,
    pub sales: i64,
    pub best: Option<i64>,
}

/// A view over a view, in SQL and before it in the schema.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view = "SELECT shop_id, best AS amount FROM turnovers WHERE best > 10;")]
pub struct BigSale {
    #[belongs_to(shop: Shop)]
    pub shop_id: Id<Shop>,
    pub amount: i64,
}

/// The names alone, of shops that sell.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view = || Shop::query().filter(|s| s.turnover.any(|t| t.sales.gt(0))).select(|s| s.name).distinct())]
pub struct Selling {
    pub name: String,
}

/// Stored.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view = turnovers, materialized, index(best.desc()))]
pub struct StoredTurnover {
    #[orm(id)]
    #[belongs_to(shop: Shop)]
    pub shop_id: Id<Shop>,
    pub sales: i64,
    pub best: Option<i64>,
}

/// Stored, and nothing tells its rows apart.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view = "SELECT amount FROM sales", materialized)]
pub struct StoredAmount {
    pub amount: i64,
}

fn shops() -> orm::Schema {
    orm::schema![Selling, BigSale, Turnover, Sale, Shop]
}

async fn sell(db: &Db, shop: &Shop, amount: i64) -> orm::Result<Sale> {
    let new = NewSale {
        shop_id: shop.id,
        amount,
        paid: Payment::Card,
        at: Timestamp::now(),
    };
    new.insert(db).await
}

async fn shop(db: &Db, name: &str) -> orm::Result<Shop> {
    NewShop { name: name.into() }.insert(db).await
}

#[orm::test(schema = shops())]
async fn a_view_is_created_and_read_like_a_table(db: Db) -> orm::Result<()> {
    let (north, south) = (shop(&db, "north").await?, shop(&db, "south").await?);
    let closed = shop(&db, "it's closed").await?;
    sell(&db, &north, 1).await?;
    sell(&db, &north, 30).await?;
    sell(&db, &closed, 30).await?;
    // what its query does not see, the view does not show
    sell(&db, &north, 30).await?.delete(&db).await?;
    sell(&db, &south, 7).await?;

    let row = |shop: &Shop, sales, best| Turnover {
        shop_id: shop.id,
        sales,
        best,
    };
    assert_eq!(Turnover::query().all(&db).await?, [row(&north, 2, Some(30))]);
    assert_eq!(Turnover::get(&db, north.id).await?, row(&north, 2, Some(30)));
    assert!(refused(Turnover::get(&db, south.id).await).is_not_found());
    sell(&db, &south, 2).await?;
    assert_eq!(Turnover::query().filter(|t| t.sales.eq(1)).count(&db).await?, 1);

    // relations in both directions
    let rows: Vec<(String, Option<i64>)> = Turnover::query()
        .join(|t| t.shop)
        .order_by(|(_, s)| s.name.asc())
        .select(|(t, s)| (s.name, t.best))
        .all(&db)
        .await?;
    assert_eq!(rows, [("north".into(), Some(30)), ("south".into(), Some(2))]);
    let loaded = Turnover::query()
        .with(|t| t.shop)
        .filter(|t| t.sales.gt(1))
        .one(&db)
        .await?;
    assert_eq!((loaded.shop.name.as_str(), loaded.sales), ("north", 2));
    let shops = Shop::query()
        .with(|s| s.turnover)
        .with(|s| s.big_sales)
        .order_by(|s| s.name.asc())
        .all(&db)
        .await?;
    let seen: Vec<(i64, usize)> = shops
        .iter()
        .map(|s| (s.turnover.as_ref().map_or(0, |t| t.sales), s.big_sales.len()))
        .collect();
    assert_eq!(seen, [(0, 0), (2, 1), (1, 0)]);
    let idle = Shop::query()
        .filter(|s| s.turnover.none(|t| t.sales.gt(0)))
        .select(|s| s.name);
    assert_eq!(idle.all(&db).await?, ["it's closed"]);

    // without a key
    let big = BigSale::query().one(&db).await?;
    assert_eq!((big.shop_id, big.amount), (north.id, 30));
    let mut names = Selling::query().all(&db).await?;
    names.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(
        names.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["north", "south"]
    );
    let pages = refused(BigSale::query().page(5).fetch(&db).await);
    assert_eq!(pages.kind(), ErrorKind::InvalidQuery);
    Ok(())
}

#[orm::test(schema = shops())]
async fn views_go_before_what_they_read(db: Db) -> orm::Result<()> {
    db.drop_all(&shops()).await?;
    assert_eq!(
        refused(Turnover::query().count(&db).await).kind(),
        ErrorKind::UndefinedObject
    );
    db.drop_all(&shops()).await?;
    db.create_all(&shops()).await?;
    assert_eq!(Turnover::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = orm::schema![Sale, Shop])]
async fn a_materialized_view_shows_what_was_at_its_refresh(db: Db) -> orm::Result<()> {
    let stored = orm::schema![StoredTurnover, StoredAmount];
    let created = db.create_all(&stored).await;
    if !db.dialect().features().materialized_views {
        for e in [refused(created), refused(StoredTurnover::refresh_view(&db).await)] {
            assert_eq!(e.kind(), ErrorKind::Unsupported);
            assert_eq!(e.message(), "a materialized view is not supported on sqlite");
        }
        let e = refused(StoredAmount::refresh_view(&db).concurrently().await);
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    created?;
    let north = shop(&db, "north").await?;
    sell(&db, &north, 30).await?;
    assert_eq!(StoredTurnover::query().count(&db).await?, 0);
    StoredTurnover::refresh_view(&db).await?;
    assert_eq!(StoredTurnover::get(&db, north.id).await?.best, Some(30));
    sell(&db, &north, 2).await?;
    let tx = db.begin().await?;
    StoredTurnover::refresh_view(&tx).concurrently().await?;
    assert_eq!(StoredTurnover::get(&tx, north.id).await?.sales, 2);
    tx.rollback().await?;
    assert_eq!(StoredTurnover::get(&db, north.id).await?.sales, 1);

    let sent = db.statements_sent();
    let e = refused(StoredAmount::refresh_view(&db).concurrently().await);
    assert_eq!(
        (e.kind(), e.model()),
        (ErrorKind::InvalidQuery, Some("StoredAmount"))
    );
    assert!(e.message().contains("#[orm(id)]"), "{e}");
    assert_eq!(db.statements_sent(), sent);
    StoredAmount::refresh_view(&db).await?;
    assert_eq!(StoredAmount::query().count(&db).await?, 2);
    let indexes: Vec<String> =
        sql!("select indexname::text from pg_indexes where tablename = 'stored_turnovers' order by 1")
            .fetch(&db)
            .await?;
    assert_eq!(indexes, ["ix_stored_turnovers_best", "pk_stored_turnovers"]);
    db.drop_all(&stored).await?;
    db.drop_all(&stored).await
}

/// A view that is there already.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(view, table = "turnovers")]
pub struct Mapped {
    pub shop_id: Id<Shop>,
    pub sales: i64,
}

#[orm::test(schema = shops())]
async fn a_view_of_somebody_else_is_neither_created_nor_dropped(db: Db) -> orm::Result<()> {
    let mapped = orm::schema![Mapped];
    db.create_all(&mapped).await?;
    db.drop_all(&mapped).await?;
    assert_eq!(Mapped::query().filter(|m| m.sales.gt(0)).all(&db).await?, []);
    Ok(())
}
