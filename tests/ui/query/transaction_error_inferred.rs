#![allow(unused)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

struct AppError;
impl From<Error> for AppError {
    fn from(_: Error) -> Self {
        AppError
    }
}

async fn unnamed(db: &Db) -> Result<(), AppError> {
    db.transaction(async |tx| {
        User::query().all(tx).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

fn main() {}
