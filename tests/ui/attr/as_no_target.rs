use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
}

#[derive(Model)]
#[has_many(notes: Note, as = subject)]
struct Photo {
    id: Id<Photo>,
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
