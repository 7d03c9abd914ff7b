use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[orm(tabel = "people")]
struct User {
    id: Id<User>,
}

fn main() {
    let _ = User::TABLE;
}
