//! What the user asked for.

use crate::load::Error;

/// For `--help` and for mistakes.
pub const USAGE: &str = "usage: chinook [--file PATH | --database-url URL] [--sql] [--all] [--check]

  --file PATH          keep the data in an SQLite file (default: in memory)
  --database-url URL   load into this database, e.g. postgres://me@localhost/music
  --sql                print the statement of every question
  --all                print all rows of every answer
  --check              compare every answer with SQL written by hand";

/// The command line.
pub struct Args {
    pub url: String,
    pub sql: bool,
    pub all: bool,
    pub check: bool,
}

impl Args {
    /// Reads the arguments; `None` when help is asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Args>, Error> {
        let mut args = Args {
            url: "sqlite::memory:".to_owned(),
            sql: false,
            all: false,
            check: false,
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("{word} needs a value\n\n{USAGE}"))
            };
            match word.as_str() {
                "--file" => args.url = format!("sqlite:{}", value()?),
                "--database-url" => args.url = value()?,
                "--sql" => args.sql = true,
                "--all" => args.all = true,
                "--check" => args.check = true,
                "-h" | "--help" => return Ok(None),
                _ => return Err(format!("{word} is not an option\n\n{USAGE}").into()),
            }
        }
        Ok(Some(args))
    }
    /// Where the data goes, without secrets of the URL.
    pub fn place(&self) -> &str {
        match self.url.as_str() {
            "sqlite::memory:" => "SQLite in memory",
            url if url.starts_with("sqlite:") => url,
            _ => "PostgreSQL",
        }
    }
}
