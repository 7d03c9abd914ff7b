use orm::prelude::Model;
use orm::value::Id;

struct Point {
    x: f64,
}

#[derive(Model)]
struct Place {
    id: Id<Place>,
    at: Point,
}

fn main() {
    let _ = NewPlace { at: Point { x: 0.0 } };
}
