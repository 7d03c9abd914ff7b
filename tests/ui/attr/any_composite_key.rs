use orm::prelude::*;

#[derive(Model)]
#[orm(id(a, b))]
struct Pair {
    a: i64,
    b: i64,
}

#[derive(Polymorphic)]
enum Subject {
    Pair(Pair),
}

fn main() {}
