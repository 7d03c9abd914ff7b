#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn history(db: &Db, id: Id<User>) -> orm::Result<()> {
    User::history(db, id).await?;
    Ok(())
}

fn main() {}
