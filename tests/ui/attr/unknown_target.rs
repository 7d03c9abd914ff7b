use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(author: Usr)]
    author_id: Id<User>,
}

fn main() {}
