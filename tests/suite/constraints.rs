//! What foreign keys do when the row they refer to goes or changes its key.

use orm::prelude::*;

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Depot {
    #[orm(id)]
    pub code: String,
}

/// One foreign key of every kind; each row has one of them set.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Truck {
    #[orm(id)]
    pub name: String,
    #[belongs_to(follows: Depot, on_delete = cascade, on_update = cascade)]
    pub following: Option<String>,
    #[belongs_to(loses: Depot, on_delete = set_null, on_update = set_null)]
    pub losing: Option<String>,
    #[orm(default(sql = "'spare'"))]
    #[belongs_to(returns: Depot, on_delete = set_default, on_update = set_default)]
    pub returning: Option<String>,
    #[belongs_to(keeps: Depot, on_delete = restrict, on_update = restrict)]
    pub keeping: Option<String>,
    #[belongs_to(asks: Depot, on_delete = no_action, on_update = no_action)]
    pub asking: Option<String>,
    #[belongs_to(waits: Depot, on_delete = no_action, deferrable, initially_deferred)]
    pub waiting: Option<String>,
}

fn yard() -> orm::schema::Schema {
    orm::schema![Depot, Truck]
}

async fn depots(db: &Db, codes: &[&str]) -> orm::Result<()> {
    let new = codes.iter().map(|code| NewDepot {
        code: (*code).to_owned(),
    });
    NewDepot::exec_all(db, new).await.map(drop)
}

/// A truck for every kind of key, at the depot that is called like it.
async fn fleet(db: &Db) -> orm::Result<()> {
    depots(db, &["spare", "follow", "lose", "return", "keep", "ask", "wait"]).await?;
    let truck = |name: &str| {
        NewTruck {
            name: name.to_owned(),
        }
        .set(|t| t.returning.to(None))
    };
    truck("follow")
        .set(|t| t.following.to("follow".to_owned()))
        .exec(db)
        .await?;
    truck("lose")
        .set(|t| t.losing.to("lose".to_owned()))
        .exec(db)
        .await?;
    truck("return")
        .set(|t| t.returning.to("return".to_owned()))
        .exec(db)
        .await?;
    truck("keep")
        .set(|t| t.keeping.to("keep".to_owned()))
        .exec(db)
        .await?;
    truck("ask")
        .set(|t| t.asking.to("ask".to_owned()))
        .exec(db)
        .await?;
    truck("wait")
        .set(|t| t.waiting.to("wait".to_owned()))
        .exec(db)
        .await?;
    Ok(())
}

async fn truck(db: &Db, name: &str) -> orm::Result<Option<Truck>> {
    Truck::query().filter(|t| t.name.eq(name)).optional(db).await
}

#[orm::test(schema = yard())]
async fn each_action_when_the_row_goes(db: Db) -> orm::Result<()> {
    fleet(&db).await?;
    let delete = async |code: &'static str| Depot::delete_where(|d| d.code.eq(code)).exec(&db).await;
    let at = |code: &str| Some(code.to_owned());
    for code in ["follow", "lose", "return"] {
        assert_eq!(delete(code).await?, 1);
    }
    assert_eq!(truck(&db, "follow").await?, None);
    assert_eq!(truck(&db, "lose").await?.map(|t| t.losing), Some(None));
    assert_eq!(
        truck(&db, "return").await?.map(|t| t.returning),
        Some(at("spare"))
    );
    for code in ["keep", "ask", "wait"] {
        let e = refused(delete(code).await);
        assert!(e.is_foreign_key_violation(), "{code}: {e:?}");
    }
    assert_eq!(Depot::query().count(&db).await?, 4);
    assert_eq!(truck(&db, "keep").await?.map(|t| t.keeping), Some(at("keep")));
    Ok(())
}

#[orm::test(schema = yard())]
async fn each_action_when_the_key_changes(db: Db) -> orm::Result<()> {
    fleet(&db).await?;
    let rename = async |code: &'static str| {
        sql!("update depots set code = 'new ' || code where code = {code}")
            .exec(&db)
            .await
    };
    let at = |code: &str| Some(code.to_owned());
    for code in ["follow", "lose", "return"] {
        assert_eq!(rename(code).await?, 1);
    }
    assert_eq!(
        truck(&db, "follow").await?.map(|t| t.following),
        Some(at("new follow"))
    );
    assert_eq!(truck(&db, "lose").await?.map(|t| t.losing), Some(None));
    assert_eq!(
        truck(&db, "return").await?.map(|t| t.returning),
        Some(at("spare"))
    );
    for code in ["keep", "ask", "wait"] {
        let e = refused(rename(code).await);
        assert!(e.is_foreign_key_violation(), "{code}: {e:?}");
    }
    Ok(())
}

#[orm::test(schema = yard())]
async fn a_deferred_key_may_be_wrong_until_the_commit(db: Db) -> orm::Result<()> {
    fleet(&db).await?;
    let mut tx = db.begin().await?;
    assert_eq!(Depot::delete_where(|d| d.code.eq("wait")).exec(&tx).await?, 1);
    let e = refused(
        tx.savepoint(async |sp| Depot::delete_where(|d| d.code.eq("ask")).exec(sp).await)
            .await,
    );
    assert!(
        e.is_foreign_key_violation(),
        "the other key is not deferred: {e:?}"
    );
    Truck::delete_where(|t| t.name.eq("wait")).exec(&tx).await?;
    tx.commit().await?;
    assert_eq!(truck(&db, "wait").await?, None);

    depots(&db, &["wait"]).await?;
    let late =
        NewTruck { name: "wait".into() }.set(|t| (t.waiting.to("nowhere".to_owned()), t.returning.to(None)));
    let tx = db.begin().await?;
    late.exec(&tx).await?;
    let e = refused(tx.commit().await);
    assert!(e.is_foreign_key_violation(), "{e:?}");
    assert_eq!(truck(&db, "wait").await?, None);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(row, place))]
#[has_many(goods: Good, by = (row, place))]
pub struct Shelf {
    pub row: i32,
    pub place: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[belongs_to(shelf: Shelf, by = (row, place), on_delete = cascade)]
pub struct Good {
    pub id: Id<Good>,
    pub row: i32,
    pub place: i32,
}

#[orm::test(schema = orm::schema![Shelf, Good])]
async fn a_key_of_several_columns_refers_as_a_whole(db: Db) -> orm::Result<()> {
    for place in [1, 2] {
        NewShelf { row: 7, place }.exec(&db).await?;
        NewGood { row: 7, place }.exec(&db).await?;
    }
    let e = refused(NewGood { row: 1, place: 7 }.exec(&db).await);
    assert!(e.is_foreign_key_violation(), "{e:?}");
    assert_eq!(Shelf::get(&db, (7, 2)).await?.goods().count(&db).await?, 1);
    let pairs = Good::query()
        .join(|g| g.shelf)
        .select(|(g, s)| (g.place, s.place));
    assert_eq!(
        pairs.order_by(|g| g.place.asc()).all(&db).await?,
        [(1, 1), (2, 2)]
    );
    assert_eq!(
        Shelf::query()
            .filter(|s| s.goods.any(|g| g.place.eq(2)))
            .count(&db)
            .await?,
        1
    );
    Shelf::delete_where(|s| s.place.eq(2)).exec(&db).await?;
    assert_eq!(Good::query().select(|g| g.place).all(&db).await?, [1]);
    Ok(())
}
