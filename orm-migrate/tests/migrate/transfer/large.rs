//! Memory is bounded by a piece, not by a table.

use std::process::Command;

use orm::prelude::*;
use orm::testing::TestDb;
use orm_migrate::transfer::Transfer;

use crate::transfer::legacy;

/// 30000 rows of 4 kB, and some of half a megabyte: about 140 MB.
const FILE: &[&str] = &[
    "CREATE TABLE big (id INTEGER PRIMARY KEY, what TEXT, more BLOB)",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) \
     INSERT INTO big SELECT i, hex(zeroblob(1000)) || i, zeroblob(2000) FROM n",
    "INSERT INTO big SELECT id + 30000, hex(zeroblob(200000)), zeroblob(100000) FROM big LIMIT 40",
];

/// The peak of this process's memory, in kB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Run by the test below in a process of its own, so that nothing else takes memory there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_child_process_does() {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(old) = variable("ORM_TRANSFER_LARGE") else {
        assert_eq!(variable("ORM_TRANSFER_TOLD"), None);
        return;
    };
    let old = Db::connect(&old).await.unwrap();
    let new = Db::connect(&variable("ORM_TRANSFER_INTO").unwrap())
        .await
        .unwrap();
    let before = peak();
    let report = Transfer::new(&old, &new).run().await.unwrap();
    assert!(report.accounts() && report.verified() && report.written() == 30_040);
    let told = format!("{}", peak() - before);
    std::fs::write(variable("ORM_TRANSFER_TOLD").unwrap(), told).unwrap();
}

#[cfg(target_os = "linux")]
#[orm::test(requires = |f| f.schemas, flavor = "multi_thread")]
async fn memory_is_bounded(new: TestDb) -> orm::Result<()> {
    let old = legacy(FILE).await;
    let told = std::env::temp_dir().join(format!("orm-transfer-peak-{}", std::process::id()));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "transfer::large::what_a_child_process_does",
            "--nocapture",
        ])
        .env("ORM_TRANSFER_LARGE", old.url())
        .env("ORM_TRANSFER_INTO", new.url())
        .env("ORM_TRANSFER_TOLD", &told)
        .stdout(std::process::Stdio::null());
    let status = tokio::task::spawn_blocking(move || command.status())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
    let peak: u64 = std::fs::read_to_string(&told).unwrap().parse().unwrap();
    std::fs::remove_file(&told).unwrap();
    assert!(peak < 90_000, "{peak} kB for a table of 140 MB");
    Ok(())
}
