//! A server that goes away and comes back.

use std::time::{Duration, Instant};

use orm::testing::Cluster;
use orm_core::driver::{PoolConfig, PrePing};
use orm_core::error::ErrorKind;
use orm_postgres::PostgresOptions;

use crate::support::{eventually, exec, number};

fn options(cluster: &Cluster, pre_ping: PrePing) -> PostgresOptions {
    let options = PostgresOptions::from_url(&cluster.tcp_url("postgres")).unwrap();
    options.pool(PoolConfig {
        size: 3,
        pre_ping,
        ..PoolConfig::default()
    })
}

#[tokio::test]
async fn a_restart_is_invisible_or_said_clearly() {
    let cluster = Cluster::start().unwrap();
    let pinged = options(&cluster, PrePing::Always).connect().await.unwrap();
    let trusting = options(&cluster, PrePing::Never).connect().await.unwrap();
    for ddl in ["CREATE TABLE kept (a int8)", "INSERT INTO kept VALUES (1)"] {
        exec(&*pinged, ddl).await.unwrap();
    }
    for _ in 0..3 {
        cluster.restart().unwrap();
        // asked for a sign of life, every connection is replaced before anything is sent
        exec(&*pinged, "INSERT INTO kept VALUES (1)").await.unwrap();
        // otherwise the first read finds out, and is run again
        assert!(number(&*trusting, "SELECT count(*) FROM kept").await > 1);
    }
    assert_eq!(number(&*pinged, "SELECT count(*) FROM kept").await, 4);

    // a statement under way when the server dies
    let dies = tokio::spawn({
        let db = trusting.clone();
        async move { exec(&*db, "INSERT INTO kept SELECT 7 FROM pg_sleep(60)").await }
    });
    let runs = async || {
        number(
            &*pinged,
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT%60%'",
        )
        .await
            == 1
    };
    assert!(eventually(Duration::from_secs(5), runs).await);
    cluster.stop_immediate().unwrap();
    let e = dies.await.unwrap().unwrap_err();
    assert_eq!(
        (e.kind(), e.was_sent()),
        (ErrorKind::ConnectionLost, Some(true)),
        "{e}"
    );

    // while it is away the cause is told at once, not that the pool is empty
    let started = Instant::now();
    for db in [&pinged, &trusting] {
        let e = exec(&**db, "SELECT 1").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Connect, "{e}");
        assert!(e.message().contains("refused"), "{e}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );

    cluster.restart().unwrap();
    assert_eq!(number(&*trusting, "SELECT count(*) FROM kept").await, 4);
    assert_eq!(number(&*pinged, "SELECT count(*) FROM kept").await, 4);
}
