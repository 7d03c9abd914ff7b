#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn missing(db: &Db) -> orm::Result<Vec<Invoice>> {
    Invoice::query().filter(|i| i.total.gt(3)).all(db).await
}

async fn missing_in_transaction(db: &Db, me: Id<User>) -> orm::Result<i64> {
    db.acting_as(me).transaction(async |tx| -> orm::Result<i64> { Invoice::query().count(tx).await }).await
}

async fn any_handle(ex: &impl Exec) -> orm::Result<Vec<Invoice>> {
    Invoice::query().all(ex).await
}

async fn any_model<M: Model>(query: Query<M>, ex: &impl Exec) -> orm::Result<Vec<M>> {
    query.limit(3).all(ex).await
}

fn main() {}
