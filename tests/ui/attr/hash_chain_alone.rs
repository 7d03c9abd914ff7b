use orm::prelude::*;

#[derive(Model)]
#[orm(hash_chain)]
pub struct Posting {
    pub id: Id<Posting>,
    pub cents: i64,
}

fn main() {}
