use orm::prelude::*;

#[derive(Model)]
#[orm(audit_trail)]
pub struct Card {
    #[orm(id, sensitive)]
    pub number: String,
    pub owner: String,
}

fn main() {}
