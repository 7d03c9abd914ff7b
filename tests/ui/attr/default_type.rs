use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[orm(default = "no")]
    views: i64,
}

fn main() {}
