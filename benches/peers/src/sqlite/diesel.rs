//! diesel on one connection, which caches statements by itself.

use std::path::Path;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{self, Shelf};
use crate::sqlite::PRAGMAS;

diesel::table! {
    people {
        id -> BigInt,
        name -> Text,
        email -> Text,
        age -> Integer,
        score -> Double,
        active -> Bool,
        bio -> Nullable<Text>,
        created_at -> TimestamptzSqlite,
    }
}

diesel::table! {
    authors { id -> BigInt, name -> Text, email -> Text, }
}
diesel::table! {
    books { id -> BigInt, author_id -> BigInt, title -> Text, year -> Integer, }
}
diesel::table! {
    chapters { id -> BigInt, book_id -> BigInt, heading -> Text, pages -> Integer, }
}

#[derive(Identifiable, Queryable)]
struct Author {
    id: i64,
    name: String,
    email: String,
}

#[derive(Associations, Identifiable, Queryable)]
#[diesel(belongs_to(Author))]
struct Book {
    id: i64,
    author_id: i64,
    title: String,
    year: i32,
}

#[derive(Associations, Identifiable, Queryable)]
#[diesel(belongs_to(Book))]
struct Chapter {
    id: i64,
    book_id: i64,
    heading: String,
    pages: i32,
}

/// An author with the books that `grouped_by` found.
pub(crate) struct Loaded {
    author: Author,
    books: Vec<(Book, Vec<Chapter>)>,
}

impl From<Loaded> for Shelf {
    fn from(loaded: Loaded) -> Shelf {
        let Author { id, name, email } = loaded.author;
        let chapter = |c: Chapter| library::Chapter {
            id: c.id,
            book_id: c.book_id,
            heading: c.heading,
            pages: c.pages,
        };
        let book = |(b, chapters): (Book, Vec<Chapter>)| {
            let book = library::Book {
                id: b.id,
                author_id: b.author_id,
                title: b.title,
                year: b.year,
            };
            (book, chapters.into_iter().map(chapter).collect())
        };
        Shelf {
            author: library::Author { id, name, email },
            books: loaded.books.into_iter().map(book).collect(),
        }
    }
}

/// Without defaults for `None`, because they would make diesel write a bulk insert row by row.
#[derive(Insertable)]
#[diesel(table_name = people, treat_none_as_default_value = false)]
struct Insert {
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    bio: Option<String>,
    created_at: DateTime<Utc>,
}

pub(crate) struct Diesel {
    connection: SqliteConnection,
}

impl Diesel {
    pub(crate) fn open(file: &Path) -> Result<Diesel> {
        let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
        connection.batch_execute(PRAGMAS)?;
        Ok(Diesel { connection })
    }
}

impl Peer for Diesel {
    const NAME: &'static str = "diesel";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        Ok(people::table.find(id).get_result(&mut self.connection)?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        Ok(people::table
            .filter(people::id.between(1, rows))
            .order(people::id)
            .load(&mut self.connection)?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let insert = diesel::insert_into(people::table)
            .values(Insert::from(new))
            .returning(people::id);
        Ok(insert.get_result(&mut self.connection)?)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let rows: Vec<_> = new.into_iter().map(Insert::from).collect();
        diesel::insert_into(people::table)
            .values(rows)
            .execute(&mut self.connection)?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let update = diesel::update(people::table.find(id)).set(people::age.eq(age));
        Ok(update.execute(&mut self.connection)? as u64)
    }

    type Shelf = Loaded;
    async fn associations(&mut self) -> Result<Vec<Loaded>> {
        let authors: Vec<Author> = authors::table.order(authors::id).load(&mut self.connection)?;
        let books: Vec<Book> = Book::belonging_to(&authors)
            .order(books::id)
            .load(&mut self.connection)?;
        let chapters: Vec<Chapter> = Chapter::belonging_to(&books)
            .order(chapters::id)
            .load(&mut self.connection)?;
        let chapters = chapters.grouped_by(&books);
        let books = books.into_iter().zip(chapters).grouped_by(&authors);
        Ok(authors
            .into_iter()
            .zip(books)
            .map(|(author, books)| Loaded { author, books })
            .collect())
    }

    async fn clear(&mut self) -> Result<()> {
        diesel::delete(people::table.filter(people::id.gt(SEEDED))).execute(&mut self.connection)?;
        Ok(())
    }
}

impl From<NewPerson> for Insert {
    fn from(new: NewPerson) -> Insert {
        let NewPerson {
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = new;
        Insert {
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
