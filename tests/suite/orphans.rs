//! Rows that a relation has no more: deleted, unlinked, or refused; and rows that take the place of others.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(lines: OrderLine, by = order_id, cascade = delete, orphans = delete)]
#[has_many(notes: OrderNote, by = order_id, orphans = delete)]
#[has_many(parcels: Parcel, by = order_id)]
#[has_many(stamps: Stamp, by = order_id)]
#[has_one(address: ShipTo, by = order_id, cascade = delete, orphans = delete)]
#[has_one(courier: Courier, by = order_id)]
#[has_one(seal: Seal, by = order_id)]
#[many_to_many(labels: Label, via = OrderLabel, by = order_id)]
pub struct Purchase {
    pub id: Id<Purchase>,
    pub name: String,
    #[orm(default = 1)]
    pub rank: i64,
    pub memo: Option<String>,
    #[orm(version)]
    pub version: i64,
}

/// Its foreign key is required, and it takes its details along.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(details: Detail, by = line_id, cascade = delete, orphans = delete)]
pub struct OrderLine {
    pub id: Id<OrderLine>,
    #[belongs_to(order: Purchase)]
    pub order_id: Id<Purchase>,
    pub amount: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Detail {
    pub id: Id<Detail>,
    #[belongs_to(line: OrderLine)]
    pub line_id: Id<OrderLine>,
    pub text: String,
}

/// Deleted softly.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete)]
pub struct OrderNote {
    pub id: Id<OrderNote>,
    #[belongs_to(order: Purchase)]
    pub order_id: Id<Purchase>,
    pub text: String,
}

/// May be without an order.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Parcel {
    pub id: Id<Parcel>,
    #[belongs_to(order: Purchase)]
    pub order_id: Option<Id<Purchase>>,
    pub weight: i64,
}

/// Can be neither unlinked nor deleted by its order; the database takes it along.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Stamp {
    pub id: Id<Stamp>,
    #[belongs_to(order: Purchase, on_delete = cascade)]
    pub order_id: Id<Purchase>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct ShipTo {
    pub id: Id<ShipTo>,
    #[orm(unique)]
    #[belongs_to(order: Purchase)]
    pub order_id: Id<Purchase>,
    pub street: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Courier {
    pub id: Id<Courier>,
    #[belongs_to(order: Purchase)]
    pub order_id: Option<Id<Purchase>>,
    pub name: String,
}

/// Nothing in the database stops a second one.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Seal {
    pub id: Id<Seal>,
    #[belongs_to(order: Purchase)]
    pub order_id: Id<Purchase>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Label {
    pub id: Id<Label>,
    pub name: String,
    #[belongs_to(twin: twin::Label)]
    pub twin_id: Option<Id<twin::Label>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(order_id, label_id))]
pub struct OrderLabel {
    #[belongs_to(order: Purchase)]
    pub order_id: Id<Purchase>,
    #[belongs_to(label: Label)]
    pub label_id: Id<Label>,
}

pub fn orders() -> Schema {
    orm::schema![
        Purchase,
        OrderLine,
        Detail,
        OrderNote,
        Parcel,
        Stamp,
        ShipTo,
        Courier,
        Seal,
        Label,
        OrderLabel,
        twin::Label
    ]
}

pub async fn order(db: &Db, name: &str) -> Purchase {
    NewPurchase { name: name.into() }
        .insert(db)
        .await
        .expect("an order")
}

pub async fn lines(db: &Db, order: &Purchase, amounts: &[i64]) -> Vec<OrderLine> {
    let new = amounts.iter().map(|amount| NewOrderLine {
        order_id: order.id,
        amount: *amount,
    });
    let lines = NewOrderLine::insert_all(db, new).await.expect("lines");
    for line in &lines {
        let detail = NewDetail {
            line_id: line.id,
            text: "d".into(),
        };
        detail.insert(db).await.expect("a detail");
    }
    lines
}

pub async fn amounts(db: &Db, order: &Purchase) -> Vec<i64> {
    let amounts = order.lines().order_by(|l| l.id.asc()).select(|l| l.amount);
    amounts.all(db).await.expect("amounts")
}

/// Models that share their names with others.
mod twin {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    #[orm(table = "twin_labels")]
    #[has_many(labels: super::Label, by = twin_id, cascade = delete)]
    pub struct Label {
        pub id: Id<Label>,
        pub name: String,
    }
}

#[orm::test(schema = orm::schema![Label, twin::Label])]
async fn models_of_one_name_are_two_tables(db: Db) -> orm::Result<()> {
    let mut unit = db.unit_of_work();
    unit.insert(NewLabel { name: "a".into() })?;
    let other = unit.insert(twin::NewLabel { name: "b".into() })?;
    let mut done = unit.commit().await?;
    assert_eq!(Label::query().one(&db).await?.name, "a");
    let other = done.take(&other)?;
    assert_eq!(twin::Label::query().one(&db).await?, other);
    // both have the same key: a cascade from one to the other takes both
    let label = Label::query().one(&db).await?;
    assert_eq!(label.id.raw(), other.id.raw());
    other.labels().link(&db, [label.id]).await?;
    assert!(other.delete(&db).await?);
    assert_eq!(Label::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = orders())]
