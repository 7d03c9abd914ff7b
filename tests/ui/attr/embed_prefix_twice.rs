use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    city: String,
    zip: String,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    #[orm(embed, prefix = "")]
    home: Address,
    #[orm(embed, prefix = "")]
    work: Address,
}

fn main() {}
