use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct Page<T> {
    id: Id<Page<T>>,
    content: T,
}

fn main() {}
