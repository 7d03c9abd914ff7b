use orm::prelude::Model;

#[derive(Model)]
struct User {
    email: String,
}

fn main() {
    let _ = User::TABLE;
}
