use orm::DbEnum;

#[derive(DbEnum, Clone, Copy)]
enum Mood {
    Happy(i32),
    Sad,
}

fn main() {
    let _ = Mood::Sad.label();
}
