use orm::prelude::*;

#[derive(Model)]
#[orm(history)]
pub struct Price {
    pub id: Id<Price>,
    pub cents: i64,
    pub valid_from: Timestamp,
}

fn main() {}
