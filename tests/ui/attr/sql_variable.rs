use orm::sql;

fn main() {
    let query = "select 1";
    let _ = sql!(query);
}
