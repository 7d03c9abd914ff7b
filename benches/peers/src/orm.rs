//! This library, on either backend, through the handle and the methods its users write.

use chrono::{DateTime, Utc};
use orm::prelude::*;
use orm::query::IntoInsert;

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{self, Shelf};

#[derive(Model)]
#[orm(table = "people")]
pub(crate) struct Human {
    pub(crate) id: Id<Human>,
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    bio: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<Human> for Person {
    fn from(human: Human) -> Person {
        let Human {
            id,
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = human;
        Person {
            id: id.raw(),
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        }
    }
}

#[derive(Model)]
#[has_many(books: Book)]
pub(crate) struct Author {
    id: Id<Author>,
    name: String,
    email: String,
}

#[derive(Model)]
#[has_many(chapters: Chapter)]
pub(crate) struct Book {
    id: Id<Book>,
    #[belongs_to(author: Author)]
    author_id: Id<Author>,
    title: String,
    year: i32,
}

#[derive(Model)]
pub(crate) struct Chapter {
    id: Id<Chapter>,
    #[belongs_to(book: Book)]
    book_id: Id<Book>,
    heading: String,
    pages: i32,
}

type Loaded = AuthorWithBooks<Author, Vec<BookWithChapters>>;

impl From<Loaded> for Shelf {
    fn from(loaded: Loaded) -> Shelf {
        let (author, books) = loaded.into_parts();
        let chapter = |c: Chapter| library::Chapter {
            id: c.id.raw(),
            book_id: c.book_id.raw(),
            heading: c.heading,
            pages: c.pages,
        };
        let book = |book: BookWithChapters| {
            let (b, chapters) = book.into_parts();
            let book = library::Book {
                id: b.id.raw(),
                author_id: b.author_id.raw(),
                title: b.title,
                year: b.year,
            };
            (book, chapters.into_iter().map(chapter).collect())
        };
        Shelf {
            author: library::Author {
                id: author.id.raw(),
                name: author.name,
                email: author.email,
            },
            books: books.into_iter().map(book).collect(),
        }
    }
}

fn row(new: NewPerson) -> impl IntoInsert<Human> {
    let NewPerson {
        name,
        email,
        age,
        score,
        active,
        bio,
        created_at,
    } = new;
    NewHuman {
        name,
        email,
        age,
        score,
        active,
        created_at,
    }
    .set(|h| h.bio.to(bio))
}

pub(crate) struct Orm {
    db: Db,
}

impl Orm {
    pub(crate) async fn connect(url: &str) -> Result<Orm> {
        Ok(Orm {
            db: Db::connect(url).await?,
        })
    }
}

impl Peer for Orm {
    const NAME: &'static str = "orm";
    type Row = Human;

    async fn find(&mut self, id: i64) -> Result<Human> {
        Ok(Human::get(&self.db, Id::new(id)).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Human>> {
        let people = Human::query()
            .filter(|h| h.id.between(Id::new(1), Id::new(rows)))
            .order_by(|h| h.id.asc());
        Ok(people.all(&self.db).await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let human: Human = row(new).into_insert().insert(&self.db).await?;
        Ok(human.id.raw())
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        NewHuman::exec_all(&self.db, new.into_iter().map(row)).await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        Ok(Human::update_where(|h| h.id.eq(Id::new(id)))
            .set(|h| h.age.to(age))
            .exec(&self.db)
            .await?)
    }

    type Shelf = Loaded;
    async fn associations(&mut self) -> Result<Vec<Loaded>> {
        let authors = Author::query()
            .with(|a| {
                a.books
                    .order_by(|b| b.id.asc())
                    .with(|b| b.chapters.order_by(|c| c.id.asc()))
            })
            .order_by(|a| a.id.asc());
        Ok(authors.all(&self.db).await?)
    }

    async fn clear(&mut self) -> Result<()> {
        Human::delete_where(|h| h.id.gt(Id::new(SEEDED)))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}
