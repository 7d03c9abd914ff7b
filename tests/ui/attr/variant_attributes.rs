use orm::prelude::*;

#[derive(Model)]
#[orm(discriminator = kind, hooks)]
#[common(name: String, update: i32, #[orm(skip)] extra: i32)]
pub enum Animal {
    Cat(Cat),
}

#[derive(Model)]
#[orm(variant_of = Animal, schema = "zoo", view)]
pub struct Cat {
    #[orm(id)]
    pub name: String,
    pub update: i32,
    pub extra: i32,
}

#[derive(Model)]
#[orm(tag = "dog", joined)]
pub struct Dog {
    pub id: Id<Dog>,
}

fn main() {}
