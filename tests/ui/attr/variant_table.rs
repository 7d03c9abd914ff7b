use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal, table = "dogs")]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
