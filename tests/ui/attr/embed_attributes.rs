use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Address {
    #[orm(default = "Oslo")]
    city: String,
    #[orm(check = "length(zip) = 4")]
    zip: String,
    #[orm(check = "{door} > {street}")]
    door: i32,
    #[orm(prefix = x_)]
    floor: i32,
}

#[derive(Model)]
#[orm(index(work), unique(email.city), index(work.city.desc))]
struct Customer {
    id: Id<Customer>,
    #[orm(embed, unique, default = 1)]
    home: Address,
    #[orm(embed)]
    work: Address,
    #[orm(prefix = mail_)]
    email: String,
}

fn main() {}
