use orm::prelude::*;

#[derive(Model)]
#[orm(soft_delete)]
#[common(id: Id<Animal>)]
pub enum Animal {
    Dog(Dog),
}

#[derive(Model)]
#[orm(variant_of = Animal)]
pub struct Dog {
    pub id: Id<Animal>,
}

fn main() {}
