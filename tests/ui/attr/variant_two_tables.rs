use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>, name: String)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal, joined, unique(name, breed))]
pub struct Dog {
    pub id: Id<Animal>,
    pub name: String,
    pub breed: String,
}

fn main() {}
