//! One handle for each schema: every statement, and what triggers do, stays in its own.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{AuditLog, ErrorKind};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[orm(name = "house_mood")]
pub enum Mood {
    Glad,
    #[orm(rename = "$create$")]
    Odd,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(history, soft_delete, audit_trail)]
#[has_many(rooms: Room)]
pub struct House {
    pub id: Id<House>,
    #[orm(unique)]
    pub name: String,
    pub mood: Mood,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(schema = "inside")]
pub struct Room {
    pub id: Id<Room>,
    #[belongs_to(house: House)]
    pub house_id: Id<House>,
    pub size: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(append_only, hash_chain)]
pub struct Visit {
    pub id: Id<Visit>,
    pub who: String,
}

fn street() -> Schema {
    orm::schema![House, Room, Visit, AuditLog]
}

fn house(name: &str) -> NewHouse {
    NewHouse {
        name: name.to_owned(),
        mood: Mood::Odd,
    }
}

#[orm::test(requires = |f| f.schemas)]
async fn each_handle_has_its_own_tables(db: Db) -> orm::Result<()> {
    let left = db.schema_map([(None, "left side"), (Some("inside"), "left rooms")]);
    let right = db.schema_map([(None, "right"), (Some("inside"), "right")]);
    for side in [&db, &left, &right] {
        side.create_all(&street()).await?;
    }
    // the same keyed read by each handle: texts are not mixed up
    for (side, name) in [(&db, "here"), (&left, "l"), (&right, "r")] {
        let one = house(name).insert(side).await?;
        assert_eq!(House::get(side, one.id).await?.name, name);
        assert_eq!(one.id, Id::new(1));
        let room = |size| NewRoom {
            house_id: one.id,
            size,
        };
        NewRoom::insert_all(side, [room(1), room(2)]).await?;
        NewRoom::copy_all(side, [room(3)]).await?;
        NewVisit { who: name.to_owned() }.insert(side).await?;
    }
    for (side, name) in [(&db, "here"), (&left, "l"), (&right, "r")] {
        let houses = House::query().with(|h| h.rooms).all(side).await?;
        let found: Vec<(&str, usize)> = houses.iter().map(|h| (h.name.as_str(), h.rooms.len())).collect();
        assert_eq!(found, [(name, 3)]);
        let pairs = Room::query()
            .join(|r| r.house)
            .order_by(|(r, _)| r.size.desc())
            .select(|(r, h)| (r.size, h.name));
        assert_eq!(pairs.first(side).await?, Some((3, name.to_owned())));
    }
    // writes of every kind on one side
    let mut tx = left.begin().await?;
    let inner = tx.begin().await?;
    assert_eq!(
        House::update_where(|h| h.id.eq(Id::new(1)))
            .set(|h| h.name.to("new"))
            .exec(&inner)
            .await?,
        1
    );
    inner.commit().await?;
    assert_eq!(Room::delete_where(|r| r.size.gt(1)).exec(&tx).await?, 2);
    tx.commit().await?;
    let again = house("new").insert(&left).await.unwrap_err();
    assert_eq!(
        (again.kind(), again.constraint()),
        (ErrorKind::UniqueViolation, Some("uq_houses_name"))
    );
    let merged = house("new")
        .upsert(|h| h.name)
        .update(|h, _| h.mood.to(Mood::Glad));
    merged.exec(&left).await?;
    house("second").with_id(Id::new(7)).insert(&left).await?;
    House::get(&left, Id::new(7)).await?.delete(&left).await?;
    assert!(house("third").insert(&left).await?.id.raw() > 7);
    // what triggers keep
    assert!(Visit::verify_chain(&left).await?.is_intact());
    assert!(House::versions(&left, Id::new(1)).await?.len() > 1);
    assert_eq!(House::versions(&right, Id::new(1)).await?.len(), 1);
    assert!(AuditLog::query().count(&left).await? > AuditLog::query().count(&right).await?);
    for side in [&db, &right] {
        assert_eq!(House::query().select(|h| h.mood).all(side).await?, [Mood::Odd]);
        assert_eq!(Room::query().count(side).await?, 3);
    }
    let schemas =
        sql!("select table_schema from information_schema.tables where table_name = 'rooms' order by 1");
    assert_eq!(
        schemas.fetch::<String, _>(&db).await?,
        ["inside", "left rooms", "right"]
    );
    // each goes alone, and leaves the types that all share
    left.drop_all(&street()).await?;
    assert_eq!(
        House::query().count(&left).await.unwrap_err().kind(),
        ErrorKind::UndefinedObject
    );
    assert_eq!(House::query().count(&right).await?, 1);
    // a second map replaces the first
    assert_eq!(left.schema_map([]).statements_sent(), db.statements_sent());
    assert_eq!(House::query().count(&left.schema_map([])).await?, 1);
    Ok(())
}

#[orm::test(requires = |f| !f.schemas)]
async fn where_there_are_no_schemas_nothing_is_sent(db: Db) -> orm::Result<()> {
    let side = db.schema_map([(None, "left")]);
    let refused = House::query().count(&side).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(side.statements_sent(), 0);
    Ok(())
}
