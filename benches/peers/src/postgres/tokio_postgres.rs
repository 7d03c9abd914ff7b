//! tokio-postgres, the driver: one client, statements prepared once, columns by position.

use tokio_postgres::{Client, Row, Statement};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{Author, Book, Chapter, Shelf, shelves};

pub(crate) struct TokioPostgres {
    client: Client,
    find: Statement,
    select: Statement,
    insert: Statement,
    insert_many: Statement,
    update: Statement,
    authors: Statement,
    books: Statement,
    chapters: Statement,
}

impl TokioPostgres {
    pub(crate) async fn connect(url: &str) -> Result<TokioPostgres> {
        let client = crate::postgres::connect(url).await?;
        Ok(TokioPostgres {
            find: client
                .prepare(
                    "SELECT id, name, email, age, score, active, bio, created_at FROM people WHERE id = $1",
                )
                .await?,
            select: client
                .prepare(
                    "SELECT id, name, email, age, score, active, bio, created_at FROM people \
                     WHERE id BETWEEN $1 AND $2 ORDER BY id",
                )
                .await?,
            insert: client
                .prepare(
                    "INSERT INTO people (name, email, age, score, active, bio, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
                )
                .await?,
            insert_many: client
                .prepare(
                    "INSERT INTO people (name, email, age, score, active, bio, created_at) \
                     SELECT * FROM UNNEST($1::text[], $2::text[], $3::int4[], $4::float8[], $5::bool[], \
                     $6::text[], $7::timestamptz[])",
                )
                .await?,
            update: client.prepare("UPDATE people SET age = $1 WHERE id = $2").await?,
            authors: client
                .prepare("SELECT id, name, email FROM authors ORDER BY id")
                .await?,
            books: client
                .prepare(
                    "SELECT id, author_id, title, year FROM books WHERE author_id = ANY($1) \
                     ORDER BY author_id, id",
                )
                .await?,
            chapters: client
                .prepare(
                    "SELECT id, book_id, heading, pages FROM chapters WHERE book_id = ANY($1) \
                     ORDER BY book_id, id",
                )
                .await?,
            client,
        })
    }
}

impl Peer for TokioPostgres {
    const NAME: &'static str = "tokio-postgres";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        person(&self.client.query_one(&self.find, &[&id]).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        self.client
            .query(&self.select, &[&1_i64, &rows])
            .await?
            .iter()
            .map(person)
            .collect()
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let NewPerson {
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = &new;
        let row = self
            .client
            .query_one(&self.insert, &[name, email, age, score, active, bio, created_at])
            .await?;
        Ok(row.try_get(0)?)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let names: Vec<_> = new.iter().map(|person| person.name.as_str()).collect();
        let emails: Vec<_> = new.iter().map(|person| person.email.as_str()).collect();
        let ages: Vec<_> = new.iter().map(|person| person.age).collect();
        let scores: Vec<_> = new.iter().map(|person| person.score).collect();
        let actives: Vec<_> = new.iter().map(|person| person.active).collect();
        let bios: Vec<_> = new.iter().map(|person| person.bio.as_deref()).collect();
        let times: Vec<_> = new.iter().map(|person| person.created_at).collect();
        self.client
            .execute(
                &self.insert_many,
                &[&names, &emails, &ages, &scores, &actives, &bios, &times],
            )
            .await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        Ok(self.client.execute(&self.update, &[&age, &id]).await?)
    }

    type Shelf = Shelf;
    async fn associations(&mut self) -> Result<Vec<Shelf>> {
        let author = |row: &Row| {
            Ok::<_, tokio_postgres::Error>(Author {
                id: row.try_get(0)?,
                name: row.try_get(1)?,
                email: row.try_get(2)?,
            })
        };
        let authors = self.client.query(&self.authors, &[]).await?;
        let authors: Vec<Author> = authors.iter().map(author).collect::<Result<_, _>>()?;
        let keys: Vec<i64> = authors.iter().map(|a| a.id).collect();
        let book = |row: &Row| {
            Ok::<_, tokio_postgres::Error>(Book {
                id: row.try_get(0)?,
                author_id: row.try_get(1)?,
                title: row.try_get(2)?,
                year: row.try_get(3)?,
            })
        };
        let books = self.client.query(&self.books, &[&keys]).await?;
        let books: Vec<Book> = books.iter().map(book).collect::<Result<_, _>>()?;
        let keys: Vec<i64> = books.iter().map(|b| b.id).collect();
        let chapter = |row: &Row| {
            Ok::<_, tokio_postgres::Error>(Chapter {
                id: row.try_get(0)?,
                book_id: row.try_get(1)?,
                heading: row.try_get(2)?,
                pages: row.try_get(3)?,
            })
        };
        let chapters = self.client.query(&self.chapters, &[&keys]).await?;
        let chapters: Vec<Chapter> = chapters.iter().map(chapter).collect::<Result<_, _>>()?;
        Ok(shelves(authors, books, chapters))
    }

    async fn clear(&mut self) -> Result<()> {
        self.client
            .execute("DELETE FROM people WHERE id > $1", &[&SEEDED])
            .await?;
        Ok(())
    }
}

fn person(row: &Row) -> Result<Person> {
    Ok(Person {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        age: row.try_get(3)?,
        score: row.try_get(4)?,
        active: row.try_get(5)?,
        bio: row.try_get(6)?,
        created_at: row.try_get(7)?,
    })
}
