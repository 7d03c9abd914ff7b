use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
    Cat(Dog),
    Fish { id: Id<Animal> },
    Bird,
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
