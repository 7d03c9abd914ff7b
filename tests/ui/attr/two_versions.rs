use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[orm(version)]
    first: i64,
    #[orm(version)]
    second: i64,
}

fn main() {
    let _ = Post::TABLE;
}
