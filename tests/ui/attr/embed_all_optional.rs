use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed)]
struct Names {
    first: Option<String>,
    last: Option<String>,
}

#[derive(Model)]
struct Person {
    id: Id<Person>,
    #[orm(embed)]
    maiden: Option<Names>,
}

fn main() {}
