#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[orm(search(title, views))]
struct NoText {
    id: Id<NoText>,
    title: String,
    views: i64,
}

#[derive(Model)]
#[orm(search(titel = A))]
struct NoField {
    id: Id<NoField>,
    title: String,
}

#[derive(Model)]
#[orm(search(title = 3))]
struct NoWeight {
    id: Id<NoWeight>,
    title: String,
}

#[derive(Model)]
#[orm(view, search(title))]
struct OfAView {
    id: Id<OfAView>,
    title: String,
}

fn main() {}
