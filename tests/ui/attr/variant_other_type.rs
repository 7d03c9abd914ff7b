use orm::prelude::*;

#[derive(Model)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
    Cat(Cat),
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
    pub weight: f64,
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Cat {
    pub id: Id<Animal>,
    pub weight: i32,
}

fn main() {}
