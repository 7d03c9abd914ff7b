use orm::prelude::*;

#[derive(DbEnum, Clone, Copy, PartialEq, PartialOrd)]
enum State {
    Draft,
    Live,
}

#[derive(Model)]
struct Post {
    id: Id<Post>,
    title: String,
    state: State,
    views: i64,
    ratio: f64,
}

#[orm::hybrid]
impl Post {
    fn ordered(&self) -> bool {
        self.state > State::Draft
    }
    fn before(&self) -> bool {
        self.title < "m".to_owned()
    }
    fn rest(&self) -> f64 {
        self.ratio % 2.0
    }
    fn narrow(&self) -> i32 {
        self.views as i32
    }
    fn shown(&self) -> String {
        self.ratio.to_string()
    }
}

fn main() {}
