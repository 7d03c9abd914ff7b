use orm::prelude::*;

#[derive(Model)]
#[orm(audit_trail = triggers)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal, audit_trail, history)]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
