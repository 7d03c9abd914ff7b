#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn history(db: &Db, id: Id<User>) -> orm::Result<()> {
    User::trail_of(db, id).await?;
    Ok(())
}

fn main() {}
