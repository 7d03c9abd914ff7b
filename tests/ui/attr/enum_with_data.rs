use orm::DbEnum;
use orm::model::DbEnum as _;

#[derive(DbEnum, Clone, Copy)]
enum Mood {
    Happy(i32),
    Sad,
}

fn main() {
    let _ = Mood::Sad.label();
}
