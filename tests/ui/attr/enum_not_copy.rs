use orm::DbEnum;

#[derive(DbEnum)]
enum Mood {
    Happy,
}

fn main() {}
