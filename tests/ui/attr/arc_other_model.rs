use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
}

#[derive(Model)]
struct Photo {
    id: Id<Photo>,
}

#[derive(Model)]
struct Page {
    id: Id<Page>,
}

#[derive(Polymorphic)]
enum Subject {
    Post(Post),
    Photo(Photo),
}

#[derive(Model)]
#[belongs_to_any(subject: Subject, arc = (post_id, page_id))]
struct Note {
    id: Id<Note>,
    #[belongs_to(post: Post)]
    post_id: Option<Id<Post>>,
    #[belongs_to(page: Page)]
    page_id: Option<Id<Page>>,
}

fn main() {}
