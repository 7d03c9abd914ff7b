use orm::prelude::{Embed, Model};
use orm::value::Id;

#[derive(Embed, Clone)]
struct Isbn {
    group: i32,
    title: i32,
}

#[derive(Model)]
struct Book {
    #[orm(embed)]
    id: Isbn,
}

#[derive(Model)]
struct Page {
    #[orm(id, embed)]
    isbn: Isbn,
}

#[derive(Model)]
#[orm(id(isbn, number), tenant(isbn))]
struct Line {
    #[orm(embed)]
    isbn: Isbn,
    number: i32,
    #[orm(embed)]
    #[belongs_to(book: Book)]
    book_id: Isbn,
    id: Id<Line>,
}

fn main() {}
