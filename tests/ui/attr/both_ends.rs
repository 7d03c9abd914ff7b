use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[many_to_many(friends: User, via = Friendship)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
#[orm(id(user_id, friend_id))]
struct Friendship {
    user_id: Id<User>,
    friend_id: Id<User>,
}

fn main() {}
