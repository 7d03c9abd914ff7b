use orm::prelude::*;

#[derive(Model)]
#[orm(append_only)]
#[common(id: Id<Event>)]
pub enum Event {
    Click(Click),
}

#[derive(Model)]
#[orm(variant_of = Event)]
pub struct Click {
    pub id: Id<Event>,
}

fn main() {}
