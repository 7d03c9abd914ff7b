use orm::Model;

#[derive(Model)]
enum Mood {
    Happy,
}

fn main() {}
