use orm::sql;

struct Point;

fn main() {
    let point = Point;
    let _ = sql!("select id from users where place = {point}");
}
