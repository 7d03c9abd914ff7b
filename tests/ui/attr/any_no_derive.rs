use orm::prelude::*;

#[derive(Model)]
struct Post {
    id: Id<Post>,
}

#[derive(Model)]
struct Tag {
    id: Id<Tag>,
}

enum Subject {
    Post(Post),
    Tag(Tag),
}

#[derive(Model)]
#[belongs_to_any(subject: Subject, arc = (post_id, tag_id))]
struct Note {
    id: Id<Note>,
    #[belongs_to(post: Post)]
    post_id: Option<Id<Post>>,
    #[belongs_to(tag: Tag)]
    tag_id: Option<Id<Tag>>,
}

fn main() {}
