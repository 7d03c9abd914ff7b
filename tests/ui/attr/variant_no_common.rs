use orm::prelude::*;

#[derive(Model)]
pub enum Animal {
    Dog(Dog),
}

pub struct Dog;

fn main() {}
