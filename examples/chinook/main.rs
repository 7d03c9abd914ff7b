//! A music shop's data, twenty questions about it, a page of its catalogue as JSON, its staff, and an order.
//!
//! ```text
//! cargo run --example chinook                                      # SQLite in memory
//! cargo run --example chinook -- --file chinook.db                 # SQLite in a file, kept
//! cargo run --example chinook -- --database-url postgres://…       # PostgreSQL
//! cargo run --example chinook -- --sql                             # with the statement of each question
//! cargo run --example chinook -- --check                           # compared with SQL written by hand
//! ```
#![allow(unreachable_pub)]

mod args;
mod check;
mod load;
mod models;
mod progress;
mod questions;
mod table;
mod tour;

use std::io::{ErrorKind as Io, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use orm::prelude::*;

use crate::args::Args;
use crate::load::Error;
use crate::models::Artist;
use crate::questions::QUESTIONS;

/// Rows of a table unless `--all` is given.
const ROWS: usize = 8;

#[tokio::main]
async fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let outcome = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => run(&args, &mut out).await,
        Ok(None) => writeln!(out, "{}", args::USAGE)
            .map(|()| true)
            .map_err(Error::from),
        Err(e) => Err(e),
    };
    match outcome {
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
            eprintln!("chinook: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is as it should be.
async fn run(args: &Args, out: &mut impl Write) -> Result<bool, Error> {
    writeln!(
        out,
        "Chinook is a small online music shop: artists, albums, tracks, customers and their invoices."
    )?;
    let db = Db::connect(&args.url).await?;
    fill(&db, args, out).await?;
    if args.check {
        return compare(&db, out).await;
    }
    let start = Instant::now();
    for (i, question) in QUESTIONS.iter().enumerate() {
        let answer = (question.ask)(&db).await?;
        writeln!(out, "\n{:>2}. {}\n", i + 1, answer.title)?;
        if args.sql {
            writeln!(out, "   {}\n", answer.sql)?;
        }
        let rows = if args.all { usize::MAX } else { ROWS };
        table::print(out, answer.header, &answer.rows, rows)?;
    }
    for visit in tour::STOPS {
        let stop = visit(&db).await?;
        writeln!(out, "\n    {}\n", stop.title)?;
        for line in stop.shown.lines() {
            writeln!(out, "{}", format!("   {line}").trim_end())?;
        }
    }
    let (n, sent) = (QUESTIONS.len(), db.statements_sent());
    writeln!(
        out,
        "\n{n} questions answered in {}; {sent} statements in all.",
        short(start.elapsed())
    )?;
    if !args.sql {
        writeln!(
            out,
            "Run it with --sql to see the statements, or with --check to compare the answers with SQL written by hand."
        )?;
    }
    Ok(true)
}

/// Loads the data, unless it is there from an earlier run.
async fn fill(db: &Db, args: &Args, out: &mut impl Write) -> Result<(), Error> {
    match Artist::query().count(db).await {
        Ok(n) if n > 0 => {
            writeln!(out, "The data is there already, in {}.", args.place())?;
            return Ok(());
        }
        Ok(_) => return Err("the tables exist but are empty: drop them, or name another database".into()),
        Err(e) if e.kind() == ErrorKind::UndefinedObject => {}
        Err(e) => return Err(e.into()),
    }
    let start = Instant::now();
    let rows = load::load(db).await?;
    writeln!(
        out,
        "Loaded {rows} rows into {} in {}.",
        args.place(),
        short(start.elapsed())
    )?;
    Ok(())
}

/// Compares every answer with that of hand-written SQL; whether all match.
async fn compare(db: &Db, out: &mut impl Write) -> Result<bool, Error> {
    let verdicts = check::check(db).await?;
    writeln!(out)?;
    for v in &verdicts {
        let mark = if v.matches { "ok" } else { "DIFFERENT" };
        writeln!(out, "  {mark:<9}  {:<60} {:>4} rows", v.title, v.rows)?;
    }
    let good = verdicts.iter().filter(|v| v.matches).count();
    writeln!(out, "\n{good} of {} answers match", verdicts.len())?;
    Ok(good == verdicts.len())
}

fn short(t: Duration) -> String {
    format!("{:.1} ms", t.as_secs_f64() * 1000.0)
}
