#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn verify(db: &Db) -> orm::Result<()> {
    User::verify_chain(db).await?;
    Ok(())
}

fn main() {}
