use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[orm(index(titel))]
struct Post {
    id: Id<Post>,
    title: String,
}

fn main() {
    let _ = Post::TABLE;
}
