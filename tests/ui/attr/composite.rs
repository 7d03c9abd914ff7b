#[derive(orm::Composite)]
struct Tuple(String, i32);

#[derive(orm::Composite)]
enum Choice {
    A,
}

#[derive(orm::Composite)]
#[orm(table = "sizes")]
struct Size {
    #[orm(column = "w")]
    width: i32,
}

#[derive(orm::Composite)]
struct Generic<T> {
    width: T,
}

fn main() {}
