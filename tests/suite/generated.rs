//! Columns that the database computes from others of their row.

use orm::prelude::*;

use crate::models::refused;

/// Stored with the row.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(index(total))]
pub struct Item {
    pub id: Id<Item>,
    #[orm(unique)]
    pub code: String,
    pub price: i64,
    pub amount: i64,
    #[orm(generated = "price * amount")]
    pub total: i64,
}

/// Computed when it is read.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Parcel {
    pub id: Id<Parcel>,
    pub width: i64,
    pub height: Option<i64>,
    #[orm(generated(sql = "width * height", virtual))]
    pub area: Option<i64>,
}

fn item(code: &str, price: i64, amount: i64) -> NewItem {
    NewItem {
        code: code.into(),
        price,
        amount,
    }
}

#[orm::test(schema = orm::schema![Item])]
async fn a_stored_column_comes_back_from_every_write(db: Db) -> orm::Result<()> {
    let one = item("a", 2, 3).insert(&db).await?;
    assert_eq!(one.total, 6);
    let many = NewItem::insert_all(&db, [item("b", 4, 5), item("c", 6, 7)]).await?;
    assert_eq!(many.iter().map(|i| i.total).collect::<Vec<_>>(), [20, 42]);
    assert_eq!(NewItem::copy_all(&db, [item("d", 1, 1)]).await?, 1);
    let one = one.update().set(|i| i.price.to(10)).save(&db).await?;
    assert_eq!(one.total, 30);
    let changed = Item::update_where(|i| i.code.eq("b"))
        .set(|i| i.amount.to(i.amount + 1))
        .returning(&db)
        .await?;
    assert_eq!(changed[0].total, 24);
    let upserted = item("c", 1, 1)
        .upsert(|i| i.code)
        .update(|i, new| i.amount.to(new.amount))
        .exec(&db)
        .await?;
    assert_eq!(upserted.into_inner().total, 6);
    // it is a column like others where rows are read
    let codes = Item::query()
        .filter(|i| i.total.gt(1))
        .order_by(|i| i.total.desc())
        .select(|i| (i.code, i.total));
    let expected = [("a".to_owned(), 30), ("b".to_owned(), 24), ("c".to_owned(), 6)];
    assert_eq!(codes.all(&db).await?, expected);
    let mut edited = one.clone().edit();
    edited.amount = 1;
    assert_eq!(edited.save(&db).await?.total, 10);
    assert_eq!(one.refresh(&db).await?.total, 10);
    Ok(())
}

#[orm::test]
async fn a_virtual_column_is_computed_when_it_is_read(db: Db) -> orm::Result<()> {
    let created = db.create_all(&orm::schema![Parcel]).await;
    if db.dialect().features().schemas {
        // servers before 18 know stored ones alone
        let version: Vec<i32> = sql!("select current_setting('server_version_num')::integer")
            .fetch(&db)
            .await?;
        if version[0] < 180_000 {
            assert_eq!(refused(created).kind(), ErrorKind::Syntax);
            return Ok(());
        }
    }
    created?;
    let parcel = NewParcel { width: 3 }.insert(&db).await?;
    assert_eq!(parcel.area, None);
    let parcel = parcel.update().set(|p| p.height.to(4)).save(&db).await?;
    assert_eq!(parcel.area, Some(12));
    assert_eq!(Parcel::query().filter(|p| p.area.eq(12)).count(&db).await?, 1);
    Ok(())
}
