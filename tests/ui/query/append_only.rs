#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[orm(append_only)]
pub struct Posting {
    pub id: Id<Posting>,
    pub cents: i64,
}

async fn update(db: &Db, posting: Posting) -> orm::Result<Posting> {
    posting.update().set(|p| p.cents.to(1)).save(db).await
}

async fn delete(db: &Db) -> orm::Result<u64> {
    Posting::delete_everything().exec(db).await
}

fn main() {}