async fn what_is_unlinked_is_deleted_with_what_hangs_on_it(db: Db) -> orm::Result<()> {
    let (a, b) = (order(&db, "a").await, order(&db, "b").await);
    let mine = lines(&db, &a, &[1, 2, 3, 4]).await;
    let other = lines(&db, &b, &[9]).await;
    // the key is required, and yet it unlinks: the row goes, and its details
    assert_eq!(a.lines().unlink(&db, [mine[0].id, other[0].id]).await?, 1);
    assert_eq!(amounts(&db, &a).await, [2, 3, 4]);
    assert_eq!(amounts(&db, &b).await, [9], "the line of another order");
    assert_eq!(Detail::query().count(&db).await?, 4);
    // what comes from another order moves, what is left out goes
    let done = a.lines().replace(&db, [mine[1].id, other[0].id]).await?;
    assert_eq!((done.linked, done.unlinked), (1, 2));
    assert_eq!(amounts(&db, &a).await, [2, 9]);
    assert_eq!(Detail::query().count(&db).await?, 2);
    assert_eq!(OrderLine::query().count(&db).await?, 2);
    assert_eq!(a.lines().unlink_all(&db).await?, 2);
    assert_eq!(Detail::query().count(&db).await?, 0);
    // softly where the model says so
    let note = NewOrderNote {
        order_id: a.id,
        text: "n".into(),
    };
    let note = note.insert(&db).await?;
    assert_eq!(a.notes().unlink(&db, [note.id]).await?, 1);
    assert_eq!(a.notes().count(&db).await?, 0);
    assert_eq!(OrderNote::query().with_deleted().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = orders())]
async fn two_rows_never_stand_where_there_is_one(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    let to = |street: &str| NewShipTo {
        order_id: a.id,
        street: street.into(),
    };
    // deleted, though its key is unique and required
    a.address().create(&db, to("first")).await?;
    let second = a.address().create(&db, to("second")).await?;
    assert_eq!(ShipTo::query().all(&db).await?, [second]);
    let b = order(&db, "b").await;
    let moved = b.address().create(&db, to("moved")).await?;
    assert_eq!(a.address().link(&db, [moved.id]).await?, 1);
    assert_eq!(ShipTo::query().one(&db).await?.street, "moved");
    let e = refused(a.address().link(&db, [moved.id, Id::new(99)]).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("address")));
    // unlinked, where the key may be NULL
    let named = |name: &str| NewCourier { name: name.into() };
    let x = a.courier().create(&db, named("x")).await?;
    let y = a.courier().create(&db, named("y")).await?;
    assert_eq!(a.courier().one(&db).await?, y);
    assert_eq!(Courier::get(&db, x.id).await?.order_id, None);
    a.courier().link(&db, [x.id]).await?;
    assert_eq!(a.courier().one(&db).await?.name, "x");
    let done = a.courier().replace(&db, [y.id]).await?;
    assert_eq!((done.linked, done.unlinked), (1, 1));
    // refused, where it can be neither
    let seal = a.seal().create(&db, NewSeal { order_id: a.id }).await?;
    assert_eq!(a.seal().link(&db, [seal.id]).await?, 0, "it is the one");
    let e = refused(a.seal().create(&db, NewSeal { order_id: a.id }).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::UniqueViolation, Some("seal")));
    assert_eq!(Seal::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = orders())]
async fn a_deleted_row_and_a_new_one_with_its_key_are_one_update(db: Db) -> orm::Result<()> {
    let a = order(&db, "a").await;
    a.update()
        .set(|o| (o.rank.to(7), o.memo.to(Some("old".into()))))
        .save(&db)
        .await?;
    let a = Purchase::get(&db, a.id).await?;
    lines(&db, &a, &[1, 2]).await;
    NewStamp { order_id: a.id }.insert(&db).await?;
    let parcel = NewParcel { weight: 1 }
        .set(|p| p.order_id.to(Some(a.id)))
        .insert(&db)
        .await?;
    let mut unit = db.unit_of_work();
    let new = unit.insert(NewPurchase { name: "new".into() }.with_id(a.id))?;
    unit.delete(a.clone());
    unit.insert(NewOrderLine {
        order_id: a.id,
        amount: 5,
    })?;
    let mut done = unit.commit().await?;
    assert_eq!((done.inserted(), done.updated(), done.deleted()), (1, 1, 0));
    let new = done.take(&new)?;
    // a new row in every column; the version counts on
    assert_eq!(
        (new.id, new.name.as_str(), new.rank, new.memo.as_deref()),
        (a.id, "new", 1, None)
    );
    assert_eq!(new.version, a.version + 1);
    assert_eq!(Purchase::query().all(&db).await?, [new]);
    // what the old row takes along is gone, as if it had been deleted; the line of the new one is there
    assert_eq!(amounts(&db, &a).await, [5]);
    assert_eq!(Detail::query().count(&db).await?, 0);
    assert_eq!(Stamp::query().count(&db).await?, 0, "also by ON DELETE CASCADE");
    assert_eq!(
        Parcel::get(&db, parcel.id).await?.order_id,
        Some(a.id),
        "nothing is said of parcels"
    );
    // somebody else changed the row: nothing happens
    let mut unit = db.unit_of_work();
    unit.delete(a.clone());
    unit.insert(NewPurchase { name: "x".into() }.with_id(a.id))?;
    assert_eq!(refused(unit.commit().await).kind(), ErrorKind::Stale);
    assert_eq!(amounts(&db, &a).await, [5]);
    Ok(())
}

#[orm::test(schema = crate::models::places())]
async fn a_softly_deleted_row_makes_room_for_its_key(db: Db) -> orm::Result<()> {
    use crate::models::{NewRoom, Room};
    let room = |door, seats| NewRoom {
        code: "A1".into(),
        door,
        seats,
    };
    let old = room(1, 4).insert(&db).await?;
    let mut unit = db.unit_of_work();
    unit.delete(old);
    unit.insert(room(1, 8))?;
    let clock = db.dialect().features().server_clock as u64;
    let done = assert_statements!(db, 1 + clock, { unit.commit().await? });
    assert_eq!(done.updated(), 1);
    assert_eq!(Room::query().with_deleted().one(&db).await?.seats, 8);
    Ok(())
}
