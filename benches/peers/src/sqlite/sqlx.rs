//! sqlx on its pool with the pool's defaults.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{QueryBuilder, SqlitePool};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{Author, Book, Chapter, Shelf, json, shelves};

pub(crate) struct Sqlx {
    pool: SqlitePool,
}

impl Sqlx {
    pub(crate) async fn open(file: &Path) -> Result<Sqlx> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        Ok(Sqlx {
            pool: SqlitePool::connect_with(options).await?,
        })
    }
}

impl Peer for Sqlx {
    const NAME: &'static str = "sqlx";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        let query = sqlx::query_as(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people WHERE id = ?1",
        );
        Ok(query.bind(id).fetch_one(&self.pool).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        let query = sqlx::query_as(
            "SELECT id, name, email, age, score, active, bio, created_at FROM people \
             WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        );
        Ok(query.bind(1_i64).bind(rows).fetch_all(&self.pool).await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let query = sqlx::query(
            "INSERT INTO people (name, email, age, score, active, bio, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
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
        Ok(query.execute(&self.pool).await?.last_insert_rowid())
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let mut query =
            QueryBuilder::new("INSERT INTO people (name, email, age, score, active, bio, created_at) ");
        query.push_values(new, |mut row, new| {
            let NewPerson {
                name,
                email,
                age,
                score,
                active,
                bio,
                created_at,
            } = new;
            row.push_bind(name)
                .push_bind(email)
                .push_bind(age)
                .push_bind(score);
            row.push_bind(active).push_bind(bio).push_bind(created_at);
        });
        query.build().execute(&self.pool).await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let query = sqlx::query("UPDATE people SET age = ?1 WHERE id = ?2")
            .bind(age)
            .bind(id);
        Ok(query.execute(&self.pool).await?.rows_affected())
    }

    type Shelf = Shelf;
    async fn associations(&mut self) -> Result<Vec<Shelf>> {
        let authors: Vec<Author> = sqlx::query_as("SELECT id, name, email FROM authors ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        let books = sqlx::query_as(
            "SELECT id, author_id, title, year FROM books \
             WHERE author_id IN (SELECT value FROM json_each(?1)) ORDER BY author_id, id",
        );
        let books: Vec<Book> = books
            .bind(json(authors.iter().map(|a| a.id)))
            .fetch_all(&self.pool)
            .await?;
        let chapters = sqlx::query_as(
            "SELECT id, book_id, heading, pages FROM chapters \
             WHERE book_id IN (SELECT value FROM json_each(?1)) ORDER BY book_id, id",
        );
        let chapters: Vec<Chapter> = chapters
            .bind(json(books.iter().map(|b| b.id)))
            .fetch_all(&self.pool)
            .await?;
        Ok(shelves(authors, books, chapters))
    }

    async fn clear(&mut self) -> Result<()> {
        sqlx::query("DELETE FROM people WHERE id > ?1")
            .bind(SEEDED)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
