#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn then(db: &Db, at: Timestamp) -> orm::Result<()> {
    User::as_of(at).all(db).await?;
    Ok(())
}

fn main() {}
