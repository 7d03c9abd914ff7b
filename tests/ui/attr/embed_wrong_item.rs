use orm::Embed;

#[derive(Embed)]
enum Shape {
    Round,
}

#[derive(Embed)]
struct Metres(f64);

#[derive(Embed)]
struct Pair<T> {
    one: T,
    two: T,
}

#[derive(Embed)]
struct Nothing {
    #[orm(skip)]
    cache: u8,
}

fn main() {}
