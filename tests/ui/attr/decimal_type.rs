use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct Item {
    id: Id<Item>,
    #[orm(decimal(12, 2))]
    price: f64,
}

fn main() {}
