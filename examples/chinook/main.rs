//! A music shop's data, and twenty questions about it.
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
    let outcome = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => run(&args).await,
        Ok(None) => {
            println!("{}", args::USAGE);
            Ok(true)
        }
        Err(e) => Err(e),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("chinook: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is as it should be.
async fn run(args: &Args) -> Result<bool, Error> {
    println!("Chinook is a small online music shop: artists, albums, tracks, customers and their invoices.");
    let db = Db::connect(&args.url).await?;
    fill(&db, args).await?;
    if args.check {
        return compare(&db).await;
    }
    let start = Instant::now();
    for (i, question) in QUESTIONS.iter().enumerate() {
        let answer = (question.ask)(&db).await?;
        println!("\n{:>2}. {}\n", i + 1, answer.title);
        if args.sql {
            println!("   {}\n", answer.sql);
        }
        let rows = if args.all { usize::MAX } else { ROWS };
        table::print(answer.header, &answer.rows, rows);
    }
    let (n, sent) = (QUESTIONS.len(), db.statements_sent());
    println!(
        "\n{n} questions answered in {}; {sent} statements in all.",
        short(start.elapsed())
    );
    if !args.sql {
        println!(
            "Run it with --sql to see the statements, or with --check to compare the answers with SQL written by hand."
        );
    }
    Ok(true)
}

/// Loads the data, unless it is there from an earlier run.
async fn fill(db: &Db, args: &Args) -> Result<(), Error> {
    match Artist::query().count(db).await {
        Ok(n) if n > 0 => {
            println!("The data is there already, in {}.", args.place());
            return Ok(());
        }
        Ok(_) => return Err("the tables exist but are empty: drop them, or name another database".into()),
        Err(e) if e.kind() == ErrorKind::UndefinedObject => {}
        Err(e) => return Err(e.into()),
    }
    let start = Instant::now();
    let rows = load::load(db).await?;
    println!(
        "Loaded {rows} rows into {} in {}.",
        args.place(),
        short(start.elapsed())
    );
    Ok(())
}

/// Compares every answer with that of hand-written SQL; whether all match.
async fn compare(db: &Db) -> Result<bool, Error> {
    let verdicts = check::check(db).await?;
    println!();
    for v in &verdicts {
        let mark = if v.matches { "ok      " } else { "DIFFERENT" };
        println!("  {mark}  {:<60} {:>4} rows", v.title, v.rows);
    }
    let good = verdicts.iter().filter(|v| v.matches).count();
    println!("\n{good} of {} answers match", verdicts.len());
    Ok(good == verdicts.len())
}

fn short(t: Duration) -> String {
    format!("{:.1} ms", t.as_secs_f64() * 1000.0)
}
