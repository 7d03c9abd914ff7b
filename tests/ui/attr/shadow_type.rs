use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[orm(timestamps)]
struct Post {
    id: Id<Post>,
    created_at: orm::value::Date,
}

fn main() {}
