use orm::prelude::Model;
use orm::value::Id;

struct Point;

#[derive(Model)]
struct Place {
    id: Id<Place>,
    at: Option<Point>,
}

fn main() {}
