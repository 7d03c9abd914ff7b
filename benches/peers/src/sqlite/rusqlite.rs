//! rusqlite, the driver: one connection, cached statements, columns by position.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, Row, params};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{Author, Book, Chapter, Shelf, json, shelves};
use crate::sqlite::PRAGMAS;

const INSERT: &str = "INSERT INTO people (name, email, age, score, active, bio, created_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(crate) struct Rusqlite {
    connection: Connection,
}

impl Rusqlite {
    pub(crate) fn open(file: &Path) -> Result<Rusqlite> {
        let connection = Connection::open(file)?;
        connection.execute_batch(PRAGMAS)?;
        Ok(Rusqlite { connection })
    }
}

impl Peer for Rusqlite {
    const NAME: &'static str = "rusqlite";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people WHERE id = ?1",
        )?;
        Ok(statement.query_row([id], person)?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people \
             WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        )?;
        let people = statement.query_map([1, rows], person)?;
        Ok(people.collect::<Result<_, _>>()?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        insert(&mut self.connection.prepare_cached(INSERT)?, &new)?;
        Ok(self.connection.last_insert_rowid())
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let transaction = self.connection.transaction()?;
        let mut statement = transaction.prepare_cached(INSERT)?;
        for person in &new {
            insert(&mut statement, person)?;
        }
        drop(statement);
        Ok(transaction.commit()?)
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let mut statement = self
            .connection
            .prepare_cached("UPDATE people SET age = ?1 WHERE id = ?2")?;
        Ok(statement.execute(params![age, id])? as u64)
    }

    type Shelf = Shelf;
    async fn associations(&mut self) -> Result<Vec<Shelf>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name, email FROM authors ORDER BY id")?;
        let author = |row: &Row<'_>| {
            Ok(Author {
                id: row.get(0)?,
                name: row.get(1)?,
                email: row.get(2)?,
            })
        };
        let authors: Vec<Author> = statement.query_map([], author)?.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, author_id, title, year FROM books \
             WHERE author_id IN (SELECT value FROM json_each(?1)) ORDER BY author_id, id",
        )?;
        let book = |row: &Row<'_>| {
            Ok(Book {
                id: row.get(0)?,
                author_id: row.get(1)?,
                title: row.get(2)?,
                year: row.get(3)?,
            })
        };
        let books = statement.query_map([json(authors.iter().map(|a| a.id))], book)?;
        let books: Vec<Book> = books.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, book_id, heading, pages FROM chapters \
             WHERE book_id IN (SELECT value FROM json_each(?1)) ORDER BY book_id, id",
        )?;
        let chapter = |row: &Row<'_>| {
            Ok(Chapter {
                id: row.get(0)?,
                book_id: row.get(1)?,
                heading: row.get(2)?,
                pages: row.get(3)?,
            })
        };
        let chapters = statement.query_map([json(books.iter().map(|b| b.id))], chapter)?;
        let chapters: Vec<Chapter> = chapters.collect::<Result<_, _>>()?;
        Ok(shelves(authors, books, chapters))
    }

    async fn clear(&mut self) -> Result<()> {
        self.connection
            .execute("DELETE FROM people WHERE id > ?1", [SEEDED])?;
        Ok(())
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        age: row.get(3)?,
        score: row.get(4)?,
        active: row.get(5)?,
        bio: row.get(6)?,
        created_at: row.get(7)?,
    })
}

fn insert(statement: &mut CachedStatement<'_>, new: &NewPerson) -> rusqlite::Result<usize> {
    let NewPerson {
        name,
        email,
        age,
        score,
        active,
        bio,
        created_at,
    } = new;
    statement.execute(params![name, email, age, score, active, bio, created_at])
}
