//! sqlx on its pool with the pool's defaults; many rows go in by UNNEST, as its documentation recommends.

use sqlx::PgPool;

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{Author, Book, Chapter, Shelf, shelves};

pub(crate) struct Sqlx {
    pool: PgPool,
}

impl Sqlx {
    pub(crate) async fn connect(url: &str) -> Result<Sqlx> {
        Ok(Sqlx {
            pool: PgPool::connect(url).await?,
        })
    }
}

impl Peer for Sqlx {
    const NAME: &'static str = "sqlx";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        let query = sqlx::query_as(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people WHERE id = $1",
        );
        Ok(query.bind(id).fetch_one(&self.pool).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        let query = sqlx::query_as(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people \
             WHERE id BETWEEN $1 AND $2 ORDER BY id",
        );
        Ok(query.bind(1_i64).bind(rows).fetch_all(&self.pool).await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let query = sqlx::query_scalar(
            "INSERT INTO people (name, email, age, score, active, bio, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        );
        let NewPerson {
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = new;
        let query = query
            .bind(name)
            .bind(email)
            .bind(age)
            .bind(score)
            .bind(active)
            .bind(bio)
            .bind(created_at);
        Ok(query.fetch_one(&self.pool).await?)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let query = sqlx::query(
            "INSERT INTO people (name, email, age, score, active, bio, created_at) \
             SELECT * FROM UNNEST($1::text[], $2::text[], $3::int4[], $4::float8[], $5::bool[], $6::text[], \
             $7::timestamptz[])",
        );
        query
            .bind(new.iter().map(|person| person.name.as_str()).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.email.as_str()).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.age).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.score).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.active).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.bio.as_deref()).collect::<Vec<_>>())
            .bind(new.iter().map(|person| person.created_at).collect::<Vec<_>>())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let query = sqlx::query("UPDATE people SET age = $1 WHERE id = $2")
            .bind(age)
            .bind(id);
        Ok(query.execute(&self.pool).await?.rows_affected())
    }

    type Shelf = Shelf;
    async fn associations(&mut self) -> Result<Vec<Shelf>> {
        let authors: Vec<Author> = sqlx::query_as("SELECT id, name, email FROM authors ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        let keys: Vec<i64> = authors.iter().map(|a| a.id).collect();
        let books = sqlx::query_as(
            "SELECT id, author_id, title, year FROM books WHERE author_id = ANY($1) ORDER BY author_id, id",
        );
        let books: Vec<Book> = books.bind(keys).fetch_all(&self.pool).await?;
        let keys: Vec<i64> = books.iter().map(|b| b.id).collect();
        let chapters = sqlx::query_as(
            "SELECT id, book_id, heading, pages FROM chapters WHERE book_id = ANY($1) ORDER BY book_id, id",
        );
        let chapters: Vec<Chapter> = chapters.bind(keys).fetch_all(&self.pool).await?;
        Ok(shelves(authors, books, chapters))
    }

    async fn clear(&mut self) -> Result<()> {
        sqlx::query("DELETE FROM people WHERE id > $1")
            .bind(SEEDED)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
