//! toasty, on either backend, in a program of its own: it links another SQLite than sqlx does. That program measures
//! itself; it is asked for a batch when the turn is toasty's.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::harness::{Job, Result, Runner, Task, Workload, expect};
use crate::library::{Author, Book, Chapter, Shelf, expected};

pub(crate) const NAME: &str = "toasty";

/// What a run says that leaves it out.
pub(crate) const ABSENT: &str = "toasty is left out, as it is not built: \
                                 cargo build --release --manifest-path benches/toasty/Cargo.toml";

/// Its program, if that is built.
pub(crate) fn program() -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("toasty");
    let program = package.join("target/release/toasty-peer");
    program.is_file().then_some(program)
}

pub(crate) struct Toasty {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Toasty {
    /// Starts the program on a database that is filled.
    pub(crate) fn start(program: &Path, url: &str) -> Result<Toasty> {
        let mut command = Command::new(program);
        command.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        Ok(Toasty {
            child,
            questions: questions.ok_or("toasty has no input")?,
            answers: BufReader::new(answers.ok_or("toasty has no output")?),
        })
    }

    fn ask(&mut self, question: &str) -> Result<()> {
        Ok(writeln!(self.questions, "{question}")?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("toasty ended before it answered".into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    fn rows(&mut self) -> Result<Vec<Shelf>> {
        self.ask("rows")?;
        let mut shelves: Vec<Shelf> = Vec::new();
        loop {
            let line = self.line()?;
            let cells: Vec<&str> = line.split('\t').collect();
            match (cells.as_slice(), shelves.last_mut()) {
                (["end"], _) => break,
                (["author", id, name, email], _) => shelves.push(Shelf {
                    author: Author {
                        id: id.parse()?,
                        name: (*name).to_owned(),
                        email: (*email).to_owned(),
                    },
                    books: Vec::new(),
                }),
                (["book", id, author_id, title, year], Some(shelf)) => {
                    let book = Book {
                        id: id.parse()?,
                        author_id: author_id.parse()?,
                        title: (*title).to_owned(),
                        year: year.parse()?,
                    };
                    shelf.books.push((book, Vec::new()));
                }
                (["chapter", id, book_id, heading, pages], Some(shelf)) => {
                    let (_, chapters) = shelf.books.last_mut().ok_or("a chapter without a book")?;
                    chapters.push(Chapter {
                        id: id.parse()?,
                        book_id: book_id.parse()?,
                        heading: (*heading).to_owned(),
                        pages: pages.parse()?,
                    });
                }
                _ => return Err(format!("toasty answered {line}").into()),
            }
        }
        // `include` has no order
        for shelf in &mut shelves {
            shelf.books.sort_by_key(|(book, _)| book.id);
            for (_, chapters) in &mut shelf.books {
                chapters.sort_by_key(|chapter| chapter.id);
            }
        }
        Ok(shelves)
    }

    fn measured(&mut self, batch: usize) -> Result<Duration> {
        self.ask(&format!("time {batch}"))?;
        Ok(Duration::from_nanos(self.line()?.parse()?))
    }
}

impl Runner for Toasty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn runs(&self, workload: Workload) -> bool {
        workload == Workload::Associations
    }

    /// The rows it reads are there already.
    fn seed(&mut self) -> Job<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn check(&mut self) -> Job<'_, ()> {
        Box::pin(async { expect(NAME, "associations", self.rows()? == expected()) })
    }

    fn time(&mut self, _: Task, batch: usize, _: u64) -> Job<'_, Duration> {
        Box::pin(async move { self.measured(batch) })
    }
}

impl Drop for Toasty {
    fn drop(&mut self) {
        // it waits for questions only: nothing is lost, and its database can be dropped
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
