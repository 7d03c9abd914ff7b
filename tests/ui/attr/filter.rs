use orm::prelude::*;

#[derive(Model)]
#[orm(filter(published = |p| p.publishd))]
struct NoColumn {
    id: i64,
    published: bool,
}

#[derive(Model)]
#[orm(filter(named = |p| p.name))]
struct NoCondition {
    id: i64,
    name: String,
}

#[derive(Model)]
#[orm(filter(published))]
struct NoValue {
    id: i64,
}

#[derive(Model)]
#[orm(filter(live = |p| p.live), filter(live = |p| p.live))]
struct Twice {
    id: i64,
    live: bool,
}

fn main() {}
