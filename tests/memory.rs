//! Rows pass through with little memory, whatever their number. A binary of its own: what else runs in a process counts.

use orm::prelude::*;
use orm::testing::{TestDb, fresh_postgres, fresh_sqlite};

#[derive(Model, Clone, Debug)]
struct Page {
    id: Id<Page>,
    number: i64,
    text: String,
}

/// Together they are larger than what may be used. `ORM_TEST_ROWS=1000000` loads and reads a million.
const ROWS: i64 = 100_000;
const TEXT: usize = 1000;
/// How much more memory than before, in bytes.
const MOST: usize = 64 << 20;

/// The memory of this process that is in use; `None` where the system does not tell.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}

async fn pass_through(db: &TestDb, rows: i64) -> orm::Result<()> {
    db.create_all(&orm::schema![Page]).await?;
    let Some(before) = resident() else { return Ok(()) };
    let check = |what: &str| {
        let more = resident().map_or(0, |now| now.saturating_sub(before));
        assert!(more < MOST, "{what}: {} MB more than before", more >> 20);
    };
    let pages = (0..rows).map(|number| {
        if number % 10_000 == 0 {
            check("loading");
        }
        NewPage {
            number,
            text: char::from(b'a' + (number % 26) as u8).to_string().repeat(TEXT),
        }
    });
    assert_eq!(NewPage::copy_all(&**db, pages).await?, rows as u64);
    check("loaded");
    let mut tx = db.tx().read_only().begin().await?;
    let mut found = Page::query().order_by(|p| p.id.asc()).stream(&mut tx);
    let mut next = 0;
    while let Some(page) = found.next().await? {
        assert_eq!((page.number, page.text.len()), (next, TEXT));
        next += 1;
        if next % 10_000 == 0 {
            check("reading");
        }
    }
    assert_eq!(next, rows);
    tx.commit().await
}

#[tokio::test]
async fn many_rows_pass_through_little_memory() -> orm::Result<()> {
    let rows = std::env::var("ORM_TEST_ROWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(ROWS);
    assert!(rows as usize * TEXT > MOST, "so few rows show nothing");
    pass_through(&fresh_sqlite().await?, rows).await?;
    pass_through(&fresh_postgres().await?, rows).await
}
