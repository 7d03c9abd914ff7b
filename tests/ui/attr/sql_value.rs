use orm::sql;

#[derive(Clone)]
struct Point;

fn main() {
    let point = Point;
    let _ = sql!("select id from users where place = {point}");
}
