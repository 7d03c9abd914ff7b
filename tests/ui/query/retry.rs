#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn moves(db: &Db, name: String) -> orm::Result<i64> {
    db.tx()
        .retry(3)
        .run(async move |tx| -> orm::Result<i64> {
            User::query().filter(|u| u.name.eq(&name)).count(tx).await
        })
        .await
}

async fn changes(db: &Db) -> orm::Result<()> {
    let mut n = 0;
    db.tx()
        .retry(3)
        .run(async |tx| -> orm::Result<()> {
            n += User::query().count(tx).await?;
            Ok(())
        })
        .await
}

async fn changes_as_actor(db: &Db, me: Id<User>) -> orm::Result<()> {
    let mut n = 0;
    db.acting_as(me)
        .tx()
        .retry(3)
        .run(async |tx| -> orm::Result<()> {
            n += User::query().count(tx).await?;
            Ok(())
        })
        .await
}

fn main() {}
