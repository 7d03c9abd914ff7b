//! Rows of one database into another.

mod chinook;
mod dirty;
mod existing;
mod killed;
mod large;
mod same;

use std::path::PathBuf;

use orm::driver::Discard;
use orm::prelude::*;
use orm::testing::{TestDb, fresh_sqlite};
use orm_migrate::transfer::{Reject, Report};

use crate::support::{is_postgres, statement};

/// A SQLite file with these statements run on it.
async fn legacy(statements: &[&str]) -> TestDb {
    let db = fresh_sqlite().await.unwrap();
    run(&db, statements).await;
    db
}

/// On a connection of its own, where foreign keys are not looked at: old files are full of what they would refuse.
async fn run(db: &Db, statements: &[&str]) {
    let mut session = db.driver().session(None).await.unwrap();
    if !is_postgres(db) {
        let off = statement("PRAGMA foreign_keys = OFF", &[]);
        session.run(off, Box::new(Discard)).await.unwrap();
    }
    for text in statements {
        let done = session.run(statement(text, &[]), Box::new(Discard)).await;
        done.unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

/// A place for a file of rejects, gone with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("orm-transfer-{name}-{}.jsonl", std::process::id());
        Place(std::env::temp_dir().join(name))
    }
    fn rejects(&self) -> Vec<Reject> {
        let text = std::fs::read_to_string(&self.0).unwrap();
        text.lines().map(serde_json_of).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn serde_json_of(line: &str) -> Reject {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

/// `table key column reason` of each reject.
fn said(rejects: &[Reject]) -> Vec<String> {
    let one = |r: &Reject| {
        let key = serde_json::to_string(&r.key).unwrap();
        format!(
            "{} {key} {} {}",
            r.table,
            r.column.as_deref().unwrap_or("-"),
            r.reason
        )
    };
    rejects.iter().map(one).collect()
}

/// Accounts, verifies, and its files say what it counts.
#[track_caller]
fn whole(report: &Report) {
    assert!(report.accounts(), "{}", report.to_markdown());
    assert!(report.verified(), "{}", report.to_markdown());
    for table in &report.tables {
        let counted: u64 = table.rejects.iter().map(|r| r.rows).sum();
        assert_eq!(counted, table.rejected, "{}", table.source);
        for column in &table.columns {
            let found: u64 = column.found.values().sum();
            assert_eq!(found, table.read, "{}.{}", table.source, column.source);
        }
    }
}
