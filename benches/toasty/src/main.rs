//! Loads authors with their books with their chapters through toasty, as `peers` asks on the standard input:
//!
//! - `time N` loads once, then N times more, and answers how many nanoseconds these took
//! - `rows` answers with all rows, one a line, and `end`
//!
//! The only argument is the URL of a database that `peers` has filled.

use std::hint::black_box;
use std::io::{Write, stdin, stdout};
use std::time::Instant;

use toasty::{Db, Deferred, Model};

#[derive(Debug, Model)]
#[table = "authors"]
struct Author {
    #[key]
    id: i64,
    name: String,
    email: String,
    #[has_many]
    books: Deferred<Vec<Book>>,
}

#[derive(Debug, Model)]
#[table = "books"]
struct Book {
    #[key]
    id: i64,
    #[index]
    author_id: i64,
    #[belongs_to]
    author: Deferred<Author>,
    title: String,
    year: i32,
    #[has_many]
    chapters: Deferred<Vec<Chapter>>,
}

#[derive(Debug, Model)]
#[table = "chapters"]
struct Chapter {
    #[key]
    id: i64,
    #[index]
    book_id: i64,
    #[belongs_to]
    book: Deferred<Book>,
    heading: String,
    pages: i32,
}

async fn load(db: &mut Db) -> toasty::Result<Vec<Author>> {
    Author::all()
        .order_by(Author::fields().id().asc())
        .include(Author::fields().books().chapters())
        .exec(db)
        .await
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .ok_or("the URL of a database is missing")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::spawn(answer(url)).await? })
}

async fn answer(url: String) -> Result<(), Error> {
    let mut db = Db::builder()
        .models(toasty::models!(Author, Book, Chapter))
        .connect(&url)
        .await?;
    let mut line = String::new();
    while stdin().read_line(&mut line)? > 0 {
        match line.trim_end().split_once(' ') {
            Some(("time", batch)) => {
                let batch: u32 = batch.parse()?;
                black_box(load(&mut db).await?);
                let start = Instant::now();
                for _ in 0..batch {
                    black_box(load(&mut db).await?);
                }
                println!("{}", start.elapsed().as_nanos());
            }
            _ => write_rows(load(&mut db).await?)?,
        }
        stdout().flush()?;
        line.clear();
    }
    Ok(())
}

fn write_rows(authors: Vec<Author>) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for author in authors {
        writeln!(out, "author\t{}\t{}\t{}", author.id, author.name, author.email)?;
        for book in author.books.get() {
            let Book {
                id,
                author_id,
                title,
                year,
                ..
            } = book;
            writeln!(out, "book\t{id}\t{author_id}\t{title}\t{year}")?;
            for Chapter {
                id,
                book_id,
                heading,
                pages,
                ..
            } in book.chapters.get()
            {
                writeln!(out, "chapter\t{id}\t{book_id}\t{heading}\t{pages}")?;
            }
        }
    }
    writeln!(out, "end")
}
