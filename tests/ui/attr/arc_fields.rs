use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
}

#[derive(Model)]
struct Photo {
    id: Id<Photo>,
}

#[derive(Polymorphic)]
enum Subject {
    Post(Post),
    Photo(Photo),
}

#[derive(Model)]
#[belongs_to_any(subject: Subject, arc = (post_id, photo_id))]
struct Note {
    id: Id<Note>,
    #[belongs_to(post: Post)]
    post_id: Id<Post>,
    photo_id: Option<Id<Photo>>,
}

fn main() {}
