use orm::prelude::*;

#[derive(Model, Clone)]
#[orm(filter(published = |p| p.published))]
#[belongs_to(shelf: Shelf, by = shelf_id)]
struct Post {
    id: Id<Post>,
    shelf_id: Id<Shelf>,
    published: bool,
}

#[derive(Model, Clone)]
#[has_many(posts: Post)]
struct Shelf {
    id: Id<Shelf>,
    name: String,
}

#[derive(Model, Clone)]
#[orm(filter(open = |d| d.open))]
struct Door {
    id: Id<Door>,
    open: bool,
}

fn no_such_name() -> Query<Post> {
    Post::query().without_filter(|f| f.publishd)
}

fn no_filters() -> Query<Shelf> {
    Shelf::query().without_filters()
}

fn of_another_model(open: impl Fn(orm::model::FilterRef<Door>) -> orm::model::FilterRef<Door>) {
    let door = <Door as orm::model::Filtered>::FILTERS.open;
    let _ = Post::query().without_filter(|_| open(door));
}

fn in_a_load() {
    let _ = Shelf::query().with(|s| s.posts.without_filter(|f| f.draft));
}

fn main() {}
