use orm::sql;

fn main() {
    let name = "ann";
    let _ = sql!("select id from users where name = '{name}'");
}
