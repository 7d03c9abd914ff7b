use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    city: String,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    home: Address,
}

fn main() {
    let _ = NewCustomer {
        home: Address { city: String::new() },
    };
}
