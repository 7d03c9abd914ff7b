#![allow(unused)]

use orm::prelude::*;

#[derive(Model)]
#[many_to_many(tags: Tag, via = Tagging)]
#[has_many(pages: Page)]
pub struct Book {
    pub id: Id<Book>,
}

#[derive(Model)]
pub struct Tag {
    pub id: Id<Tag>,
}

#[derive(Model)]
#[orm(id(book_id, tag_id), append_only)]
pub struct Tagging {
    #[belongs_to(book: Book)]
    pub book_id: Id<Book>,
    #[belongs_to(tag: Tag)]
    pub tag_id: Id<Tag>,
}

#[derive(Model)]
#[orm(append_only)]
pub struct Page {
    pub id: Id<Page>,
    #[belongs_to(book: Book)]
    pub book_id: Option<Id<Book>>,
}

async fn link_compiles(db: &Db, book: Book, tag: Tag) -> orm::Result<u64> {
    book.tags().link(db, [tag.id]).await
}

async fn unlink(db: &Db, book: Book, tag: Tag) -> orm::Result<u64> {
    book.tags().unlink(db, [tag.id]).await
}

async fn set_a_key(db: &Db, book: Book, page: Page) -> orm::Result<u64> {
    book.pages().link(db, [page.id]).await
}

fn main() {}
