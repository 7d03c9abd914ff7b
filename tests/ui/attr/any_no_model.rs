use orm::prelude::*;

#[derive(Model, Clone)]
struct Post {
    id: Id<Post>,
}

struct NoModel;

#[derive(Polymorphic)]
enum Subject {
    Post(Post),
    Other(NoModel),
}

fn main() {}
