use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    city: String,
}

#[derive(Model)]
#[orm(index(home.town))]
struct Customer {
    id: Id<Customer>,
    #[orm(embed)]
    home: Address,
}

fn main() {}
