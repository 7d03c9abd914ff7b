use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>, name: String)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
