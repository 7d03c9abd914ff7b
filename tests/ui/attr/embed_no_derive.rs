use orm::prelude::Model;
use orm::value::Id;

struct Address {
    city: String,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    #[orm(embed)]
    home: Address,
    email: String,
}

fn main() {
    let _ = NewCustomer {
        home: Address { city: String::new() },
        email: String::new(),
    };
}
