#![deny(unused_must_use)]
#![allow(dead_code)]

#[path = "../models.rs"]
mod models;

use models::*;
use orm::prelude::*;

async fn terminal() {
    User::query().filter(|u| u.name.eq("x"));
}

async fn waiting(db: &Db, tag: Tag) {
    tag.delete(db);
}

fn main() {}
