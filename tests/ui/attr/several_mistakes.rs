use orm::prelude::Model;
use orm::value::Id;

#[derive(Model)]
#[orm(tabel = "posts", index(titel))]
struct Post {
    id: Id<Post>,
    #[orm(uniqe)]
    title: String,
}

fn main() {
    let post = Post { id: Id::new(1), title: String::new() };
    let _ = (post.id(), NewPost { title: String::new() });
}
