use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct User {
    id: Id<User>,
    email: String,
    name: String,
}

fn main() {
    let _ = NewUser { name: "Ann".into() };
}
