#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn streaming(db: &Db) -> orm::Result<()> {
    let mut tx = db.begin().await?;
    let mut rows = User::query().stream(&mut tx);
    while let Some(user) = rows.next().await? {
        user.update().set(|u| u.name.to("x")).save(&tx).await?;
    }
    Ok(())
}

async fn streaming_in_closure(db: &Db) -> orm::Result<()> {
    db.transaction(async |tx| -> orm::Result<()> {
        let mut rows = User::query().stream(tx);
        while let Some(user) = rows.next().await? {
            user.update().set(|u| u.name.to("x")).save(tx).await?;
        }
        Ok(())
    })
    .await
}

async fn outer_in_savepoint(db: &Db) -> orm::Result<i64> {
    db.transaction(async |tx| -> orm::Result<i64> {
        tx.savepoint(async |inner| -> orm::Result<i64> { User::query().count(tx).await }).await
    })
    .await
}

async fn escaping(db: &Db) -> orm::Result<()> {
    let mut out = None;
    db.transaction(async |tx| -> orm::Result<()> {
        out = Some(tx);
        Ok(())
    })
    .await
}

fn main() {}
