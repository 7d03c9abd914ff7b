//! One binary: the behaviours every backend must show.
use orm::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct Tag {
    pub id: Id<Tag>,
    #[orm(unique)]
    pub name: String,
}

#[orm::test(schema = orm::schema![Tag])]
async fn smoke(db: Db) -> orm::Result<()> {
    let t = NewTag { name: "x".into() }.insert(&db).await?;
    let found = orm::assert_statements!(db, 1, { Tag::get(&db, t.id).await? });
    assert_eq!(found.name, "x");
    Ok(())
}
