use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Cat {
    pub id: Id<Animal>,
}

fn main() {}
