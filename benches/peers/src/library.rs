//! The rows of the `associations` workload: authors, each with books, each with chapters.

use std::fmt::Write as _;

pub(crate) const AUTHORS: i64 = 100;
/// Books of an author, and chapters of a book.
pub(crate) const EACH: i64 = 10;

#[derive(Clone, Debug, PartialEq, diesel::Queryable, sqlx::FromRow)]
pub(crate) struct Author {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
}

#[derive(Clone, Debug, PartialEq, diesel::Queryable, sqlx::FromRow)]
pub(crate) struct Book {
    pub(crate) id: i64,
    pub(crate) author_id: i64,
    pub(crate) title: String,
    pub(crate) year: i32,
}

#[derive(Clone, Debug, PartialEq, diesel::Queryable, sqlx::FromRow)]
pub(crate) struct Chapter {
    pub(crate) id: i64,
    pub(crate) book_id: i64,
    pub(crate) heading: String,
    pub(crate) pages: i32,
}

/// An author with everything below, as a library without nested rows of its own builds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) author: Author,
    pub(crate) books: Vec<(Book, Vec<Chapter>)>,
}

/// Puts rows that come in the order of their keys below each other.
pub(crate) fn shelves(authors: Vec<Author>, books: Vec<Book>, chapters: Vec<Chapter>) -> Vec<Shelf> {
    let mut chapters = chapters.into_iter().peekable();
    let mut books = books.into_iter().peekable();
    let mut out = Vec::with_capacity(authors.len());
    for author in authors {
        let mut own = Vec::with_capacity(EACH as usize);
        while let Some(book) = books.next_if(|book| book.author_id == author.id) {
            let mut list = Vec::with_capacity(EACH as usize);
            while let Some(chapter) = chapters.next_if(|chapter| chapter.book_id == book.id) {
                list.push(chapter);
            }
            own.push((book, list));
        }
        out.push(Shelf { author, books: own });
    }
    out
}

/// What every peer has to find: the same for all, so that none loads less than the others.
pub(crate) fn expected() -> Vec<Shelf> {
    let book = |author: i64, i: i64| {
        let id = author * EACH + i + 1 - EACH;
        let chapter = |j: i64| Chapter {
            id: id * EACH + j + 1 - EACH,
            book_id: id,
            heading: format!("Chapter {j} of book {id}"),
            pages: (10 + j) as i32,
        };
        let book = Book {
            id,
            author_id: author,
            title: format!("Book {i} of author {author}"),
            year: (1900 + i) as i32,
        };
        (book, (0..EACH).map(chapter).collect())
    };
    let shelf = |id: i64| Shelf {
        author: Author {
            id,
            name: format!("Author number {id}"),
            email: format!("author.{id}@mail.example"),
        },
        books: (0..EACH).map(|i| book(id, i)).collect(),
    };
    (1..=AUTHORS).map(shelf).collect()
}

/// Statements that make and fill the tables; `key` is the type of the keys.
pub(crate) fn statements(key: &str, integer: &str) -> String {
    let mut sql = format!(
        "CREATE TABLE authors (id {key} PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
         CREATE TABLE books (id {key} PRIMARY KEY, author_id {key} NOT NULL REFERENCES authors (id),
             title TEXT NOT NULL, year {integer} NOT NULL);
         CREATE TABLE chapters (id {key} PRIMARY KEY, book_id {key} NOT NULL REFERENCES books (id),
             heading TEXT NOT NULL, pages {integer} NOT NULL);
         BEGIN;"
    );
    for Shelf { author, books } in expected() {
        let Author { id, name, email } = author;
        // writing to a string cannot fail
        let _ = write!(sql, "INSERT INTO authors VALUES ({id}, '{name}', '{email}');");
        for (book, chapters) in books {
            let Book {
                id,
                author_id,
                title,
                year,
            } = book;
            let _ = write!(
                sql,
                "INSERT INTO books VALUES ({id}, {author_id}, '{title}', {year});"
            );
            for chapter in chapters {
                let Chapter {
                    id,
                    book_id,
                    heading,
                    pages,
                } = chapter;
                let _ = write!(
                    sql,
                    "INSERT INTO chapters VALUES ({id}, {book_id}, '{heading}', {pages});"
                );
            }
        }
    }
    sql.push_str(
        "CREATE INDEX books_author ON books (author_id);
         CREATE INDEX chapters_book ON chapters (book_id);
         COMMIT;",
    );
    sql
}

/// `[1,2,3]`.
pub(crate) fn json(keys: impl Iterator<Item = i64>) -> String {
    let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
    format!("[{}]", keys.join(","))
}
