use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
}

#[derive(Model)]
struct Country {
    #[orm(id)]
    code: String,
}

#[derive(Polymorphic)]
enum Subject {
    Post(Post),
    Country(Country),
}

#[derive(Model)]
struct Note {
    id: Id<Note>,
    #[belongs_to_any(subject: Subject)]
    subject_id: SubjectId,
}

fn main() {}
