#![allow(unused)]

#[path = "../models.rs"]
mod models;

use std::rc::Rc;

use models::*;
use orm::prelude::*;

async fn captured(db: Db) -> orm::Result<i64> {
    let one = Rc::new(1);
    db.transaction(async |tx| -> orm::Result<i64> { Ok(*one + User::query().count(tx).await?) }).await
}

fn main() {}
