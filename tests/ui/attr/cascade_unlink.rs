use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[has_many(posts: Post, cascade = unlink)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(user: User)]
    user_id: Id<User>,
}

fn main() {}
