#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

struct AppError;

async fn cannot_hold_ours(db: &Db) -> Result<(), AppError> {
    db.transaction(async |tx| -> Result<(), AppError> { Err(AppError) }).await
}

fn main() {}
