use orm::prelude::*;

#[derive(Model)]
pub struct Animal {
    pub id: Id<Animal>,
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
