#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[has_many(children: Self, by = parent_id)]
pub struct Folder {
    pub id: Id<Self>,
    #[belongs_to(parent: Self)]
    pub parent_id: Option<Id<Self>>,
}

async fn downwards(db: &Db, folder: Folder, place: Folder) -> orm::Result<Folder> {
    folder.move_to(db, |f| f.children, Some(place.id)).await
}

fn main() {}
