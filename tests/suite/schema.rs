//! Creating and dropping a whole schema.

use orm::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct Hen {
    pub id: Id<Hen>,
    #[belongs_to(hatched_from: Egg)]
    pub egg_id: Option<Id<Egg>>,
}

#[derive(Model, Clone, Debug)]
pub struct Egg {
    pub id: Id<Egg>,
    #[belongs_to(laid_by: Hen)]
    pub hen_id: Id<Hen>,
    #[belongs_to(twin: Egg)]
    pub twin_id: Option<Id<Egg>>,
}

async fn a_circle_of_rows(db: &Db) -> orm::Result<Hen> {
    let hen = NewHen {}.insert(db).await?;
    let egg = NewEgg { hen_id: hen.id }.insert(db).await?;
    egg.update().set(|e| e.twin_id.to(egg.id)).save(db).await?;
    hen.update().set(|h| h.egg_id.to(egg.id)).save(db).await
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn tables_that_refer_to_each_other_are_dropped_with_their_rows(db: Db) -> orm::Result<()> {
    a_circle_of_rows(&db).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    for gone in [Hen::query().count(&db).await, Egg::query().count(&db).await] {
        assert_eq!(gone.unwrap_err().kind(), ErrorKind::UndefinedObject);
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn foreign_keys_hold_again_after_a_drop(db: Db) -> orm::Result<()> {
    a_circle_of_rows(&db).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    db.create_all(&orm::schema![Egg, Hen]).await?;
    let nobody = NewEgg { hen_id: Id::new(7) }.insert(&db).await.unwrap_err();
    assert!(nobody.is_foreign_key_violation(), "{nobody:?}");
    a_circle_of_rows(&db).await?;
    Ok(())
}

#[orm::test(schema = orm::schema![Hen, Egg])]
async fn what_is_not_there_need_not_be_dropped(db: Db) -> orm::Result<()> {
    db.drop_all(&orm::schema![Hen, Egg]).await?;
    db.drop_all(&orm::schema![Hen, Egg]).await
}
