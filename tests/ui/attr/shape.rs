use orm::prelude::{Model, Record, Shape};
use orm::value::Id;

#[derive(Model)]
#[has_many(posts: Post)]
struct User {
    id: Id<User>,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    #[belongs_to(user: User)]
    user_id: Id<User>,
}

#[derive(Shape)]
struct NoModel {
    id: Id<User>,
}

#[derive(Shape)]
#[shape(User)]
struct Empty {}

#[derive(Shape)]
#[shape(User)]
struct Generic<T> {
    id: T,
}

#[derive(Shape)]
#[shape(User)]
struct Tuple(Id<User>);

#[derive(Shape)]
#[shape(User)]
struct Endless {
    #[rel(posts)]
    users: Vec<Self>,
}

#[derive(Shape)]
#[shape(User, krate = orm)]
struct Several {
    #[rel]
    #[count(posts)]
    posts: i64,
    #[rel(posts, sort = |p| p.id.asc())]
    sorted: Vec<Post>,
    #[rel(posts, limit)]
    limited: Vec<Post>,
    #[count]
    counted: i64,
    #[col(a b)]
    col: i64,
    #[agg(posts)]
    agg: i64,
    #[shape(User)]
    id: Id<User>,
}

fn main() {
    let _ = User::query().shape::<Several>();
}
