//! The folder of built-in migrations is a literal, relative to the crate.

fn main() {
    let _ = orm::migrate::embed!("no_such_folder");
    let folder = "migrations";
    let _ = orm::migrate::embed!(folder);
}
