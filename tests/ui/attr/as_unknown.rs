use orm::prelude::*;

#[derive(Model)]
#[has_many(notes: Note, as = subjekt)]
struct Post {
    id: Id<Post>,
}

#[derive(Polymorphic)]
enum Subject {
    Post(Post),
}

#[derive(Model)]
struct Note {
    id: Id<Note>,
    #[belongs_to_any(subject: Subject)]
    subject_id: SubjectId,
}

fn main() {}
