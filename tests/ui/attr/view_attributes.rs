#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[orm(view = 3)]
pub struct Three {
    pub author: i64,
}

#[derive(Model)]
#[orm(materialized)]
pub struct Stored {
    pub id: Id<Stored>,
}

#[derive(Model)]
#[orm(view = "SELECT 1 AS author", index(author))]
pub struct Indexed {
    pub author: i64,
}

fn main() {}
