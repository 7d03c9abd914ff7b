//! Connecting, and saying nothing about passwords.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orm_core::driver::{Driver, PoolConfig, PoolOrder, PrePing, Runner};
use orm_core::error::ErrorKind;
use orm_core::value::{Type, Value};
use orm_postgres::{Postgres, PostgresOptions};

use crate::support::{connect, eventually, exec, number, options, query, rows, sessions, sql, url};

#[tokio::test]
async fn a_wrong_place_is_known_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (options, wanted) in [
        (
            options("wrong", 1).database("no_such_database"),
            "no_such_database",
        ),
        (options("wrong", 1).user("no_such_role"), "no_such_role"),
        (options("wrong", 1).host("127.0.0.1").port(closed), "refused"),
        (options("wrong", 1).host("/no/such/dir"), "/no/such/dir"),
    ] {
        let e = options.password("canary").connect().await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Connect, "{e}");
        assert!(e.to_string().contains(wanted), "{e}");
        assert!(e.to_string().contains("database "), "{e}");
        assert!(!format!("{e} {e:?}").contains("canary"));
    }
    let e = Postgres::connect("postgres://u:canary@localhost/d?no_such=canary")
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Config);
    assert!(!format!("{e} {e:?}").contains("canary"));
}

#[tokio::test]
async fn a_server_that_is_none() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = options("silent", 1)
        .host("127.0.0.1")
        .port(port)
        .pool(PoolConfig {
            acquire_timeout: Duration::from_millis(300),
            ..PoolConfig::default()
        });
    let e = silent.connect().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Connect, "{e}");
    assert!(e.message().contains("no answer"), "{e}");
}

#[tokio::test]
async fn passwords_are_never_printed() {
    let options = options("redacted", 1).password("canary");
    assert!(!format!("{options} {options:?} {options:#?}").contains("canary"));
    let db = options.connect().await.unwrap();
    assert!(!format!("{db:?}").contains("canary"));
    let e = query(&*db, "SELECT 'canary'::int4", vec![], &[])
        .await
        .unwrap_err();
    assert!(!format!("{e} {e:?}").contains("canary"), "{e}");
    let e = query(&*db, "SELECT 1 'canary' 2", vec![], &[]).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Syntax);
    assert!(!format!("{e} {e:?}").contains("canary"), "{e}");
}

#[tokio::test]
async fn the_session_is_set_up() {
    let db = options("session", 1)
        .statement_timeout(Duration::from_millis(1234))
        .connect()
        .await
        .unwrap();
    for (setting, expected) in [
        ("TimeZone", "UTC"),
        ("application_name", "session"),
        ("statement_timeout", "1234ms"),
        ("client_connection_check_interval", "1s"),
    ] {
        let got = query(
            &*db,
            "SELECT current_setting($1)",
            vec![Value::Str(setting)],
            &[Type::Text],
        )
        .await;
        assert_eq!(got.unwrap()[0][0], Value::Text(expected.into()), "{setting}");
    }
}

#[tokio::test]
async fn hooks_and_rotating_passwords() {
    let (asked, hooked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (a, h) = (asked.clone(), hooked.clone());
    let db = options("hooks", 1)
        .password_with(move || {
            a.fetch_add(1, Ordering::Relaxed);
            Ok("token".into())
        })
        .after_connect(move |conn| {
            h.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                let set = orm_postgres::sqlx::query("SET search_path = pg_catalog")
                    .execute(conn)
                    .await;
                set.map(|_| ())
                    .map_err(|_| orm_core::error::Error::config("search_path"))
            })
        })
        .connect()
        .await
        .unwrap();
    let path = query(
        &*db,
        "SELECT current_setting('search_path')",
        vec![],
        &[Type::Text],
    )
    .await
    .unwrap();
    assert_eq!(path[0][0], Value::Text("pg_catalog".into()));
    assert_eq!(
        (asked.load(Ordering::Relaxed), hooked.load(Ordering::Relaxed)),
        (1, 1)
    );
}

