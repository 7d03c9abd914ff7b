use orm::prelude::Model;

#[derive(Model)]
enum Mood {
    Happy,
}

fn main() {}
