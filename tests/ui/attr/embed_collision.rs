use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    city: String,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    #[orm(embed)]
    home: Address,
    #[orm(column = "HOME_CITY")]
    city: String,
}

fn main() {}