#[tokio::test]
async fn nobody_inherits_a_setting() {
    let db = connect("leak", 1).await;
    exec(&*db, "SET search_path = pg_catalog").await.unwrap();
    exec(&*db, "CREATE TEMP TABLE leaked (a int)").await.unwrap();
    let got = query(
        &*db,
        "SELECT current_setting('search_path')",
        vec![],
        &[Type::Text],
    )
    .await
    .unwrap();
    assert_ne!(got[0][0], Value::Text("pg_catalog".into()));
    let leaked = "SELECT count(*) FROM pg_class WHERE relname = 'leaked'";
    let gone = async || number(&*db, leaked).await == 0;
    assert!(eventually(Duration::from_secs(2), gone).await);
    let e = exec(&*db, " /* x */ begin").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::TransactionState);
}

#[tokio::test]
async fn a_lent_connection_is_closed_afterwards() {
    let db = connect("lent", 1).await;
    let task = tokio::spawn({
        let db = db.clone();
        async move {
            db.with_connection(async |c| {
                orm_postgres::sqlx::query("BEGIN").execute(&mut *c).await?;
                orm_postgres::sqlx::query("SET search_path = pg_catalog")
                    .execute(c)
                    .await
            })
            .await
        }
    });
    task.await.unwrap().unwrap().unwrap();
    assert_eq!(sessions(&*db, "lent", "idle in transaction%").await, 0);
    let got = query(
        &*db,
        "SELECT current_setting('search_path')",
        vec![],
        &[Type::Text],
    )
    .await
    .unwrap();
    assert_ne!(got[0][0], Value::Text("pg_catalog".into()));
}

#[tokio::test]
async fn an_empty_pool_says_why() {
    let db = options("exhausted", 1)
        .pool(PoolConfig {
            size: 1,
            overflow: 1,
            acquire_timeout: Duration::from_millis(200),
            ..PoolConfig::default()
        })
        .connect()
        .await
        .unwrap();
    let (one, two) = (
        db.begin(Default::default()).await.unwrap(),
        db.begin(Default::default()).await.unwrap(),
    );
    let e = exec(&*db, "SELECT 1").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::PoolTimeout);
    assert!(e.message().contains("2 of 2 in use"), "{e}");
    one.rollback().await.unwrap();
    assert_eq!(
        db.status().open,
        1,
        "the overflow connection was closed when given back"
    );
    two.rollback().await.unwrap();
    assert_eq!((db.status().open, db.status().idle, db.status().max), (1, 1, 2));
    db.close().await;
    assert_eq!(
        exec(&*db, "SELECT 1").await.unwrap_err().kind(),
        ErrorKind::PoolClosed
    );
}

#[tokio::test]
async fn old_and_idle_connections_are_replaced() {
    for (name, config) in [
        (
            "recycle",
            PoolConfig {
                recycle: Some(Duration::from_millis(1)),
                ..PoolConfig::default()
            },
        ),
        (
            "idle",
            PoolConfig {
                idle_timeout: Some(Duration::from_millis(1)),
                ..PoolConfig::default()
            },
        ),
    ] {
        let db = options(name, 1)
            .pool(PoolConfig { size: 1, ..config })
            .connect()
            .await
            .unwrap();
        let first = number(&*db, "SELECT pg_backend_pid()").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_ne!(number(&*db, "SELECT pg_backend_pid()").await, first, "{name}");
    }
}

#[tokio::test]
async fn always_pinged_survives_a_kill_without_an_error() {
    let admin = connect("pinged_admin", 1).await;
    let db = options("pinged", 1)
        .pool(PoolConfig {
            size: 1,
            pre_ping: PrePing::Always,
            ..PoolConfig::default()
        })
        .connect()
        .await
        .unwrap();
    exec(&*db, "DROP TABLE IF EXISTS pinged").await.unwrap();
    exec(&*db, "CREATE TABLE pinged (a int)").await.unwrap();
    let kill =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pinged'";
    assert_eq!(number(&*admin, kill).await, 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(exec(&*db, "INSERT INTO pinged VALUES (1)").await.unwrap(), 1);
}

#[tokio::test]
async fn idle_connections_are_given_out_last_or_first_in_first_out() {
    for (order, expected) in [(PoolOrder::Lifo, 1), (PoolOrder::Fifo, 3)] {
        let pool = PoolConfig {
            size: 3,
            order,
            ..PoolConfig::default()
        };
        let db = options("ordered", 1).pool(pool).connect().await.unwrap();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(db.begin(Default::default()).await.unwrap());
        }
        for tx in held {
            tx.rollback().await.unwrap();
        }
        let mut used = std::collections::HashSet::new();
        for _ in 0..6 {
            used.insert(number(&*db, "SELECT pg_backend_pid()").await);
        }
        assert_eq!(used.len(), expected, "{order:?}");
    }
}

