use orm::prelude::*;

#[derive(Model)]
#[orm(audit_trail = trigger)]
pub struct Invoice {
    pub id: Id<Invoice>,
    pub cents: i64,
}

fn main() {}
