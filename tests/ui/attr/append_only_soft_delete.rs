use orm::prelude::*;

#[derive(Model)]
#[orm(append_only, soft_delete)]
pub struct Posting {
    pub id: Id<Posting>,
    pub cents: i64,
    #[orm(version)]
    pub version: i64,
}

fn main() {}
