use orm::prelude::*;

#[derive(Polymorphic)]
enum Things {
    Name { name: String },
    Nothing,
}

fn main() {}
