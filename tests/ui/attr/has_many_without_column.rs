use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[has_many(posts: Post)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(author: User)]
    author_id: Id<User>,
}

fn main() {}
