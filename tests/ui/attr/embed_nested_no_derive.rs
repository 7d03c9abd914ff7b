use orm::prelude::Embed;

struct Point {
    x: f64,
}

#[derive(Embed)]
struct Place {
    name: String,
    #[orm(embed)]
    at: Option<Point>,
}

fn main() {
    let _ = Place { name: String::new(), at: Some(Point { x: 0.0 }) };
}
