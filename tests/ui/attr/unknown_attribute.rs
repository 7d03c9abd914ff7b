use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct User {
    id: Id<User>,
    #[orm(uniqe)]
    email: String,
}

fn main() {
    let _ = NewUser { email: String::new() };
}
