#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

#[derive(Shape)]
#[shape(User)]
struct Card {
    name: String,
}

async fn column(db: &Db) -> orm::Result<String> {
    let card = User::query().shape::<Card>().one(db).await?;
    Ok(card.email)
}

fn main() {}
