use orm::prelude::Embed;

struct Point {
    x: f64,
}

#[derive(Embed)]
struct Place {
    name: String,
    at: Point,
}

fn main() {
    let _ = Place { name: String::new(), at: Point { x: 0.0 } };
}
