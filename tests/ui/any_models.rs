//! What the cases about polymorphic associations are about.

use orm::prelude::*;

#[derive(Model)]
#[has_many(notes: Note, as = subject)]
pub struct Post {
    pub id: Id<Post>,
}

#[derive(Model)]
pub struct Photo {
    pub id: Id<Photo>,
}

#[derive(Model)]
pub struct User {
    pub id: Id<User>,
}

#[derive(Polymorphic)]
pub enum Subject {
    Post(Post),
    Photo(Photo),
}

#[derive(Model)]
pub struct Note {
    pub id: Id<Note>,
    #[belongs_to_any(subject: Subject)]
    pub subject_id: SubjectId,
}
