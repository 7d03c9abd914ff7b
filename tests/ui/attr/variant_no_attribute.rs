use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>, name: String)]
pub enum Animal {
    Dog(Dog),
    Cat(Cat),
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
    pub name: String,
}

#[derive(Model)]
pub struct Cat {
    pub id: Id<Animal>,
    pub name: String,
}

fn main() {}
