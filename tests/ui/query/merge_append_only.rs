#![allow(unused)]

use orm::prelude::*;

#[derive(Model, Clone)]
#[orm(append_only)]
pub struct Entry {
    pub id: Id<Entry>,
    pub text: String,
}

async fn nothing_of_it_changes(db: &Db, entry: Entry) -> orm::Result<()> {
    entry.merge(db).await?;
    Ok(())
}

fn main() {}
