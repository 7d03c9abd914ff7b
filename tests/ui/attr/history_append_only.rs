use orm::prelude::*;

#[derive(Model)]
#[orm(append_only, history)]
pub struct Posting {
    pub id: Id<Posting>,
    pub cents: i64,
}

fn main() {}
