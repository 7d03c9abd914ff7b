#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[has_many(children: Self, by = parent_id)]
pub struct Folder {
    pub id: Id<Self>,
    #[belongs_to(parent: Self)]
    pub parent_id: Option<Id<Self>>,
}

async fn upwards(db: &Db, folder: Folder) -> orm::Result<Forest<Folder>> {
    folder.walk(|f| f.parent).tree(db).await
}

fn main() {}
