use orm::prelude::Model;
use orm::value::Id;

struct User;

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(author: User)]
    author_id: Id<User>,
}

fn main() {}
