//! The 22 queries of TPC-H, typed, compared row by row with the SQL of the specification on SQLite and PostgreSQL.
//!
//! ```text
//! cargo run --release --example tpch                # how long each query takes
//! cargo run --release --example tpch -- --sql       # with the statement of each query
//! cargo run --release --example tpch -- --check     # compared with the SQL of the specification
//! ```
//!
//! The rows are generated while it runs, at a hundredth of the smallest official size. SQLite is a file in a temporary
//! folder; PostgreSQL is a server that the example starts, or that of `ORM_TEST_POSTGRES_URL`.
#![allow(unreachable_pub)]

mod cells;
mod check;
mod load;
mod models;
mod postgres;
mod queries;
mod sqlite;

use std::io::{ErrorKind as Io, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use orm::testing::{fresh_postgres, fresh_sqlite};

use crate::check::{QUESTIONS, compare};
use crate::load::Error;

const USAGE: &str = "usage: tpch [--check] [--sql]

  --check   compare every answer with the SQL of the specification; fails if one differs
  --sql     print the statement of every query";

#[tokio::main]
async fn main() -> ExitCode {
    let (mut check, mut sql) = (false, false);
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--check" => check = true,
            "--sql" => sql = true,
            "-h" | "--help" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("tpch: {word} is not an option\n\n{USAGE}");
                return ExitCode::FAILURE;
            }
        }
    }
    match run(check, sql, &mut std::io::stdout()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // whoever reads the output has seen enough: `| head`
        Err(e)
            if e.downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == Io::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("tpch: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is as it should be.
async fn run(check: bool, sql: bool, out: &mut impl Write) -> Result<bool, Error> {
    let databases = [
        ("sqlite", fresh_sqlite().await?),
        ("postgres", fresh_postgres().await?),
    ];
    for (name, db) in &databases {
        let start = Instant::now();
        let rows = load::load(db).await?;
        writeln!(
            out,
            "{rows} rows generated and loaded into {name} in {}",
            short(start.elapsed())
        )?;
    }
    writeln!(out)?;
    let mut good = 0;
    for question in QUESTIONS {
        let title = format!("Q{:<2} {}", question.number, question.title);
        write!(out, "{title:<38}")?;
        let mut equal = true;
        for (name, db) in &databases {
            if check {
                let verdict = compare(db, question).await?;
                equal &= verdict.equal && verdict.telling;
                let mark = match (verdict.equal, verdict.telling) {
                    (true, true) => "equal",
                    (true, false) => "NOTHING",
                    (false, _) => "DIFFERENT",
                };
                write!(
                    out,
                    "  {name} {mark} ({} rows, {})",
                    verdict.rows,
                    short(verdict.took[0])
                )?;
            } else {
                let start = Instant::now();
                let rows = (question.ask)(db).await?.len();
                write!(out, "  {name} {rows} rows in {}", short(start.elapsed()))?;
            }
        }
        writeln!(out)?;
        if sql {
            for (name, db) in &databases {
                writeln!(out, "\n  {name}: {}", (question.sql)(db)?)?;
            }
            writeln!(out)?;
        }
        good += usize::from(equal);
    }
    if check {
        writeln!(
            out,
            "\n{good} of {} equal on sqlite and postgres",
            QUESTIONS.len()
        )?;
    }
    Ok(good == QUESTIONS.len())
}

fn short(t: Duration) -> String {
    format!("{:.1} ms", t.as_secs_f64() * 1000.0)
}
