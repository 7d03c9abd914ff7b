use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(author_id: User)]
    author_id: Id<User>,
}

fn main() {
    let _ = Post::TABLE;
}
