use orm_core::driver::{Driver, Runner};
use orm_core::error::ErrorKind;
use orm_sqlite::{Sqlite, SqliteOptions};
use sqlx::Executor;

use crate::support::*;

#[tokio::test]
async fn the_profile_of_a_file() {
    let folder = Folder::new();
    let db = folder.options().connect().await.unwrap();
    for writes in [false, true] {
        for (pragma, value) in [
            ("foreign_keys", 1),
            ("synchronous", 1),
            ("query_only", i64::from(!writes)),
        ] {
            let sql = if writes { write } else { read };
            let done = db
                .run(sql(&format!("PRAGMA {pragma}"), vec![]), ints())
                .await
                .unwrap();
            assert_eq!(taken(done.sink), [value], "{pragma} {writes}");
        }
    }
    assert_eq!(
        get(
            &*db,
            "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"
        )
        .await,
        [1]
    );
    let wal = db
        .run(write("PRAGMA wal_autocheckpoint", vec![]), ints())
        .await
        .unwrap();
    assert_eq!(taken(wal.sink), [0]);
    assert_eq!(db.max_params(), 32_766);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        exec(&*db, "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
            .await
            .unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(
                file.metadata().unwrap().permissions().mode() & 0o777,
                0o600,
                "{:?}",
                file.path()
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_leaves_nothing() {
    let folder = Folder::new();
    let missing = SqliteOptions::path(folder.path().join("no").join("a.db"))
        .connect()
        .await
        .err()
        .unwrap();
    assert_eq!(missing.kind(), ErrorKind::Connect);
    assert!(
        missing.message().contains("folder that does not exist"),
        "{missing}"
    );
    let absent = folder.options().create(false).connect().await.err().unwrap();
    assert!(
        absent.kind() == ErrorKind::Connect && absent.message().contains("does not exist"),
        "{absent}"
    );
    let absent = folder.options().read_only(true).connect().await.err().unwrap();
    assert!(
        absent.kind() == ErrorKind::Connect && absent.message().contains("does not exist"),
        "{absent}"
    );
    let dir = SqliteOptions::path(folder.path()).connect().await.err().unwrap();
    assert!(
        dir.kind() == ErrorKind::Connect && dir.message().contains("is a folder"),
        "{dir}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let text = "this is not a database, whatever its name may say ".repeat(100);
    std::fs::write(folder.file(), &text).unwrap();
    for options in [folder.options(), folder.options().read_only(true)] {
        assert_eq!(options.connect().await.err().unwrap().kind(), ErrorKind::Corrupt);
    }
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), text);
    assert_eq!(
        Sqlite::connect("sqlite:a.db?colour=red")
            .await
            .err()
            .unwrap()
            .kind(),
        ErrorKind::Config
    );
}

#[tokio::test]
async fn odd_names_are_files() {
    let folder = Folder::new();
    for name in [
        "with space.db",
        "a#b?c%20d.db",
        "file:x.db",
        "ünï.db",
        "a&mode=memory.db",
    ] {
        let path = folder.path().join(name);
        let options = SqliteOptions::path(&path);
        let db = Sqlite::connect(&options.to_string()).await.unwrap();
        exec(&*db, "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
            .await
            .unwrap();
        db.close().await;
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn read_only_is_read_only() {
    let folder = Folder::new();
    let db = table(folder.options()).await;
    exec(&*db, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    db.close().await;
    let db = folder.options().read_only(true).connect().await.unwrap();
    assert_eq!(get(&*db, "SELECT id FROM t").await, [1]);
    assert_eq!(
        exec(&*db, "DELETE FROM t").await.unwrap_err().kind(),
        ErrorKind::ReadOnly
    );
    assert_eq!(
        db.begin(Default::default()).await.err().unwrap().kind(),
        ErrorKind::ReadOnly
    );
    assert_eq!(get_in(&mut begin_read(&db).await, "SELECT id FROM t").await, [1]);
}

#[tokio::test]
async fn memory_by_name_is_shared() {
    let url = format!("sqlite:shared {}?mode=memory&cache=shared", std::process::id());
    let a = table(SqliteOptions::parse(&url).unwrap()).await;
    let b = Sqlite::connect(&url).await.unwrap();
    exec(&*a, "INSERT INTO t VALUES (1, 0)").await.unwrap();
    assert_eq!(get(&*b, "SELECT id FROM t").await, [1]);
    let alone = Sqlite::connect("sqlite::memory:").await.unwrap();
    assert!(alone.run(read("SELECT id FROM t", vec![]), ints()).await.is_err());
}

#[tokio::test]
async fn sqlx_may_borrow_the_connection() {
    let folder = Folder::new();
    for options in [folder.options(), SqliteOptions::in_memory()] {
        let db = table(options).await;
        let n = db
            .with_connection(async |c| {
                c.execute("INSERT INTO t VALUES (1, 0), (2, 0)").await?;
                sqlx::query_scalar::<_, i64>("SELECT count(*) FROM t")
                    .fetch_one(c)
                    .await
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(n, 2);
        let spawned = tokio::spawn({
            let db = db.clone();
            async move {
                db.with_connection(async |c| c.execute("DELETE FROM t WHERE id > 2").await.map(drop))
                    .await
            }
        });
        spawned.await.unwrap().unwrap().unwrap();
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2]);
        // What it leaves open is undone, also when the borrower goes away in the middle.
        db.with_connection(async |c| c.execute("BEGIN IMMEDIATE; DELETE FROM t").await.unwrap())
            .await
            .unwrap();
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2]);
        let slow = db.with_connection(async |c| {
            c.execute("BEGIN IMMEDIATE; DELETE FROM t").await.unwrap();
            std::future::pending::<()>().await;
        });
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(50), slow)
                .await
                .is_err()
        );
        assert_eq!(exec(&*db, "INSERT INTO t VALUES (3, 0)").await.unwrap(), 1);
        assert_eq!(get(&*db, "SELECT id FROM t").await, [1, 2, 3]);
    }
}
