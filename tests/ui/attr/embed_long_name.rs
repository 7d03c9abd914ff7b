use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    the_street_in_which_the_house_of_this_person_stands: String,
}

#[derive(Model)]
struct Customer {
    id: Id<Customer>,
    #[orm(embed)]
    where_the_customer_lives: Address,
}

fn main() {}