#[tokio::test]
async fn behind_a_pooler_nothing_is_kept() {
    let db = options("pooler", 1).pooler(true).connect().await.unwrap();
    exec(&*db, "DROP TABLE IF EXISTS pooled").await.unwrap();
    exec(&*db, "CREATE TABLE pooled (a int8)").await.unwrap();
    for i in 0..3 {
        let insert = sql("INSERT INTO pooled VALUES ($1)", vec![Value::I64(i)], vec![]);
        assert_eq!(db.run(insert, rows(&[])).await.unwrap().affected, 1);
    }
    exec(&*db, "CREATE INDEX CONCURRENTLY ON pooled (a)")
        .await
        .unwrap();
    exec(&*db, "VACUUM pooled").await.unwrap();
    assert_eq!(number(&*db, "SELECT count(*) FROM pooled").await, 3);
    assert_eq!(
        number(
            &*db,
            "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"
        )
        .await,
        0
    );
    let mut tx = db.begin(Default::default()).await.unwrap();
    tx.run(sql("DELETE FROM pooled", vec![], vec![]), rows(&[]))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(number(&*db, "SELECT count(*) FROM pooled").await, 0);
    let setting = query(
        &*db,
        "SELECT current_setting('client_connection_check_interval')",
        vec![],
        &[Type::Text],
    );
    assert_eq!(setting.await.unwrap()[0][0], Value::Text("0".into()));
}

#[test]
fn another_runtime_gets_connections_of_its_own() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let db = first.block_on(connect("runtimes", 1));
    drop(first);
    runtime().block_on(async {
        exec(&*db, "DROP TABLE IF EXISTS runtimes").await.unwrap();
        exec(&*db, "CREATE TABLE runtimes (a int)").await.unwrap();
        assert_eq!(exec(&*db, "INSERT INTO runtimes VALUES (1)").await.unwrap(), 1);
    });
}

#[tokio::test]
async fn options_from_the_url() {
    let given = PostgresOptions::from_url(&url())
        .unwrap()
        .application_name("from_url");
    let db = given.connect().await.unwrap();
    db.ping().await.unwrap();
    assert_eq!(sessions(&*db, "from_url", "%").await, 1);
}

/// The environment of a process cannot be changed safely while it runs: the options are read in another one.
#[tokio::test]
async fn options_from_the_environment() {
    const INNER: &str = "ORM_POSTGRES_TEST_FROM_ENV";
    if std::env::var_os(INNER).is_some() {
        let options = PostgresOptions::from_env().unwrap();
        assert!(!format!("{options} {options:?}").contains("canary"));
        let db = options.connect().await.unwrap();
        assert_eq!(sessions(&*db, "from_env", "%").await, 1);
        return;
    }
    let cluster = orm::testing::Cluster::shared().expect("a throw-away server");
    let inner = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "config::options_from_the_environment", "--nocapture"])
            .env(INNER, "1")
            .env("PGPORT", cluster.port().expect("a server of our own").to_string())
            .env("PGHOST", "127.0.0.1")
            .env("PGDATABASE", "postgres")
            .env("PGPASSWORD", "canary")
            .env("PGAPPNAME", "from_env")
            .env_remove("PGUSER")
            .envs(variables.iter().copied());
        let out = command.output().unwrap();
        let text = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let (works, text) = inner(&[("PGUSER", "postgres")]);
    assert!(works, "{text}");
    for (variables, named) in [
        (&[][..], "PGUSER"),
        (&[("PGUSER", "postgres"), ("PGPORT", "canary")], "PGPORT"),
        (&[("PGUSER", "postgres"), ("PGSSLMODE", "canary")], "PGSSLMODE"),
    ] {
        let (works, text) = inner(variables);
        assert!(
            !works && text.contains(named) && !text.contains("canary"),
            "{text}"
        );
    }
}
